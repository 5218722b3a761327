"""The store that machines share."""

import time
from uuid import uuid4

import pytest

from groundswell.errors import ConflictError, GroundswellError, MissingDependencyError
from groundswell.online import Redis
from groundswell.testing import OnlineStoreConformance


class TestRedis(OnlineStoreConformance):
    @pytest.fixture(autouse=True)
    def server(self, redis_url):
        self.url = redis_url

    def open(self):
        return Redis(self.url)


RECORD = b"r" + b"1" * 16


@pytest.fixture
def store(redis_url):
    with Redis(redis_url, namespace=f"{uuid4().hex}:") as made:
        yield made


def test_namespaces_lie_apart(redis_url, store):
    other = Redis(redis_url, namespace="other*[]:")
    for place, row in ((store, b"1"), (other, b"2")):
        with place.writer(RECORD) as writer:
            writer.write([(b"a", row, [(5, row)])])
    assert store.get_many([b"a"]) == [b"1"]
    assert store.surfaced(b"a", 5) == b"1"
    assert [pair for batch in other.scan(b"a") for pair in batch] == [(b"a", b"2")]


def test_a_writer_that_lost_the_right_is_refused(redis_url, store):
    other = Redis(redis_url, namespace=store._namespace.decode())
    with store.writer(RECORD) as slow:
        slow.write([(b"a", b"1", None)], b"1")
        other._client.delete(other._namespace + RECORD + b":lock")  # as if it had slept longer than its lease
        with other.writer(RECORD) as fast:
            with pytest.raises(ConflictError, match="sign of life") as raised:
                slow.write([(b"a", b"old", None)], b"2")
            fast.write([(b"a", b"2", None)], b"2")
            with pytest.raises(ConflictError):
                slow.write([(b"a", b"old", None)])
    assert raised.value.retryable
    assert store.get_many([b"a", RECORD]) == [b"2", b"2"]


def test_what_was_computed_from_an_older_version_is_refused(store):
    with store.writer(RECORD) as writer:
        writer.write([(b"a", b"1", None)], b"version 1")
        writer.record = b"version 0"
        with pytest.raises(ConflictError, match="older version"):
            writer.write([(b"a", b"0", None)], b"version 1")
    assert store.get_many([b"a"]) == [b"1"]


def test_the_right_to_write_lives_as_long_as_its_holder(redis_url, store):
    brief = Redis(redis_url, namespace=store._namespace.decode(), lease_s=0.2)
    with brief.writer(RECORD) as writer:
        first = brief._client.get(brief._namespace + RECORD + b":lock")
        for _ in range(30):
            time.sleep(0.02)
            assert brief._client.get(brief._namespace + RECORD + b":lock") == first
        writer.write([(b"a", b"1", None)])
    assert brief._client.get(brief._namespace + RECORD + b":lock") is None


def test_a_killed_writer_holds_up_the_next_for_its_lease_only(redis_url, store):
    dead = Redis(redis_url, namespace=store._namespace.decode())
    dead._client.set(dead._namespace + RECORD + b":lock", b"token of the dead", px=100)
    with store.writer(RECORD) as writer:
        writer.write([(b"a", b"1", None)])


def test_a_server_that_does_not_answer_is_named_without_its_password():
    store = Redis("redis://user:secret@127.0.0.1:1/0")
    with pytest.raises(GroundswellError, match=r"redis://127\.0\.0\.1:1/0") as raised:
        store.get_many([b"a"])
    assert "secret" not in str(raised.value) + repr(store)


def test_without_the_package_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("groundswell.online._redis.redis", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'groundswell\[redis\]'"):
        Redis("redis://localhost")
