"""No skew: whatever happens to the groups, a request sees online what a point-in-time join gives at that moment.

Histories are drawn on a clock that the test moves: inserts with late and future rows and with facts that become known
later, corrections, backfills, deletions, restores, compactions, and time that passes. After each step both views are
asked for all keys, now and at moments before and after, one by one and together.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import groundswell as gs
from groundswell.features import FeatureGroup, FeatureView
from groundswell.features.transformations import on_demand, one_hot, standardize
from groundswell.online import OnlineStore, Redis
from groundswell.types import TIMESTAMP, Schema

START = datetime(2024, 1, 1, tzinfo=UTC)
ORIGINS, CARRIERS, AIRPORTS = ("EWR", "JFK", "LGA"), ("UA", "AA"), ("a1", "a2")
MINUTES = st.integers(-15, 12)
VALUES = st.one_of(st.none(), st.integers(0, 9).map(float))


@on_demand
def heat(temp: float | None, distance: float) -> float | None:
    """A feature of one request and one row."""
    return None if temp is None else temp * 2 + distance


class Histories(RuleBasedStateMachine):
    """Histories of three groups in a project, all of them online, under two views."""

    def __init__(self, online: OnlineStore | None) -> None:
        super().__init__()
        self.now = 0
        self.folder = tempfile.TemporaryDirectory()
        self.project = gs.open(Path(self.folder.name) / "p", threads=1, online=online)
        self.project.clock = lambda: at(self.now)

    def teardown(self) -> None:
        try:
            self.training_data_has_the_vectors_of_its_moments()
        finally:
            self.project.close()
            self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        times = {"t": TIMESTAMP, "a": TIMESTAMP}
        features = {"temp": pa.float64(), "wind": pa.int32(), "near": pa.string()}
        self.weather = self.group("weather", ["origin"], {"origin": pa.string(), **times, **features}, "t", "a")
        keys = {"carrier": pa.string(), "origin": pa.string(), "t": TIMESTAMP}
        self.load = self.group("load", ["carrier", "origin"], keys | {"share": pa.float64()}, "t", None)
        self.airports = self.group("airports", ["faa"], {"faa": pa.string(), "lat": pa.float64()}, None, None)
        kinds = {"id": pa.int64(), "due": TIMESTAMP, "origin": pa.string(), "carrier": pa.string()}
        kinds |= {"distance": pa.float64(), "late": pa.bool_()}
        self.flights = self.group("flights", ["id"], kinds, "due", None)
        own = self.flights.select("origin", "carrier", "distance", "late")
        self.view = self.project.create_feature_view(
            "plain",
            own.join(self.weather.select("temp", "wind")).join(self.load, max_age="9m"),
            labels=["late"],
            on_demand=[heat],
            transformations=[standardize("distance"), one_hot("carrier")],
        )
        hot = self.weather.select("temp", "near").where(gs.col("wind") > 3)
        query = own.join(hot, prefix="wx_", max_age="25m").join(self.airports, on={"wx_near": "faa"}).join(self.load)
        self.chained = self.project.create_feature_view("chained", query, labels=["late"])
        self.bare = self.project.create_feature_view("bare", self.weather.select("temp", "wind").join(self.airports,
            on={"near": "faa"}))  # fmt: skip

    def group(self, name: str, key: list[str], schema: dict[str, pa.DataType], *times: str | None) -> FeatureGroup:
        return self.project.create_feature_group(
            name, primary_key=key, event_time=times[0], available_at=times[1], schema=Schema.of(schema), online=True
        )

    @rule(
        rows=st.lists(
            st.tuples(
                st.sampled_from(ORIGINS), MINUTES, st.sampled_from([-5, 0, 0, 2, 9]), VALUES, st.integers(0, 9),
                st.sampled_from(AIRPORTS),
            ), min_size=1, max_size=8,
        )
    )  # fmt: skip
    def observe(self, rows: list[tuple[Any, ...]]) -> None:
        """Late rows and rows of the future, some of which become known later; a correction is a row of its own."""
        self.weather.insert(
            [
                {"origin": o, "t": at(self.now + m), "a": at(self.now + m + d), "temp": v, "wind": w, "near": n}
                for o, m, d, v, w, n in rows
            ]
        )

    @rule(rows=st.lists(st.tuples(st.sampled_from(CARRIERS), st.sampled_from(ORIGINS), MINUTES, VALUES), min_size=1))
    def carry(self, rows: list[tuple[Any, ...]]) -> None:
        """Rows whose times come again are replaced."""
        self.load.insert([{"carrier": c, "origin": o, "t": at(self.now + m), "share": v} for c, o, m, v in rows])

    @rule(rows=st.dictionaries(st.sampled_from(AIRPORTS), VALUES, min_size=1))
    def build(self, rows: dict[str, float | None]) -> None:
        self.airports.insert([{"faa": faa, "lat": lat} for faa, lat in rows.items()])

    @rule(minutes=st.integers(1, 14))
    def pass_time(self, minutes: int) -> None:
        self.now += minutes

    @rule(name=st.sampled_from(["weather", "load", "airports"]))
    def compact(self, name: str) -> None:
        getattr(self, name).compact()

    @rule(name=st.sampled_from(["weather", "load"]), origin=st.sampled_from(ORIGINS))
    def delete(self, name: str, origin: str) -> None:
        keys = {"origin": origin} if name == "weather" else {"origin": origin, "carrier": CARRIERS[0]}
        getattr(self, name).delete_rows([keys])

    @rule(name=st.sampled_from(["weather", "load", "airports"]), data=st.data())
    def restore(self, name: str, data: st.DataObject) -> None:
        group: FeatureGroup = getattr(self, name)
        group.restore(data.draw(st.integers(0, group.table.version())))

    @rule(name=st.sampled_from(["weather", "load"]))
    def leave_and_enter(self, name: str) -> None:
        """Meanwhile the tables answer, though the view was opened before."""
        group: FeatureGroup = getattr(self, name)
        group.disable_online()
        request = {"origin": "EWR", "carrier": "UA", "distance": 1.0}
        compare(self.view, [request], [None], singly=[request])
        group.enable_online()

    @invariant()
    def online_is_offline(self) -> None:
        requests = [
            {"origin": o, "carrier": c, "distance": 100.0 + i}
            for i, (o, c) in enumerate(product((*ORIGINS, None), CARRIERS))
        ]
        compare(self.view, requests, self.moments, singly=requests)
        compare(self.chained, requests, self.moments, singly=requests[:1])
        if self.now % 2:
            compare(self.bare, [{"origin": origin} for origin in ORIGINS], self.moments, singly=[{"origin": "EWR"}])

    @property
    def moments(self) -> list[datetime | None]:
        """Now, a moment ago, and moments at which rows will have come."""
        return [None, at(self.now - 4), at(self.now + 3), at(self.now + 40)]

    def training_data_has_the_vectors_of_its_moments(self) -> None:
        """Transformed and not."""
        pairs = enumerate(product(ORIGINS, CARRIERS))
        requests = [{"origin": o, "carrier": c, "distance": float(i)} for i, (o, c) in pairs]
        data = self.view.join_to([request | {"due": at(self.now), "late": False} for request in requests])
        vectors = self.view.vectors(requests).features
        raw = data.raw_rows.to_arrow().select(vectors.column_names)
        assert raw.to_pylist() == vectors.to_pylist()
        transformed = data.transformations.transform_table(vectors)
        assert transformed.equals(data.transformations.transform_table(raw))
        assert list(transformed.column_names) == list(data.X.columns)


def compare(
    view: FeatureView, requests: list[dict[str, Any]], moments: list[datetime | None], singly: list[dict[str, Any]]
) -> None:
    """Online and offline agree on values and on the rows that they come from, together and some of them one by one."""
    asked = [(request, moment) for moment in moments for request in requests]
    now = view.vector(requests[0]).at
    together = view.vectors([request for request, _ in asked], at=[moment or now for _, moment in asked])
    table = view._lookup._requests.many([request for request, _ in asked])
    times = np.array([int((moment or now).timestamp()) * 1_000_000 for _, moment in asked])
    offline = view._tables.vectors(table, times)
    assert together.features.equals(offline.features), f"{together.features.to_pylist()} {offline.features.to_pylist()}"
    assert together.sources == offline.sources
    for (request, moment), features, sources in zip(asked, offline.features.to_pylist(), offline.sources, strict=True):
        if request not in singly or (moment is not None and moment < now and request != singly[0]):
            continue  # the tables answer, which takes a thousand times as long
        vector = view.vector(request, at=moment)
        assert dict(vector) == features
        assert vector.sources == sources


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def examine(online: OnlineStore | None, examples: int, steps: int, **options: Any) -> None:
    """Try some histories."""

    class Drawn(Histories):
        def __init__(self) -> None:
            super().__init__(online)

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **options,
    )
    run_state_machine_as_test(Drawn, settings=chosen)


@pytest.mark.parametrize("kind", ["lmdb", "redis"])
def test_a_request_sees_what_a_point_in_time_join_gives(kind, request):
    online = Redis(request.getfixturevalue("redis_url")) if kind == "redis" else None
    examine(online, 2 if kind == "lmdb" else 1, 6, derandomize=True, phases=[Phase.generate])


@pytest.mark.slow
def test_it_does_so_in_long_histories():
    examine(None, 20, 15)
