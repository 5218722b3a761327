"""What code reads of a project's data while somebody is recording.

Whoever reads a feature group, a view or training data says so with `record`; a run wraps the function that it runs in
`recording` and so learns of data that the function read by itself. The recorder follows the context, as asyncio tasks
and `contextvars.copy_context` do. A plain thread has an empty context, in Python up to 3.13: it counts to a recording
if it was started while that one was open and no other was. Child processes are not seen.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Read", "record", "recording"]


@dataclass(frozen=True)
class Read:
    """One thing that was read.

    Args:
        kind: "feature_group", "feature_view" or "training_data".
        entry_id: its entry in the catalog.
        name: what it is called.
        version_read: of a feature group, the version of its table that was read.
    """

    kind: str
    entry_id: str
    name: str
    version_read: int | None = None


class _Recording:
    """An open recording and the threads that are older than it, which are not its own."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.strangers = weakref.WeakSet(threading.enumerate())


_of_context: ContextVar[tuple[_Recording, ...]] = ContextVar("recordings", default=())
_open: list[_Recording] = []  # of the whole process: the only place where a thread without a context can look


@contextmanager
def recording() -> Iterator[list[Read]]:
    """Collect what is read inside the block; an outer recording collects it too.

    >>> with recording() as reads:
    ...     record(Read("feature_group", "5e1f", "weather", 3))
    >>> [read.name for read in reads]
    ['weather']
    """
    mine = _Recording()
    token = _of_context.set((*_of_context.get(), mine))
    _open.append(mine)
    try:
        yield mine.reads
    finally:
        _open.remove(mine)
        _of_context.reset(token)


def record(read: Read) -> None:
    """Note the read in every recording that this code runs in; without one, do nothing."""
    recordings = _of_context.get()
    if not recordings and len(_open) == 1 and threading.current_thread() not in _open[0].strangers:
        recordings = (_open[0],)
    for each in recordings:
        each.reads.append(read)
