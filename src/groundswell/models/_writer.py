"""Which process is writing something, so that what a killed one left half done can be told from work in progress."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

__all__ = ["Writer"]

_FOREIGN_PATIENCE = timedelta(days=1)  # how long a writer on another host, which cannot be asked, is believed to live


@dataclass(frozen=True)
class Writer:
    """A process on a host.

    Args:
        host: the name of the machine.
        pid: the process id.
        birth: when the kernel started it, in clock ticks since boot, where the kernel tells (Linux); a later process
            with the same id has another.

    >>> Writer.this().is_alive(since=datetime.now())
    True
    """

    host: str
    pid: int
    birth: int | None

    @classmethod
    def this(cls) -> Self:
        """The process that runs this."""
        return cls(socket.gethostname(), os.getpid(), _birth(os.getpid()))

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Self:
        """Read back what `to_dict` gave."""
        return cls(body["host"], body["pid"], body["birth"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"host": self.host, "pid": self.pid, "birth": self.birth}

    def is_alive(self, since: datetime) -> bool:
        """Whether the process may still be at what it began at `since`."""
        if self.host != socket.gethostname():
            return datetime.now(since.tzinfo) - since < _FOREIGN_PATIENCE
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it lives, and belongs to another user
            pass
        return self.birth is None or _birth(self.pid) == self.birth


def _birth(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])  # field 22 of proc(5), counted after the command's parenthesis
