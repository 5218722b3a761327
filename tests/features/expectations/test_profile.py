"""Proposed suites: the data obeys its own, and they say sensible things about data one knows."""

import math
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.errors import TypeMismatchError

START = datetime(2024, 1, 1, tzinfo=UTC)
TEXT = st.text(alphabet="ab1'\\\"é%.*[(-\n ", max_size=6)
COLUMNS = st.sampled_from(
    [
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.int64(), st.integers(0, 3)),
        (pa.int8(), st.integers(-128, 127)),
        (pa.float64(), st.floats()),
        (pa.float64(), st.floats(0, 1)),
        (pa.float64(), st.floats(-1e-300, 1e-300)),
        (pa.float32(), st.floats(width=32)),
        (pa.string(), TEXT),
        (pa.string(), st.sampled_from(["x", "y'", "z\\"])),
        (pa.string(), st.from_regex(r"\A[A-Z]{2}-[0-9]{1,3}\Z")),
        (pa.bool_(), st.booleans()),
        (pa.list_(pa.float64()), st.lists(st.floats(0, 1), max_size=2)),
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    n_rows = draw(st.integers(0, 60))
    columns: dict[str, pa.Array] = {"id": pa.array(range(n_rows), pa.int64())}
    for number in range(draw(st.integers(1, 4))):
        kind, values = draw(COLUMNS)
        gaps = draw(st.sampled_from([0, 0, 3]))
        drawn = [draw(values) if i % 7 >= gaps else None for i in range(n_rows)]
        columns[f"c{number}"] = pa.array(drawn, kind)
    return pa.table(columns)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(table=tables())
def test_data_obeys_its_own_profile(project: gs.Project, table: pa.Table) -> None:
    suite = gs.profile(table)
    assert eval(suite.code(), {"gs": gs}) == list(suite)
    assert len(suite.reasons) == len(suite)
    group = project.create_feature_group(
        f"g_{uuid4().hex}", primary_key=["id"], schema=table.schema, expectations=suite, validation="all"
    )
    answer = group.check(table)
    assert answer.validation is None or answer.validation.success, answer


def weather(n_rows: int = 200) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": range(n_rows),
            "origin": ["EWR", "JFK"] * (n_rows // 2),
            "at": [START + timedelta(hours=i) for i in range(n_rows)],
            "tail": [f"N{100 + i}{'A' if i % 2 else 'B'}" for i in range(n_rows)],
            "temp": [20 + 15 * math.sin(i) for i in range(n_rows)],
            "humid": [None if i % 10 == 0 else 0.5 for i in range(n_rows)],
            "late": [i % 4 == 0 for i in range(n_rows)],
            "note": [f"free text {'!' * (i % 40)} {i}" if i % 2 else "?" for i in range(n_rows)],
        }
    )


def test_what_it_proposes() -> None:
    suite = gs.profile(weather())
    assert list(suite) == [
        gs.expect("id").complete(),
        gs.expect("id").unique(),
        gs.expect("origin").complete(),
        gs.expect("origin").is_in(["EWR", "JFK"]),
        gs.expect("at").complete(),
        gs.expect("tail").complete(),
        gs.expect("tail").unique(),
        gs.expect("tail").matches("[A-Z][0-9]{3}[A-Z]"),
        gs.expect("temp").complete(),
        gs.expect("temp").between(0, 43),
        gs.expect("temp").mean_between(14, 26).warning(),
        gs.expect("humid").complete(0.85),
        gs.expect("humid").between(0, 1),
        gs.expect("late").complete(),
        gs.expect("late").mean_between(0.15, 0.35).warning(),
        gs.expect("note").complete(),
    ]
    assert "2 values in 200 rows" in suite.reasons
    assert "20 of 200 rows lack it" in suite.reasons


def test_it_prints_as_code_with_the_reasons() -> None:
    lines = str(gs.profile(weather())).splitlines()
    assert lines[0] == "["
    assert lines[4] == "    gs.expect('origin').is_in(['EWR', 'JFK']),  # 2 values in 200 rows"


@pytest.mark.parametrize(
    "form", [lambda f: f, pl.from_pandas, pa.Table.from_pandas, lambda f: pa.Table.from_pandas(f).to_reader()]
)
def test_any_frame_will_do(form: Any) -> None:
    assert list(gs.profile(form(weather()))) == list(gs.profile(weather()))


def test_from_a_few_rows_nothing_is_concluded_but_what_is_missing() -> None:
    assert list(gs.profile({"a": [1, None, 3], "b": [None, None, None]})) == [gs.expect("a").complete(0.5)]
    assert list(gs.profile(pd.DataFrame({"a": []}))) == []


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(TypeMismatchError, match="A int is no table"):
        gs.profile(3)
