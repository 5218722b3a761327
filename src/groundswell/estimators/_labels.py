"""Labels of a classifier as codes, and the size of its features: what is known after a first pass over the rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets

from groundswell.engines import ArrayBatches, Batches, TableBatches, fold
from groundswell.engines._fold import BatchPart
from groundswell.errors import FitError
from groundswell.estimators._input import Input
from groundswell.estimators._row_errors import no_rows, require_complete, require_finite
from groundswell.statistics import Batch, CategoryCounts, Moments, Together
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class Labeled:
    """Rows whose labels are codes 0, 1, …, in float64.

    Attributes:
        data: the rows.
        classes: the labels by code, sorted.
        weight: Σ w.
        mean: of the features, shape (features,).
        std: of the features; 1 for a constant one.
    """

    data: Input
    classes: NDArray[Any]
    weight: float
    mean: Floats
    std: Floats


def labeled(data: Input, *, one_hot: bool = False) -> Labeled:
    """Rows of a weight other than zero with coded labels, from a first pass.

    Args:
        data: the rows, y their labels.
        one_hot: whether y becomes a column of zeros and ones for each of three or more classes, in place of codes.

    Raises:
        FitError: there are no rows, a label or a value is missing, or all labels are the same.
        ValueError: y of an array holds numbers that are no classes.
    """
    if isinstance(data.batches, ArrayBatches):
        classes, data = _of_array(data, data.batches.batch)
        moments = data.fold(Moments()).result()
    else:
        found = data.fold(Together({"moments": Moments(), "labels": CategoryCounts()})).result()
        moments, labels = found["moments"], found["labels"]
        classes = np.asarray(labels.values)
        require_complete(float(labels.missing), "the label")
    require_complete(float(moments.missing.max(initial=0.0)), "X")
    weight = float(moments.weight.max(initial=0.0))
    if weight == 0:
        raise no_rows()
    observed_classes(classes.tolist())
    std = moments.std()
    require_finite(moments.mean, std)
    return Labeled(
        data=_with_codes(data, classes, one_hot=one_hot),
        classes=classes,
        weight=weight,
        mean=moments.mean,
        std=np.where(std > 0, std, 1.0),
    )


def with_coded_labels(data: Input) -> tuple[NDArray[Any], Input]:  # Any: labels of any type
    """The classes, and the rows with labels as codes, or as zeros and ones for each of three or more classes.

    Of a table only the labels are read; what else is wrong with the rows shows when they are learned from.

    Raises:
        FitError: there are no rows, a label is missing, or all labels are the same.
        ValueError: y of an array holds numbers that are no classes.
    """
    batches = data.batches
    if isinstance(batches, ArrayBatches):
        classes, data = _of_array(data, batches.batch)
    else:
        if isinstance(batches, TableBatches):
            batches = TableBatches(batches.source, replace(batches.roles, X=()))
        labels = fold(batches, CategoryCounts()).result()
        require_complete(float(labels.missing), "the label")
        classes = np.asarray(labels.values)
    observed_classes(classes.tolist())
    return classes, _with_codes(data, classes, one_hot=True)


def _counted(batch: Batch) -> Batch:
    """The rows that count: one of weight zero may have any label, or none."""
    return batch if batch.weights is None or batch.weights.all() else batch.rows(np.flatnonzero(batch.weights))


def _of_array(data: Input, batch: Batch) -> tuple[NDArray[Any], Input]:  # Any: labels of any type
    """The classes of the rows that count, and these rows."""
    check_classification_targets(batch.y)
    counted = _counted(batch)
    return np.unique(np.asarray(counted.y)), replace(data, batches=ArrayBatches(counted))


def _with_codes(data: Input, classes: NDArray[Any], *, one_hot: bool) -> Input:  # Any: labels of any type
    wide = one_hot and len(classes) > 2
    if not isinstance(data.batches, ArrayBatches):
        return coded(data, classes, one_hot=wide)
    batch = data.batches.batch
    codes = np.searchsorted(classes, np.asarray(batch.y))
    y = np.eye(len(classes))[codes] if wide else codes.astype(np.float64)
    return replace(data, batches=ArrayBatches(Batch(X=batch.X, y=y, weights=batch.weights)))


def observed_classes(found: Sequence[Any], least: int = 2) -> NDArray[Any]:  # Any: labels of any type
    """The labels that occur, sorted, as an array.

    Args:
        found: the labels, sorted.
        least: how many there must be: naive Bayes learns what the rows of one class are like.

    Raises:
        FitError: there are no rows, too few classes, or the labels are numbers that are no classes.
    """
    if not len(found):
        raise no_rows()
    if len(found) < least:
        raise FitError(
            f"All labels are {found[0]!r}: y has one class.",
            why="A classifier learns what tells classes apart.",
            fix="Check the filter or the split; it may have left one class only.",
            classes=list(found),
        )
    broken = [label for label in found if isinstance(label, float) and not label.is_integer()]
    if broken:  # as scikit-learn has it for arrays
        raise FitError(
            f"The label {broken[0]!r} is no class: y is continuous.",
            why="A classifier learns classes: texts, booleans, dates or whole numbers.",
            fix="Use a regressor, or put the numbers into bins first.",
            label=broken[0],
        )
    return np.asarray(found)


def coded(data: Input, classes: NDArray[Any], *, one_hot: bool) -> Input:  # Any: labels of any type
    """The rows with labels as their positions among the classes, or as columns of zeros and ones.

    Rows of weight zero are left out.

    Raises:
        FitError: when the rows are read: a label is missing, or is none of the classes.
    """
    codes = {label: code for code, label in enumerate(classes.tolist())}
    return replace(data, batches=_Coded(data.batches, codes, one_hot=one_hot))


def unknown_labels(unknown: Sequence[Any], classes: Iterable[Any]) -> FitError:  # Any: labels of any type
    """That rows have labels that are none of the classes, or, where none is named, no label."""
    return FitError(
        f"There are labels that are none of the classes: {list(unknown or [None])[:10]}.",
        why=f"The classes are {list(classes)[:10]}; they were set when learning began.",
        fix="Name all classes when learning begins, or leave such rows out.",
        unknown=list(unknown),
    )


class _Coded:
    """Batches whose y is codes."""

    def __init__(self, batches: Batches, codes: dict[Any, int], *, one_hot: bool) -> None:  # Any: labels of any type
        self._batches, self._codes, self._one_hot = batches, codes, one_hot

    @property
    def rows(self) -> int | None:
        return self._batches.rows

    def parts(self) -> Iterator[BatchPart]:
        for part in self._batches.parts():
            yield partial(self._code, part)

    def _code(self, part: BatchPart) -> Batch:
        batch = _counted(part())
        encoded = batch.codes()
        labels = encoded.values.to_pylist()
        unknown = [label for label in labels if label not in self._codes]
        if unknown or (encoded.codes < 0).any():
            raise unknown_labels(unknown, self._codes)
        positions = np.array([self._codes[label] for label in labels], np.intp)
        codes = positions[encoded.codes] if len(positions) else np.empty(0, np.intp)
        y = np.eye(len(self._codes))[codes] if self._one_hot else codes.astype(np.float64)
        return Batch(X=batch.X, y=y, weights=batch.weights)
