"""The store in a folder."""

import os
import shutil
import subprocess
import sys
import threading
import traceback

import pytest

from groundswell.errors import ConflictError, CorruptionError, GroundswellError
from groundswell.online import Lmdb
from groundswell.testing import OnlineStoreConformance


class TestLmdb(OnlineStoreConformance):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.path = tmp_path / "online"

    def open(self):
        return Lmdb(self.path)


forking = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def write(store, *entries, record=b"r" + b"1" * 16):
    with store.writer(record) as writer:
        writer.write([(address, row, None) for address, row in entries])


def in_child(work) -> int:
    """Run something in a forked process and return its exit status."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a process boundary: the test sees the status
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_it_may_be_opened_twice_in_a_process(tmp_path):
    one, two = Lmdb(tmp_path / "s"), Lmdb(str(tmp_path / "x" / ".." / "s"))
    write(one, (b"a", b"1"))
    assert two.get_many([b"a"]) == [b"1"]
    one.close()
    write(two, (b"a", b"2"))
    with Lmdb(tmp_path / "s") as three:
        assert three.get_many([b"a"]) == [b"2"]


def test_a_closed_store_says_so(tmp_path):
    store = Lmdb(tmp_path / "s")
    store.close()
    store.close()
    with pytest.raises(GroundswellError, match="is closed"):
        store.get_many([b"a"])


@forking
def test_both_sides_of_a_fork_go_on(tmp_path):
    store = Lmdb(tmp_path / "s")
    write(store, (b"a", b"1"))

    def work():
        assert store.get_many([b"a"]) == [b"1"]
        assert Lmdb(tmp_path / "s").surfaced(b"a", 1) is None
        write(store, (b"a", b"2"))

    assert in_child(work) == 0
    assert store.get_many([b"a"]) == [b"2"]
    write(store, (b"a", b"3"))
    assert store.get_many([b"a"]) == [b"3"]


@forking
def test_threads_read_and_write_while_others_fork(tmp_path):
    store, ended = Lmdb(tmp_path / "s"), threading.Event()
    write(store, (b"a", b"0"))
    failures = []

    def read():
        while not ended.is_set():
            if store.get_many([b"a"] * 20) == [None] * 20 or store.surfaced(b"a", 5) is not None:
                failures.append("lost")

    def rewrite():
        for number in range(10_000):
            write(store, (b"a", b"%d" % number))
            if ended.is_set():
                return

    threads = [threading.Thread(target=read), threading.Thread(target=read), threading.Thread(target=rewrite)]
    for thread in threads:
        thread.start()
    statuses = [in_child(lambda: store.get_many([b"a"])[0].decode()) for _ in range(15)]
    ended.set()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 15
    assert failures == []


@forking
def test_the_right_to_write_is_not_left_to_a_child(tmp_path):
    store = Lmdb(tmp_path / "s")
    with store.writer(b"r" + b"1" * 16):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reader, 1)
            os._exit(0)
    write(store, (b"a", b"1"))  # would wait for ever
    os.write(writer, b"x")
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)


def test_a_store_that_another_process_let_grow_is_mapped_again(tmp_path):
    store = Lmdb(tmp_path / "s", map_bytes=1 << 20)
    write(store, (b"a", b"1"))
    code = (
        "from groundswell.online import Lmdb\n"
        f"with Lmdb({str(tmp_path / 's')!r}, map_bytes=1 << 26).writer(b'r' + b'2' * 16) as writer:\n"
        "    writer.write([(b'k%d' % i, b'x' * 1000, None) for i in range(5000)])\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert store.get_many([b"a", b"k7"]) == [b"1", b"x" * 1000]
    write(store, (b"b", b"y" * 1000))


def test_a_full_store_is_one_clear_error_and_nothing_half(tmp_path):
    store = Lmdb(tmp_path / "s", map_bytes=1 << 20)
    write(store, (b"a", b"1"))
    with pytest.raises(CorruptionError, match=r"is full.*map_bytes"):
        write(store, (b"a", b"2"), *((b"k%d" % i, b"x" * 1000) for i in range(2_000)))
    assert store.get_many([b"a", b"k0"]) == [b"1", None]


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CorruptionError, match="file"):
        Lmdb(tmp_path / "file" / "s")
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "data.mdb").write_bytes(b"garbage" * 1_000)
    with pytest.raises(CorruptionError, match="Delete the folder"):
        Lmdb(tmp_path / "garbage")


def test_a_folder_that_was_deleted_is_made_anew(tmp_path):
    store = Lmdb(tmp_path / "s")
    write(store, (b"a", b"1"))
    shutil.rmtree(tmp_path / "s")
    again = Lmdb(tmp_path / "s")
    assert again.get_many([b"a"]) == [None]
    write(again, (b"a", b"2"))
    assert store.get_many([b"a"]) == [b"2"]


def test_a_writer_that_ignores_the_lock_is_refused(tmp_path, monkeypatch):
    store, record = Lmdb(tmp_path / "s"), b"r" + b"1" * 16
    monkeypatch.setattr("fcntl.flock", lambda *_: None)  # as on a share that has no locks
    with store.writer(record) as slow:
        with store.writer(record) as fast:
            fast.write([(b"a", b"new", None)], b"2")
        with pytest.raises(ConflictError, match="Only one"):
            slow.write([(b"a", b"old", None)], b"1")
    assert store.get_many([b"a", record]) == [b"new", b"2"]


def test_its_name_says_where_it_is(tmp_path):
    assert str(tmp_path) in repr(Lmdb(tmp_path))
