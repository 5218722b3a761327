"""Samples of rows by hashes of their values, so that neither order nor partitions change them: parts and bootstraps.

Rows of a sample are taken as often as it says, so any estimator learns from it, also one that knows no weights.

References:
    Oza, Russell: Online bagging and boosting, AISTATS 2001: a bootstrap takes each row Poisson(1) times.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import clone

from groundswell.engines import Scannable, as_scannable
from groundswell.errors import ColumnNotFoundError, DataError, FitError, SchemaError, choices
from groundswell.features import TrainingData
from groundswell.models._evaluation_data import is_in_memory
from groundswell.statistics import uniform

__all__ = ["Sample", "Sampled", "fitted", "rows_to_sample"]

_MOST_TIMES = 20
_POISSON = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(_MOST_TIMES)])


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Which rows are taken, and how often.

    Args:
        seed: another one draws others.
        share: of the rows, each once; None is a bootstrap of all of them.
        identity: the columns whose values are hashed; all of them if there are none.
    """

    seed: int
    share: float | None
    identity: tuple[str, ...] = ()

    def times(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """How often each row is taken."""
        named = frame[list(self.identity)] if self.identity else frame
        drawn = uniform(pd.util.hash_pandas_object(named, index=False).to_numpy(np.uint64), self.seed)
        if self.share is None:
            return np.searchsorted(_POISSON, drawn)
        return (drawn < self.share).astype(np.int64)


@dataclass(frozen=True)
class Sampled:
    """A table of which a sample is read.

    Args:
        source: the table.
        sample: which rows.
    """

    source: Scannable
    sample: Sample

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self.source.schema

    @property
    def rows(self) -> int | None:
        """How many rows there are, which is not known before they are read."""
        return None

    def parts(self, columns: Sequence[str]) -> Iterator[Any]:  # Any: readers of parts
        """One reader for each part of the table."""
        names = list(dict.fromkeys([*columns, *(self.sample.identity or self.schema.names)]))
        for part in self.source.parts(names):
            yield partial(self._read, part, list(columns))

    def _read(self, part: Any, columns: list[str]) -> pa.Table:  # Any: a reader of a part
        table = part()
        table = table if isinstance(table, pa.Table) else pa.Table.from_batches([table])
        identity = self.sample.identity or self.schema.names
        times = self.sample.times(table.select(list(identity)).to_pandas())
        return table.select(columns).take(pa.array(np.repeat(np.arange(table.num_rows), times)))


def rows_to_sample(data: Any, labels: str | None, identity: Sequence[str]) -> tuple[pd.DataFrame | Scannable, str]:
    """Data as a frame or a table that samples can be taken of, and the name of its label.

    Args:
        data: a data frame, training data, or a table: the path of a Parquet file, Arrow.
        labels: the column of labels; training data know theirs.
        identity: columns that must be there.

    Raises:
        SchemaError: the data are an array, or the label is not named.
        ColumnNotFoundError: a named column is not there.
    """
    if isinstance(data, TrainingData):
        labels = labels or data.label_schema.names[0]
        data = data.X.assign(**{labels: pd.DataFrame(data.y)[labels]})
    elif not isinstance(data, pd.DataFrame):
        if is_in_memory(data):
            raise SchemaError(
                f"The data are a {type(data).__name__}.",
                why="Features and labels of a sample are taken from one table, by name.",
                fix="Give a data frame, a table or training data.",
            )
        data = as_scannable(data)
    if labels is None:
        raise SchemaError("The labels are not given.", why="A model learns one column.", fix="Name it: labels='late'.")
    known = list(map(str, data.columns if isinstance(data, pd.DataFrame) else data.schema.names))
    for name in (labels, *identity):
        if name not in known:
            raise ColumnNotFoundError(
                f"There is no column {name!r} in the data.",
                fix=choices(name, known, "columns"),
                column=name,
                known=known,
            )
    return data, labels


def fitted(
    estimator: Any, rows: pd.DataFrame | Scannable, label: str, sample: Sample
) -> tuple[Any, pd.DataFrame | Sampled]:  # Any: whatever has scikit-learn's `fit`
    """A copy of the estimator that learned from a sample, and the sample.

    Raises:
        FitError: the sample holds no rows.
        DataError: the share is none.
    """
    if sample.share is not None and not 0 < sample.share <= 1:
        raise DataError(f"{sample.share} is no share of the rows.", fix="Give numbers above 0 and up to 1.")
    if not isinstance(rows, pd.DataFrame):
        taken = Sampled(rows, sample)
        return clone(estimator).fit(taken, label), taken
    frame = rows.iloc[np.repeat(np.arange(len(rows)), sample.times(rows))]
    if not len(frame):
        raise FitError("The sample holds no rows.", fix="Take a larger share, or more data.", share=sample.share)
    return clone(estimator).fit(frame.drop(columns=label), frame[label]), frame
