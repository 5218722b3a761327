import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from groundswell.catalog import Event
from groundswell.changes import Webhook
from groundswell.errors import DataError, DeliveryError

Happen = Callable[..., list[Event]]
Endpoint = Any  # of conftest.py, which cannot be imported


@pytest.fixture
def hook(endpoint: Endpoint) -> Webhook:
    return Webhook(url=endpoint.url, name="hook", secret_variable="HOOK_SECRET", timeout_s=5)


def test_events_are_posted_signed_in_parts(
    hook: Webhook, endpoint: Endpoint, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.changes._webhook._MOST_EVENTS", 2)
    events = happen(3)
    hook.deliver(events)
    assert [[event["sequence"] for event in post] for post in endpoint.posts] == [[1, 2], [3]]
    assert endpoint.events == [event.to_dict() for event in events]
    headers = endpoint.headers[0]
    assert re.fullmatch("1-2-[0-9a-f]{16}", headers["webhook-id"])
    assert headers["Content-Type"] == "application/json"
    hook.deliver(events[:2])
    assert endpoint.headers[2]["webhook-id"] == headers["webhook-id"], "the same when it is sent again"
    assert headers["path"] == "/events?of=test"


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503])
def test_anything_but_success_is_a_failure(hook: Webhook, endpoint: Endpoint, happen: Happen, status: int) -> None:
    endpoint.answers.append(status)
    with pytest.raises(DeliveryError, match=rf"answered {status} .*kept and sent again"):
        hook.deliver(happen(1))
    assert endpoint.posts == [], "redirections are not followed"


def test_an_endpoint_that_is_not_there_or_silent_is_a_failure(happen: Happen, endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        hook = Webhook(url=url, name="hook", secret_variable="HOOK_SECRET", timeout_s=0.05)
        with pytest.raises(DeliveryError, match=r"could not be reached: TimeoutError"):
            hook.deliver(happen(1))
    with pytest.raises(DeliveryError, match=r"could not be reached: ConnectionRefusedError"):
        hook.deliver(happen(1))


def test_a_secret_is_taken_from_the_environment_alone(
    hook: Webhook, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "secret of this test" not in repr(hook) + str(hook.settings())
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(DataError, match=r"'HOOK_SECRET' is not set\. .*webhook 'hook'.*export HOOK_SECRET="):
        hook.deliver(happen(1))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://127.0.0.1/",
        "https:///x",
        "example.com",
        "https://me:pw@example.com",
        "https://x:0",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(DataError, match=r"cannot be posted|is no address of an endpoint"):
        Webhook(url=url, name="hook", secret_variable="HOOK_SECRET")


def test_an_address_with_tls_may_be_anywhere() -> None:
    hook = Webhook(url="https://example.com/events", name="hook", secret_variable="HOOK_SECRET")
    assert hook.settings() == {
        "url": "https://example.com/events",
        "secret_variable": "HOOK_SECRET",
        "timeout_s": 10.0,
    }
