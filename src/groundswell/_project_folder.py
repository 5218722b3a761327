"""The directory of a project: what marks it as one, and how it comes to be."""

import json
import uuid
from contextlib import suppress
from pathlib import Path

from groundswell._version import __version__
from groundswell.errors import CorruptionError, GroundswellError, VersionError

__all__ = ["FORMAT", "enter", "is_project"]

FORMAT = 1
"""The format of project directories that this version writes; it reads those up to it."""

_MARKER = "groundswell.json"
_PART = ".groundswell-"


def is_project(folder: Path) -> bool:
    """Whether there is a project in a directory."""
    return (folder / _MARKER).is_file()


def enter(folder: Path) -> None:
    """Make sure that a directory is a project of a format that is known; make it one if it is empty or missing.

    Raises:
        VersionError: it was made by a newer Groundswell.
        CorruptionError: it is something else, damaged, or not writable.
    """
    marker = folder / _MARKER
    if marker.exists():
        _check_marker(marker)
    else:
        _make(folder, marker)


def _check_marker(marker: Path) -> None:
    try:
        content = json.loads(marker.read_text())
        version = int(content["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptionError(
            f"{marker} is damaged ({error}).",
            fix=f'Restore it from a backup, or write {{"format": {FORMAT}}} into it.',
            path=str(marker),
        ) from None
    if version > FORMAT:
        raise VersionError(
            f"The project in {marker.parent} has format {version}; Groundswell {__version__} knows up to {FORMAT}.",
            why=f"It was made by Groundswell {content.get('created_by', 'of a newer version')}.",
            fix="Upgrade: pip install --upgrade groundswell.",
            format=version,
        )


def _make(folder: Path, marker: Path) -> None:
    """Make a project: its marker comes first, so what a killed process leaves is a project or nothing of ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(not path.name.startswith(_PART) for path in folder.iterdir()) and not marker.exists():
            raise CorruptionError(
                f"{folder} is not empty and holds no project.",
                why="A project needs a directory of its own.",
                fix=f"Choose another, such as {str(folder / 'project')!r}.",
                path=str(folder),
            )
        part = folder / f"{_PART}{uuid.uuid4().hex}"
        part.write_text(json.dumps({"format": FORMAT, "id": uuid.uuid4().hex, "created_by": __version__}) + "\n")
        with suppress(FileExistsError):  # another process was faster: its project is as good as ours
            marker.hardlink_to(part)
        for left in folder.glob(f"{_PART}*"):
            left.unlink(missing_ok=True)
    except GroundswellError:
        raise
    except OSError as error:
        raise CorruptionError(
            f"No project can be made in {folder}: {error}",
            fix="Choose a directory that can be written, on a disk with room.",
            path=str(folder),
        ) from error
