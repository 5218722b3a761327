"""Learning curves: what a model is worth when it has seen more and more rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from groundswell.errors import DataError, choices
from groundswell.models._evaluate import evaluate
from groundswell.models._evaluation import Evaluation
from groundswell.models._resampling import Sample, fitted, rows_to_sample
from groundswell.plots import Line, LinePlot

__all__ = ["LearningCurve", "learning_curve"]


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """A metric on the rows that were learned from, and on others, by how many there were.

    Args:
        metric: its name.
        shares: of the training rows.
        on_train: the evaluation of each model on its own rows.
        on_test: the evaluation of each model on the test rows.
    """

    metric: str
    shares: tuple[float, ...]
    on_train: tuple[Evaluation, ...]
    on_test: tuple[Evaluation, ...]

    def to_pandas(self) -> pd.DataFrame:
        """One row for each share: how many rows, and the metric on both sides; NaN where it does not exist."""
        nan = float("nan")
        columns = {
            "share": self.shares,
            "rows": [evaluation.n_rows for evaluation in self.on_train],
            "train": [evaluation.metrics.get(self.metric, nan) for evaluation in self.on_train],
            "test": [evaluation.metrics.get(self.metric, nan) for evaluation in self.on_test],
        }
        return pd.DataFrame(columns)

    def plot(self) -> LinePlot:
        """Both sides over the number of rows."""
        table = self.to_pandas().dropna()
        rows = table["rows"].astype(float).tolist()
        return LinePlot(
            title=f"Learning curve, {self.metric}",
            x_label="rows",
            y_label=self.metric,
            lines=tuple(Line(name=side, x=rows, y=table[side].tolist()) for side in ("train", "test")),
            note=f"{len(table)} models, each on the rows of the one before and more",
        )


def learning_curve(
    estimator: Any,  # whatever has scikit-learn's `fit`
    train: Any,  # a data frame or a table
    test: Any,  # anything that `evaluate` takes
    labels: str | None = None,
    *,
    metric: str,
    shares: Sequence[float] = (0.1, 0.2, 0.4, 0.7, 1.0),
    seed: int = 0,
    identity: Sequence[str] = (),
) -> LearningCurve:
    """Fit on growing parts of the rows and evaluate each model on its own part and on the test rows.

    A row is in a part by a hash of its values, so a larger part holds the smaller ones. Estimators of ours learn from
    tables larger than memory; training data become a frame.

    Args:
        estimator: is cloned for each part.
        train: a data frame, training data, or a table: the path of a Parquet file, Arrow.
        test: what the models are evaluated on.
        labels: the column of labels; training data know theirs.
        metric: what to plot, by its name in `Evaluation.metrics`.
        shares: of the training rows.
        seed: another one takes other rows.
        identity: columns that tell rows apart; all if none are named.

    Raises:
        DataError: no model has such a metric, or a share is not between 0 and 1.
        FitError: a part holds no rows.
        ColumnNotFoundError: a column is not there.
    """
    rows, label = rows_to_sample(train, labels, identity)
    on_train, on_test = [], []
    for share in shares:
        sample = Sample(seed=seed, share=share, identity=tuple(identity))
        model, part = fitted(estimator, rows, label, sample)
        on_train.append(evaluate(model, part, label))
        on_test.append(evaluate(model, test, labels))
    known = {name for evaluation in on_test for name in evaluation.metrics}
    if metric not in known:
        raise DataError(f"There is no metric {metric!r}.", fix=choices(metric, known, "metrics"), metric=metric)
    return LearningCurve(metric=metric, shares=tuple(shares), on_train=tuple(on_train), on_test=tuple(on_test))
