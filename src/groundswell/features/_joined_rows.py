"""Rows from outside that training data keeps, and what erasing does to them: those that bring an erased key go.

The training data says first how many rows go and for which purge, then its file is written again without them. So a
process that dies in between leaves rows that the same purge finds again, and never training data that looks whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.catalog import Catalog, Entry
from groundswell.errors import ErasedError
from groundswell.features._files import write_parquet

__all__ = ["JoinedRows", "check_whole", "rows_file"]

_NAME = "entities.parquet"


class JoinedRows:
    """The rows that were given to `view.join_to`, of all views.

    Args:
        catalog: where training data is recorded.
        folder: where its files are.
    """

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self._catalog, self._folder = catalog, folder

    def erase(self, group: Entry, keys: pa.Table, purge: int) -> int:
        """Take out the rows that bring one of a group's keys, and return how many they were.

        If only rows of certain times were purged none is taken: the times of rows from outside are others.

        Args:
            group: the group's entry.
            keys: what was purged.
            purge: the version that the purge made.
        """
        primary_key = group.body["primary_key"]
        if set(keys.column_names) != set(primary_key):
            return 0
        erased = 0
        for _, entry, _ in self._catalog.downstream(group):
            if entry.kind == "training_data" and entry.body.get("entities"):
                view = self._catalog.get("feature_view", entry.body["view"]["name"], entry.body["view"]["version"])
                erased += self._erase(entry, list(_columns(view.body["query"], group)), keys, purge)
        return erased

    def _erase(self, entry: Entry, columns: Sequence[Mapping[str, str]], keys: pa.Table, purge: int) -> int:
        path = rows_file(self._folder, entry.body["entities"])
        if not path.exists():  # doctor says so; there is nothing to erase
            return 0
        table = pq.read_table(path)
        kept = table
        for of_key in columns:
            if set(of_key.values()) <= set(table.column_names):
                kept = _without(kept, of_key, keys)
        gone: int = table.num_rows - kept.num_rows
        if gone:
            entities = dict(entry.body["entities"])
            entities["erased"] = [*entities.get("erased", ()), {"purge": purge, "rows": gone}]
            counts = entry.body["counts"] | {"all": kept.num_rows}
            with self._catalog.transaction():
                self._catalog.update(entry, body={**entry.body, "entities": entities, "counts": counts})
                self._catalog.log("purged", entry, {"commit": purge, "rows": gone})
            write_parquet(kept, path)
        return gone


def rows_file(folder: Path, body: Mapping[str, Any]) -> Path:
    """Where the rows of training data are.

    Args:
        folder: where all of them are.
        body: what the catalog says of them.
    """
    return folder / str(body["folder"]) / _NAME


def check_whole(entry: Entry) -> None:
    """Raise if rows from outside were erased.

    Raises:
        ErasedError: they were; the message says how many.
    """
    erased = entry.body["entities"].get("erased")
    if erased:
        raise ErasedError(
            f"The {entry} is not what it was: {sum(each['rows'] for each in erased)} of its rows were erased.",
            why=f"They had keys that a purge erased (version {erased[-1]['purge']} of a group that it reads).",
            fix="Ask for what is left of it with remainder=True, or join the rows anew.",
            name=entry.name,
            version=entry.version,
            purge=erased[-1]["purge"],
        )


def _columns(query: Mapping[str, Any], group: Entry) -> Iterator[dict[str, str]]:
    """For each time that a query reads the group, the columns on the left that hold its key."""
    title = (group.name, group.version)
    base = query["base"]
    if (base["group"], base["group_version"]) == title:
        yield {key: key for key in group.body["primary_key"]}
    for join in query["joins"]:
        if (join["group"], join["group_version"]) == title:
            yield {right: left for left, right in join["on"]}


def _without(table: pa.Table, of_key: Mapping[str, str], keys: pa.Table) -> pa.Table:
    """The rows, in order, that bring none of the keys."""
    given = {name: table[of_key[name]].cast(keys.schema.field(name).type) for name in keys.column_names}
    numbered = pa.table({**given, "\0row": pa.array(range(table.num_rows), pa.int64())})
    kept = numbered.join(keys, keys.column_names, join_type="left anti")["\0row"]
    return table.take(kept.combine_chunks().sort())
