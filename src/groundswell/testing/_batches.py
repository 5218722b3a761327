"""Hypothesis strategies for batches of rows, such as the laws of statistics are tested on.

Rows are drawn as bytes, because drawing each number by itself would take most of the time of a test.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from numpy.typing import NDArray

from groundswell.statistics import Batch

__all__ = [
    "categorical_batches",
    "categorical_columns",
    "labelled_batches",
    "numeric_batches",
    "targets",
    "whole_weights",
]

_MAX_ROWS = 30


def numeric_batches(
    n_columns: int, *, target: Sequence[float] = (), missing: bool = True, far: bool = True
) -> st.SearchStrategy[Batch]:
    """Batches of up to 30 rows whose columns may be constant, may lie far from zero and may have missing values.

    Args:
        n_columns: how many columns X has.
        target: what y is drawn from; no y if empty.
        missing: whether values of X may be NaN.
        far: whether mean/std of a column may be as large as 10⁷.
    """
    batches = _matrices(n_columns, missing, far).map(lambda X: Batch(X=X))
    if not target:
        return batches
    return batches.flatmap(lambda rows: targets(len(rows), target).map(lambda y: replace(rows, y=y)))


def _matrices(n_columns: int, missing: bool, far: bool) -> st.SearchStrategy[NDArray[Any]]:
    def build(n_rows: int, seed: bytes, constant: list[bool], offsets: list[float]) -> NDArray[Any]:
        X = _eighths(seed, n_rows * n_columns, missing).reshape(n_columns, n_rows).T
        if n_rows:
            X[:, constant] = X[0, constant]
        return np.asfortranarray(X + offsets)

    offsets = [0.0, 0.0, 1e4, -1e8] if far else [0.0]
    return st.integers(0, _MAX_ROWS).flatmap(
        lambda n: st.builds(
            build,
            st.just(n),
            st.binary(min_size=n * n_columns, max_size=n * n_columns),
            st.lists(st.sampled_from([False, False, True]), min_size=n_columns, max_size=n_columns),
            st.lists(st.sampled_from(offsets), min_size=n_columns, max_size=n_columns),
        )
    )


def targets(n_rows: int, values: Sequence[float]) -> st.SearchStrategy[NDArray[Any]]:
    """Targets drawn from a few values."""
    table = np.array(values, np.float64)
    return st.binary(min_size=n_rows, max_size=n_rows).map(lambda b: table[np.frombuffer(b, np.uint8) % len(table)])


def _eighths(seed: bytes, n: int, missing: bool) -> NDArray[Any]:
    """Multiples of ⅛ from −16 to 16, and NaN for every twentieth byte if values may be missing."""
    drawn = np.frombuffer(seed, np.uint8)[:n]
    values = (drawn.astype(np.float64) - 128) / 8
    return np.where(drawn % 20 == 7, np.nan, values) if missing else values


def labelled_batches(n_columns: int) -> st.SearchStrategy[Batch]:
    """The same with labels in y: a few strings and nulls."""
    return numeric_batches(n_columns).flatmap(
        lambda rows: categorical_columns(len(rows)).map(lambda y: replace(rows, y=y))
    )


def categorical_batches(column: str) -> st.SearchStrategy[Batch]:
    """Batches of up to 30 rows with categories in the named column and in y, and no X."""

    def build(n_rows: int) -> st.SearchStrategy[Batch]:
        pairs = st.tuples(categorical_columns(n_rows), categorical_columns(n_rows))
        return pairs.map(lambda pair: Batch(columns={column: pair[0]}, y=pair[1]))

    return st.integers(0, _MAX_ROWS).flatmap(build)


def categorical_columns(n_rows: int) -> st.SearchStrategy[pa.Array]:
    """Columns of a few strings and nulls, plain or as a dictionary."""
    values = pa.array(["a", "b", "c", "ü", "", None], pa.string())
    plain = targets(n_rows, range(len(values))).map(lambda codes: values.take(pa.array(codes.astype(np.int64))))
    return st.one_of(plain, plain.map(lambda array: array.dictionary_encode()))


def whole_weights(n_rows: int) -> st.SearchStrategy[NDArray[Any]]:
    """Weights 0 … 3."""
    return targets(n_rows, range(4))
