"""The catalog's tables: what the newest migration leaves behind, as SQLAlchemy sees it.

A test compares this with the migrated database, so neither can change alone. Nothing here is special to SQLite.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from groundswell.catalog._instants import Instant
from groundswell.catalog._json import AnyJson

__all__ = [
    "FOREVER",
    "HEAD",
    "REVISION_TABLE",
    "activity",
    "aliases",
    "announced",
    "commits",
    "consumers",
    "edges",
    "entries",
    "feature_descriptions",
    "files",
    "metadata",
    "retired",
    "stream",
    "tags",
]

HEAD = "0003"
"""The revision of the tables below, written down so that opening an up-to-date catalog need not import Alembic."""

REVISION_TABLE = "catalog_revision"
"""Alembic's version table, under a name that no other program's migrations use."""

FOREVER = 2**63 - 1
"""`removed` of a file that is still there, so that an index finds the active files by one comparison."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# Order of creation. BIGINT in PostgreSQL; SQLite numbers rows by itself only when the type is INTEGER.
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

entries = Table(
    "entries",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(32), nullable=False),
    Column("body", JSON, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    UniqueConstraint("kind", "name", "version"),
    Index(None, "kind", "sequence"),
)

# The highest version removed under a name: its number must not come to mean something else.
retired = Table(
    "retired",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(
        ["kind", "name", "version"], ["entries.kind", "entries.name", "entries.version"], ondelete="CASCADE"
    ),
    Index(None, "kind", "name", "version"),
)

tags = Table(
    "tags",
    metadata,
    Column("entry_id", ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("feature", Text, primary_key=True),  # "" for the entry itself
    Column("name", Text, primary_key=True),
    Column("value", AnyJson, nullable=False),
    Index(None, "name"),
)

feature_descriptions = Table(
    "feature_descriptions",
    metadata,
    Column("entry_id", ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("description", Text, nullable=False),
)

edges = Table(
    "edges",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("source", ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    Column("target", ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    Column("relation", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
    UniqueConstraint("source", "target", "relation"),
    Index(None, "target"),
)

activity = Table(
    "activity",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("verb", String(64), nullable=False),
    Column("entry_id", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Index(None, "name", "sequence"),
)

# One row: the number of the last event. Whoever adds one holds the row until the transaction ends.
stream = Table("stream", metadata, Column("last", BigInteger, nullable=False))

# The last commit of each table that is among the events, whatever becomes of the index.
announced = Table(
    "announced",
    metadata,
    Column("table_id", String(32), primary_key=True),
    Column("version", BigInteger, nullable=False),
)

consumers = Table(
    "consumers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("condition", JSON, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

commits = Table(
    "commits",
    metadata,
    Column("table_id", String(32), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("committed_at", Instant, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("new", BigInteger),
    Column("replaced", BigInteger),
    Column("deleted", BigInteger, nullable=False),
    Column("distinct", Boolean, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "table_id", "version", "committed_at"),
)

files = Table(
    "files",
    metadata,
    Column("table_id", String(32), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("added", BigInteger, primary_key=True, autoincrement=False),
    Column("removed", BigInteger, nullable=False),
    Column("order_version", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("distinct", Boolean, nullable=False),
    Column("min_time_us", BigInteger),
    Column("max_time_us", BigInteger),
    Index(None, "table_id", "removed", "added"),
)
