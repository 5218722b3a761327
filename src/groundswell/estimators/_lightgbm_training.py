"""LightGBM over rows in blocks: its sequences, of which it samples, then bins all. Imported when it is used."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from groundswell.errors import FitError
from groundswell.estimators._boosting_rows import Boosted, BoostingRows, BoostingSettings
from groundswell.estimators._row_blocks import RowBlock
from groundswell.statistics._matrix import Floats


class _Cursor:
    """The block that was asked for last; asking for an earlier one reads the rows again from the first."""

    def __init__(self, rows: BoostingRows) -> None:
        self._rows, self._blocks = rows, rows.blocks()
        self._held: RowBlock | None = None

    def block(self, number: int) -> RowBlock:
        """The block of that number."""
        if self._held is not None and self._held.number > number:
            self._blocks, self._held = self._rows.blocks(), None
        while self._held is None or self._held.number < number:
            self._held = next(self._blocks)
        return self._held


class _Block(lightgbm.Sequence):
    """One block as LightGBM asks for it: single rows of a sample in ascending order, then all rows."""

    def __init__(self, cursor: _Cursor, number: int, length: int) -> None:
        self._cursor, self._number, self._length = cursor, number, length
        self.batch_size = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: Any) -> NDArray[Any]:  # Any: a position, a slice or a list of positions
        return np.asarray(self._cursor.block(self._number).X[rows], np.float64)  # no other will do


def train(rows: BoostingRows, evaluation: BoostingRows | None, settings: BoostingSettings) -> Boosted:
    """Boost. Labels and bins are held in memory, the rows themselves are not.

    Args:
        rows: to learn from.
        evaluation: to tell by when to stop.
        settings: how.

    Raises:
        FitError: LightGBM refuses a parameter.
    """
    params = dict(settings.params)
    dataset = _dataset(rows, params, None)
    curve: list[float] = []
    callbacks: list[Callable[..., Any]] = [
        lambda state: curve.extend(float(one[2]) for one in state.evaluation_result_list)
    ]
    if evaluation is not None and settings.early_stopping_rounds is not None:
        callbacks.append(lightgbm.early_stopping(settings.early_stopping_rounds, verbose=False))
    sets = None if evaluation is None else [_dataset(evaluation, params, dataset)]
    try:
        booster = lightgbm.train(params, dataset, settings.rounds, valid_sets=sets, callbacks=callbacks)
    except lightgbm.basic.LightGBMError as error:
        raise FitError(f"LightGBM refuses: {error}", fix="See the parameters of LightGBM, and `params`.") from error
    kept = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    return Boosted(
        model=booster.model_to_string(num_iteration=kept),
        rounds=kept,
        curve=curve,
        gains=np.asarray(booster.feature_importance("gain", iteration=kept), np.float64),
    )


def _dataset(rows: BoostingRows, params: dict[str, Any], reference: Any) -> Any:  # Any: LightGBM's data sets
    labels, weights, lengths = [], [], []
    for block in rows.blocks():
        labels.append(block.y[:, 0])
        weights.append(block.weights)
        lengths.append(len(block.y))
    cursor = _Cursor(rows)
    return lightgbm.Dataset(
        [_Block(cursor, number, length) for number, length in enumerate(lengths)],
        label=np.concatenate(labels),
        weight=np.concatenate(weights),
        categorical_feature=np.flatnonzero(rows.categorical).tolist(),
        params=params,
        reference=reference,
    )


def predictor(
    model: str,
    categorical: Any,  # Any: an array of booleans, which the text has too
    threads: int,
) -> Callable[[Floats], Floats]:
    """The function from features, shape (rows, features), to what the model predicts, by so many threads; 0 is all."""
    booster = lightgbm.Booster(model_str=model)
    return lambda X: np.asarray(booster.predict(X, num_threads=threads), np.float64)
