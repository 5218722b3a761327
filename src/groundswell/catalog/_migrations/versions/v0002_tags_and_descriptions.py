"""Tags of entries and of their features, and descriptions of features."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the two tables; nothing of the older ones changes."""
    op.create_table(
        "tags",
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "feature", "name", name="pk_tags"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_tags_entry_id", ondelete="CASCADE"),
    )
    op.create_index("ix_tags_name", "tags", ["name"])
    op.create_table(
        "feature_descriptions",
        sa.Column("entry_id", sa.String(32), nullable=False),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "feature", name="pk_feature_descriptions"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_feature_descriptions_entry_id", ondelete="CASCADE"
        ),
    )
