"""The tasks of the estimators' benchmark: what is fitted on which table, and by what the answers are compared."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from _estimators_world import Table
from sklearn.metrics import log_loss

Make = Callable[[Any], Any]
"""Makes an estimator of a namespace of estimators: ours, or scikit-learn's."""


Answer = Callable[[Any, Any, Any], list[float]]
"""What is compared of a fitted estimator, given X and y of the first row group."""


def attributes(*names: str) -> Answer:
    """What was learned, as one list of numbers."""
    return partial(_attributes, names)


def _attributes(names: tuple[str, ...], model: Any, X: Any, y: Any) -> list[float]:
    found = [getattr(model, name) for name in names]
    flat = [np.ravel(part) for one in found for part in (one if isinstance(one, list) else [one])]
    return [float(number) for number in np.concatenate(flat)]


def score(model: Any, X: Any, y: Any) -> list[float]:
    """R², the share of right labels, or the mean log likelihood."""
    return [float(model.score(X, y))]


def mean_log_loss(model: Any, X: Any, y: Any) -> list[float]:
    """The log loss of a row."""
    return [float(log_loss(y, model.predict_proba(X)))]


def mean_distance(model: Any, X: Any, y: Any) -> list[float]:
    """The squared distance of a row from the nearest center."""
    return [-float(model.score(X)) / len(X)]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of the contestants.

    Args:
        ours: makes our estimator.
        peer: makes scikit-learn's; None: as ours.
        table: which table it learns from.
        answer: what of the fitted estimator is compared; None: it transforms all rows too, and the sums are compared.
        objective: whether answers are figures of merit, as the ways there differ, rather than to agree.
        share: the share of the rows that scikit-learn gets, as it takes minutes for all.
    """

    ours: Make
    peer: Make | None = None
    table: Table = "class"
    answer: Answer | None = None
    objective: bool = False
    share: float = 1.0


coef, by_score = attributes("coef_"), {"answer": score, "objective": True}
shares = attributes("feature_log_prob_")
forest = {"max_depth": 8, "random_state": 0}
five = {"max_iter": 5, "random_state": 0}
sgd = {"tol": None, **five}
mixture = {"max_iter": 10, "tol": 0.0, "random_state": 0}
means = {"max_iter": 20, "tol": 0.0, "random_state": 0}
penalties = np.geomspace(1e-2, 1e4, 20)

TASKS: Mapping[str, Task] = {
    "scaler": Task(ours=lambda m: m.StandardScaler(), answer=attributes("mean_", "scale_")),
    "linear": Task(ours=lambda m: m.LinearRegression(), table="number", answer=coef),
    "pca": Task(ours=lambda m: m.PCA(10), answer=attributes("explained_variance_")),
    "naive bayes": Task(ours=lambda m: m.GaussianNB(), answer=attributes("theta_")),
    "logistic": Task(ours=lambda m: m.LogisticRegression(), answer=coef),
    "k-means": Task(
        ours=lambda m: m.KMeans(10, **means),
        peer=lambda m: m.KMeans(10, n_init=1, **means),
        answer=mean_distance,
        objective=True,
    ),
    "tree": Task(
        ours=lambda m: m.DecisionTreeClassifier(max_depth=8),
        peer=lambda m: m.DecisionTreeClassifier(**forest),
        answer=mean_log_loss,
        objective=True,
        share=1 / 4,
    ),
    "forest": Task(
        ours=lambda m: m.RandomForestClassifier(20, **forest),
        peer=lambda m: m.RandomForestClassifier(20, n_jobs=2, **forest),
        answer=mean_log_loss,
        objective=True,
        share=1 / 4,
    ),
    # A tenth, as in fifty dimensions of deviation 1 MLlib's densities underflow and its components come out alike.
    "mixture": Task(ours=lambda m: m.GaussianMixture(5, **mixture), table="tenths", **by_score),
    "ridge": Task(ours=lambda m: m.Ridge(1.0), table="number", answer=coef),
    "ridge path": Task(
        ours=lambda m: m.RidgeCV(penalties),
        peer=lambda m: m.RidgeCV(penalties, cv=5),
        table="number",
        answer=coef,
    ),
    "lasso": Task(ours=lambda m: m.Lasso(0.1), table="number", answer=coef),
    "lasso path": Task(ours=lambda m: m.LassoCV(), table="number", **by_score),
    "elastic net": Task(ours=lambda m: m.ElasticNet(0.1), table="number", answer=coef),
    "elastic net path": Task(ours=lambda m: m.ElasticNetCV(), table="number", **by_score),
    "softmax": Task(ours=lambda m: m.LogisticRegression(), table="classes", answer=mean_log_loss, objective=True),
    "poisson": Task(
        ours=lambda m: m.GeneralizedLinearModel("poisson"),
        peer=lambda m: m.PoissonRegressor(alpha=0),
        table="count",
        answer=coef,
    ),
    "gamma": Task(
        ours=lambda m: m.GeneralizedLinearModel("gamma"),
        peer=lambda m: m.GammaRegressor(alpha=0),
        table="positive",
        answer=coef,
    ),
    "linear svm": Task(ours=lambda m: m.LinearSVC(), peer=lambda m: m.LinearSVC(random_state=0), **by_score),
    "sgd classifier": Task(ours=lambda m: m.SGDClassifier(**sgd), **by_score),
    "sgd regressor": Task(
        ours=lambda m: m.SGDRegressor(eta0=0.01, **sgd),
        peer=lambda m: m.SGDRegressor(**sgd),
        table="number",
        **by_score,
    ),
    "sgd regressor, single rows": Task(
        ours=lambda m: m.SGDRegressor(batch_size=1, eta0=0.01, **sgd),
        peer=lambda m: m.SGDRegressor(**sgd),
        table="number",
        **by_score,
    ),
    "multinomial naive bayes": Task(ours=lambda m: m.MultinomialNB(), table="terms", answer=shares),
    "bernoulli naive bayes": Task(ours=lambda m: m.BernoulliNB(), table="terms", answer=shares),
    "categorical naive bayes": Task(ours=lambda m: m.CategoricalNB(), table="codes", answer=shares),
    "linear discriminants": Task(ours=lambda m: m.LinearDiscriminantAnalysis(), table="classes", answer=coef),
    "quadratic discriminants": Task(
        ours=lambda m: m.QuadraticDiscriminantAnalysis(), table="classes", answer=attributes("means_")
    ),
    "scale": Task(ours=lambda m: m.StandardScaler()),
    "min-max": Task(ours=lambda m: m.MinMaxScaler()),
    "max-abs": Task(ours=lambda m: m.MaxAbsScaler()),
    "robust": Task(ours=lambda m: m.RobustScaler()),
    "quantile bins": Task(ours=lambda m: m.KBinsDiscretizer(10), peer=lambda m: m.KBinsDiscretizer(10, subsample=None)),
    "impute means": Task(ours=lambda m: m.SimpleImputer(), table="gaps"),
    "impute medians": Task(ours=lambda m: m.SimpleImputer(strategy="median"), table="gaps"),
    "polynomial": Task(ours=lambda m: m.PolynomialFeatures(2), table="narrow"),
    "project": Task(ours=lambda m: m.PCA(10)),
    "one-hot": Task(ours=lambda m: m.OneHotEncoder(), table="categories"),
    "ordinal": Task(ours=lambda m: m.OrdinalEncoder(), table="categories"),
    "hash columns": Task(ours=lambda m: m.FeatureHasher(1024), peer=lambda m: m.HashedFrame(1024), table="categories"),
    "count words": Task(ours=lambda m: m.CountVectorizer(), table="texts"),
    "hash words": Task(ours=lambda m: m.HashingVectorizer(), table="texts"),
    "tf-idf": Task(ours=lambda m: m.TfidfVectorizer(), table="texts"),
}
"""The first nine are compared with MLlib too."""


class Sklearn:
    """scikit-learn's estimators by their names, imported when they are asked for."""

    MODULES = (
        "preprocessing", "linear_model", "decomposition", "naive_bayes", "cluster", "tree", "ensemble", "mixture",
        "svm", "discriminant_analysis", "impute", "feature_extraction.text",
    )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name == "HashedFrame":
            return HashedFrame
        modules = (importlib.import_module(f"sklearn.{module}") for module in self.MODULES)
        return next(getattr(module, name) for module in modules if hasattr(module, name))


class HashedFrame:
    """scikit-learn's FeatureHasher for a data frame: it takes dictionaries."""

    def __init__(self, n_features: int) -> None:
        from sklearn.feature_extraction import FeatureHasher

        self._hasher = FeatureHasher(n_features)

    def fit(self, X: Any, y: Any = None) -> "HashedFrame":
        """Learn nothing."""
        return self

    def transform(self, X: Any) -> Any:
        """The hashed rows."""
        return self._hasher.transform(X.to_dict("records"))
