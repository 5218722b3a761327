"""Values as text: for JSON, and for a terminal that must not take them for commands."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import date, timedelta

import typer

__all__ = ["plain", "print_json", "visible"]


def plain(value: object) -> object:
    """The value as JSON can hold it.

    Times become ISO 8601 text, lengths of time seconds, bytes base64; numbers that are not finite become "NaN",
    "Infinity" and "-Infinity". What else JSON does not have becomes its text.

    References:
        Protocol Buffers, "ProtoJSON Format", for floats and bytes.

    >>> plain({"age": timedelta(minutes=1), "temp": float("nan")})
    {'age': 60.0, 'temp': 'NaN'}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=2))


def visible(text: str) -> str:
    """The text with control characters as escapes, because names and values come from others and a terminal obeys.

    >>> print(visible("red \\x1b[31m"))
    red \\x1b[31m
    """
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
