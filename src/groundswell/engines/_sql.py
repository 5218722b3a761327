"""SQL as trees: how the parts that users name (columns, files, values) enter a DuckDB query.

The skeletons of queries are constant text over names of our own. Whatever a user named comes in as a tree, and columns
are renamed to `c0`, `c1`, … in the very call that reads the files, so a column called `"; DROP TABLE` or
`file_row_number` is a column like any other.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.dialects import duckdb as _dialect  # noqa: F401  # loaded here, or the first query waits for it

from groundswell.engines._plan import Bucket
from groundswell.errors import TypeMismatchError
from groundswell.expressions import Expression
from groundswell.tables import DataFile, Definition, Snapshot, physical_type
from groundswell.types import TIMESTAMP

ROW_BITS = 40
"""A row's place is its file's number times 2^40 plus its number in the file: order and address in one integer."""

_TYPES = {
    pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT", pa.int32(): "INTEGER", pa.int64(): "BIGINT",
    pa.float32(): "FLOAT", pa.float64(): "DOUBLE", pa.string(): "VARCHAR", pa.binary(): "BLOB", pa.date32(): "DATE",
    TIMESTAMP: "TIMESTAMPTZ",
}  # fmt: skip


def template(text: str, **parts: exp.Expr) -> exp.Select:
    """A constant query over our own names, with each part as a common table expression that it may select from."""
    query = _parsed(text).copy()
    for name, part in reversed(parts.items()):
        # In front: a part may be selected from by the template's own common table expressions.
        query.with_(name, as_=part, copy=False)
        with_ = query.args["with_"]
        with_.set("expressions", [with_.expressions[-1], *with_.expressions[:-1]])
    return query


@lru_cache(1_000)
def _parsed(text: str) -> exp.Select:
    """A constant query; parsing one takes as long as running it on a few rows."""
    return sqlglot.parse_one(text, read="duckdb", into=exp.Select)


def text_of(tree: exp.Expr) -> str:
    """The tree in DuckDB's SQL."""
    return tree.sql("duckdb")


def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name of the type in which values of a type lie in files, and in which it reads and compares them."""
    kind = physical_type(kind)
    if kind in _TYPES:
        return _TYPES[kind]
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = (exp.to_identifier(f.name, quoted=True).sql("duckdb") + " " + duckdb_type(f.type) for f in kind)
        return f"STRUCT({', '.join(fields)})"
    raise TypeMismatchError(f"DuckDB has no type for {kind}.", fix="Cast the column to a type that it has.")


def column(definition: Definition, name: str) -> exp.Column:
    """What stands for a column of the table in a query over `source`."""
    return exp.column(f"c{definition.schema.names.index(name)}")


def condition(definition: Definition, where: Expression) -> exp.Expr:
    """An expression over the table's columns in a query over `source`."""
    return where.bind(definition.schema).to_sql(lambda name: column(definition, name))


def source(paths: Sequence[str], definition: Definition) -> exp.Expr:
    """The rows of some files of a table, for FROM: its columns as `c0`, `c1`, … in the order of the schema, the hidden
    ones as `moved_version` and `moved_position`, and DuckDB's own `file_index` and `file_row_number`.

    Columns are found by name; one that a file lacks has its default there, or is null. Without a schema DuckDB takes
    the first file's, and columns that only later files have vanish silently.
    """
    if not paths:  # DuckDB refuses an empty list
        kinds = [(name, duckdb_type(f.type)) for name, f in _named_columns(definition)]
        kinds += [("file_index", "BIGINT"), ("file_row_number", "BIGINT")]
        nulls = [exp.alias_(exp.cast(exp.null(), kind, dialect="duckdb"), name) for name, kind in kinds]
        return exp.select(*nulls).where(exp.false()).subquery("source")
    files = exp.Array(expressions=[exp.Literal.string(path) for path in paths])
    schema = exp.Var(this=_columns_as_text(definition))
    read = exp.ReadParquet(expressions=[files, exp.EQ(this=exp.column("schema"), expression=schema)])
    return exp.Table(this=read, alias=exp.TableAlias(this=exp.to_identifier("source")))


@lru_cache(1_000)
def _columns_as_text(definition: Definition) -> str:
    """Names, types and defaults of a table's columns in DuckDB's SQL: most of a query's text, which stays the same."""
    entries = [
        _property(f.name, _column_option(name, duckdb_type(f.type), _default_of(f, definition)), quoted=True)
        for name, f in _named_columns(definition)
    ]
    return text_of(exp.ToMap(this=exp.Struct(expressions=entries)))


def _named_columns(definition: Definition) -> list[tuple[str, pa.Field]]:
    names = [f"c{i}" for i in range(len(definition.schema))] + ["moved_version", "moved_position"]
    return list(zip(names, definition.file_schema, strict=True))


def rows(
    paths: Sequence[str], definition: Definition, columns: Mapping[str, exp.Expr], where: exp.Expr | None = None
) -> exp.Select:
    """Select expressions under our aliases from some files of a table."""
    # What others hold is copied once; sqlglot's builders would copy the query that there is at each step.
    aliased = [exp.alias_(tree, alias) for alias, tree in columns.items()]
    query = exp.Select().select(*aliased, copy=False).from_(source(paths, definition), copy=False)
    return query if where is None else query.where(where.copy(), copy=False)


