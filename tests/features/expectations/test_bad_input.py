"""Bad rules of every kind: a clear error that names the value and the way out, and nothing is written."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import (
    ColumnNotFoundError,
    DataError,
    GroundswellError,
    NotFoundError,
    SchemaError,
    TypeMismatchError,
)
from groundswell.features import Expectation, FeatureGroup
from groundswell.features.expectations import expectation_from_dict

TIMESTAMP = pa.timestamp("us", tz="UTC")
SCHEMA = {
    "origin": pa.string(),
    "at": TIMESTAMP,
    "temp": pa.float64(),
    "count": pa.int8(),
    "price": pa.decimal128(6, 2),
    "day": pa.date32(),
    "late": pa.bool_(),
    "past": pa.list_(pa.float64()),
    "photo": pa.binary(),
}
NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: gs.expect("temp").between(5, 1), "'between' has the bounds 5 and 1"),
        (lambda: gs.expect("temp").between(None, None), "neither a lower nor an upper"),
        (lambda: gs.expect("temp").between(-np.inf, np.inf), "neither a lower nor an upper"),
        (lambda: gs.expect("temp").between(NAN, 1), "nan (float)"),
        (lambda: gs.expect("temp").between(b"a", None), "b'a' (bytes)"),
        (lambda: gs.expect("temp").is_in([]), "allows no value"),
        (lambda: gs.expect("temp").is_in([1, None]), "None (NoneType)"),
        (lambda: gs.expect("temp").is_in([float("inf")]), "inf (float)"),
        (lambda: gs.expect("temp").is_in(3), "3 (int) is no set"),
        (lambda: gs.expect("origin").matches("[A-Z"), "missing ]"),
        (lambda: gs.expect("origin").matches("(?=a)b"), "invalid perl operator"),
        (lambda: gs.expect("origin").matches(r"(a)\1"), "invalid escape sequence"),
        (lambda: gs.expect("origin").matches(3), "no regular expression"),
        (lambda: gs.expect("temp").complete(1.5), "1.5 cannot be the share"),
        (lambda: gs.expect("temp").complete(95), "0.95 means 95 %"),
        (lambda: gs.expect("temp").complete(-0.1), "-0.1 cannot be the share"),
        (lambda: gs.expect("temp").complete(NAN), "nan cannot be the share"),
        (lambda: gs.expect("temp").complete(True), "True cannot be the share"),
        (lambda: gs.expect("temp").complete("all"), "'all' cannot be the share"),
        (lambda: gs.expect("temp").increasing(strictly="no"), "'no' is neither"),
        (lambda: gs.expect("temp").mean_between(2, 1), "2 and 1"),
        (lambda: gs.expect("temp").mean_between("a", None), "'a'"),
        (lambda: gs.expect("temp").mean_between(NAN, None), "nan"),
        (lambda: gs.expect("temp").quantile_between(50, 1, 2), "50 cannot be the share"),
        (lambda: gs.expect("temp").quantile_between(0.5, 2, 1), "2 and 1"),
        (lambda: gs.expect("temp").distinct_count_between(2, 1), "2 and 1"),
        (lambda: gs.expect("temp").distinct_count_between(True, None), "True"),
        (lambda: gs.expect().row_count_between(2, 1), "2 and 1"),
        (lambda: gs.expect().row_count_between(None, None), "neither"),
        (lambda: gs.expect().freshness("soon"), "'soon' cannot be read as max_age"),
        (lambda: gs.expect().that(True), "True is no condition"),
        (lambda: gs.expect().sql(3), "3 (int) is no condition"),
        (lambda: gs.expect(""), "'' (str) is no name of a column"),
        (lambda: gs.expect(["temp"]), "['temp'] (list) is no name of a column"),
        (lambda: gs.expect("origin").foreign_key(3), "3 (int) is no feature group"),
        (lambda: gs.expect("origin").foreign_key("planes", 3), "3 is no name of a column"),
        (lambda: expectation_from_dict({"rule": "betwen", "column": "temp"}), "Did you mean 'between'"),
        (lambda: expectation_from_dict({"rule": "between", "column": "temp"}), "is no expectation of rule 'between'"),
        (lambda: expectation_from_dict({"rule": "complete", "column": "temp", "share": 2}), "2 cannot be the share"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_when_it_is_written(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(GroundswellError) as caught:
        make()
    assert told in str(caught.value)
    assert caught.value.fix


@pytest.fixture(scope="module")
def others(project: gs.Project) -> None:
    """Groups that foreign keys may name."""
    project.create_feature_group(
        "legs", primary_key=["origin", "leg"], schema={"origin": pa.string(), "leg": pa.int64()}
    )
    project.create_feature_group("planes", primary_key=["tail"], schema={"tail": pa.string(), "seats": pa.int64()})
    project.create_feature_group("empty", primary_key=["tail"])


UNFIT: list[tuple[Callable[[], Expectation], type[GroundswellError], str]] = [
    (lambda: gs.expect("tmep").unique(), ColumnNotFoundError, "no column 'tmep'. Did you mean 'temp'?"),
    (lambda: gs.expect("Temp").unique(), ColumnNotFoundError, "Did you mean 'temp'?"),
    (lambda: gs.expect("__gs_version").complete(), ColumnNotFoundError, "no column '__gs_version'"),
    (lambda: gs.expect().that(gs.col("tmep") > 3), ColumnNotFoundError, "no column 'tmep'. Did you mean 'temp'?"),
    (lambda: gs.expect().sql("tmep > 3"), ColumnNotFoundError, "no column 'tmep'. Did you mean 'temp'?"),
    (lambda: gs.expect("origin").between(1, 2), TypeMismatchError, "1 cannot be compared with column 'origin'"),
    (lambda: gs.expect("temp").between("a", "b"), TypeMismatchError, "The column holds numbers."),
    (lambda: gs.expect("temp").between(False, True), TypeMismatchError, "The column holds numbers."),
    (lambda: gs.expect("late").between(False, True), TypeMismatchError, "The rule 'between' is about numbers, text"),
    (lambda: gs.expect("past").between(1, 2), TypeMismatchError, "is list<float64>"),
    (lambda: gs.expect("past").unique(), TypeMismatchError, "about single values"),
    (lambda: gs.expect("photo").increasing(), TypeMismatchError, "is binary"),
    (lambda: gs.expect("photo").is_in(["a"]), TypeMismatchError, "is binary"),
    (lambda: gs.expect("temp").matches("[0-9]"), TypeMismatchError, "The rule 'matches' is about text"),
    (lambda: gs.expect("origin").mean_between(0, 1), TypeMismatchError, "about numbers and booleans"),
    (lambda: gs.expect("late").quantile_between(0.5, 0, 1), TypeMismatchError, "is bool"),
    (lambda: gs.expect("count").is_in([1.5]), TypeMismatchError, "can hold no such value"),
    (lambda: gs.expect("count").is_in([300]), TypeMismatchError, "can hold no such value"),
    (lambda: gs.expect("count").between(128, None), TypeMismatchError, "No value of the column can lie within it"),
    (lambda: gs.expect("count").between(None, -129), TypeMismatchError, "No value of the column can lie within it"),
    (lambda: gs.expect("price").is_in(["0.001"]), TypeMismatchError, "can hold no such value"),
    (lambda: gs.expect("price").is_in(["cheap"]), TypeMismatchError, "The column holds numbers."),
    (lambda: gs.expect("price").between(Decimal("9.5"), Decimal("-9.5")), DataError, "nothing lies between"),
    (lambda: gs.expect("price").between(Decimal("10.5"), Decimal("9.5")), DataError, "nothing lies between"),
    (lambda: gs.expect("at").between("2024-02-01", "2024-01-31T23:00"), DataError, "nothing lies between"),
    (lambda: gs.expect("at").between("soon", None), TypeMismatchError, "'soon' cannot be read as a time"),
    (lambda: gs.expect("at").is_in([0]), TypeMismatchError, "does not say which moment"),
    (lambda: gs.expect("day").is_in([datetime(2024, 1, 1, 5, tzinfo=UTC)]), TypeMismatchError, "without a time of day"),
    (lambda: gs.expect("day").between(date(2024, 1, 2), date(2024, 1, 1)), DataError, "nothing lies between"),
    (lambda: gs.expect("origin").between("b", "a"), DataError, "nothing lies between"),
    (lambda: gs.expect("origin").is_in(["\ud800"]), TypeMismatchError, "surrogates not allowed"),
    (lambda: gs.expect().that(gs.col("temp")), TypeMismatchError, "it is DOUBLE, not true or false"),
    (lambda: gs.expect().that(gs.col("temp") > "x"), TypeMismatchError, "cannot be compared (float64 > string)"),
    (lambda: gs.expect().that(gs.lit(value=True)), DataError, "reads no column"),
    (lambda: gs.expect().sql("1 = 1"), DataError, "reads no column"),
    (lambda: gs.expect().sql("temp + 1"), TypeMismatchError, "it is DOUBLE, not true or false"),
    (lambda: gs.expect().sql("origin > 3"), TypeMismatchError, "Cannot compare values of type VARCHAR"),
    (lambda: gs.expect().sql("lower(temp) = 'a'"), TypeMismatchError, "is no condition over the columns"),
    (lambda: gs.expect().sql("at > 'soon'"), TypeMismatchError, "soon"),
    (lambda: gs.expect("origin").foreign_key("plains"), NotFoundError, "Did you mean 'planes'?"),
    (lambda: gs.expect("origin").foreign_key("planes", version=7), NotFoundError, "no version 7"),
    (lambda: gs.expect("origin").foreign_key("planes", "tial"), ColumnNotFoundError, "Did you mean 'tail'?"),
    (
        lambda: gs.expect("origin").foreign_key("planes", "seats"),
        TypeMismatchError,
        "'seats' of group 'planes' is int64",
    ),
    (lambda: gs.expect("origin").foreign_key("legs"), SchemaError, "the key of group 'legs' is 'origin', 'leg'"),
    (lambda: gs.expect("origin").foreign_key("empty"), NotFoundError, "has no columns yet"),
    (lambda: gs.expect("past").foreign_key("planes"), TypeMismatchError, "about single values"),
]


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("make", "kind", "told"), UNFIT)
def test_a_rule_that_does_not_fit_the_group_makes_no_group(
    project: gs.Project, make: Callable[[], Expectation], kind: type[GroundswellError], told: str
) -> None:
    name = f"g_{uuid4().hex}"
    with pytest.raises(kind) as caught:
        project.create_feature_group(
            name, primary_key=["origin"], event_time="at", schema=SCHEMA, expectations=[make()]
        )
    assert told in str(caught.value)
    assert caught.value.fix
    with pytest.raises(NotFoundError):
        project.get_feature_group(name)
    assert not (project.folder / "tables" / f"{name}_v1").exists()


@pytest.mark.parametrize("make", [make for make, _, _ in UNFIT[:5]])
def test_a_rule_that_does_not_fit_the_first_rows_writes_none(
    project: gs.Project, make: Callable[[], Expectation]
) -> None:
    group = project.create_feature_group(
        f"g_{uuid4().hex}", primary_key=["origin"], expectations=[make()], validation="all"
    )
    with pytest.raises(ColumnNotFoundError):
        group.insert({"origin": ["EWR"], "temp": [1.0]})
    assert not group.check({"origin": ["EWR"], "temp": [1.0]}).ok
    assert not group.has_table
    assert not (project.folder / "tables" / f"{group.name}_v1").exists()
    assert group.validations() == []


@pytest.mark.parametrize(
    ("expectations", "told"),
    [
        ([gs.expect("temp")], "gs.expect('temp') is no expectation. Name a rule"),
        (gs.expect("temp").unique(), "is no list of expectations"),
        ("temp", "is no list of expectations"),
        ([{"rule": "unique", "column": "temp"}], "is no expectation. Name a rule"),
        (None, "None (NoneType) is no list"),
    ],
)
def test_what_is_no_list_of_expectations_is_refused(
    make: Callable[..., FeatureGroup], expectations: Any, told: str
) -> None:
    group = make(expectations=[gs.expect("temp").complete()])
    with pytest.raises(DataError) as caught:
        group.set_expectations(expectations)
    assert told in str(caught.value)
    assert list(group.expectations) == [gs.expect("temp").complete()]


def test_an_unknown_policy_is_refused(project: gs.Project, make: Callable[..., FeatureGroup]) -> None:
    with pytest.raises(DataError, match="'stric' is no validation policy"):
        make(validation="stric")
    group = make()
    with pytest.raises(DataError, match='Use "strict"'):
        group.set_expectations([], validation=True)
    assert group.validation == "strict"


def test_freshness_needs_an_event_time(project: gs.Project) -> None:
    with pytest.raises(SchemaError, match="its rows have no age"):
        project.create_feature_group(
            "ageless", primary_key=["k"], schema={"k": pa.int64()}, expectations=[gs.expect().freshness("1h")]
        )


def test_a_group_does_not_refer_to_itself(project: gs.Project) -> None:
    with pytest.raises(SchemaError, match="refers to itself"):
        project.create_feature_group(
            "tree",
            primary_key=["id"],
            schema={"id": pa.int64(), "parent": pa.int64()},
            expectations=[gs.expect("parent").foreign_key("tree", "id")],
        )


def test_a_group_that_is_gone_is_named(make: Callable[..., FeatureGroup], project: gs.Project, rows: Any) -> None:
    skies = project.create_feature_group("skies", primary_key=["sky"], schema={"sky": pa.string()})
    group = make(expectations=[gs.expect("sky").foreign_key(skies)])
    skies.delete()
    with pytest.raises(NotFoundError, match=r"no feature group 'skies'.*Or leave the expectation out"):
        group.insert(rows([1.0]))
    assert len(group.read()) == 0
