"""XGBoost and LightGBM behind the interface of the other estimators: from tables, in parts, with external memory."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import FitError, MissingDependencyError
from groundswell.estimators._boosting_rows import BLOCK_ROWS, BoostingRows, BoostingSettings
from groundswell.estimators._input import Input, fit_input, predict_parts
from groundswell.estimators._labels import coded, observed_classes
from groundswell.estimators._row_blocks import RowBlock, RowBlocks
from groundswell.estimators._row_errors import no_rows, require_complete
from groundswell.estimators._score import Classifier, Regressor
from groundswell.estimators._transform import matrix
from groundswell.estimators._tree_model import categorical_mask, require_at_least
from groundswell.statistics import Batch, CategoryCounts
from groundswell.statistics._matrix import Floats


class _Boosting(BaseEstimator, ABC):  # type: ignore[misc]  # sklearn is untyped
    """What all four share; abstract."""

    _library: ClassVar[str]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _learn(self, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> None:  # Any: as in fit
        training = _training(self._library)
        require_at_least(
            1, n_estimators=self.n_estimators, max_bin=self.max_bin, early_stopping_rounds=self.early_stopping_rounds
        )
        if self.early_stopping_rounds is not None and eval_set is None:
            raise FitError(
                f"early_stopping_rounds is {self.early_stopping_rounds}, and there is no eval_set.",
                why="Rows that it does not learn from tell when to stop.",
                fix="Give them: fit(..., eval_set=(X, y)); of tables eval_set=('test.parquet', 'label').",
            )
        data = self._input(X, y, sample_weight, reset=True)
        mask = categorical_mask(self, [str(name) for name in _names(self)])
        with data.cached() as kept:
            rows = BoostingRows(blocks=self._blocks(self._targets(kept, y, first=True), mask), categorical=mask)
            evaluation = None
            if eval_set is not None:
                others = self._targets(
                    self._input(eval_set[0], eval_set[1], None, reset=False), eval_set[1], first=False
                )
                evaluation = BoostingRows(blocks=self._blocks(others, mask), categorical=mask)
            if next(rows.blocks(), None) is None:
                raise no_rows()
            found = training.train(rows, evaluation, self._settings())
        total = found.gains.sum()
        self.feature_importances_ = found.gains / total if total > 0 else found.gains
        self.model_, self.n_estimators_, self.evaluation_curve_ = found.model, found.rounds, found.curve
        self.is_categorical_ = mask

    def _input(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Input:  # Any: as in fit
        numeric = not isinstance(self, Classifier)
        return fit_input(self, X, y, sample_weight, needs_y=True, numeric_y=numeric, allow_nan=True, reset=reset)

    def _targets(self, data: Input, y: Any, *, first: bool) -> Input:  # Any: as in fit
        """The rows with targets as numbers."""
        return data

    def _blocks(self, data: Input, categorical: NDArray[np.bool_]) -> Callable[[], Iterator[RowBlock]]:
        names, chosen = _names(self), np.flatnonzero(categorical)

        def checked() -> Iterator[RowBlock]:
            for block in RowBlocks(data.batches, BLOCK_ROWS, allow_nan=True):
                for j in chosen:
                    values = block.X[:, j]
                    wrong = values[(values < 0) | (values != np.floor(values)) & ~np.isnan(values)]
                    if len(wrong):
                        raise FitError(
                            f"The categorical feature {names[j]!s} has the value {wrong[0]:g}.",
                            why="Categories are whole numbers from 0.",
                            fix="Put OrdinalEncoder before it in a pipeline; it makes them of any values.",
                            feature=str(names[j]),
                        )
                yield block

        return checked

    def _settings(self) -> BoostingSettings:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return BoostingSettings(
            params={**self._params(), "seed": seed, **(self.params or {})},
            rounds=self.n_estimators,
            early_stopping_rounds=self.early_stopping_rounds,
            external_memory=getattr(self, "external_memory", False),
        )

    @abstractmethod
    def _params(self) -> dict[str, Any]:  # Any: what the library takes
        """The settings, the kind of target among them, by the names of the library."""

    def _raw(self, X: Any) -> Floats:  # Any: array-likes and tables
        check_is_fitted(self)
        predict = _predictor(self._library, self.model_, tuple(self.is_categorical_.tolist()), self.n_jobs or 0)

        def of(batch: Batch) -> Floats:
            x = matrix(batch)
            return predict(x) if len(x) else predict(np.zeros((1, x.shape[1])))[:0]

        return predict_parts(self, X, of)


class _BoostingClassifier(Classifier, _Boosting):
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Grow the trees.

        Args:
            X: shape (rows, features), or a table; NaN is missing.
            y: labels of any type, shape (rows,); with a table the name of its label column.
            sample_weight: shape (rows,); with a table the name of its column of weights.
            eval_set: X and y of rows that tell when to stop.

        Raises:
            MissingDependencyError: the library is not installed.
            FitError: there are no rows, one class only, a label is missing, or a parameter cannot be.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._learn(X, y, sample_weight, eval_set)
        return self

    def _targets(self, data: Input, y: Any, *, first: bool) -> Input:  # Any: as in fit
        if y is not None and not isinstance(y, str):
            check_classification_targets(y)
        if first:
            labels = data.fold(CategoryCounts()).result()
            require_complete(float(labels.missing), "the label")
            self.classes_ = observed_classes(labels.values)
        return coded(data, self.classes_, one_hot=False)

    def predict_proba(self, X: Any) -> Floats:  # Any: array-likes and tables
        """P(class | x), shape (rows, classes).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        p = self._raw(X)
        return np.column_stack([1 - p, p]) if p.ndim == 1 else p

    def predict(self, X: Any) -> NDArray[Any]:  # Any: array-likes and tables; labels of any type
        """The most probable label of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        winners = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])


class _BoostingRegressor(Regressor, _Boosting):
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, eval_set: Any = None) -> Self:
        """Grow the trees. Arguments and errors as for the classifier; y are numbers."""
        self._learn(X, y, sample_weight, eval_set)
        return self

    def predict(self, X: Any) -> Floats:  # Any: array-likes and tables
        """The prediction of each row, shape (rows,).

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a table lacks a feature.
        """
        return self._raw(X)


class _XGBoost(_Boosting):
    _library = "xgboost"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        learning_rate: float = 0.3,
        max_depth: int = 6,
        max_bin: int = 256,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        early_stopping_rounds: int | None = None,
        external_memory: bool = False,
        params: dict[str, Any] | None = None,  # Any: what XGBoost takes
        n_jobs: int | None = None,
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_estimators, self.learning_rate, self.max_depth = n_estimators, learning_rate, max_depth
        self.max_bin, self.categorical_features = max_bin, categorical_features
        self.early_stopping_rounds, self.external_memory = early_stopping_rounds, external_memory
        self.params, self.n_jobs, self.random_state = params, n_jobs, random_state

    def _params(self) -> dict[str, Any]:  # Any: as above
        return {
            "tree_method": "hist", "learning_rate": self.learning_rate, "max_depth": self.max_depth,
            "max_bin": self.max_bin, "nthread": self.n_jobs or 0, "verbosity": 0, **self._objective(),
        }  # fmt: skip

    def _objective(self) -> dict[str, Any]:  # Any: as above
        if not isinstance(self, Classifier):
            return {"objective": "reg:squarederror"}
        n = len(self.classes_)
        return {"objective": "binary:logistic"} if n == 2 else {"objective": "multi:softprob", "num_class": n}


class _LightGBM(_Boosting):
    _library = "lightgbm"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        learning_rate: float = 0.1,
        num_leaves: int = 31,
        max_bin: int = 255,
        categorical_features: Any = None,  # Any: an array-like of names, positions or booleans
        early_stopping_rounds: int | None = None,
        params: dict[str, Any] | None = None,  # Any: what LightGBM takes
        n_jobs: int | None = None,
        random_state: Any = None,  # Any: an int, a generator of NumPy or None
    ) -> None:
        self.n_estimators, self.learning_rate, self.num_leaves = n_estimators, learning_rate, num_leaves
        self.max_bin, self.categorical_features = max_bin, categorical_features
        self.early_stopping_rounds, self.params = early_stopping_rounds, params
        self.n_jobs, self.random_state = n_jobs, random_state

    def _params(self) -> dict[str, Any]:  # Any: as above
        return {
            "learning_rate": self.learning_rate, "num_leaves": self.num_leaves, "max_bin": self.max_bin,
            "num_threads": self.n_jobs or 0, "verbosity": -1, "deterministic": True, "force_row_wise": True,
            **self._objective(),
        }  # fmt: skip

    def _objective(self) -> dict[str, Any]:  # Any: as above
        if not isinstance(self, Classifier):
            return {"objective": "regression"}
        n = len(self.classes_)
        return {"objective": "binary"} if n == 2 else {"objective": "multiclass", "num_class": n}


class XGBClassifier(_XGBoost, _BoostingClassifier):
    """Classification by XGBoost, which needs the extra `xgboost`.

    Rows are handed to XGBoost in blocks, and kept as bins of a byte each: in memory, or with `external_memory` in files
    of a temporary folder, so that a table may be larger than memory. The fitted model is held in XGBoost's own JSON, as
    which it is also stored.

    Args:
        n_estimators: rounds of boosting at most.
        learning_rate: the share of each tree's correction that is taken.
        max_depth: of a tree. max_bin: bins of a feature.
        categorical_features: names, positions or booleans of features whose values are categories: whole numbers from
            0, as `OrdinalEncoder` makes them.
        early_stopping_rounds: it stops when the evaluation set has gained nothing for so many rounds.
        external_memory: whether binned rows lie in files.
        params: further parameters of XGBoost by its own names; they go before those above.
        n_jobs: threads that learn and predict; None is all.
        random_state: seed or generator.

    Attributes:
        classes_: the labels, sorted.
        model_: the trees, in JSON. n_estimators_: rounds kept.
        evaluation_curve_: the metric on the evaluation set after each round.
        feature_importances_: the share of each feature in the gain, shape (features,).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Chen, Guestrin: XGBoost, a scalable tree boosting system, KDD 2016.
    """


class XGBRegressor(_XGBoost, _BoostingRegressor):
    """Regression by XGBoost, which needs the extra `xgboost`. Arguments and attributes as for `XGBClassifier`."""


class LGBMClassifier(_LightGBM, _BoostingClassifier):
    """Classification by LightGBM, which needs the extra `lightgbm`.

    LightGBM samples rows for its bins, then reads all in blocks and keeps their bins and labels; the rows themselves
    are never held. The fitted model is held in LightGBM's own text, as which it is also stored.

    Args:
        n_estimators: rounds of boosting at most.
        learning_rate: the share of each tree's correction that is taken.
        num_leaves: of a tree. max_bin: bins of a feature.
        categorical_features: names, positions or booleans of features whose values are categories: whole numbers from
            0, as `OrdinalEncoder` makes them.
        early_stopping_rounds: it stops when the evaluation set has gained nothing for so many rounds.
        params: further parameters of LightGBM by its own names; they go before those above.
        n_jobs: threads that learn and predict; None is all.
        random_state: seed or generator.

    Attributes:
        classes_: the labels, sorted.
        model_: the trees, as text. n_estimators_: rounds kept.
        evaluation_curve_: the metric on the evaluation set after each round.
        feature_importances_: the share of each feature in the gain, shape (features,).
        n_features_in_, feature_names_in_: what it was fitted on.

    References:
        Ke et al.: LightGBM, a highly efficient gradient boosting decision tree, NeurIPS 2017.
    """


class LGBMRegressor(_LightGBM, _BoostingRegressor):
    """Regression by LightGBM, which needs the extra `lightgbm`. Arguments and attributes as for `LGBMClassifier`."""


def _training(library: str) -> Any:  # Any: one of the two modules that train
    try:
        return importlib.import_module(f"groundswell.estimators._{library}_training")
    except ImportError as error:
        if error.name != library:
            raise
        raise MissingDependencyError(
            f"{library} is not installed.", fix=f"Install it: pip install 'groundswell[{library}]'.", name=library
        ) from None


@lru_cache(maxsize=8)
def _predictor(library: str, model: str, categorical: tuple[bool, ...], threads: int) -> Callable[[Floats], Floats]:
    """What predicts, made from the text of the model; the last few are kept, as reading a large one takes a while."""
    made: Callable[[Floats], Floats] = _training(library).predictor(model, categorical, threads)
    return made


def _names(estimator: BaseEstimator) -> NDArray[Any]:
    return np.asarray(getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(estimator.n_features_in_)]))
