"""How webhooks are signed, so that a receiver knows who sent them, and that nobody sends an old one again.

References:
    Standard Webhooks 1.0.0, "Webhook signature": https://github.com/standard-webhooks/standard-webhooks
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from groundswell.errors import DataError

__all__ = ["TOLERANCE", "key_from", "sign", "verify_webhook"]

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of sender and receiver may differ."""

_PREFIX = "whsec_"
_LEAST_BYTES = 24


def key_from(secret: str) -> bytes:
    """The key in a secret: what follows `whsec_` in base64, or the text itself.

    Raises:
        DataError: it is too short to withstand guessing, or no base64.
    """
    try:
        key = base64.b64decode(secret[len(_PREFIX) :], validate=True) if secret.startswith(_PREFIX) else secret.encode()
    except binascii.Error:
        key = b""
    if len(key) < _LEAST_BYTES:
        raise DataError(
            f"The webhook's secret has {len(key)} bytes.",
            why=f"A shorter one than {_LEAST_BYTES} could be guessed.",
            fix="""Make one: python -c "import secrets; print(secrets.token_urlsafe(32))".""",
        )
    return key


def sign(key: bytes, message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers that go with a body."""
    seconds = str(int(sent_at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{_digest(key, message_id, seconds, body)}",
    }


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime | None = None) -> None:
    """Check that a body was sent by who knows the secret, and just now. A receiver calls this first.

    Args:
        secret: what the sender's variable holds.
        headers: of the request; their names in any case.
        body: as it came, before it is parsed.
        now: the present moment; None asks the clock.

    Raises:
        DataError: it was not; nothing in the body may be believed.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, seconds = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    expected = f"v1,{_digest(key_from(secret), message_id, seconds, body)}"
    signatures = given.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures):
        raise DataError(
            "The webhook's signature is wrong.",
            why="Its headers and body were not signed with this secret.",
            fix="Answer 401, and check that sender and receiver have the same secret.",
        )
    age = (now or datetime.now(UTC)) - datetime.fromtimestamp(int(seconds), UTC)
    if abs(age) > TOLERANCE:
        raise DataError(
            f"The webhook was signed {age} ago.",
            why="It may be an old one that somebody sends again.",
            fix="Answer 401; if it was not, set the clocks.",
        )


def _digest(key: bytes, message_id: str, seconds: str, body: bytes) -> str:
    content = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
