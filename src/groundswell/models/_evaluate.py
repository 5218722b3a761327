"""`evaluate`: one pass over the data, the model asked block by block, everything counted in statistics that merge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from groundswell.errors import DataError
from groundswell.features import fitting
from groundswell.models._evaluation import Evaluation
from groundswell.models._evaluation_data import Block, Question, blocks_of, is_in_memory
from groundswell.models._figures import classifier_evaluation, regressor_evaluation
from groundswell.models._model_version import ModelVersion
from groundswell.models._signature import Task, task_of
from groundswell.statistics import (
    Batch,
    ByClass,
    CalibrationBins,
    ContingencyTable,
    Count,
    Over,
    ProbabilityLosses,
    RegressionErrors,
    ScoreCounts,
    Statistic,
    Together,
)

__all__ = ["evaluate", "question_of"]

_MOST_SCORES = 65_536
_FEWEST_SCORES = 1_024
_MOST_SLICES = 1_000


def evaluate(
    model: Any,  # a fitted estimator or a model version
    data: Any,  # an array-like or a table
    labels: Any = None,  # an array-like, or the name of a column
    *,
    weights: Any = None,  # as labels
    by: str | Iterable[str] = (),
    max_scores: int | None = None,
    n_bins: int = 10,
) -> Evaluation:
    """How good a fitted model is on data that it has not seen.

    The data are read once, in blocks, and may be larger than memory. Figures are those of scikit-learn:

    - binary: `base_rate` (share of the second class), `roc_auc`, `average_precision`, `log_loss`, `brier`, `ece`
      (expected calibration error), `accuracy`, `balanced_accuracy`, `matthews`, and `precision`, `recall`, `f1` of the
      second class;
    - multiclass: `accuracy`, `balanced_accuracy`, `matthews`, `precision_macro`, `recall_macro`, `f1_macro`,
      `f1_weighted`, `roc_auc_ovr`, `log_loss`, `brier`, `ece` (the mean of the labels');
    - regression: `rmse`, `mae`, `r2`, `explained_variance`, `median_absolute_error`, `mape`, `max_error`, `mean_error`.

    Args:
        model: what is evaluated; a version of a registered model is loaded.
        data: training data, an array, a data frame, the path of a Parquet file, an Arrow table or stream.
        labels: what is true: one value for each row, or with a frame or table the name of a column. Training data know
            theirs.
        weights: how much each row counts, given in the same way.
        by: columns by whose values the same figures are computed.
        max_scores: how many different scores are told apart; beyond, the areas under curves come with a bound in
            `errors`. None is all of arrays and frames, and 65,536 of tables.
        n_bins: of the calibration.

    Raises:
        DataError: there are no rows, a label is missing, lengths differ, probabilities do not sum to one, a score is
            NaN, a column of `by` has more than 1,000 values, the model is neither classifier nor regressor, or it was
            fitted on other columns.
        ColumnNotFoundError: a named column is not there.
        SchemaError: the labels are not given, or are an array beside a table.

    >>> from sklearn.linear_model import LinearRegression
    >>> houses = pd.DataFrame({"area": [2104.0, 1600.0, 2400.0], "price": [400.0, 330.0, 369.0]})
    >>> model = LinearRegression().fit(houses[["area"]], houses["price"])
    >>> round(evaluate(model, houses, "price").metrics["r2"], 4)
    0.4532
    """
    model = model.load() if isinstance(model, ModelVersion) else model
    task, classes = task_of(model)
    if task == "other":
        raise DataError(
            f"A {type(model).__name__} cannot be evaluated.",
            why="Metrics are known for classifiers and regressors of one label.",
            fix="Compute your own in the function and return (model, {'name': value}).",
        )
    question = question_of(model, data, labels, weights, (by,) if isinstance(by, str) else tuple(by))
    if max_scores is None and not is_in_memory(question.data):
        max_scores = max(_MOST_SCORES // max(len(classes), 1), _FEWEST_SCORES)
    pass_ = _Pass(model=model, task=task, classes=classes, by=question.by, max_scores=max_scores, n_bins=n_bins)
    for block in blocks_of(model, question):
        pass_.update(block)
    return pass_.evaluation()


def question_of(model: Any, data: Any, labels: Any, weights: Any, by: tuple[str, ...]) -> Question:  # Any: as evaluate
    """The question with training data as the model takes them: before their transformations if it has these itself."""
    if hasattr(data, "label_schema") and labels is None:
        if len(data.label_schema) != 1:
            raise DataError(
                "The data have several labels.", why="Metrics are known for one label.", fix="Say labels=…."
            )
        label = data.label_schema.names[0]
        if not hasattr(data, "raw_rows"):
            return Question(data=data.X, labels=data.y, weights=weights, by=by)
        raw = data.transformations is None or fitting.has_transformations(model)
        return Question(data=data.raw_rows if raw else data, labels=label, weights=weights, by=by)
    return Question(data=data, labels=labels, weights=weights, by=by)


@dataclass(kw_only=True)
class _Pass:
    """What is counted while the data are read.

    Args:
        model, task, classes: what is evaluated; the classes in the order of its probabilities.
        by: columns to slice by.
        max_scores, n_bins: as in `evaluate`.
    """

    model: Any
    task: Task
    classes: tuple[Any, ...]
    by: tuple[str, ...]
    max_scores: int | None
    n_bins: int
    numbers: dict[Any, int] = field(init=False)  # of labels: those of the model first, then as they come
    all_rows: Together | None = field(init=False, default=None)
    known_rows: Together | None = field(init=False, default=None)  # those whose label the model knows

    def __post_init__(self) -> None:
        self.numbers = {label: number for number, label in enumerate(self.classes)}

    def update(self, block: Block) -> None:
        """Ask the model and count what it says.

        Raises:
            DataError: a label is missing, the model does not give one prediction for each row, or there are too many
                slices.
        """
        missing = int(pd.isna(pd.Series(block.labels)).sum())
        if missing:
            n_rows = len(block.labels)
            raise DataError(
                f"{missing:,} of {n_rows:,} labels are missing.", fix="Leave those rows out.", missing=missing
            )
        said = np.asarray(self.model.predict(block.inputs))
        if said.shape[:1] != block.labels.shape or said.ndim != 1:
            raise DataError(
                f"The model predicted {said.shape} for {len(block.labels):,} rows.",
                why="Metrics are known for one prediction of each row.",
                fix="Evaluate a model of one label.",
                shape=said.shape,
            )
        if self.task == "regression":
            truth, probabilities = _as_numbers(block.labels), said[:, None].astype(np.float64)
            batch = Batch(X=probabilities, y=truth, weights=block.weights, columns=block.columns)
            known = np.ones(len(truth), bool)
        else:
            batch, known = self._classified(block, said)
        if self.all_rows is None or self.known_rows is None:
            self.all_rows, self.known_rows = self._statistics(batch)
        self.all_rows.update(batch)
        self._check_slices(self.all_rows)
        self.known_rows.update(batch if known.all() else batch.rows(known))

    def _classified(self, block: Block, said: NDArray[Any]) -> tuple[Batch, NDArray[np.bool_]]:
        truth, predicted = self._numbered(block.labels), self._numbered(said)
        scores = _scores(self.model, block.inputs, len(self.classes))
        batch = Batch(
            X=scores,
            y=truth.astype(np.float64),
            weights=block.weights,
            columns={**block.columns, _PREDICTED: predicted},
            names=None if scores is None else tuple(map(str, range(scores.shape[1]))),
        )
        return batch, truth < len(self.classes)

    def _numbered(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        for label in pd.unique(pd.Series(labels, dtype=object)):
            self.numbers.setdefault(label, len(self.numbers))
        return np.asarray(pd.Series(labels, dtype=object).map(self.numbers), np.int64)

    def _statistics(self, batch: Batch) -> tuple[Together, Together]:
        """What to count of all rows, and of those whose label the model knows; of each slice too."""
        everything: dict[str, Statistic[Any]] = {"count": Count()}
        known: dict[str, Statistic[Any]] = {}
        if self.task == "regression":
            known["errors"] = RegressionErrors(self.max_scores)
        else:
            everything["confusion"] = ContingencyTable(_PREDICTED)
            if len(self.classes) > 1 and batch.names is not None:
                known = self._of_scores(batch.names)
        return self._with_slices(Together(everything)), self._with_slices(Together(known))

    def _with_slices(self, part: Together) -> Together:
        return Together({"all": part, "by": Together({column: ByClass[Any](part, column) for column in self.by})})

    def _of_scores(self, names: tuple[str, ...]) -> dict[str, Statistic[Any]]:
        parts: dict[str, Statistic[Any]] = {}
        probabilities = hasattr(self.model, "predict_proba")
        if probabilities:
            parts["losses"] = Over[Any](names, ProbabilityLosses())
        for k in range(1 if self.task == "binary" else 0, len(self.classes)):
            column = names[k] if len(names) > 1 else names[0]
            parts[f"scores {k}"] = Over[Any]([column], ScoreCounts(k, self.max_scores))
            if probabilities:
                parts[f"calibration {k}"] = Over[Any]([column], CalibrationBins(k, self.n_bins))
        return parts

    def _check_slices(self, seen: Together) -> None:
        for column, groups in _parts(seen, "by").items():
            assert isinstance(groups, ByClass)
            if len(groups.parts) > _MOST_SLICES:
                raise DataError(
                    f"Column {column!r} has more than {_MOST_SLICES:,} values.",
                    why="The figures are computed of each.",
                    fix="Put the values into bins first.",
                    column=column,
                )

    def evaluation(self) -> Evaluation:
        """The figures of all rows and of the slices.

        Raises:
            DataError: there were no rows.
        """
        if self.all_rows is None or self.known_rows is None:
            raise DataError("There are no rows to evaluate on.", fix="Choose a split that leaves some.")
        everything, known = self.all_rows.result(), self.known_rows.result()
        if not everything["all"]["count"].rows:
            raise DataError("All weights are zero.", why="There are no rows that count.", fix="Give positive weights.")
        slices = {}
        for column in self.by:
            values = everything["by"][column]
            empty = {name: part.zero().result() for name, part in _parts(self.known_rows, "all").items()}
            slices[column] = {
                value: self._evaluation(found, known["by"][column].get(value, empty)) for value, found in values.items()
            }
        return self._evaluation(everything["all"], known["all"], slices)

    def _evaluation(
        self,
        everything: Mapping[str, Any],
        known: Mapping[str, Any],
        slices: Mapping[str, Mapping[Any, Evaluation]] | None = None,
    ) -> Evaluation:
        if self.task == "regression":
            return regressor_evaluation(everything, known, slices or {})
        return classifier_evaluation(
            everything, known, slices or {}, model=self.model, labels=tuple(self.numbers), n_classes=len(self.classes)
        )


_PREDICTED = "\0predicted"  # a name that no column has


def _parts(both: Together, name: str) -> Mapping[str, Statistic[Any]]:
    inner = both[name]
    assert isinstance(inner, Together)
    return inner.parts


def _as_numbers(labels: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return labels.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"The labels are no numbers: {error}", fix="A regressor is held against numbers; name another column."
        ) from None


def _scores(model: Any, inputs: Any, n_classes: int) -> NDArray[np.float64] | None:  # Any: an estimator and its inputs
    """Probabilities of shape (rows, classes), or decision scores; None if the model gives neither, of each class."""
    if hasattr(model, "predict_proba"):
        scores = np.asarray(model.predict_proba(inputs), dtype=np.float64)
        expected = (n_classes,)
    elif hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(inputs), dtype=np.float64)
        scores = scores[:, None] if scores.ndim == 1 else scores
        expected = (1,) if n_classes <= 2 else (n_classes,)
        if scores.shape[1:] != expected:  # one score for each pair of classes ranks no class
            return None
    else:
        return None
    if scores.shape[1:] != expected:
        raise DataError(
            f"The model gave probabilities of the shape {scores.shape} for {n_classes} classes.",
            why="There is one probability for each class.",
            fix="Repair its predict_proba, or its classes_.",
            shape=scores.shape,
        )
    return np.asfortranarray(scores)
