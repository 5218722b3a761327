"""What holds when several processes, threads and forks use one catalog, and when one of them is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from groundswell.catalog import Catalog

Together = Callable[[str, int], list[str]]


def test_processes_creating_one_catalog_make_one(together: Together, url: str) -> None:
    together("Catalog.create(url).add('run', f'r{me}', {})", 4)
    with Catalog.open(url) as catalog:
        assert {entry.name for entry in catalog.find("run")} == {"r0", "r1", "r2", "r3"}


def test_versions_are_given_once(together: Together, catalog: Catalog) -> None:
    printed = together(
        "c = Catalog.open(url)\nfor _ in range(25): print(c.add('model', 'late', {'by': me}).version)", 4
    )
    given = [int(line) for lines in printed for line in lines.split()]
    assert sorted(given) == list(range(1, 101))
    found = catalog.find("model")
    assert [entry.version for entry in found] == list(range(100, 0, -1))
    assert {entry.version: entry.body["by"] for entry in found} == {
        int(line): me for me, lines in enumerate(printed) for line in lines.split()
    }


def test_no_update_is_lost(together: Together, catalog: Catalog) -> None:
    catalog.add("run", "counter", {"n": 0})
    program = """
c = Catalog.open(url)
for _ in range(50):
    with c.transaction():
        entry = c.get('run', 'counter')
        c.update(entry, body={'n': entry.body['n'] + 1})
"""
    together(program, 4)
    assert catalog.get("run", "counter").body == {"n": 200}


def test_of_those_who_expect_a_state_one_takes_the_step(together: Together, catalog: Catalog) -> None:
    for i in range(20):
        catalog.add("run", f"r{i}", {}, state="pending")
    program = """
from groundswell.errors import ConflictError
c, won = Catalog.open(url), 0
for i in range(20):
    try: c.update(c.get('run', f'r{i}'), state=f'taken by {me}', expect_state='pending')
    except ConflictError: continue
    won += 1
print(won)
"""
    won = [int(line) for line in together(program, 3)]
    states = [entry.state for entry in catalog.find("run")]
    assert sum(won) == 20
    assert won == [states.count(f"taken by {me}") for me in range(3)]


def test_followers_of_one_log_index_each_commit_once(together: Together, catalog: Catalog) -> None:
    program = """
from datetime import UTC, datetime
c, table = Catalog.open(url), 'a' * 32
def commit(v):
    return CommitRecord(version=v, committed_at=datetime(2013, 1, 1, tzinfo=UTC), kind='insert', author=f'p{me}',
        rows=1, new=1, replaced=0, deleted=0, distinct=True, detail={})
def file(v):
    return FileRecord(path=f'{v}.parquet', added=v, removed=None, order_version=v, position=0, rows=1, size_bytes=1,
        distinct=True, min_time_us=None, max_time_us=None)
while (after := c.commits.position(table)) < 59:
    following = range(after + 1, min(after + 2 + me, 60))
    gone = [(f"{v - 10}.parquet", v) for v in following if v >= 10]
    c.commits.advance(table, after, [commit(v) for v in following], [file(v) for v in following], gone)
"""
    together(program, 4)
    assert [c.version for c in catalog.commits.history("a" * 32)] == list(range(59, -1, -1))
    for version in range(60):
        active = [int(f.path.removesuffix(".parquet")) for f in catalog.commits.files("a" * 32, version)]
        assert active == list(range(max(0, version - 9), version + 1))


def test_an_alias_that_many_move_points_to_one_version(together: Together, catalog: Catalog) -> None:
    for _ in range(4):
        catalog.add("model", "late", {})
    program = """
c = Catalog.open(url)
for _ in range(30):
    c.set_alias('model', 'late', 'champion', me + 1)
    assert list(c.aliases('model', 'late')) == ['champion']
"""
    together(program, 4)
    assert catalog.aliases("model", "late")["champion"] in {1, 2, 3, 4}


def test_a_killed_writer_leaves_all_of_a_transaction_or_nothing(url: str, catalog: Catalog) -> None:
    program = """
