"""Columns of Arrow as a matrix: which types, which memory."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import TypeMismatchError
from groundswell.statistics import column_major, numbers


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([1, None], pa.int8()), [1.0, np.nan]),
        (pa.array([1, 2], pa.int64()), [1, 2]),
        (pa.array([True, None]), [1.0, np.nan]),
        (pa.array([True, False]), [True, False]),
        (pa.array([0.5, None], pa.float32()), [0.5, np.nan]),
        (pa.array([Decimal("1.5"), None]), [1.5, np.nan]),
        (pa.array([5, 7, None]).dictionary_encode(), [5.0, 7.0, np.nan]),
        (pa.chunked_array([[1.0], [2.0]]), [1.0, 2.0]),
        (pa.array([1, 2, 3]).slice(1), [2, 3]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_numbers_of_every_type(column: pa.Array, values: list[float]) -> None:
    np.testing.assert_array_equal(numbers(column, "c"), values)


@pytest.mark.parametrize(
    "column", [pa.array(["a"]), pa.array([1], pa.timestamp("us")), np.array(["a"]), np.array([None])]
)
def test_what_is_no_number_is_refused_with_what_to_do(column: pa.Array) -> None:
    with pytest.raises(TypeMismatchError, match="Column 'c' has the type"):
        numbers(column, "c")


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ((pa.float32(), pa.float32()), np.float32),
        ((pa.float32(), pa.int8()), np.float32),
        ((pa.float32(), pa.int32()), np.float64),
        ((pa.uint8(), pa.uint8()), np.uint8),
        ((pa.int64(), pa.float64()), np.float64),
    ],
)
def test_the_smallest_type_that_holds_all_columns(types: tuple[pa.DataType, ...], expected: type) -> None:
    matrix = column_major([pa.array([1, 2], kind) for kind in types], ["a", "b"])
    assert matrix.dtype == expected
    assert matrix.flags.f_contiguous


def test_memory_is_reused_if_it_fits() -> None:
    columns = [pa.array([1.0, None, 2.0]), pa.array([3.0, 4.0, 5.0])]
    out = np.empty((5, 2), order="F")
    assert np.shares_memory(column_major(columns, ["a", "b"], out), out)
    np.testing.assert_array_equal(out[:3], [[1.0, 3.0], [np.nan, 4.0], [2.0, 5.0]])
    for other in (np.empty((2, 2), order="F"), np.empty((5, 3), order="F"), np.empty((5, 2)), np.empty((5, 2), "f4")):
        assert not np.shares_memory(column_major(columns, ["a", "b"], other), other)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
@pytest.mark.parametrize("chosen", [["a", "b", "c"], ["a", "c"], ["b"]])
def test_equally_spaced_columns_of_ipc_are_viewed_in_place(kind: pa.DataType, chosen: list[str]) -> None:
    table = pa.table({name: pa.array(np.arange(i, i + 1000.0), kind) for i, name in enumerate("abc")})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    buffer = sink.getvalue()
    batch = pa.ipc.open_file(buffer).get_batch(0).slice(10)
    matrix = column_major([batch.column(name) for name in chosen], chosen)
    assert np.shares_memory(matrix, np.frombuffer(buffer, np.uint8))
    del batch, buffer, sink
    np.testing.assert_array_equal(matrix, np.column_stack([table[name].to_numpy()[10:] for name in chosen]))


def test_no_columns_and_no_rows() -> None:
    assert column_major([], []).shape == (0, 0)
    assert column_major([pa.array([], pa.float64())], ["a"]).shape == (0, 1)
