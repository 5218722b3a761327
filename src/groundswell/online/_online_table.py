"""What a request sees: the newest rows of one table, or of several at once, as of now or of a moment given."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.errors import DataError
from groundswell.online._decode import Fields, RowDecoder, damaged
from groundswell.online._keys import NOWHERE, KeyCodec, record_address
from groundswell.online._layout import ALWAYS, NEVER, NO_ROW, Head
from groundswell.online._state import State
from groundswell.online._store import OnlineStore
from groundswell.tables import Definition
from groundswell.types import parse_instant

__all__ = ["Answer", "AskTable", "Moment", "OnlineRow", "OnlineRows", "OnlineTable", "Plain"]

Moment = int | str | date | datetime
"""A moment; a number is microseconds since 1970."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TAG, _NEXT, _KNOWN = Head.TAG, Head.NEXT, Head.KNOWN
_EVENT_TIME, _AVAILABLE_AT, _VERSION, _NULLS = Head.EVENT_TIME, Head.AVAILABLE_AT, Head.VERSION, Head.NULLS
_NEXT_PLACE = Head.NEXT_PLACE
_NO_LIMIT = 1 << 70


class OnlineRow(NamedTuple):
    """The row of one key.

    Args:
        names: the columns.
        values: theirs, as Python values.
        version: the commit that wrote the row.
        event_time_us, available_at_us: its times in microseconds since 1970; the least number there is if it has none.
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]  # Any: of the columns' types
    version: int
    event_time_us: int
    available_at_us: int

    @property
    def event_time(self) -> datetime | None:
        """When it happened."""
        return _datetime(self.event_time_us)

    @property
    def available_at(self) -> datetime | None:
        """When it became known."""
        return _datetime(self.available_at_us)

    def to_dict(self) -> dict[str, Any]:  # Any: of the columns' types
        """The values by column."""
        return dict(zip(self.names, self.values, strict=True))


class AskTable(NamedTuple):
    """No answer: the key's row became known only at `known_us`, and the store keeps nothing older. The table does.

    So too, with a moment that never comes, if nothing is kept of the key and the table is not in the store as a whole.
    """

    known_us: int


Answer = OnlineRow | AskTable | None
"""A row; or None if the key has none, or none young enough; or the word that the store cannot tell."""


@dataclass(frozen=True, kw_only=True)
class OnlineRows:
    """The rows of many keys.

    Args:
        rows: one per request, in order; nulls where there is none.
        found: whether there is one.
        ask_table: where the store cannot tell, because only a later row is kept: the table can.
        versions: of each row found, the commit that wrote it.
        event_time_us, available_at_us: and its times in microseconds since 1970; the least number if it has none.
    """

    rows: pa.Table
    found: NDArray[np.bool_]
    ask_table: NDArray[np.bool_]
    versions: NDArray[np.int64]
    event_time_us: NDArray[np.int64]
    available_at_us: NDArray[np.int64]


class Plain(NamedTuple):
    """How the rows of one schema are read if the columns that come out are numbers: without a look at each."""

    tag: bytes
    unpack: Callable[[bytes], Fields]
    no_nulls: bytes
    pick: Callable[[Fields], tuple[Any, ...]]  # Any: numbers


class OnlineTable:
    """One table's newest rows in a store.

    The answer for a key at a moment is what a point-in-time join would give: of the rows that had happened and were
    known, the newest. Threads may share it.

    Args:
        store: where the rows are.
        table_id: the table, as the catalog calls it.
        definition: its keys, times and schema.
        clock: the present moment, for requests that name none.
        columns: which columns come out; None is all.
        names: the names under which requests hold the key columns; None: their own.
        max_age: how old a row may be at most, counted from its event time; None is no limit.

    Attributes:
        keys: writes the addresses of its rows.
        plain: how the rows that were read last are read, if that is simple; another schema may have come since.

    Raises:
        ColumnNotFoundError: a column is not in the schema.
    """

    def __init__(
        self,
        store: OnlineStore,
        table_id: str,
        definition: Definition,
        *,
        clock: Callable[[], datetime],
        columns: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        max_age: timedelta | None = None,
    ) -> None:
        self.store = store
        self.columns = tuple(definition.schema[n] for n in (definition.schema.names if columns is None else columns))
        self.names = tuple(f.name for f in self.columns)
        self._clock, self._record = clock, record_address(table_id)
        timeless = max_age is None or definition.event_time is None
        self.max_age_us = _NO_LIMIT if timeless or max_age is None else max_age // _MICROSECOND
        self.keys = KeyCodec(table_id, definition, names)
        self.address = self.keys.address
        self._decoders: dict[bytes, RowDecoder] = {}
        self.plain: Plain | None = None
        self._judged: tuple[bytes | None, bool] = (None, False)

    def get(self, request: Mapping[str, Any], at: Moment | None = None) -> Answer:  # Any: values of the keys' types
        """The row of one key.

        Args:
            request: the key columns by name; what else it holds is ignored.
            at: as of when; None is now.

        Raises:
            ColumnNotFoundError: a key column is missing.
            TypeMismatchError: a value is of another type than its column.
            CorruptionError: the row is damaged.
        """
        return self.get_many([request], at)[0]

    def get_many(self, requests: Sequence[Mapping[str, Any]], at: Moment | None = None) -> list[Answer]:
        """The rows of several keys, in one round trip; arguments and errors as for `get`."""
        at_us = self.moment(at)
        addresses = [self.address(request) for request in requests]
        return [
            self.answer(row, address, at_us)
            for row, address in zip(self.store.get_many(addresses), addresses, strict=True)
        ]

    def read(self, requests: pa.Table, at: Moment | Sequence[Moment] | None = None) -> OnlineRows:
        """The rows of many keys as Arrow columns, in one round trip.

        Args:
            requests: the key columns, in the table's types; others are ignored.
            at: as of when, for all or for each; None is now.
        """
        addresses = self.addresses(requests)
        return self.answers(self.store.get_many(addresses), addresses, self.moments(requests, at))

    def moment(self, at: Moment | None) -> int:
        """A moment in microseconds since 1970; None is now."""
        if type(at) is int:
            return at
        moment: Any = self._clock() if at is None else at  # Any: what is no datetime with a zone is parsed
        try:
            us: int = (moment - _EPOCH) // _MICROSECOND
        except TypeError:
            us = (parse_instant(moment) - _EPOCH) // _MICROSECOND
        return us

    def moments(self, requests: pa.Table, at: Moment | Sequence[Moment] | None) -> NDArray[np.int64]:
        """The moment of each request, in microseconds since 1970.

        Raises:
            DataError: there are not as many moments, or one cannot be read.
        """
        if at is None or isinstance(at, int | str | date):
            return np.full(requests.num_rows, self.moment(at))
        if len(at) != requests.num_rows:
            raise DataError(
                f"There are {requests.num_rows} requests and {len(at)} moments.",
                fix="Give one for each, or one for all.",
            )
        return np.fromiter(map(self.moment, at), np.int64, requests.num_rows)

    def addresses(self, requests: pa.Table) -> list[bytes]:
        """Where the rows of many keys are."""
        return self.keys.addresses(requests)

    def answer(self, row: bytes | None, address: bytes, at_us: int) -> Answer:
        """What the bytes at an address say of a moment."""
        if row is None:
            return self._absent(address, at_us)
        return self._search(row, address, at_us)

    def answers(self, rows: list[bytes | None], addresses: Sequence[bytes], at_us: NDArray[np.int64]) -> OnlineRows:
        """The same for many."""
        return self._answers_alike(rows, at_us) or self._answers_apart(rows, addresses, at_us)

    def _answers_alike(self, rows: Sequence[bytes | None], at_us: NDArray[np.int64]) -> OnlineRows | None:
        """The answers if each key has a row, all of one schema and none followed by another; None otherwise."""
        there = [row for row in rows if row is not None]
        tags = {row[: len(NO_ROW)] for row in there}
        if len(there) < len(rows) or len(tags) != 1 or NO_ROW in tags:
            return None
        records, table = self._decoder_of(tags.pop()).table(there)
        if (records["next"] <= at_us).any():
            return None
        ask_table = records["known"] > at_us
        found = ~ask_table & self._is_young(records["event_time"], at_us)
        return OnlineRows(
            rows=table if found.all() else table.take(pa.array(np.arange(len(rows)), mask=~found)),
            found=found,
            ask_table=ask_table,
            versions=records["version"],
            event_time_us=records["event_time"],
            available_at_us=records["available_at"],
        )

    def _answers_apart(
        self, rows: list[bytes | None], addresses: Sequence[bytes], at_us: NDArray[np.int64]
    ) -> OnlineRows:
        by_tag: dict[bytes, list[int]] = {}
        unknown = self._look_again(rows, addresses)
        for i, moment in enumerate(at_us.tolist()):
            row = rows[i]
            if row is not None and int.from_bytes(row[_NEXT_PLACE], "little", signed=True) <= moment:
                row = rows[i] = self._surface(row, addresses[i], moment)
            if row is not None and not row.startswith(NO_ROW):
                by_tag.setdefault(row[: len(NO_ROW)], []).append(i)
        heads = {name: np.full(len(rows), ALWAYS) for name in ("known", "event_time", "available_at", "version")}
        order = np.full(len(rows), -1)
        tables, n_rows = [], 0
        for tag, members in by_tag.items():
            records, table = self._decoder_of(tag).table([rows[i] for i in members])  # type: ignore[misc]  # none is None
            for name, head in heads.items():
                head[members] = records[name]
            order[members] = np.arange(n_rows, n_rows + len(members))
            n_rows += len(members)
            tables.append(table)
        ask_table = (order >= 0) & (heads["known"] > at_us)
        ask_table[unknown] = True
        found = (order >= 0) & ~ask_table
        found &= self._is_young(np.where(found, heads["event_time"], at_us), at_us)
        return OnlineRows(
            rows=self._arranged(tables, np.where(found, order, -1)),
            found=found,
            ask_table=ask_table,
            versions=heads["version"],
            event_time_us=heads["event_time"],
            available_at_us=heads["available_at"],
        )

    def _is_young(self, event_time_us: NDArray[np.int64], at_us: NDArray[np.int64]) -> NDArray[np.bool_] | np.bool_:
        """Whether rows of these times are no older than asked for."""
        return at_us - event_time_us <= self.max_age_us if self.max_age_us < _NO_LIMIT else np.True_

    def _arranged(self, tables: Sequence[pa.Table], order: NDArray[np.int64]) -> pa.Table:
        """Rows of several tables in an order; nulls for -1."""
        schema = pa.schema([pa.field(f.name, f.type) for f in self.columns])
        rows = pa.concat_tables(tables) if tables else schema.empty_table()
        if len(rows) == len(order) and (order[1:] > order[:-1]).all() and not (order < 0).any():
            return rows
        return rows.take(pa.array(order, mask=order < 0))

    def _absent(self, address: bytes, at_us: int) -> Answer:
        """As `answer`, where nothing was found."""
        if address == NOWHERE:
            return None
        record, row = self.store.get_many([self._record, address])  # of one moment: a build may just have ended
        if not self._is_whole(record):
            return AskTable(NEVER)
        return None if row is None else self._search(row, address, at_us)

    def _look_again(self, rows: list[bytes | None], addresses: Sequence[bytes]) -> list[int]:
        """Where nothing was found although there may be something: the store does not hold the whole table."""
        absent = [i for i, row in enumerate(rows) if row is None and addresses[i] != NOWHERE]
        if not absent:
            return []
        record, *again = self.store.get_many([self._record, *(addresses[i] for i in absent)])
        if not self._is_whole(record):
            return absent
        for i, row in zip(absent, again, strict=True):
            rows[i] = row
        return []

    def _is_whole(self, record: bytes | None) -> bool:
        """Whether the store holds the whole table, by keys that are written as ours are."""
        judged, whole = self._judged
        if record is None or record != judged:
            state = State.from_bytes(record)
            whole = state.version >= 0 and not state.building and list(state.keys) == self.keys.kinds
            self._judged = (record, whole)
        return whole

    def _search(self, row: bytes, address: bytes, at_us: int) -> Answer:
        """As `answer`, where a waiting row may have surfaced, or the row lies under another schema."""
        current: bytes | None = row
        if int.from_bytes(row[_NEXT_PLACE], "little", signed=True) <= at_us:
            current = self._surface(row, address, at_us)
        if current is None or current.startswith(NO_ROW):
            return None
        decoder = self._decoder_of(current[: len(NO_ROW)])
        pick = decoder.pick
        self.plain = None if pick is None else Plain(decoder.tag, decoder.unpack, decoder.no_nulls, pick)
        try:
            fields = decoder.unpack(current)
        except struct.error:
            raise damaged(len(current)) from None
        if fields[_KNOWN] > at_us:
            return AskTable(fields[_KNOWN])
        return self._found(decoder, fields, current, at_us)

    def _found(self, decoder: RowDecoder, fields: Fields, row: bytes, at_us: int) -> OnlineRow | None:
        if at_us - fields[_EVENT_TIME] > self.max_age_us:
            return None
        return OnlineRow(
            self.names, decoder.values(fields, row), fields[_VERSION], fields[_EVENT_TIME], fields[_AVAILABLE_AT]
        )

    def _surface(self, row: bytes, address: bytes, at_us: int) -> bytes | None:
        """The row that counts at a moment, given one that another follows by then.

        Between two looks a writer may have put the waiting row in its place, so then it is there to be read.
        """
        while True:
            waiting = self.store.surfaced(address, at_us)
            if waiting is not None:
                return waiting
            again = self.store.get_many([address])[0]
            if again is None or int.from_bytes(again[_NEXT_PLACE], "little", signed=True) > at_us:
                return again
            if again == row:
                raise damaged(len(row))  # it says that another row waits, and none does
            row = again

    def _decoder_of(self, tag: bytes) -> RowDecoder:
        if tag not in self._decoders:
            state = State.from_bytes(self.store.get_many([self._record])[0])
            layout = state.layout(tag)
            if layout is None:
                raise damaged(len(tag))
            self._decoders[tag] = RowDecoder(layout, self.columns)
        return self._decoders[tag]


def _datetime(us: int) -> datetime | None:
    return None if us == ALWAYS else _EPOCH + timedelta(microseconds=us)
