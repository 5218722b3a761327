"""Conditions in SQL: what is one condition on one row passes, everything else is refused by name."""

from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, DataError
from groundswell.features import FeatureGroup
from groundswell.features.expectations._sql import LONGEST, SqlCondition

FINE = [
    "temp > 3",
    "temp > dew AND NOT (wind < 0 OR wind IS NULL)",
    "temp BETWEEN dew AND dew + 40",
    "sky IN ('clear', 'rain')",
    "sky NOT IN ('fog')",
    "sky LIKE 'cl%' OR sky ILIKE '%RAIN%'",
    "sky LIKE '100!%' ESCAPE '!'",
    "temp IS DISTINCT FROM dew",
    "CASE sky WHEN 'clear' THEN wind < 40 ELSE true END",
    "coalesce(temp, 0) >= nullif(dew, 0)",
    "abs(temp - dew) / 2 + round(wind, 1) % 3 <= greatest(wind, 3) ** 2",
    "sqrt(abs(temp)) < 20 AND ln(exp(wind)) >= 0 AND floor(wind) <= ceil(wind) AND sign(wind) >= 0",
    "lower(trim(sky)) = 'clear' AND length(sky) < 9 AND sky || '!' <> '!'",
    "substring(sky, 1, 2) = 'cl' OR starts_with(sky, 'ra') OR contains(sky, 'o') OR replace(sky, 'a', 'b') = ''",
    "regexp_matches(sky, '[a-z]+') AND regexp_full_match(sky, '[a-z]+') AND sky ~ '.*'",
    "at >= TIMESTAMPTZ '2024-01-01 00:00:00+00' AND at < at + INTERVAL 1 DAY",
    "year(at) = 2024 AND extract(month FROM at) <= 12 AND hour(at) < 24 AND date_diff('day', at, at) = 0",
    "date_trunc('day', at) <= at",
    "CAST(temp AS INTEGER) = temp OR try_cast(sky AS DOUBLE) IS NULL OR wind::DECIMAL(10, 2) > 0",
    '"wind" > 0 -- a comment',
    "wind /* another */ > 0",
    "(((wind)) > (0))",
    "(1 < temp) = true",
]

HOSTILE = [
    # other statements, and the ways to begin one
    "temp > 3; DROP TABLE x", "; DROP TABLE x", "DROP TABLE x", "CREATE TABLE x AS SELECT 1", "INSTALL httpfs",
    "LOAD '/tmp/x.so'", "ATTACH '/tmp/x.db'", "COPY (SELECT 1) TO '/tmp/x'", "PRAGMA database_list", "SET threads = 1",
    "CALL pragma_version()", "EXPORT DATABASE '/tmp/x'", "EXECUTE x", "PREPARE x AS SELECT 1", "VACUUM",
    # queries, wherever one may stand
    "SELECT 1", "(SELECT 1) = temp", "temp IN (SELECT 1)", "temp = ANY (SELECT 1)", "temp > ALL (SELECT 1)",
    "EXISTS (SELECT 1)", "temp = (VALUES (1))", "WITH x AS (SELECT 1) SELECT 1", "FROM x", "temp > (TABLE x)",
    "temp IN x", "temp IN (FROM x)", "CASE WHEN EXISTS (FROM read_text('/etc/passwd')) THEN true END",
    "temp > 3 UNION SELECT true", "temp > 3 ORDER BY 1", "temp > 3 LIMIT 1", "temp > 3) FROM x --", "true AS x",
    # files, the environment, the network
    "read_text('/etc/passwd') = sky", "sky = (SELECT content FROM read_text('/etc/passwd'))", "getenv('HOME') = sky",
    "glob('/*') = sky", "read_csv('x') = sky", "'/etc/passwd'.read_text() = sky", "sky.read_text() = 'x'",
    "sniff_csv('/etc/passwd') = sky", "parquet_metadata('x') = sky", "http_get('http://localhost') = sky",
    "load_extension('x') = sky", "query('SELECT 1') = temp", "query_table('x') = temp", "getvariable('x') = temp",
    # state, clocks, chance
    "nextval('s') = temp", "currval('s') = temp", "setseed(0.5) IS NULL", "random() < 0.5", "uuid() = sky",
    "gen_random_uuid() = sky", "now() > at", "current_timestamp > at", "current_date > at", "today() > at",
    "get_current_time() > at", "current_setting('threads') = 1", "version() = sky", "current_user = sky",
    "txid_current() = temp", "pg_sleep(10) IS NULL", "pg_backend_pid() = temp", "write_log('x') IS NULL", "error('x')",
    # more than one row
    "sum(temp) > 3", "count(*) > 3", "max(temp) OVER () > 3", "row_number() OVER () > 3", "lag(temp) OVER () < temp",
    "unnest([1, 2]) = temp", "generate_series(1, 1000000000) = temp", "list_sum([temp]) > 3", "median(temp) = 3",
    "any_value(temp) = 3", "temp > 3 QUALIFY true", "grouping(temp) = 0",
    # more than the row's columns
    "x.temp > 3", "main.x.temp > 3", "c.d.e.temp > 3", "* = 3", "COLUMNS('.*') > 3", "COLUMNS(*) > 3", "$1 > temp",
    "? > temp", ":x > temp", "$name > temp", "#1 > 3", "temp := 3", "temp.x > 3", "temp['x'] > 3",
    "past[1] > 3", "rowid > 3 AND struct_pack(a := 1) = x",
    # types and syntax that are not simple
    "CAST(temp AS x) = 3", "temp::INT[] = x", "temp::STRUCT(a INT) = x", "temp::MAP(INT, INT) = x", "temp::JSON = x",
    "temp::ENUM('a') = x", "temp::UNION(a INT) = x", "temp::GEOMETRY = x", "[temp] = [3]", "{'a': temp} = x",
    "{{ temp }} = x", "{% raw %}", "x -> x > 3", "list_filter([1], lambda x: x > 3) = [1]", "MAP {'a': 1} = x",
    "TRY(temp > 3)", "temp COLLATE nocase = 3", "sky AT TIME ZONE 'UTC' = at", "sky GLOB '*'", "sky SIMILAR TO 'x'",
    "repeat('x', 1000000000) = sky", "lpad(sky, 1000000000, 'x') = sky", "format('{}', temp) = sky",
    "printf('%d', temp) = sky", "sha256(sky) = sky", "eval('1') = temp", "apply(temp, x) > 3", "e'\\x' = sky",
    "temp & 1 = 1", "temp << 1000 > 3",
    # nothing, nonsense, and floods
    "", " ", ";", ";;", "--", "/* */", "/*", "temp >", "temp 3", ")", "(", "'", '"', "temp > '", "NULL NULL",
    "(" * 1_000 + "temp > 3" + ")" * 1_000, "NOT " * 900 + "late", "-" * 1_999 + "1 = temp", "temp > 3 OR " * LONGEST,
    "temp" + " + 1" * 900 + "> 1",
]  # fmt: skip


