"""A change of the definition, as one commit: the new schema, the properties and what rows need, or nothing of it.

Delta Lake has no types that widen in place which every reader knows. So if a type lies differently in files, the rows
are rewritten in the same commit, each with the commit and the place that it comes from, as compaction does, and so they
are if a new column must not be null; otherwise the commit changes metadata only. Columns that files lack are filled in
at reading, and for good by compaction.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any

from deltalake import Schema as DeltaSchema

from groundswell import _faults
from groundswell.tables._definition import Definition
from groundswell.tables._definitions import SCHEMA
from groundswell.tables._disk import disk_errors
from groundswell.tables._identities import Identities
from groundswell.tables._physical import physical_type
from groundswell.tables._snapshot import Snapshot
from groundswell.tables._staging import StagedFile, add_action, discard, stage
from groundswell.tables._versions import Commit
from groundswell.tables._writer import DEFINITION_KEY, Writer

__all__ = ["change_schema"]


def change_schema(writer: Writer, engine: Identities, change: Callable[[Definition], Definition]) -> Commit | None:
    """Commit what `change` makes of the definition; None if that is the same one.

    Args:
        writer: the table's.
        engine: reads rows that must be rewritten.
        change: raises if the change cannot be made; called again if another writer was faster.

    Raises:
        CorruptionError: the disk is full or not writable. Nothing is left.
    """
    while True:
        snapshot = writer.versions.snapshot()
        definition = change(snapshot.definition)
        if definition == snapshot.definition:
            return None
        staged: list[StagedFile] = []
        rewrites = _rewrites(snapshot.definition, definition) and bool(snapshot.files)
        try:
            if rewrites:
                wider = replace(snapshot, definition=definition)
                with disk_errors(definition.name, writer.folder):
                    staged = stage(writer.folder, engine.folded(wider), definition)
            _faults.point("schema:files-synced")
            actions = _metadata(writer, definition) + (_moves(snapshot, staged, definition) if rewrites else [])
            version = writer.try_write(actions, snapshot.version, _note(snapshot, definition, staged, rewrites))
        except BaseException:
            discard(staged)
            raise
        if version is not None:
            _faults.point("schema:after-commit")
            return writer.acknowledge(version, SCHEMA)
        discard(staged)  # the table moved under it: start over from what is there now


def _rewrites(old: Definition, new: Definition) -> bool:
    """Whether a column lies in another type now, or other tools would find nulls where there must be none."""
    before = {field.name: physical_type(field.type) for field in old.schema}
    return any(
        physical_type(field.type) != before[field.name] if field.name in before else not field.nullable
        for field in new.schema
    )


def _note(
    snapshot: Snapshot, definition: Definition, staged: list[StagedFile], rewrites: bool
) -> dict[str, Any]:  # Any: JSON
    """What the commit says of itself."""
    rows = sum(file.rows for file in staged)
    note: dict[str, Any] = {
        "kind": SCHEMA,
        "rows": rows,
        "schema_version": definition.schema_version,
        "before": snapshot.definition.to_dict(),
        "after": definition.to_dict(),
        "distinct": True,
    }
    if rewrites:
        note |= {"order_version": snapshot.version, "folded": snapshot.rows - rows}
    return note


def _metadata(writer: Writer, definition: Definition) -> list[dict[str, Any]]:  # Any: JSON
    """The action that sets schema and properties."""
    stored = writer.metadata()
    return [
        {
            "metaData": {
                "id": str(stored.id),
                "name": stored.name,
                "description": stored.description,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": DeltaSchema.from_arrow(definition.file_schema).to_json(),
                "partitionColumns": stored.partition_columns,
                "createdTime": stored.created_time,
                "configuration": {**stored.configuration, DEFINITION_KEY: definition.to_json()},
            }
        }
    ]


def _moves(snapshot: Snapshot, staged: list[StagedFile], definition: Definition) -> list[dict[str, Any]]:  # Any: JSON
    """The actions that put the rewritten files in the place of the others."""
    now = int(time() * 1000)
    removed = [
        {"remove": {"path": Path(file.path).name, "deletionTimestamp": now, "dataChange": False}}
        for file in snapshot.files
    ]
    added = []
    for file in staged:
        action = add_action(file, definition, data_change=False)
        added.append(
            {
                "add": {
                    "path": action.path,
                    "partitionValues": {},
                    "size": action.size,
                    "modificationTime": action.modification_time,
                    "dataChange": False,
                    "stats": action.stats,
                }
            }
        )
    return [*removed, *added]
