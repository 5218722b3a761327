"""Schemas: the names, types and nullability of columns.

One set of Arrow types is used throughout, so that a value written in one room means the same in every other. A type
that says the same in another layout or unit becomes that of the set; one that would lose values is refused. Called by
every room above.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

import pyarrow as pa

from groundswell.errors import (
    ColumnNotFoundError,
    DataError,
    InvalidNameError,
    SchemaError,
    TypeMismatchError,
    choices,
)

__all__ = [
    "DURATION",
    "HIDDEN_PREFIX",
    "TIME",
    "TIMESTAMP",
    "Field",
    "Schema",
    "as_schema",
    "canonical_type",
    "check_name",
    "datetime_from_iso",
    "format_duration",
    "is_numeric",
    "parse_duration",
    "parse_instant",
    "type_from_name",
    "type_name",
]

TIMESTAMP = pa.timestamp("us", tz="UTC")
"""The one timestamp type: microseconds since 1970-01-01T00:00:00Z."""

TIME = pa.time64("us")
"""The one type of times of day: microseconds since midnight."""

DURATION = pa.duration("us")
"""The one type of lengths of time: microseconds."""

HIDDEN_PREFIX = "__gs_"
"""Columns whose names begin with this are ours and never shown."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", "latest", "none", "null", "true", "false", "all", "champion", "default"}
    | {f"{device}{i}" for device in ("com", "lpt") for i in range(1, 10)}
)
_SAME_VALUES = {
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.date64(): pa.date32(),
}
_KEPT = frozenset(
    {
        pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
        pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.binary(), pa.date32(), TIMESTAMP, TIME, DURATION,
    }
)  # fmt: skip
_NAMES = {
    pa.string(): "string", pa.float64(): "float64", pa.float32(): "float32", pa.float16(): "float16",
    pa.bool_(): "bool", TIMESTAMP: "timestamp", TIME: "time", DURATION: "duration",
}  # fmt: skip
_UNITS_US = {
    unit: us
    for us, units in (
        (1, "us microsecond"), (10**3, "ms millisecond"), (10**6, "s sec second"), (60 * 10**6, "m min minute"),
        (3600 * 10**6, "h hour"), (86400 * 10**6, "d day"), (604800 * 10**6, "w week"),
    )
    for name in units.split()
    for unit in ((name, f"{name}s") if len(name) > 2 else (name,))
}  # fmt: skip
_DURATION_PART = r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*"


@dataclass(frozen=True)
class Field:
    """One column: its name, its type (one that `canonical_type` returns) and whether it may be null."""

    name: str
    type: pa.DataType
    nullable: bool = True

    def __str__(self) -> str:
        return f"{self.name}: {type_name(self.type)}" + ("" if self.nullable else " not null")


@dataclass(frozen=True)
class Schema:
    """An ordered set of columns with distinct names.

    >>> Schema.of({"origin": pa.string(), "temp": pa.float64()})
    Schema(origin: string, temp: float64)
    """

    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for field in self.fields:
            other = seen.get(field.name.casefold())
            seen[field.name.casefold()] = field.name
            if other is not None:
                raise SchemaError(
                    f"The column name {field.name!r} is there twice"
                    + (f" (as {other!r} and {field.name!r})." if other != field.name else "."),
                    why="Names must differ in more than upper and lower case, as SQL engines ignore case.",
                    fix="Rename one of the two.",
                    column=field.name,
                )

    @classmethod
    def of(cls, types: Mapping[str, pa.DataType]) -> Self:
        """A schema of nullable columns from a mapping of names to Arrow types."""
        return cls(tuple(Field(name, canonical_type(kind, name)) for name, kind in types.items()))

    @classmethod
    def from_arrow(cls, schema: pa.Schema) -> Self:
        """The schema that data with this Arrow schema is stored under.

        Raises:
            SchemaError: two columns have one name.
            TypeMismatchError: a column has a type that cannot be stored.
        """
        return cls(tuple(Field(f.name, canonical_type(f.type, f.name), f.nullable) for f in schema))

    def to_arrow(self) -> pa.Schema:
        """The same as an Arrow schema."""
        return pa.schema([pa.field(f.name, f.type, f.nullable) for f in self.fields])

    @classmethod
    def from_dict(cls, columns: Iterable[Mapping[str, Any]]) -> Self:
        """Read back what `to_dict` gave."""
        return cls(tuple(Field(c["name"], type_from_name(c["type"]), c["nullable"]) for c in columns))

    def to_dict(self) -> list[dict[str, Any]]:
        """The columns as plain values, for JSON."""
        return [{"name": f.name, "type": type_name(f.type), "nullable": f.nullable} for f in self.fields]

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [f.name for f in self.fields]

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise ColumnNotFoundError(
            f"There is no column {name!r}.", fix=choices(name, self.names, "columns"), column=name, known=self.names
        )

    def __contains__(self, name: object) -> bool:
        return any(f.name == name for f in self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __repr__(self) -> str:
        return f"Schema({', '.join(map(str, self.fields))})"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(f.name)}</td><td>{escape(type_name(f.type))}</td>"
            f"<td>{'' if f.nullable else 'not null'}</td></tr>"
            for f in self.fields
        )
        return f"<table><tr><th>column</th><th>type</th><th></th></tr>{rows}</table>"


