"""The same rows in every form that an estimator takes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import BaseEstimator, clone

from groundswell.engines import StreamRows

Fits = Callable[..., Iterator[tuple[str, BaseEstimator]]]


@pytest.fixture
def fits(tmp_path: Path) -> Fits:
    """Fits clones of an estimator on the same rows: arrays, frames, Parquet of several cuts, Arrow tables, streams."""

    def of(estimator: BaseEstimator, X: np.ndarray, y: Any, weights: Any = None) -> Iterator[tuple[str, BaseEstimator]]:
        names = [f"x{j}" for j in range(X.shape[1])]
        frame = pd.DataFrame(X, columns=names)
        extra = {} if weights is None else {"sample_weight": weights}
        yield "array", clone(estimator).fit(X, y, **extra)
        yield "column-major array", clone(estimator).fit(np.asfortranarray(X), y, **extra)
        yield "frame", clone(estimator).fit(frame, y, **extra)
        columns = {name: X[:, j] for j, name in enumerate(names)} | {"label": np.asarray(y)}
        named = {}
        if weights is not None:
            columns["count"], named = np.asarray(weights), {"sample_weight": "count"}
        table = pa.table(columns)
        yield "Arrow table", clone(estimator).fit(table, "label", **named)
        for rows in (7, 1000):
            path = tmp_path / f"{rows}.parquet"
            pq.write_table(table, path, row_group_size=rows)
            yield f"Parquet, groups of {rows}", clone(estimator).fit(str(path), "label", **named)
        stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=13))
        yield "stream", clone(estimator).fit(stream, "label", **named)

    return of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out scikit-learn's check of array API input, which skips itself: no estimator here declares to take it."""
    out = [item for item in items if "check_array_api_input" in item.name]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
