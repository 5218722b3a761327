"""No skew: whatever happens to the groups, a request sees online what a point-in-time join gives at that moment.

Histories are drawn on a clock that the test moves: rows inserted and streamed, late ones, future ones, and such with
facts that become known later, corrections, backfills, deletions, restores, compactions, columns appended and widened,
and time that passes. After each step the views are asked for all keys, now and at moments before and after, one by one
and together. What a model would get of it, transformed in every way there is, is compared too: of training data made
for the moment, of all requests at once, and of each request alone.
"""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pandas.testing import assert_frame_equal

import groundswell as gs
from groundswell.features import FeatureGroup, FeatureView, to_features
from groundswell.online import OnlineStore, Redis
from groundswell.types import TIMESTAMP, Schema

START = datetime(2024, 1, 1, tzinfo=UTC)
ORIGINS, CARRIERS, AIRPORTS = ("EWR", "JFK", "LGA"), ("UA", "AA"), ("a1", "a2")
MINUTES = st.integers(-15, 12)
VALUES = st.one_of(st.none(), st.integers(0, 9).map(float))
OBSERVATIONS = st.lists(
    st.tuples(
        st.sampled_from(ORIGINS), MINUTES, st.sampled_from([-5, 0, 0, 2, 9]), VALUES, st.integers(0, 9),
        st.sampled_from(AIRPORTS),
    ), min_size=1, max_size=8,
)  # fmt: skip


KINDS = [
    gs.impute("temp"),
    gs.standardize("temp"),
    gs.min_max("heat"),
    gs.max_abs("share"),
    gs.log("distance"),
    gs.robust("distance"),
    gs.bucketize("wind", edges=[2, 5]),
    gs.quantile_bins("hour", n_bins=3),
    gs.impute("near", strategy="constant", value="none"),
    gs.ordinal("near"),
    gs.one_hot("carrier"),
    gs.hashing("origin", n_features=4),
]


@gs.on_demand
def hour(at_sea: bool | None, heat: float | None) -> int | None:
    """A feature of a column that only the request brings and the model does not take, and of another function's."""
    return None if heat is None else int(heat) % 24 + (100 if at_sea else 0)


