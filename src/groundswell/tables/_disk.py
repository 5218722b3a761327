"""What tables ask of the disk: that what was written is there to stay, and that a failure is said in our words."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltalake.exceptions import DeltaError

from groundswell.errors import CorruptionError, GroundswellError

__all__ = ["disk_errors", "sync_file", "sync_folder"]


def sync_file(path: Path) -> None:
    """Wait until the file is on the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Wait until the folder's names are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


@contextmanager
def disk_errors(name: str, folder: Path) -> Iterator[None]:
    """Raise what fails in the block as a `CorruptionError` that names the group and the folder."""
    try:
        yield
    except GroundswellError:
        raise
    except (OSError, DeltaError) as error:
        raise CorruptionError(
            f"Group {name!r} cannot be written in {folder}: {error}",
            why="The disk is full, not writable, or the table's files are damaged. Nothing was committed.",
            fix="Make room or set the permissions, then run the same call again. `groundswell doctor` finds damage.",
            path=str(folder),
        ) from error


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
