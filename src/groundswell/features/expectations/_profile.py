"""A first suite for data that one knows little of yet: rules that it obeys now, with some room, and why each."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.features.expectations._expectation import Expectation
from groundswell.features.expectations._suite import Suite
from groundswell.features.expectations._vocabulary import expect
from groundswell.tables import read_frame

_FEW_ROWS = 20
"""From so few rows nothing is concluded but what is missing."""

_FEW_VALUES = 20
"""A column of text with at most so many values, each there ten times on average, is a category."""

_MISSING_MARGIN = 0.5
"""Half as many missing values again are let pass."""

_ROOM = 0.25
"""How far beyond the values seen a range reaches, as a share of its length."""

_HUGE = 1e100
"""Beyond this size, infinity included, numbers are marks or mistakes, and so are differences below its inverse."""

_CLASSES = {"[0-9]": re.compile("[0-9]"), "[A-Z]": re.compile("[A-Z]"), "[a-z]": re.compile("[a-z]")}


@dataclass(frozen=True)
class _Column:
    """A column of the data without its missing values."""

    name: str
    values: pa.ChunkedArray
    rows: int

    @property
    def share(self) -> float:
        return len(self.values) / self.rows


def profile(data: object) -> Suite:
    """Propose expectations for data like this, each with its reason.

    The suite prints as code to paste and correct; it can be used as it is, and the data itself obeys it. What rows will
    look like tomorrow nobody can tell from a sample, so ranges get some room and rules about summaries are warnings.

    Args:
        data: pandas, polars, pyarrow or anything else that a group takes; all of it is read into memory.

    Raises:
        TypeMismatchError: it is no table.

    >>> profile({"origin": ["EWR", "JFK"] * 20, "temp": [10.0, 30.0] * 20})[0]
    gs.expect('origin').complete()
    """
    table = read_frame(data).read_all()
    proposed = list(_propose(table)) if table.num_rows else []
    return Suite(tuple(e for e, _ in proposed), tuple(reason for _, reason in proposed))


def _propose(table: pa.Table) -> Iterator[tuple[Expectation, str]]:
    for name, values in zip(table.column_names, table.columns, strict=True):
        column = _Column(name, _present(values), table.num_rows)
        yield from _completeness(column)
        if len(column.values) < _FEW_ROWS:
            continue
        kind = column.values.type
        if _identifies(column):
            yield expect(name).unique(), f"{column.rows:,} different values in as many rows"
        if pa.types.is_string(kind):
            yield from _text(column)
        elif pa.types.is_integer(kind) and _identifies(column):
            continue  # numbers that only tell rows apart grow out of any range
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            yield from _numbers(column)
        elif pa.types.is_boolean(kind):
            yield from _booleans(column)


def _present(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    values = values.drop_null()
    return values.filter(pc.invert(pc.is_nan(values))) if pa.types.is_floating(values.type) else values


def _completeness(column: _Column) -> Iterator[tuple[Expectation, str]]:
    missing = column.rows - len(column.values)
    if not missing:
        yield expect(column.name).complete(), f"none of {column.rows:,} rows lacks it"
    elif len(column.values):
        share = math.floor(max(1 - (1 - column.share) * (1 + _MISSING_MARGIN), 0) * 100) / 100
        if share > 0:
            yield expect(column.name).complete(share), f"{missing:,} of {column.rows:,} rows lack it"


def _identifies(column: _Column) -> bool:
    kind = column.values.type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind)) or len(column.values) < column.rows:
        return False
    return bool(pc.count_distinct(column.values).as_py() == column.rows)


def _booleans(column: _Column) -> Iterator[tuple[Expectation, str]]:
    share = pc.mean(column.values.cast(pa.int8())).as_py()
    low, high = max(round(share - 0.1, 3), 0), min(round(share + 0.1, 3), 1)
    yield expect(column.name).mean_between(low, high).warning(), f"{share:.1%} are true"


def _numbers(column: _Column) -> Iterator[tuple[Expectation, str]]:
    bounds: Mapping[str, float] = pc.min_max(column.values).as_py()
    least, most = bounds["min"], bounds["max"]
    if max(abs(least), abs(most)) > _HUGE or 0 < most - least < 1 / _HUGE:
        return
    low, high = _widened(least, most)
    yield expect(column.name).between(low, high), f"the values run from {least:.6g} to {most:.6g}"
    mean, deviation = pc.mean(column.values).as_py(), pc.stddev(column.values).as_py()
    if deviation > 1 / _HUGE:
        low, high = (
            _rounded(mean - deviation / 2, deviation, down=True),
            _rounded(mean + deviation / 2, deviation, down=False),
        )
        reason = f"the mean is {mean:.6g}, half a standard deviation either way"
        yield expect(column.name).mean_between(low, high).warning(), reason


def _widened(least: float, most: float) -> tuple[float, float]:
    """A round range around the values, with room; values that are never negative, or are shares, stay so."""
    if least >= 0 and most <= 1 and isinstance(most, float):
        return 0, 1
    span = (most - least) or abs(most) or 1
    low, high = _rounded(least - span * _ROOM, span, down=True), _rounded(most + span * _ROOM, span, down=False)
    return (0 if least >= 0 else low), high


def _rounded(value: float, span: float, *, down: bool) -> float:
    """The value rounded outward to a tenth of the magnitude of the span; whole where it is whole."""
    step = 10.0 ** (math.floor(math.log10(span)) - 1)
    outward = (math.floor if down else math.ceil)(value / step) * step
    cleaned = round(outward, max(-math.floor(math.log10(step)), 0) + 1)
    cleaned = min(cleaned, value) if down else max(cleaned, value)
    return int(cleaned) if cleaned == int(cleaned) else cleaned


def _text(column: _Column) -> Iterator[tuple[Expectation, str]]:
    distinct = pc.unique(column.values)
    if len(distinct) <= min(_FEW_VALUES, len(column.values) / 10):
        yield expect(column.name).is_in(sorted(distinct.to_pylist())), f"{len(distinct)} values in {column.rows:,} rows"
        return
    pattern = _pattern(distinct.to_pylist())
    if pattern is not None:
        yield expect(column.name).matches(pattern), "every value has this shape"


def _pattern(texts: list[str]) -> str | None:
    """The regular expression of the shape that all texts share: runs of digits, capitals and small letters."""
    shapes = {tuple(kind for kind, _ in _runs(text)) for text in texts}
    if len(shapes) != 1 or not next(iter(shapes)) or len(next(iter(shapes))) > 12:
        return None
    (kinds,) = shapes
    lengths = list(zip(*([length for _, length in _runs(text)] for text in texts), strict=True))
    parts = []
    for kind, found in zip(kinds, lengths, strict=True):
        low, high = min(found), max(found)
        parts.append(kind + ("" if low == high == 1 else f"{{{low}}}" if low == high else f"{{{low},{high}}}"))
    return "".join(parts)


def _runs(text: str) -> list[tuple[str, int]]:
    """The text as runs of one class of characters; a character of no class stands for itself."""
    runs: list[tuple[str, int]] = []
    for character in text:
        kind = next((k for k, of in _CLASSES.items() if of.match(character)), re.escape(character))
        if runs and runs[-1][0] == kind:
            runs[-1] = kind, runs[-1][1] + 1
        else:
            runs.append((kind, 1))
    return runs
