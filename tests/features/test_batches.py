from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError
from groundswell.features._batches import rebatch, shuffled


def stream(n_rows: int, cut: int) -> pa.RecordBatchReader:
    table = pa.table({"n": np.arange(n_rows), "text": [f"row {i}" for i in range(n_rows)]})
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=cut))


def numbers(batches: Iterator[pa.RecordBatch]) -> list[list[int]]:
    return [batch["n"].to_pylist() for batch in batches]


@given(st.integers(0, 200), st.integers(1, 50), st.integers(1, 60))
def test_batches_have_the_size_asked_for(n_rows: int, cut: int, batch_rows: int) -> None:
    found = numbers(rebatch(stream(n_rows, cut), batch_rows))
    assert [n for batch in found for n in batch] == list(range(n_rows))
    assert all(len(batch) == batch_rows for batch in found[:-1])
    assert all(0 < len(batch) <= batch_rows for batch in found)


@given(st.integers(0, 300), st.integers(1, 50), st.integers(1, 40), st.integers(0, 200), st.integers(0, 5))
def test_shuffling_gives_each_row_once_and_whole(n_rows: int, cut: int, batch_rows: int, more: int, seed: int) -> None:
    batches = list(shuffled(stream(n_rows, cut), batch_rows, batch_rows + more, seed))
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert sorted(row["n"] for row in rows) == list(range(n_rows))
    assert all(row["text"] == f"row {row['n']}" for row in rows)
    assert all(len(batch) == batch_rows for batch in batches[:-1])
    assert all(0 < len(batch) <= batch_rows for batch in batches)


@given(st.integers(1, 50), st.integers(1, 50))
def test_the_order_does_not_depend_on_how_the_stream_is_cut(cut: int, other: int) -> None:
    one, two = (numbers(shuffled(stream(500, c), 16, 64, seed=3)) for c in (cut, other))
    assert one == two


def test_another_seed_gives_another_order() -> None:
    assert numbers(shuffled(stream(500, 100), 16, 64, seed=0)) != numbers(shuffled(stream(500, 100), 16, 64, seed=1))


def test_a_buffer_of_all_rows_shuffles_uniformly() -> None:
    """Each of four rows is first about as often as the others: 4,000 draws, five standard deviations either way."""
    first = Counter(numbers(shuffled(stream(4, 4), 4, 4, seed))[0][0] for seed in range(4_000))
    assert set(first) == {0, 1, 2, 3}
    assert max(abs(count - 1_000) for count in first.values()) < 5 * np.sqrt(4_000 * 0.25 * 0.75)


def test_no_row_is_given_out_before_it_is_read() -> None:
    """What is held is at most the buffer and what was given out since it was tidied: the stream is read as needed."""
    read = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal read
        for batch in stream(10_000, 10):
            read += batch.num_rows
            yield batch

    given_out = 0
    for batch in shuffled(pa.RecordBatchReader.from_batches(stream(1, 1).schema, batches()), 10, 100, seed=0):
        given_out += batch.num_rows
        assert read <= given_out + 100 + 10


@pytest.mark.parametrize(("batch_rows", "buffer_rows"), [(0, 10), (-1, 10), (10, 9), (0, 0)])
def test_sizes_that_cannot_be(batch_rows: int, buffer_rows: int) -> None:
    with pytest.raises(DataError):
        shuffled(stream(10, 10), batch_rows, buffer_rows, 0)
