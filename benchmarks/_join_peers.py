"""The same join by others, each over the same Parquet files: a bare DuckDB chain of ASOF joins, pandas and Polars.

Each function reads the files, joins, and returns an Arrow table with the labels and the thirty features. None of them
knows versions of a row or availability: in every world they take, for a key, the row with the largest event time up to
the label's, and among equal times any.
"""

import tempfile
from collections.abc import Sequence

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa


def join_with_duckdb(
    labels: Sequence[str], groups: dict[str, Sequence[str]], features: dict[str, list[str]], memory_limit: str
) -> pa.Table:
    """One chain of ASOF LEFT JOINs under the memory limit; the order of the labels is not kept."""
    chosen = ["l.key", "l.at", "l.label", *(f"{group}.{name}" for group in groups for name in features[group])]
    query = f"SELECT {', '.join(chosen)} FROM {_read(labels)} AS l" + "".join(
        f" ASOF LEFT JOIN {_read(files)} AS {group} ON l.key = {group}.key AND l.at >= {group}.at"
        for group, files in groups.items()
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{memory_limit}'")
        connection.execute(f"SET temp_directory = {_text(folder)}")
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql(query).to_arrow_table()


def _read(files: Sequence[str]) -> str:
    return f"read_parquet([{', '.join(map(_text, files))}])"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def join_with_pandas(
    labels: Sequence[str], groups: dict[str, Sequence[str]], features: dict[str, list[str]]
) -> pa.Table:
    """`merge_asof` per group, on frames sorted by time."""
    joined = pd.read_parquet(labels, columns=["key", "at", "label"]).sort_values("at")
    for group, files in groups.items():
        rows = pd.read_parquet(files, columns=["key", "at", *features[group]]).sort_values("at")
        joined = pd.merge_asof(joined, rows, on="at", by="key")
    return pa.Table.from_pandas(joined, preserve_index=False)


def join_with_polars(
    labels: Sequence[str], groups: dict[str, Sequence[str]], features: dict[str, list[str]]
) -> pa.Table:
    """`join_asof` per group, on frames sorted by time; with `by` Polars does not check the order and can be wrong."""
    joined = pl.scan_parquet(labels).select("key", "at", "label").sort("at")
    for group, files in groups.items():
        rows = pl.scan_parquet(files).select("key", "at", *features[group]).sort("at")
        joined = joined.join_asof(rows, on="at", by="key", check_sortedness=False)
    return joined.collect().to_arrow()
