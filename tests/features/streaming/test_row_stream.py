import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, ConflictError, CorruptionError, DataError, NotFoundError
from groundswell.features import FeatureGroup
from groundswell.features.streaming import RowStream, StreamLimits
from groundswell.tables import WriteAheadLog, streams

START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema([("k", pa.int64()), ("t", pa.timestamp("us", "UTC")), ("v", pa.float64())])
NEVER = StreamLimits(commit_every_s=3_600)
"""So that nothing is committed unless somebody asks."""


def row(k: int, t: int = 0, v: float | None = 0.5) -> dict[str, object]:
    return {"k": k, "t": START + timedelta(seconds=t), "v": v}


def rows(group: FeatureGroup) -> list[dict[str, object]]:
    return sorted(group.read().to_arrow().to_pylist(), key=lambda r: (r["k"], r["t"]))


def until(condition: Callable[[], bool]) -> None:
    """Wait until something has happened; the test's own limit ends it if it never does."""
    while not condition():
        time.sleep(0.002)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[gs.Project]:
    with gs.open(tmp_path / "project") as project:
        yield project


@pytest.fixture
def group(project: gs.Project) -> FeatureGroup:
    return project.create_feature_group("counts", primary_key=["k"], event_time="t", schema=SCHEMA)


def test_a_row_is_read_as_soon_as_it_is_acknowledged(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        assert stream.uncommitted_rows == 1
        assert rows(group) == [row(1)]
        assert stream.uncommitted_rows == 0
        stream.write(row(1, v=0.7))
        assert rows(group) == [row(1, v=0.7)]
    assert [commit.kind for commit in group.history()] == ["insert", "insert", "create"]
    assert streams(group.table.folder) == []


@pytest.mark.parametrize("how", ["write", "submit", "write_all", "write_from"])
def test_every_way_of_writing_comes_to_the_same(group: FeatureGroup, how: str) -> None:
    given_rows = [row(k, k) for k in range(50)]
    with group.stream(limits=NEVER) as stream:
        if how == "write":
            for each in given_rows:
                stream.write(each)
        elif how == "submit":
            for done in [stream.submit(each) for each in given_rows]:
                done.result()
        elif how == "write_all":
            assert stream.write_all(given_rows) == 50
        else:
            assert stream.write_from(iter(given_rows)) == 50
    assert rows(group) == given_rows


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)),
            st.sampled_from([("flush",), ("read",), ("insert",), ("compact",)]),
        ),
        max_size=15,
    )
)
def test_streamed_rows_are_what_inserting_them_one_by_one_gives(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    expected: dict[tuple[object, object], object] = {}
    with gs.open(tmp_path_factory.mktemp("project")) as project:
        group = project.create_feature_group("counts", primary_key=["k"], event_time="t", schema=SCHEMA)
        with group.stream(limits=NEVER) as stream:
            for step in steps:
                if step[0] == "write":
                    each = row(*step[1:])
                    stream.write(each)
                    expected[each["k"], each["t"]] = each
                elif step[0] == "flush":
                    stream.flush()
                elif step[0] == "read":
                    assert rows(group) == [expected[key] for key in sorted(expected)]
                elif step[0] == "insert":
                    group.insert([row(0, v=-1.0)])
                    expected[0, START] = row(0, v=-1.0)
                else:
                    group.compact()
        assert rows(group) == [expected[key] for key in sorted(expected)]


def test_many_threads_write_one_stream(group: FeatureGroup) -> None:
    def write(first: int) -> None:
        for i in range(20):
            stream.write(row(first + i))

    with group.stream() as stream:
        writers = [threading.Thread(target=write, args=(100 * i,)) for i in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert [r["k"] for r in rows(group)] == [100 * i + j for i in range(8) for j in range(20)]


def test_two_streams_and_a_reader(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as one, group.stream(limits=NEVER) as two:
        one.write(row(1))
        two.write(row(2))
        assert rows(group) == [row(1), row(2)]


def test_streams_commit_by_themselves(group: FeatureGroup) -> None:
    with group.stream(limits=StreamLimits(commit_every_s=0.01)) as stream:
        stream.write(row(1))
        until(lambda: stream.uncommitted_rows == 0)
    with group.stream(limits=StreamLimits(commit_every_s=3_600, commit_rows=10)) as stream:
        stream.write_all([row(k) for k in range(10)])
        until(lambda: stream.uncommitted_rows == 0)
    assert len(rows(group)) == 10


def test_what_a_closed_stream_left_is_taken_in_once(
    group: FeatureGroup, project: gs.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = group.stream(limits=NEVER)
    stream.write(row(1))

    def fail(*_: object, **__: object) -> None:
        raise CorruptionError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("groundswell.features._insertion.Insertion.run", fail)
        with pytest.raises(CorruptionError, match="disk is full"):
            stream.close()
    assert rows(group) == [row(1)]
    assert [commit.rows for commit in group.history()] == [1, 0]


def test_a_reader_hears_that_rows_cannot_be_committed(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CorruptionError("The disk is full.")

    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        with monkeypatch.context() as broken:
            broken.setattr("groundswell.features._insertion.Insertion.run", fail)
            with pytest.raises(CorruptionError, match="cannot be committed"):
                group.read()
        assert rows(group) == [row(1)]


def test_a_writer_waits_when_too_much_is_logged(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = StreamLimits(commit_every_s=3_600, logged_rows=10)
    with group.stream(limits=limits) as stream:
        for k in range(35):
            stream.write(row(k))
            assert stream.uncommitted_rows <= 10
    assert len(rows(group)) == 35


def test_a_writer_hears_that_nothing_can_be_committed(group: FeatureGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CorruptionError("The disk is full.")

    with group.stream(limits=StreamLimits(commit_every_s=3_600, logged_rows=5)) as stream:
        with monkeypatch.context() as broken:
            broken.setattr("groundswell.features._insertion.Insertion.run", fail)
            with pytest.raises(CorruptionError, match="disk is full"):
                stream.write_from(row(k) for k in range(100))
        stream.write(row(1_000))
    assert rows(group)[-1] == row(1_000)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"k": 1, "t": START}, ColumnNotFoundError, "'v'"),
        ({"k": 1, "t": START, "v": 1.0, "w": 2}, ColumnNotFoundError, "'w'"),
        ({"k": None, "t": START, "v": 1.0}, DataError, "null"),
        ({"k": 1, "t": "soon", "v": 1.0}, DataError, "'soon'"),
        ({"k": 1, "t": datetime(2024, 1, 1), "v": 1.0}, DataError, "zone"),  # noqa: DTZ001  # that is the point
        ({"k": 1.5, "t": START, "v": 1.0}, gs.GroundswellError, "'k'"),
        ([("k", 1)], DataError, "no row"),
    ],
)
def test_a_bad_row_is_refused_and_no_other(
    group: FeatureGroup, bad: object, error: type[Exception], message: str
) -> None:
    with group.stream(limits=NEVER) as stream:
        good = [stream.submit(row(k)) for k in range(3)]
        with pytest.raises(error, match=message):
            stream.write(bad)
        good += [stream.submit(row(k)) for k in range(3, 6)]
        for done in good:
            done.result()
    assert [r["k"] for r in rows(group)] == list(range(6))


def test_rows_that_are_written_together_are_refused_together(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        with pytest.raises(DataError, match="row 1"):
            stream.write_all({"k": [1, None], "t": [START, START], "v": [1.0, 2.0]})
        assert stream.write_all([]) == 0
    assert rows(group) == []


def test_naive_times_have_the_zone_that_is_named(group: FeatureGroup) -> None:
    with group.stream(time_zone="America/New_York") as stream:
        stream.write({"k": 1, "t": "2024-01-01 00:00", "v": 1.0})
    assert rows(group)[0]["t"] == START + timedelta(hours=5)
    with pytest.raises(DataError, match="no time zone"):
        group.stream(time_zone="Nowhere/Land")
    assert streams(group.committed_table.folder) == []


def test_rules_about_rows_are_checked_before_a_row_is_acknowledged(group: FeatureGroup) -> None:
    group.set_expectations([gs.expect("v").between(0, 1), gs.expect("v").complete().warning()])
    with group.stream(limits=NEVER) as stream:
        pending = [stream.submit(row(k, v=k / 4)) for k in range(8)]
        errors = [done.exception() for done in pending]
        assert [error is None for error in errors] == [True] * 5 + [False] * 3
        assert "v=1.25" in str(errors[5])
        with pytest.raises(DataError, match="complete"):
            stream.write(row(9, v=None))
        group.set_expectations(group.expectations, validation="warning")
        stream.flush()
        stream.write(row(9, v=None))
    assert [r["k"] for r in rows(group)] == [0, 1, 2, 3, 4, 9]


def test_rows_that_break_a_rule_about_batches_are_set_aside(group: FeatureGroup) -> None:
    group.set_expectations([gs.expect("v").mean_between(0, 1)])
    with group.stream(limits=NEVER) as stream:
        stream.write_all([row(1, v=10.0), row(2, v=20.0)])
        assert stream.flush() is None
        stream.write(row(3))
        assert rows(group) == [row(3)]
    assert len(group.quarantine) == 1
    (aside,) = group.quarantine
    assert aside.read().to_pylist() == [row(1, v=10.0), row(2, v=20.0)]
    assert aside.name in repr(group.quarantine)
    assert [report.status for report in group.validations()] == ["success", "failure"]
    group.set_expectations([])
    group.insert(group.quarantine[aside.name].read())
    aside.release()
    assert len(group.quarantine) == 0
    assert [r["k"] for r in rows(group)] == [1, 2, 3]
    with pytest.raises(NotFoundError, match="empty"):
        group.quarantine[aside.name]


def test_the_schema_may_change_while_rows_are_logged(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        group.append_features({"w": pa.int64()}, default={"w": 7})
        with pytest.raises(ColumnNotFoundError, match="'w'"):
            stream.write(row(2))
        stream.write({**row(2), "w": 8})
    assert [r["w"] for r in rows(group)] == [7, 8]


def test_rows_are_deleted_with_those_that_are_logged(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        stream.write(row(2))
        group.delete_rows([{"k": 1}])
        assert rows(group) == [row(2)]


def test_a_closed_stream_says_so(group: FeatureGroup) -> None:
    with group.stream() as stream:
        stream.write(row(1))
    stream.close()
    with pytest.raises(ConflictError, match="closed"):
        stream.write(row(2))
    assert "closed" in repr(stream)


def test_a_group_without_columns_has_no_stream(project: gs.Project) -> None:
    with pytest.raises(NotFoundError, match="no columns"):
        project.create_feature_group("empty", primary_key=["k"]).stream()


@pytest.mark.parametrize("name", ["commit_every_s", "commit_rows", "waiting", "logged_rows"])
def test_limits_are_positive(name: str) -> None:
    with pytest.raises(DataError, match=name):
        StreamLimits(**{name: 0})


def test_pinned_data_does_not_change_as_rows_stream_in(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        before = group.read()
        stream.write(row(2))
        assert len(before) == 1
        assert len(group.read()) == 2


def online_value(project: gs.Project, k: int) -> object:
    return project.get_feature_view("newest").vector({"k": k})["v"]


@pytest.fixture
def online(project: gs.Project) -> FeatureGroup:
    group = project.create_feature_group("live", primary_key=["k"], event_time="t", schema=SCHEMA, online=True)
    project.create_feature_view("newest", group.select("v"))
    return group


def test_a_row_is_online_before_it_is_committed(project: gs.Project, online: FeatureGroup) -> None:
    with online.stream(limits=NEVER) as stream:
        stream.write(row(1, v=0.1))
        until(lambda: online_value(project, 1) == 0.1)
        stream.write(row(1, t=5, v=0.2))
        until(lambda: online_value(project, 1) == 0.2)
        stream.write(row(1, t=3, v=0.3))  # late: the newest stays
        stream.write(row(2, v=0.4))
        until(lambda: online_value(project, 2) == 0.4)
        assert online_value(project, 1) == 0.2
        assert stream.uncommitted_rows == 4
        stream.flush()
        assert online_value(project, 1) == 0.2
        stream.write(row(1, t=5, v=0.9))  # a correction of what is committed
        until(lambda: online_value(project, 1) == 0.9)
    assert online_value(project, 1) == 0.9
    assert project.doctor(deep=True).ok


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 2), st.integers(0, 3), st.integers(0, 99)),
            st.sampled_from([("flush",), ("insert", 0, 2, -1), ("insert", 1, 0, -2)]),
        ),
        max_size=12,
    )
)
def test_online_ends_as_a_rebuild_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]]
) -> None:
    with gs.open(tmp_path_factory.mktemp("project")) as project:
        group = project.create_feature_group("live", primary_key=["k"], event_time="t", schema=SCHEMA, online=True)
        project.create_feature_view("newest", group.select("v"))
        with group.stream(limits=NEVER) as stream:
            for step in steps:
                if step[0] == "write":
                    stream.write(row(*step[1:]))
                elif step[0] == "flush":
                    stream.flush()
                else:
                    group.insert([row(*step[1:])])
        newest = {r["k"]: r["v"] for r in rows(group)}
        assert {k: online_value(project, k) for k in range(3)} == {k: newest.get(k) for k in range(3)}
        assert project.doctor(deep=True).ok


