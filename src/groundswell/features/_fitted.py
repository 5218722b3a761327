"""What a view's transformations learned from a training split: fitted once, kept beside the training data for good.

The file is written before the training data is recorded, so what is recorded is whole. It is a record, not a cache:
training, validation and test data and every later reader get the very numbers that the model was trained on.
"""

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from groundswell.engines import StreamRows
from groundswell.features import fitting
from groundswell.features._batches import rebatch
from groundswell.features._files import remove_tree
from groundswell.features._view_definition import ViewDefinition

__all__ = ["FILE", "FittedStates", "state_file"]

FILE = "transformations.json"
_BATCH_ROWS = 65_536


class FittedStates:
    """Fits the transformations of a view, keeps what they learned, and reads it again.

    Args:
        view: declares the transformations.
        folder: where training data is kept.
    """

    def __init__(self, view: ViewDefinition, folder: Path) -> None:
        self._view, self._folder = view, folder

    def fit(self, read: Callable[[], pa.RecordBatchReader]) -> dict[str, Any]:  # Any: JSON
        """Learn from the rows of a training split, and say what to record: nothing without transformations.

        The rows are read in batches of one size, so the same rows give the same numbers on every machine.

        Args:
            read: opens the features before they are transformed, as a stream.

        Raises:
            FitError: a transformation cannot learn from them.
        """
        if not self._view.transformations:
            return {}

        def batches() -> pa.RecordBatchReader:
            reader = read()
            return pa.RecordBatchReader.from_batches(reader.schema, rebatch(reader, _BATCH_ROWS))

        rows = StreamRows(self._view.schema.to_arrow(), batches)
        return self._keep(fitting.Transformations.of(self._view.transformations, self._view.schema).fit(rows))

    def keep(self, fitted: "fitting.Transformations | None") -> dict[str, Any]:  # Any: JSON
        """Keep what was learned elsewhere for other training data, and say what to record."""
        return {} if fitted is None else self._keep(fitted)

    def _keep(self, fitted: "fitting.Transformations") -> dict[str, Any]:  # Any: JSON
        folder = uuid.uuid4().hex
        try:
            kept = fitting.save_state(fitted, self._folder / folder / FILE)
        except BaseException:
            remove_tree(self._folder / folder)
            raise
        return {"transformations": {"folder": folder, "digest": kept.digest}}

    def open(self, body: Mapping[str, Any]) -> "Callable[[], fitting.Transformations] | None":  # Any: JSON
        """What reads the state that training data was recorded with, once; None if there is none."""
        stored = state_file(body, self._folder)
        return None if stored is None else cache(lambda: fitting.load_state(stored))

    def remove(self, body: Mapping[str, Any]) -> None:  # Any: JSON
        """Remove the state of training data."""
        stored = state_file(body, self._folder)
        if stored is not None:
            remove_tree(stored.path.parent)


def state_file(body: Mapping[str, Any], folder: Path) -> "fitting.StateFile | None":  # Any: JSON
    """The file that recorded training data names for its fitted transformations; None if it has none."""
    kept = body.get("transformations")
    return None if kept is None else fitting.StateFile(folder / kept["folder"] / FILE, kept["digest"])
