"""XGBoost over rows in blocks: its iterator, its quantile matrices in memory and in files. Imported when it is used."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from groundswell.errors import FitError
from groundswell.estimators._boosting_rows import Boosted, BoostingRows, BoostingSettings
from groundswell.estimators._row_blocks import RowBlock
from groundswell.statistics._matrix import Floats


class _Blocks(xgboost.DataIter):
    """The blocks as XGBoost asks for them: several times, from the first."""

    def __init__(self, rows: BoostingRows, cache: str | None) -> None:
        self._rows, self._types = rows, _types(rows)
        self._blocks: Iterator[RowBlock] = iter(())
        super().__init__(cache_prefix=cache)

    def next(self, input_data: Callable[..., Any]) -> bool:
        """Hand over the next block."""
        block = next(self._blocks, None)
        if block is None:
            return False
        matrix = block.X.astype(np.float32)
        input_data(data=matrix, label=block.y[:, 0], weight=block.weights, feature_types=self._types)
        return True

    def reset(self) -> None:
        """Begin anew."""
        self._blocks = self._rows.blocks()


def _types(rows: BoostingRows) -> list[str]:
    return ["c" if categorical else "float" for categorical in rows.categorical]


def train(rows: BoostingRows, evaluation: BoostingRows | None, settings: BoostingSettings) -> Boosted:
    """Boost. Rows are binned as they are read, and kept as bins: in memory, or in files of a temporary folder.

    Args:
        rows: to learn from.
        evaluation: to tell by when to stop.
        settings: how.

    Raises:
        FitError: XGBoost refuses a parameter.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-xgboost-") as folder:

        def quantized(one: BoostingRows, name: str, reference: Any) -> Any:  # Any: matrices of XGBoost
            cache = str(Path(folder) / name) if settings.external_memory else None
            kind = xgboost.ExtMemQuantileDMatrix if settings.external_memory else xgboost.QuantileDMatrix
            max_bin = settings.params["max_bin"]
            return kind(_Blocks(one, cache), ref=reference, max_bin=max_bin, enable_categorical=True)

        matrix = quantized(rows, "rows", None)
        sets = [] if evaluation is None else [(quantized(evaluation, "evaluation", matrix), "evaluation")]
        results: dict[str, dict[str, Any]] = {}  # Any: as XGBoost declares it
        try:
            booster = xgboost.train(
                dict(settings.params), matrix, settings.rounds, evals=sets, evals_result=results, verbose_eval=False,
                early_stopping_rounds=settings.early_stopping_rounds if sets else None,
            )  # fmt: skip
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise FitError(
                f"XGBoost refuses: {str(error).splitlines()[0]}", fix="See the parameters of XGBoost, and `params`."
            ) from error
    curves = [curve for metrics in results.values() for curve in metrics.values()]
    if sets and settings.early_stopping_rounds is not None:
        booster = booster[: booster.best_iteration + 1]
    gains = np.zeros(len(rows.categorical))
    for name, gain in booster.get_score(importance_type="total_gain").items():
        gains[int(name[1:])] = float(np.sum(gain))
    return Boosted(
        model=bytes(booster.save_raw("json")).decode(),
        rounds=booster.num_boosted_rounds(),
        curve=[float(value) for value in curves[-1]] if curves else [],
        gains=gains,
    )


def predictor(
    model: str,
    categorical: Any,  # Any: an array of booleans
    threads: int,
) -> Callable[[Floats], Floats]:
    """The function from features, shape (rows, features), to what the model predicts, from its text.

    Args:
        model: the text.
        categorical: which features are categories.
        threads: that predict; 0 is all.
    """
    booster = xgboost.Booster({"nthread": threads})
    booster.load_model(bytearray(model.encode()))
    types = ["c" if one else "float" for one in categorical]

    def predict(X: Floats) -> Floats:
        matrix = xgboost.DMatrix(X.astype(np.float32), feature_types=types, enable_categorical=True, nthread=threads)
        return np.asarray(booster.predict(matrix), np.float64)

    return predict
