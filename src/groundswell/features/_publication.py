"""The current rows of a group as plain Parquet files, for tools that know nothing of folding.

A group's Delta table holds every row that was ever written, corrected ones included; other tools should read what
counts. `current` in the group's folder below `published/` is a link to the Parquet files of one version, replaced in
one step, so a reader sees one version or the next, never half of one. What only appends costs as much as it appends:
files that are published already are linked, not copied.
"""

import json
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundswell.engines import DuckDB, Scan
from groundswell.errors import CorruptionError
from groundswell.features._export import write_folder
from groundswell.tables import DataFile, Snapshot

__all__ = ["Publication"]

_MARKER = "_published.json"
"""Names that begin with an underscore are no data for Spark and its kin."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Where the current rows of a group are published.

    Args:
        folder: of this group, below the project's `published/`.
        engine: reads the rows.
    """

    folder: Path
    engine: DuckDB

    @property
    def current(self) -> Path:
        """The folder to read: a link to the version that was published last."""
        return self.folder / "current"

    @property
    def version(self) -> int | None:
        """The version that is published; None if none is."""
        marker = self._marker()
        return None if marker is None else int(marker["version"])

    def publish(self, snapshot: Snapshot) -> Path:
        """Publish the current rows of a version, unless they are published already. Returns `current`.

        Raises:
            CorruptionError: the disk is full or not writable; what was published before stays.
        """
        before = self._marker()
        if before is not None and before["version"] == snapshot.version and before["table"] == snapshot.table_id:
            return self.current
        target = self.folder / f"version-{snapshot.version:08d}-{uuid.uuid4().hex[:8]}"
        try:
            target.mkdir(parents=True)
            self._write(snapshot, target, before)
            self._switch(target)
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise CorruptionError(
                f"Group {snapshot.definition.name!r} cannot be published in {self.folder}: {error}",
                why="The disk is full or not writable. What was published before is still there.",
                fix="Make room, then run the same call again.",
                path=str(self.folder),
            ) from error
        return self.current

    def remove(self) -> None:
        """Remove what is published."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, snapshot: Snapshot, target: Path, before: dict[str, Any] | None) -> None:
        added = _appended(snapshot, before)
        files = snapshot.files
        if added is not None:
            for published in self.current.resolve().glob("*.parquet"):
                (target / published.name).hardlink_to(published)
            files = tuple(added)
        if files or added is None:
            scan = Scan(snapshot=replace(snapshot, files=files), columns=tuple(snapshot.definition.schema.names))
            write_folder(self.engine.scan(scan), target, prefix=f"part-{snapshot.version:08d}-")
        (target / _MARKER).write_text(json.dumps(_describe(snapshot)))

    def _switch(self, target: Path) -> None:
        """Make `current` lead to the new version; of the others the one before stays, for those who read it."""
        link = self.folder / f".{uuid.uuid4().hex}"
        last = self.current.resolve() if self.current.is_symlink() else None
        link.symlink_to(target.name)
        link.replace(self.current)
        for left in self.folder.glob("version-*"):
            if left not in (target, last):
                shutil.rmtree(left, ignore_errors=True)

    def _marker(self) -> dict[str, Any] | None:
        try:
            marker: dict[str, Any] = json.loads((self.current / _MARKER).read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError):  # damaged: publish anew
            return None
        return marker


def _describe(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "table": snapshot.table_id,
        "version": snapshot.version,
        "schema": snapshot.definition.schema.to_dict(),
        "files": [Path(file.path).name for file in snapshot.files],
    }


def _appended(snapshot: Snapshot, before: dict[str, Any] | None) -> list[DataFile] | None:
    """The files whose rows come to what was published; None if that is not all that changed."""
    now = _describe(snapshot)
    if before is None or any(before[key] != now[key] for key in ("table", "schema")):
        return None
    known, names = set(before["files"]), set(now["files"])
    added = [file for file in snapshot.files if Path(file.path).name not in known]
    return added if known <= names and all(file.distinct for file in added) else None
