"""The tables of the estimators' benchmark.

Rows come from ten overlapping clusters; a label follows a linear function with an interaction, and a target a linear
function, both with noise. Row groups are made one by one, from their number, so a table may be larger than memory.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.engines._scannable import Part

FEATURES, CLUSTERS, GROUP_ROWS = 50, 10, 65_536
NAMES = [f"x{j}" for j in range(FEATURES)]

Table = Literal[
    "number", "class", "classes", "count", "positive",
    "tenths", "terms", "codes", "gaps", "narrow", "categories", "texts",
]  # fmt: skip
"""Fifty columns and a label: a number, one of two classes or of five, a count, or a positive number; in place of the
columns a tenth of each, small counts, or codes of ten categories, and a class; a tenth of the values missing; ten of
the columns; five columns of categories; texts of forty words, one for every sixteen rows of the others."""

TEXTS_EVERY = 16


def row_group(number: int, rows: int, kind: Table) -> pa.Table:
    """Some rows of a table.

    Args:
        number: which row group.
        rows: how many.
        kind: which table.
    """
    if kind in ("categories", "texts"):
        return (categories if kind == "categories" else texts)(np.random.default_rng([1, number]), rows)
    fixed, rng = np.random.default_rng(0), np.random.default_rng([1, number])
    centers = fixed.standard_normal((CLUSTERS, FEATURES), np.float32)
    slopes, shift = fixed.standard_normal(FEATURES, np.float32) / 5, np.linspace(-3, 3, FEATURES, dtype=np.float32)
    X = rng.standard_normal((FEATURES, rows), np.float32)
    X += centers[rng.integers(0, CLUSTERS, rows)].T
    signal = slopes @ X
    columns = dict(zip(NAMES, X + shift[:, None], strict=True))
    noise = rng.logistic(size=rows)
    if kind == "number":
        label: Any = (signal + noise).astype(np.float32)
    elif kind == "count":
        label = rng.poisson(np.exp(signal / 4)).astype(np.float32)
    elif kind == "positive":
        label = rng.gamma(2.0, np.exp(signal / 4) / 2).astype(np.float32) + np.float32(1e-3)
    elif kind == "classes":
        label = (fixed.standard_normal((5, FEATURES)) / 5 @ X + rng.gumbel(size=(5, rows))).argmax(axis=0)
    else:
        label = (signal + X[0] * X[1] + noise > 0).astype(np.int32)
    return pa.table(_features(kind, columns, rng) | {"label": label})


def _features(kind: Table, columns: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """What a table has in place of the fifty columns."""
    if kind == "tenths":
        return {name: column / np.float32(10) for name, column in columns.items()}
    if kind == "terms":
        return {name: np.floor(np.abs(column)) for name, column in columns.items()}
    if kind == "codes":
        return {name: np.mod(2 * column, 10).astype(np.int32) for name, column in columns.items()}
    if kind == "gaps":
        return {name: pa.array(column, mask=rng.random(len(column)) < 0.1) for name, column in columns.items()}
    return dict(list(columns.items())[:10]) if kind == "narrow" else columns


def categories(rng: np.random.Generator, rows: int) -> pa.Table:
    """Columns of 10 to 1000 categories."""
    known = {n: np.char.add("category ", np.arange(n).astype(str)) for n in (10, 30, 100, 300, 1000)}
    return pa.table({f"c{n}": names[rng.integers(0, n, rows)] for n, names in known.items()})


def texts(rng: np.random.Generator, rows: int) -> pa.Table:
    """Texts of words that are as frequent as Zipf has it, of 20,000."""
    words = np.char.add("word", np.arange(20_001).astype(str))
    chosen = words[np.minimum(rng.zipf(1.3, (max(rows // TEXTS_EVERY, 1), 40)), 20_000)]
    return pa.table({"text": [" ".join(row) for row in chosen]})


def write(path: Path, kind: Table, rows: int) -> None:
    """A file; compressed and without dictionaries of numbers, as tables here are."""
    schema = row_group(0, TEXTS_EVERY, kind).schema
    dictionaries = kind == "categories"
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=dictionaries) as writer:
        for number, start in enumerate(range(0, rows, GROUP_ROWS)):
            writer.write_table(row_group(number, min(GROUP_ROWS, rows - start), kind))


def table_file(folder: str, kind: Table, rows: int) -> Path:
    """The file of a table in a folder, written if it is not there."""
    path = Path(folder) / f"{kind}.parquet"
    if not path.exists():
        write(path, kind, rows)
    return path


class MadeRows:
    """A table that is nowhere: its row groups are made when they are read, and made again when they are read again.

    A few groups are made beforehand and served in turns, so that a pass costs no more than to copy them.

    Args:
        rows: how many.
        kind: what the label is.
    """

    def __init__(self, rows: int, kind: Table) -> None:
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
