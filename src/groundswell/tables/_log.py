"""The commit log of a Delta table, read file by file.

`history()` of Delta libraries numbers commits by position, so one commit without information shifts all others; and
checkpoints drop what commits say about themselves. The files `_delta_log/<version>.json` are the log.

References:
    Delta transaction log protocol, sections "Delta Log Entries" and "Actions".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq

from groundswell.errors import CorruptionError, GroundswellError, VersionError

METADATA_KEY = "groundswell"
"""The key of the commit's custom metadata under which its provenance stands, as JSON text."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTE = {"kind", "author", "rows"}  # what each of our notes says at least


@dataclass(frozen=True, kw_only=True)
class AddedFile:
    """A file that a commit adds; its size is None where no commit says it."""

    path: str
    size_bytes: int | None
    rows: int
    min_time_us: int | None
    max_time_us: int | None


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One commit, as the log has it.

    Args:
        version: its number.
        committed_at: when its writer says it was made, to the millisecond; None if it does not say.
        operation: Delta's name for what was done.
        note: what we wrote about it; empty for the commit of another tool.
        added, removed: the files (for removed ones, the paths).
        changes_schema: whether it sets the table's schema.
        transactions: application id to application version.
    """

    version: int
    committed_at: datetime | None
    operation: str
    note: Mapping[str, Any]
    added: tuple[AddedFile, ...] = ()
    removed: tuple[str, ...] = ()
    changes_schema: bool = False
    transactions: Mapping[str, int] = field(default_factory=dict)


def log_path(table: Path, version: int) -> Path:
    """Where the log keeps a version."""
    return table / "_delta_log" / f"{version:020d}.json"


def read_log(table: Path, after: int, event_time: str | None) -> Iterator[LogEntry]:
    """The commits after a version, oldest first, up to the newest.

    Raises:
        CorruptionError: a log file cannot be read, or speaks of what we cannot.
    """
    version = after + 1
    while log_path(table, version).exists():
        yield read_entry(table, version, event_time)
        version += 1


def read_entry(table: Path, version: int, event_time: str | None) -> LogEntry:
    """The commit that made a version.

    Raises:
        CorruptionError: its log file cannot be read.
        VersionError: it needs a feature of Delta that we cannot read.
    """
    path, line = log_path(table, version), 0
    actions: dict[str, list[Any]] = {}
    try:
        for line, text in enumerate(path.read_bytes().split(b"\n"), 1):  # noqa: B007  # the message names it
            if text.strip():
                ((kind, action),) = json.loads(text).items()
                actions.setdefault(kind, []).append(_parse(table, version, kind, action, event_time))
        if not actions:
            raise ValueError("it holds no action")
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        if isinstance(error, GroundswellError):
            raise
        raise CorruptionError(
            f"The commit log {path} is damaged at line {line} ({type(error).__name__}: {error}).",
            why="Every line of the log must be one JSON action of the Delta protocol.",
            fix="Restore the file from a backup."
            + (f" Versions before it can still be read: read(as_of={version - 1})." if version else ""),
            path=str(path),
            version=version,
        ) from None
    operation, committed_at, note = actions.get("commitInfo", [("unknown", None, {})])[-1]
    return LogEntry(
        version=version,
        committed_at=committed_at,
        operation=operation,
        note=note,
        added=tuple(actions.get("add", ())),
        removed=tuple(actions.get("remove", ())),
        changes_schema="metaData" in actions,
        transactions=dict(actions.get("txn", ())),
    )


def _parse(table: Path, version: int, kind: str, action: Mapping[str, Any], event_time: str | None) -> object:
    """What we need of an action; KeyError, TypeError or ValueError if it is not as the protocol says."""
    match kind:
        case "add":
            return _added(table, action, event_time)
        case "remove":
            return unquote(action["path"])
        case "commitInfo":
            stamp, note = action.get("timestamp"), json.loads(action.get(METADATA_KEY, "{}"))
            if note and not note.keys() >= _NOTE:
                raise ValueError(f"{METADATA_KEY!r} lacks {sorted(_NOTE - note.keys())}")
            committed_at = None if stamp is None else _EPOCH + timedelta(milliseconds=stamp)
            return str(action.get("operation", "unknown")), committed_at, note
        case "txn":
            return action["appId"], action["version"]
        case "protocol" if action["minReaderVersion"] > 1:
            _check_features(table, version, action.get("readerFeatures") or [])
    return None


def _added(table: Path, action: Mapping[str, Any], event_time: str | None) -> AddedFile:
    path = unquote(action["path"])
    if action.get("deletionVector"):
        raise ValueError("deletion vectors are not supported: rewrite the table without them")
    stats = json.loads(action.get("stats") or "{}")
    rows = stats.get("numRecords")
    return AddedFile(
        path=path,
        size_bytes=action["size"],
        rows=pq.read_metadata(table / path).num_rows if rows is None else rows,
        min_time_us=_microseconds(stats.get("minValues", {}).get(event_time)),
        max_time_us=_microseconds(stats.get("maxValues", {}).get(event_time), up=True),
    )


def _microseconds(text: str | None, *, up: bool = False) -> int | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    # The protocol lets writers cut times to milliseconds, so a maximum may stand for anything within the next one.
    return (moment - _EPOCH) // timedelta(microseconds=1) + (999 if up else 0)


def _check_features(table: Path, version: int, features: list[str]) -> None:
    unknown = sorted(set(features) - {"timestampNtz", "invariants", "checkConstraints", "appendOnly", "changeDataFeed"})
    if unknown:
        raise VersionError(
            f"Version {version} of the table {table} needs {', '.join(unknown)}, which this Groundswell cannot read.",
            why="Another tool turned the feature on; reading without it would give wrong rows.",
            fix="Turn it off with that tool, or read the versions before it.",
            features=unknown,
        )
