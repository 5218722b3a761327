"""From any frame to batches that fit a table: every value unchanged, or refused by name.

Delta Lake writers cast silently; this is where we do not. A value may only change its representation: an integer
widens, a float that is whole becomes an integer, text in ISO 8601 becomes a timestamp, a dictionary its values.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import ColumnNotFoundError, DataError, TypeMismatchError, choices
from groundswell.tables._definition import Definition
from groundswell.types import TIMESTAMP, Field, Schema, type_name


def read_frame(data: object) -> pa.RecordBatchReader:
    """The batches of anything tabular.

    Args:
        data: pandas, polars, pyarrow, DuckDB or anything else with `__arrow_c_stream__`; a mapping of names to
            columns; a sequence of mappings (records). A pandas index is not a column and is left out.

    Raises:
        TypeMismatchError: it is none of these, or a column mixes types.
        DataError: a column mixes time zones.
    """
    try:
        if isinstance(data, pd.DataFrame):
            _check_pandas(data)
            return pa.Table.from_pandas(data, preserve_index=False).to_reader()
        if isinstance(data, Mapping):
            return pa.table(dict(data)).to_reader()
        if (
            isinstance(data, Sequence)
            and not isinstance(data, str | bytes)
            and all(isinstance(r, Mapping) for r in data)
        ):
            return pa.table(_columns_of(data)).to_reader()
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TypeMismatchError(
            f"A column cannot be read: {error}", fix="Give each column values of one type."
        ) from None
    if hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(data)
    if hasattr(data, "to_batches") and hasattr(data, "schema"):  # pyarrow datasets
        return pa.RecordBatchReader.from_batches(data.schema, data.to_batches())
    raise TypeMismatchError(
        f"A {type(data).__name__} is no table.",
        why="Data comes in through the Arrow C stream, which pandas, polars, pyarrow and DuckDB offer.",
        fix="Give a data frame, an Arrow table, a mapping of columns or a list of records; collect a lazy frame.",
        type=type(data).__name__,
    )


def infer_schema(data: pa.Schema, *, identity: Sequence[str]) -> Schema:
    """The schema of a table made for this data: key and time columns first, as they are most read.

    Raises:
        SchemaError: a column name is there twice.
        TypeMismatchError: a column has only nulls, or a type that cannot be stored.
    """
    schema = Schema.from_arrow(data)
    return Schema(tuple(Field(f.name, f.type) for f in sorted(schema, key=lambda f: f.name not in identity)))


def check_columns(given: pa.Schema, definition: Definition) -> None:
    """Raise unless the columns given are exactly those of the table, in any order.

    Raises:
        SchemaError: a column is there twice.
        ColumnNotFoundError: a column is missing, or is not in the schema.
    """
    Schema(tuple(Field(name, pa.null()) for name in given.names))  # refuses duplicate names
    known, name = definition.schema.names, definition.name
    for column in known:
        if column not in given.names:
            role = "primary key" if column in definition.primary_key else "column"
            raise ColumnNotFoundError(
                f"The {role} {column!r} of group {name!r} is missing from the data.",
                why=f"The data has {', '.join(map(repr, given.names))}.",
                fix="Add the column; give nulls where it has no value."
                if column not in definition.identity
                else "Add the column: rows are found by it.",
                column=column,
                group=name,
            )
    for column in given.names:
        if column not in known:
            raise ColumnNotFoundError(
                f"The data has a column {column!r} that group {name!r} does not have.",
                fix=choices(column, known, "columns") + " Drop the column, or make a new version of the group.",
                column=column,
                group=name,
                known=known,
            )


def conform(
    batches: pa.RecordBatchReader, definition: Definition, time_zone: str | None = None
) -> Iterator[pa.RecordBatch]:
    """The batches with the table's columns in the table's order and types, checked row by row.

    Args:
        batches: the data.
        definition: what the rows must be.
        time_zone: the IANA zone that naive times are in, such as "America/New_York"; None refuses naive times.

    Raises:
        ColumnNotFoundError, SchemaError: as `check_columns`.
        TypeMismatchError: a value cannot be stored unchanged.
        DataError: a null key or time, a naive time without a zone, text that is no time.
    """
    check_columns(batches.schema, definition)
    if time_zone is not None:
        _check_zone(time_zone)
    arrow, offset = definition.schema.to_arrow(), 0
    for batch in batches:
        columns = []
        for field in definition.schema:
            column = cast_column(batch.column(field.name), field, time_zone=time_zone, offset=offset)
            if not field.nullable and column.null_count:
                raise _null(definition, field, offset + pc.index(column.is_null(), True).as_py())
            columns.append(column)
        yield pa.RecordBatch.from_arrays(columns, schema=arrow)
        offset += batch.num_rows


def cast_column(column: pa.Array, field: Field, *, time_zone: str | None = None, offset: int = 0) -> pa.Array:
    """The column in the field's type, no value changed.

    Raises:
        TypeMismatchError: a value cannot be represented in the type; the message names the row and the value.
        DataError: a time is naive and no zone is given, or text is no time.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.type == field.type:
        return column
    if field.type == TIMESTAMP:
        return _to_timestamp(column, field, time_zone, offset)
    if not _may_become(column.type, field.type):
        raise TypeMismatchError(
            f"Column {field.name!r} has the type {column.type} and must be {type_name(field.type)}.",
            why="A silent conversion could change values.",
            fix="Convert it first.",
            column=field.name,
            type=str(column.type),
            expected=type_name(field.type),
        )

    def cast(values: pa.Array) -> pa.Array:
        out = values.cast(field.type)
        lossy = pa.types.is_floating(out.type) and pa.types.is_floating(values.type) and out.type != values.type
        if lossy and not out.cast(values.type).equals(values) and not _same_but_nan(out, values):
            raise pa.ArrowInvalid("digits would be lost")
        return out

    try:
        return cast(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row, value = _first_failure(column, cast)
        raise TypeMismatchError(
            f"Column {field.name!r}, row {offset + row}: {value!r} cannot be stored as {type_name(field.type)}.",
            why=f"The value would change ({str(error).splitlines()[0]}).",
            fix="Round or drop it, or give the group a column of a wider type.",
            column=field.name,
            row=offset + row,
            value=value,
        ) from None


def _to_timestamp(column: pa.Array, field: Field, time_zone: str | None, offset: int) -> pa.Array:
    kind = column.type
    if pa.types.is_null(kind):
        return column.cast(TIMESTAMP)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _parse_times(column, field, time_zone, offset)
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise TypeMismatchError(
            f"Column {field.name!r} has the type {kind}, which is no time.",
            why="A number does not say which moment it stands for.",
            fix="Convert it first, with pandas.to_datetime(column, unit='s', utc=True) for seconds since 1970.",
            column=field.name,
            type=str(kind),
        )
    if pa.types.is_date(kind) or kind.tz is None:
        if time_zone is None:
            raise _naive(field, column[0].as_py() if len(column) else None)
        column = _localize(
            column.cast(pa.timestamp("ns" if getattr(kind, "unit", "") == "ns" else "us")), field, time_zone
        )
    try:
        return column.cast(TIMESTAMP)
    except pa.ArrowInvalid as error:
        row, value = _first_failure(column, lambda values: values.cast(TIMESTAMP))
        raise TypeMismatchError(
            f"Column {field.name!r}, row {offset + row}: {value} cannot be stored in microseconds.",
            why=f"Digits would be lost or the time is out of range ({str(error).splitlines()[0]}).",
            fix="Round it first, with pandas: column.dt.floor('us').",
            column=field.name,
            row=offset + row,
        ) from None


def _localize(column: pa.Array, field: Field, time_zone: str) -> pa.Array:
    try:
        return pc.assume_timezone(column, time_zone)
    except pa.ArrowInvalid:
        _, value = _first_failure(column, lambda values: pc.assume_timezone(values, time_zone))
        raise _no_single_moment(field, time_zone, repr(value)) from None


def _no_single_moment(field: Field, time_zone: str, value: str) -> DataError:
    return DataError(
        f"Column {field.name!r} holds a local time that {time_zone} has twice or not at all: {value}.",
        why="Clocks change there.",
        fix="Convert to UTC where the times come from, or say which hour is meant with pandas' tz_localize.",
        column=field.name,
    )


def _parse_times(column: pa.Array, field: Field, time_zone: str | None, offset: int) -> pa.Array:
    zone = ZoneInfo(time_zone) if time_zone else None
    moments: list[datetime | None] = []
    for row, text in enumerate(column.to_pylist()):
        try:
            moment = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            raise DataError(
                f"Column {field.name!r}, row {offset + row}: {text!r} cannot be read as a time.",
                fix="Write times in ISO 8601, such as '2013-11-01T15:00Z', or convert the column to timestamps first.",
                column=field.name,
                row=offset + row,
                value=text,
            ) from None
        if moment is not None and moment.tzinfo is None:
            if zone is None:
                raise _naive(field, text)
            moment = moment.replace(tzinfo=zone)
            if moment.utcoffset() != moment.replace(fold=1).utcoffset():
                raise _no_single_moment(field, str(zone), repr(text))
        moments.append(moment)
    return pa.array(moments, TIMESTAMP)


def _may_become(kind: pa.DataType, wanted: pa.DataType) -> bool:
    def number(t: pa.DataType) -> bool:
        return bool(pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t))

    def family(t: pa.DataType) -> str:
        tests: dict[str, Callable[[pa.DataType], bool]] = {
            "number": number,
            "text": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t),
            "bytes": lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_binary_view(t),
            "date": pa.types.is_date,
            "list": lambda t: pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t),
            "struct": pa.types.is_struct,
        }
        return next((name for name, test in tests.items() if test(t)), str(t))

    return pa.types.is_null(kind) or family(kind) == family(wanted)


