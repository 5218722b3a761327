"""Events with numbers from a counter, tags and a closed list of verbs; and the consumers of events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_VERBS = {
    "create": "created",
    "insert": "inserted",
    "compact": "compacted",
    "delete": "deleted",
    "expect": "expectations set",
    "validate": "validated",
    "set alias": "alias set",
    "removed alias": "alias removed",
}


def upgrade() -> None:
    """Turn the activity into events, and create the tables of their consumers."""
    _add_tags()
    _rename_verbs()
    _create_stream()
    _create_announced()
    _create_consumers()


def _add_tags() -> None:
    with op.batch_alter_table("activity") as table:
        table.add_column(sa.Column("tags", sa.JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("activity") as table:
        table.alter_column("tags", existing_type=sa.JSON, existing_nullable=False, server_default=None)


def _rename_verbs() -> None:
    activity = sa.table("activity", sa.column("verb"))
    for old, new in _VERBS.items():
        op.execute(sa.update(activity).where(activity.c.verb == old).values(verb=new))


def _create_stream() -> None:
    op.create_table("stream", sa.Column("last", sa.BigInteger, nullable=False))
    activity, stream = sa.table("activity", sa.column("sequence")), sa.table("stream", sa.column("last"))
    last = sa.select(sa.func.coalesce(sa.func.max(activity.c.sequence), 0))
    op.execute(sa.insert(stream).from_select(["last"], last))


def _create_announced() -> None:
    """The commits that are indexed were told of by whoever made them."""
    op.create_table(
        "announced",
        sa.Column("table_id", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("table_id", name="pk_announced"),
    )
    commits = sa.table("commits", sa.column("table_id"), sa.column("version"))
    announced = sa.table("announced", sa.column("table_id"), sa.column("version"))
    newest = sa.select(commits.c.table_id, sa.func.max(commits.c.version)).group_by(commits.c.table_id)
    op.execute(sa.insert(announced).from_select(["table_id", "version"], newest))


def _create_consumers() -> None:
    op.create_table(
        "consumers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("condition", sa.JSON, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_consumers"),
    )
