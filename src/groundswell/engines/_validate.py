"""Measures of a batch on DuckDB: one query whatever their number, and a few rows that a predicate picks.

NaN becomes null where the files are read, so that no measure needs to know of it. What only order, repetition or
another table can tell stands in a part of its own, which reads that column alone; all parts are one statement.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from groundswell.engines._database import Database
from groundswell.engines._measures import (
    Condition,
    Count,
    CountDistinct,
    Decided,
    Maximum,
    Mean,
    Measure,
    Missing,
    NotAmong,
    OutOfOrder,
    Outside,
    Predicate,
    Ranked,
    Repeated,
    Uncomputable,
    Unfulfilled,
    Unmatched,
    Unreferenced,
)
from groundswell.engines._sql import column, current, duckdb_type, place, rows, template, text_of
from groundswell.errors import TypeMismatchError
from groundswell.tables import Definition, physical_schema, physical_type, to_physical

_UNCOMPUTABLE = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)
"""What DuckDB raises when a condition has no value for some row. The last also speaks of damaged files, by name."""

_SHORT = 30
"""So many constants are compared one by one as fast as by hashing; 1,000 would take twenty times as long."""


def measure(
    cursor: duckdb.DuckDBPyConnection, paths: Sequence[str], definition: Definition, measures: Sequence[Measure]
) -> list[object]:
    """The value of each measure; `Uncomputable` for one whose condition fails on some row."""
    try:
        return _Batch(cursor, paths, definition).measure(measures)
    except _UNCOMPUTABLE as error:
        if ".parquet" in str(error):
            raise
    values: list[object] = []
    for each in measures:  # which of the conditions it was, only trying tells
        try:
            values += _Batch(cursor, paths, definition).measure([each])
        except _UNCOMPUTABLE as error:
            values.append(Uncomputable(_reason(error, definition)))
    return values


def examples(
    cursor: duckdb.DuckDBPyConnection,
    paths: Sequence[str],
    definition: Definition,
    predicate: Predicate,
    columns: Sequence[str],
    limit: int,
) -> pa.Table:
    """The first rows that the predicate picks, in order."""
    batch = _Batch(cursor, paths, definition)
    picked = batch.places(predicate)
    wanted = {f"o{i}": column(definition, name) for i, name in enumerate(columns)}
    tree = template(
        "SELECT e.* EXCLUDE (place) FROM every AS e SEMI JOIN first ON e.place = first.place ORDER BY e.place",
        **batch.parts,
        picked=picked,
        first=template(f"SELECT place FROM picked ORDER BY place LIMIT {limit:d}"),
        every=rows(paths, definition, {**wanted, "place": place()}),
    )
    found = cursor.sql(text_of(tree)).to_arrow_table()
    fields = [definition.schema.to_arrow().field(name) for name in columns]
    return pa.Table.from_arrays(
        [c.cast(f.type) for c, f in zip(found.columns, fields, strict=True)], schema=pa.schema(fields)
    )


def check_condition(cursor: duckdb.DuckDBPyConnection, definition: Definition, condition: Condition) -> None:
    """Raise unless the condition is true, false or null of rows of such a table.

    Raises:
        TypeMismatchError: it is something else, or its operations do not apply to the columns' types.
    """
    query = template("SELECT * FROM sample", sample=exp.select(*_sample(definition)))
    query.select(exp.alias_(condition.to_sql(lambda name: column(definition, name)), "x"), append=False, copy=False)
    try:
        result = cursor.sql(text_of(query))
        problem = "" if result.types[0] == "BOOLEAN" else f"it is {result.types[0]}, not true or false"
        result.fetchall()
    except duckdb.Error as error:
        problem = _reason(error, definition)
    if problem:
        raise TypeMismatchError(
            f"{condition!r} is no condition over the columns of group {definition.name!r}: {problem}.",
            fix="Compare values of one type; cast where they differ.",
            condition=condition,
        )


class RowFilter:
    """Tells which rows of small batches in memory some predicates pick; the query is made once.

    Args:
        database: where it is run.
        definition: of the rows.
        predicates: about one row each; none about order or repetition.
    """

    def __init__(self, database: Database, definition: Definition, predicates: Sequence[Predicate]) -> None:
        self._database, self._schema = database, physical_schema(definition.schema.to_arrow())
        with database.session() as cursor:
            batch = _Batch(cursor, [], definition)
            picked = [exp.alias_(batch.picked(each), f"p{i}") for i, each in enumerate(predicates)]
        self._text = text_of(exp.select(*picked).from_(batch.cleaned("rows").subquery("batch")))
        self._frames = batch.frames

    def picked(self, rows: pa.RecordBatch) -> list[pa.Array]:
        """For each predicate, which rows it picks: booleans, [rows].

        Raises:
            DataError: a condition has no value for some row, such as an overflow.
        """
        stored = to_physical(rows, self._schema)
        names = [f"c{i}" for i in range(stored.num_columns)]
        with self._database.session() as cursor:
            cursor.register("rows", pa.Table.from_arrays(stored.columns, names=names))
            for name, table in self._frames.items():
                cursor.register(name, table)
            found = cursor.sql(self._text).to_arrow_table()
        return [column.combine_chunks().fill_null(False) for column in found.columns]


class _Batch:
    """The rows of some files, and the parts of a query over them."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, paths: Sequence[str], definition: Definition) -> None:
        self.cursor, self.paths, self.definition = cursor, paths, definition
        self.parts: dict[str, exp.Expr] = {}
        self._used: set[str] = set()
        self.frames: dict[str, pa.Table] = {}

    def measure(self, measures: Sequence[Measure]) -> list[object]:
        """The value of each measure by one query."""
        trees = {i: self._aggregate(each) for i, each in enumerate(measures)}
        texts = [text_of(tree) for tree in trees.values()]
        once = {text: i for i, text in enumerate(texts)}  # several rules ask for one number
        query = template("SELECT * FROM batch", batch=self._rows({"row": exp.true()}), **self.parts)
        query.select(exp.alias_(exp.Count(this=exp.Star()), "n"), append=False, copy=False)  # one row, whatever comes
        query.select(*(exp.alias_(trees[i], f"m{i}") for i in once.values()), copy=False)
        (row,) = self.cursor.sql(text_of(query)).to_arrow_table().to_pylist()
        return [row[f"m{once[text]}"] for text in texts]

    def places(self, predicate: Predicate) -> exp.Select:
        """The places of the rows that the predicate picks."""
        match predicate:
            case OutOfOrder(column=name, strictly=strictly):
                return template(
                    f"SELECT place FROM peaks WHERE value {'<=' if strictly else '<'} before",
                    ordered=self._valued(name),
                    running=template(
                        """SELECT place, value,
                        max(value) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS peak FROM ordered"""
                    ),
                    peaks=template("SELECT place, value, lag(peak) OVER () AS before FROM running"),
                )
            case Repeated(column=name):
                return template(
                    "SELECT v.place FROM valued AS v SEMI JOIN several AS s ON v.value IS NOT DISTINCT FROM s.value",
                    valued=self._valued(name),
                    several=template("SELECT value FROM valued GROUP BY value HAVING count(*) > 1"),
                )
            case _:
                picked = self.picked(predicate)
                return template("SELECT place FROM batch", batch=self._rows({"place": place()})).where(picked)

    def _aggregate(self, each: Measure) -> exp.Expr:
        match each:
            case Count(of=None):
                return exp.Count(this=exp.Star())
            case Count(of=OutOfOrder() as of):
                return _scalar(template("SELECT count(*) FROM picked", picked=self.places(of)))
            case Count(of=Repeated(column=name)):
                value = self._value(name).sql()
                text = f"count({value}) - count(DISTINCT {value}) + greatest(count(*) - count({value}) - 1, 0)"
                return exp.condition(text, dialect="duckdb")
            case Count(of=predicate):
                assert predicate is not None
                number = exp.cast(exp.CountIf(this=self.picked(predicate)), "BIGINT")
                return exp.func("coalesce", number, exp.Literal.number(0))  # of no rows it is null
            case CountDistinct(column=name):
                return exp.Count(this=exp.Distinct(expressions=[self._value(name)]))
            case Mean(column=name):
                return exp.Avg(this=exp.cast(self._value(name), "DOUBLE"))
            case Maximum(column=name):
                return exp.Max(this=self._value(name))
            case Ranked(column=name, rank=rank):
                text = f"SELECT value FROM valued WHERE value IS NOT NULL ORDER BY value LIMIT 1 OFFSET {rank - 1:d}"
                return _scalar(template(text, valued=self._valued(name)))

    def picked(self, predicate: Predicate) -> exp.Expr:
        """The predicate as a condition on one row of `batch`."""
        match predicate:
            case Missing(column=name):
                return self._value(name).is_(exp.null())
            case Outside(column=name, low=low, high=high):
                below = [] if low is None else [exp.LT(this=self._value(name), expression=_constant(low))]
                above = [] if high is None else [exp.GT(this=self._value(name), expression=_constant(high))]
                return exp.or_(*below, *above) if below or above else exp.false()
            case NotAmong(column=name, values=values) if len(values) <= _SHORT:
                return exp.Not(this=exp.In(this=self._value(name), expressions=[_constant(v) for v in values]))
            case NotAmong(column=name, values=values):
                allowed = pa.array([value.as_py() for value in values], values[0].type)
                return self._not_in(name, self._frame(pa.table({"k": allowed})))
            case Unmatched(column=name, pattern=pattern):
                arguments = [self._value(name), exp.Literal.string(pattern)]
                return exp.Not(this=exp.Anonymous(this="regexp_full_match", expressions=arguments))
            case Unreferenced(column=name, snapshot=snapshot, key=key):
                keys = f"keys{len(self.parts)}"
                self.parts[keys] = current(snapshot, snapshot.files, {"k": column(snapshot.definition, key)})
                return self._not_in(name, keys)
            case Decided(condition=condition):
                return exp.Not(this=exp.paren(condition.to_sql(self._value)).is_(exp.null()))
            case Unfulfilled(condition=condition):
                return exp.Not(this=exp.paren(condition.to_sql(self._value)))
            case OutOfOrder() | Repeated():
                raise AssertionError("one row does not tell")

    def _not_in(self, name: str, keys: str) -> exp.Expr:
        """The value is not in column k of a part or frame."""
        among = template(f"SELECT k FROM {keys} WHERE k IS NOT NULL").subquery()
        absent = exp.Not(this=exp.In(this=self._value(name), query=among))
        return exp.and_(absent, self._value(name).is_(exp.null()).not_())  # null IN () is false, not null

    def _frame(self, table: pa.Table) -> str:
        """A name for an Arrow table in the query."""
        name = f"frame{len(self.frames)}"
        self.frames[name] = table
        self.cursor.register(name, table)
        return name

    def _value(self, name: str) -> exp.Column:
        self._used.add(name)
        return column(self.definition, name)

    def _cleaned(self, name: str) -> exp.Expr:
        """The column as it is read, without NaN."""
        tree = column(self.definition, name)
        if not pa.types.is_floating(self.definition.schema[name].type):
            return tree
        return exp.case().when(exp.func("isnan", tree), exp.null()).else_(tree.copy())

    def _rows(self, more: Mapping[str, exp.Expr]) -> exp.Select:
        """The rows with all columns that are used."""
        columns = {self._value(name).name: self._cleaned(name) for name in sorted(self._used)}
        return rows(self.paths, self.definition, {**columns, **more})

    def cleaned(self, frame: str) -> exp.Select:
        """All columns that are used, from a registered frame that has them under the same names."""
        chosen = (exp.alias_(self._cleaned(name), self._value(name).name) for name in sorted(self._used))
        return exp.select(*chosen).from_(frame)

    def _valued(self, name: str) -> exp.Select:
        """The rows with one column alone, as `value`."""
        return rows(self.paths, self.definition, {"value": self._cleaned(name), "place": place()})