def _same_but_nan(out: pa.Array, values: pa.Array) -> bool:
    back = out.cast(values.type)
    same = pc.or_kleene(pc.equal(back, values), pc.and_kleene(pc.is_nan(back), pc.is_nan(values)))
    return bool(pc.all(same, skip_nulls=True).as_py() is not False)


def _first_failure(column: pa.Array, cast: Callable[[pa.Array], pa.Array]) -> tuple[int, Any]:
    """The first value that cannot be cast, by halving: a batch has few rows, and this happens once."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            cast(column.slice(low, middle - low))
            low = middle
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
    return low, column[low].as_py() if not pa.types.is_timestamp(column.type) else str(column[low])


def _check_pandas(frame: pd.DataFrame) -> None:
    Schema(tuple(Field(str(name), pa.null()) for name in frame.columns))  # refuses duplicate names
    for name in frame.columns:
        if not isinstance(name, str):
            raise TypeMismatchError(
                f"The data has a column named {name!r} ({type(name).__name__}); names are text.",
                fix="Rename the columns, with pandas: frame.columns = frame.columns.astype(str).",
                column=name,
            )
        if frame[name].dtype == object:
            _refuse_mixed_zones(name, frame[name].array)


def _columns_of(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns of records that need not all have the same keys: Arrow itself looks at the first record only."""
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: [record.get(name) for record in records] for name in names}
    for name, values in columns.items():
        _refuse_mixed_zones(name, values)
    return columns