import sys
from groundswell.catalog import Catalog
c = Catalog.open(sys.argv[1])
while True:
    with c.transaction():
        run = c.add('run', 'r', {})
        model = c.add('model', 'm', {})
        c.link(model, run, 'from')
        c.set_alias('model', 'm', 'newest', model.version)
    print(model.version, flush=True)
"""
    acknowledged = 0
    for lines_until_kill in (1, 3, 7):
        with subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(lines_until_kill):
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
        runs, models = catalog.find("run"), catalog.find("model")
        assert len(models) >= acknowledged
        assert [r.version for r in runs] == [m.version for m in models] == list(range(len(runs), 0, -1))
        assert all([run.version for _, run, _ in catalog.upstream(m)] == [m.version] for m in models)
        assert catalog.aliases("model", "m") == {"newest": len(models)}


def test_threads_share_a_catalog(catalog: Catalog) -> None:
    catalog.add("run", "counter", {"n": 0})

    def count(_: int) -> None:
        with catalog.transaction():
            entry = catalog.get("run", "counter")
            catalog.update(entry, body={"n": entry.body["n"] + 1})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(80)))
    assert catalog.get("run", "counter").body == {"n": 80}


def test_a_reader_sees_the_state_before_a_transaction_of_another_thread_lands(catalog: Catalog) -> None:
    with ThreadPoolExecutor(1) as pool, catalog.transaction():
        catalog.add("run", "r", {})
        assert pool.submit(catalog.find, "run").result() == []
        assert len(catalog.find("run")) == 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_connections_of_ended_threads_are_closed(tmp_path: Path, catalog: Catalog) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(catalog.add, "run", "r", {}).result()
    held = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
    assert held.count((tmp_path / "catalog.db").resolve()) <= 2
    catalog.close()
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.db"]


def test_closing_the_last_leaves_one_file(tmp_path: Path, catalog: Catalog, url: str) -> None:
    catalog.add("run", "r", {})
    with Catalog.open(url) as other:
        catalog.close()
        catalog.close()
        assert other.get("run", "r").version == 1
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.db"]


def test_a_fork_uses_what_its_parent_had_open(together: Together, catalog: Catalog) -> None:
    # In a process of its own, because a fork of the test runner would carry the runner's threads.
    program = """
import os
c = Catalog.open(url)
c.add('run', 'parent', {})
child = os.fork()
if child == 0:
    own = Catalog.open(url)
    for _ in range(20):
        own.add('run', 'shared', {})
        c.add('run', 'shared', {})
    own.close()
    c.close()
    os._exit(0)
for _ in range(20): c.add('run', 'shared', {})
assert os.waitpid(child, 0)[1] == 0
print(c.get('run', 'shared').version)
"""
    assert together(program, 1) == ["60\n"]
    assert catalog.get("run", "shared").version == 60


def test_a_fork_inside_a_transaction_leaves_it_to_the_parent(together: Together, catalog: Catalog) -> None:
    program = """
import os
c = Catalog.open(url)
with c.transaction():
    c.add('run', 'inside', {})
    child = os.fork()
    if child == 0:
        os._exit(len(c.find('run')))  # a new connection, which does not see what has not landed
    assert os.waitpid(child, 0)[1] == 0
print(len(c.find('run')))
"""
    assert together(program, 1) == ["1\n"]


def test_opening_it_once_more_leaves_the_locks_that_this_process_has(
    together: Together, catalog: Catalog, url: str, tmp_path: Path
) -> None:
    catalog.add("run", "ours", {})
    log = (tmp_path / "catalog.db-wal").stat().st_ino
    with Catalog.create(url) as again, Catalog.open(url):
        together("with Catalog.open(url) as c: c.add('run', 'theirs', {})", 1)
        assert (tmp_path / "catalog.db-wal").stat().st_ino == log, "who closes its last connection took our log away"
        assert {entry.name for entry in catalog.find("run")} == {"ours", "theirs"}
        again.add("run", "more", {})
    assert {entry.name for entry in catalog.find("run")} == {"ours", "theirs", "more"}
