"""A small world to serve: flights that ask for the weather at their origin, real estimators, a log kept in memory."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from groundswell.errors import AlreadyExistsError, NotFoundError
from groundswell.models import Signature
from groundswell.serving import Limits, Predictor, Service
from groundswell.types import Schema

NOON = datetime(2013, 12, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    commit: int
    event_time: datetime
    available_at: datetime | None = None
    shown_as: int | None = None


@dataclass(frozen=True)
class LookedUp:
    features: pa.Table
    sources: list[Mapping[str, Row | None]]


@dataclass(frozen=True)
class WeatherView:
    """Joins the temperature at the origin, an hour old or less; EWR has a reading every hour, LGA never."""

    request_schema: Schema = field(default_factory=lambda: Schema.of({"origin": pa.string(), "distance": pa.float64()}))

    def vectors(self, keys: pa.Table, *, at: Sequence[datetime]) -> LookedUp:
        hours = [moment.replace(minute=0, second=0, microsecond=0) for moment in at]
        known = [origin == "EWR" for origin in keys["origin"].to_pylist()]
        temp = [float(hour.hour) if there else None for hour, there in zip(hours, known, strict=True)]
        sources = [
            {"weather": Row(3, hour, hour + timedelta(minutes=1)) if there else None}
            for hour, there in zip(hours, known, strict=True)
        ]
        features = pa.table({"distance": keys["distance"], "wx_temp": pa.array(temp, pa.float64())})
        return LookedUp(features, sources)


@dataclass(frozen=True)
class Model:
    name: str
    version: int
    signature: Signature
    estimator: Any

    def load(self) -> Any:
        return self.estimator


def fitted(labels: Sequence[Any], estimator: Any, name: str = "late_arrival", version: int = 1) -> Model:
    rng = np.random.default_rng(0)
    n = len(labels)
    frame = pd.DataFrame({"distance": rng.uniform(100, 2000, n), "wx_temp": rng.uniform(-5, 25, n)})
    frame.loc[0, "wx_temp"] = np.nan
    series = pd.Series(labels, name="late")
    model = make_pipeline(SimpleImputer(), StandardScaler(), estimator).fit(frame, series)
    labels_table = pa.table({"late": pa.array(list(labels))})
    return Model(name, version, Signature.infer(pa.Table.from_pandas(frame), labels_table, model), model)


class MemoryGroup:
    """A feature group in memory, and its stream: `gate` holds it up while clear, `failures` are raised in turn."""

    def __init__(self, schema: Schema) -> None:
        self.schema, self.commits = schema, []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.failures: list[Exception | None] = []
        self.streams = 0

    def stream(self) -> "MemoryGroup":
        self.streams += 1
        return self

    def close(self) -> None:
        self.streams -= 1

    def write_all(self, frame: pa.Table) -> int:
        self.entered.set()
        self.gate.wait()
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        assert frame.schema.equals(self.schema.to_arrow())
        self.commits.append(frame)
        return len(frame)

    def rows(self) -> list[dict[str, Any]]:
        return pa.concat_tables(self.commits).to_pylist() if self.commits else []


class MemoryGroups:
    def __init__(self) -> None:
        self.made: dict[str, MemoryGroup] = {}
        self.options: dict[str, dict[str, Any]] = {}

    def create_feature_group(self, name: str, *, schema: Schema, **options: Any) -> MemoryGroup:
        if name in self.made:
            raise AlreadyExistsError(f"{name!r} exists.")
        self.made[name], self.options[name] = MemoryGroup(schema), options
        return self.made[name]

    def get_feature_group(self, name: str) -> MemoryGroup:
        if name not in self.made:
            raise NotFoundError(f"{name!r} is unknown.")
        return self.made[name]


@pytest.fixture
def groups() -> MemoryGroups:
    return MemoryGroups()


@pytest.fixture(scope="session")
def binary() -> Model:
    return fitted([i % 2 == 0 for i in range(40)], LogisticRegression())


@pytest.fixture(scope="session")
def multiclass() -> Model:
    return fitted([["early", "late", "on_time"][i % 3] for i in range(60)], LogisticRegression(), "punctuality", 7)


@pytest.fixture(scope="session")
def regression() -> Model:
    return fitted([float(i) for i in range(30)], LinearRegression(), "delay", 2)


@pytest.fixture(scope="session")
def world() -> SimpleNamespace:
    """What makes models and views, for tests that want others than the fixtures."""
    return SimpleNamespace(fitted=fitted, view=WeatherView, groups=MemoryGroups, noon=NOON)


@pytest.fixture
def predictor_of() -> Callable[[Model], Predictor]:
    return lambda model: Predictor(model, WeatherView(), clock=lambda: NOON)


@pytest.fixture
def service_of(groups: MemoryGroups, predictor_of: Callable[[Model], Predictor]) -> Any:
    made: list[Service] = []

    def make(*models: Model, token: str | None = None, limits: Limits | None = None) -> Service:
        made.append(Service([predictor_of(model) for model in models], groups, token=token, limits=limits))
        return made[-1]

    yield make
    for service in made:
        service.close()
