"""Several tables of one store, read together: all as of one moment and in one round trip."""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from groundswell.online._keys import NOWHERE
from groundswell.online._layout import Head
from groundswell.online._online_table import Answer, Moment, OnlineRow, OnlineRows, OnlineTable

__all__ = ["OnlineTables"]

_TAG, _NEXT, _KNOWN, _EVENT_TIME, _AVAILABLE_AT = Head.TAG, Head.NEXT, Head.KNOWN, Head.EVENT_TIME, Head.AVAILABLE_AT
_VERSION, _NULLS = Head.VERSION, Head.NULLS
_row = tuple.__new__  # what the constructor of a named tuple comes to, in half the time

Request = Mapping[str, Any]  # Any: values of the keys' types


class OnlineTables:
    """Some tables of one store. Threads may share it.

    Args:
        tables: the tables, one at least.
    """

    def __init__(self, tables: Sequence[OnlineTable]) -> None:
        self._tables = tuple(tables)
        self._get_many = tables[0].store.get_many
        self._addresses = _addresses_of(tables)

    def get(self, request: Request, at: Moment | None = None) -> list[Answer]:
        """What one request sees of each table.

        Args:
            request: the key columns of all by name; what else it holds is ignored.
            at: as of when; None is now.

        Raises:
            ColumnNotFoundError, TypeMismatchError, CorruptionError: as `OnlineTable.get`.
        """
        at_us = at if type(at) is int else self._tables[0].moment(at)
        addresses = self._addresses(request)
        answers: list[Answer] = []
        # Rows of numbers are read here, as three calls for three tables would take as long as the reading.
        for table, row, address in zip(self._tables, self._get_many(addresses), addresses):  # noqa: B905  # as many
            plain = table.plain
            if plain is not None and row is not None:
                tag, unpack, no_nulls, pick = plain
                try:
                    fields = unpack(row)
                except struct.error:  # it lies under another schema, or is damaged: `answer` tells
                    answers.append(table.answer(row, address, at_us))
                    continue
                event_us = fields[_EVENT_TIME]
                if (
                    fields[_TAG] == tag
                    and fields[_KNOWN] <= at_us < fields[_NEXT]
                    and fields[_NULLS] == no_nulls
                    and at_us - event_us <= table.max_age_us
                ):
                    found = (table.names, pick(fields), fields[_VERSION], event_us, fields[_AVAILABLE_AT])
                    answers.append(_row(OnlineRow, found))
                    continue
            answers.append(table.answer(row, address, at_us))
        return answers

    def read(self, requests: pa.Table, at: Moment | Sequence[Moment] | None = None) -> list[OnlineRows]:
        """What many requests see of each table; arguments as for `OnlineTable.read`."""
        moments = self._tables[0].moments(requests, at)
        addresses = [table.addresses(requests) for table in self._tables]
        rows = self._get_many([address for some in addresses for address in some])
        n_rows = requests.num_rows
        return [
            table.answers(rows[i * n_rows : (i + 1) * n_rows], addresses[i], moments)
            for i, table in enumerate(self._tables)
        ]


def _addresses_of(tables: Sequence[OnlineTable]) -> Callable[[Request], list[bytes]]:
    """What gives the addresses of a request in all tables; a key of one integer that they share is written once."""
    first = tables[0].keys
    if first.integer is None or any(table.keys.integer != first.integer for table in tables):
        return lambda request: [table.address(request) for table in tables]
    start, prefixes, address_of = len(first.prefix), [table.keys.prefix for table in tables[1:]], first.address

    def shared(request: Request) -> list[bytes]:
        address = address_of(request)
        key = address[start:]
        return [address, *[prefix + key for prefix in prefixes]] if key else [NOWHERE] * len(tables)

    return shared
