"""The gate in front of the HTTP application: who may ask, and what never leaves.

It checks the Host header and the token, adds the security headers, and turns an unexpected exception into a reply that
says nothing but an id, under which the server's log has the rest. Plain ASGI, so that every reply passes through it,
those of the framework included.

References:
    RFC 6750 (bearer tokens); OWASP cheat sheets on DNS rebinding and HTTP headers.
"""

import hmac
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from groundswell.errors import DataError

__all__ = ["HEALTH", "Guard", "check_token"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = ("/v2/health/live", "/v2/health/ready")
"""What an orchestrator's probe asks; it has no token and learns nothing but yes or no."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MIN_TOKEN_CHARACTERS = 16
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]

_log = logging.getLogger("groundswell.serving")


def check_token(token: str) -> str:
    """The token, if it is one that cannot be guessed.

    Raises:
        DataError: it is shorter than 16 characters, or holds others than visible ASCII.
    """
    visible = all("!" <= character <= "~" for character in token)
    if len(token) < _MIN_TOKEN_CHARACTERS or not visible:
        raise DataError(
            f"The token has {len(token)} characters."
            if visible
            else "The token holds a space or a non-ASCII character.",
            why=f"It stands before the models: it has at least {_MIN_TOKEN_CHARACTERS} visible ASCII characters.",
            fix='Make one with: python -c "import secrets; print(secrets.token_urlsafe())"',
        )
    return token


class Guard:
    """ASGI middleware that lets in whom it should.

    Without a token the service is for this machine alone, and the Host header must say so: a page of another site that
    points its own name to 127.0.0.1 is turned away. With a token, the token decides, which such a page cannot know.

    Args:
        app: what is guarded.
        token: what every request but a health probe must bring, or None.
    """

    def __init__(self, app: Application, *, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else check_token(token).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await _reply(send_guarded, *refusal)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception:  # a request is a process boundary: the client gets an id, the log the traceback
            incident = secrets.token_hex(8)
            _log.exception("Request failed; incident %s: %s %r", incident, scope["method"], scope["path"])
            if started:
                raise
            await _reply(send_guarded, 500, f"The server failed. Its log tells the cause under the id {incident}.")

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = dict(scope["headers"])
        if self._token is None:
            host = headers.get(b"host", b"").decode("latin-1").lower()
            if _without_port(host) not in _LOOPBACK:
                return 421, (
                    f"The Host header is {host[:100]!r}. Without a token this service answers only to its own machine, "
                    "as localhost, 127.0.0.1 or [::1]. Serve it with a token to reach it under other names."
                )
        elif scope["path"] not in HEALTH:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
                return 401, "This service wants its token. Send the header 'Authorization: Bearer <token>'."
        return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


async def _reply(send: Send, status: int, error: str) -> None:
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
