"""What encoders of categories share: columns of any type, and categories of which the infrequent are one group."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Tags

from groundswell.estimators._categories import Counted, grouped
from groundswell.estimators._transform import TableTransformer


class CategoryEncoder(TableTransformer):
    """An encoder; abstract."""

    categories_: list[NDArray[Any]]
    infrequent_categories_: list[NDArray[Any] | None]
    _groups: list[NDArray[np.intp]]

    _any_type = True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        return tags

    def _set_categories(self, counted: Sequence[Counted], rare: Sequence[NDArray[np.bool_]]) -> None:
        """Take the categories of each feature, of which some share one group."""
        self.categories_ = [one.categories for one in counted]
        self.infrequent_categories_ = [
            one.categories[mask] if mask.any() else None for one, mask in zip(counted, rare, strict=True)
        ]
        self._groups = [grouped(mask) for mask in rare]
