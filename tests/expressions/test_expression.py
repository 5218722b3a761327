"""One expression, three evaluations: by DuckDB, by Arrow, and row by row in plain Python as documented."""

import json
import math
import operator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from groundswell.errors import ColumnNotFoundError, DataError, SchemaError, TypeMismatchError
from groundswell.expressions import Expression, col, lit
from groundswell.tables import physical_schema
from groundswell.types import DURATION, TIME, TIMESTAMP, Schema

NAMES = {
    "small": pa.int8(),
    'big"; DROP TABLE rows; --': pa.int64(),
    "real": pa.float64(),
    "half 'real'": pa.float32(),
    "money": pa.decimal128(9, 2),
    "is\nso": pa.bool_(),
    "naïve text 🐟": pa.string(),
    "select": pa.binary(),
    "day": pa.date32(),
    "at": TIMESTAMP,
}
SMALL, BIG, REAL, HALF, MONEY, FLAG, TEXT, BYTES, DAY, AT = NAMES
SCHEMA = Schema.of(NAMES)
DATABASE = duckdb.connect()

reals = st.sampled_from([0.0, -0.0, 1.0, -2.5, 0.1, 12345.67, 3.0, 1e300, math.inf, -math.inf, math.nan])
halves = st.sampled_from([0.0, 1.0, -2.5, 0.5, math.inf, math.nan])
monies = st.sampled_from([Decimal(m) for m in ("0", "1", "-2.5", "0.1", "12345.67", "3.00")])
texts = st.sampled_from(["", "a", "A", "b'", '"', "\\", "a\x00b", "🐟", "é", "-- x", "2020-01-01"])
days = st.sampled_from([date(2020, 1, 1), date(2020, 1, 2), date(1, 1, 1), date(9999, 12, 31)])
moments = st.sampled_from(
    [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(1969, 7, 20, tzinfo=UTC)]
)
integers = st.sampled_from([0, 1, -1, 2, 100, -128, 127])
bytestrings = st.sampled_from([b"", b"a", b"\x00\xff"])
VALUES = {
    SMALL: integers, BIG: integers, REAL: reals, HALF: halves, MONEY: monies, FLAG: st.booleans(), TEXT: texts,
    BYTES: bytestrings, DAY: days, AT: moments,
}  # fmt: skip
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}), min_size=1, max_size=6
)

zoned = moments.map(lambda m: m.astimezone(timezone(timedelta(hours=5, minutes=30))))
numbers = st.recursive(
    st.sampled_from([SMALL, BIG, REAL, HALF, MONEY]).map(col) | (integers | reals | monies).map(lit),
    lambda inner: (
        st.builds(
            lambda op, a, b: op(a, b),
            st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]),
            st.sampled_from([SMALL, BIG, REAL, HALF, MONEY]).map(col),
            inner,
        )
        | inner.map(lambda a: a.abs())
    ),
    max_leaves=3,
)
times = st.sampled_from([DAY, AT]).map(col) | (days | moments | zoned).map(lit)
beside_times = times | st.sampled_from(["2020-01-01", "2020-01-01T00:00:00.000001Z", "2020-01-01T05:30+05:30"])
comparisons = st.sampled_from([operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge])
compared = st.one_of(
    st.builds(lambda op, a, b: op(a, b), comparisons, numbers, numbers | st.none()),
    st.builds(lambda op, a, b: op(a, b), comparisons, st.sampled_from([DAY, AT]).map(col), beside_times),
    st.builds(lambda op, a, b: op(a, b), comparisons, st.just(col(TEXT)), texts),
    st.builds(lambda op, a, b: op(a, b), comparisons, st.just(col(BYTES)), bytestrings),
    st.builds(lambda op, a, b: op(a, b), comparisons, st.just(col(FLAG)), st.booleans()),
    st.builds(lambda a, b, c: a.between(b, c), numbers, integers, reals),
    st.builds(lambda a, v: a.is_in(v), numbers, st.lists(integers | reals | monies | st.none(), max_size=4)),
    st.builds(lambda v: col(TEXT).is_in(v), st.lists(st.none() | texts, max_size=3)),
    st.builds(
        lambda n, v: col(n).is_in(v), st.sampled_from([DAY, AT]), st.lists(days | moments | st.just("2020-01-01"))
    ),
    st.sampled_from(list(NAMES)).map(lambda name: col(name).is_null()),
    st.just(col(FLAG)),
)
conditions = st.recursive(
    compared,
    lambda inner: (
        st.builds(operator.and_, inner, inner)
        | st.builds(operator.or_, inner, inner | st.none())
        | inner.map(operator.invert)
    ),
    max_leaves=4,
)