@gs.on_demand
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
        features = {"temp": pa.float64(), "wind": pa.int16(), "near": pa.string()}
        self.weather = self.group("weather", ["origin"], {"origin": pa.string(), **times, **features}, "t", "a")
        keys = {"carrier": pa.string(), "origin": pa.string(), "t": TIMESTAMP}
        self.load = self.group("load", ["carrier", "origin"], keys | {"share": pa.float64()}, "t", None)
        self.airports = self.group("airports", ["faa"], {"faa": pa.string(), "lat": pa.float64()}, None, None)
        kinds = {"id": pa.int64(), "due": TIMESTAMP, "origin": pa.string(), "carrier": pa.string()}
        kinds |= {"distance": pa.float64(), "at_sea": pa.bool_(), "late": pa.bool_()}
        self.flights = self.group("flights", ["id"], kinds, "due", None)
        own = self.flights.select("origin", "carrier", "distance", "late")
        self.view = self.project.create_feature_view(
            "plain",
            own.join(self.weather.select("temp", "wind", "near")).join(self.load, max_age="9m"),
            labels=["late"],
            on_demand=[hour, heat],
            transformations=KINDS,
        )
        hot = self.weather.select("temp", "near").where(gs.col("wind") > 3)
        query = own.join(hot, prefix="wx_", max_age="25m").join(self.airports, on={"wx_near": "faa"}).join(self.load)
        self.chained = self.project.create_feature_view("chained", query, labels=["late"])
        self.bare = self.project.create_feature_view("bare", self.weather.select("temp", "wind").join(self.airports,
            on={"near": "faa"}))  # fmt: skip
        self.observe([(o, i - 9, 0, float(i), i, AIRPORTS[i % 2]) for i, o in enumerate(ORIGINS * 3)])
        self.carry([(c, o, -1, 1.0 + i) for i, (c, o) in enumerate(product(CARRIERS, ORIGINS))])
        self.fitted = self.view.join_to(self.labelled)

    @property
    def requests(self) -> list[dict[str, Any]]:
        pairs = enumerate(product((*ORIGINS, None), CARRIERS))
        return [{"origin": o, "carrier": c, "distance": 100.0 + i, "at_sea": i % 3 == 0} for i, (o, c) in pairs]

    @property
    def labelled(self) -> list[dict[str, Any]]:
        return [request | {"due": at(self.now), "late": False} for request in self.requests]

    def group(self, name: str, key: list[str], schema: dict[str, pa.DataType], *times: str | None) -> FeatureGroup:
        return self.project.create_feature_group(
            name, primary_key=key, event_time=times[0], available_at=times[1], schema=Schema.of(schema), online=True
        )

    @rule(rows=OBSERVATIONS)
    def observe(self, rows: list[tuple[Any, ...]]) -> None:
        """Late rows and rows of the future, some of which become known later; a correction is a row of its own."""
        self.weather.insert(self.observed(rows))

    def observed(self, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        appended = {name: 1.0 for name in self.weather.schema.names if name.startswith("extra")}
        return [
            {"origin": o, "t": at(self.now + m), "a": at(self.now + m + d), "temp": v, "wind": w, "near": n} | appended
            for o, m, d, v, w, n in rows
        ]

    @rule(rows=OBSERVATIONS, flush=st.booleans())
    def stream(self, rows: list[tuple[Any, ...]], flush: bool) -> None:
        """Rows that are acknowledged are seen before they are committed."""
        with self.weather.stream() as stream:
            stream.write_all(self.observed(rows))
            if flush:
                stream.flush()
            stream._showing.settle()  # online they are seen a moment later
            compare(self.view, self.requests, [None], singly=self.requests[:2])

    @rule()
    def append(self) -> None:
        """The columns that views know stay."""
        if len(self.weather.schema) < 8:
            self.weather.append_features({f"extra{len(self.weather.schema)}": pa.float64()})

    @rule(kind=st.sampled_from([pa.int32(), pa.int64()]))
    def widen(self, kind: pa.DataType) -> None:
        if self.weather.schema["wind"].type.bit_width < kind.bit_width:
            self.weather.widen("wind", kind)

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
        compare(self.view, self.requests[:1], [None], singly=self.requests[:1])
        group.enable_online()

    @invariant()
    def online_is_offline(self) -> None:
        compare(self.view, self.requests, self.moments, singly=self.requests)
        bare = [{name: value for name, value in request.items() if name != "at_sea"} for request in self.requests]
        compare(self.chained, bare, self.moments, singly=bare[:1])
        if self.now % 2:
            compare(self.bare, [{"origin": origin} for origin in ORIGINS], self.moments, singly=[{"origin": "EWR"}])

    @precondition(lambda self: self.now % 3 == 0)
    @invariant()
    def training_data_has_the_vectors_of_its_moments_now(self) -> None:
        self.training_data_has_the_vectors_of_its_moments()

    @property
    def moments(self) -> list[datetime | None]:
        """Now, a moment ago, and moments at which rows will have come."""
        return [None, at(self.now - 4), at(self.now + 3), at(self.now + 40)]

    def training_data_has_the_vectors_of_its_moments(self) -> None:
        """Transformed and not."""
        data = self.view.join_to(self.labelled, transformations_from=self.fitted)
        fitted, vectors = data.transformations, self.view.vectors(self.requests).features
        assert data.raw_rows.to_arrow().select(vectors.column_names).to_pylist() == vectors.to_pylist()
        assert_frame_equal(fitted.transform(vectors), data.X, check_exact=True)
        assert_frame_equal(fitted.transform(to_features(vectors)), data.X, check_exact=True)
        singly = [dict(self.view.vector(request)) for request in self.requests]
        alone = [fitted.transform(pa.Table.from_pylist([row], vectors.schema)) for row in singly]
        assert_frame_equal(pd.concat(alone, ignore_index=True), data.X, check_exact=True)


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
    assert together.features.to_pylist() == offline.features.to_pylist()
    groups = {group.name: group for group in view.query.groups()}
    assert [committed(sources, groups) for sources in together.sources] == offline.sources
    for (request, moment), features, sources in zip(asked, offline.features.to_pylist(), offline.sources, strict=True):
        if request not in singly or (moment is not None and moment < now and request != singly[0]):
            continue  # the tables answer, which takes a thousand times as long
        vector = view.vector(request, at=moment)
        assert dict(vector) == features
        assert committed(vector.sources, groups) == sources


def committed(sources: dict[str, Any], groups: dict[str, FeatureGroup]) -> dict[str, Any]:
    """Rows that were shown before their commit, as what they are once the tables were asked: rows of that commit."""
    return {
        name: source
        if source is None or source.shown_as is None
        else replace(source, commit=groups[name].commit_of(source.shown_as), shown_as=None)
        for name, source in sources.items()
    }


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
    examine(None, 4, 12, derandomize=True, phases=[Phase.generate])
