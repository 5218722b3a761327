"""Tables with commits: Delta tables that remember who wrote what, and when.

A table appends, folds at read, and never loses what it acknowledged. Its commit log is the truth; the catalog holds an
index of it that can be rebuilt at any time.
"""

from groundswell.tables._casts import cast_column
from groundswell.tables._changes import Change, commit_digest, has_commit, read_changes
from groundswell.tables._check import Check
from groundswell.tables._definition import HIDDEN, Definition, check_roles
from groundswell.tables._disk import sync_file, sync_folder
from groundswell.tables._evolution import append_features, make_nullable, widen
from groundswell.tables._file_invariants import RowCheck, check_strays
from groundswell.tables._frames import read_frame
from groundswell.tables._identities import Identities
from groundswell.tables._incoming import conform, infer_schema
from groundswell.tables._invariants import check_table
from groundswell.tables._keys import read_keys
from groundswell.tables._lock import BESIDE
from groundswell.tables._physical import physical_schema, physical_type, to_physical
from groundswell.tables._pins import Pin, Pins
from groundswell.tables._records import conform_records
from groundswell.tables._retention import Vacuumed
from groundswell.tables._snapshot import DataFile, Snapshot, microseconds
from groundswell.tables._staging import Staged
from groundswell.tables._table import Table, Watch, stored_definition
from groundswell.tables._versions import Commit
from groundswell.tables._wal import WriteAheadLog, ask_to_flush, is_abandoned, is_from_flush, streams
from groundswell.tables._wal_segment import read_segment, rewrite_segment, segment_schema

__all__ = [
    "BESIDE",
    "HIDDEN",
    "Change",
    "Check",
    "Commit",
    "DataFile",
    "Definition",
    "Identities",
    "Pin",
    "Pins",
    "RowCheck",
    "Snapshot",
    "Staged",
    "Table",
    "Vacuumed",
    "Watch",
    "WriteAheadLog",
    "append_features",
    "ask_to_flush",
    "cast_column",
    "check_roles",
    "check_strays",
    "check_table",
    "commit_digest",
    "conform",
    "conform_records",
    "has_commit",
    "infer_schema",
    "is_abandoned",
    "is_from_flush",
    "make_nullable",
    "microseconds",
    "physical_schema",
    "physical_type",
    "read_changes",
    "read_frame",
    "read_keys",
    "read_segment",
    "rewrite_segment",
    "segment_schema",
    "stored_definition",
    "streams",
    "sync_file",
    "sync_folder",
    "to_physical",
    "widen",
]
