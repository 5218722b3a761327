"""Summaries as files beside the table, in the folder `_statistics`, which other tools leave alone.

The writer keeps a summary under its digest before the commit that names it. One whose commit never came is never read;
one that is lost or damaged is made again from the rows. So nothing here needs to be durable, and all of it may be
deleted.
"""

import hashlib
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from groundswell.errors import CorruptionError
from groundswell.features.statistics._summary import Summary
from groundswell.features.statistics._wire import summary_from_bytes, summary_to_bytes

__all__ = ["SummaryFiles"]

_PATIENCE_S = 3600
"""How long a summary may be there before its commit."""


class SummaryFiles:
    """The summaries of one table.

    Args:
        folder: the table's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "_statistics"

    def keep(self, summary: Summary) -> str:
        """Keep a summary under its digest, which is returned.

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        data = summary_to_bytes(summary)
        digest = hashlib.sha256(data).hexdigest()
        self._write(digest, data)
        return digest

    def put(self, name: str, summary: Summary) -> None:
        """Keep a summary under a name of ours, such as "commit-7".

        Raises:
            CorruptionError: the disk is full or not writable.
        """
        self._write(name, summary_to_bytes(summary))

    def get(self, name: str) -> Summary | None:
        """The summary of that name or digest; None if it is lost or damaged.

        Raises:
            VersionError: a newer version wrote it.
        """
        try:
            data = self._path(name).read_bytes()
            if len(name) == 64 and hashlib.sha256(data).hexdigest() != name:
                return None
            return summary_from_bytes(data)
        except (OSError, CorruptionError):  # the second is one of the first: damage is no news here
            return None

    def names(self) -> list[str]:
        """What there is."""
        return sorted(path.stem for path in self.folder.glob("*.summary"))

    def remove(self, names: list[str]) -> None:
        """Remove some."""
        for name in names:
            self._path(name).unlink(missing_ok=True)

    def strays(self, known: set[str]) -> Iterator[Path]:
        """Files under digests that no commit names, once they are too old for a commit to be on its way."""
        for path in sorted(self.folder.glob("*")):
            ours = path.suffix == ".summary" and (path.stem in known or "-" in path.stem)
            if not ours and time.time() - path.stat().st_mtime > _PATIENCE_S:
                yield path

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.summary"

    def _write(self, name: str, data: bytes) -> None:
        part = self.folder / f"{uuid.uuid4().hex}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self._path(name))
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise CorruptionError(
                f"Statistics cannot be kept in {self.folder}: {error}",
                why="The disk is full or not writable.",
                fix="Make room or set the permissions, then run the same call again.",
                path=str(self.folder),
            ) from error
