"""Requests as they come in: of one a mapping, of many anything tabular, with values of the groups' types."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, choices
from groundswell.features._entities import read_entities
from groundswell.features._table_lookup import AT
from groundswell.tables import read_frame
from groundswell.types import TIMESTAMP, Schema

__all__ = ["Requests"]

_CLASSES: dict[pa.DataType, type] = {
    pa.bool_(): bool, pa.int64(): int, pa.int32(): int, pa.int16(): int, pa.int8(): int, pa.uint64(): int,
    pa.uint32(): int, pa.uint16(): int, pa.uint8(): int, pa.float64(): float, pa.string(): str, pa.binary(): bytes,
    pa.date32(): date,
}  # fmt: skip
"""The types of which a value of Python's own class is the value; of others it may have to be converted."""


class Requests:
    """Reads requests to one view.

    Args:
        schema: what a request must bring.
        features: which of that come out as they came in; the rest are keys alone.
    """

    def __init__(self, schema: Schema, features: Sequence[str]) -> None:
        self._schema, self._size = schema, len(schema)
        self._arrow = pa.schema([pa.field(f.name, f.type) for f in schema])
        self._features = [(name, _CLASSES.get(schema[name].type)) for name in features]
        self._bounds = [(name, *_bounds(schema[name].type)) for name, kind in self._features if kind is int]

    def one(
        self,
        keys: Mapping[str, Any],
        request: Mapping[str, Any] | None,  # Any: values of the schema's types
    ) -> Mapping[str, Any]:
        """The values of one request. Keys are not looked at: whoever looks them up does, and may need `converted`.

        Raises:
            ColumnNotFoundError, SchemaError, TypeMismatchError, DataError: as for `converted`.
        """
        given = keys if request is None else {**keys, **request}
        if not self._features and len(given) == self._size:
            return given
        return given if len(given) == self._size and self._is_plain(given) else self.converted(given)

    def converted(self, given: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: as above
        """The values of one request in the schema's types.

        Raises:
            ColumnNotFoundError: a value is missing.
            SchemaError: there is one that has no role.
            TypeMismatchError, DataError: one cannot be taken as the group's type.
        """
        row: Mapping[str, Any] = self.many([given]).to_pylist()[0]
        return row

    def many(self, keys: object, requests: object | None = None) -> pa.Table:
        """The columns of many requests.

        Args:
            keys: anything tabular.
            requests: further columns of the same rows.

        Raises:
            DataError: the two have not the same number of rows.
            ColumnNotFoundError, SchemaError, TypeMismatchError, DataError: as for `converted`.
        """
        if requests is None and isinstance(keys, list) and (plain := self._columns_of(keys)) is not None:
            return plain
        table = keys if isinstance(keys, pa.Table) else self._read(keys)
        if requests is not None:
            table = _beside(table, requests if isinstance(requests, pa.Table) else self._read(requests))
        if table.schema.equals(self._arrow):
            return table
        self._check_names(table.column_names)
        timed = table.append_column(AT, pa.nulls(len(table), TIMESTAMP))
        return read_entities(timed, self._schema, AT, (), None)[0].drop_columns([AT])

    def _columns_of(self, records: list[Any]) -> pa.Table | None:  # Any: whatever the list holds
        """The columns of records whose values are of Python's own classes; None if anything needs a closer look.

        That look takes as long as looking a hundred keys up.
        """
        columns = []
        try:
            if any(len(record) != self._size for record in records):
                return None
            for field in self._arrow:
                values = [record[field.name] for record in records]
                if not {*map(type, values)} <= {_CLASSES.get(field.type), type(None)}:
                    return None
                columns.append(pa.array(values, field.type))
        except (TypeError, KeyError, pa.ArrowInvalid, OverflowError):  # no mapping, a name too few, a number too large
            return None
        return pa.Table.from_arrays(columns, schema=self._arrow)

    def _check_names(self, given: Sequence[str]) -> None:
        for name in self._schema.names:
            if name not in given:
                raise ColumnNotFoundError(
                    f"The request has no {name!r}.",
                    why="The view needs it as a feature, or as a key to look others up.",
                    fix=choices(name, given, "values of the request"),
                    column=name,
                    known=list(given),
                )
        for name in given:
            if name not in self._schema:
                raise SchemaError(
                    f"The request has {name!r}, which the view does not take.",
                    fix=choices(name, self._schema.names, "values"),
                    column=name,
                )

    def _read(self, data: object) -> pa.Table:
        if isinstance(data, Sequence) and not data:  # no records, so no columns either
            return self._arrow.empty_table()
        return read_frame(data).read_all()

    def _is_plain(self, given: Mapping[str, Any]) -> bool:  # Any: as above
        """Whether the features among the values are as the tables would give them."""
        try:
            return all(given[name] is None or type(given[name]) is kind for name, kind in self._features) and all(
                given[name] is None or low <= given[name] <= high for name, low, high in self._bounds
            )
        except KeyError:
            return False


def _bounds(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    return (0, (1 << bits) - 1) if pa.types.is_unsigned_integer(kind) else (-(1 << bits - 1), (1 << bits - 1) - 1)


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """The columns of two tables of as many rows."""
    if len(left) != len(right):
        raise DataError(f"There are {len(left)} keys and {len(right)} requests.", fix="Give one request for each key.")
    twice = [name for name in right.column_names if name in left.column_names]
    if twice:
        raise SchemaError(f"The column {twice[0]!r} is in keys and in requests.", fix="Leave one of them out.")
    for name in right.column_names:
        left = left.append_column(name, right[name])
    return left
