"""Categorical columns as small integers: what is counted and grouped is codes, whatever the type of the values."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.statistics._matrix import Column, whole

__all__ = ["Codes", "encode"]


@dataclass(frozen=True)
class Codes:
    """A categorical column as small integers.

    Attributes:
        values: the distinct values, in the order of their codes; none of them null.
        codes: for each row the position in `values`, −1 where the row has no value.
    """

    values: pa.Array
    codes: NDArray[np.int64]

    def used(self) -> "Codes":
        """The same without values that no row has, if there are more values than rows."""
        if len(self.values) <= len(self.codes):
            return self
        found, codes = np.unique(self.codes, return_inverse=True)
        without = int(len(found) > 0 and found[0] < 0)  # rows that have no value keep −1
        return Codes(self.values.take(pa.array(found[without:])), codes - without)


def encode(column: Column) -> Codes:
    """The codes of a column of any type; NaN counts as null."""
    array = pa.array(column, from_pandas=True) if isinstance(column, np.ndarray) else whole(column)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), None, array)
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
    return _without_null_values(encoded.dictionary, codes)


def _without_null_values(values: pa.Array, codes: NDArray[np.int64]) -> Codes:
    """A dictionary may itself hold a null, or a value twice; make each value one code."""
    unique = values.dictionary_encode()
    if unique.null_count == 0 and len(unique.dictionary) == len(values):
        return Codes(values, codes)
    translation = np.append(unique.indices.cast(pa.int64()).fill_null(-1).to_numpy(), -1)
    return Codes(unique.dictionary, translation[codes])