def by_duckdb(expression: Expression, table: pa.Table, zone: str = "UTC") -> list:
    query = exp.select(exp.alias_(expression.to_sql(lambda name: exp.column(name, quoted=True)), "r")).from_("rows")
    with DATABASE.cursor() as cursor:
        cursor.execute(f"SET TimeZone = '{zone}'")
        cursor.register("rows", table)
        return [value for (value,) in cursor.execute(query.sql("duckdb")).fetchall()]


def by_arrow(expression: Expression, table: pa.Table) -> list:
    return ds.dataset(table).to_table(columns={"r": expression.to_arrow()})["r"].to_pylist()


class Overflow(Exception):
    """An integer left 64 bits."""


def by_python(tree: dict, row: dict) -> object:
    match tree["op"]:
        case "col":
            return row[tree["name"]]
        case "lit":
            return constant(tree)
        case "and" | "or" as op:
            decisive = op == "or"
            sides = [by_python(tree["left"], row), by_python(tree["right"], row)]
            return decisive if decisive in sides else None if None in sides else not decisive
        case "not":
            value = by_python(tree["of"], row)
            return None if value is None else not value
        case "is_null":
            return by_python(tree["of"], row) is None
        case "abs":
            value = by_python(tree["of"], row)
            return None if value is None else abs(value)
        case "in":
            value = by_python(tree["of"], row)
            others = [constant(v) for v in tree["values"]]
            return None if value is None else any(compare("==", value, o) for o in others if o is not None)
        case op:
            left, right = by_python(tree["left"], row), by_python(tree["right"], row)
            if left is None or right is None:
                return None
            return compute(op, left, right) if op in "+-*/" else compare(op, left, right)


def constant(tree: dict) -> object:
    readers = {"datetime": datetime.fromisoformat, "date": date.fromisoformat, "decimal": Decimal, "float": float}
    readers |= {"bytes": bytes.fromhex, "value": lambda value: value}
    (value,) = (readers[kind](text) for kind, text in tree.items() if kind != "op")
    return value


