"""How the columns of a Parquet file are encoded: what writes and reads fastest, and is no larger.

- Times and whole numbers as differences: a third of the time of a dictionary to write, less to read, and rising ones
  shrink to next to nothing.
- Whole numbers that repeat as a dictionary: 64-bit identifiers, say, whose differences are as long as they are.
- Floating-point numbers plain: dictionaries of them seldom save anything, and decode at half the speed.
- All else as a dictionary, which Parquet gives up by itself where values do not repeat.

References:
    Apache Parquet, Encodings.md: DELTA_BINARY_PACKED, RLE_DICTIONARY.
    Lemire and Boytsov: Decoding billions of integers per second through vectorization, 2015.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Encodings", "choose_encodings"]

_SAMPLE = 16_384
_REPEATED = 4
"""Whole numbers of which each comes so often in a sample are taken to repeat."""


@dataclass(frozen=True)
class Encodings:
    """The encodings of the columns of a file; what is in neither is plain.

    Args:
        dictionary: the columns that have a dictionary.
        differences: the columns that are kept as differences.
    """

    dictionary: tuple[str, ...]
    differences: tuple[str, ...]


def choose_encodings(rows: pa.RecordBatch) -> Encodings:
    """The encodings for a file that begins with these rows, in the types in which they lie there."""
    dictionary, differences = list[str](), list[str]()
    for field in rows.schema:
        kind = field.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            differences.append(field.name)
        elif pa.types.is_integer(kind):
            (dictionary if _repeats(rows.column(field.name)) else differences).append(field.name)
        elif not pa.types.is_floating(kind):
            dictionary.append(field.name)
    return Encodings(tuple(dictionary), tuple(differences))


def _repeats(column: pa.Array) -> bool:
    sample = column.slice(0, _SAMPLE)
    return bool(_REPEATED * pc.count_distinct(sample, mode="all").as_py() < len(sample))
