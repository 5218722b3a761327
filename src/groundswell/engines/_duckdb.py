"""The engine in one process: DuckDB over the tables' Parquet files.

Reads stream, use all cores, stay inside the memory limit and spill to a temporary folder. It answers the questions that
tables ask about identities, scans snapshots, and runs point-in-time joins.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from groundswell.engines._broken import broken_identities
from groundswell.engines._by_key import count_identities, count_with_keys, register_keys, without_keys
from groundswell.engines._database import Database, explained
from groundswell.engines._difference import Difference, change_rows, count_changes, paired_rows
from groundswell.engines._join import join
from groundswell.engines._measures import Condition, Measure, Predicate
from groundswell.engines._newest import Newest, newest
from groundswell.engines._plan import Bucket, JoinReport, PointInTimeJoin, Scan
from groundswell.engines._sql import (
    bucket,
    column,
    condition,
    current,
    instant,
    per_file,
    place,
    row_version,
    rows,
    template,
    text_of,
)
from groundswell.engines._validate import RowFilter, check_condition, examples, measure
from groundswell.engines._windows import GRID, Windowed, window_bounds, window_rows
from groundswell.tables import HIDDEN, DataFile, Definition, Snapshot

BATCH_ROWS = 65_536


class DuckDB:
    """DuckDB in this process.

    Args:
        memory_limit: how much memory the process should take at most, such as "1GB"; None lets DuckDB choose (80 % of
            the machine's). What does not fit is spilled to `temp_folder`.
        threads: how many; None is one per core.
        temp_folder: where to spill; None is a folder of its own in the system's temporary folder.
    """

    def __init__(
        self, *, memory_limit: str | None = None, threads: int | None = None, temp_folder: str | None = None
    ) -> None:
        self._database = Database(memory_limit=memory_limit, threads=threads, temp_folder=temp_folder)

    def repeated(self, paths: Sequence[str], definition: Definition) -> int:
        """How many rows of the files have an identity that a later row of them has too."""
        identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
        names = ", ".join(identity)
        query = template(
            "SELECT coalesce(sum(n - 1), 0) FROM counts",
            keys=rows(paths, definition, identity),
            counts=template(f"SELECT count(*) AS n FROM keys GROUP BY {names}"),
        )
        with self._database.session() as cursor:
            return int(_one(cursor, query))

    def keep_last(self, paths: Sequence[str], definition: Definition) -> pa.RecordBatchReader:
        """The rows of the files without those that a later one replaces, in order."""
        identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
        columns = {f"c{i}": exp.column(f"c{i}") for i in range(len(definition.schema))}
        query = template(
            "SELECT e.* EXCLUDE (place) FROM every AS e SEMI JOIN last ON e.place = last.place ORDER BY e.place",
            every=rows(paths, definition, {**columns, "place": place()}),
            keys=rows(paths, definition, {**identity, "place": place()}),
            last=template(f"SELECT max(place) AS place FROM keys GROUP BY {', '.join(identity)}"),
        )
        return self._stream(query, definition.schema.to_arrow())

    def overlap(
        self, paths: Sequence[str], existing: Sequence[str], definition: Definition, times: tuple[int, int] | None
    ) -> int:
        """How many identities of the first files are in the existing ones too; in the first each is there once.

        Args:
            paths: the first files.
            existing: the others.
            definition: the table's.
            times: the first and last event time in the first files, in microseconds since 1970; None if there is none.
        """
        identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
        same = " AND ".join(f"n.{i} = o.{i}" for i in identity)
        near: exp.Expr | None = None
        if definition.event_time and times is not None:
            low, high = map(instant, times)
            near = exp.Between(this=column(definition, definition.event_time), low=low, high=high)
        query = template(
            f"SELECT count(*) FROM new AS n SEMI JOIN old AS o ON {same}",
            new=rows(paths, definition, identity),
            old=rows(existing, definition, identity, near),
        )
        with self._database.session() as cursor:
            return int(_one(cursor, query))

    def folded(self, snapshot: Snapshot) -> pa.RecordBatchReader:
        """The current rows of the snapshot in order, each with the commit and position it comes from."""
        definition = snapshot.definition
        columns: dict[str, exp.Expr] = {f"c{i}": exp.column(f"c{i}") for i in range(len(definition.schema))}
        columns["version"] = row_version(snapshot.files)
        columns["position"] = exp.func("coalesce", exp.column("moved_position"), _position(snapshot.files))
        query = template(
            "SELECT r.* EXCLUDE (place) FROM r ORDER BY r.place", r=current(snapshot, snapshot.files, columns)
        )
        return self._stream(query, pa.schema([*definition.schema.to_arrow(), *HIDDEN]))

    def count_with_keys(self, paths: Sequence[str], keys: pa.Table, definition: Definition) -> Mapping[str, int]:
        """How many rows of each file have one of the keys; files without such rows are left out."""
        with self._database.session() as cursor:
            register_keys(cursor, keys)
            return count_with_keys(cursor, paths, keys, definition)

    def count_identities(self, paths: Sequence[str], keys: pa.Table, definition: Definition) -> int:
        """How many identities with one of the keys the files hold."""
        with self._database.session() as cursor:
            register_keys(cursor, keys)
            return count_identities(cursor, paths, keys, definition)

    def without_keys(
        self, file: DataFile, first_position: int, keys: pa.Table, definition: Definition
    ) -> pa.RecordBatchReader:
        """The rows of a file that have none of the keys, in order, each with the commit and position it comes from."""
        query = without_keys(file, first_position, keys, definition)
        return self._stream(query, pa.schema([*definition.schema.to_arrow(), *HIDDEN]), keys)

    def count_changes(self, before: Snapshot, after: Snapshot) -> tuple[int, int, int]:
        """How many current rows were added, removed and changed from one version to another."""
        with self._database.session() as cursor:
            added, removed, changed = _row(cursor, count_changes(Difference(before, after)))
        return added, removed, changed

    def difference_schema(self, before: Snapshot, after: Snapshot) -> pa.Schema:
        """What `difference` gives: the change, the identity, and each feature before and after."""
        return Difference(before, after).pair_schema

    def change_schema(self, before: Snapshot, after: Snapshot) -> pa.Schema:
        """What `changes` gives: the table's columns, and what became of the row."""
        return Difference(before, after).change_schema

    def difference(self, before: Snapshot, after: Snapshot) -> pa.RecordBatchReader:
        """The current rows that differ between two versions, as a stream: each identity once, before and after."""
        difference = Difference(before, after)
        return self._stream(paired_rows(difference), difference.pair_schema)

    def changes(self, before: Snapshot, after: Snapshot) -> pa.RecordBatchReader:
        """The same as rows of a change feed, an update being two of them."""
        difference = Difference(before, after)
        return self._stream(change_rows(difference), difference.change_schema)

    def scan(self, scan: Scan) -> pa.RecordBatchReader:
        """The rows of the scan in their order, as a stream."""
        schema = pa.schema([scan.snapshot.definition.schema.to_arrow().field(name) for name in scan.columns])
        return self._stream(_scanned(scan), schema)

    def relation(self, scan: Scan, connection: duckdb.DuckDBPyConnection | None) -> duckdb.DuckDBPyRelation:
        """The rows of the scan as a relation of somebody's own DuckDB (None: a new one), read when that is; without
        order.
        """
        if connection is None:
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
        named = [exp.alias_(exp.column(f"o{i}"), name, quoted=True) for i, name in enumerate(scan.columns)]
        return connection.sql(text_of(exp.select(*named).from_(_scanned(scan, ordered=False).subquery("r"))))

    def count(self, scan: Scan, part: Bucket | None = None) -> int:
        """How many rows the scan has, in all or in one bucket of them."""
        snapshot, definition = scan.snapshot, scan.snapshot.definition
        if snapshot.clean and scan.where is None and part is None:
            return snapshot.rows
        conditions = [] if scan.where is None else [condition(definition, scan.where)]
        if part is not None:
            conditions.append(bucket([(column(definition, n), definition.schema[n].type) for n in part.columns], part))
        where = exp.and_(*conditions) if conditions else None
        query = template("SELECT count(*) FROM r", r=current(snapshot, snapshot.files, {}, where))
        with self._database.session() as cursor:
            return int(_one(cursor, query))

    def join(self, plan: PointInTimeJoin) -> tuple[pa.RecordBatchReader, list[JoinReport]]:
        """Run a point-in-time join: the rows as a stream, and how each join went."""
        cursor = self._database.cursor()
        try:
            with explained():
                query, schema, reports = join(cursor, plan)
            return self._reader(cursor, query, schema), reports
        except BaseException:
            self._database.release(cursor)
            raise

    def measure(self, paths: Sequence[str], definition: Definition, measures: Sequence[Measure]) -> list[object]:
        """The value of each measure over the rows of the files, by one query; `Uncomputable` where there is none."""
        with self._database.session() as cursor:
            return measure(cursor, paths, definition, measures)

    def examples(
        self, paths: Sequence[str], definition: Definition, predicate: Predicate, columns: Sequence[str], limit: int
    ) -> pa.Table:
        """The first rows of the files that the predicate picks, in order."""
        with self._database.session() as cursor:
            return examples(cursor, paths, definition, predicate, columns, limit)

    def check_condition(self, definition: Definition, condition: Condition) -> None:
        """Raise unless the condition is true, false or null of rows of such a table.

        Raises:
            TypeMismatchError: it is something else, or its operations do not apply to the columns' types.
        """
        with self._database.session() as cursor:
            check_condition(cursor, definition, condition)

    def row_filter(self, definition: Definition, predicates: Sequence[Predicate]) -> RowFilter:
        """What tells of rows in memory which ones the predicates pick."""
        return RowFilter(self._database, definition, predicates)

    def newest(self, plan: Newest) -> pa.RecordBatchReader:
        """The newest row of each key and those that will be newest later, as a stream in the order of keys."""
        return self._stream(newest(plan), plan.schema)

    def window_bounds(self, plan: Windowed) -> tuple[int, int] | None:
        """The first and the last event time whose windows are wanted, in microseconds; None if no window is."""
        with self._database.session() as cursor:
            first, last = _row(cursor, window_bounds(plan))
        return None if first is None else (first, last)

    def windows(self, plan: Windowed, grid: pa.Table) -> pa.RecordBatchReader:
        """The values at the points of a grid, as a stream in the order of ends and keys.

        Args:
            plan: what is wanted.
            grid: in microseconds since 1970, the ends `t` in order, the earliest time `closing` whose rows may change
                what holds there, and where the windows of each length begin: `s0`, `s1`, …
        """
        first, end = grid["closing"][0].as_py(), grid["t"][-1].as_py()
        query = window_rows(plan, first, end)
        cursor = self._database.cursor()
        try:
            cursor.register(GRID, grid)
            return self._reader(cursor, query, plan.schema)
        except BaseException:
            self._database.release(cursor)
            raise

    def broken_identities(self, files: Sequence[DataFile], definition: Definition) -> Mapping[str, tuple[int, int]]:
        """For each path, how many rows have a null in their identity, and how many an identity that was there before.

        Args:
            files: in the order of their rows.
            definition: the table's.
        """
        with self._database.session() as cursor:
            return broken_identities(cursor, files, definition)

    def close(self) -> None:
        """Let go of memory and temporary files. The engine opens again when it is used."""
        self._database.close()

    def _stream(self, query: exp.Expr, schema: pa.Schema, keys: pa.Table | None = None) -> pa.RecordBatchReader:
        cursor = self._database.cursor()
        try:
            if keys is not None:
                register_keys(cursor, keys)
            return self._reader(cursor, query, schema)
        except BaseException:
            self._database.release(cursor)
            raise

    def _reader(self, cursor: duckdb.DuckDBPyConnection, query: exp.Expr, schema: pa.Schema) -> pa.RecordBatchReader:
        """The result as a stream under our schema; the cursor lives until it is read or dropped."""
        with explained():
            result = cursor.sql(text_of(query)).to_arrow_reader(BATCH_ROWS)

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                with explained():
                    for batch in result:
                        pairs = zip(batch.columns, schema, strict=True)
                        columns = [c if c.type == f.type else c.cast(f.type) for c, f in pairs]
                        yield pa.RecordBatch.from_arrays(columns, schema=schema)
            finally:
                self._database.release(cursor)

        return pa.RecordBatchReader.from_batches(schema, batches())


def _scanned(scan: Scan, *, ordered: bool = True) -> exp.Select:
    """The columns of the scan as `o0`, `o1`, …"""
    snapshot, definition = scan.snapshot, scan.snapshot.definition
    where = None if scan.where is None else condition(definition, scan.where)
    columns = {f"o{i}": column(definition, name) for i, name in enumerate(scan.columns)}
    if snapshot.clean:  # DuckDB keeps the order of files and rows by itself
        return rows([f.path for f in snapshot.files], definition, columns, where)
    query = "SELECT r.* EXCLUDE (place) FROM r" + (" ORDER BY r.place" if ordered else "")
    return template(query, r=current(snapshot, snapshot.files, columns, where))


def _position(files: Sequence[DataFile]) -> exp.Expr:
    """A row's number in its commit, which may have written several files."""
    first: list[int] = []
    seen: dict[int, int] = {}
    for file in files:
        first.append(seen.get(file.version, 0))
        seen[file.version] = first[-1] + file.rows
    return exp.Add(this=per_file(first), expression=exp.column("file_row_number"))


def _one(cursor: duckdb.DuckDBPyConnection, query: exp.Expr) -> int:
    count: int = _row(cursor, query)[0]
    return int(count)


def _row(cursor: duckdb.DuckDBPyConnection, query: exp.Expr) -> tuple[Any, ...]:  # Any: values as DuckDB gives them
    (found,) = cursor.execute(text_of(query)).fetchall()
    return tuple(found)
