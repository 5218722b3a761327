import os
import resource
import shutil
import signal
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import ConflictError, CorruptionError, NotFoundError
from groundswell.tables import (
    WriteAheadLog,
    ask_to_flush,
    is_abandoned,
    read_segment,
    rewrite_segment,
    segment_schema,
    streams,
)

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string())])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch({"n": list(numbers), "text": [f"row {n}" for n in numbers]}, schema=SCHEMA)


def numbers(path: Path) -> list[int]:
    return [n for part in read_segment(path) for n in part["n"].to_pylist()]


@pytest.fixture
def log(tmp_path: Path):
    log = WriteAheadLog.create(tmp_path, "counts")
    yield log
    log.close()


def test_what_is_appended_is_read_back(log: WriteAheadLog) -> None:
    assert log.append([batch(1, 2), batch(3)]) == 1
    assert log.append([batch(4)]) == 1
    (path,) = log.rotate()
    assert numbers(path) == [1, 2, 3, 4]
    assert segment_schema(path) == SCHEMA


def test_segments_are_numbered_and_stay_until_they_are_removed(log: WriteAheadLog) -> None:
    log.append([batch(1)])
    first = log.rotate()
    assert log.append([batch(2)]) == 2
    both = log.rotate()
    assert [path.name for path in both] == ["00000001.wal", "00000002.wal"]
    log.remove(first)
    assert log.rotate() == both[1:]


