"""Transformations of a view: declared as frozen values, fitted on the training split, the same code everywhere.

`_transformation` says what a declaration is; the families stand in `_scaling`, `_binning`,
`_encoding` and `_filling`. To add one, write it
there and give it a word in `_words`. `Transformations` is all of a view's as one scikit-learn transformer. On-demand
features, which are computed from the values of a row, stand in `_on_demand` and `_graph`.
"""

from groundswell.features.transformations._binding import check_transformations
from groundswell.features.transformations._graph import check_on_demand, complete, complete_row, given_inputs, in_order
from groundswell.features.transformations._on_demand import OnDemand, on_demand
from groundswell.features.transformations._state import StateFile, load_state, save_state
from groundswell.features.transformations._transformation import Transformation
from groundswell.features.transformations._transformations import Transformations
from groundswell.features.transformations._words import (
    bucketize,
    impute,
    max_abs,
    min_max,
    one_hot,
    ordinal,
    quantile_bins,
    robust,
    standardize,
    transformation_from_dict,
)

__all__ = [
    "OnDemand",
    "StateFile",
    "Transformation",
    "Transformations",
    "bucketize",
    "check_on_demand",
    "check_transformations",
    "complete",
    "complete_row",
    "given_inputs",
    "impute",
    "in_order",
    "load_state",
    "max_abs",
    "min_max",
    "on_demand",
    "one_hot",
    "ordinal",
    "quantile_bins",
    "robust",
    "save_state",
    "standardize",
    "transformation_from_dict",
]
