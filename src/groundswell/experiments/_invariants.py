"""What must be true of runs: those that never ended have a process, and those with a model have its file.

`project.doctor` calls these.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from groundswell.catalog import Entry
from groundswell.diagnosis import Finding
from groundswell.experiments._runs import Runs
from groundswell.models import check_model_file

__all__ = ["check_run", "check_run_folders"]


def check_run(entry: Entry, runs: Runs, *, thorough: bool) -> Iterator[Finding]:
    """What is wrong with a run.

    Args:
        entry: the run's.
        runs: on which nothing was repaired yet.
        thorough: whether to build its model, not only to compare the bytes of its file.
    """
    run = runs.open(entry)
    if runs.is_lost(entry):
        yield Finding(
            severity="warning",
            what=f"The {entry} ({run.short_id}) is marked as running, and its process has ended.",
            where="catalog.db",
            fix="It is marked as failed when runs are asked for, or now: groundswell doctor --repair.",
            repair=partial(runs.give_up, entry),
        )
    if entry.state == "finished" and (file := run.model_file) is not None:
        yield from check_model_file(file, thorough=thorough)


def check_run_folders(folder: Path, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Folders that no run has."""
    known = {entry.id for entry in entries}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in known:
            yield Finding(
                severity="warning",
                what=f"The folder {path.name!r} belongs to no run.",
                where=str(path),
                fix="If the catalog was restored from a backup, restore the whole project from one. Otherwise remove "
                "the folder.",
            )