def test_rows_of_another_schema_begin_a_segment(log: WriteAheadLog) -> None:
    log.append([batch(1)])
    wider = pa.record_batch({"n": [2], "text": ["x"], "more": [1.5]})
    log.append([wider])
    one, two = log.rotate()
    assert segment_schema(one) == SCHEMA
    assert segment_schema(two).names == ["n", "text", "more"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_write_that_was_cut_short_is_not_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Wherever the file ends, the batches before that end are read, and no other."""
    log = WriteAheadLog.create(tmp_path_factory.mktemp("table"), "counts")
    sizes = []
    for n in range(4):
        log.append([batch(n, n + 10)])
        sizes.append(next(iter(log.segments())).stat().st_size)
    (path,) = log.rotate()
    end = data.draw(st.integers(0, sizes[-1]))
    os.truncate(path, end)
    assert numbers(path) == [m for n, size in enumerate(sizes) if size <= end for m in (n, n + 10)]
    log.remove([path])
    log.close()


def test_garbage_at_the_very_end_is_a_write_that_was_cut_short(log: WriteAheadLog) -> None:
    log.append([batch(1)])
    log.append([batch(2)])
    (path,) = log.rotate()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert numbers(path) == [1]


def test_damage_before_the_end_is_named(log: WriteAheadLog) -> None:
    log.append([batch(1)])
    middle = log.segments()[0].stat().st_size
    log.append([batch(2)])
    (path,) = log.rotate()
    content = bytearray(path.read_bytes())
    content[middle - 1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptionError, match=str(path)):
        numbers(path)
    log.remove([path])


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "00000001.wal"
    path.write_bytes(b"something else that is long enough to be a log")
    with pytest.raises(CorruptionError, match="damaged"):
        numbers(path)


def test_a_failed_write_leaves_what_was_there(log: WriteAheadLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append([batch(1)])

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("groundswell.tables._wal.os.fdatasync", fail)
        with pytest.raises(CorruptionError, match="No space left"):
            log.append([batch(2)])
    assert log.append([batch(3)]) == 2
    assert [n for path in log.rotate() for n in numbers(path)] == [1, 3]


def test_a_stream_that_left_nothing_leaves_no_folder(tmp_path: Path) -> None:
    log = WriteAheadLog.create(tmp_path, "counts")
    assert streams(tmp_path) == [log.folder]
    log.close()
    assert streams(tmp_path) == []


def test_only_who_is_gone_can_be_taken_over(tmp_path: Path) -> None:
    log = WriteAheadLog.create(tmp_path, "counts")
    log.append([batch(1)])
    assert WriteAheadLog.take_over(tmp_path, "counts", log.folder) is None
    log.close()  # what it leaves, the next one finds
    heir = WriteAheadLog.take_over(tmp_path, "counts", log.folder)
    assert heir is not None
    assert heir.stream == log.stream
    assert [numbers(path) for path in heir.segments()] == [[1]]
    assert heir.append([batch(2)]) == 2
    heir.remove(heir.rotate())
    heir.close()
    assert WriteAheadLog.take_over(tmp_path, "counts", log.folder) is None


def test_who_asks_waits_until_it_is_done(log: WriteAheadLog) -> None:
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(ask_to_flush(log.folder)))
    asking.start()
    while not log.asked():
        pass
    assert answers == []
    for request in log.asked():
        request.unlink()
    asking.join()
    assert answers == [True]


def test_who_asks_hears_of_failure(log: WriteAheadLog) -> None:
    errors: list[CorruptionError] = []

    def ask() -> None:
        try:
            ask_to_flush(log.folder)
        except CorruptionError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not log.asked():
        pass
    for request in log.asked():
        request.rename(request.with_suffix(".failed"))
    asking.join()
    assert "cannot be committed" in str(errors[0])
    assert list(log.folder.glob("*.failed")) == []


def test_nobody_answers_for_a_stream_that_is_gone(tmp_path: Path) -> None:
    log = WriteAheadLog.create(tmp_path, "counts")
    log.append([batch(1)])
    log.close()
    assert not ask_to_flush(log.folder)
    assert log.asked() == []
    heir = WriteAheadLog.take_over(tmp_path, "counts", log.folder)
    assert heir is not None
    heir.remove(heir.rotate())
    heir.close()
    assert ask_to_flush(log.folder)


def test_who_asks_a_stream_that_does_not_answer_may_ask_again(log: WriteAheadLog) -> None:
    with pytest.raises(ConflictError, match=r"0\.05 seconds") as caught:
        ask_to_flush(log.folder, patience_s=0.05)
    assert caught.value.retryable
    assert log.asked() == []


def test_a_full_disk_leaves_nothing_of_a_write_even_if_it_has_room_again(log: WriteAheadLog) -> None:
    log.append([batch(1)])
    size = log.segments()[0].stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(CorruptionError, match="File too large"):
            log.append([batch(*range(1_000))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, ignored)
    assert log.segments()[0].stat().st_size == size
    assert log.append([batch(2)]) == 2
    assert [n for path in log.rotate() for n in numbers(path)] == [1, 2]


def test_a_log_whose_folder_was_deleted_acknowledges_nothing(tmp_path: Path) -> None:
    log = WriteAheadLog.create(tmp_path, "counts")
    log.append([batch(1)])
    shutil.rmtree(tmp_path / "_groundswell")
    for _ in range(2):
        with pytest.raises(NotFoundError, match="'counts' was deleted"):
            log.append([batch(2)])
    log.close()
    assert streams(tmp_path) == []


def test_a_forked_child_does_not_hold_the_lock(tmp_path: Path, fork_server) -> None:
    pid = fork_server.start("fork_and_die", table=str(tmp_path), child=str(tmp_path / "child"))
    assert fork_server.wait(pid) == 0
    (folder,) = streams(tmp_path)
    until = time.monotonic() + 30
    while not is_abandoned(folder) and time.monotonic() < until:  # the child lets go of it when it first runs
        time.sleep(0.005)
    assert is_abandoned(folder)
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)
    heir = WriteAheadLog.take_over(tmp_path, "counts", folder)
    assert heir is not None
    assert not is_abandoned(folder)
    heir.close()
    assert not is_abandoned(folder)


def test_a_segment_is_rewritten_in_place(log: WriteAheadLog) -> None:
    log.append([batch(1, 2), batch(3)])
    (path,) = log.rotate()
    os.utime(path, (1, 1))
    rewrite_segment(path, "counts", [batch(2)])
    assert (numbers(path), segment_schema(path), path.stat().st_mtime) == ([2], SCHEMA, 1)
    assert [file.name for file in log.folder.iterdir() if file.name != "lock"] == [path.name]
    log.remove([path])
