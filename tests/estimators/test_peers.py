"""Every estimator beside another implementation, in one table, which the reference shows.

One comparison each; those of single estimators go through settings, weights and odd data, in files of their own. To
write the table into the reference: python tests/estimators/test_peers.py
"""

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
import sklearn.compose
import sklearn.discriminant_analysis
import sklearn.ensemble
import sklearn.feature_extraction
import sklearn.feature_extraction.text
import sklearn.impute
import sklearn.linear_model
import sklearn.mixture
import sklearn.naive_bayes
import sklearn.preprocessing
import sklearn.svm
import sklearn.tree
import statsmodels.api as sm
import xgboost
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline

import groundswell.estimators as gs
from groundswell.estimators._folds import folds_of

REFERENCE = Path(__file__).parents[2] / "docs/reference/estimators.md"
BEGIN, END = "<!-- tests/estimators/test_peers.py writes this table -->\n", "<!-- end of the table -->\n"
ROWS = 300
Answer = Callable[[Any, Any, Any], Any]  # Any: a fitted model, X and y


@dataclass(frozen=True)
class Peer:
    """One comparison.

    Args:
        ours: of the package.
        theirs: another estimator, or a function of X and y that gives what the answer should be.
        name: whose it is.
        by: what is compared, in words; `of` computes it.
        close: the relative tolerance, also of the largest number; of a loss how much greater ours may be.
        loss: whether `of` is one, which may be less than theirs.
        then: what else one should know.
    """

    ours: Any  # Any: any of ours
    theirs: Any  # Any: any of theirs
    _: KW_ONLY
    by: str
    of: Answer
    close: float
    name: str = "scikit-learn"
    loss: bool = False
    then: str = ""

    @property
    def estimator(self) -> str:
        return type(self.ours).__name__


def coefficients(model: Any, X: Any, y: Any) -> Any:
    return np.append(np.ravel(model.coef_), model.intercept_)


def transformed(model: Any, X: Any, y: Any) -> Any:
    made = model.transform(X)
    return made.toarray() if hasattr(made, "toarray") else made


def fold_errors(alphas: list[float]) -> Callable[[Any, Any], Any]:
    """The errors of each penalty and fold by a grid search over the folds of ours."""

    def expected(X: Any, y: Any) -> Any:
        search = GridSearchCV(
            sklearn.linear_model.Ridge(),
            {"alpha": alphas},
            cv=PredefinedSplit(folds_of(X, y, 5)),
            scoring="neg_mean_squared_error",
        ).fit(X, y)
        return -np.column_stack([search.cv_results_[f"split{fold}_test_score"] for fold in range(5)])

    return expected


def path_errors(kind: Any) -> Callable[[Any, Any], Any]:
    def expected(X: Any, y: Any) -> Any:
        folds = PredefinedSplit(folds_of(X, y, 5))
        return kind(cv=folds, alphas=8, tol=1e-12, max_iter=100_000).fit(X, y).mse_path_

    return expected


def gamma_regression(X: Any, y: Any) -> Any:
    found = sm.GLM(y, sm.add_constant(X), sm.families.Gamma(sm.families.links.Log())).fit(tol=1e-12, maxiter=200)
    return np.append(found.params[1:], found.params[0])


def ordinal(kind: Any) -> Any:
    return make_pipeline(sklearn.preprocessing.OrdinalEncoder(), kind)


def hashed(X: Any, y: Any) -> Any:
    rows = [{f"x{j}": value for j, value in enumerate(row)} for row in X]
    return sklearn.feature_extraction.FeatureHasher(16).transform(rows).toarray()


linear, bayes, scale = sklearn.linear_model, sklearn.naive_bayes, sklearn.preprocessing
text, discriminant = sklearn.feature_extraction.text, sklearn.discriminant_analysis
EXACT = {"tol": 1e-13, "max_iter": 100_000}
STEPS = {"max_iter": 3, "shuffle": False, "learning_rate": "constant", "eta0": 0.001}
LIBRARY = {"n_estimators": 10, "n_jobs": 1}
TREES = {"n_estimators": 30, "max_depth": 4, "random_state": 0}
BINS = [-np.inf, -1.0, 0.5, 2.0, np.inf]
PARTS = [("s", "StandardScaler", [0, 1]), ("m", "MinMaxScaler", [2])]

