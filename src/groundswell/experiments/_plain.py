"""Values as a record keeps them: plain ones as they are, all else described in bounds, nothing that looks secret."""

import math
import re
import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["HIDDEN", "is_secret", "plain", "short"]

HIDDEN = "<hidden>"
_SECRET = re.compile(r"passw(or)?d|secret|credential|(api|access|private|auth)_?key|(^|_)token$", re.IGNORECASE)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # differs from process to process and tells nothing
_MOST_ITEMS = 100
_MOST_CHARACTERS = 2000
_DEEPEST = 6

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 200
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = _repr.maxdict = _repr.maxarray = 20


def is_secret(name: str) -> bool:
    """Whether a value of this name should not be written down.

    >>> is_secret("API_KEY"), is_secret("max_tokens")
    (True, False)
    """
    return bool(_SECRET.search(name))


def plain(value: object, depth: int = 0) -> Any:  # Any: JSON
    """The value as JSON: numbers, text, lists and mappings as they are, all else as text that describes it.

    >>> plain({"depth": (3, None), "rate": float("nan")})
    {'depth': [3, None], 'rate': 'nan'}
    """
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, str):
        return _cut(value)
    if depth < _DEEPEST and isinstance(value, Mapping) and len(value) <= _MOST_ITEMS:
        return {
            _cut(str(key)): HIDDEN if is_secret(str(key)) else plain(inner, depth + 1) for key, inner in value.items()
        }
    if depth < _DEEPEST and isinstance(value, (list, tuple)) and len(value) <= _MOST_ITEMS:
        return [plain(inner, depth + 1) for inner in value]
    return short(value)


def short(value: object) -> str:
    """A bounded description of any value; data and objects without a description of their own by their type only."""
    kind = type(value)
    shape = (
        getattr(value, "shape", None) if kind.__module__.partition(".")[0] in ("numpy", "pandas", "polars") else None
    )
    if shape is not None:
        return f"<{kind.__name__} of shape {shape}>"
    if kind.__repr__ is object.__repr__:
        return f"<{kind.__module__}.{kind.__qualname__}>"
    return _cut(_ADDRESS.sub("", _repr.repr(value)))


def _cut(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be stored
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 1] + "…"
