import threading

import pyarrow as pa
import pytest

from groundswell.errors import ConflictError, GroundswellError
from groundswell.serving._log import PredictionLog
from groundswell.types import Schema

SCHEMA = Schema.of({"prediction_id": pa.string()})
NAME = "predictions_late_v1"


def rows(*ids):
    return pa.table({"prediction_id": list(ids)}, schema=SCHEMA.to_arrow())


@pytest.fixture
def log(groups):
    log = PredictionLog(groups, "late", 1, SCHEMA, capacity=5)
    yield log
    for group in groups.made.values():
        group.gate.set()
    log.close()


@pytest.fixture
def held(groups, log):
    """The log's group, with the writer held inside a write of the row "first"."""
    group = groups.create_feature_group(NAME, schema=SCHEMA)
    group.gate.clear()
    group.first = log.append(rows("first"))
    assert group.entered.wait(10)
    return group


def ids(table):
    return table["prediction_id"].to_pylist()


def test_the_group_is_made_at_the_first_prediction(groups, log):
    assert groups.made == {}
    log.append(rows("a")).result(10)
    assert groups.made[NAME].rows() == [{"prediction_id": "a"}]
    assert groups.options[NAME]["primary_key"] == ["prediction_id"]
    assert groups.options[NAME]["event_time"] == "at"


def test_a_group_that_is_there_is_used(groups, log):
    group = groups.create_feature_group(NAME, schema=SCHEMA)
    log.append(rows("a")).result(10)
    assert group.rows() == [{"prediction_id": "a"}]


def test_rows_that_wait_are_committed_together_and_released_after(held, log):
    waiting = [log.append(rows(name)) for name in "abc"]
    assert not any(done.done() for done in (held.first, *waiting))
    held.gate.set()
    for done in waiting:
        done.result(10)
    assert [ids(commit) for commit in held.commits] == [["first"], ["a", "b", "c"]]


def test_no_acknowledgement_before_the_row_is_durable_from_many_threads(groups):
    log = PredictionLog(groups, "late", 1, SCHEMA, capacity=10_000)
    missing = []

    def client(number):
        for i in range(50):
            name = f"{number}-{i}"
            log.append(rows(name)).result(10)
            commits = list(groups.made[NAME].commits)
            if not any(name in ids(commit) for commit in commits):
                missing.append(name)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert missing == []
    written = [row["prediction_id"] for row in groups.made[NAME].rows()]
    assert sorted(written) == sorted(f"{number}-{i}" for number in range(8) for i in range(50))


def test_more_than_the_queue_holds_is_turned_away(held, log):
    done = log.append(rows("a", "b", "c", "d"))
    with pytest.raises(ConflictError, match="4 predictions wait") as caught:
        log.append(rows("e", "f"))
    assert caught.value.retryable
    fits = log.append(rows("e"))
    held.gate.set()
    done.result(10)
    fits.result(10)
    log.append(rows("f")).result(10)


def test_one_request_larger_than_the_queue_is_taken_when_nothing_waits(groups, log):
    log.append(rows(*"abcdefgh")).result(10)
    assert len(groups.made[NAME].rows()) == 8


def test_a_failed_write_fails_its_requests_and_no_others(held, log):
    first, second = log.append(rows("a")), log.append(rows("b"))
    held.failures = [OSError("No space left on device")]
    held.gate.set()
    with pytest.raises(GroundswellError, match="withheld: No space left"):
        held.first.result(10)
    for done in (first, second):
        done.result(10)
    assert [row["prediction_id"] for row in held.rows()] == ["a", "b"]


def test_each_request_of_a_failed_batch_gets_an_error_of_its_own(held, log):
    waiting = [log.append(rows(name)) for name in "ab"]
    held.failures = [None, ConflictError("Another writer was first.")]
    held.gate.set()
    errors = [done.exception(10) for done in waiting]
    assert all(isinstance(error, ConflictError) for error in errors)
    assert errors[0] is not errors[1]
    assert held.first.result(10) is None


def test_a_lost_race_stays_retryable(held, log):
    held.failures = [ConflictError("Another writer was first.")]
    held.gate.set()
    with pytest.raises(ConflictError, match="Another writer"):
        held.first.result(10)


def test_a_request_that_is_given_up_does_not_stop_the_writer(held, log):
    given_up, kept = log.append(rows("a")), log.append(rows("b"))
    assert given_up.cancel()
    held.gate.set()
    kept.result(10)
    log.append(rows("c")).result(10)
    assert [row["prediction_id"] for row in held.rows()] == ["first", "a", "b", "c"]


def test_closing_writes_what_waits_and_takes_no_more(held, log):
    done = log.append(rows("a"))
    closing = threading.Thread(target=log.close)
    closing.start()
    held.gate.set()
    closing.join(10)
    assert not closing.is_alive()
    assert done.done()
    assert [row["prediction_id"] for row in held.rows()] == ["first", "a"]
    assert not log.is_open
    with pytest.raises(GroundswellError, match="closed"):
        log.append(rows("b"))
    assert held.streams == 0
    log.close()


def test_a_log_that_was_never_used_closes():
    log = PredictionLog(None, "late", 1, SCHEMA, capacity=1)
    log.close()
    assert not log.is_open
