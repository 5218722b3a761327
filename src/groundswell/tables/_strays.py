"""Files in a table's folder that no commit names, which inserts leave that were killed."""

import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["given_up", "uncommitted"]

_PATIENCE_S = 3600
"""How long a file may be there without a commit, and without a younger one beside it, before its insert is given up."""


def uncommitted(candidates: Iterable[Path], named: Iterable[str]) -> list[Path]:
    """The files that are not among those that the log names; they were listed before the log was read."""
    known = set(named)
    return [path for path in candidates if path.name not in known]


def given_up(strays: Iterable[Path]) -> list[Path]:
    """The strays, once their inserts must have ended: all of them, or none.

    As long as one is young, an insert may be on its way that began with the others.
    """
    found, newest = [], 0.0
    for path in strays:
        try:
            newest = max(newest, path.stat().st_mtime)
        except FileNotFoundError:  # the insert has just given up by itself
            continue
        found.append(path)
    return found if time.time() - newest > _PATIENCE_S else []
