"""Every public estimator with the data it learns from, and the same rows in every form that an estimator takes.

A test with the argument `case` runs once for each estimator. The list names all of `groundswell.estimators`, so that no
law is forgotten for a new one.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.utils import get_tags

import groundswell.estimators as gs
from groundswell.engines import StreamRows

Fits = Callable[..., Iterator[tuple[str, BaseEstimator]]]
ROWS = 96
NAMES = ["x0", "x1", "x2", "x3"]
FEW = {"n_estimators": 4, "n_jobs": 1, "random_state": 0}
SIMPLE = {"n_estimators": 4, "max_depth": 3, "random_state": 0}
STEPS = {"random_state": 0, "tol": 0.1}
NAMES_ONLY = {
    "Bucketizer", "FeatureHasher", "HashingVectorizer", "LogTransformer", "NGram", "PolynomialFeatures",
    "RegexTokenizer", "StopWordsRemover",
}  # fmt: skip
ORDERS = {
    "DecisionTreeClassifier", "DecisionTreeRegressor", "GradientBoostingClassifier", "GradientBoostingRegressor",
    "RandomForestClassifier", "RandomForestRegressor", "BernoulliNB", "RobustScaler",
}  # fmt: skip
SCALED = "steps are as long as features are large: it wants scaled ones"
LOTS = "lots follow the values of a row"
DRAWS = "rows are drawn one by one, and equal ones apart"


@dataclass(frozen=True, kw_only=True)
class Case:
    """An estimator and what it is about.

    Args:
        estimator: with settings under which a hundred rows are enough.
        target: "classes", "numbers", or "amounts" above zero; None for transformers and the like.
        data: "numbers", "groups" of them that lie apart, "counts", "categories", "texts" or "tokens".
        close: relative tolerance of answers of fits on the same rows in other forms; 0 where every bit is the same.
        offset: what numbers added to all rows of a column do to answers: "same", "moves" (by as much), or why neither.
        weighted: what a whole weight is: "rows" (as many equal rows), or why it is not; None if it takes no weights.
    """

    estimator: Any  # Any: any of ours
    target: str | None = None
    data: str = "numbers"
    close: float = 1e-9
    offset: str = "same"
    weighted: str | None = None

    @property
    def name(self) -> str:
        return type(self.estimator).__name__

    @property
    def classifies(self) -> bool:
        return is_classifier(self.estimator)

    @property
    def learns(self) -> bool:
        """Whether it learns a target."""
        return self.target is not None

    @property
    def regresses(self) -> bool:
        return self.target in ("numbers", "amounts")

    @property
    def has_columns(self) -> bool:
        """Whether it takes columns x0, x1, … rather than texts."""
        return self.data not in ("texts", "tokens")

    @property
    def takes_values(self) -> bool:
        """Whether its columns are of types that feature groups store: not lists."""
        return self.data != "tokens"

    @property
    def counts_only(self) -> bool:
        """Whether a value below zero has no meaning to it."""
        return self.name in ("MultinomialNB", "LogTransformer")

    @property
    def moves_or_stays(self) -> bool:
        """Whether it is known what becomes of answers when numbers are added to columns."""
        return self.offset in ("same", "moves")

    @property
    def needs_rows(self) -> str | None:
        """What is said of a single row, if one is too few to learn from."""
        if self.classifies and not self.name.endswith("NB"):
            return "one class"
        if self.name.endswith("CV"):
            return "one sample"
        return r"of 1 rows|from 1 rows" if self.name in ("GaussianMixture", "KMeans", "PCA") else None

    @property
    def learns_from_rows(self) -> bool:
        """Whether more than the names of columns is learned."""
        return self.name not in NAMES_ONLY

    @property
    def refuses_infinity(self) -> bool:
        """Whether no infinite value has a meaning to it: to trees and bins it is a value like others."""
        return self.name not in ORDERS and self.learns_from_rows

    @property
    def weighs(self) -> bool:
        """Whether rows may have weights."""
        return "sample_weight" in inspect.signature(self.estimator.fit).parameters

    @property
    def allows_gaps(self) -> bool:
        return bool(get_tags(self.estimator).input_tags.allow_nan)

    @property
    def takes_matrix(self) -> bool:
        """Whether its features are columns of numbers."""
        return self.data in ("numbers", "groups", "counts")

    def new(self) -> Any:
        return clone(self.estimator)

    def X(self, rows: int = ROWS) -> Any:
        """Features: an array, or a list of texts or tokens. Numbers are quarters, which float32 holds exactly."""
        rng = np.random.default_rng(5)
        if self.data == "texts":
            return [" ".join(words) for words in rng.choice(["good", "bad", "film", "plot"], (rows, 5))]
        if self.data == "tokens":
            return [list(words) for words in rng.choice(["good", "the", "film", "plot"], (rows, 5))]
        if self.data == "categories":
            return rng.choice(np.array(["UA", "AA", "DL"], dtype=object), (rows, 4))
        if self.data == "counts":
            return rng.poisson([1, 2, 3, 4], (rows, 4)).astype(float)
        X = np.round(4 * rng.normal([0, 1, -1, 2], [1, 2, 0.5, 1], (rows, 4))) / 4
        return X + 20 * (np.arange(rows) % 3)[:, None] if self.data == "groups" else X

    def y(self, rows: int = ROWS) -> np.ndarray | None:
        rng = np.random.default_rng(6)
        X = self.X(rows)
        signal = X @ [1.0, -0.5, 2.0, 0.3] if self.takes_matrix else rng.normal(size=rows)
        if self.target == "classes":
            return np.array(["a", "b", "c"])[
                np.digitize(signal + rng.normal(size=rows), np.quantile(signal, [0.3, 0.6]))
            ]
        if self.target == "numbers":
            return np.round(4 * (signal + 0.3 * rng.normal(size=rows))) / 4
        if self.target == "amounts":
            return np.round(16 * np.exp(0.2 * signal + 0.1 * rng.normal(size=rows)) + 1) / 16
        return None

    def frame(self, X: Any = None) -> pd.DataFrame:
        """Features as a data frame."""
        X = self.X() if X is None else X
        if self.data in ("texts", "tokens"):
            return pd.DataFrame({"text": pd.Series(X, dtype=object)})
        return pd.DataFrame(X, columns=[f"x{j}" for j in range(np.shape(X)[1])])

    def table(self, X: Any = None, y: Any = None) -> pa.Table:
        """Features and a label, whatever it is good for, as an Arrow table."""
        frame = self.frame(X)
        y = self.y(len(frame)) if y is None else y
        label = np.arange(len(frame)) if y is None else y
        return (
            pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata().append_column("label", [label])
        )

    def answer(self, model: Any, X: Any) -> np.ndarray:
        """What a model says of rows, as numbers where it can."""
        for method in ("predict_proba", "decision_function", "predict", "transform"):
            if hasattr(model, method):
                return dense(getattr(model, method)(X))
        raise AssertionError(f"{self.name} answers nothing")

    def assert_close(self, found: np.ndarray, expected: np.ndarray, what: str = "", close: float | None = None) -> None:
        close = self.close if close is None else close
        if found.dtype.kind in "fiu":
            scale = max(1.0, float(np.nanmax(np.abs(expected), initial=0)))
            np.testing.assert_allclose(found, expected, rtol=close, atol=close * scale, err_msg=f"{self.name}, {what}")
        else:
            assert found.tolist() == expected.tolist(), (self.name, what)


def dense(made: Any) -> np.ndarray:
    """What a transformer or a model gives as an array; of a table all columns but the label."""
    if sparse.issparse(made):
        return made.toarray()
    if hasattr(made, "parts"):
        names = [name for name in made.schema.names if name != "label"]
        schema = pa.schema([made.schema.field(name) for name in names])
        parts = list(made.parts(names))
        if not parts:
            return np.empty((0, len(names)))
        whole = pa.concat_tables([pa.table(part().to_pydict(), schema=schema) for part in parts])
        made = whole.to_pandas()
        if len(names) == 1 and made.dtypes.iloc[0].kind == "O":
            return np.array([list(value) for value in made[names[0]]], dtype=object)
    return np.asarray(made)


CASES = [
    Case(estimator=gs.LinearRegression(), target="numbers", weighted="rows"),
    Case(estimator=gs.Ridge(0.3), target="numbers", weighted="rows"),
    Case(estimator=gs.Lasso(0.01), target="numbers", weighted="rows"),
    Case(estimator=gs.ElasticNet(0.01, l1_ratio=0.4), target="numbers", weighted="rows"),
    Case(estimator=gs.RidgeCV([1e-3, 0.1]), target="numbers", offset="folds follow values", weighted="rows"),
    Case(estimator=gs.LassoCV(alphas=8), target="numbers", offset="folds follow values", weighted="rows"),
    Case(estimator=gs.ElasticNetCV(alphas=8), target="numbers", offset="folds follow values", weighted="rows"),
    Case(estimator=gs.GeneralizedLinearModel("gamma"), target="amounts", close=1e-7, weighted="rows"),
    Case(estimator=gs.LogisticRegression(), target="classes", close=1e-6, weighted="rows"),
    Case(estimator=gs.LinearSVC(), target="classes", close=1e-6, weighted="rows"),
    Case(
        estimator=gs.SGDClassifier(**STEPS),
        target="classes",
        close=1e-12,
        offset=SCALED,
        weighted=DRAWS,
    ),
    Case(estimator=gs.SGDRegressor(**STEPS), target="numbers", close=1e-12, offset=SCALED, weighted=DRAWS),
    Case(estimator=gs.GaussianNB(), target="classes", weighted="rows"),
    Case(estimator=gs.MultinomialNB(), target="classes", data="counts", offset="counts have a zero", weighted="rows"),
    Case(estimator=gs.BernoulliNB(), target="classes", data="counts", offset="counts have a zero", weighted="rows"),
    Case(estimator=gs.CategoricalNB(), target="classes", data="categories", weighted="rows"),
    Case(estimator=gs.LinearDiscriminantAnalysis(), target="classes", close=1e-8, weighted="rows"),
    Case(estimator=gs.QuadraticDiscriminantAnalysis(), target="classes", close=1e-8, weighted="rows"),
    Case(estimator=gs.KMeans(3, random_state=0), data="groups", offset=LOTS, weighted="rows"),
    Case(estimator=gs.GaussianMixture(3, random_state=0), data="groups", offset=LOTS, weighted="rows"),
    Case(estimator=gs.PCA(2)),
    Case(estimator=gs.DecisionTreeClassifier(max_depth=3), target="classes", weighted="rows"),
    Case(estimator=gs.DecisionTreeRegressor(max_depth=3), target="numbers", weighted="rows"),
    Case(estimator=gs.RandomForestClassifier(**SIMPLE), target="classes", offset=LOTS, weighted=DRAWS),
    Case(estimator=gs.RandomForestRegressor(**SIMPLE), target="numbers", offset=LOTS, weighted=DRAWS),
    Case(estimator=gs.GradientBoostingClassifier(**SIMPLE), target="classes", weighted="rows"),
    Case(estimator=gs.GradientBoostingRegressor(**SIMPLE), target="numbers", weighted="rows"),
    Case(estimator=gs.XGBClassifier(**FEW), target="classes", close=1e-6, weighted="quantiles differ"),
    Case(estimator=gs.XGBRegressor(**FEW), target="numbers", close=1e-6, weighted="quantiles differ"),
    Case(estimator=gs.LGBMClassifier(**FEW), target="classes", close=1e-6, weighted="bins count rows"),
    Case(estimator=gs.LGBMRegressor(**FEW), target="numbers", close=1e-6, weighted="bins count rows"),
    Case(estimator=gs.StandardScaler(), weighted="rows"),
    Case(estimator=gs.MinMaxScaler()),
    Case(estimator=gs.MaxAbsScaler(), offset="amounts have a zero"),
    Case(estimator=gs.RobustScaler()),
    Case(estimator=gs.KBinsDiscretizer(3, encode="ordinal")),
    Case(estimator=gs.Bucketizer([-np.inf, -1.0, 0.5, 2.0, np.inf]), offset="edges stay where they are"),
    Case(estimator=gs.SimpleImputer(), offset="moves"),
    Case(estimator=gs.LogTransformer(), data="counts", offset="amounts have a zero"),
    Case(estimator=gs.PolynomialFeatures(), offset="products of other numbers are others"),
    Case(estimator=gs.OneHotEncoder(sparse_output=False), data="categories"),
    Case(estimator=gs.OrdinalEncoder(), data="categories"),
    Case(estimator=gs.FeatureHasher(16), data="categories"),
    Case(estimator=gs.ColumnTransformer([("s", gs.StandardScaler(), ["x0", "x1"]), ("m", gs.MinMaxScaler(), ["x2"])])),
    Case(estimator=gs.CountVectorizer(), data="texts"),
    Case(estimator=gs.HashingVectorizer(n_features=16), data="texts"),
    Case(estimator=gs.TfidfVectorizer(), data="texts"),
    Case(estimator=gs.TfidfTransformer(), data="counts", offset="counts have a zero"),
    Case(estimator=gs.RegexTokenizer(), data="texts"),
    Case(estimator=gs.StopWordsRemover(), data="tokens"),
    Case(estimator=gs.NGram(2), data="tokens"),
]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that chooses cases."""
    config.addinivalue_line("markers", "cases(*properties): run only for estimators that have all of these")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the argument `case` for each estimator, or for those that its marker chooses."""
    if "case" in metafunc.fixturenames:
        wanted = [name for mark in metafunc.definition.iter_markers("cases") for name in mark.args]
        chosen = [case for case in CASES if all(getattr(case, name) for name in wanted)]
        metafunc.parametrize("case", chosen, ids=[case.name for case in chosen])


@pytest.fixture
def cases() -> list[Case]:
    """Every estimator."""
    return CASES


@pytest.fixture
def fits(tmp_path: Path) -> Fits:
    """Fits clones of an estimator on the same rows: arrays, frames, Parquet of several cuts, Arrow tables, streams."""

    def of(estimator: BaseEstimator, X: np.ndarray, y: Any, weights: Any = None) -> Iterator[tuple[str, BaseEstimator]]:
        names = [f"x{j}" for j in range(X.shape[1])]
        frame = pd.DataFrame(X, columns=names)
        extra = {} if weights is None else {"sample_weight": weights}
        yield "array", clone(estimator).fit(X, y, **extra)
        yield "column-major array", clone(estimator).fit(np.asfortranarray(X), y, **extra)
        yield "frame", clone(estimator).fit(frame, y, **extra)
        columns = {name: X[:, j] for j, name in enumerate(names)} | {"label": np.asarray(y)}
        named = {}
        if weights is not None:
            columns["count"], named = np.asarray(weights), {"sample_weight": "count"}
        table = pa.table(columns)
        yield "Arrow table", clone(estimator).fit(table, "label", **named)
        for rows in (7, 1000):
            path = tmp_path / f"{rows}.parquet"
            pq.write_table(table, path, row_group_size=rows)
            yield f"Parquet, groups of {rows}", clone(estimator).fit(str(path), "label", **named)
        stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=13))
        yield "stream", clone(estimator).fit(stream, "label", **named)

    return of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out scikit-learn's check of array API input, which skips itself: no estimator here declares to take it."""
    out = [item for item in items if "check_array_api_input" in item.name]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
