"""Whether two stores say the same of a table: one that followed it through all its commits, and one built anew."""

from collections.abc import Callable, Sequence
from datetime import datetime

from groundswell.online._keys import rows_prefix
from groundswell.online._online_table import OnlineTable
from groundswell.online._store import OnlineStore
from groundswell.tables import Table, microseconds

__all__ = ["count_differences"]


def count_differences(table: Table, stores: tuple[OnlineStore, OnlineStore], clock: Callable[[], datetime]) -> int:
    """For how many keys two stores answer differently now. How they lie in a store may differ: rows wait in one that
    have become the newest in the other.

    Args:
        table: the table that both hold.
        stores: the two.
        clock: the present moment, in UTC.
    """
    at_us = microseconds(clock())
    readers = [OnlineTable(store, table.table_id, table.definition, clock=clock) for store in stores]

    def answers(addresses: Sequence[bytes], reader: OnlineTable) -> list[str]:
        rows = zip(reader.store.get_many(addresses), addresses, strict=True)
        return [repr(reader.answer(row, address, at_us)) for row, address in rows]  # as text, NaN is NaN

    different: set[bytes] = set()
    for store in stores:
        for batch in store.scan(rows_prefix(table.table_id)):
            addresses = [address for address, _ in batch]
            first, second = (answers(addresses, reader) for reader in readers)
            different |= {address for address, a, b in zip(addresses, first, second, strict=True) if a != b}
    return len(different)
