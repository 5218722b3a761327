"""The lock beside a table that pinning, restoring, purging and vacuuming take, so that no file goes that one of them
needs. Inserts, deletes and compactions do without: they add files, and what they remove stays on the disk.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundswell.tables._disk import disk_errors

__all__ = ["BESIDE", "table_lock"]

BESIDE = "_groundswell"
"""The folder in a table's folder for what is ours; readers of Delta tables ignore names that begin with `_`."""


@contextmanager
def table_lock(folder: Path, name: str, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of a table, waiting for whoever has it; the system lets go of it when the process ends.

    Args:
        folder: the table's.
        name: its group's, for errors.
        shared: whether others may hold it too, if they share it.

    Raises:
        CorruptionError: the disk is full or not writable.
    """
    with disk_errors(name, folder):
        (folder / BESIDE).mkdir(exist_ok=True)
        file = (folder / BESIDE / "lock").open("a")
    with file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
