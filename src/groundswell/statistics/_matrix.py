"""Columns of a table as one column-major matrix of numbers, without a copy where the memory already lies so.

Called by `Batch`. Column-major because every statistic here walks down columns, and because that is how Arrow lies:
from 50 columns in row-major order a block takes three times as long to convert to float64.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from groundswell.errors import TypeMismatchError
from groundswell.types import is_numeric

__all__ = [
    "Column", "Floats", "Matrix", "SparseMatrix", "column_major", "kernel_weights", "numbers", "over_rows",
    "piece_rows", "sealed", "whole",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]

Column: TypeAlias = NDArray[Any] | pa.Array | pa.ChunkedArray


@runtime_checkable
class SparseMatrix(Protocol):
    """What is needed of a sparse matrix: scipy's csr_array, csc_array and their older kin have it."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def toarray(self) -> NDArray[Any]:
        """The same, dense."""

    def __getitem__(self, rows: Any) -> Any:  # Any: the index and the class of scipy
        """Some of the rows, sparse."""

    def __matmul__(self, other: Any) -> Any:  # Any: the class of scipy
        """The product."""

    @property
    def T(self) -> Any:  # Any: the class of scipy
        """The transpose."""


Matrix: TypeAlias = NDArray[Any] | SparseMatrix


def numbers(column: Column, name: str = "") -> NDArray[Any]:
    """The column as a one-dimensional array of numbers; nulls become NaN, and integers with nulls float64.

    Whole numbers beyond 2⁵³ lose their last digits where float64 is needed, as everywhere in numpy.

    Raises:
        TypeMismatchError: the column holds no numbers.

    >>> numbers(pa.array([1, None, 3]))
    array([ 1., nan,  3.])
    """
    if isinstance(column, np.ndarray):
        if column.dtype.kind not in "biuf":
            raise _not_numeric(name, str(column.dtype))
        return column
    kind = column.type
    if pa.types.is_dictionary(kind):
        return numbers(pc.cast(column, kind.value_type), name)
    if not is_numeric(kind):
        raise _not_numeric(name, str(kind))
    if pa.types.is_decimal(kind) or (pa.types.is_boolean(kind) and column.null_count):
        column = pc.cast(pc.cast(column, pa.int8()) if pa.types.is_boolean(kind) else column, pa.float64())
    elif pa.types.is_floating(kind) and column.null_count:
        column = pc.fill_null(column, pa.scalar(math.nan, kind))  # to_numpy takes twice as long
    array = column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
    return np.asarray(array)


def column_major(columns: Sequence[Column], names: Sequence[str], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """The columns side by side, shape (rows, columns), in the smallest type of numpy that holds them all exactly.

    Args:
        columns: of equal length.
        names: theirs, for messages.
        out: memory to reuse, if it is column-major, of the right type and width and has enough rows.

    Returns:
        A view of the Arrow buffers if the columns lie in them at equal distances, as in a record batch read from Arrow
        IPC; else a view of `out`, or a new array.

    Raises:
        TypeMismatchError: a column holds no numbers.
    """
    view = _equally_spaced(columns)
    if view is not None:
        return view
    arrays = [numbers(column, name) for column, name in zip(columns, names, strict=True)]
    n_rows = len(arrays[0]) if arrays else 0
    dtype = np.result_type(*arrays) if arrays else np.dtype(np.float64)
    if out is None or not _fits(out, n_rows, len(arrays), dtype):
        out = np.empty((n_rows, len(arrays)), dtype, order="F")
    matrix = out[:n_rows]
    for j, array in enumerate(arrays):
        matrix[:, j] = array
    return matrix


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array; a copy only if it has several chunks."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def over_rows(left: Floats, right: Floats) -> Floats:
    """leftᵀ right: products summed over the rows, while other threads run.

    NumPy's `@` and `vecdot` keep the interpreter to themselves where they have less than 500 results, however many rows
    these are sums of.

    Args:
        left: shape (rows, p).
        right: shape (rows,) or (rows, q).

    Returns:
        Of the shape (p,) or (p, q).
    """
    return np.asarray(np.dot(left.T, right))


def sealed(array: NDArray[Any]) -> NDArray[Any]:
    """The same values as kernels take them: not writable, as memory of Arrow is not, and of a type that Numba knows.

    It knows no half and long floats, and takes foreign bytes for the machine's own.
    """
    known = array.dtype.isnative and array.dtype.str[1:] not in ("f2", "f16")
    view = array.view() if known else array.astype(np.float64)
    view.flags.writeable = False
    return view


def kernel_weights(weights: Floats | None) -> Floats:
    """Weights as kernels take them: contiguous and not writable; empty where each row counts once."""
    return sealed(np.empty(0) if weights is None else np.ascontiguousarray(weights))


def piece_rows(n_rows: int, width: int, n_values: int) -> int:
    """The rows of a piece of about so many values, which the cache holds: at least 64, and no more than there are."""
    return min(max(n_values // max(width, 1), 64), max(n_rows, 1))


def _fits(out: NDArray[Any], n_rows: int, width: int, dtype: np.dtype[Any]) -> bool:
    return out.flags.f_contiguous and out.dtype == dtype and out.shape[0] >= n_rows and out.shape[1:] == (width,)


def _equally_spaced(columns: Sequence[Column]) -> NDArray[Any] | None:
    """A matrix over one Arrow buffer that holds all columns at equal distances, if there is one."""
    first = columns[0] if columns else None
    if not isinstance(first, pa.Array) or not pa.types.is_floating(first.type) or not len(first):
        return None
    addresses, parent = [], first.buffers()[1].parent
    for column in columns:
        if not isinstance(column, pa.Array) or column.type != first.type or column.null_count or parent is None:
            return None
        buffer = column.buffers()[1]
        if buffer.parent is None or buffer.parent.address != parent.address:
            return None
        addresses.append(buffer.address + column.offset * (column.type.bit_width // 8))
    steps = set(np.diff(addresses).tolist())
    if len(steps) > 1 or min(steps, default=1) <= 0:
        return None
    dtype = np.dtype(first.type.to_pandas_dtype())
    memory = np.frombuffer(parent, np.uint8)  # keeps the buffer alive as long as a view of it lives
    strides = (dtype.itemsize, next(iter(steps), dtype.itemsize))
    shape = (len(first), len(columns))
    return np.ndarray(shape, dtype, memory.data, addresses[0] - parent.address, strides)


def _not_numeric(name: str, kind: str) -> TypeMismatchError:
    return TypeMismatchError(
        f"Column {name!r} has the type {kind}, where numbers are needed.",
        why="Sums and products are defined for numbers and booleans.",
        fix="Encode it first (one-hot, ordinal, hashing, or the parts of a date), or count it with CategoryCounts.",
        column=name,
        type=kind,
    )
