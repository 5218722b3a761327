"""Proof that rows differ: never given where two have one identity, and given where columns of numbers tell."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.tables import Definition
from groundswell.tables._fingerprints import Fingerprints
from groundswell.types import Schema

START = datetime(2024, 1, 1, tzinfo=UTC)


def passed(rows: list[tuple[object, ...]], names: list[str], cuts: list[int], **definition: object) -> Fingerprints:
    """The fingerprints of rows that passed by in batches."""
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})
    schema = Schema.from_arrow(table.schema)
    made = Definition.of("rows", definition["primary_key"], definition.get("event_time"), None, schema)
    table = table.cast(made.schema.to_arrow())
    edges = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    batches = [batch for a, b in pairwise(edges) for batch in table.slice(a, b - a).to_batches()]
    fingerprints = Fingerprints(made)
    assert list(fingerprints.of(batches)) == batches
    return fingerprints


@given(
    rows=st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 5)), min_size=1, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=3),
)
def test_numbers_and_times_tell_exactly(rows: list[tuple[int, int]], cuts: list[int]) -> None:
    timed = [(key, START + timedelta(microseconds=moment)) for key, moment in rows]
    found = passed(timed, ["key", "at"], cuts, primary_key=["key"], event_time="at")
    assert found.differ() == (len(set(rows)) == len(rows))


@given(keys=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, unique=True), cut=st.integers(0, 40))
def test_one_number_alone_is_never_taken_for_another(keys: list[int], cut: int) -> None:
    assert passed([(key,) for key in keys], ["key"], [cut], primary_key=["key"]).differ()


@pytest.mark.parametrize(("step", "proven"), [(1, True), (0, False)])
def test_rows_with_text_for_a_key_differ_if_their_times_do(*, step: int, proven: bool) -> None:
    rows = [(f"k{i}", START + timedelta(seconds=step * i)) for i in range(5)]
    assert passed(rows, ["key", "at"], [2], primary_key=["key"], event_time="at").differ() == proven


def test_text_alone_proves_nothing() -> None:
    assert not passed([("a",), ("b",)], ["key"], [], primary_key=["key"]).differ()


def test_unsigned_numbers_beyond_those_with_a_sign() -> None:
    keys = pa.array([2**64 - 1, 2**63, 1], pa.uint64())
    batch = pa.record_batch({"key": keys})
    fingerprints = Fingerprints(Definition.of("rows", ["key"], None, None, Schema.from_arrow(batch.schema)))
    assert list(fingerprints.of([batch, batch.slice(0, 1)])) == [batch, batch.slice(0, 1)]
    assert not fingerprints.differ()
    assert list(fingerprints.of([])) == []