COEFFICIENTS = {"by": "coefficients", "of": coefficients}
THREE_EPOCHS = {"by": "coefficients after three epochs", "of": coefficients, "close": 1e-9}
FOLD_ERRORS = {"by": "errors of each penalty and fold", "of": lambda model, X, y: model.mse_path_.reshape(-1, 5)}
PROBABILITIES = {"by": "probabilities", "of": lambda model, X, y: model.predict_proba(X)}
PREDICTIONS = {"by": "predictions", "of": lambda model, X, y: model.predict(X)}
LOG_LOSS = {
    "by": "log loss",
    "of": lambda model, X, y: log_loss(y, model.predict_proba(X)),
    "close": 0.05,
    "loss": True,
}
SQUARES = {
    "by": "squares",
    "of": lambda model, X, y: np.square(model.predict(X) - y).mean(),
    "close": 0.05,
    "loss": True,
}
ROWS_MADE = {"by": "transformed rows", "of": transformed}
TEXTS_MADE = {"by": "transformed texts", "of": transformed}
TOKENS = {"by": "tokens", "of": transformed, "close": 0}

PEERS = [
    Peer(gs.LinearRegression(), linear.LinearRegression(), **COEFFICIENTS, close=1e-9),
    Peer(gs.Ridge(0.3), linear.Ridge(0.3), **COEFFICIENTS, close=1e-9),
    Peer(gs.Lasso(0.1), linear.Lasso(0.1, **EXACT), **COEFFICIENTS, close=1e-7),
    Peer(gs.ElasticNet(0.1), linear.ElasticNet(0.1, **EXACT), **COEFFICIENTS, close=1e-7),
    Peer(
        gs.RidgeCV([0.1, 10.0]),
        fold_errors([0.1, 10.0]),
        **FOLD_ERRORS,
        close=1e-9,
        then="`GridSearchCV` over the same folds",
    ),
    Peer(gs.LassoCV(alphas=8), path_errors(linear.LassoCV), **FOLD_ERRORS, close=1e-6, then="the same folds"),
    Peer(gs.ElasticNetCV(alphas=8), path_errors(linear.ElasticNetCV), **FOLD_ERRORS, close=1e-6, then="the same folds"),
    Peer(
        gs.GeneralizedLinearModel("gamma"),
        gamma_regression,
        name="statsmodels",
        **COEFFICIENTS,
        close=1e-5,
        then="errors, p-values, deviance, AIC of all families in `test_summaries.py`",
    ),
    Peer(
        gs.LogisticRegression(),
        linear.LogisticRegression(solver="newton-cg", tol=1e-11, max_iter=10_000),
        **COEFFICIENTS,
        close=1e-5,
    ),
    Peer(
        gs.LinearSVC(fit_intercept=False),
        sklearn.svm.LinearSVC(fit_intercept=False, dual=False, tol=1e-12, max_iter=100_000),
        by="coefficients",
        of=lambda model, X, y: model.coef_,
        close=1e-4,
        then="without an intercept, which scikit-learn penalizes",
    ),
    Peer(gs.SGDClassifier(batch_size=1, tol=-np.inf, **STEPS), linear.SGDClassifier(tol=None, **STEPS), **THREE_EPOCHS),
    Peer(gs.SGDRegressor(batch_size=1, tol=-np.inf, **STEPS), linear.SGDRegressor(tol=None, **STEPS), **THREE_EPOCHS),
    Peer(gs.GaussianNB(), bayes.GaussianNB(), **PROBABILITIES, close=1e-9),
    Peer(gs.MultinomialNB(), bayes.MultinomialNB(), **PROBABILITIES, close=1e-10),
    Peer(gs.BernoulliNB(), bayes.BernoulliNB(), **PROBABILITIES, close=1e-10),
    Peer(gs.CategoricalNB(), ordinal(bayes.CategoricalNB()), **PROBABILITIES, close=1e-12, then="on ordinal codes"),
    Peer(gs.LinearDiscriminantAnalysis(), discriminant.LinearDiscriminantAnalysis(), **PROBABILITIES, close=1e-8),
    Peer(gs.QuadraticDiscriminantAnalysis(), discriminant.QuadraticDiscriminantAnalysis(), **PROBABILITIES, close=1e-6),
    Peer(
        gs.KMeans(3, random_state=0),
        sklearn.cluster.KMeans(3, n_init=10, random_state=0),
        by="inertia",
        of=lambda model, X, y: model.inertia_,
        close=1e-9,
        loss=True,
    ),
    Peer(
        gs.GaussianMixture(3, random_state=0, tol=1e-9),
        sklearn.mixture.GaussianMixture(3, n_init=5, random_state=0, tol=1e-9),
        by="log-likelihoods of rows",
        of=lambda model, X, y: model.score_samples(X),
        close=1e-4,
        then="pass by pass from the same start to 1e-7 in `test_gaussian_mixture.py`",
    ),
    Peer(
        gs.PCA(2),
        sklearn.decomposition.PCA(2),
        by="rows projected there and back",
        of=lambda model, X, y: model.inverse_transform(model.transform(X)),
        close=1e-9,
    ),
    Peer(
        gs.DecisionTreeClassifier(max_depth=4),
        sklearn.tree.DecisionTreeClassifier(max_depth=4, random_state=0),
        **LOG_LOSS,
        then="equal to an exhaustive search in `test_decision_tree.py`",
    ),
    Peer(
        gs.DecisionTreeRegressor(max_depth=4),
        sklearn.tree.DecisionTreeRegressor(max_depth=4, random_state=0),
        **SQUARES,
        then="pruned to the same trees in `test_decision_tree.py`",
    ),
    Peer(
        gs.RandomForestClassifier(**TREES),
        sklearn.ensemble.RandomForestClassifier(**TREES),
        **LOG_LOSS,
        then="on other rows in `test_random_forest.py`",
    ),
    Peer(
        gs.RandomForestRegressor(**TREES),
        sklearn.ensemble.RandomForestRegressor(**TREES),
        **SQUARES,
        then="on other rows in `test_random_forest.py`",
    ),
    Peer(
        gs.GradientBoostingClassifier(**TREES),
        sklearn.ensemble.GradientBoostingClassifier(**TREES),
        **LOG_LOSS,
        then="on other rows in `test_gradient_boosting.py`",
    ),
    Peer(
        gs.GradientBoostingRegressor(**TREES),
        sklearn.ensemble.GradientBoostingRegressor(**TREES),
        **SQUARES,
        then="on other rows in `test_gradient_boosting.py`",
    ),
    Peer(
        gs.XGBClassifier(**LIBRARY),
        xgboost.XGBClassifier(max_bin=256, **LIBRARY),
        name="XGBoost",
        **PROBABILITIES,
        close=2e-5,
    ),
    Peer(
        gs.XGBRegressor(**LIBRARY),
        xgboost.XGBRegressor(max_bin=256, **LIBRARY),
        name="XGBoost",
        **PREDICTIONS,
        close=2e-5,
    ),
    Peer(
        gs.LGBMClassifier(**LIBRARY),
        lambda X, y: lightgbm.LGBMClassifier(verbosity=-1, **LIBRARY).fit(X, y).booster_.predict(X),
        name="LightGBM",
        **PROBABILITIES,
        close=2e-5,
    ),
    Peer(
        gs.LGBMRegressor(**LIBRARY),
        lambda X, y: lightgbm.LGBMRegressor(verbosity=-1, **LIBRARY).fit(X, y).booster_.predict(X),
        name="LightGBM",
        **PREDICTIONS,
        close=2e-5,
    ),
    Peer(gs.StandardScaler(), scale.StandardScaler(), **ROWS_MADE, close=1e-12),
    Peer(gs.MinMaxScaler(), scale.MinMaxScaler(), **ROWS_MADE, close=1e-12),
    Peer(gs.MaxAbsScaler(), scale.MaxAbsScaler(), **ROWS_MADE, close=1e-12),
    Peer(gs.RobustScaler(), scale.RobustScaler(), **ROWS_MADE, close=1e-12),
    Peer(
        gs.KBinsDiscretizer(3), scale.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), **ROWS_MADE, close=0
    ),
    Peer(
        gs.Bucketizer(BINS),
        lambda X, y: np.stack([pd.cut(x, BINS, right=False, labels=False) for x in X.T], 1),
        name="pandas' `cut`",
        **ROWS_MADE,
        close=0,
    ),
    Peer(
        gs.SimpleImputer(),
        sklearn.impute.SimpleImputer(),
        by="means",
        of=lambda model, X, y: model.statistics_,
        close=1e-12,
    ),
    Peer(gs.LogTransformer(), lambda X, y: np.log1p(X), name="NumPy's `log1p`", **ROWS_MADE, close=1e-15),
    Peer(gs.PolynomialFeatures(3), scale.PolynomialFeatures(3), **ROWS_MADE, close=1e-12),
    Peer(gs.OneHotEncoder(), scale.OneHotEncoder(), **ROWS_MADE, close=0),
    Peer(gs.OrdinalEncoder(), scale.OrdinalEncoder(), **ROWS_MADE, close=0),
    Peer(gs.FeatureHasher(16), hashed, **ROWS_MADE, close=0, then="of dictionaries"),
    Peer(
        gs.ColumnTransformer([(name, getattr(gs, kind)(), columns) for name, kind, columns in PARTS]),
        sklearn.compose.ColumnTransformer([(name, getattr(scale, kind)(), columns) for name, kind, columns in PARTS]),
        **ROWS_MADE,
        close=1e-12,
    ),
    Peer(gs.CountVectorizer(), text.CountVectorizer(), **TEXTS_MADE, close=0),
    Peer(gs.HashingVectorizer(n_features=16), text.HashingVectorizer(n_features=16), **TEXTS_MADE, close=1e-12),
    Peer(gs.TfidfVectorizer(), text.TfidfVectorizer(), **TEXTS_MADE, close=1e-12),
    Peer(gs.TfidfTransformer(), text.TfidfTransformer(), **ROWS_MADE, close=1e-12),
    Peer(gs.RegexTokenizer(), lambda X, y: [re.findall(r"\w\w+", x) for x in X], name="Python's `re`", **TOKENS),
    Peer(
        gs.StopWordsRemover(),
        lambda X, y: [[t for t in x if t not in text.ENGLISH_STOP_WORDS] for x in X],
        **TOKENS,
        then="its list",
    ),
    Peer(
        gs.NGram(2),
        lambda X, y: [[" ".join(pair) for pair in pairwise(x)] for x in X],
        name="Python's `pairwise`",
        **TOKENS,
    ),
]


