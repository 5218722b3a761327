"""Fault points: the places where a test may kill a follower; see the module of that name among the tables.

A crash test sets `GROUNDSWELL_FAULT=<point>` or `<point>:<n>` (its nth passing) and the process dies there by SIGKILL.
"""

import os
import signal
from itertools import count

POINTS = (
    "follow:locked",
    "follow:planned",
    "follow:rows-written",
    "follow:recorded",
    "rebuild:begun",
    "rebuild:rows-written",
    "rebuild:swept",
    "rebuild:recorded",
)
"""Every point, in the order in which a follower passes them."""

_passings = {name: count(1) for name in POINTS}


def point(name: str) -> None:
    """Die here if the environment says so."""
    wanted = os.environ.get("GROUNDSWELL_FAULT")
    if wanted is None:
        return
    passing = next(_passings[name])
    if wanted in (name, f"{name}:{passing}"):
        os.kill(os.getpid(), signal.SIGKILL)
