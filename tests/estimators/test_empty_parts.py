"""Parts without rows change nothing, wherever they lie."""

import warnings

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from groundswell.engines import StreamRows
from groundswell.estimators import (
    BernoulliNB,
    CategoricalNB,
    GaussianMixture,
    GaussianNB,
    LGBMRegressor,
    LinearDiscriminantAnalysis,
    MultinomialNB,
    QuadraticDiscriminantAnalysis,
    SGDClassifier,
    SGDRegressor,
    XGBRegressor,
)

ESTIMATORS = [
    BernoulliNB(),
    CategoricalNB(),
    GaussianMixture(2, random_state=0),
    GaussianNB(),
    LGBMRegressor(5, n_jobs=1, random_state=0),
    LinearDiscriminantAnalysis(),
    MultinomialNB(),
    QuadraticDiscriminantAnalysis(),
    SGDClassifier(random_state=0),
    SGDRegressor(random_state=0),
    XGBRegressor(5, n_jobs=1, random_state=0),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: type(one).__name__)
def test_empty_parts_change_nothing(estimator):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    X = rng.poisson(3, size=(60, 3)) + 2.0 * y[:, None]
    if isinstance(estimator, GaussianMixture):
        X = X + rng.random(X.shape)  # rounding would decide which of two centers at equal distance is the nearest
    table = pa.table({f"x{j}": X[:, j] for j in range(3)} | {"label": y})
    cuts = [(0, 0), (0, 0), (0, 20), (20, 0), (20, 40), (60, 0)]
    parts = [
        table.slice(start, n).to_batches()[0] if n else pa.RecordBatch.from_pylist([], schema=table.schema)
        for start, n in cuts
    ]
    stream = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, parts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole, cut = clone(estimator).fit(table, "label"), clone(estimator).fit(stream, "label")
    np.testing.assert_allclose(cut.predict(stream), whole.predict(table), rtol=1e-9)