def _scalar(query: exp.Select) -> exp.Expr:
    return query.subquery(copy=False)


def _constant(value: pa.Scalar) -> exp.Expr:
    """A value of a column's type, exactly."""
    if pa.types.is_string(value.type):
        return exp.Literal.string(value.as_py())
    stored = value.cast(physical_type(value.type))
    text = stored.as_py().isoformat() if pa.types.is_temporal(stored.type) else str(stored.as_py())
    return exp.cast(exp.Literal.string(text), duckdb_type(value.type), dialect="duckdb")


def _sample(definition: Definition) -> Iterator[exp.Expr]:
    """A row of nulls, but with some moment in times: what is compared with text that is no time fails there only."""
    for i, field in enumerate(definition.schema):
        value = exp.Literal.string("1970-01-01") if pa.types.is_temporal(physical_type(field.type)) else exp.null()
        yield exp.alias_(exp.cast(value, duckdb_type(field.type), dialect="duckdb"), f"c{i}")


def _reason(error: duckdb.Error, definition: Definition) -> str:
    """What DuckDB says, with the columns under their own names."""
    line = str(error).splitlines()[0].rstrip(".!")
    names = definition.schema.names
    return re.sub(r"\bc(\d+)\b", lambda m: repr(names[int(m[1])]) if int(m[1]) < len(names) else m[0], line)
