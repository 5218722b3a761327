"""A consumer that posts events to an HTTP endpoint, signed."""

import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from groundswell._version import __version__
from groundswell.catalog import Event
from groundswell.changes._filter import Filter
from groundswell.changes._signature import key_from, sign
from groundswell.errors import DataError, DeliveryError

__all__ = ["Webhook"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOST_EVENTS = 100
_MOST_ANSWER_BYTES = 300


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Posts events as JSON, `{"events": [...]}`, at most 100 at a time.

    Any answer from 200 to 299 means that they were taken; anything else, and none in time, that they must be sent
    again. Redirections are not followed. An endpoint may be sent an event twice and tells by its number.

    Args:
        url: the endpoint; without TLS only on this machine.
        name: what it is registered as.
        secret_variable: the environment variable that holds the secret with which posts are signed: a text of 24 bytes
            or more, or `whsec_` and as many in base64. The catalog keeps the variable's name only.
        filter: which events it wants.
        timeout_s: how long the endpoint may take to accept the connection, and then to answer.

    Raises:
        DataError: the address cannot be used.
    """

    kind: ClassVar[str] = "webhook"

    url: str
    name: str
    secret_variable: str
    filter: Filter = field(default_factory=Filter)
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOOPBACK):
            raise DataError(
                f"Events cannot be posted to {self.url!r}.",
                why="Without TLS others on the way could read them.",
                fix="Give an address that begins with https://, or with http://127.0.0.1 on this machine.",
                url=self.url,
            )

    def settings(self) -> Mapping[str, Any]:  # Any: JSON
        """Where to, and how."""
        return {"url": self.url, "secret_variable": self.secret_variable, "timeout_s": self.timeout_s}

    def deliver(self, events: Sequence[Event]) -> None:
        """Post the events.

        Raises:
            DataError: the secret is not in the environment, or too short.
            DeliveryError: the endpoint did not take them.
        """
        key = self._key()
        for start in range(0, len(events), _MOST_EVENTS):
            part = events[start : start + _MOST_EVENTS]
            body = json.dumps({"events": [event.to_dict() for event in part]}, ensure_ascii=False).encode()
            # The same whenever these events are sent, and never that of others, which a receiver would take for these.
            digest = blake2b(body, digest_size=8).hexdigest()
            message_id = f"{part[0].sequence}-{part[-1].sequence}-{digest}"
            self._post(body, sign(key, message_id, datetime.now(UTC), body))

    def start_over(self) -> None:
        """Nothing is kept here: the endpoint is sent all events again."""

    def _key(self) -> bytes:
        secret = os.environ.get(self.secret_variable)
        if secret is None:
            raise DataError(
                f"The environment variable {self.secret_variable!r} is not set.",
                why=f"It must hold the secret of the webhook {self.name!r}.",
                fix=f"Set it where the consumers run: export {self.secret_variable}=…",
                variable=self.secret_variable,
            )
        return key_from(secret)

    def _post(self, body: bytes, signature: Mapping[str, str]) -> None:
        parts = _split(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "User-Agent": f"groundswell/{__version__}", **signature}
        connection = self._connection(parts)
        try:
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            text = answer.read(_MOST_ANSWER_BYTES).decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise DeliveryError(
                f"{self.url} could not be reached: {type(error).__name__}: {error}.",
                why="It is not there, does not answer in time, or its certificate is not trusted.",
                fix="Check the endpoint; events are kept and sent again.",
                url=self.url,
            ) from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise DeliveryError(
                f"{self.url} answered {answer.status} {answer.reason}: {text}",
                why="Only answers from 200 to 299 mean that events were taken.",
                fix="Check the endpoint; events are kept and sent again.",
                url=self.url,
                status=answer.status,
            )

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return HTTPSConnection(host, parts.port, timeout=self.timeout_s, context=ssl.create_default_context())
        return HTTPConnection(host, parts.port, timeout=self.timeout_s)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.username is None and (parts.port is None or parts.port > 0):
            return parts
    except ValueError:
        pass
    raise DataError(
        f"{url!r} is no address of an endpoint.", fix="Give one such as 'https://example.com/events'.", url=url
    )
