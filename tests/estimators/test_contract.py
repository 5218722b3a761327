"""scikit-learn's own checks of its contract, of every public estimator but ensembles, whose checks take longer."""

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning, SkipTestWarning
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import groundswell.estimators as gs

ORDER = "the order of the rows and their number in a step matter: a weight is no repetition, as in scikit-learn"
EXPECTED = {
    "SGDClassifier": {f"check_sample_weight_equivalence_on_{kind}_data": ORDER for kind in ("dense", "sparse")},
    "SGDRegressor": {f"check_sample_weight_equivalence_on_{kind}_data": ORDER for kind in ("dense", "sparse")},
}
SCALED = gs.StandardScaler()
SETTINGS: dict[str, list[dict[str, Any]]] = {  # beside the defaults, or in place of them where {} is not listed
    "Bucketizer": [{}, {"encode": "onehot"}],
    "ColumnTransformer": [{"transformers": [("first", SCALED, [0]), ("all", SCALED, slice(None))]}],
    "ElasticNet": [{"alpha": 0.01, "l1_ratio": 0.4}],
    "ElasticNetCV": [{"alphas": 10}],
    "FeatureHasher": [{"n_features": 64}],
    "GaussianMixture": [{}, {"n_components": 3, "covariance_type": "diag", "random_state": 0}],
    "GeneralizedLinearModel": [{}, {"family": "gamma"}],
    "KBinsDiscretizer": [{}, {"encode": "ordinal", "strategy": "uniform"}],
    "KMeans": [{}, {"n_clusters": 3, "n_rounds": 1}],
    "Lasso": [{"alpha": 0.01}],
    "LassoCV": [{"alphas": 10}],
    "LinearSVC": [{"C": 0.1}],
    "LogisticRegression": [{}, {"C": 0.3, "l1_ratio": 0.5}],
    "OneHotEncoder": [{}, {"sparse_output": False, "drop": "last"}],
    "OrdinalEncoder": [{}, {"order": "frequency"}],
    "PCA": [{}, {"n_components": 1, "whiten": True}],
    "PolynomialFeatures": [{}, {"degree": 1}],
    "Ridge": [{"alpha": 0.3}],
    "RidgeCV": [{"alphas": [1e-3, 0.1]}],
    "SimpleImputer": [{"strategy": strategy} for strategy in ("mean", "median", "most_frequent", "constant")],
}
OF_TEXTS = [  # those of scikit-learn's checks that make no matrix
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]


def estimators(*, of_texts: bool) -> Iterator[BaseEstimator]:
    """All that are public, with the settings above, but ensembles."""
    for name in gs.__all__:
        kind = getattr(gs, name)
        if not inspect.isclass(kind) or not issubclass(kind, BaseEstimator):
            continue
        if "n_estimators" in inspect.signature(kind).parameters:
            continue
        made = [kind(**options) for options in SETTINGS.get(name, [{}])]
        yield from (one for one in made if get_tags(one).input_tags.two_d_array != of_texts)


@parametrize_with_checks(
    list(estimators(of_texts=False)), expected_failed_checks=lambda one: EXPECTED.get(type(one).__name__, {})
)
def test_it_keeps_the_contract_of_scikit_learn(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


@pytest.mark.parametrize("check", OF_TEXTS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", list(estimators(of_texts=True)), ids=lambda one: type(one).__name__)
def test_what_takes_texts_keeps_what_the_contract_says_of_all(estimator, check):
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", list(estimators(of_texts=True)), ids=lambda one: type(one).__name__)
def test_scikit_learn_has_no_further_checks_of_what_takes_texts(estimator):
    with pytest.warns(SkipTestWarning, match="Can't test estimator"):
        ran = estimator_checks.check_estimator(estimator, on_skip=None)
    assert {one["check_name"] for one in ran} == {"check_estimator_cloneable"}
