"""Every type, through files and back: inserted, read, filtered, compacted, joined, and given to a model."""

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.types import DURATION, TIME, TIMESTAMP, canonical_type

numbering = count()


def integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return st.sampled_from([low, high, 0, 1]) | st.integers(low, high)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    bound = 10**precision - 1
    return (st.sampled_from([-bound, bound, 0]) | st.integers(-bound, bound)).map(
        lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale))
    )


SCALARS = {
    pa.bool_(): st.booleans(),
    **{kind: integers(kind.bit_width, signed=True) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())},
    **{kind: integers(kind.bit_width, signed=False) for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    pa.float16(): st.floats(width=16).map(np.float16),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    pa.large_string(): st.sampled_from(["", "é", "a\x00b"]),
    pa.binary(): st.binary(max_size=5),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.date32(): st.dates(),
    pa.timestamp("us", "Asia/Tokyo"): st.datetimes(
        datetime(2, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone
        datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    pa.time32("ms"): st.times().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
    pa.time64("us"): st.times(),
    pa.duration("us"): integers(63, signed=True).map(lambda us: timedelta(microseconds=us)),
    pa.duration("s"): st.integers(-(2**40), 2**40).map(lambda s: timedelta(seconds=s)),
    pa.decimal128(38, 0): decimals(38, 0),
    pa.decimal128(38, 37): decimals(38, 37),
    pa.decimal64(12, 2): decimals(12, 2),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["a", "", "b"]),
}


def values_of(kind: pa.DataType) -> st.SearchStrategy:
    if kind in SCALARS:
        return SCALARS[kind]
    if pa.types.is_struct(kind):
        return st.fixed_dictionaries({f.name: st.none() | values_of(f.type) for f in kind})
    size = kind.list_size if pa.types.is_fixed_size_list(kind) else None
    return st.lists(st.none() | values_of(kind.value_type), min_size=size or 0, max_size=3 if size is None else size)


kinds = st.recursive(
    st.sampled_from([kind for kind in SCALARS if not pa.types.is_dictionary(kind)]),
    lambda inner: (
        st.builds(pa.list_, inner)
        | st.builds(pa.list_, inner, st.integers(1, 3))
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda types: pa.struct([(f"f {i}", t) for i, t in enumerate(types)])
        )
    ),
    max_leaves=4,
) | st.sampled_from(list(SCALARS))


@st.composite
def tables(draw) -> pa.Table:
    types = draw(st.lists(kinds, min_size=1, max_size=4))
    n_rows = draw(st.integers(0, 5))
    columns = {"k": pa.array(range(n_rows), pa.int64())}
    for i, kind in enumerate(types):
        values = draw(st.lists(st.none() | values_of(kind), min_size=n_rows, max_size=n_rows))
        columns[f'c "{i}"'] = pa.array(values, kind)
    return pa.table(columns)


def shown(table: pa.Table) -> list[tuple]:
    """What tells values apart, signs of zeros and NaN included."""
    return [tuple(map(repr, row.values())) for row in table.to_pylist()]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with gs.open(tmp_path_factory.mktemp("types")) as project:
        yield project


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.data())
def test_what_is_written_is_read(project, table, data):
    group = project.create_feature_group(
        f"g{next(numbering)}", primary_key=["k"], schema=table.schema, statistics=False
    )
    meant = pa.schema([pa.field(f.name, canonical_type(f.type), f.name != "k") for f in table.schema])
    assert group.schema.to_arrow() == meant
    half = table.num_rows // 2
    group.insert(table.slice(half))
    group.insert(table)  # which replaces rows, so that reading folds
    expected = table.cast(meant)
    for _ in range(2):
        assert group.read().to_arrow().schema == meant
        assert shown(group.read().to_arrow()) == shown(expected)
        assert shown(group.read(as_of=1).to_arrow()) == shown(expected.slice(half))
        for name in table.column_names[1:]:
            check_filters(group, expected, name, data)
        group.compact()
    group.insert(group.read())
    assert shown(group.read().to_arrow()) == shown(expected)
    group.delete()


def check_filters(group, expected: pa.Table, name: str, data) -> None:
    values = expected[name].to_pylist()
    nulls = [k for k, v in enumerate(values) if v is None]
    assert group.read(["k"], where=gs.col(name).is_null()).to_arrow()["k"].to_pylist() == nulls
    present = [v for v in values if v is not None]
    if pa.types.is_nested(expected.schema.field(name).type) or not present:
        return
    value = data.draw(st.sampled_from(present))
    for same, condition in (
        (lambda v: v == value, gs.col(name) == value),
        (lambda v: v >= value, gs.col(name) >= value),
        (lambda v: v == value, gs.col(name).is_in([value])),
    ):
        rows = [k for k, v in enumerate(values) if v is not None and same(v)]
        assert group.read(["k"], where=condition).to_arrow()["k"].to_pylist() == rows, condition


