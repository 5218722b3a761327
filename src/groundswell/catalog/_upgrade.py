"""Bring a catalog's tables to the newest revision.

Imports Alembic, which takes longer than everything else that opening does, so only a catalog that is new or was made by
an older Groundswell loads this module.
"""

import threading
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from groundswell.catalog._schema import REVISION_TABLE

__all__ = ["known_revisions", "upgrade"]

_SCRIPTS = Path(__file__).parent / "_migrations"

# Alembic hands the revisions their operations through a global, so one upgrade runs at a time in a process.
_ONE_AT_A_TIME = threading.Lock()


def known_revisions() -> list[str]:
    """The revisions this Groundswell can work with, oldest first."""
    return [script.revision for script in reversed(list(ScriptDirectory(_SCRIPTS).walk_revisions()))]


def upgrade(connection: Connection) -> None:
    """Run the revisions that are missing, inside the transaction that `connection` is in.

    A catalog that another process has upgraded meanwhile is left as it is.
    """
    scripts = ScriptDirectory(_SCRIPTS)
    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
    current = context.get_current_revision()
    missing = list(scripts.iterate_revisions("head", current or "base"))
    with _ONE_AT_A_TIME, Operations.context(context):
        for script in reversed(missing):
            script.module.upgrade()
            context.stamp(scripts, script.revision)
