"""Streaming inserts: rows one by one, each on the disk before it is acknowledged, committed in batches.

What is acknowledged lies in a write-ahead log beside the table until a commit takes it in; readers make that happen
before they read, so they see every acknowledged row.
"""

from groundswell.features.streaming._flusher import Flusher, quiet
from groundswell.features.streaming._quarantine import Quarantine, QuarantinedRows
from groundswell.features.streaming._row_rules import RowRules
from groundswell.features.streaming._row_stream import RowStream, StreamLimits

__all__ = ["Flusher", "Quarantine", "QuarantinedRows", "RowRules", "RowStream", "StreamLimits", "quiet"]
