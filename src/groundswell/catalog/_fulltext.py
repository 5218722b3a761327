"""The full-text index in SQLite: an FTS5 table with one row for each entry that can be found.

Like `_sqlite`, it is special to SQLite; in another database the same functions stand on what that has for it, such as
a tsvector column with a GIN index in PostgreSQL. The words come in cut and go out as they are, so the tokenizer has
nothing to decide. The functions take a connection of the catalog's and work inside its transaction.

References:
    SQLite, "SQLite FTS5 Extension". Robertson and Zaragoza (2009), "The Probabilistic Relevance Framework: BM25 and
    Beyond", for the score.
"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from groundswell.catalog._documents import FIELDS
from groundswell.catalog._words import Phrase

__all__ = ["WEIGHTS", "create", "exists", "matches", "put", "remove", "rows", "terms"]

WEIGHTS = {"name": 10.0, "features": 4.0, "description": 2.0, "tags": 2.0}
"""How much a word counts in each text: a name was chosen for what a thing is, a description mentions much."""

_COLUMNS = ", ".join(FIELDS)


def exists(connection: sa.Connection) -> bool:
    """Whether the index is there."""
    query = "SELECT count(*) FROM sqlite_master WHERE name IN ('search', 'search_words')"
    return bool(connection.exec_driver_sql(query).scalar() == 2)


def create(connection: sa.Connection) -> None:
    """Make the index, empty, in place of any that is there."""
    for name in ("search_words", "search"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE search USING fts5({_COLUMNS}, tokenize = 'ascii', prefix = '2 3')"
    )
    connection.exec_driver_sql("CREATE VIRTUAL TABLE search_words USING fts5vocab('search', 'row')")


def put(connection: sa.Connection, number: int, texts: Sequence[str]) -> None:
    """Let the row of that number hold these texts, each words with spaces between."""
    kept = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM search WHERE rowid = ?", (number,)).first()  # noqa: S608  # our own names
    if kept is not None and tuple(kept) == tuple(texts):
        return
    remove(connection, number)
    marks = ", ".join("?" * len(FIELDS))
    connection.exec_driver_sql(
        f"INSERT INTO search (rowid, {_COLUMNS}) VALUES (?, {marks})",  # noqa: S608  # our own names
        (number, *texts),
    )


def remove(connection: sa.Connection, number: int) -> None:
    """Let there be no row of that number."""
    connection.exec_driver_sql("DELETE FROM search WHERE rowid = ?", (number,))


def rows(connection: sa.Connection) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The number and texts of every row."""
    for number, *texts in connection.exec_driver_sql(f"SELECT rowid, {_COLUMNS} FROM search"):  # noqa: S608  # our own names
        yield number, tuple(texts)


def matches(wanted: Sequence[Phrase], *, every: bool) -> sa.CTE:
    """The rows that hold every phrase, or some: their `number`, and their `score`, which is higher for better ones."""
    asked = [f'"{" ".join(phrase)}" *' for phrase in wanted]  # of letters and digits only, so nothing can be escaped
    expression = (" AND " if every else " OR ").join(asked)
    weights = ", ".join(str(WEIGHTS[field]) for field in FIELDS)
    query = sa.text(
        f"SELECT rowid AS number, -bm25(search, {weights}) AS score FROM search WHERE search MATCH :asked"  # noqa: S608  # our own names
    ).bindparams(asked=expression)
    columns = query.columns(sa.column("number", sa.Integer), sa.column("score", sa.Float))
    # Materialized, because bm25 is known in a query over the index alone.
    return columns.cte("matches").prefix_with("MATERIALIZED", dialect="sqlite")


def terms(connection: sa.Connection, shortest: int, longest: int, limit: int) -> list[str]:
    """The words of such lengths that the index holds, in alphabetical order, at most `limit`."""
    query = "SELECT term FROM search_words WHERE length(term) BETWEEN ? AND ? LIMIT ?"
    return list(connection.exec_driver_sql(query, (shortest, longest, limit)).scalars())
