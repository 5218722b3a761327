"""Prediction ids, which say where a prediction was logged.

An id is `<model>-<version>-<32 hex digits>`. Model names have no hyphen, so the model and the version, and with them
the log's feature group, follow from the id alone. The digits are a UUID of version 7: ids sort by the time they were
made.

References:
    RFC 9562, section 5.7 (UUID version 7).
"""

import re
import secrets
from datetime import datetime

from groundswell.errors import NotFoundError
from groundswell.types import check_name

__all__ = ["log_name", "new_ids", "parse_id"]

_ID = re.compile(r"([A-Za-z][A-Za-z0-9_]*)-([1-9][0-9]{0,8})-([0-9a-f]{32})")


def new_ids(model: str, version: int, n: int, now: datetime) -> list[str]:
    """`n` distinct ids for predictions made now; 74 bits of each are random."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    head = milliseconds << 80 | 7 << 76 | 2 << 62
    prefix = f"{model}-{version}-"
    noise = secrets.token_bytes(10 * n)
    ids = []
    for start in range(0, 10 * n, 10):
        bits = int.from_bytes(noise[start : start + 10], "big") & (1 << 74) - 1
        ids.append(f"{prefix}{head | bits >> 62 << 64 | bits & (1 << 62) - 1:032x}")
    return ids


def parse_id(prediction_id: str) -> tuple[str, int]:
    """The model and the version that made the prediction.

    Raises:
        NotFoundError: the text is no prediction id.

    >>> parse_id("late_arrival-3-019bd4c0a5e07d3f8a1b2c3d4e5f6071")
    ('late_arrival', 3)
    """
    match = _ID.fullmatch(prediction_id) if isinstance(prediction_id, str) else None
    if match is None:
        raise NotFoundError(
            f"{str(prediction_id)[:100]!r} is no prediction id.",
            why="An id looks like 'late_arrival-3-019bd4c0a5e07d3f8a1b2c3d4e5f6071': model, version and 32 hex digits.",
            fix="Copy it whole from the prediction, or from the prediction_id column of the log.",
            prediction_id=prediction_id,
        )
    return match[1], int(match[2])


def log_name(model: str, version: int) -> str:
    """The feature group that the predictions of a model version are logged in.

    Raises:
        InvalidNameError: the model's name is too long for a group to be named after it.

    >>> log_name("late_arrival", 3)
    'predictions_late_arrival_v3'
    """
    return check_name(f"predictions_{model}_v{version}", "feature group")