def test_rows_that_are_set_aside_leave_the_online_store(project: gs.Project, online: FeatureGroup) -> None:
    online.insert([row(1, v=0.1)])
    online.set_expectations([gs.expect("v").mean_between(0, 1)])
    with online.stream(limits=NEVER) as stream:
        stream.write(row(1, t=1, v=50.0))
        until(lambda: online_value(project, 1) == 50.0)
        stream.flush()
        assert online_value(project, 1) == 0.1


def test_it_shows_itself(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        assert isinstance(stream, RowStream)
        stream.write(row(1))
        assert repr(stream) == "RowStream('counts': 1 rows logged and not committed)"


def test_what_a_stream_learns_late_is_learned_before_a_row_is_refused(project: gs.Project, group: FeatureGroup) -> None:
    """Columns and rules that another holder of the group changed, while nothing was logged to make the stream look."""
    other = project.get_feature_group("counts")
    with group.stream(limits=NEVER) as stream:
        other.append_features({"w": pa.int64()})
        stream.write({**row(1), "w": 1})
        other.set_expectations([gs.expect("v").between(0, 1)])
        stream.flush()
        other.set_expectations([gs.expect("v").between(0, 10)])
        stream.write({**row(2, v=5.0), "w": 1})
        with pytest.raises(DataError, match=r"v=50\.0"):
            stream.write({**row(2, v=50.0), "w": 1})
    assert [r["k"] for r in rows(group)] == [1, 2]


def test_groups_that_refer_to_each_other_do_not_wait_for_each_other(project: gs.Project) -> None:
    left, right = (
        project.create_feature_group(name, primary_key=["k"], schema={"k": pa.int64(), "r": pa.int64()})
        for name in ("a", "b")
    )
    left.set_expectations([gs.expect("r").foreign_key("b")])
    right.set_expectations([gs.expect("r").foreign_key("a")])
    with left.stream(limits=NEVER) as one, right.stream(limits=NEVER) as two:
        one.write({"k": 1, "r": None})
        two.write({"k": 1, "r": 1})  # which is acknowledged there, and not committed
        assert len(right.read()) == 1
        one.write({"k": 2, "r": 1})
        assert len(left.read()) == 2
    assert len(left.quarantine) == len(right.quarantine) == 0


def test_a_group_that_is_deleted_takes_its_streams_along(project: gs.Project, group: FeatureGroup) -> None:
    stream = group.stream(limits=NEVER)
    stream.write(row(1))
    group.delete()
    with pytest.raises(NotFoundError, match="deleted"):
        stream.write(row(2))
    stream.close()
    assert not (project.folder / "tables" / "counts_v1").exists()


def test_closing_the_project_ends_its_streams(tmp_path: Path) -> None:
    with gs.open(tmp_path / "p") as project:
        group = project.create_feature_group("counts", primary_key=["k"], event_time="t", schema=SCHEMA)
        stream = group.stream(limits=NEVER)
        stream.write(row(1))
    with pytest.raises(ConflictError, match="closed"):
        stream.write(row(2))
    with gs.open(tmp_path / "p") as project:
        group = project.get_feature_group("counts")
        assert group.history()[0].rows == 1
        assert streams(group.table.folder) == []


def test_a_stream_that_nobody_closes_loses_nothing(tmp_path: Path) -> None:
    code = f"""
import groundswell as gs
import pyarrow as pa
project = gs.open({str(tmp_path / "p")!r})
group = project.create_feature_group("counts", primary_key=["k"], schema={{"k": pa.int64(), "v": pa.float64()}})
stream = group.stream()
stream.write({{"k": 1, "v": 0.5}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with gs.open(tmp_path / "p") as project:
        assert project.get_feature_group("counts").read().to_arrow().to_pylist() == [{"k": 1, "v": 0.5}]
        assert project.doctor().ok


def test_a_stream_belongs_to_the_process_that_opened_it(group: FeatureGroup) -> None:
    with group.stream(limits=NEVER) as stream:
        stream.write(row(1))
        child = os.fork()
        if child == 0:
            try:
                stream.write(row(2))
            except ConflictError:
                stream.close()
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        stream.write(row(3))
        assert [r["k"] for r in rows(group)] == [1, 3]


def test_versions_are_read_and_examined_without_the_streams_that_go_on(group: FeatureGroup) -> None:
    group.insert([row(1)])
    version = group.table.version()
    with group.stream(limits=NEVER) as stream:
        stream.write(row(2))
        assert len(group.read(as_of=version)) == 1
        assert stream.uncommitted_rows == 1
        group.insert([row(2, v=0.9)])  # after what was acknowledged before it
        assert stream.uncommitted_rows == 0
    assert rows(group) == [row(1), row(2, v=0.9)]


def test_rows_of_an_infinite_source_that_is_slow_are_refused_at_once(group: FeatureGroup) -> None:
    def source() -> Iterator[dict[str, object]]:
        yield row(1)
        yield {"k": 2}
        k = 3
        while True:
            time.sleep(0.01)
            yield row(k)
            k += 1

    with group.stream(limits=NEVER) as stream, pytest.raises(ColumnNotFoundError):
        stream.write_from(source())
    assert 1 in {r["k"] for r in rows(group)}


def quarantined(group: FeatureGroup, *batches: list[dict[str, object]]) -> None:
    """Put rows into quarantine, each batch as a part of its own."""
    group.set_expectations([gs.expect("v").mean_between(0, 1)])
    for batch in batches:
        with group.stream(limits=NEVER) as stream:
            stream.write_all(batch)


def test_a_purge_reaches_rows_in_quarantine(group: FeatureGroup) -> None:
    secret, other = 0x5EC2E75EC2E7, 0x0B1E550B1E55
    quarantined(group, [row(secret, v=10.0), row(other, v=20.0)], [row(secret, t=1, v=30.0)])
    folder = group.quarantine.folder
    before = {part.name: part.set_aside_at for part in group.quarantine}
    commit = group.purge({"k": secret})
    assert commit.detail["quarantined"] == 2
    (left,) = group.quarantine
    assert left.read().to_pylist() == [row(other, v=20.0)]
    assert left.set_aside_at == before[left.name]
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert secret.to_bytes(8, "little") not in content
    assert other.to_bytes(8, "little") in content


def test_the_doctor_tells_of_what_waits(project: gs.Project, group: FeatureGroup, tmp_path: Path) -> None:
    quarantined(group, [row(1, v=10.0), row(2, v=20.0)])
    group.set_expectations([])
    log = WriteAheadLog.create(group.committed_table.folder, "counts")
    log.append([pa.record_batch([[7], [START], [0.5]], schema=group.schema.to_arrow())])
    log.close()  # as a process leaves it that is killed
    first = project.doctor()
    assert sorted(finding.severity for finding in first.findings) == ["warning", "warning"]
    assert any("acknowledged 1 rows" in finding.what for finding in first.findings)
    assert any("2 rows of group 'counts' are in quarantine" in finding.what for finding in first.findings)
    assert len(streams(group.committed_table.folder)) == 1
    repaired = project.doctor(repair=True)
    assert [finding.repaired for finding in repaired.findings if finding.repaired] == ["They are committed now."]
    assert rows(group) == [row(7)]
    (part,) = group.quarantine
    part.discard()
    assert project.doctor().ok


def test_the_doctor_names_damaged_logs(project: gs.Project, group: FeatureGroup) -> None:
    group.insert([row(1)])
    table = group.committed_table
    log = WriteAheadLog.create(table.folder, "counts")
    for k in (7, 8):
        log.append([pa.record_batch([[k], [START], [0.5]], schema=group.schema.to_arrow())])
    (segment,) = log.segments()
    log.close()
    content = bytearray(segment.read_bytes())
    content[len(content) // 3] ^= 1
    segment.write_bytes(content)
    assert [str(segment) in f.what for f in project.doctor().findings if f.severity == "error"] == [True]
    with pytest.raises(CorruptionError, match="damaged"):
        group.read()
    assert len(group.read(as_of=table.version())) == 1
