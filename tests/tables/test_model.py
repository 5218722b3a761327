"""A table against a plain list of rows: whatever is done to it in whatever order, each version is what it should be."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from groundswell.catalog import Catalog
from groundswell.engines import DuckDB, Scan
from groundswell.errors import ErasedError, NotFoundError
from groundswell.tables import Definition, Pin, Table, append_features, widen
from groundswell.types import Schema

HOUR = timedelta(hours=1)
START = datetime(2024, 1, 1, tzinfo=UTC)
DEFAULT = 41

keys = st.sampled_from(["a", "b", "c", "d"])
identities = st.tuples(keys, st.integers(0, 2))
batches = st.lists(identities, max_size=5)


class Row:
    """An identity with its features, those that the row had when it was written."""

    def __init__(self, identity, features):
        self.identity, self.features = identity, MappingProxyType(features)

    def under(self, names):
        filled = {"w": DEFAULT} | self.features
        return (*self.identity, *(filled[name] for name in names))


class TableAgainstRows(RuleBasedStateMachine):
    """The model keeps, for each version, its current rows in their order."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.catalog = Catalog.create(f"sqlite:///{self.folder / 'catalog.db'}")
        self.engine = DuckDB(threads=1)
        fields = {"k": pa.string(), "t": pa.timestamp("us", "UTC"), "v": pa.int32()}
        self.definition = Definition.of("g", ["k"], "t", None, Schema.of(fields))
        self.id = self.catalog.add("feature_group", "g", {}).id
        self.handles = [self.open(self.catalog), self.open(self.catalog)]
        self.handles[0].folder.mkdir()
        self.handles[0].create()
        self.features = ["v"]
        self.versions = {0: []}
        self.names = {0: ["v"]}
        self.erased, self.lost, self.pinned = set(), set(), {}
        self.counter, self.foreign = 0, False

    def open(self, catalog, folder=None):
        return Table(
            table_id=self.id, folder=folder or self.folder / "g", definition=self.definition, catalog=catalog,
            engine=self.engine, author="me@here",
        )  # fmt: skip

    @property
    def table(self):
        self.handles.reverse()
        return self.handles[0]

    @property
    def rows(self):
        return self.versions[max(self.versions)]

    def committed(self, version, rows):
        if version in self.versions:  # the table was as it should be already
            assert rows == self.rows
            return
        assert version == max(self.versions) + 1
        self.versions[version], self.names[version] = rows, list(self.features)

    def fresh(self, wanted):
        self.counter += 100
        return [
            Row(identity, dict.fromkeys(self.features, self.counter + i))
            for i, identity in enumerate(wanted)
        ]  # fmt: skip

    def plus(self, fresh):
        """The rows with others appended: the last of an identity counts, and stands where it was written."""
        last = {row.identity: row for row in fresh}
        kept = [row for row in self.rows if row.identity not in last]
        return kept + [row for row in fresh if last[row.identity] is row]

    def data(self, rows):
        kinds = {"v": self.handles[0].definition.schema["v"].type, "w": pa.int64()}
        columns = {"k": pa.array([row.identity[0] for row in rows], pa.string())}
        times = [START + row.identity[1] * HOUR for row in rows]
        columns["t"] = pa.array(times, pa.timestamp("us", "UTC"))
        return pa.table(columns | {n: pa.array([row.features[n] for row in rows], kinds[n]) for n in self.features})

    @rule(wanted=batches)
    def insert(self, wanted):
        fresh, table = self.fresh(wanted), self.table
        table.version()
        commit = table.commit(table.stage(self.data(fresh)))
        before, after = {r.identity for r in self.rows}, self.plus(fresh)
        assert commit.new == len({r.identity for r in fresh} - before)
        self.committed(commit.version, after)

    @rule(wanted=batches)
    def another_tool_appends(self, wanted):
        fresh = self.fresh(list(dict.fromkeys(wanted)))
        version = self.table.version()
        write_deltalake(self.folder / "g", self.data(fresh), mode="append", schema_mode="merge")
        self.foreign = True
        assert self.table.version() == version + 1
        self.committed(version + 1, self.plus(fresh))

    @precondition(lambda self: "w" not in self.features)  # rows that it moves are null where files lack a column
    @rule(key=keys)
    def another_tool_deletes(self, key):
        version = self.table.version()
        DeltaTable(self.folder / "g").delete(f"k = '{key}'")
        self.foreign = True
        after = self.table.version()
        assert after in (version, version + 1)
        self.committed(after, [row for row in self.rows if row.identity[0] != key])

    @precondition(lambda self: len(self.versions) > 2)
    @rule(data=st.data())
    def another_tool_restores(self, data):
        there = [v for v in self.versions if v not in self.erased | self.lost and self.names[v] == self.features]
        version = data.draw(st.sampled_from(there))
        if self.handles[0].snapshot(version).files == self.handles[0].snapshot().files:
            return
        DeltaTable(self.folder / "g").restore(version)
        self.foreign = True
        self.committed(self.table.version(), self.versions[version])

    @rule(key=keys, hour=st.none() | st.integers(0, 2))
    def delete(self, key, hour):
        wanted = {"k": key} if hour is None else {"k": key, "t": START + hour * HOUR}
        commit = self.table.delete_rows(wanted)
        gone = [row for row in self.rows if row.identity[0] == key and hour in (None, row.identity[1])]
        assert commit.deleted == len(gone)
        self.committed(commit.version, [row for row in self.rows if row not in gone])

    @rule()
    def compact(self):
        commit = self.table.compact()
        if commit is not None:
            self.committed(commit.version, self.rows)

    @rule(data=st.data())
    def restore(self, data):
        version = data.draw(st.sampled_from(sorted(self.versions.keys() - self.lost)))
        table = self.table
        if version in self.erased:
            with pytest.raises(ErasedError):
                table.restore(version)
        commit = table.restore(version, remainder=True)
        assert commit.new == len({r.identity for r in self.versions[version]} - {r.identity for r in self.rows})
        self.committed(commit.version, self.versions[version])

    @rule(key=keys)
    def purge(self, key):
        commit = self.table.purge({"k": key})
        assert commit.deleted == sum(row.identity[0] == key for row in self.rows)
        held = {v for v, rows in self.versions.items() if any(row.identity[0] == key for row in rows)}
        self.committed(commit.version, self.rows)
        for version, rows in self.versions.items():
            self.versions[version] = [row for row in rows if row.identity[0] != key]
        raising = {v for v in self.versions.keys() - self.lost if not self.readable(v)}
        assert held - self.lost <= raising <= self.versions.keys() - {commit.version}
        self.erased = raising
        assert not self.handles[0].leftovers()

    def readable(self, version):
        try:
            self.handles[0].snapshot(version)
        except ErasedError:
            return False
        return True

    @rule(data=st.data())
    def pin(self, data):
        version = data.draw(st.sampled_from(sorted(self.versions.keys() - self.lost)))
        name = f"p{len(self.pinned)}"
        self.handles[0].pins.write(Pin(id=name, title=name, version=version))
        self.pinned[name] = version

    @rule(last=st.integers(1, 4))
    def vacuum(self, last):
        newest = max(self.versions)
        report = self.table.vacuum(last=last)
        lost = {v for low, high in report.lost for v in range(low, high + 1)}
        kept = set(range(newest - last + 1, newest + 1)) | set(self.pinned.values())
        assert not lost & (kept | self.lost)
        self.lost |= lost
        if report.commit is not None:
            self.committed(report.commit.version, self.rows)

    @precondition(lambda self: "w" not in self.features)
    @rule()
    def append_a_column(self):
        added = {"w": pa.int64()}
        commit = self.table.change_schema(lambda d: append_features(d, added, {"w": DEFAULT}))
        self.features = ["v", "w"]
        self.committed(commit.version, self.rows)

    @rule()
    def widen_a_column(self):
        commit = self.table.change_schema(lambda d: widen(d, "v", pa.int64()))
        if commit is not None:
            self.committed(commit.version, self.rows)

    @rule()
    def index_again(self):
        self.catalog.commits.forget(self.id)

    @invariant()
    def the_newest_version_is_as_the_model_says(self):
        self.check(self.handles[0], max(self.versions))

    def check(self, table, version):
        snapshot = table.snapshot(version, remainder=True)
        names = tuple(snapshot.definition.schema.names)
        assert list(names) == ["k", "t", *self.names[version]]
        read = self.engine.scan(Scan(snapshot=snapshot, columns=names)).read_all().to_pylist()
        found = [(r["k"], (r["t"] - START) // HOUR, *(r[n] for n in self.names[version])) for r in read]
        expected = [row.under(self.names[version]) for row in self.versions[version]]
        assert found == expected, f"version {version} of {max(self.versions)}"

    def teardown(self):
        try:
            self.check_history(self.handles[0])
            with Catalog.create(f"sqlite:///{self.folder / 'other.db'}") as catalog:
                self.id = catalog.add("feature_group", "g", {}).id
                shutil.move(self.folder / "g", self.folder / "moved")
                self.definition = self.handles[0].definition
                self.check_history(self.open(catalog, self.folder / "moved"))
        finally:
            self.catalog.close()
            self.engine.close()
            shutil.rmtree(self.folder)

    def check_history(self, table):
        assert table.version() == max(self.versions)
        for version in self.versions:
            if version in self.lost:
                with pytest.raises(NotFoundError):
                    table.snapshot(version)
            else:
                self.check(table, version)
                assert (version in self.erased) == (not self.readable(version))
        if not self.foreign:
            assert sum(c.new - c.deleted for c in table.history()) == len(self.rows)


TestTableAgainstRows = TableAgainstRows.TestCase
TestTableAgainstRows.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
