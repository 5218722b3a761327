"""scikit-learn's own checks of its contract, of every public ensemble; those of the others are in test_contract.py."""

import inspect

from sklearn.utils.estimator_checks import parametrize_with_checks

import groundswell.estimators as gs

QUANTILES = "the quantiles of XGBoost differ a little for weights and for repetitions"
EXPECTED = {"XGBClassifier": {"check_sample_weight_equivalence_on_dense_data": QUANTILES}}
LIBRARY = {"n_estimators": 15, "n_jobs": 1, "random_state": 0}
LIGHT = LIBRARY | {"params": {"min_data_in_leaf": 1, "min_data_in_bin": 1}}  # the checks have few rows
FOREST = {"n_estimators": 5, "max_depth": 5}
SETTINGS = {
    "LGBMClassifier": LIGHT,
    "LGBMRegressor": LIGHT,
    "RandomForestClassifier": FOREST,
    "RandomForestRegressor": FOREST,
    "XGBClassifier": LIBRARY,
    "XGBRegressor": LIBRARY,
}
ENSEMBLES = [
    kind(**SETTINGS.get(name, {"n_estimators": 5}))
    for name in gs.__all__
    if inspect.isclass(kind := getattr(gs, name)) and "n_estimators" in inspect.signature(kind).parameters
]


@parametrize_with_checks(ENSEMBLES, expected_failed_checks=lambda one: EXPECTED.get(type(one).__name__, {}))
def test_it_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)
