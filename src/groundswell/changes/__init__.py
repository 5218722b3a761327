"""The change stream: what happens in a project, in one order, and the consumers that are told of it.

The events themselves are written by the catalog, in the transactions of what they tell of. Here they are watched for
and brought to consumers, each at least once, by whichever process runs them.
"""

from groundswell.changes._consumer import Consumer, Rebuildable, Stored
from groundswell.changes._filter import Filter
from groundswell.changes._invariants import check_consumer
from groundswell.changes._json_lines import JsonLines
from groundswell.changes._online_stores import Follows, OnlineStores
from groundswell.changes._reading import read_events
from groundswell.changes._signature import verify_webhook
from groundswell.changes._status import ConsumerStatus, status_of
from groundswell.changes._stored_kinds import register
from groundswell.changes._stream import ChangeStream
from groundswell.changes._webhook import Webhook

__all__ = [
    "ChangeStream",
    "Consumer",
    "ConsumerStatus",
    "Filter",
    "Follows",
    "JsonLines",
    "OnlineStores",
    "Rebuildable",
    "Stored",
    "Webhook",
    "check_consumer",
    "read_events",
    "register",
    "status_of",
    "verify_webhook",
]
