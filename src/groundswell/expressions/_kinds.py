"""Which types go together, and the one type in which two of them are compared."""

from collections.abc import Sequence

import pyarrow as pa

from groundswell.types import TIMESTAMP

__all__ = ["common_type", "is_number", "sql_type"]

_DIGITS = {
    pa.int8(): 3, pa.int16(): 5, pa.int32(): 10, pa.int64(): 19,
    pa.uint8(): 3, pa.uint16(): 5, pa.uint32(): 10, pa.uint64(): 20,
}  # fmt: skip
_LONGEST = 38


def is_number(kind: pa.DataType) -> bool:
    """Whether values of the type can be computed with."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def common_type(left: pa.DataType, right: pa.DataType, *others: pa.DataType) -> pa.DataType | None:
    """The type in which values of all are compared; None if they cannot be.

    Integers and decimals are compared exactly. A float makes floats of both, as in Python and NumPy; integers beyond
    2^53 are rounded by that. A date is its midnight in UTC.

    >>> common_type(pa.int32(), pa.decimal128(5, 2))
    Decimal128Type(decimal128(38, 2))
    """
    if others:
        return _common_of_many((left, right, *others))
    if pa.types.is_null(left) or pa.types.is_null(right):
        known = right if pa.types.is_null(left) else left
        return pa.bool_() if pa.types.is_null(known) else known
    if left == right:
        return None if pa.types.is_nested(left) else left
    if is_number(left) and is_number(right):
        if pa.types.is_floating(left) or pa.types.is_floating(right):
            return pa.float64()
        return _exact(left, right)
    days = sum(pa.types.is_date(kind) for kind in (left, right))
    return TIMESTAMP if days == 1 and TIMESTAMP in (left, right) else None


def _common_of_many(kinds: Sequence[pa.DataType]) -> pa.DataType | None:
    if all(is_number(kind) and not pa.types.is_floating(kind) for kind in kinds):
        return _exact(*kinds)  # at once: a decimal of two of them would claim digits that the third one needs
    if all(is_number(kind) for kind in kinds):
        return pa.float64()
    kind = kinds[0]
    for other in kinds[1:]:
        common = common_type(kind, other)
        if common is None:
            return None
        kind = common
    return kind


def _exact(*kinds: pa.DataType) -> pa.DataType | None:
    if pa.uint64() not in kinds and all(pa.types.is_integer(kind) for kind in kinds):
        return pa.int64()
    scale = max(_scale(kind) for kind in kinds)
    if max(_digits(kind) - _scale(kind) for kind in kinds) + scale > _LONGEST:
        return None
    return pa.decimal128(_LONGEST, scale)


def _scale(kind: pa.DataType) -> int:
    return int(kind.scale) if pa.types.is_decimal(kind) else 0


def _digits(kind: pa.DataType) -> int:
    return int(kind.precision) if pa.types.is_decimal(kind) else _DIGITS[kind]


def sql_type(kind: pa.DataType) -> str:
    """The name in SQL of a type that `common_type` gives for two different ones."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return {pa.int64(): "BIGINT", pa.float64(): "DOUBLE", TIMESTAMP: "TIMESTAMPTZ"}[kind]
