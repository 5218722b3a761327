"""How the rows of a group differ between versions, and what became of rows from commit to commit.

Both are computed by the engine from the files that versions do not share, and streamed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from groundswell.engines import DuckDB
from groundswell.features._data import Data
from groundswell.tables import Snapshot, Table
from groundswell.types import TIMESTAMP, Field, Schema

__all__ = ["VersionDiff", "compare", "row_changes"]

COMMIT_VERSION, COMMIT_TIMESTAMP = "_commit_version", "_commit_timestamp"
"""The columns of a change feed that say which commit changed a row, and when, as Delta Lake calls them."""

_SAME_ROWS = frozenset({"create", "compaction", "properties", "vacuum"})


@dataclass(frozen=True, kw_only=True)
class VersionDiff:
    """How the current rows of one version differ from those of another.

    Args:
        before, after: the versions.
        added, removed, changed: how many rows, by their keys and times.
        rows: these rows: "change", the keys and times, and each feature before and after.
    """

    before: int
    after: int
    added: int
    removed: int
    changed: int
    rows: Data = field(repr=False)

    def __str__(self) -> str:
        counts = f"{self.added:,} rows added, {self.removed:,} removed, {self.changed:,} changed"
        return f"From version {self.before} to {self.after}: {counts}."


def compare(engine: DuckDB, before: Snapshot, after: Snapshot) -> VersionDiff:
    """How two versions of a table differ. A row written again with the same values does not."""
    added, removed, changed = engine.count_changes(before, after)
    return VersionDiff(
        before=before.version,
        after=after.version,
        added=added,
        removed=removed,
        changed=changed,
        rows=Data(
            _schema(engine.difference_schema(before, after)),
            lambda: engine.difference(before, after),
            lambda: added + removed + changed,
        ),
    )


def row_changes(engine: DuckDB, table: Table, after: int, until: int) -> Data:
    """What became of rows in the commits after a version up to another, in their order.

    Raises:
        NotFoundError: there is no such version, or a vacuum removed files of it.
        ErasedError: rows of one of them were purged.
    """
    commits = [c for c in reversed(table.history()) if after < c.version <= until and c.kind not in _SAME_ROWS]
    steps = [(table.snapshot(c.version - 1), table.snapshot(c.version)) for c in commits]
    first = table.snapshot(after), table.snapshot(until)
    schema = pa.schema(
        [
            *engine.change_schema(*first),
            pa.field(COMMIT_VERSION, pa.int64()),
            pa.field(COMMIT_TIMESTAMP, TIMESTAMP),
        ]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for before, now in steps:
            for batch in engine.changes(before, now):
                version = pa.array([now.version] * batch.num_rows, pa.int64())
                moment = pa.array([now.committed_at] * batch.num_rows, TIMESTAMP)
                yield pa.RecordBatch.from_arrays([*batch.columns, version, moment], schema=schema)

    def count() -> int:
        counts = (engine.count_changes(before, now) for before, now in steps)
        return sum(added + removed + 2 * changed for added, removed, changed in counts)

    return Data(_schema(schema), lambda: pa.RecordBatchReader.from_batches(schema, batches()), count)


def _schema(schema: pa.Schema) -> Schema:
    return Schema(tuple(Field(f.name, f.type) for f in schema))
