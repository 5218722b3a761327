"""The commits of a group as a table."""

from typing import Any

import pyarrow as pa

from groundswell.features._frames import to_pandas
from groundswell.tables import Commit


class History:
    """Commits of a group, newest first; a sequence that shows as a table."""

    def __init__(self, name: str, commits: list[Commit]) -> None:
        self.name = name
        self._commits = commits

    def __len__(self) -> int:
        return len(self._commits)

    def __getitem__(self, index: int) -> Commit:
        return self._commits[index]

    def to_pandas(self) -> Any:  # Any: a pandas DataFrame, whose stubs are not installed
        """The commits as a pandas frame."""
        return to_pandas(pa.Table.from_pylist([self._row(c) for c in self._commits]))

    @staticmethod
    def _row(commit: Commit) -> dict[str, object]:
        return {
            "version": commit.version,
            "when": commit.committed_at,
            "who": commit.author or "unknown",
            "what": commit.kind,
            "rows": commit.rows,
            "new": commit.new,
            "replaced": commit.replaced,
            "deleted": commit.deleted,
        }

    def __repr__(self) -> str:
        if not self._commits:
            return f"Group {self.name!r} has no commits yet."
        return str(self.to_pandas().to_string(index=False))

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(index=False))
