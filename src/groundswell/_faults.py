"""Fault points: where a test may kill a process between a write and its acknowledgement.

In normal use each point costs one look into the environment. A crash test sets `GROUNDSWELL_FAULT=<point>` or
`<point>:<n>` (its nth passing) and the process dies there by SIGKILL, as in a power cut without the loss of the page
cache. With `stop@` before it the process stops there by SIGSTOP, until somebody sends SIGCONT.
"""

import os
import signal
from itertools import count

POINTS = (
    "create:before-table",
    "create:after-table",
    "stage:file-written",
    "insert:files-synced",
    "insert:before-commit",
    "insert:after-commit",
    "insert:log-synced",
    "insert:indexed",
    "compact:files-synced",
    "compact:before-commit",
    "compact:after-commit",
    "compact:indexed",
)
"""Every point, in the order in which a writer passes them."""

REWRITE_POINTS = (
    "delete:files-synced",
    "delete:before-commit",
    "delete:after-commit",
    "delete:indexed",
    "purge:files-synced",
    "purge:before-commit",
    "purge:after-commit",
    "purge:indexed",
    "purge:files-removed",
    "restore:before-commit",
    "restore:after-commit",
    "restore:indexed",
    "vacuum:before-commit",
    "vacuum:after-commit",
    "vacuum:indexed",
    "vacuum:file-removed",
)
"""The points of those who take rows and files away, likewise."""

SCHEMA_POINTS = ("schema:files-synced", "schema:after-commit", "schema:indexed")
"""The points of a change of the schema, likewise."""

STREAM_POINTS = ("wal:written", "wal:synced", "stream:rotated", "stream:committed", "wal:removed")
"""The points of a stream of rows, from the write of a row to the end of the segment that held it."""

FOLLOWER_POINTS = (
    "follow:locked",
    "follow:planned",
    "follow:rows-written",
    "follow:recorded",
    "rebuild:begun",
    "rebuild:rows-written",
    "rebuild:swept",
    "rebuild:recorded",
)
"""The points of a follower that fills an online store, likewise."""

_passings = {name: count(1) for name in (*POINTS, *FOLLOWER_POINTS, *REWRITE_POINTS, *SCHEMA_POINTS, *STREAM_POINTS)}


def point(name: str) -> None:
    """Die or stop here if the environment says so."""
    wanted = os.environ.get("GROUNDSWELL_FAULT")
    if wanted is None:
        return
    passing = next(_passings[name])
    how, _, where = wanted.rpartition("@")
    if where in (name, f"{name}:{passing}"):
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
