"""Permutation importance: how much worse a model gets when a feature tells it nothing.

The values of a feature are exchanged between rows, which keeps their distribution and cuts what they have to do with
the label; the model is evaluated again. Of data in memory the column is shuffled. Of a table each row gets the value of
another row, drawn from a sample, so that nothing is held that grows with the rows, and a table that is sorted by the
feature is as good as any other.

References:
    Breiman: Random forests, Machine Learning 45 (2001). Fisher, Rudin, Dominici: All models are wrong, but many are
    useful, JMLR 20 (2019), who call it model reliance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from groundswell.engines import Scannable, as_scannable
from groundswell.errors import DataError, choices
from groundswell.models._evaluate import evaluate, question_of
from groundswell.models._evaluation_data import features_of, is_in_memory
from groundswell.models._model_version import ModelVersion

__all__ = ["PermutationImportance", "permutation_importance"]

_SAMPLE_ROWS = 65_536
_LOSSES = frozenset({"brier", "ece", "log_loss", "mae", "mape", "max_error", "median_absolute_error", "rmse"})
_NO_QUALITY = frozenset({"base_rate", "mean_error"})


@dataclass(frozen=True, kw_only=True)
class PermutationImportance:
    """How much worse a metric is when the values of a feature are exchanged between rows.

    Attributes:
        metric: its name.
        value: of the rows as they are.
        features: those that the model takes.
        importances: how much worse the metric was, shape (features, repeats); negative where it was better by chance.
    """

    metric: str
    value: float
    features: tuple[str, ...]
    importances: NDArray[np.float64]

    def to_pandas(self) -> pd.DataFrame:
        """One row for each feature, the most important first: the mean over the repeats, and their deviation."""
        columns = {"mean": self.importances.mean(axis=1), "std": self.importances.std(axis=1)}
        table = pd.DataFrame(columns, index=pd.Index(self.features, name="feature"))
        return table.sort_values("mean", ascending=False, kind="stable")

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.4g}; how much worse without\n{self.to_pandas()}"


def permutation_importance(
    model: Any,  # a fitted estimator or a model version
    data: Any,  # an array-like or a table
    labels: Any = None,  # an array-like, or the name of a column
    *,
    metric: str,
    weights: Any = None,  # as labels
    n_repeats: int = 5,
    seed: int = 0,
) -> PermutationImportance:
    """How much a fitted model depends on each of the features that it takes.

    It is about the model, not about the world: of two features that say the same, a model may use one or both, and each
    alone then looks less important than the two together.

    Args:
        model: what is evaluated; a version of a registered model is loaded.
        data: what `evaluate` takes, best rows that the model has not seen.
        labels: what is true: one value for each row, or with a frame or table the name of a column. Training data know
            theirs.
        metric: a name of `Evaluation.metrics`. Of a loss the importance is how much it rises, of others how much it
            falls.
        weights: how much each row counts, given as labels are.
        n_repeats: how often each feature is exchanged; the data are read so many times for each.
        seed: of the exchanges.

    Raises:
        DataError: the model has no such metric, it says nothing of quality, it does not exist for exchanged values, or
            a matrix is sparse; and as `evaluate`.
        ColumnNotFoundError: a named column is not there.
    """
    model = model.load() if isinstance(model, ModelVersion) else model
    question = question_of(model, data, labels, weights, ())
    in_memory = is_in_memory(question.data)
    source = question.data if in_memory else as_scannable(question.data)  # it is read again, though a reader is not
    whole = evaluate(model, source, question.labels, weights=weights)
    if metric not in whole.metrics or metric in _NO_QUALITY:
        known = [name for name in whole.metrics if name not in _NO_QUALITY]
        raise DataError(f"{metric!r} is no metric of quality here.", fix=choices(metric, known, "metrics"))
    rows = _Frame(source, model, question) if in_memory else _Table(source, model, question, seed)
    sign = 1.0 if metric in _LOSSES else -1.0
    found = np.empty((len(rows.features), n_repeats))
    for j, feature in enumerate(rows.features):
        for i in range(n_repeats):
            random = np.random.default_rng([seed, j, i])
            exchanged = evaluate(model, rows.exchanged(feature, random), question.labels, weights=weights)
            if metric not in exchanged.metrics:
                raise _vanished(metric, str(feature), exchanged.skipped[metric])
            found[j, i] = sign * (exchanged.metrics[metric] - whole.metrics[metric])
    return PermutationImportance(
        metric=metric, value=whole.metrics[metric], features=tuple(map(str, rows.features)), importances=found
    )


def _vanished(metric: str, feature: str, reason: str) -> DataError:
    return DataError(
        f"There is no {metric!r} when the values of {feature!r} are exchanged: {reason}.",
        why="Its importance is how much worse the metric is then.",
        fix="Give more rows, or a metric that exists for all predictions, such as 'accuracy' or 'rmse'.",
        metric=metric,
        feature=feature,
    )


class _Frame:
    """An array or a data frame, of which one column can be shuffled."""

    def __init__(self, data: Any, model: Any, question: Any) -> None:  # Any: array-likes, an estimator, a question
        if sparse.issparse(data):
            raise DataError("The data are a sparse matrix.", why="Columns are exchanged.", fix="Give data.toarray().")
        self._data = data if hasattr(data, "shape") else np.asarray(data)
        own = [name for name in (question.labels, question.weights) if isinstance(name, str)]
        if isinstance(data, pd.DataFrame):
            self.features = features_of(model, [name for name in data.columns if name not in own], ())
        else:
            self.features = [f"x{j}" for j in range(self._data.shape[1])]

    def exchanged(self, feature: str, random: np.random.Generator) -> Any:  # Any: as the data
        """The rows with one column shuffled."""
        order = random.permutation(len(self._data))
        if isinstance(self._data, pd.DataFrame):
            frame = self._data.copy(deep=False)
            frame[feature] = self._data[feature].array.take(order)
            return frame
        rows = self._data.copy()
        j = self.features.index(feature)
        rows[:, j] = rows[order, j]
        return rows


class _Table:
    """A table, of which one column can be exchanged for values that are drawn from a sample of its rows."""

    def __init__(self, source: Scannable, model: Any, question: Any, seed: int) -> None:  # Any: as above
        own = (question.labels, question.weights)
        self._source = source
        self.features = features_of(model, [name for name in source.schema.names if name not in own], ())
        self._sample = _sample(source, self.features, np.random.default_rng(seed))

    def exchanged(self, feature: str, random: np.random.Generator) -> Scannable:
        """The table with one column of drawn values."""
        return _Exchanged(self._source, feature, self._sample[feature], int(random.integers(2**62)))


@dataclass(frozen=True)
class _Exchanged:
    """A table whose rows have other values in one column; each part draws its own, whoever reads it and when."""

    source: Scannable
    feature: str
    values: pa.ChunkedArray
    seed: int

    @property
    def schema(self) -> pa.Schema:
        return self.source.schema

    @property
    def rows(self) -> int | None:
        return self.source.rows

    def parts(self, columns: Sequence[str]) -> Iterator[Any]:  # Any: readers of parts
        for number, part in enumerate(self.source.parts(columns)):
            yield partial(self._read, part, number, columns)

    def _read(self, part: Any, number: int, columns: Sequence[str]) -> pa.Table:  # Any: a reader of a part
        table = _table(part())
        if self.feature not in columns:
            return table
        drawn = np.random.default_rng([self.seed, number]).integers(0, len(self.values), table.num_rows)
        return table.set_column(table.schema.get_field_index(self.feature), self.feature, self.values.take(drawn))


def _sample(source: Scannable, columns: Sequence[str], random: np.random.Generator) -> pa.Table:
    """Rows of the table, all or as many as may be held: those that draw the smallest lots."""
    kept, lots = source.schema.empty_table().select(list(columns)), np.empty(0)
    for part in source.parts(columns):
        table = _table(part())
        kept, lots = pa.concat_tables([kept, table]), np.append(lots, random.random(table.num_rows))
        if len(lots) > 2 * _SAMPLE_ROWS:
            least = np.sort(np.argpartition(lots, _SAMPLE_ROWS)[:_SAMPLE_ROWS])
            kept, lots = kept.take(least), lots[least]
    return kept if len(lots) <= _SAMPLE_ROWS else kept.take(np.argpartition(lots, _SAMPLE_ROWS)[:_SAMPLE_ROWS])


def _table(part: pa.RecordBatch | pa.Table) -> pa.Table:
    return part if isinstance(part, pa.Table) else pa.Table.from_batches([part])
