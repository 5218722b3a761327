"""Which transformer of the estimators' room a declared transformation becomes."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from groundswell.estimators import (
    Bucketizer,
    FeatureHasher,
    KBinsDiscretizer,
    LogTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    SimpleImputer,
    StandardScaler,
)
from groundswell.features.transformations import Transformation

__all__ = ["Transformer", "estimator_of"]


class Transformer(Protocol):
    """What a declaration becomes: a transformer of the estimators' room, which takes tables and gives tables."""

    def fit(self, X: Any) -> Any:  # Any: scikit-learn's array-likes and all tables
        """Learn from the rows."""

    def transform(self, X: Any) -> Any:  # Any: as in fit
        """The rows with new columns in place of those that it was fitted on."""

    def transform_columns(self, columns: Any) -> Any:  # Any: mappings of names to columns of numpy or Arrow
        """The new columns of rows in memory, by name."""

    def get_feature_names_out(self) -> Any:  # Any: an array of names
        """The names of the new columns."""


def estimator_of(declared: Transformation) -> Transformer:
    """The transformer that a declaration becomes, not fitted."""
    return _BECOMES[declared.kind](**declared.parameters())


def _one_hot(drop: str | None, max_categories: int | None) -> Transformer:
    unknown = "ignore" if max_categories is None else "infrequent_if_exist"
    return OneHotEncoder(drop=drop, max_categories=max_categories, handle_unknown=unknown)  # type: ignore[arg-type]  # one of two words


_BECOMES: Mapping[str, Callable[..., Transformer]] = {
    "bucketize": lambda edges: Bucketizer([-np.inf, *map(float, edges), np.inf]),
    "hashing": lambda n_features: FeatureHasher(n_features),
    "log": LogTransformer,
    "impute": lambda strategy, value: SimpleImputer(strategy=strategy, fill_value=value, keep_empty_features=True),
    "max_abs": MaxAbsScaler,
    "min_max": lambda feature_range: MinMaxScaler(tuple(feature_range)),
    "one_hot": _one_hot,
    "ordinal": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=np.nan
    ),
    "quantile_bins": lambda n_bins: KBinsDiscretizer(n_bins, encode="ordinal", strategy="quantile"),
    "robust": lambda quantile_range: RobustScaler(quantile_range=tuple(quantile_range)),
    "standardize": StandardScaler,
}
