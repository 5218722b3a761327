"""The parameters of an oblivious function: those in its signature, filled with what the caller gave.

The first parameter is the data and does not count. A parameter called `seed` or `random_state` that is left at None
gets a number drawn here, so that every run can be repeated.
"""

import inspect
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from groundswell.errors import DataError, choices

__all__ = ["Call", "prepare"]

_SEEDS = ("seed", "random_state")
_SEED_LIMIT = 2**31  # what every library takes for a seed
_Parameter = inspect.Parameter


@dataclass(frozen=True)
class Call:
    """How the function will be called, after the data: by position, then by name.

    Args:
        arguments: values for parameters that can only be given by position.
        keywords: all others.
        parameters: both, by name.
        seed: the seed among them, if there is one.
    """

    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    parameters: Mapping[str, Any]
    seed: int | None


def prepare(function: Callable[..., Any], given: Mapping[str, Any]) -> Call:
    """Merge the function's defaults with the parameters given.

    Raises:
        DataError: no function, one that takes no data, an unknown parameter, or one without a value.
    """
    _check_callable(function)
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C tell nothing
        return Call((), dict(given), dict(given), _seed_of(given))
    slots = list(signature.parameters.values())
    if not slots or slots[0].kind in (_Parameter.KEYWORD_ONLY, _Parameter.VAR_KEYWORD):
        raise DataError(
            f"{_called(function)} takes no data.",
            why="A run calls it with the training data as the first argument.",
            fix="Write it as 'def fit(data, …):'.",
        )
    slots = slots[0 if slots[0].kind is _Parameter.VAR_POSITIONAL else 1 :]
    named = {slot.name: slot for slot in slots if slot.kind not in (_Parameter.VAR_POSITIONAL, _Parameter.VAR_KEYWORD)}
    if not any(slot.kind is _Parameter.VAR_KEYWORD for slot in slots):
        _check_known(function, given, named)
    values = {name: slot.default for name, slot in named.items()} | dict(given)
    for name in _SEEDS:
        if name in named and (values[name] is None or values[name] is _Parameter.empty):
            values[name] = secrets.randbelow(_SEED_LIMIT)
    _check_complete(function, values)
    by_position = [name for name, slot in named.items() if slot.kind is _Parameter.POSITIONAL_ONLY]
    keywords = {name: value for name, value in values.items() if name not in by_position}
    return Call(tuple(values[name] for name in by_position), keywords, values, _seed_of(values))


def _check_callable(function: object) -> None:
    if hasattr(function, "fit") and (inspect.isclass(function) or not callable(function)):
        name = function.__name__ if inspect.isclass(function) else type(function).__name__
        raise DataError(
            f"{name} is an estimator, and a function was expected.",
            why="A run calls a function that fits and returns it.",
            fix=f"Write 'def fit(data): return {name}().fit(data.X, data.y)' and run that.",
        )
    if not callable(function):
        raise DataError(
            f"{function!r} cannot be run.",
            why="A run calls a function with the training data.",
            fix="Give a function such as 'def fit(data): …' that returns a model, metrics or both.",
        )


def _check_known(function: object, given: Mapping[str, Any], named: Mapping[str, object]) -> None:
    unknown = [name for name in given if name not in named]
    if unknown:
        raise DataError(
            f"{_called(function)} has no parameter {' or '.join(map(repr, unknown))}.",
            fix=choices(str(unknown[0]), named, "parameters") if named else "It takes the data only.",
            unknown=unknown,
            known=sorted(named),
        )


def _check_complete(function: object, values: Mapping[str, Any]) -> None:
    absent = [name for name, value in values.items() if value is _Parameter.empty]
    if absent:
        raise DataError(
            f"{_called(function)} needs {', '.join(map(repr, absent))}, which {'has' if len(absent) == 1 else 'have'} "
            "no default.",
            fix=f"Give it with params={{{absent[0]!r}: …}}.",
            missing=absent,
        )


def _seed_of(values: Mapping[str, Any]) -> int | None:
    for name in _SEEDS:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _called(function: object) -> str:
    return f"The function {getattr(function, '__qualname__', type(function).__name__)!r}"
