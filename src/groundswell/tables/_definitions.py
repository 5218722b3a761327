"""The definitions that a table has had: from which version on each holds, as the commits say that changed it."""

import threading
from bisect import bisect_right
from dataclasses import dataclass

from groundswell.catalog import CommitIndex
from groundswell.tables._definition import Definition

__all__ = ["SCHEMA", "Definitions"]

SCHEMA = "schema"
"""The kind of the commits that change the definition. Their notes hold it, and the one before."""


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the commits up to a version say: the versions that changed the definition, each with both definitions."""

    looked_at: int = -1
    versions: tuple[int, ...] = ()
    changed: tuple[tuple[Definition, Definition], ...] = ()


class Definitions:
    """Finds the definition of any version of one table. What was found is kept; only newer commits are looked at.

    Several threads may use it. What is known is replaced as a whole, and never by what one of them knew before.

    Args:
        table_id: the group's id in the catalog.
        given: the definition as the catalog has it, which counts if no commit has changed it.
        index: the commits.
    """

    def __init__(self, table_id: str, given: Definition, index: CommitIndex) -> None:
        self._table_id, self._given, self._index = table_id, given, index
        self._known = _Known()
        self._lock = threading.Lock()

    @property
    def looked_at(self) -> int:
        """The newest version that was looked at; -1 if none was."""
        return self._known.looked_at

    @property
    def newest(self) -> Definition:
        """The definition of the newest version that was looked at."""
        changed = self._known.changed
        return changed[-1][1] if changed else self._given

    def at(self, version: int) -> Definition:
        """The definition of a version that is indexed."""
        known = self._known
        place = bisect_right(known.versions, version)
        if place:
            return known.changed[place - 1][1]
        return known.changed[0][0] if known.changed else self._given

    def follow(self, newest: int) -> None:
        """Take in the commits up to the newest version."""
        known = self._known
        if newest == known.looked_at:
            return
        if newest < known.looked_at:
            if self._index.position(self._table_id) >= known.looked_at:
                return  # another thread has looked further meanwhile
            known = self._known = _Known()  # an earlier copy of the table was put back
        found = self._index.history(self._table_id, kinds=(SCHEMA,), after=known.looked_at, until=newest)
        versions, changed = list(known.versions), list(known.changed)
        for commit in reversed(found):
            before, after = (Definition.from_dict(commit.detail[key]) for key in ("before", "after"))
            versions.append(commit.version)
            changed.append((before, after))
        with self._lock:
            if newest > self._known.looked_at:
                self._known = _Known(looked_at=newest, versions=tuple(versions), changed=tuple(changed))
