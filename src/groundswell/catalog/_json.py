"""What the catalog takes as JSON, checked before it is written.

Python's encoder turns the key 1 into "1", writes NaN, which is no JSON, and names no place when it fails; here a value
that would not read back as it was is refused with the path to it.
"""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

from groundswell.errors import DataError

__all__ = ["AnyJson", "plain", "plain_mapping"]


class AnyJson(TypeDecorator[Any]):
    """A column of any JSON, numbers among them: kept in a list of one, or SQLite would make 1.0 of a whole number."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> list[Any]:  # Any: JSON
        """What is written."""
        return [value]

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # Any: JSON
        """What is read."""
        return value[0]


def plain_mapping(value: object, path: str) -> dict[str, Any]:  # Any: JSON
    """The same as `plain`, for what must be a mapping.

    Raises:
        DataError: it is none, or something in it is no JSON; the message names its path.
    """
    if not isinstance(value, Mapping):
        raise DataError(
            f"{path} is {value!r:.100} ({type(value).__name__}), which is no mapping.",
            fix="Give a dict with text keys.",
            path=path,
        )
    try:
        content: dict[str, Any] = plain(value, path)
    except RecursionError:
        raise _refused(f"{path} contains itself, or is nested too deeply", "Make it flat.", path) from None
    return content


def plain(value: object, path: str) -> Any:  # Any: JSON's own union, recursive
    """The value in dicts, lists, strings, numbers, booleans and None, as it will be read back.

    Args:
        value: mappings with text keys, lists, tuples, and what JSON has.
        path: how the value itself is named in messages, such as `body`.

    Raises:
        DataError: something in it is no JSON; the message names its path.

    >>> plain({"depth": (1, 2)}, "body")
    {'depth': [1, 2]}
    """
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise _refused(f"{path} has the key {key!r} ({type(key).__name__})", "Make the key a string.", path)
        return {key: plain(inner, f"{path}[{key!r}]") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{path}[{i}]") for i, inner in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(f"{path} is {value!r}", "Leave it out or write None.", path)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise _refused(
        f"{path} is {value!r:.100} ({type(value).__name__})",
        "Turn it into text, a number, a boolean, None, a list or a dict first.",
        path,
    )


def _refused(what: str, fix: str, path: str) -> DataError:
    return DataError(f"{what}.", why="The catalog keeps JSON, which cannot hold that.", fix=fix, path=path)
