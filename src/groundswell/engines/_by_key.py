"""Rows found by their keys, and the rest of the files that hold them: what erasing asks of the engine.

Keys come in as an Arrow table that the query sees as `wanted`; its columns are some of the identity's, by name.
"""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from groundswell.engines._sql import ROW_BITS, column, place, rows, template, text_of
from groundswell.tables import DataFile, Definition, physical_type

__all__ = ["count_identities", "count_with_keys", "register_keys", "without_keys"]


def register_keys(cursor: duckdb.DuckDBPyConnection, keys: pa.Table) -> None:
    """Make the keys known to the cursor's queries."""
    stored = pa.schema([pa.field(f"k{i}", physical_type(field.type)) for i, field in enumerate(keys.schema)])
    cursor.register("wanted", keys.rename_columns(stored.names).cast(stored))


def count_with_keys(
    cursor: duckdb.DuckDBPyConnection, paths: Sequence[str], keys: pa.Table, definition: Definition
) -> Mapping[str, int]:
    """How many rows of each file have one of the keys; files without such rows are left out."""
    if not paths:
        return {}
    query = template(
        f"SELECT r.place >> {ROW_BITS} AS file, count(*) FROM r SEMI JOIN wanted AS w ON {_same('r', keys)} GROUP BY 1",
        r=rows(paths, definition, {**_keys(keys, definition), "place": place()}),
    )
    return {paths[number]: count for number, count in cursor.execute(text_of(query)).fetchall()}


def count_identities(
    cursor: duckdb.DuckDBPyConnection, paths: Sequence[str], keys: pa.Table, definition: Definition
) -> int:
    """How many identities with one of the keys the files hold."""
    identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
    query = template(
        f"""
        SELECT count(*) FROM (
            SELECT DISTINCT {", ".join(f"r.{i}" for i in identity)}
            FROM r SEMI JOIN wanted AS w ON {_same("r", keys)}
        ) AS found
        """,
        r=rows(paths, definition, {**identity, **_keys(keys, definition)}),
    )
    ((count,),) = cursor.execute(text_of(query)).fetchall()
    return int(count)


def without_keys(file: DataFile, first_position: int, keys: pa.Table, definition: Definition) -> exp.Expr:
    """The rows of a file that have none of the keys, in order, each with the commit and position it comes from.

    Args:
        file: the file.
        first_position: the position in its commit of the first row, if the file is as that commit wrote it.
        keys: what no row shall have.
        definition: the table's.
    """
    columns: dict[str, exp.Expr] = {f"c{i}": exp.column(f"c{i}") for i in range(len(definition.schema))}
    spot = exp.Add(this=exp.convert(first_position), expression=exp.column("file_row_number"))
    columns["version"] = exp.func("coalesce", exp.column("moved_version"), exp.convert(file.version))
    columns["position"] = exp.func("coalesce", exp.column("moved_position"), spot)
    names = ", ".join(f"r.{name}" for name in columns)
    return template(
        f"SELECT {names} FROM r ANTI JOIN wanted AS w ON {_same('r', keys)} ORDER BY r.place",
        r=rows([file.path], definition, {**columns, **_keys(keys, definition), "place": place()}),
    )


def _keys(keys: pa.Table, definition: Definition) -> dict[str, exp.Expr]:
    return {f"k{i}": column(definition, name) for i, name in enumerate(keys.column_names)}


def _same(rows_: str, keys: pa.Table) -> str:
    return " AND ".join(f"{rows_}.k{i} = w.k{i}" for i in range(keys.num_columns))
