from datetime import UTC, datetime, timedelta

import pytest

from groundswell.changes import verify_webhook
from groundswell.changes._signature import TOLERANCE, key_from, sign
from groundswell.errors import DataError

# The example in the documentation of the Standard Webhooks libraries.
SECRET, ID, SENT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY, SIGNATURE = b'{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
NOW = datetime.fromtimestamp(SENT, UTC)
HEADERS = {"Webhook-Id": ID, "Webhook-Timestamp": str(SENT), "Webhook-Signature": SIGNATURE}


def test_signatures_are_those_of_the_standard() -> None:
    assert sign(key_from(SECRET), ID, NOW, BODY) == {name.lower(): value for name, value in HEADERS.items()}
    verify_webhook(SECRET, HEADERS, BODY, now=NOW + TOLERANCE)


def test_several_signatures_may_be_given_while_the_secret_changes() -> None:
    verify_webhook(SECRET, HEADERS | {"Webhook-Signature": f"v1,other {SIGNATURE}"}, BODY, now=NOW)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (HEADERS, BODY + b" "),
        (HEADERS | {"Webhook-Id": "msg_other"}, BODY),
        (HEADERS | {"Webhook-Timestamp": str(SENT + 1)}, BODY),
        (HEADERS | {"Webhook-Timestamp": "soon"}, BODY),
        (HEADERS | {"Webhook-Signature": SIGNATURE.removeprefix("v1,")}, BODY),
        (HEADERS | {"Webhook-Signature": "ü"}, BODY),
        ({}, BODY),
    ],
)
def test_what_was_changed_on_the_way_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(DataError, match="signature is wrong"):
        verify_webhook(SECRET, headers, body, now=NOW)


@pytest.mark.parametrize("away", [TOLERANCE + timedelta(seconds=1), -TOLERANCE - timedelta(seconds=1)])
def test_an_old_one_is_refused(away: timedelta) -> None:
    with pytest.raises(DataError, match="sends again"):
        verify_webhook(SECRET, HEADERS, BODY, now=NOW + away)


@pytest.mark.parametrize("secret", ["", "too short", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64!"])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(DataError, match="could be guessed"):
        key_from(secret)
