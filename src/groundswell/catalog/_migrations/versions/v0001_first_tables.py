"""Entries with their aliases, edges and activity, and the index of the tables' commits."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create every table of the first catalog."""
    _create_entries()
    _create_edges_and_activity()
    _create_commits()


def _create_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_entries"),
        sa.UniqueConstraint("id", name="uq_entries_id"),
        sa.UniqueConstraint("kind", "name", "version", name="uq_entries_kind_name_version"),
    )
    op.create_index("ix_entries_kind_sequence", "entries", ["kind", "sequence"])
    op.create_table(
        "retired",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_retired"),
    )
    op.create_table(
        "aliases",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "alias", name="pk_aliases"),
        sa.ForeignKeyConstraint(
            ["kind", "name", "version"],
            ["entries.kind", "entries.name", "entries.version"],
            name="fk_aliases_kind",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_aliases_kind_name_version", "aliases", ["kind", "name", "version"])


def _create_edges_and_activity() -> None:
    op.create_table(
        "edges",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("relation", sa.String(64), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_edges"),
        sa.UniqueConstraint("source", "target", "relation", name="uq_edges_source_target_relation"),
        sa.ForeignKeyConstraint(["source"], ["entries.id"], name="fk_edges_source", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["target"], ["entries.id"], name="fk_edges_target", ondelete="CASCADE"),
    )
    op.create_index("ix_edges_target", "edges", ["target"])
    op.create_table(
        "activity",
        sa.Column("sequence", _SEQUENCE, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("verb", sa.String(64), nullable=False),
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_activity"),
    )
    op.create_index("ix_activity_name_sequence", "activity", ["name", "sequence"])


def _create_commits() -> None:
    op.create_table(
        "commits",
        sa.Column("table_id", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("committed_at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("new", sa.BigInteger),
        sa.Column("replaced", sa.BigInteger),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("distinct", sa.Boolean, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("table_id", "version", name="pk_commits"),
    )
    op.create_index("ix_commits_table_id_version_committed_at", "commits", ["table_id", "version", "committed_at"])
    op.create_table(
        "files",
        sa.Column("table_id", sa.String(32), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.Column("order_version", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("distinct", sa.Boolean, nullable=False),
        sa.Column("min_time_us", sa.BigInteger),
        sa.Column("max_time_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("table_id", "path", "added", name="pk_files"),
    )
    op.create_index("ix_files_table_id_removed_added", "files", ["table_id", "removed", "added"])