def rendered() -> str:
    """The table as the reference shows it."""
    lines = ["| Estimator | Held against | By | Tolerance |", "| --- | --- | --- | --- |"]
    for peer in PEERS:
        held = f"{peer.name} ({peer.then})" if peer.then else peer.name
        tolerance = f"at most {peer.close:.0%} more" if peer.loss and peer.close >= 0.01 else f"{peer.close:.0e}"
        tolerance = "equal" if peer.close == 0 else tolerance.replace("e-0", "e-")
        lines.append(f"| `{peer.estimator}` | {held} | {peer.by} | {tolerance} |")
    return BEGIN + "\n" + "\n".join(lines) + "\n\n" + END


def parts(page: str) -> tuple[str, str, str]:
    """A page before the table, the table, and after it."""
    before, rest = page.split(BEGIN)
    table, after = rest.split(END)
    return before, BEGIN + table + END, after


@pytest.mark.parametrize("peer", PEERS, ids=[peer.estimator for peer in PEERS])
@pytest.mark.filterwarnings("ignore:Maximum number of iteration:sklearn.exceptions.ConvergenceWarning")
def test_it_answers_as_its_peer_does(peer, cases):
    case = next(case for case in cases if case.name == peer.estimator)
    X, y = case.X(ROWS), case.y(ROWS)
    found = peer.of(peer.ours.fit(X, y), X, y)
    if not hasattr(peer.theirs, "fit"):
        expected = peer.theirs(X, y)
    elif peer.name == "XGBoost" and case.classifies:
        expected = peer.theirs.fit(X, np.unique(y, return_inverse=True)[1]).predict_proba(X)
    else:
        expected = peer.of(peer.theirs.fit(X, y), X, y)
    if peer.by == "tokens":
        assert [list(tokens) for tokens in found] == expected
    elif peer.loss:
        assert found <= expected * (1 + peer.close)
    else:
        np.testing.assert_allclose(found, expected, rtol=peer.close, atol=peer.close * np.abs(expected).max())


def test_every_estimator_has_a_peer(cases):
    assert sorted(peer.estimator for peer in PEERS) == sorted(case.name for case in cases)


def test_the_reference_shows_the_table():
    shown = parts(REFERENCE.read_text())[1]
    assert shown == rendered(), "To write it: python tests/estimators/test_peers.py"


if __name__ == "__main__":
    page = parts(REFERENCE.read_text())
    REFERENCE.write_text(page[0] + rendered() + page[2])
