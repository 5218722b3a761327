"""What the trainers of XGBoost and LightGBM are given and give back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._row_blocks import RowBlock
from groundswell.statistics._matrix import Floats

BLOCK_ROWS = 65_536
"""Rows that a library gets at once, whatever parts the source has: bins depend on such cuts a little."""


@dataclass(frozen=True, kw_only=True)
class BoostingRows:
    """Rows to learn from, or to tell by when to stop.

    Args:
        blocks: makes the rows anew, in blocks.
        categorical: which features are categories, shape (features,).
    """

    blocks: Callable[[], Iterator[RowBlock]]
    categorical: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class BoostingSettings:
    """How to learn.

    Args:
        params: of the library, by its names.
        rounds: of boosting at most.
        early_stopping_rounds: without gain on the evaluation set; None for never.
        external_memory: whether binned rows lie in files rather than in memory.
    """

    params: Mapping[str, Any]  # Any: what the library takes
    rounds: int
    early_stopping_rounds: int | None
    external_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Boosted:
    """What was learned.

    Attributes:
        model: in the library's own text format.
        rounds: that were kept.
        curve: the metric on the evaluation set after each round; empty without one.
        gains: of the splits of each feature, summed, shape (features,).
    """

    model: str
    rounds: int
    curve: list[float]
    gains: Floats
