"""What a project publishes and exports, opened by tools that know nothing of it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

import groundswell as gs
from groundswell.features import FeatureGroup

N_ROWS = 1_000
START = datetime(2013, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("station", pa.string()),
        ("seen", pa.timestamp("us", tz="UTC")),
        ("temp", pa.float64()),
        ("count", pa.int64()),
        ("price", pa.decimal128(10, 2)),
        ("fresh", pa.bool_()),
        ("tags", pa.list_(pa.string())),
    ]
)


def rows(n_rows: int, shift: float) -> pa.Table:
    """Observations of which every seventh has gaps; another shift gives the same rows other values."""
    gap = [i % 7 == 0 for i in range(n_rows)]
    return pa.table(
        {
            "station": [f"station {i % 13}" for i in range(n_rows)],
            "seen": [START + timedelta(minutes=i) for i in range(n_rows)],
            "temp": [None if g else i / 3 + shift for i, g in enumerate(gap)],
            "count": [2**53 + i for i in range(n_rows)],
            "price": [Decimal(i) / 100 for i in range(n_rows)],
            "fresh": [None if g else i % 2 == 0 for i, g in enumerate(gap)],
            "tags": [["a", f"{i}"] for i in range(n_rows)],
        },
        schema=SCHEMA,
    )


@pytest.fixture
def group(tmp_path: Path) -> FeatureGroup:
    """A group whose rows came in two commits, some of them corrected by a third, so that its files hold more rows."""
    group = gs.open(tmp_path / "project").create_feature_group(
        "weather", primary_key=["station"], event_time="seen", schema=SCHEMA
    )
    group.insert(rows(N_ROWS // 2, 0))
    group.insert(rows(N_ROWS, 0).slice(N_ROWS // 2))
    group.insert(rows(N_ROWS // 10, 1000))
    return group


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    builder = SparkSession.builder.master("local[1]").appName("groundswell")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.sql.session.timeZone", "UTC")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def expected() -> list[dict[str, object]]:
    corrected, rest = rows(N_ROWS // 10, 1000), rows(N_ROWS, 0).slice(N_ROWS // 10)
    return pa.concat_tables([corrected, rest]).to_pylist()


def in_order(found: pa.Table) -> list[dict[str, object]]:
    return found.select(SCHEMA.names).cast(SCHEMA).sort_by("seen").to_pylist()


@pytest.fixture(params=["published", "exported"])
def place(group: FeatureGroup, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return group.publish() if request.param == "published" else group.read().export(tmp_path / "weather")


def test_duckdb(place: Path) -> None:
    found = duckdb.connect().read_parquet(f"{place}/*.parquet").to_arrow_table()
    assert in_order(found) == expected()


def test_polars(place: Path) -> None:
    assert in_order(pl.read_parquet(f"{place}/*.parquet").to_arrow()) == expected()


def test_pandas(place: Path) -> None:
    frame = pd.read_parquet(place).sort_values("seen").reset_index(drop=True)
    wanted = expected()
    assert frame["station"].tolist() == [row["station"] for row in wanted]
    assert frame["count"].tolist() == [row["count"] for row in wanted]
    assert frame["temp"].isna().tolist() == [row["temp"] is None for row in wanted]
    assert frame["price"].tolist() == [row["price"] for row in wanted]


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and none is installed")
def test_spark(place: Path, spark: SparkSession) -> None:
    frame = spark.read.parquet(str(place))
    assert frame.columns == SCHEMA.names
    found = [row.asDict() for row in frame.orderBy("seen").collect()]
    wanted = expected()
    for name in ("station", "temp", "count", "price", "fresh", "tags"):
        assert [row[name] for row in found] == [row[name] for row in wanted], name
    seen = frame.selectExpr("unix_micros(seen) AS us").orderBy("us").collect()
    assert [row["us"] for row in seen] == [
        (row["seen"] - START) // timedelta(microseconds=1) + 1_356_998_400_000_000 for row in wanted
    ]


def test_the_table_itself_opens_with_polars_and_shows_every_row_written(group: FeatureGroup, tmp_path: Path) -> None:
    found = pl.read_delta(str(tmp_path / "project" / "tables" / "weather_v1"))
    assert len(found) == N_ROWS + N_ROWS // 10
