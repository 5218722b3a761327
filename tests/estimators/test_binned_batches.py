"""Rows as bins: parts joined by their rows, and bins that do not depend on whether the number of rows is known."""

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import ArrowRows, Roles, StreamRows, TableBatches
from groundswell.errors import FitError
from groundswell.estimators import DecisionTreeRegressor
from groundswell.estimators._binned_batches import BinnedBatches
from groundswell.estimators._bins import Bins, BinValues
from groundswell.estimators._kept_batches import KeptBatches
from groundswell.estimators._row_hash import row_hashes
from groundswell.estimators._tree_model import _FirstPass
from groundswell.statistics import Batch, CategoryCounts


def binned(rows, sizes, memory_bytes):
    """Whole numbers as bins, in parts of these sizes before they are joined."""
    X = np.arange(rows, dtype=np.float64)[:, None] % 7
    seen = BinValues()
    seen.update(Batch(X=X))
    table = pa.table({"x": X[:, 0], "y": np.arange(float(rows))})
    bounds = np.cumsum([0, *sizes])
    cut = [
        table.slice(start, size).combine_chunks().to_batches()[0] for start, size in zip(bounds, sizes, strict=False)
    ]
    stream = StreamRows(table.schema, lambda: pa.RecordBatchReader.from_batches(table.schema, cut))
    bins = Bins.of(seen, np.zeros(1, bool), ["x"])
    batches = TableBatches(stream, Roles(X=("x",), y="y"))
    return X, KeptBatches(BinnedBatches(batches, bins, None, sizes, draws=True), memory_bytes)


@pytest.mark.parametrize("memory_bytes", [0, 20_000, 1 << 20])
@pytest.mark.parametrize(
    ("group", "expected"),
    [(1600, [500, 400, 500, 400, 200]), (400, [300, 600, 300, 600, 200]), (200, [300, 200, 400, 300, 200, 400, 200])],
)
def test_parts_are_joined_to_an_eighth_of_the_rows_or_to_a_group(monkeypatch, memory_bytes, group, expected):
    """Of 2,000 rows, 250 or more: a quarter of a group at least, and no more than a group."""
    monkeypatch.setattr("groundswell.estimators._binned_batches.GROUP_ROWS", group)
    sizes = [300, 200, 400] * 2 + [200]
    X, batches = binned(2000, sizes, memory_bytes)
    for _ in range(2):
        parts = [make() for make in batches.parts()]
        whole = np.concatenate([part.matrix for part in parts])
        np.testing.assert_array_equal(whole, X)
        np.testing.assert_array_equal(np.concatenate([part.target[:, 0] for part in parts]), np.arange(2000.0))
        hashes = np.concatenate([part.column("hash") for part in parts])
        np.testing.assert_array_equal(hashes, row_hashes(X) ^ row_hashes(np.arange(2000.0)[:, None]))
        assert [len(part) for part in parts] == expected


@pytest.mark.parametrize(("label", "named"), [("late", r"\['late'\]"), (None, r"\[None\]")])
def test_a_label_that_was_not_there_in_the_first_pass_is_refused(label, named):
    table = pa.table({"x": [0.0, 1.0, 2.0], "y": ["a", "b", label]})
    seen = BinValues()
    seen.update(Batch(X=np.arange(3.0)[:, None]))
    bins = Bins.of(seen, np.zeros(1, bool), ["x"])
    batches = TableBatches(ArrowRows(table), Roles(X=("x",), y="y"))
    binned_rows = BinnedBatches(batches, bins, ["a", "b"], [3], draws=False)
    with pytest.raises(FitError, match=f"none of the classes: {named}"):
        next(binned_rows.parts())()
    weighted = TableBatches(ArrowRows(table.append_column("w", [[1.0, 1.0, 0.0]])), Roles(X=("x",), y="y", weights="w"))
    left = BinnedBatches(weighted, bins, ["a", "b"], [3], draws=False)
    assert next(left.parts())().target[:, 0].tolist() == [0.0, 1.0]


def test_parts_of_several_blocks_are_one_part_each(monkeypatch):
    monkeypatch.setattr("groundswell.statistics._batch.BLOCK_BYTES", 1 << 13)
    seen = _FirstPass(BinValues(), CategoryCounts())
    for rows in (3000, 2000):
        part = seen.zero()
        part.update(Batch(X=np.ones((rows, 2)), y=np.zeros(rows)))
        seen.merge(part)
    assert seen.sizes == [3000, 2000]


def test_rows_that_are_mostly_equal_give_the_same_bins_from_a_table_and_a_stream():
    """A stream cannot tell how many rows it has; a table looks at a share first, and at all where that is too few."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(60_000, 1)), 3)
    table = pa.table({"x": X[:, 0], "y": X[:, 0] ** 2})
    stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=9_000))
    one, other = (DecisionTreeRegressor(max_depth=4).fit(form, "y") for form in (ArrowRows(table), stream))
    np.testing.assert_array_equal(one.bin_edges_, other.bin_edges_)
    np.testing.assert_array_equal(one.trees_["cut"], other.trees_["cut"])
