"""The definitions that a table has had: from which version on each holds, as the commits say that changed it."""

from bisect import bisect_right

from groundswell.catalog import CommitIndex
from groundswell.tables._definition import Definition

__all__ = ["SCHEMA", "Definitions"]

SCHEMA = "schema"
"""The kind of the commits that change the definition. Their notes hold it, and the one before."""


class Definitions:
    """Finds the definition of any version of one table. What was found is kept; only newer commits are looked at.

    Args:
        table_id: the group's id in the catalog.
        given: the definition as the catalog has it, which counts if no commit has changed it.
        index: the commits.
    """

    def __init__(self, table_id: str, given: Definition, index: CommitIndex) -> None:
        self._table_id, self._given, self._index = table_id, given, index
        self._known = -1
        self._versions: list[int] = []
        self._changed: list[tuple[Definition, Definition]] = []

    @property
    def looked_at(self) -> int:
        """The newest version that was looked at; -1 if none was."""
        return self._known

    @property
    def newest(self) -> Definition:
        """The definition of the newest version that was looked at."""
        return self._changed[-1][1] if self._changed else self._given

    def at(self, version: int) -> Definition:
        """The definition of a version that is indexed."""
        place = bisect_right(self._versions, version)
        if place:
            return self._changed[place - 1][1]
        return self._changed[0][0] if self._changed else self._given

    def follow(self, newest: int) -> None:
        """Take in the commits up to the newest version."""
        if newest < self._known:  # an earlier copy of the table was put back
            self._known, self._versions, self._changed = -1, [], []
        if newest > self._known:
            found = self._index.history(self._table_id, kinds=(SCHEMA,), after=self._known, until=newest)
            for commit in reversed(found):
                before, after = (Definition.from_dict(commit.detail[key]) for key in ("before", "after"))
                self._versions.append(commit.version)
                self._changed.append((before, after))
            self._known = newest
