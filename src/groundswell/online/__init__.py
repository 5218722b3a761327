"""The newest row per key in microseconds: stores, the follower that fills them from a table, and how requests read.

Everything here repeats what a table's log says, and can be built again from it.
"""

from groundswell.online._comparison import count_differences
from groundswell.online._follower import Engine, Follower
from groundswell.online._lmdb import Lmdb
from groundswell.online._online_table import (
    Answer,
    AskTable,
    OnlineRow,
    OnlineRows,
    OnlineTable,
)
from groundswell.online._online_tables import OnlineTables
from groundswell.online._provisional import is_provisional, provisional_version, settles
from groundswell.online._redis import Redis
from groundswell.online._store import Entry, OnlineStore, Writer

__all__ = [
    "Answer",
    "AskTable",
    "Engine",
    "Entry",
    "Follower",
    "Lmdb",
    "OnlineRow",
    "OnlineRows",
    "OnlineStore",
    "OnlineTable",
    "OnlineTables",
    "Redis",
    "Writer",
    "count_differences",
    "is_provisional",
    "provisional_version",
    "settles",
]