def as_schema(schema: object) -> Schema:
    """The schema that a user gave, as one of pyarrow or as a mapping from names to types.

    Raises:
        TypeMismatchError: it is neither.
    """
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, pa.Schema):
        return Schema.from_arrow(schema)
    if isinstance(schema, Mapping):
        return Schema.of(schema)
    raise TypeMismatchError(
        f"A {type(schema).__name__} is no schema.",
        fix="Give a pyarrow schema, or a mapping from column names to pyarrow types.",
        type=type(schema).__name__,
    )


def canonical_type(kind: pa.DataType, column: str = "") -> pa.DataType:
    """The type that values of `kind` have in a table, every one of them unchanged.

    Numbers keep their type. Dictionaries become their values; times of all units become microseconds, timestamps in
    UTC; text and bytes have one type each, however Arrow lays them out; what is inside lists and structs may be null.
    Whether the values survive, and what zone a naive time is in, is checked when data comes in.

    Raises:
        TypeMismatchError: a type that no table can hold: null, map, union, interval, decimals of more than 38 digits.
        SchemaError: two fields of a struct have one name.

    >>> canonical_type(pa.dictionary(pa.int8(), pa.large_string()))
    DataType(string)
    """
    if kind in _KEPT:
        return kind
    if kind in _SAME_VALUES:
        return _SAME_VALUES[kind]
    if pa.types.is_dictionary(kind):
        return canonical_type(kind.value_type, column)
    if pa.types.is_timestamp(kind):
        return TIMESTAMP
    if pa.types.is_time(kind):
        return TIME
    if pa.types.is_duration(kind):
        return DURATION
    if pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_decimal(kind) and max(kind.precision, kind.scale, kind.precision - kind.scale) <= 38:
        return pa.decimal128(max(kind.precision, kind.scale, kind.precision - kind.scale), max(kind.scale, 0))
    if _is_list(kind) or (pa.types.is_fixed_size_list(kind) and kind.list_size > 0):
        element = pa.field("element", canonical_type(kind.value_type, column), True)
        return pa.list_(element, kind.list_size if pa.types.is_fixed_size_list(kind) else -1)
    if pa.types.is_struct(kind) and len(kind) > 0:
        Schema(tuple(Field(f.name, pa.null()) for f in kind))  # refuses duplicate names
        return pa.struct([pa.field(f.name, canonical_type(f.type, column), True) for f in kind])
    raise _no_type(kind, column)


def _is_list(kind: pa.DataType) -> bool:
    of = pa.types
    return any(fits(kind) for fits in (of.is_list, of.is_large_list, of.is_list_view, of.is_large_list_view))


def _no_type(kind: pa.DataType, column: str) -> TypeMismatchError:
    why, fix = "Parquet, Delta Lake and DuckDB have no type in common that keeps its values.", "Cast it first."
    if pa.types.is_null(kind):
        why, fix = "It does not say what its values will be.", "Cast the column to the type that its values will have."
    elif pa.types.is_decimal(kind):
        why, fix = "Decimals have 38 digits at most, those after the point included.", "Round it, or store it as text."
    elif pa.types.is_map(kind):
        why, fix = "Keys of a map may be there twice.", "Make it a list of structs, with fields for key and value."
    elif pa.types.is_nested(kind):
        why, fix = "Parquet cannot write a value without parts.", "Drop the column."
    return TypeMismatchError(
        f"Column {column!r} has the type {kind}, which cannot be stored.",
        why=why,
        fix=fix,
        column=column,
        type=str(kind),
    )


