"""Errors of rows that nothing can be learned from: there are none, or values are missing or infinite."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from groundswell.errors import DataError, FitError
from groundswell.statistics import Batch

T = TypeVar("T")


def no_rows() -> FitError:
    """The error of a fit that has no rows."""
    return FitError(
        "There are no rows to learn from.",
        why="The table is empty, or all weights are zero.",
        fix="Check the filter, the file or the weights.",
    )


def require_complete(missing: float, what: str) -> None:
    """Raise if rows of some weight have no value.

    Raises:
        FitError: they have.
    """
    if missing:
        raise FitError(
            f"Rows of weight {missing:g} have a missing value (null or NaN) in {what}.",
            why="This estimator has no rule for missing values, and leaving rows out would change the question.",
            fix="Put SimpleImputer before it in a pipeline, or filter the rows.",
            dropped=missing,
        )


def require_finite(*sums: NDArray[Any], what: str = "X") -> None:
    """Raise unless sums of complete rows are finite.

    Raises:
        FitError: they are not.
    """
    if not all(np.isfinite(one).all() for one in sums):
        raise FitError(
            f"{what} holds an infinite value, or one too large for float64.",
            why="No finite model fits it.",
            fix="Replace or filter such rows, or scale the column.",
        )


def require_numbers(batch: Batch) -> Batch:
    """The batch, if its matrix is finite: what scikit-learn requires of an array, of a part of a table.

    Raises:
        DataError: a value is missing or infinite.
    """
    if batch.X is None:
        return batch
    values: Any = batch.X  # Any: an array, or one of scipy's sparse matrices
    values = values if isinstance(values, np.ndarray) else values.data
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(values.sum())
    if not finite and not np.isfinite(values).all():
        missing = bool(np.isnan(values).any())
        raise DataError(
            f"X has a value that is {'missing (null or NaN)' if missing else 'infinite'}.",
            why="This estimator has no rule for it.",
            fix="Put SimpleImputer before it in a pipeline, or filter the rows.",
        )
    return batch


def numbers_only(estimator: BaseEstimator, function: Callable[[Batch], T]) -> Callable[[Batch], T]:
    """The function of rows, which raises of missing and infinite values unless the estimator has a rule for them.

    scikit-learn sees to it that an array has none; this is the same for the parts of a table.
    """
    if get_tags(estimator).input_tags.allow_nan:
        return function
    return lambda batch: function(require_numbers(batch))
