"""Each rule against plain Python on random columns, with nulls, NaN, no rows, and values at the bounds."""

import math
import operator
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import groundswell as gs
from groundswell.features import Expectation, FeatureGroup, RuleResult, Suite
from groundswell.features.expectations import Setting, Validation

START = datetime(2024, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=10)
TIMESTAMP = pa.timestamp("us", tz="UTC")
PATTERNS = ["[a-z]*", "N[0-9]{2}", ".", "(?i)ab?", "a|ab", r"\\", "", r"[^']+", "(?s).*"]

thorough = settings(
    max_examples=30,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Kind:
    """A column: its type, the values that it is filled from, and the constants that rules are given."""

    type: pa.DataType
    values: tuple[Any, ...]
    constants: tuple[Any, ...]


def single(value: float) -> float:
    """The nearest number of float32."""
    return float(np.float32(value))


KINDS = {
    "whole": Kind(
        pa.int64(),
        (-(2**63), -3, 0, 1, 2, 2**53, 2**53 + 1, 2**63 - 1),
        (-3, 0, 1, 2, 2**53 + 1, 2**63 - 1),
    ),
    "small": Kind(pa.int8(), (-128, -1, 0, 1, 127), (-128, -1, 0, 1, 127)),
    "real": Kind(
        pa.float64(),
        (-math.inf, -1.5, -0.0, 0.0, 0.1, 1.0, 2.5, 1e300, math.inf, math.nan),
        (-1.5, 0, 0.1, 1, 2.5),
    ),
    "half": Kind(pa.float32(), (single(0.1), 0.5, 1.0, math.nan), (0.1, 0.5, 1)),
    "text": Kind(
        pa.string(),
        ("", "a", "A", "ab", "b\nc", "é", "'", "\\", "N12", "%", "a\0b", "漢"),
        ("", "a", "A", "ab", "b\nc", "'", "\\", "a\0b"),
    ),
    "moment": Kind(
        TIMESTAMP,
        (START, START + timedelta(microseconds=1), START + timedelta(days=1)),
        (START, START + timedelta(microseconds=1), START + timedelta(days=1)),
    ),
    "day": Kind(pa.date32(), (date(2024, 1, 1), date(2024, 2, 29)), (date(2024, 1, 1), date(2024, 2, 29))),
    "exact": Kind(
        pa.decimal128(12, 3),
        (Decimal("0.100"), Decimal("-7.125"), Decimal("999999999.999"), Decimal("2.000")),
        (Decimal("0.1"), Decimal("-7.125"), 2, 0.1),
    ),
    "flag": Kind(pa.bool_(), (True, False), (True, False)),
}
ORDERED = [name for name in KINDS if name != "flag"]


@pytest.fixture(scope="module")
def group(project: gs.Project) -> FeatureGroup:
    schema = {"id": pa.int64(), "at": TIMESTAMP, "other": pa.int64()} | {n: kind.type for n, kind in KINDS.items()}
    return project.create_feature_group(
        "rules",
        primary_key=["id"],
        event_time="at",
        schema={**schema, "list": pa.list_(pa.float64())},
        validation="all",
    )


@pytest.fixture(scope="module")
def known(project: gs.Project) -> FeatureGroup:
    """A group that foreign keys refer to, with a key that is replaced and one that is null."""
    group = project.create_feature_group("known", primary_key=["key"], schema={"key": pa.int64(), "name": pa.string()})
    group.insert({"key": [-3, 1, 2**53 + 1], "name": ["a", "ab", None]})
    group.insert({"key": [1], "name": ["é"]})
    return group


@pytest.fixture(scope="module")
def setting(project: gs.Project, group: FeatureGroup) -> Setting:
    """The group as rules are bound to it, ten days after its first row."""
    return Setting(definition=group.definition, engine=project.engine, now=NOW, find=project.get_feature_group)


def check(setting: Setting, folder: Path, columns: dict[str, list[Any]], *rules: Expectation) -> tuple[RuleResult, ...]:
    """What the rules say of rows with these columns, and null in the others, in two files."""
    n_rows = len(next(iter(columns.values())))
    schema = setting.definition.schema.to_arrow()
    given = {"id": list(range(n_rows)), "at": [START + timedelta(hours=i) for i in range(n_rows)], **columns}
    arrays = [pa.array(given.get(f.name, [None] * n_rows), f.type) for f in schema]
    table, paths = pa.Table.from_arrays(arrays, schema=schema), [str(folder / uuid4().hex) for _ in range(2)]
    pq.write_table(table.slice(0, n_rows // 2), paths[0], row_group_size=2)
    pq.write_table(table.slice(n_rows // 2), paths[1], row_group_size=2)
    suite = Suite.of(rules)
    validation = Validation(setting=setting, group_version=1, suite=suite, bound=suite.bind(setting), policy="all")
    report = validation.report(paths if n_rows else [])
    assert report.rows == n_rows
    return report.results


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def column_of(name: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | st.sampled_from(KINDS[name].values), max_size=12)


def exact(value: Any) -> Any:
    """A number without rounding, so that 2^53 + 1 is not 2^53 and 0.1 not 0.1 of another width."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return Fraction(value) if not isinstance(value, float) or math.isfinite(value) else value


def constant_of(name: str, value: Any) -> Any:
    """The constant as a value of the column."""
    if name == "half":
        return exact(single(value))
    return exact(Decimal(str(value)) if name == "exact" else value)


def examples_of(result: RuleResult, offending: list[int]) -> None:
    """The examples are the first rows that offend, by their keys."""
    assert [row["id"] for row in result.examples] == ([] if result.success else offending[:3])


@thorough
@given(data=st.data(), name=st.sampled_from(ORDERED))
def test_between(setting: Setting, tmp_path: Path, data: st.DataObject, name: str) -> None:
    values = data.draw(column_of(name))
    bounds = data.draw(st.lists(st.sampled_from(KINDS[name].constants), min_size=2, max_size=2))
    low, high = sorted(bounds, key=lambda c: constant_of(name, c))
    low, high = data.draw(st.sampled_from([(low, high), (None, high), (low, None)]))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).between(low, high))
    offending = [
        i
        for i, value in enumerate(values)
        if not missing(value)
        and (
            (low is not None and exact(value) < constant_of(name, low))
            or (high is not None and exact(value) > constant_of(name, high))
        )
    ]
    assert (result.success, result.offending) == (not offending, len(offending))
    assert result.rows == sum(not missing(v) for v in values)
    examples_of(result, offending)


@thorough
@given(data=st.data(), name=st.sampled_from(list(KINDS)))
def test_is_in(setting: Setting, tmp_path: Path, data: st.DataObject, name: str) -> None:
    values = data.draw(column_of(name))
    allowed = data.draw(st.lists(st.sampled_from(KINDS[name].constants), min_size=1, max_size=4))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).is_in(allowed))
    known = [constant_of(name, c) for c in allowed]
    offending = [i for i, value in enumerate(values) if not missing(value) and exact(value) not in known]
    assert (result.success, result.offending) == (not offending, len(offending))
    examples_of(result, offending)


OTHERS = {
    "whole": range(100, 140),
    "real": [i + 0.25 for i in range(100, 140)],
    "half": [i + 0.25 for i in range(100, 140)],
    "text": [f"z{i}" for i in range(40)],
    "moment": [START + timedelta(weeks=i) for i in range(1, 41)],
    "day": [date(2025, 1, 1) + timedelta(days=i) for i in range(40)],
    "exact": [Decimal(i) + Decimal("0.001") for i in range(100, 140)],
}


@thorough
@given(data=st.data(), name=st.sampled_from(list(OTHERS)))
def test_is_in_a_long_list(setting: Setting, tmp_path: Path, data: st.DataObject, name: str) -> None:
    values = data.draw(column_of(name))
    allowed = [*data.draw(st.lists(st.sampled_from(KINDS[name].constants), max_size=3)), *OTHERS[name]]
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).is_in(allowed))
    known = [constant_of(name, c) for c in allowed]
    offending = [i for i, value in enumerate(values) if not missing(value) and exact(value) not in known]
    assert (result.success, result.offending) == (not offending, len(offending))
    examples_of(result, offending)


@thorough
@given(values=column_of("text"), pattern=st.sampled_from(PATTERNS))
def test_matches(setting: Setting, tmp_path: Path, values: list[str | None], pattern: str) -> None:
    (result,) = check(setting, tmp_path, {"text": values}, gs.expect("text").matches(pattern))
    offending = [i for i, v in enumerate(values) if v is not None and not re.fullmatch(pattern, v)]
    assert (result.success, result.offending) == (not offending, len(offending))
    examples_of(result, offending)


@thorough
@given(data=st.data(), name=st.sampled_from(list(KINDS)), share=st.sampled_from([0, 0.07, 0.5, 2 / 3, 0.75, 1]))
def test_complete(setting: Setting, tmp_path: Path, data: st.DataObject, name: str, share: float) -> None:
    values = data.draw(column_of(name))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).complete(share))
    lacking = [i for i, value in enumerate(values) if missing(value)]
    present = len(values) - len(lacking)
    assert result.success == (present >= Fraction(str(share)) * len(values))
    assert result.offending == len(lacking)
    assert result.observed == (present / len(values) if values else None)
    examples_of(result, lacking)


@thorough
@given(data=st.data(), name=st.sampled_from(list(KINDS)))
def test_unique(setting: Setting, tmp_path: Path, data: st.DataObject, name: str) -> None:
    drawn = data.draw(column_of(name))
    values = [None if missing(v) else exact(v) for v in drawn]
    (result,) = check(setting, tmp_path, {name: drawn}, gs.expect(name).unique())
    assert result.offending == len(values) - len(set(values))
    assert result.success == (len(values) == len(set(values)))
    examples_of(result, [i for i, value in enumerate(values) if values.count(value) > 1])


@thorough
@given(data=st.data(), name=st.sampled_from(ORDERED), strictly=st.booleans())
def test_increasing(setting: Setting, tmp_path: Path, data: st.DataObject, name: str, strictly: bool) -> None:
    values = data.draw(column_of(name) | column_of(name).map(lambda v: sorted(x for x in v if not missing(x))))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).increasing(strictly=strictly))
    below = operator.le if strictly else operator.lt
    offending = [
        i
        for i, value in enumerate(values)
        if not missing(value)
        and any(below(exact(value), exact(earlier)) for earlier in values[:i] if not missing(earlier))
    ]
    assert (result.success, result.offending) == (not offending, len(offending))
    examples_of(result, offending)


numbers = st.lists(st.none() | st.sampled_from([math.nan, -7.25, -1.0, 0.0, 0.5, 3.0, 40.0]), max_size=12)


@thorough
@given(values=numbers, bounds=st.tuples(st.integers(-9, 9), st.integers(0, 9)), side=st.integers(0, 2))
def test_mean_between(
    setting: Setting, tmp_path: Path, values: list[float | None], bounds: tuple[int, int], side: int
) -> None:
    low, high = bounds[0] + 0.31, bounds[0] + 0.31 + bounds[1]  # no mean of so few such values comes near
    low, high = [(low, high), (None, high), (low, None)][side]
    (result,) = check(setting, tmp_path, {"real": values}, gs.expect("real").mean_between(low, high))
    there = [Fraction(v) for v in values if not missing(v)]
    mean = sum(there) / len(there) if there else None
    assert result.success == (
        mean is not None and (low is None or mean >= Fraction(low)) and (high is None or mean <= Fraction(high))
    )
    assert result.rows == len(there)
    assert result.observed == (None if mean is None else pytest.approx(float(mean)))


def test_the_mean_of_booleans_is_the_share_of_true(setting: Setting, tmp_path: Path) -> None:
    rule = gs.expect("flag").mean_between(0.6, 0.7)
    (result,) = check(setting, tmp_path, {"flag": [True, None, True, False]}, rule)
    assert result.observed == pytest.approx(2 / 3)


def test_a_mean_that_is_not_finite_lies_nowhere(setting: Setting, tmp_path: Path) -> None:
    rule = gs.expect("real").mean_between(None, 1e9)
    (result,) = check(setting, tmp_path, {"real": [math.inf, -math.inf]}, rule)
    assert (result.success, result.observed) == (False, "nan")


@thorough
@given(data=st.data(), name=st.sampled_from(ORDERED), q=st.sampled_from([0, 0.07, 0.25, 0.5, 0.7, 0.9, 1]))
def test_quantile_between(setting: Setting, tmp_path: Path, data: st.DataObject, name: str, q: float) -> None:
    values = data.draw(column_of(name))
    bounds = data.draw(st.lists(st.sampled_from(KINDS[name].constants), min_size=2, max_size=2))
    low, high = sorted(bounds, key=lambda c: constant_of(name, c))
    low, high = data.draw(st.sampled_from([(low, high), (None, high), (low, None)]))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).quantile_between(q, low, high))
    there = sorted(exact(v) for v in values if not missing(v))
    quantile = there[max(math.ceil(Fraction(str(q)) * len(there)), 1) - 1] if there else None
    assert result.success == (
        quantile is not None
        and (low is None or quantile >= constant_of(name, low))
        and (high is None or quantile <= constant_of(name, high))
    )
    if not result.success and isinstance(quantile, str):
        assert result.observed == quantile
    if not result.success and isinstance(quantile, Fraction):
        assert Fraction(result.observed) == quantile


@thorough
@given(data=st.data(), name=st.sampled_from(list(KINDS)), low=st.integers(0, 3), width=st.integers(0, 3))
def test_distinct_count_between(
    setting: Setting, tmp_path: Path, data: st.DataObject, name: str, low: int, width: int
) -> None:
    values = data.draw(column_of(name))
    (result,) = check(setting, tmp_path, {name: values}, gs.expect(name).distinct_count_between(low, low + width))
    distinct = len({exact(v) for v in values if not missing(v)})
    assert (result.success, result.observed) == (low <= distinct <= low + width, distinct)


@thorough
@given(values=st.lists(st.none() | st.sampled_from([-3, 0, 1, 2, 2**53, 2**53 + 1]), max_size=12))
def test_foreign_key(setting: Setting, tmp_path: Path, known: FeatureGroup, values: list[int | None]) -> None:
    (result,) = check(setting, tmp_path, {"whole": values}, gs.expect("whole").foreign_key(known))
    offending = [i for i, v in enumerate(values) if v is not None and v not in (-3, 1, 2**53 + 1)]
    assert (result.success, result.offending) == (not offending, len(offending))
    assert result.detail == {"group": "known", "version": 2, "key": "key"}
    examples_of(result, offending)


@thorough
@given(values=column_of("text"))
def test_foreign_key_to_a_column_that_is_no_key(
    setting: Setting, tmp_path: Path, known: FeatureGroup, values: list[str | None]
) -> None:
    """Only current rows count: the name "ab" was replaced."""
    (result,) = check(setting, tmp_path, {"text": values}, gs.expect("text").foreign_key("known", "name"))
    offending = [i for i, v in enumerate(values) if v is not None and v not in ("a", "é")]
    assert (result.success, result.offending) == (not offending, len(offending))


@thorough
@given(n_rows=st.integers(0, 6), low=st.none() | st.integers(0, 4), width=st.integers(0, 3))
def test_row_count_between(setting: Setting, tmp_path: Path, n_rows: int, low: int | None, width: int) -> None:
    high = (low or 0) + width
    (result,) = check(setting, tmp_path, {"whole": [None] * n_rows}, gs.expect().row_count_between(low, high))
    assert (result.success, result.observed) == ((low or 0) <= n_rows <= high, n_rows)


@thorough
@given(ages=st.lists(st.integers(0, 240), max_size=6), max_age=st.integers(0, 240))
def test_freshness(setting: Setting, tmp_path: Path, ages: list[int], max_age: int) -> None:
    times = [NOW - timedelta(hours=age, microseconds=i) for i, age in enumerate(ages)]
    rule = gs.expect_table().freshness(timedelta(hours=max_age))
    (result,) = check(setting, tmp_path, {"at": times, "whole": [None] * len(ages)}, rule)
    assert result.success == any(NOW - time <= timedelta(hours=max_age) for time in times)
    assert result.observed == (max(times).isoformat() if times else None)


def kleene(left: Any, right: Any, compare: Callable[[Any, Any], bool]) -> bool | None:
    return None if missing(left) or missing(right) else compare(exact(left), exact(right))


CONDITIONS: list[tuple[Expectation, Callable[[Any, Any], bool | None]]] = [
    (gs.expect().that(gs.col("real") <= gs.col("whole")), lambda r, w: kleene(r, w, operator.le)),
    (gs.expect().sql("real <= whole"), lambda r, w: kleene(r, w, operator.le)),
    (gs.expect().that(gs.col("real").is_null()), lambda r, w: missing(r)),
    (gs.expect().sql("real IS NOT NULL"), lambda r, w: not missing(r)),
    (
        gs.expect().that((gs.col("whole") > 0) | gs.col("real").is_null()),
        lambda r, w: True if missing(r) else kleene(w, 0, operator.gt),
    ),
    (gs.expect().sql("CASE WHEN real > 1 THEN whole >= 1 ELSE true END"), lambda r, w: case(r, w)),
    (gs.expect().sql("real BETWEEN 0 AND 1"), lambda r, w: kleene(r, 0, lambda a, b: 0 <= a <= 1)),
]


def case(real: Any, whole: Any) -> bool | None:
    return kleene(whole, 1, operator.ge) if not missing(real) and real > 1 else True


@thorough
@given(
    rows=st.lists(
        st.tuples(st.none() | st.sampled_from([math.nan, -1.5, 0.0, 1.0, 2.0]), st.none() | st.integers(-2, 2)),
        max_size=10,
    ),
    which=st.integers(0, len(CONDITIONS) - 1),
)
def test_conditions(setting: Setting, tmp_path: Path, rows: list[tuple[float | None, int | None]], which: int) -> None:
    rule, expected = CONDITIONS[which]
    (result,) = check(setting, tmp_path, {"real": [r for r, _ in rows], "whole": [w for _, w in rows]}, rule)
    found = [expected(r, w) for r, w in rows]
    offending = [i for i, answer in enumerate(found) if answer is False]
    assert (result.success, result.offending) == (not offending, len(offending))
    assert result.rows == sum(answer is not None for answer in found)
    examples_of(result, offending)


def test_lists_can_be_complete(setting: Setting, tmp_path: Path) -> None:
    (result,) = check(setting, tmp_path, {"list": [[1.0, None], None, []]}, gs.expect("list").complete(0.6))
    assert (result.success, result.offending) == (True, 1)


def test_a_condition_that_cannot_be_computed_is_broken_and_the_others_are_not(setting: Setting, tmp_path: Path) -> None:
    cast, between, square, tried = check(
        setting,
        tmp_path,
        {"text": ["1", "x"], "whole": [2, 2**62]},
        gs.expect().sql("cast(text AS int) > 0"),
        gs.expect("whole").between(0, 5),
        gs.expect().that(gs.col("whole") * gs.col("whole") > 0),
        gs.expect().sql("try_cast(text AS int) > 0"),
    )
    assert "Could not convert string 'x'" in cast.problem
    assert "Overflow" in square.problem
    assert not cast.success
    assert not square.success
    assert (between.offending, between.problem) == (1, "")
    assert (tried.success, tried.rows) == (True, 1)


def test_columns_may_have_any_name(project: gs.Project) -> None:
    """Names reach SQL as trees only."""
    names = ['"; DROP TABLE x; --', "file_row_number", "select", "place", "c0", "völlig anders"]
    schema = {"id": pa.int64()} | dict.fromkeys(names, pa.float64())
    quoted = '"' + names[0].replace('"', '""') + '" >= 0'
    rules = [rule for name in names for rule in (gs.expect(name).between(0, 1), gs.expect(name).increasing())]
    group = project.create_feature_group(
        "names",
        primary_key=["id"],
        schema=schema,
        expectations=[*rules, gs.expect().sql(quoted), gs.expect().that(gs.col("select") <= gs.col("c0"))],
    )
    answer = group.check({"id": [1, 2]} | {name: [0.5, 1.0] for name in names})
    assert answer.validation.success
    answer = group.check({"id": [1, 2]} | {name: [2.0, -1.0] for name in names})
    assert [r.offending for r in answer.validation.results] == [2, 1] * len(names) + [1, 0]
