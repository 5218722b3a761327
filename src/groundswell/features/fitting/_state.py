"""The fitted state of transformations as a file: JSON that says what was learned, and no code.

The kinds of transformers come from our own list, by the declarations; the file holds their attributes only: numbers,
text, and arrays of them. Its sha256 is kept with the training data in the catalog and compared whenever it is read.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.errors import CorruptionError
from groundswell.features._files import write_bytes
from groundswell.features.fitting._transformations import Transformations

__all__ = ["StateFile", "load_state", "save_state"]

_NUMBERS = "biuf"


@dataclass(frozen=True)
class StateFile:
    """A stored state: where it lies and what its bytes must be (sha256, in hexadecimal)."""

    path: Path
    digest: str


def save_state(fitted: Transformations, path: Path) -> StateFile:
    """Write the state to the path, durable when it returns."""
    data = json.dumps(
        {
            "declared": [dict(each) for each in fitted.declared],
            "columns": [dict(each) for each in fitted.columns],
            "outputs": fitted.outputs_,
            "steps": [{name: _plain(value) for name, value in vars(step).items()} for step in fitted.steps_],
        },
        ensure_ascii=True,
        allow_nan=False,
        indent=1,
    ).encode()
    write_bytes(data, path)
    return StateFile(path, hashlib.sha256(data).hexdigest())


def load_state(stored: StateFile) -> Transformations:
    """Read back what `save_state` wrote.

    Raises:
        CorruptionError: the file is missing, or its bytes are others than were written.
    """
    try:
        data = stored.path.read_bytes()
    except OSError as error:
        raise _damaged(stored, f"it cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != stored.digest:
        raise _damaged(stored, "its sha256 is not the one that was recorded")
    body = json.loads(data)
    return Transformations(body["declared"], body["columns"]).restore(
        [{name: _value(plain) for name, plain in step.items()} for step in body["steps"]], body["outputs"]
    )


def _damaged(stored: StateFile, why: str) -> CorruptionError:
    return CorruptionError(
        f"The fitted transformations in {stored.path} are damaged: {why}.",
        why="What they learned from the training split is kept there.",
        fix="Restore the file from a backup, or make the training data anew. Registered models have their own copy.",
        path=str(stored.path),
    )


def _plain(value: Any) -> Any:  # Any: attributes of transformers, JSON
    if isinstance(value, np.ndarray):
        kept = value.tolist()
        return {"array": _plain(kept), "dtype": "object" if value.dtype.kind not in _NUMBERS else value.dtype.str}
    if isinstance(value, np.generic):
        return {"array": _plain(value.item()), "dtype": value.dtype.str}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    assert isinstance(value, Mapping), f"a transformer holds a {type(value).__name__}, which the file cannot"
    assert all(isinstance(key, str) for key in value), "a transformer holds a mapping of others than names"
    return {"mapping": {key: _plain(item) for key, item in value.items()}}


def _value(plain: Any) -> Any:  # Any: JSON, attributes of transformers
    if isinstance(plain, list):
        return [_value(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if "float" in plain:
        return float(plain["float"])
    if "tuple" in plain:
        return tuple(_value(item) for item in plain["tuple"])
    if "mapping" in plain:
        return {key: _value(item) for key, item in plain["mapping"].items()}
    values = _value(plain["array"])
    if plain["dtype"] != "object":
        array = np.array(values, dtype=plain["dtype"])
        return array if array.ndim else array[()]
    objects = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: arrays of equal length would become one of two dimensions
        objects[i] = value
    return objects
