"""What a run needs of the data that it is given."""

import inspect
from collections.abc import Mapping
from typing import Any, Protocol, cast

import pyarrow as pa

from groundswell.errors import DataError
from groundswell.models import TrainedOn
from groundswell.types import Schema

__all__ = ["TrainingSet", "as_trained_on", "check_training_set"]


class TrainingSet(Protocol):
    """Features and labels with a name, as a feature view makes them."""

    @property
    def id(self) -> str:
        """The entry of the training data in the catalog."""

    @property
    def name(self) -> str:
        """The name of the training data."""

    @property
    def version(self) -> int:
        """The version of the training data."""

    @property
    def split(self) -> str | None:
        """ "train", "test" or another part; None without a split."""

    @property
    def view_name(self) -> str | None:
        """The feature view that it came from."""

    @property
    def pins(self) -> Mapping[str, int]:
        """The version of every feature group's table that it reads."""

    @property
    def schema(self) -> Schema:
        """The feature columns."""

    @property
    def label_schema(self) -> Schema:
        """The label columns."""

    @property
    def X(self) -> Any:
        """The features."""

    @property
    def y(self) -> Any:  # Any: a pandas Series, or a DataFrame for several labels
        """The labels."""

    def to_arrow(self) -> pa.Table:
        """Features and labels."""

    def __len__(self) -> int: ...


_PARTS = sorted(name for name in vars(TrainingSet) if not name.startswith("_"))


def check_training_set(value: object, what: str) -> TrainingSet:
    """Return `value` if it is training data.

    Raises:
        DataError: it is something else.
    """
    # Looked up without evaluating properties, as reading X or y may take a while.
    lacks = [name for name in _PARTS if inspect.getattr_static(value, name, None) is None]
    if not lacks:
        return cast(TrainingSet, value)
    raise DataError(
        f"{what} is a {type(value).__name__}, and training data was expected.",
        why="Only what a feature view gives carries where it came from.",
        fix="Use view.training_data() or view.train_test_split(…); for a table of your own, view.join_to(table).",
        type=type(value).__name__,
        lacks=lacks,
    )


def as_trained_on(data: TrainingSet) -> TrainedOn:
    """The training data by name, for the records of runs and models."""
    return TrainedOn(
        id=data.id,
        name=data.name,
        version=data.version,
        split=data.split,
        view=data.view_name,
        n_rows=len(data),
        pins=dict(data.pins),
    )
