"""Streaming inserts: rows one by one, each on the disk before it is acknowledged, committed in batches.

What is acknowledged lies in a write-ahead log beside the table until a commit takes it in; readers make that happen
before they read, so they see every acknowledged row.
"""

from groundswell.features.streaming._flusher import Flusher, quiet
from groundswell.features.streaming._invariants import check_streams
from groundswell.features.streaming._limits import StreamLimits
from groundswell.features.streaming._open_streams import OpenStreams
from groundswell.features.streaming._quarantine import Quarantine, QuarantinedRows
from groundswell.features.streaming._row_rules import RowRules
from groundswell.features.streaming._row_stream import RowStream

__all__ = [
    "Flusher",
    "OpenStreams",
    "Quarantine",
    "QuarantinedRows",
    "RowRules",
    "RowStream",
    "StreamLimits",
    "check_streams",
    "quiet",
]
