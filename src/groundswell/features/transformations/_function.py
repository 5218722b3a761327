"""What can be read off a function: the types that it takes and gives, and its code, however it is laid out."""

import ast
import inspect
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.errors import SchemaError, TypeMismatchError
from groundswell.types import TIMESTAMP, Field, Schema

__all__ = ["check_plain", "code_of", "inputs_of", "output_of", "read_result", "read_value"]

_TYPES: Mapping[Any, pa.DataType] = {  # Any: the classes that annotations name
    float: pa.float64(), int: pa.int64(), str: pa.string(), bool: pa.bool_(), datetime: TIMESTAMP, date: pa.date32(),
}  # fmt: skip
_IN_WORDS = "float, int, str, bool, datetime or date, with '| None' where a value may be missing"
_PLAIN = (bool, int, float, str, tuple, type(None))


def check_plain(function: object) -> None:
    """Raise unless it is a function of its arguments alone.

    Raises:
        SchemaError: it is a lambda, a method, a generator, has captured variables, or takes `*args`.
    """
    why = ""
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        why = "It has no name that a feature could have, or is no function at all."
    elif inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        why = "It gives something that has still to be waited for."
    elif function.__closure__:
        why = f"It captured {', '.join(map(repr, function.__code__.co_freevars))}, which nobody else would know."
    elif any(_is_odd(parameter) for parameter in inspect.signature(function).parameters.values()):
        why = "Each parameter is one column, without a default, and not '*args'."
    if why:
        raise SchemaError(
            f"{getattr(function, '__qualname__', repr(function))!s} cannot be an on-demand feature.",
            why=why,
            fix="Write it as a function of a module: @gs.on_demand over def f(a: float, b: float | None) -> float.",
        )


def _is_odd(parameter: inspect.Parameter) -> bool:
    return (
        parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.KEYWORD_ONLY)
        or parameter.default is not parameter.empty
    )


def inputs_of(function: Callable[..., Any]) -> Schema:
    """The parameters as columns; nullable are those that take None.

    Raises:
        TypeMismatchError: one has no type, or one that no column has.
    """
    hints = _hints(function)
    return Schema(tuple(_typed(function, name, name, hints) for name in inspect.signature(function).parameters))


def output_of(function: Callable[..., Any], name: str) -> Field:
    """What it gives, as a column; nullable if it may give None.

    Raises:
        TypeMismatchError: it has no type, or one that no column has.
    """
    return _typed(function, "return", name, _hints(function))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:  # Any: annotations
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError) as error:
        raise TypeMismatchError(
            f"The types of {function.__name__!r} cannot be read: {error}.", fix=f"Use {_IN_WORDS}."
        ) from error


def _typed(function: Callable[..., Any], hint: str, name: str, hints: Mapping[str, Any]) -> Field:
    annotation = hints.get(hint)
    parts = [annotation]
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    if len(parts) == 1 and parts[0] in _TYPES:
        return Field(name, _TYPES[parts[0]], nullable=parts[0] is not annotation)
    what = "Its result" if hint == "return" else f"Its parameter {hint!r}"
    raise TypeMismatchError(
        f"{function.__name__!r} cannot be an on-demand feature: "
        + (f"{what[0].lower()}{what[1:]} has no type." if annotation is None else f"{what} is {annotation}."),
        why="The type says which column it takes, and what column it makes.",
        fix=f"Use {_IN_WORDS}.",
        function=function.__name__,
    )


def code_of(function: Callable[..., Any]) -> str:
    """The code of a function and of what it uses of its own module: other functions and plain constants.

    Comments, docstrings, decorators and layout make no difference.
    """
    return "\n".join(_code(function, set()))


def _code(function: Callable[..., Any], seen: set[str]) -> Iterator[str]:
    seen.add(function.__qualname__)
    yield _text(function)
    for name in sorted({name for code in _codes(function.__code__) for name in code.co_names}):
        value = function.__globals__.get(name)
        value = getattr(value, "function", value)  # of another on-demand feature, the function
        if isinstance(value, _PLAIN) and name in function.__globals__:
            yield f"{name} = {value!r}"
        elif _is_own(value, function) and value.__qualname__ not in seen:
            yield from _code(value, seen)


def _is_own(value: object, function: Callable[..., Any]) -> typing.TypeGuard[types.FunctionType]:
    return inspect.isfunction(value) and value.__module__ == function.__module__


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _text(function: Callable[..., Any]) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # typed at a prompt: Python kept no text, so its instructions must do
        code = function.__code__
        return f"{sys.version_info[:2]} {code.co_code.hex()} {code.co_consts!r} {code.co_names!r}"
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:] or [ast.Pass()]
    return ast.unparse(definition)


def read_value(value: Any, field: Field) -> Any:  # Any: a value of a column; one of the parameter's type
    """A value of a column in the type that the parameter has: a whole number becomes a float where one is expected."""
    return float(value) if isinstance(value, int) and pa.types.is_floating(field.type) else value


def read_result(value: Any, field: Field) -> Any:  # Any: what a function gave; a value of the field's type
    """What a function gave as a value of its type; None if it is no such value.

    >>> read_result(3, Field("km", pa.float64())), read_result("3", Field("km", pa.float64()))
    (3.0, None)
    """
    plain = value.item() if isinstance(value, np.generic) else value
    expected = next(kind for kind, arrow in _TYPES.items() if arrow == field.type)
    if expected is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if type(plain) is not expected and not (expected in (str, datetime) and isinstance(plain, expected)):
        return None
    if expected is datetime:
        return None if plain.tzinfo is None else plain.astimezone(UTC)
    return None if expected is int and not -(2**63) <= plain < 2**63 else plain
