import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.catalog import Event
from groundswell.changes import JsonLines
from groundswell.errors import CorruptionError, DataError

Happen = Callable[..., list[Event]]


def event(number: int) -> Event:
    return Event(
        sequence=number, at=datetime(2026, 1, 1, tzinfo=UTC), by="me@here", verb="inserted", entry_id="e" * 32,
        kind="feature_group", name="weather", version=1, tags=[], detail={"rows": number},
    )  # fmt: skip


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def sink(path: Path) -> JsonLines:
    return JsonLines(path=path, name="audit")


def test_every_event_is_a_line(sink: JsonLines, path: Path, happen: Happen) -> None:
    events = happen(3)
    sink.deliver(events[:2])
    sink.deliver(events[2:])
    assert lines(path) == [event.to_dict() for event in events]


def test_what_is_given_again_is_left_out(sink: JsonLines, path: Path, happen: Happen) -> None:
    events = happen(5)
    for start, stop in ((0, 3), (0, 3), (1, 2), (1, 5), (0, 5)):
        sink.deliver(events[start:stop])
    assert [line["sequence"] for line in lines(path)] == [1, 2, 3, 4, 5]


def test_a_line_cut_short_anywhere_is_written_anew(sink: JsonLines, path: Path, happen: Happen) -> None:
    events = happen(3)
    sink.deliver(events)
    whole = path.read_bytes()
    second = whole.index(b"\n") + 1
    for length in (0, 1, second - 1, second, second + 1, len(whole) - 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        sink.deliver(events)
        assert path.read_bytes() == whole, f"after {length} bytes"


def test_lines_longer_than_what_is_read_at_once_are_found(
    sink: JsonLines, path: Path, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.changes._json_lines._TAIL_BYTES", 7)
    events = happen(4)
    for event in events:
        sink.deliver([event])
    path.write_bytes(path.read_bytes()[:-100])
    sink.deliver(events)
    assert lines(path) == [event.to_dict() for event in events]


def test_a_full_file_gets_the_number_of_its_last_event(path: Path, happen: Happen) -> None:
    sink, events = JsonLines(path=path, name="audit", max_bytes=400), happen(7)
    for event in events:
        sink.deliver([event])
    rotated = sorted(path.parent.glob("events-*.jsonl"))
    assert [file.name for file in rotated] == [f"events-{n:012d}.jsonl" for n in (2, 4, 6)]
    assert [line["sequence"] for file in (*rotated, path) for line in lines(file)] == [1, 2, 3, 4, 5, 6, 7]
    path.unlink()  # as if killed between giving the full file its name and beginning another one
    sink.deliver(events)
    assert [line["sequence"] for line in lines(path)] == [7]


def test_starting_over_removes_its_files_only(path: Path, happen: Happen) -> None:
    sink, events = JsonLines(path=path, name="audit", max_bytes=1), happen(3)
    other = path.with_name("events-of-somebody.jsonl")
    other.touch()
    for event in events:
        sink.deliver([event])
    sink.start_over()
    assert list(path.parent.glob("events*")) == [other]
    sink.deliver(events)
    assert lines(path) == [event.to_dict() for event in events]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(0, 700)), max_size=12),
    max_bytes=st.none() | st.integers(1, 900),
)
def test_whatever_is_cut_short_and_given_again_each_event_is_there_once(
    steps: list[tuple[int, int | None]], max_bytes: int | None
) -> None:
    """Each step delivers some events; then the process dies before that counts, or it counts.

    A death leaves of the last batch what had come to the disk by then.
    """
    events = [event(number) for number in range(1, 15)]
    with tempfile.TemporaryDirectory() as folder:
        path, position = Path(folder) / "events.jsonl", 0
        safe: tuple[int, int] = (0, 0)  # the file, and how much of it counts
        sink = JsonLines(path=path, name="audit", max_bytes=max_bytes)
        for size, lost_bytes in steps:
            batch = events[position : position + size]
            if not batch:
                break
            sink.deliver(batch)
            now = path.stat()
            if lost_bytes is None:
                position += size
                safe = (now.st_ino, now.st_size)
            else:
                os.truncate(path, max(safe[1] if safe[0] == now.st_ino else 0, now.st_size - lost_bytes))
        sink.deliver(events)
        files = [*sorted(path.parent.glob("events-*.jsonl")), path]
        assert [line["sequence"] for file in files for line in lines(file)] == list(range(1, 15))


@pytest.mark.parametrize("text", ["hello\n", '{"sequence": "x"}\n', '{"sequence": 0}\n', "[1]\n", "\n"])
def test_a_file_of_another_program_is_left_alone(sink: JsonLines, path: Path, happen: Happen, text: str) -> None:
    path.write_text(text)
    with pytest.raises(CorruptionError, match=r"does not hold the events of this project: its last line is"):
        sink.deliver(happen(1))
    assert path.read_text() == text


def test_events_of_another_history_are_not_mixed_in(sink: JsonLines, path: Path, happen: Happen) -> None:
    events = happen(2)
    sink.deliver(events)
    path.write_text(path.read_text().replace(events[1].entry_id, "f" * 32))
    with pytest.raises(CorruptionError, match=r"its event 2 is another .*groundswell follow --rebuild audit"):
        sink.deliver(happen(1))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, happen: Happen) -> None:
    with pytest.raises(CorruptionError, match=r"Events cannot be written to .*gone/events\.jsonl"):
        JsonLines(path=tmp_path / "gone" / "events.jsonl", name="audit").deliver(happen(1))
    with pytest.raises(DataError, match="at most 0 bytes"):
        JsonLines(path="events.jsonl", name="audit", max_bytes=0)
