"""The table of the estimators' benchmark, and what is asked of every contestant.

Rows come from ten overlapping clusters; a label follows a linear function with an interaction, and a target a linear
function, both with noise. Row groups are made one by one, from their number, so a table may be larger than memory.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.engines._scannable import Part

FEATURES, CLUSTERS, GROUP_ROWS = 50, 10, 65_536
NAMES = [f"x{j}" for j in range(FEATURES)]

TASKS = ("scaler", "linear", "pca", "naive bayes", "logistic", "k-means", "tree", "forest", "mixture")
"""Standardize; regress; ten components; Gaussian naive Bayes; logistic regression with C = 1; ten means in twenty
steps; one tree and twenty of depth eight; a mixture of five full Gaussians in ten steps."""

QUARTERED = ("tree", "forest")
"""Tasks in which scikit-learn gets the first quarter of the rows: it takes minutes for all."""


def label_of(task: str) -> str:
    """Which file a task reads: the one whose label is a number, or the one whose label is a class."""
    return "number" if task == "linear" else "class"


def row_group(number: int, rows: int, kind: str) -> pa.Table:
    """Some rows of the table.

    Args:
        number: which row group.
        rows: how many.
        kind: what the label is, "number" or "class".
    """
    fixed, rng = np.random.default_rng(0), np.random.default_rng([1, number])
    centers = fixed.standard_normal((CLUSTERS, FEATURES), np.float32)
    slopes, shift = fixed.standard_normal(FEATURES, np.float32) / 5, np.linspace(-3, 3, FEATURES, dtype=np.float32)
    X = rng.standard_normal((FEATURES, rows), np.float32)
    X += centers[rng.integers(0, CLUSTERS, rows)].T
    signal = slopes @ X
    columns = dict(zip(NAMES, X + shift[:, None], strict=True))
    noise = rng.logistic(size=rows)
    if kind == "number":
        return pa.table(columns | {"label": (signal + noise).astype(np.float32)})
    return pa.table(columns | {"label": (signal + X[0] * X[1] + noise > 0).astype(np.int32)})


def write(folder: Path, rows: int) -> None:
    """Both files; compressed and without dictionaries, as tables here are."""
    for kind in ("number", "class"):
        schema = row_group(0, 1, kind).schema
        path = folder / f"{kind}.parquet"
        with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
            for number, start in enumerate(range(0, rows, GROUP_ROWS)):
                writer.write_table(row_group(number, min(GROUP_ROWS, rows - start), kind))


class MadeRows:
    """A table that is nowhere: its row groups are made when they are read, and made again when they are read again.

    A few groups are made beforehand and served in turns, so that a pass costs no more than to copy them.

    Args:
        rows: how many.
        kind: what the label is.
    """

    def __init__(self, rows: int, kind: str) -> None:
        self._rows = rows
        self._made = [row_group(number, GROUP_ROWS, kind) for number in range(4)]

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._made[0].schema

    @property
    def rows(self) -> int | None:
        """How many rows there are."""
        return self._rows

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        """One maker for each row group."""
        for number, start in enumerate(range(0, self._rows, GROUP_ROWS)):
            yield partial(self._copy, number % len(self._made), min(GROUP_ROWS, self._rows - start), list(columns))

    def _copy(self, number: int, rows: int, columns: list[str]) -> pa.Table:
        made = self._made[number].select(columns).slice(0, rows)
        return pa.table({name: pa.array(made[name].to_numpy().copy()) for name in columns})
