"""What must be true of groups, views and training data: each half of what is kept in two places fits the other.

A group is an entry and a table, a view an entry that names groups, training data an entry that pins versions.
`project.doctor` calls these, one entry at a time.
"""

import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.catalog import Catalog, Entry
from groundswell.diagnosis import Finding
from groundswell.errors import GroundswellError
from groundswell.features import fitting
from groundswell.features._feature_groups import FeatureGroups
from groundswell.features._files import remove_tree
from groundswell.features._fitted import state_file
from groundswell.features._group import FeatureGroup
from groundswell.features._pin_invariants import check_pins
from groundswell.features._query import Query
from groundswell.features._view_definition import ViewDefinition
from groundswell.features.statistics import check_statistics
from groundswell.features.streaming import check_streams
from groundswell.tables import Definition, RowCheck, Table, check_strays, check_table, stored_definition

__all__ = ["check_group", "check_group_folders", "check_training_data", "check_training_folders", "check_view"]

_PATIENCE_S = 3600
_GROUP_STATES = ("declared", "pending", "ready", "deleting")


def check_group(entry: Entry, groups: FeatureGroups, catalog: Catalog, rows: RowCheck | None) -> Iterator[Finding]:
    """What is wrong with a feature group.

    Args:
        entry: the group's.
        groups: opens it.
        catalog: where the entry is.
        rows: reads every row; None leaves the rows unread.
    """
    folder = groups.folder_of(entry)
    if entry.state == "declared":
        yield from _check_declared(entry, folder)
        return
    if Table.exists(folder):
        yield from _check_definition(entry, folder, catalog)
        entry = catalog.get(entry.kind, entry.name, entry.version)  # as a repair may have left it
    group = groups.open(entry)
    if entry.state == "deleting":
        yield _unfinished(entry, folder, "deleted", group)
    elif entry.state == "pending":
        yield _unfinished(entry, folder, "made", group)
    elif entry.state != "ready":
        yield Finding(
            severity="error",
            what=f"The {entry} is in the state {entry.state!r}, which there is not.",
            where="catalog.db",
            fix=f"Restore the catalog from a backup. The states are {', '.join(_GROUP_STATES)}.",
        )
    if group.has_table:
        yield from check_table(group.committed_table, catalog, rows)
        yield from check_statistics(group.committed_table)
    if group.has_table and group.committed_table.folder.is_dir():
        yield from check_streams(group.committed_table, group.quarantine, lambda: group.table)
        yield from check_pins(group.committed_table, entry, catalog.find("training_data"))


def _check_declared(entry: Entry, folder: Path) -> Iterator[Finding]:
    if Table.exists(folder):
        yield Finding(
            severity="error",
            what=f"The catalog knows no columns of the {entry}, and it has a table.",
            where=str(folder),
            fix="The catalog is older than the table: restore the whole project from one backup.",
        )
    elif folder.is_dir():
        yield from check_strays(folder, entry.name, [], list(folder.glob("*.parquet")))


def _unfinished(entry: Entry, folder: Path, verb: str, group: FeatureGroup) -> Finding:
    def finish() -> str:
        group.recover()
        return f"It is {verb} now."

    return Finding(
        severity="warning",
        what=f"The {entry} was being {verb} when its process ended.",
        where=str(folder),
        fix="It is finished when the group is asked for, or now: groundswell doctor --repair.",
        repair=finish,
    )


def _check_definition(entry: Entry, folder: Path, catalog: Catalog) -> Iterator[Finding]:
    """Whether the catalog's copy of the definition is that of the table, which is the truth."""
    try:
        stored = stored_definition(folder)
    except GroundswellError:  # the table cannot be opened or says nothing: its own check says so
        return
    if not _is_defined(entry, stored):

        def copy() -> str:
            catalog.update(entry, body={**entry.body, **stored.to_dict()})
            return "Copied the table's definition into the catalog."

        ours = stored.name == entry.name
        yield Finding(
            severity="error",
            what=f"The table of the {entry} says that it is {stored.to_json()}, and the catalog says {entry.body}.",
            where=str(folder),
            fix="The table's definition counts. Copy it into the catalog: groundswell doctor --repair."
            if ours
            else "It is the table of another group: restore the whole project from one backup.",
            repair=copy if ours else None,
        )


def _is_defined(entry: Entry, definition: Definition) -> bool:
    """Whether the entry says what the table says; what else it says is its own."""
    try:
        return Definition.from_dict(entry.body) == definition
    except (KeyError, TypeError, GroundswellError):
        return False


def check_group_folders(folder: Path, entries: Iterable[Entry], groups: FeatureGroups) -> Iterator[Finding]:
    """Folders of tables that no group has."""
    known = {groups.folder_of(entry) for entry in entries}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and path.name.startswith("."):
            yield from _check_copy(path)
        elif path.is_dir() and path not in known:
            yield Finding(
                severity="warning",
                what=f"The folder {path.name!r} ({_size(path):,} bytes) belongs to no feature group.",
                where=str(path),
                fix="If the catalog was restored from a backup, restore the whole project from one. Otherwise remove "
                "the folder.",
            )


