"""Noticing what happens without asking much: one number of the catalog, and whether each table has a next log file.

Commits of our own are events when `insert` returns. Those of another tool, and those whose writer was killed before it
indexed them, become events when somebody looks at the table; this is somebody who always does.
"""

import time
from collections.abc import Callable

from groundswell.catalog import Catalog, Entry
from groundswell.errors import GroundswellError
from groundswell.tables import Table, has_commit

__all__ = ["Watch"]

_GROUPS_S = 1.0
"""How often to look for new groups."""

_DAMAGED_S = 10.0
"""How long to leave a table alone whose log cannot be read; the doctor says what is wrong with it."""


class Watch:
    """Brings commits that nobody has told of into the events.

    Args:
        catalog: keeps the events, and knows the feature groups.
        open_table: gives the table of a group that is ready.
    """

    def __init__(self, catalog: Catalog, open_table: Callable[[Entry], Table]) -> None:
        self._catalog, self._open_table = catalog, open_table
        self._tables: dict[str, Table] = {}
        self._versions: dict[str, int] = {}
        self._listed_at = float("-inf")
        self._damaged: dict[str, float] = {}

    def look(self) -> int:
        """Index what the tables' logs have more, and return the number of the last event."""
        if time.monotonic() - self._listed_at >= _GROUPS_S:
            self._list()
        for group, table in self._tables.items():
            known = self._versions[group]
            put_back = known >= 0 and not has_commit(table.folder, known)  # an earlier copy, in place of the table
            if put_back or has_commit(table.folder, known + 1):
                self._follow(group, table)
        return self._catalog.events.last()

    def _list(self) -> None:
        ready = {entry.id: entry for entry in self._catalog.find("feature_group", state="ready")}
        self._tables = {group: self._tables.get(group) or self._open_table(entry) for group, entry in ready.items()}
        self._versions = {group: self._versions.get(group, -1) for group in ready}
        self._listed_at = time.monotonic()

    def _follow(self, group: str, table: Table) -> None:
        if self._damaged.get(group, float("-inf")) > time.monotonic():
            return
        try:
            self._versions[group] = table.version()
        except GroundswellError:
            self._damaged[group] = time.monotonic() + _DAMAGED_S
