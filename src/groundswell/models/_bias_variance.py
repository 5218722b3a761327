"""Bias and variance of a model by bootstrap: how far it is off on average, and how much it depends on its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_regressor

from groundswell.errors import DataError
from groundswell.models._evaluation_data import Question, blocks_of
from groundswell.models._resampling import Sample, fitted, rows_to_sample
from groundswell.statistics import Batch, Moments

__all__ = ["BiasVariance", "bias_variance"]


@dataclass(frozen=True, kw_only=True)
class BiasVariance:
    """Means over the test rows: of squares for a regressor, of mistakes for a classifier.

    Attributes:
        loss: of the models, which is bias + variance for a regressor.
        bias: of the mean prediction (squared), or of the majority's; the noise of the data is in it.
        variance: of the predictions, or how often they differ from the majority's.
        n_samples: how many models there were.
        n_rows: how many test rows.
    """

    loss: float
    bias: float
    variance: float
    n_samples: int
    n_rows: int

    def __str__(self) -> str:
        return f"loss {self.loss:.4g}, bias {self.bias:.4g}, variance {self.variance:.4g}"


def bias_variance(
    estimator: Any,  # whatever has scikit-learn's `fit`
    train: Any,  # a data frame or a table
    test: Any,  # anything that `evaluate` takes
    labels: str | None = None,
    *,
    n_samples: int = 30,
    seed: int = 0,
    identity: Sequence[str] = (),
) -> BiasVariance:
    """Decompose the loss of an estimator by fitting it on bootstrap samples of the rows.

    A row is in a sample as often as a hash of its values says. Estimators of ours learn from tables larger than memory,
    and the test rows are read once, in blocks.

    Args:
        estimator: is cloned for each sample.
        train: a data frame, training data, or a table: the path of a Parquet file, Arrow.
        test: what the models predict.
        labels: the column of labels; training data know theirs.
        n_samples: how many models are fitted; at least two.
        seed: of the first sample.
        identity: columns that tell rows apart; all if none are named.

    Raises:
        DataError: there are too few samples, or no test rows.
        ColumnNotFoundError: a column is not there.

    References:
        Domingos: A unified bias-variance decomposition and its applications, ICML 2000.
    """
    if n_samples < 2:
        raise DataError(f"{n_samples} samples have no variance.", fix="Take two or more; thirty are usual.")
    rows, label = rows_to_sample(train, labels, identity)
    samples = (Sample(seed=seed + i, share=None, identity=tuple(identity)) for i in range(n_samples))
    models = [fitted(estimator, rows, label, sample)[0] for sample in samples]
    parts = _of_numbers if is_regressor(estimator) else _of_labels
    moments = Moments()
    question = Question(data=test, labels=labels, weights=None, by=())
    for block in blocks_of(models[0], question):
        said = np.stack([np.asarray(model.predict(block.inputs)) for model in models])
        moments.update(Batch(X=parts(said, block.labels)))
    found = moments.result()
    if not len(found.mean):
        raise DataError("There are no rows to evaluate on.", fix="Choose a split that leaves some.")
    loss, bias, variance = found.mean.tolist()
    return BiasVariance(loss=loss, bias=bias, variance=variance, n_samples=n_samples, n_rows=int(found.weight[0]))


def _of_numbers(said: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Loss, bias and variance of each row, from predictions of shape (models, rows)."""
    truth, said = labels.astype(np.float64), said.astype(np.float64)
    center = said.mean(axis=0)
    parts = (np.square(said - truth).mean(axis=0), np.square(center - truth), np.square(said - center).mean(axis=0))
    return np.stack(parts, axis=1)


def _of_labels(said: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """The same for labels; of equally frequent ones the majority is the first in order."""
    codes, known = pd.factorize(said.ravel().astype(object), sort=True)
    codes = codes.reshape(said.shape)
    counts = np.stack([(codes == k).sum(axis=0) for k in range(len(known))])
    majority = counts.argmax(axis=0)
    wrong = said.astype(object) != labels[None]
    parts = (wrong.mean(axis=0), known[majority] != labels, (codes != majority).mean(axis=0))
    return np.stack([np.asarray(part, np.float64) for part in parts], axis=1)