def _check_copy(path: Path) -> Iterator[Finding]:
    """What is left of a new version that was being made; as long as something in it is young, it may still be."""

    def remove() -> str:
        remove_tree(path)
        return f"Removed the folder {path.name!r}."

    if time.time() - max(file.stat().st_mtime for file in (path, *path.rglob("*"))) > _PATIENCE_S:
        yield Finding(
            severity="notice",
            what=f"The folder {path.name!r} ({_size(path):,} bytes) is of a new version whose making was killed.",
            where=str(path),
            fix="It is never read. Remove it: groundswell doctor --repair.",
            repair=remove,
        )


def check_view(entry: Entry, groups: FeatureGroups, catalog: Catalog) -> Iterator[Finding]:
    """Whether the groups of a feature view are there and have its columns, and what it declares of them fits."""
    try:
        query = Query.from_dict(
            entry.body["query"], lambda name, version: groups.open(catalog.get("feature_group", name, version))
        )
        names = query.schema.names
        lost = [label for label in entry.body["labels"] if label not in names]
        view = ViewDefinition.of(entry, query, {})
        view.checked(view.transformations, view.on_demand)
    except GroundswellError as error:
        yield Finding(severity="error", what=f"The {entry} cannot be read: {error}", where="catalog.db", fix=_ONE_TIME)
        return
    if lost:
        what = f"The {entry} has the labels {lost}, which its query has not."
        yield Finding(severity="error", what=what, where="catalog.db", fix=_ONE_TIME)


_ONE_TIME = "Catalog and tables are of different times: restore the whole project from one backup."


def check_training_data(entry: Entry, groups: FeatureGroups, catalog: Catalog, folder: Path) -> Iterator[Finding]:
    """Whether training data can be read as it was: its view, its pinned versions, its own rows.

    Args:
        entry: the training data's.
        groups: opens the groups.
        catalog: where the entries are.
        folder: where rows are kept that were joined to views.
    """
    known = {group.id: group for group in catalog.find("feature_group")}
    view = entry.body["view"]
    if view["id"] not in {found.id for found in catalog.find("feature_view", name=view["name"])}:
        yield _unreadable(entry, f"its view {view['name']!r} is not in the catalog", "catalog.db")
    for name, pin in entry.body["pins"].items():
        if pin["id"] not in known:
            yield _unreadable(entry, f"the feature group {name!r} is not in the catalog", "catalog.db")
            continue
        try:
            snapshot = groups.open(known[pin["id"]]).snapshot(pin["version"], remainder=True)
        except GroundswellError as error:
            yield _unreadable(entry, f"it is pinned to version {pin['version']} of {name!r}. {error}", "catalog.db")
            continue
        for file in snapshot.files:
            if not Path(file.path).is_file():
                yield _unreadable(entry, f"a file of version {pin['version']} of {name!r} is missing", file.path)
    if entities := entry.body.get("entities"):
        yield from _check_entities(entry, folder / entities["folder"] / "entities.parquet")
    if stored := state_file(entry.body, folder):
        try:
            fitting.load_state(stored)
        except GroundswellError as error:
            yield _unreadable(entry, str(error), str(stored.path))


def _check_entities(entry: Entry, path: Path) -> Iterator[Finding]:
    try:
        n_rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        yield _unreadable(entry, f"the rows joined to the view are lost: {str(error).splitlines()[0]}", str(path))
        return
    if n_rows != entry.body["counts"]["all"]:
        what = f"the rows joined to the view are {n_rows:,}, and were {entry.body['counts']['all']:,}"
        yield _unreadable(entry, what, str(path))


def _unreadable(entry: Entry, why: str, where: str) -> Finding:
    return Finding(
        severity="error",
        what=f"The {entry} cannot be read as it was: {why.rstrip('.')}.",
        where=where,
        fix="Restore what is missing from a backup. What was trained on it can still be served.",
    )


def check_training_folders(folder: Path, entries: Iterable[Entry]) -> Iterator[Finding]:
    """Rows joined to views by calls that were killed before they recorded them."""
    parts = [entry.body[part] for entry in entries for part in ("entities", "transformations") if entry.body.get(part)]
    known = {part["folder"] for part in parts}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in known and time.time() - path.stat().st_mtime > _PATIENCE_S:
            yield Finding(
                severity="notice",
                what=f"The folder {path.name!r} ({_size(path):,} bytes) belongs to no training data: the call that "
                "wrote it was killed.",
                where=str(path),
                fix="It is never read. Remove it: groundswell doctor --repair.",
                repair=partial(_remove, path),
            )


def _remove(path: Path) -> str:
    remove_tree(path)
    return "Removed it."


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