def _refuse_mixed_zones(column: str, values: Iterable[object]) -> None:
    zones = {str(v.tzinfo) for v in values if isinstance(v, datetime) and v is not pd.NaT}
    if len(zones) > 1:
        raise DataError(
            f"Column {column!r} mixes the time zones {', '.join(sorted(zones))}.",
            why="One of them is likely a mistake, and a naive time among others has no meaning.",
            fix="Convert the column to one zone first, with pandas.to_datetime(column, utc=True).",
            column=column,
            zones=sorted(zones),
        )


def _naive(field: Field, value: object) -> DataError:
    return DataError(
        f"Column {field.name!r} holds times without a time zone, such as {str(value)!r}.",
        why="The same text is a different moment in each zone, and joins compare moments.",
        fix="Name the zone: insert(frame, time_zone='UTC'), or time_zone='America/New_York'.",
        column=field.name,
        value=value,
    )


def _null(definition: Definition, field: Field, row: int) -> DataError:
    roles = {definition.event_time: "event time", definition.available_at: "availability"}
    role = roles.get(field.name, "primary key" if field.name in definition.primary_key else "column")
    return DataError(
        f"The {role} {field.name!r} of group {definition.name!r} is null in row {row}.",
        why="A row is found by its key and time; without them it could never be read."
        if field.name in definition.identity
        else "The schema says that it is never null.",
        fix=f"Drop such rows, with pandas: frame.dropna(subset=[{field.name!r}]).",
        column=field.name,
        row=row,
        group=definition.name,
    )


def _check_zone(time_zone: str) -> None:
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(
            f"{time_zone!r} is no time zone.",
            fix="Use an IANA name such as 'UTC' or 'Europe/Stockholm'.",
            time_zone=time_zone,
        ) from None
