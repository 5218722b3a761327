"""Transformations of a view, declared as frozen values, and on-demand features, which functions compute.

`_transformation` says what a declaration is; the families stand in `_scaling`, `_binning`, `_encoding` and `_filling`.
To add one, write it there, give it a word in `_words`, and say in `features/fitting/_estimators` which transformer it
becomes. On-demand features stand in `_on_demand` and `_graph`.
"""

from groundswell.features.transformations._binding import check_transformations, steps_of
from groundswell.features.transformations._graph import (
    check_on_demand,
    complete,
    complete_row,
    complete_stream,
    given_inputs,
    in_order,
)
from groundswell.features.transformations._on_demand import OnDemand, on_demand
from groundswell.features.transformations._transformation import Transformation
from groundswell.features.transformations._words import (
    bucketize,
    hashing,
    impute,
    log,
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
    "Transformation",
    "bucketize",
    "check_on_demand",
    "check_transformations",
    "complete",
    "complete_row",
    "complete_stream",
    "given_inputs",
    "hashing",
    "impute",
    "in_order",
    "log",
    "max_abs",
    "min_max",
    "on_demand",
    "one_hot",
    "ordinal",
    "quantile_bins",
    "robust",
    "standardize",
    "steps_of",
    "transformation_from_dict",
]
