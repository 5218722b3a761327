"""Batch: what fits together, what is kept, what is refused."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError
from groundswell.statistics import Batch

TABLE = pa.table({"a": [1, None, 3], "b": [0.5, 1.5, 2.5], "s": ["x", None, "x"], "w": [1.0, 0.0, 2.0]})


def test_arrow_columns_become_a_matrix_and_nulls_nan() -> None:
    batch = Batch.from_arrow(TABLE, X=["b", "a"], y="s", weights="w")
    np.testing.assert_array_equal(batch.matrix, [[0.5, 1.0], [1.5, np.nan], [2.5, 3.0]])
    assert batch.names == ("b", "a")
    assert batch.column("s").to_pylist() == ["x", None, "x"]
    assert batch.weights is not None
    assert batch.weights.tolist() == [1.0, 0.0, 2.0]
    assert len(batch) == 3


def test_a_table_of_many_chunks_is_joined() -> None:
    chunked = pa.concat_tables([TABLE, TABLE])
    assert len(Batch.from_arrow(chunked, X=["b"])) == 6


def test_a_batch_may_have_no_rows_and_no_parts() -> None:
    assert len(Batch()) == 0
    assert list(Batch().blocks()) == []
    assert len(Batch.from_arrow(TABLE.slice(0, 0), X=["a"], y="s")) == 0


def test_parts_of_different_length_are_refused() -> None:
    with pytest.raises(DataError, match="X 2, y 3"):
        Batch(X=np.zeros((2, 1)), y=np.zeros(3))
    with pytest.raises(DataError, match="y 2, column 'y' 3"):
        Batch(y=np.zeros(2), columns={"y": np.zeros(3)})


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_that_cannot_be_counts_are_refused(weight: float) -> None:
    with pytest.raises(DataError, match="weight of row 1") as caught:
        Batch(X=np.zeros((2, 1)), weights=np.array([1.0, weight]))
    assert caught.value.row == 1


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((1, 1, 1)), np.array([["a"]]), np.array([[None]])])
def test_what_is_no_matrix_of_numbers_is_refused(X: np.ndarray) -> None:
    with pytest.raises(TypeMismatchError, match="X is a matrix of numbers"):
        Batch(X=X)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="no matrix X"):
        _ = Batch(y=np.zeros(1)).matrix
    with pytest.raises(DataError, match="no target y"):
        Batch(X=np.zeros((1, 1))).codes()
    with pytest.raises(ColumnNotFoundError, match="The columns are 'a', 'b', 's', 'w'"):
        Batch.from_arrow(TABLE, X=["zzz"])


def test_blocks_cover_the_rows_once_and_leave_out_those_of_weight_zero() -> None:
    weights = np.ones(200_000)
    weights[::3] = 0
    batch = Batch(X=np.arange(200_000.0)[:, None], weights=weights)
    blocks = list(batch.blocks())
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate([b.matrix[:, 0] for b in blocks]), np.flatnonzero(weights))
    assert next(iter(blocks[0].blocks())) is blocks[0]


def test_selections_are_made_once_and_share_memory_where_neighbours_are_chosen() -> None:
    batch = Batch(X=np.arange(12.0).reshape(3, 4), names=("a", "b", "c", "d"))
    assert batch.select(["b", "c"]) is batch.select(("b", "c"))
    assert np.shares_memory(batch.select(["b", "c"]).matrix, batch.matrix)
    np.testing.assert_array_equal(batch.select(["d", "a"]).matrix, [[3, 0], [7, 4], [11, 8]])
    assert batch.select(["a", "b", "c", "d"]) is batch
    assert Batch.from_arrow(TABLE, X=["a"]).select(["b", "a"]).matrix.shape == (3, 2)


@pytest.mark.parametrize("chosen", [np.array([2, 0]), np.array([True, False, True]), slice(1, 3)], ids=str)
def test_rows_in_every_kind_of_part(chosen: np.ndarray | slice) -> None:
    batch = Batch(X=sparse.csr_array(np.eye(3)), y=pa.array([0, 1, 2]), columns={"c": np.arange(3)})
    part, expected = batch.rows(chosen), np.arange(3)[chosen]
    np.testing.assert_array_equal(part.matrix, np.eye(3)[expected])
    np.testing.assert_array_equal(part.target[:, 0], expected)
    np.testing.assert_array_equal(part.column("c"), expected)


def test_rows_of_a_column_major_matrix_stay_column_major() -> None:
    batch = Batch(X=np.asfortranarray(np.random.default_rng(0).random((20, 3))))
    assert batch.rows(np.array([5, 1, 1])).matrix.flags.f_contiguous


def test_complete_leaves_out_rows_with_anything_missing() -> None:
    X = np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0], [6.0, 7.0]])
    batch = Batch(X=X, y=np.array([1.0, 1.0, np.nan, 2.0]), weights=np.array([1.0, 2.0, 4.0, 8.0]))
    kept, left_out = batch.complete()
    assert left_out == 6
    assert kept.matrix.tolist() == [[1, 2], [6, 7]]


def test_codes_are_made_once() -> None:
    batch = Batch.from_arrow(TABLE, y="s")
    assert batch.codes() is batch.codes()
    assert batch.codes("s").values.to_pylist() == ["x"]
    assert batch.codes("s").codes.tolist() == [0, -1, 0]
