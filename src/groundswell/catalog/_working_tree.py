"""The state of the git working tree that code lies in: commit, branch, and what differs from the commit."""

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["WorkingTree"]

_TIMEOUT_S = 5.0
_MOST_FILES = 200
_SAFE = (  # a repository may configure programs that git would start, and reading the state must not start any
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WorkingTree:
    """A git working tree at one moment.

    Args:
        root: its top folder.
        commit: the commit that is checked out; None in a repository without one.
        branch: None when no branch is checked out.
        changed: files that differ from the commit, untracked ones too, at most 200.
        n_changed: how many they are.
        diff_digest: sha256 of `git diff HEAD`, in hexadecimal; None when no tracked file differs.
    """

    root: str
    commit: str | None
    branch: str | None
    changed: tuple[str, ...] = ()
    n_changed: int = 0
    diff_digest: str | None = None

    @classmethod
    def around(cls, folder: Path) -> "WorkingTree | None":
        """The working tree that `folder` is in; None without git, outside of one, or if git does not answer in time."""
        try:
            root = _git(folder, "rev-parse", "--show-toplevel")
            status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "-z")
            if root is None or status is None:
                return None
            commit, branch, changed = _parse(status)
            tracked = commit is not None and any(kind != "?" for kind, _ in changed)
            return cls(
                root=root.rstrip("\n"),
                commit=commit,
                branch=branch,
                changed=tuple(name for _, name in changed[:_MOST_FILES]),
                n_changed=len(changed),
                diff_digest=_diff_digest(folder) if tracked else None,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None

    @property
    def dirty(self) -> bool:
        """Whether anything differs from the commit."""
        return self.n_changed > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "changed": list(self.changed), "dirty": self.dirty}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None if it fails."""
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        ["git", *_SAFE, *arguments],  # noqa: S607 - git is found on the path, as the user finds it
        cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _diff_digest(folder: Path) -> str | None:
    with tempfile.TemporaryFile() as diff:  # a diff can be larger than memory
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", *_SAFE, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD"],  # noqa: S607 - as above
            cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=diff, stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        diff.seek(0)
        return hashlib.file_digest(diff, "sha256").hexdigest() if done.returncode == 0 else None


def _environment() -> dict[str, str]:
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _parse(status: str) -> tuple[str | None, str | None, list[tuple[str, str]]]:
    """Commit, branch, and (kind, name) of every file that differs, from `git status --porcelain=v2 --branch -z`.

    References:
        git-status(1), "Porcelain Format Version 2"
    """
    commit = branch = None
    changed = []
    fields = iter(status.split("\0"))
    for field in fields:
        if field.startswith("# branch.oid "):
            commit = None if field.endswith("(initial)") else field.split(" ", 2)[2]
        elif field.startswith("# branch.head "):
            branch = None if field.endswith("(detached)") else field.split(" ", 2)[2]
        elif field[:2] in ("1 ", "u "):
            changed.append((field[0], field.split(" ", 8 if field[0] == "1" else 10)[-1]))
        elif field[:2] == "2 ":  # renamed: the old name follows as a field of its own
            changed.append((field[0], field.split(" ", 9)[-1]))
            next(fields, None)
        elif field[:2] == "? ":
            changed.append((field[0], field[2:]))
    return commit, branch, changed