def is_numeric(kind: pa.DataType) -> bool:
    """Whether values of the type are numbers or booleans."""
    of = pa.types
    return any(fits(kind) for fits in (of.is_integer, of.is_floating, of.is_decimal, of.is_boolean))


def type_name(kind: pa.DataType) -> str:
    """The type's name as it is stored and shown; `type_from_name` reads it back.

    >>> type_name(pa.list_(pa.float64()))
    'list<float64>'
    """
    if kind in _NAMES:
        return _NAMES[kind]
    if pa.types.is_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    if pa.types.is_fixed_size_list(kind):
        return f"list<{type_name(kind.value_type)}>[{kind.list_size}]"
    if pa.types.is_struct(kind):
        return "struct<" + ", ".join(f"{json.dumps(f.name)}: {type_name(f.type)}" for f in kind) + ">"
    return str(kind).replace("[day]", "")


def type_from_name(name: str) -> pa.DataType:
    """The type with that name.

    Raises:
        TypeMismatchError: it is the name of none.

    >>> type_from_name('struct<"a": int64, "b": list<timestamp>>')
    StructType(struct<a: int64, b: list<element: timestamp[us, tz=UTC]>>)
    """
    kind, rest = _parse_type(name)
    if rest:
        raise _expected("the end", rest)
    return kind


def _parse_type(text: str) -> tuple[pa.DataType, str]:
    for kind in _KEPT:
        label = type_name(kind)
        if text.startswith(label) and not text[len(label) : len(label) + 1].isalnum():
            return kind, text[len(label) :]
    if text.startswith("list<"):
        inner, rest = _parse_type(text[5:])
        rest = _after(">", rest)
        size = re.match(r"\[(\d+)\]", rest)
        kind = pa.list_(pa.field("element", inner, True), int(size[1]) if size else -1)
        return kind, rest[size.end() :] if size else rest
    if text.startswith("struct<"):
        return _parse_struct(text[7:])
    if match := re.match(r"decimal128\((\d+), (-?\d+)\)", text):
        return pa.decimal128(int(match[1]), int(match[2])), text[match.end() :]
    raise TypeMismatchError(
        f"{text!r} is no type.", fix=choices(text, [type_name(k) for k in _KEPT], "types"), type=text
    )


def _parse_struct(text: str) -> tuple[pa.DataType, str]:
    fields: list[pa.Field] = []
    while not text.startswith(">"):
        text = _after(", ", text) if fields else text
        if not (quoted := re.match(r'"(?:[^"\\]|\\.)*"', text)):
            raise _expected("a name in quotes", text)
        inner, text = _parse_type(_after(": ", text[quoted.end() :]))
        fields.append(pa.field(json.loads(quoted[0], strict=False), inner, True))
    return pa.struct(fields), text[1:]


def _after(mark: str, text: str) -> str:
    if not text.startswith(mark):
        raise _expected(repr(mark), text)
    return text.removeprefix(mark)


def _expected(what: str, text: str) -> TypeMismatchError:
    return TypeMismatchError(
        f"In a type {what} was expected before {text!r}.",
        fix="Write 'list<int64>', 'list<float32>[8]' or 'struct<\"a\": int64>'.",
        type=text,
    )


