"""Pins: which versions of a table somebody relies on, in a small file for each beside the table.

They are mirrored from where they are recorded, so that a vacuum knows them without asking anybody, and a copy of the
folder has them too. Whoever writes one holds the table's lock.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from groundswell.errors import CorruptionError
from groundswell.tables._disk import disk_errors, sync_folder
from groundswell.tables._lock import BESIDE

__all__ = ["Pin", "Pins"]


@dataclass(frozen=True, kw_only=True)
class Pin:
    """Somebody's claim on a version.

    Args:
        id: what it is found by: the id of the training data in the catalog.
        title: who makes it, in words.
        version: the version.
        erased: for each purge that took rows of the version, by the version that it made, how many of them.
    """

    id: str
    title: str
    version: int
    erased: Mapping[int, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.title} pins version {self.version}"


class Pins:
    """The pins of one table.

    Args:
        folder: the table's.
        name: its group's, for errors.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder / BESIDE / "pins", name

    def all(self) -> list[Pin]:
        """All pins, by version.

        Raises:
            CorruptionError: one cannot be read; nothing may be removed then.
        """
        found = [_read(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted(found, key=lambda pin: (pin.version, pin.title))

    def write(self, pin: Pin) -> None:
        """Make a pin, durable when it returns; one of the same id is replaced.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        path = self.path(pin.id)
        part = path.with_suffix(".part")
        with disk_errors(self._name, self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("w") as file:
                    file.write(json.dumps(asdict(pin)))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
                sync_folder(self._folder)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def mark_erased(self, pin_id: str, purge: int, rows: int) -> None:
        """Say on a pin, if it is there, that a purge took rows of its version."""
        path = self.path(pin_id)
        if path.exists() and purge not in (pin := _read(path)).erased:
            self.write(replace(pin, erased={**pin.erased, purge: rows}))

    def remove(self, pin_id: str) -> None:
        """Remove a pin, if it is there."""
        self.path(pin_id).unlink(missing_ok=True)

    def remove_unreadable(self) -> None:
        """Remove what cannot be read; those that are needed were written anew."""
        for path in self._folder.glob("*.json"):
            try:
                _read(path)
            except CorruptionError:
                path.unlink(missing_ok=True)

    def path(self, pin_id: str) -> Path:
        """Where a pin is, or would be."""
        return self._folder / f"{pin_id}.json"


def _read(path: Path) -> Pin:
    try:
        tree = json.loads(path.read_bytes())
        erased = {int(version): int(rows) for version, rows in tree["erased"].items()}
        return Pin(id=str(tree["id"]), title=str(tree["title"]), version=int(tree["version"]), erased=erased)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise CorruptionError(
            f"The pin {path} cannot be read ({type(error).__name__}: {error}).",
            why="Nobody knows which version it keeps, so nothing may be removed.",
            fix="groundswell doctor --repair writes it again from the catalog.",
            path=str(path),
        ) from None
