"""Rows whose identity breaks a rule: a null in it, or the identity of an earlier row."""

from collections.abc import Mapping, Sequence

import duckdb

from groundswell.engines._sql import ROW_BITS, column, place, rows, template, text_of
from groundswell.tables import DataFile, Definition

__all__ = ["broken_identities"]


def broken_identities(
    cursor: duckdb.DuckDBPyConnection, files: Sequence[DataFile], definition: Definition
) -> Mapping[str, tuple[int, int]]:
    """For each path, how many rows have a null in their identity, and how many an identity that was there before.

    Args:
        cursor: runs the query.
        files: in the order of their rows.
        definition: the table's.
    """
    if not files:
        return {}
    identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
    paths, names = [file.path for file in files], ", ".join(identity)
    query = template(
        f"""
        SELECT k.place >> {ROW_BITS} AS file,
               count(*) FILTER (WHERE {" OR ".join(f"k.{i} IS NULL" for i in identity)}),
               count(*) FILTER (WHERE k.place > f.place)
        FROM keys AS k LEFT JOIN first AS f ON {" AND ".join(f"k.{i} = f.{i}" for i in identity)}
        GROUP BY file
        """,
        keys=rows(paths, definition, {**identity, "place": place()}),
        first=template(f"SELECT {names}, min(place) AS place FROM keys GROUP BY {names}"),
    )
    found = cursor.execute(text_of(query)).fetchall()
    return {paths[number]: (nulls, repeated) for number, nulls, repeated in found}
