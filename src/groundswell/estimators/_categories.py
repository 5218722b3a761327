"""Categories of columns: what one pass counts, in the order and with the policies that encoders share.

Partitions may each have categories of their own, and a dictionary of their own; counts by value merge all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.errors import DataError, FitError
from groundswell.estimators._columns import Columns
from groundswell.estimators._row_errors import no_rows
from groundswell.statistics import Batch, CategoryCounts, Together


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The categories of one column.

    Attributes:
        categories: in ascending order; a missing value is the last: NaN among numbers, else None.
        counts: how often each occurs, shape (categories,).
    """

    categories: NDArray[Any]
    counts: NDArray[np.float64]


def count_categories(data: Columns) -> list[Counted]:
    """The categories of each column, in one pass.

    Raises:
        FitError: there are no rows.
        TypeMismatchError: partitions had values of types that have no common order.
    """
    counts = data.fold(Together({name: CategoryCounts(name) for name in data.names})).result()
    found = [_counted(counts[name], kind) for name, kind in zip(data.names, data.types, strict=True)]
    if not found or not found[0].counts.sum():
        raise no_rows()
    return found


def _counted(counts: Any, kind: pa.DataType) -> Counted:  # Any: a CategoryCountsResult
    values, totals = as_categories(counts.values, kind), counts.counts
    if not counts.missing:
        return Counted(categories=values, counts=totals)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    gap = np.array([np.nan]) if numeric else np.array([None], dtype=object)
    return Counted(categories=np.concatenate([values, gap]), counts=np.append(totals, counts.missing))


def as_categories(values: Sequence[Any], kind: pa.DataType) -> NDArray[Any]:  # Any: values of the column's type
    """Values as an array of numpy: numbers and booleans as such, all others as objects."""
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(values, kind.to_pandas_dtype()) if len(values) else np.empty(0, kind.to_pandas_dtype())
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def given_categories(given: Sequence[Any], data: Columns) -> list[NDArray[Any]]:  # Any: array-likes of categories
    """The categories that the user gave, one list for each column.

    Raises:
        FitError: there are not as many lists as columns, or a value is given twice.
    """
    if len(given) != len(data.names):
        raise FitError(
            f"There are categories for {len(given)} columns, and X has {len(data.names)}.",
            why="Each column has its own: the shape mismatch leaves some without.",
            fix="Give one list for each column, in their order, or categories='auto'.",
        )
    found = []
    for name, values in zip(data.names, given, strict=True):
        array = np.asarray(values)
        array = array.astype(object) if array.dtype.kind in "US" else array
        if len({_key(value) for value in array.tolist()}) < len(array):
            raise FitError(f"A category of column {name!r} is given twice: {array.tolist()}.", fix="Give it once.")
        found.append(array)
    return found


def _key(value: Any) -> Any:  # Any: a category
    return None if value is None or value != value else value


def positions(batch: Batch, name: str, categories: NDArray[Any]) -> NDArray[np.intp]:
    """The position of each row's value among the categories, −1 for one that is not among them.

    Raises:
        ColumnNotFoundError: the batch has no such column.
    """
    lookup = {_key(value): i for i, value in enumerate(categories.tolist())}
    encoded = batch.codes(name)
    table = np.array([lookup.get(value, -1) for value in encoded.values.to_pylist()] + [lookup.get(None, -1)], np.intp)
    found: NDArray[np.intp] = table[encoded.codes]
    return found


def unknown_categories(batch: Batch, name: str, categories: NDArray[Any]) -> DataError:
    """The error of values that are not among the categories; it names the first ten."""
    encoded = batch.codes(name)
    known = {_key(value) for value in categories.tolist()}
    found = [value for value in encoded.values.to_pylist() if value not in known]
    found += [None] if (encoded.codes < 0).any() and None not in known else []
    return DataError(
        f"Column {name!r} has the unknown categories {found[:10]}.",
        why=f"They were not among the {len(categories)} of the fit.",
        fix="Fit on rows that have them, or say with handle_unknown what becomes of such values.",
        column=name,
        unknown=found[:10],
    )


def infrequent(
    counts: NDArray[np.float64], min_frequency: float | None, max_categories: int | None
) -> NDArray[np.bool_]:
    """Which categories are joined into one as they are rare.

    Args:
        counts: of each category.
        min_frequency: the least count if it is an integer, the least share of the rows if it is a float.
        max_categories: how many may remain, the one of the infrequent included; of equals the greater ones stay.

    As in scikit-learn a column with exactly `max_categories` categories already gets one for the infrequent.
    """
    rare = np.zeros(len(counts), bool)
    if min_frequency is not None:
        least = min_frequency if isinstance(min_frequency, int) else min_frequency * counts.sum()
        rare |= counts < least
    if max_categories is not None and len(counts) - int(rare.sum()) + 1 > max_categories:
        order = np.argsort(counts, kind="stable")
        rare[order[: len(counts) - (max_categories - 1)]] = True
    return rare


def grouped(rare: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each category its number among the frequent ones, or the number after them for the infrequent."""
    return np.where(rare, int((~rare).sum()), np.cumsum(~rare) - 1)


def counts_of_given(name: str, categories: NDArray[Any], seen: Counted, *, all_known: bool) -> Counted:
    """The counts of categories that the user gave, in their order.

    Raises:
        DataError: a value is none of them, and all must be known.
    """
    batch = Batch(columns={name: pa.array(seen.categories, from_pandas=True)})
    found = positions(batch, name, categories)
    if all_known and (found < 0).any():
        raise unknown_categories(batch, name, categories)
    counts = np.zeros(len(categories))
    np.add.at(counts, found[found >= 0], seen.counts[found >= 0])
    return Counted(categories=categories, counts=counts)


def learned_categories(data: Columns, categories: str | Sequence[Any], *, all_known: bool) -> list[Counted]:
    """The categories of each column in one pass: those that occur, or those that the user gave.

    Args:
        data: the rows.
        categories: "auto", or a list for each column.
        all_known: whether values that are not among those given are an error.

    Raises:
        FitError: there are no rows, or the lists do not fit the columns.
        DataError: a value is not among those given, and all must be known.
        TypeMismatchError: partitions had values of types that have no common order.
    """
    counted = count_categories(data)
    if isinstance(categories, str):
        return counted
    given = given_categories(categories, data)
    return [
        counts_of_given(name, values, seen, all_known=all_known)
        for name, values, seen in zip(data.names, given, counted, strict=True)
    ]
