"""What must be true of the order of rows: that no other tool has mixed rows of which the later one counts."""

from collections.abc import Iterator

from groundswell.diagnosis import Finding
from groundswell.tables._index import UNORDERED
from groundswell.tables._table import Table

__all__ = ["check_order"]


def check_order(table: Table) -> Iterator[Finding]:
    """Whether another tool's rewrite lost which of two rows of one identity is the later one.

    It is not said any more once the table was restored to a version before, or a vacuum gave that version up.
    """
    history = table.history()
    earliest = history[0].version + 1
    lost = {v for c in history for low, high in c.detail.get("lost", ()) for v in range(low, high + 1)}
    for commit in history:
        earliest = min(earliest, commit.detail.get("restored", earliest))
        before = commit.version - 1
        if commit.detail.get(UNORDERED) and before < earliest and before not in lost:
            yield Finding(
                severity="error",
                what=f"Another tool moved rows of group {table.definition.name!r} in version {commit.version} "
                f"({commit.kind}) into one file, and with them the order of corrections: of two rows of one key and "
                "time the older one may be read.",
                where=str(table.folder),
                fix=f"Bring the version before back with group.restore({before}), then do with group.compact() or "
                "group.delete_rows(…) what the tool did.",
            )