def place(numbers: Sequence[int] | None = None) -> exp.Expr:
    """Where a row stands in its snapshot, as one BIGINT that orders rows.

    Args:
        numbers: the number that each file read has in the snapshot; None if it is its place in the list.
    """
    number = exp.column("file_index") if numbers is None else per_file(numbers)
    size = exp.Literal.number(1 << ROW_BITS)
    return exp.Add(
        this=exp.Mul(this=exp.cast(exp.paren(number), "BIGINT"), expression=size),
        expression=exp.column("file_row_number"),
    )


def per_file(values: Sequence[int]) -> exp.Expr:
    """For each row, the value given for the file that it is in."""
    index = exp.Add(this=exp.cast(exp.column("file_index"), "BIGINT"), expression=exp.Literal.number(1))
    return exp.func("list_extract", exp.array(*(exp.Literal.number(v) for v in values)), index)


def row_version(files: Sequence[DataFile]) -> exp.Expr:
    """The commit that first wrote a row, in a query over `source` of these files."""
    moved = exp.column("moved_version")
    return exp.func("coalesce", moved, per_file([f.version for f in files])) if files else moved


def current(
    snapshot: Snapshot,
    files: Sequence[DataFile],
    columns: Mapping[str, exp.Expr],
    where: exp.Expr | None = None,
    within: exp.Expr | None = None,
) -> exp.Select:
    """Select expressions and `place` from the current rows of some files of a snapshot.

    A row is current if no later one has its identity. Only rows of files that are not known to be distinct can replace
    another, so they alone are grouped; a clean table pays nothing.

    Args:
        snapshot: the pinned table.
        files: those of its files to read; all that may hold one identity, or none of them.
        columns: our alias to an expression over `source`.
        where: which current rows, an expression over `source`.
        within: a condition on identity columns only, which may be applied before folding.
    """
    definition = snapshot.definition
    number = {f.path: i for i, f in enumerate(snapshot.files)}
    paths = [f.path for f in files]
    spot = place([number[path] for path in paths])
    if all(f.distinct for f in files):
        both = [tree for tree in (where, within) if tree is not None]
        return rows(paths, definition, {**columns, "place": spot}, exp.and_(*both) if both else None)
    identity = {f"i{i}": column(definition, name) for i, name in enumerate(definition.identity)}
    kept = exp.true() if where is None else exp.func("coalesce", where, exp.false())
    every = rows(paths, definition, {**columns, **identity, "place": spot, "kept": kept}, within)
    doubtful = [f.path for f in files if not f.distinct]
    later = rows(doubtful, definition, {**identity, "place": place([number[path] for path in doubtful])}, within)
    names = ", ".join(identity)
    return template(
        f"""
        SELECT e.* EXCLUDE ({names}, kept) FROM every AS e
        LEFT JOIN newest AS n ON {" AND ".join(f"e.{i} = n.{i}" for i in identity)}
        WHERE (n.place IS NULL OR e.place = n.place) AND e.kept
        """,
        every=every,
        later=later,
        newest=template(f"SELECT {names}, max(place) AS place FROM later GROUP BY {names}"),
    )


def bucket(columns: Sequence[tuple[exp.Expr, pa.DataType]], part: Bucket) -> exp.Expr:
    """Whether a row's hash falls into the bucket; lengths before the texts keep ("1", "11") and ("11", "1") apart."""
    pieces: list[exp.Expr] = [_text(f"{part.seed}|")]
    for tree, kind in columns:
        value = exp.cast(exp.func("epoch_us", tree) if kind == TIMESTAMP else tree, "VARCHAR")
        sized = exp.func("concat", exp.func("length", value), _text(":"), value.copy())
        pieces.append(exp.case().when(value.copy().is_(exp.null()), _text("-")).else_(sized))
    digest = exp.func("md5", exp.func("concat", *pieces))
    digits = exp.func("substr", digest, exp.Literal.number(1), exp.Literal.number(13))
    number = exp.cast(exp.func("concat", _text("0x"), digits), "BIGINT")
    low, high = (exp.Literal.number(round(edge * 16**13)) for edge in (part.low, part.high))
    return exp.and_(exp.GTE(this=number, expression=low), exp.LT(this=number.copy(), expression=high))


def instant(us: int) -> exp.Expr:
    """A moment as a constant, from microseconds since 1970."""
    return exp.func("make_timestamptz", exp.convert(us))


def _text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def _default_of(field: pa.Field, definition: Definition) -> exp.Expr:
    """What a column is in files that lack it, as text for DuckDB to cast."""
    text = dict(definition.defaults).get(field.name)
    if text is None:
        return exp.null()
    if pa.types.is_binary(field.type):
        text = "".join(f"\\x{byte:02X}" for byte in bytes.fromhex(text))
    return exp.Literal.string(text)


def _column_option(name: str, kind: str, default: exp.Expr) -> exp.Struct:
    return exp.Struct(
        expressions=[
            _property("name", exp.Literal.string(name)),
            _property("type", exp.Literal.string(kind)),
            _property("default_value", default),
        ]
    )


def _property(name: str, value: exp.Expr, *, quoted: bool = False) -> exp.PropertyEQ:
    key = exp.Literal.string(name) if quoted else exp.to_identifier(name)
    return exp.PropertyEQ(this=key, expression=value)