def check_name(name: object, noun: str) -> str:
    """Return `name` if it can name a group, view or model, which become folders, tables and parts of an address.

    Raises:
        InvalidNameError: it is no text, has other characters than letters, digits and underscores, begins with none of
            the letters, is longer than 128, or is reserved.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        usable = re.sub(r"[^A-Za-z0-9_]+", "_", str(name)).strip("_0123456789")[:128] or noun.replace(" ", "_")
        raise InvalidNameError(
            f"{name!r} cannot name a {noun}.",
            why="Names become folders and addresses: they begin with a letter, go on with letters, digits and "
            "underscores, and are at most 128 long.",
            fix=f"Use {usable!r}, for example.",
            name=name,
        )
    if name.casefold() in _RESERVED:
        raise InvalidNameError(
            f"{name!r} is reserved and cannot name a {noun}.",
            why="It means something else to the file system or in a reference such as model@champion.",
            fix=f"Use '{name}_{noun.split()[-1]}', for example.",
            name=name,
        )
    return name


def datetime_from_iso(text: str) -> datetime:
    """The datetime that a text in ISO 8601 says; ValueError if it says none, or one with digits beyond microseconds."""
    if re.search(r"[.,]\d{6}\d*[1-9]", text):  # Python cuts these off in silence
        raise ValueError(f"{text!r} has digits beyond microseconds")
    return datetime.fromisoformat(text)


def parse_instant(value: str | date | datetime, what: str = "the time") -> datetime:
    """A moment in UTC from ISO 8601 text, a date (its midnight) or a datetime; one without a zone is taken as UTC.

    Raises:
        DataError: it cannot be read as a moment, or has digits beyond microseconds.

    >>> parse_instant("2013-12-20T15:00+01:00")
    datetime.datetime(2013, 12, 20, 14, 0, tzinfo=datetime.timezone.utc)
    """
    moment: date | datetime
    if isinstance(value, str):
        try:
            moment = datetime_from_iso(value)
        except ValueError:
            raise DataError(
                f"{value!r} cannot be read as {what}.",
                fix="Write it as '2013-11-01' or '2013-11-01T15:00Z'.",
                value=value,
            ) from None
    elif isinstance(value, date) and value == value:  # pandas' NaT is a date that does not equal itself
        moment = value
    else:
        raise DataError(
            f"{value!r} ({type(value).__name__}) cannot be read as {what}.",
            fix="Give a datetime, a date or ISO 8601 text.",
            value=value,
        )
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if getattr(moment, "nanosecond", 0):
        raise DataError(
            f"{value!r} has nanoseconds and cannot be {what}.", fix="Round it: value.floor('us').", value=value
        )
    zone = UTC if moment.tzinfo is None else moment.tzinfo
    plain = datetime.combine(moment.date(), moment.time(), zone)  # so that of pandas' Timestamp a datetime comes out
    try:
        return plain.astimezone(UTC)
    except OverflowError:
        raise DataError(
            f"{value!r} is before the year 1 or after 9999 in UTC, and cannot be {what}.",
            fix="Give a moment between them.",
            value=value,
        ) from None


def parse_duration(value: str | timedelta, what: str = "the duration") -> timedelta:
    """A length of time from a timedelta or text such as "90s", "3h", "1d 12h".

    Raises:
        DataError: it cannot be read, or is negative.

    >>> parse_duration("1d 12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(value, str):
        value = _duration_from_text(value, what)
    if not isinstance(value, timedelta) or value < timedelta():
        raise DataError(f"{value!r} cannot be {what}.", fix="Give a timedelta of zero or more, or '3h'.", value=value)
    return value


def format_duration(value: timedelta) -> str:
    """A length of time as the text that `parse_duration` takes.

    >>> format_duration(timedelta(days=1, seconds=43200))
    '1d 12h'
    """
    left, parts = value // timedelta(microseconds=1), []
    for unit in ("d", "h", "min", "s", "us"):
        count, left = divmod(left, _UNITS_US[unit])
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts) or "0s"


def _duration_from_text(text: str, what: str) -> timedelta:
    """Whole microseconds, computed as decimals: "0.1s" is exactly 100,000 of them."""
    parts = re.findall(_DURATION_PART, text.lower())
    if not re.fullmatch(f"(?:{_DURATION_PART})+", text.lower()) or any(unit not in _UNITS_US for _, unit in parts):
        raise DataError(
            f"{text!r} cannot be read as {what}.",
            fix="Write a number and a unit: us, ms, s, min, h, d or w, such as '3h' or '1d 12h'.",
            value=text,
        )
    try:
        return timedelta(microseconds=round(sum(Decimal(n) * _UNITS_US[unit] for n, unit in parts)))
    except OverflowError:
        raise DataError(f"{text!r} is too long for {what}.", fix="Give less than 10,000 years.", value=text) from None
