"""The catalog: names and metadata of everything in a project, with versions, transactions and an index of commits.

It keeps what other rooms give it and knows no meaning: the body of an entry is theirs.
"""

from groundswell.catalog._catalog import Catalog
from groundswell.catalog._commits import CommitIndex, CommitRecord, FileRecord
from groundswell.catalog._consumers import ConsumerRecord, ConsumerRegistry
from groundswell.catalog._descriptions import Descriptions
from groundswell.catalog._entries import KINDS, Entry
from groundswell.catalog._events import Event, EventLog
from groundswell.catalog._metadata import HasMetadata
from groundswell.catalog._search import Hit, Hits, Search
from groundswell.catalog._tags import Tags
from groundswell.catalog._verbs import VERBS
from groundswell.catalog._working_tree import WorkingTree

__all__ = [
    "KINDS",
    "VERBS",
    "Catalog",
    "CommitIndex",
    "CommitRecord",
    "ConsumerRecord",
    "ConsumerRegistry",
    "Descriptions",
    "Entry",
    "Event",
    "EventLog",
    "FileRecord",
    "HasMetadata",
    "Hit",
    "Hits",
    "Search",
    "Tags",
    "WorkingTree",
]
