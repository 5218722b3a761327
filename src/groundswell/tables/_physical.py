"""Types as they lie in files: what Delta Lake has no type for is stored in one that holds every value of it.

Unsigned integers lie in the next wider signed type, 64 bits of them in a decimal of 20 digits; half floats in single
ones; times of day and durations as microseconds in 64 bits; vectors of fixed size as lists. Other tools see these. The
table's definition keeps the types that were meant, and reading restores them. No value passes through a float.
"""

import pyarrow as pa

from groundswell.types import DURATION, TIME

__all__ = ["physical_schema", "physical_type", "to_physical"]

_STORED = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    TIME: pa.int64(),
    DURATION: pa.int64(),
}


def physical_type(kind: pa.DataType) -> pa.DataType:
    """The type in which values of a type lie in Parquet files and stand in the Delta table's schema.

    >>> physical_type(pa.uint64())
    Decimal128Type(decimal128(20, 0))
    """
    if kind in _STORED:
        return _STORED[kind]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", physical_type(kind.value_type), True))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, physical_type(f.type), True) for f in kind])
    return kind


def physical_schema(schema: pa.Schema) -> pa.Schema:
    """The same columns in the types in which they lie in files."""
    return pa.schema([pa.field(f.name, physical_type(f.type), f.nullable) for f in schema])


def to_physical(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in the types of a physical schema, which has its columns in its order. Columns that fit are not copied.

    Raises:
        ArrowInvalid: a value does not fit its column's type.
    """
    pairs = zip(batch.columns, schema, strict=True)
    return pa.RecordBatch.from_arrays([c if c.type == f.type else c.cast(f.type) for c, f in pairs], schema=schema)
