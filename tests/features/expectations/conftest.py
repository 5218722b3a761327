"""One project for the tests of expectations; each test makes groups of its own."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.features import FeatureGroup

TIMESTAMP = pa.timestamp("us", tz="UTC")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gs.Project]:
    with gs.open(tmp_path_factory.mktemp("expectations") / "project") as opened:
        yield opened


@pytest.fixture
def make(project: gs.Project) -> Callable[..., FeatureGroup]:
    """Makes a group of weather: origin and at are the identity, temp and sky the features."""

    def made(**options: Any) -> FeatureGroup:
        schema = {"origin": pa.string(), "at": TIMESTAMP, "temp": pa.float64(), "sky": pa.string()}
        return project.create_feature_group(
            f"g_{uuid4().hex}",
            primary_key=["origin"],
            event_time="at",
            schema=options.pop("schema", schema),
            **options,
        )

    return made


@pytest.fixture
def rows() -> Callable[..., dict[str, list[Any]]]:
    """Rows of weather, an hour apart, for some temperatures."""

    def made(temps: list[float | None]) -> dict[str, list[Any]]:
        n = len(temps)
        times = pa.array([1_704_067_200_000_000 + i * 3_600_000_000 for i in range(n)]).cast(TIMESTAMP)
        return {
            "origin": pa.array(["EWR"] * n, pa.string()),
            "at": times,
            "temp": pa.array(temps, pa.float64()),
            "sky": pa.array(["clear"] * n, pa.string()),
        }

    return made
