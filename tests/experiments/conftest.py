from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from groundswell.catalog import Catalog
from groundswell.experiments import Runs
from groundswell.types import Schema


@dataclass(frozen=True)
class Flights:
    """Training data of two features and one label, in a few rows."""

    id: str
    split: str
    frame: pd.DataFrame
    name: str = "late_arrival"
    version: int = 1
    view_name: str = "late_arrival"
    pins: dict = field(default_factory=lambda: {"weather": 3})

    @property
    def X(self):
        return self.frame[["distance", "temp"]]

    @property
    def y(self):
        return self.frame["late"]

    @property
    def schema(self):
        return Schema.of({"distance": pa.float64(), "temp": pa.float64()})

    @property
    def label_schema(self):
        return Schema.of({"late": pa.bool_()})

    def to_arrow(self):
        return pa.Table.from_pandas(self.frame, preserve_index=False)

    def __len__(self):
        return len(self.frame)


@pytest.fixture
def catalog(tmp_path):
    with Catalog.create(f"sqlite:///{tmp_path / 'catalog.db'}") as catalog:
        yield catalog


@pytest.fixture
def runs(catalog, tmp_path):
    return Runs(catalog, tmp_path / "runs")


@pytest.fixture
def parts(catalog):
    """Train and test."""
    entry = catalog.add("training_data", "late_arrival", {})
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"distance": random.normal(size=80), "temp": random.normal(size=80)})
    frame["late"] = frame["distance"] + 0.5 * random.normal(size=80) > 0
    return Flights(entry.id, "train", frame[:60]), Flights(entry.id, "test", frame[60:].reset_index(drop=True))
