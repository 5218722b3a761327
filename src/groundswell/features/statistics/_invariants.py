"""What must be true of kept statistics: each is named by a commit, or can be made again."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from groundswell.diagnosis import Finding
from groundswell.errors import GroundswellError
from groundswell.features.statistics._files import SummaryFiles
from groundswell.tables import Table

__all__ = ["check_statistics"]


def check_statistics(table: Table) -> Iterator[Finding]:
    """Summaries that no commit names, which inserts leave that were killed; damaged ones are made again when asked for.

    Args:
        table: the group's.
    """
    try:
        history = table.history()
    except GroundswellError:  # the log is damaged: the table's own check says so
        return
    named = {commit.detail["statistics"]["digest"] for commit in history if "statistics" in commit.detail}
    strays = list(SummaryFiles(table.folder).strays(named))
    if strays:
        yield Finding(
            severity="notice",
            what=f"{len(strays)} file{'s' * (len(strays) != 1)} with statistics of group {table.definition.name!r} "
            "belong to no commit: the insert that wrote them was killed.",
            where=str(strays[0].parent),
            fix="They are never read. Remove them: groundswell doctor --repair.",
            repair=partial(_remove, strays),
        )


def _remove(paths: Sequence[Path]) -> str:
    for path in paths:
        path.unlink(missing_ok=True)
    return f"Removed {len(paths)} file{'s' * (len(paths) != 1)}."