def compute(op: str, left, right):
    if op != "/" and isinstance(left, int) and isinstance(right, int):
        value = {"+": left + right, "-": left - right, "*": left * right}[op]
        if not -(2**63) <= value < 2**63:
            raise Overflow
        return value
    a, b = np.float64(left), np.float64(right)
    with np.errstate(all="ignore"):
        return float({"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[op](a, b))


def compare(op: str, left, right) -> bool:
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    if isinstance(left, date) or isinstance(right, date):
        left, right = moment(left), moment(right)
    return {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
            ">=": operator.ge}[op](left, right)  # fmt: skip


def moment(value) -> datetime:
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@settings(max_examples=400, deadline=None)
@given(conditions, rows)
def test_duckdb_arrow_and_python_agree(condition, some_rows):
    table = pa.Table.from_pylist(some_rows, schema=SCHEMA.to_arrow())
    bound = condition.bind(SCHEMA)
    assert condition.type(SCHEMA) == pa.bool_()
    try:
        expected = [by_python(condition.to_dict(), row) for row in table.to_pylist()]
    except Overflow:
        assume(False)
    assert by_duckdb(bound, table) == expected
    assert by_arrow(bound, table) == expected


@given(conditions)
def test_json_gives_the_same_expression_back(condition):
    again = Expression.from_dict(json.loads(json.dumps(condition.to_dict())))
    assert repr(again) == repr(condition)
    assert again.to_dict() == condition.to_dict()
    assert condition.columns() <= set(NAMES)


@given(conditions)
def test_binding_again_changes_nothing(condition):
    once = condition.bind(SCHEMA)
    twice = once.bind(SCHEMA)
    assert repr(twice) == repr(once)
    assert twice.to_sql(exp.column).sql("duckdb") == once.to_sql(exp.column).sql("duckdb")


@given(numbers)
def test_numbers_have_the_type_that_they_are_computed_in(expression):
    value = by_arrow(expression.bind(SCHEMA), pa.Table.from_pylist([dict.fromkeys(NAMES)], SCHEMA.to_arrow()))
    assert value == [None] or not expression.columns()
    kind = expression.type(SCHEMA)
    assert pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


@pytest.mark.parametrize("by", [by_duckdb, by_arrow])
@pytest.mark.parametrize(
    "expression", [col("n") + 1, col("n") - (-1), col("n") * 2, (-1 - col("n") - 1).abs()], ids=repr
)
def test_an_integer_that_overflows_is_an_error(by, expression):
    table = pa.table({"n": [2**63 - 1]})
    with pytest.raises((duckdb.OutOfRangeException, pa.ArrowInvalid)):
        by(expression.bind(Schema.from_arrow(table.schema)), table)


def test_small_integers_do_not_overflow_where_64_bits_hold_the_result():
    table = pa.table({"n": pa.array([127, -128], pa.int8())})
    expression = (col("n") * col("n")).bind(Schema.from_arrow(table.schema))
    assert by_duckdb(expression, table) == by_arrow(expression, table) == [16129, 16384]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_day_beside_a_moment_is_its_midnight_in_utc(zone):
    """The session's zone must be UTC for columns; constants do not depend on it."""
    table = pa.table({"at": pa.array([datetime(2020, 1, 1, tzinfo=UTC)], TIMESTAMP)})
    for other in (date(2020, 1, 1), "2020-01-01", "2020-01-01T09:00+09:00", np.datetime64("2020-01-01")):
        condition = (col("at") == other).bind(Schema.from_arrow(table.schema))
        assert by_duckdb(condition, table, zone) == [True]


@pytest.mark.parametrize(
    "value",
    [np.float64(0.5), np.float32(0.5), np.int8(1), np.bool_(True), np.str_("a"), pd.Timestamp("2020-01-01", tz="UTC"),
     np.datetime64("2020-01-01T00:00"), pa.scalar(5), pa.scalar("a"), pd.NaT, pd.Timedelta("1D"),
     np.timedelta64(5, "s"), np.timedelta64("NaT"), time(13, 45)],
    ids=str,
)  # fmt: skip
def test_scalars_of_other_libraries_become_plain_values(value):
    tree = json.loads(json.dumps((col("x") == value).to_dict()))
    assert Expression.from_dict(tree).to_dict() == tree
    assert "np." not in repr(col("x").is_in([value]))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (col("n") == 2**64 - 1, [True, False, None]), (col("n") > -1, [True, True, None]),
        (col("n") > col("i"), [True, True, None]), (col("n").is_in([5, -5, 2**64 - 1]), [True, False, None]),
        (col("n") < 2.5, [False, True, None]), (col("n") == Decimal("1.00"), [False, True, None]),
        (col("n").abs() > 2**63, [True, False, None]),
        (col("t") == "23:59:59.999999", [True, False, None]), (col("t") < time(0, 0, 1), [False, True, None]),
        (col("t").is_in([time(0)]), [False, True, None]), (col("d") <= timedelta(0), [True, False, None]),
        (col("d").is_in([timedelta(microseconds=1)]), [False, True, None]), (col("d") > "1us", [False, False, None]),
        (col("d").between(timedelta(-1), timedelta(1)), [True, True, None]), (col("h") > 0.5, [True, False, None]),
    ],
    ids=repr,
)  # fmt: skip
def test_large_integers_times_of_day_and_durations_compare_exactly(condition, expected):
    table = pa.table(
        {
            "n": pa.array([2**64 - 1, 1, None], pa.uint64()),
            "i": pa.array([2**63 - 1, -1, 1], pa.int64()),
            "t": pa.array([time(23, 59, 59, 999999), time(0), None], TIME),
            "d": pa.array([timedelta(microseconds=-1), timedelta(microseconds=1), None], DURATION),
            "h": pa.array([1.0, 0.5, None], pa.float16()),
        }
    )
    bound = condition.bind(Schema.from_arrow(table.schema))
    again = Expression.from_dict(json.loads(json.dumps(condition.to_dict()))).bind(Schema.from_arrow(table.schema))
    assert by_arrow(bound, table) == by_arrow(again, table) == expected
    assert by_duckdb(bound, table.cast(physical_schema(table.schema))) == expected


def test_what_leaves_64_bits_on_its_way_into_arithmetic_is_an_error():
    table = pa.table({"n": pa.array([2**64 - 1], pa.uint64())})
    for by, rows in ((by_arrow, table), (by_duckdb, table.cast(physical_schema(table.schema)))):
        with pytest.raises((duckdb.ConversionException, pa.ArrowInvalid)):
            by((col("n") + 1).bind(Schema.from_arrow(table.schema)), rows)