SCHEMA = {
    "id": pa.int64(),
    "temp": pa.float64(),
    "dew": pa.float64(),
    "wind": pa.float64(),
    "sky": pa.string(),
    "late": pa.bool_(),
    "at": pa.timestamp("us", tz="UTC"),
}


@pytest.fixture(scope="module")
def group(project: gs.Project) -> FeatureGroup:
    return project.create_feature_group("sql", primary_key=["id"], schema=SCHEMA, validation="all")


def test_conditions_on_one_row_pass_and_run(group: FeatureGroup) -> None:
    group.set_expectations([gs.expect().sql(text) for text in FINE])
    row = {"id": 1, "temp": 20.5, "dew": 3.0, "wind": 1.0, "sky": "clear", "late": True, "at": "2024-01-01T00:00Z"}
    results = group.check([row]).validation.results
    assert [result.expectation.text for result in results if result.problem] == []
    assert all(result.rows == 1 for result in results)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_everything_else_is_refused_before_it_reaches_the_database(text: str) -> None:
    with pytest.raises(DataError) as caught:
        gs.expect().sql(text)
    assert "is no condition" in str(caught.value)
    assert "Write it over columns" in str(caught.value) or "at most 4,000" in str(caught.value)


@pytest.mark.parametrize("text", ["CHECKPOINT", "temp = @@version", "\0", "current_role", "rowid > 3", "temp = main"])
def test_what_reads_like_a_word_is_a_column_that_is_not_there(group: FeatureGroup, text: str) -> None:
    with pytest.raises(ColumnNotFoundError, match="has no column"):
        group.set_expectations([gs.expect().sql(text)])


def test_a_file_is_not_written_by_any_of_them(tmp_path: Path) -> None:
    target = tmp_path / "target"
    for text in (f"COPY (SELECT 1) TO '{target}'", f"ATTACH '{target}'", f"temp > 3; EXPORT DATABASE '{target}'"):
        with pytest.raises(DataError):
            SqlCondition(text)
    assert not target.exists()


def test_what_runs_is_written_anew_from_the_tree() -> None:
    condition = SqlCondition("temp /* */ > /* x */ 3 -- */ ; DROP TABLE x")
    assert condition.to_sql(exp.column).sql("duckdb") == "temp > 3"
    assert condition.columns() == {"temp"}