AT = datetime(2024, 1, 1, tzinfo=UTC)
EVERY = pa.table(
    {
        "k": pa.array([2**64 - 1, 0], pa.uint64()),
        "day": pa.array([time(9), time(10)], TIME),
        "at": pa.array([AT, AT], TIMESTAMP),
        "u8": pa.array([255, None], pa.uint8()), "u16": pa.array([65535, None], pa.uint16()),
        "u32": pa.array([2**32 - 1, None], pa.uint32()), "u64": pa.array([2**64 - 1, 2**53 + 1], pa.uint64()),
        "i64": pa.array([2**63 - 1, None], pa.int64()), "f16": pa.array([np.float16(0.1), None], pa.float16()),
        "f32": pa.array([0.1, None], pa.float32()), "flag": pa.array([True, None]),
        "money": pa.array([Decimal("0.10"), None]),
        "date": pa.array([date(2024, 1, 1), None]), "time": pa.array([time(1, 2, 3, 4), None], TIME),
        "long": pa.array([timedelta(days=-1), None], DURATION), "text": pa.array(["é", None]).dictionary_encode(),
        "raw": pa.array([b"\xff", None]), "vector": pa.array([[0.5, -1.0], None], pa.list_(pa.float32(), 2)),
        "many": pa.array([[1, None], []], pa.list_(pa.uint64())),
        "parts": pa.array(
            [{"a": 2**64 - 1, "b": [time(1)]}, None], pa.struct([("a", pa.uint64()), ("b", pa.list_(TIME))])
        ),
    }
)  # fmt: skip


@pytest.fixture
def view(project):
    number = next(numbering)
    facts = project.create_feature_group(f"facts{number}", primary_key=["k", "day"], event_time="at")
    facts.insert(EVERY)
    labels = project.create_feature_group(f"labels{number}", primary_key=["k", "day"], event_time="at")
    labels.insert(
        pa.table(
            {"k": EVERY["k"], "day": EVERY["day"], "at": [AT + timedelta(1)] * 2, "y": pa.array([1, 0], pa.uint8())}
        )
    )
    return project.create_feature_view(f"v{number}", labels.select("y").join(facts.select()), labels=["y"])


def test_every_type_is_joined_and_pinned(view):
    features = [name for name in EVERY.column_names if name not in ("k", "day", "at")]
    data = view.training_data()
    meant = pa.schema([(name, canonical_type(EVERY.schema.field(name).type)) for name in features])
    assert shown(data.to_arrow().select(features)) == shown(EVERY.select(features).cast(meant))
    assert data.X["u64"].tolist() == [2**64 - 1, 2**53 + 1]
    assert data.X["u8"].tolist()[0] == 255
    assert math.isnan(data.X["u8"].tolist()[1])
    found = view.batch(keys=True).to_arrow()
    assert shown(found.select(features)) == shown(EVERY.select(features).cast(meant))
    entities = {
        "k": pa.array([2**64 - 1], pa.uint64()),
        "day": pa.array([time(9)], TIME),
        "y": pa.array([1], pa.uint8()),
    }
    joined = view.join_to(pa.table(entities | {"when": pa.array([AT], TIMESTAMP)}), event_time="when")
    assert shown(joined.to_arrow().select(features)) == shown(EVERY.slice(0, 1).select(features).cast(meant))


def test_other_tools_see_every_value(project):
    group = project.create_feature_group(f"other{next(numbering)}", primary_key=["k", "day"], event_time="at")
    group.insert(EVERY)
    for seen in (pl.read_delta(str(group.table.folder)), pl.read_parquet(f"{group.table.folder}/*.parquet")):
        row = seen.row(0, named=True)
        assert (row["k"], row["u64"], row["u8"]) == (Decimal(2**64 - 1), Decimal(2**64 - 1), 255)
        assert (row["time"], row["long"]) == (3_723_000_004, -86_400_000_000)
        assert list(row["vector"]) == [0.5, -1.0]
        assert row["parts"] == {"a": Decimal(2**64 - 1), "b": [3_600_000_000]}
    assert DeltaTable(group.table.folder).version() == 1


def test_bounds_reach_to_the_ends_of_unsigned_integers(project):
    group = project.create_feature_group(
        f"bounds{next(numbering)}",
        primary_key=["k"],
        schema={"k": pa.uint64(), "n": pa.uint64(), "h": pa.float16()},
        expectations=[gs.expect("n").between(2**63, 2**64 - 1), gs.expect("h").between(0, 0.5)],
    )
    group.insert([{"k": 2**64 - 1, "n": 2**64 - 1, "h": 0.5}])
    assert group.check([{"k": 1, "n": 2**63, "h": 0.25}]).ok
    assert not group.check([{"k": 1, "n": 2**63 - 1, "h": 0.25}]).ok
    assert not group.check([{"k": 1, "n": 2**63, "h": 0.75}]).ok
    assert group.delete_rows({"k": 2**64 - 1}).deleted == 1