def test_decimals_of_several_scales_are_looked_for_together():
    table = pa.table({"n": pa.array([1, 2, None], pa.int8())})
    for values in ([Decimal("0"), Decimal("-2.5"), 2], [Decimal(10) ** 30, Decimal("0.25"), Decimal("2.00")]):
        expression = col("n").is_in(values).bind(Schema.from_arrow(table.schema))
        assert by_duckdb(expression, table) == by_arrow(expression, table) == [False, True, None]
    with pytest.raises(TypeMismatchError, match=r"Decimal\('1E-20'\) cannot be compared"):
        col("n").is_in([Decimal(10) ** 30, Decimal("1e-20")]).bind(Schema.from_arrow(table.schema))


def test_an_array_gives_the_values_to_look_for():
    assert repr(col("x").is_in(np.array([1, 2]))) == "col('x').is_in([1, 2])"
    assert repr(col("x").is_in(pd.Series(["a"]))) == "col('x').is_in(['a'])"


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: col("at") > "tomorrow", DataError, "tomorrow"),
        (lambda: col("text") > date(2020, 1, 1), TypeMismatchError, "string > date32"),
        (lambda: col("text") > 5, TypeMismatchError, "string > int64"),
        (lambda: col("flag") > 1, TypeMismatchError, "bool > int64"),
        (lambda: col("flag").abs(), TypeMismatchError, "bool"),
        (lambda: col("flag") + 1, TypeMismatchError, "arithmetic"),
        (lambda: col("at") - col("at"), TypeMismatchError, "arithmetic"),
        (lambda: col("n") & col("flag"), TypeMismatchError, "not bool"),
        (lambda: ~col("n"), TypeMismatchError, "int64"),
        (lambda: col("text").is_in(["a", 1]), TypeMismatchError, "1 cannot be compared with string"),
        (lambda: col("many") == col("many"), TypeMismatchError, "cannot be compared"),
        (lambda: col("exact") == 1, TypeMismatchError, "cannot be compared"),
        (lambda: col("tezt") == "a", ColumnNotFoundError, "'text'"),
    ],
)
def test_what_does_not_fit_its_columns_is_refused_before_anything_is_read(make, error, says):
    schema = Schema.of(
        {"at": TIMESTAMP, "text": pa.string(), "flag": pa.bool_(), "n": pa.int64(), "many": pa.list_(pa.int8()),
         "exact": pa.decimal128(38, 30)}
    )  # fmt: skip
    with pytest.raises(error) as caught:
        make().type(schema)
    assert says in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: col("x").is_in("abc"), "is_in(['abc'])"),
        (lambda: col("x") == 2**64, "64 bits"),
        (lambda: col("x") == Decimal("NaN"), "NaN"),
        (lambda: col("x") == Decimal(10) ** 50, "38 digits"),
        (lambda: col("x") == "\ud800", "surrogates"),
        (lambda: col("x") == np.datetime64("2020-01-01T00:00:00.000000001"), "nanoseconds"),
        (lambda: col("x") == pd.Timestamp("2020-01-01T00:00:00.000000001Z"), "nanoseconds"),
        (lambda: col("x") == [1], "cannot stand"),
        (lambda: col("x") == np.array([1, 2]), "cannot stand"),
        (lambda: col("x") > time(12, tzinfo=UTC), "cannot stand"),
        (lambda: col("x") > pd.Timedelta(1), "nanoseconds"),
        (lambda: col("x") > 1j, "cannot stand"),
        (lambda: col(5), "names no column"),
        (lambda: Expression.from_dict({"op": "**"}), "'**'"),
    ],
)
def test_what_no_column_can_hold_is_refused_at_once(make, says):
    with pytest.raises((DataError, TypeMismatchError)) as caught:
        make()
    assert says in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize(
    "use", [lambda e: bool(e), lambda e: 1 < e < 3, lambda e: e and e, lambda e: not e, lambda e: e in [col("y")]]
)
def test_the_truth_of_an_expression_is_not_asked_for(use):
    with pytest.raises(SchemaError, match="no truth value"):
        use(col("x"))


def test_operators_read_as_they_were_written():
    expression = ~((1 - col("a") / 2 > 0) & col("b").is_null() | col("c").abs().between(1, 2))
    assert repr(expression) == (
        "~((((1 - (col('a') / 2)) > 0) & col('b').is_null()) | ((col('c').abs() >= 1) & (col('c').abs() <= 2)))"
    )
    assert eval(repr(expression)).to_dict() == expression.to_dict()
    assert repr(2 + col("a")) == "(2 + col('a'))"
    assert repr(2 * col("a")) == "(2 * col('a'))"
    assert repr(1 / col("a")) == "(1 / col('a'))"
