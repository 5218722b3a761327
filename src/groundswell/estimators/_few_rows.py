"""The best splits of nodes that few rows have reached, from the rows themselves.

A histogram has a cell for each bin, however few the rows, and most nodes of a deep tree have fewer rows than bins. So
the rows of such nodes are brought together, and each node sums them into the same small histogram, of which it looks
only at the bins that its rows are in. The splits are those of `best_splits`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._bins import BinMatrix
from groundswell.estimators._criteria import CRITERIA, Target, sums_of
from groundswell.estimators._split_kernels import gather, split_rows
from groundswell.estimators._splits import Splits, risks
from groundswell.statistics import Batch
from groundswell.statistics._matrix import Floats

ROWS_PER_CLASS = 128
"""Nodes with at most so many rows for each class, or for each of two where a number is learned, are split by rows."""


def few_rows(n_classes: int) -> int:
    """How many rows are too few for a histogram, whose cells grow with the classes."""
    return ROWS_PER_CLASS * max(n_classes, 2)


@dataclass(frozen=True, kw_only=True)
class NodeRows:
    """Rows of some nodes.

    Attributes:
        places: the number of the node of each row.
        values: the bins of its node's features, shape (rows, features of a node).
        labels: its class; 0 if the target is a number.
        terms: what it adds to a cell of `SplitHistograms`, shape (rows, sums).
    """

    places: NDArray[np.uint32]
    values: BinMatrix
    labels: NDArray[np.uint32]
    terms: Floats

    @classmethod
    def of(
        cls,
        batch: Batch,
        rows: NDArray[np.int32],
        places: NDArray[np.int32],
        times: NDArray[np.uint8] | None,
        features: NDArray[np.uint32],
        *,
        target: Target,
        center: float,
    ) -> "NodeRows":
        """Chosen rows of a binned batch.

        Args:
            batch: with row-major bins as X.
            rows: which of its rows.
            places: the number of the node of each.
            times: how often each counts; None is once.
            features: those of each node, shape (nodes, k).
            target: what the target is.
            center: subtracted from numbers.
        """
        values = np.empty((len(rows), features.shape[1]), np.uint8)
        gather(batch.matrix, rows.view(np.uint32), places.view(np.uint32), features, values)
        y, weights = batch.target[rows], np.ones(len(rows)) if batch.weights is None else batch.weights[rows]
        weights = weights if times is None else weights * times
        columns = [np.ones(len(rows)), weights]
        if target == "gradient":
            columns += [weights * y[:, 0], weights * y[:, 1]]
        elif target == "number":
            columns += [weights * (y[:, 0] - center), weights * (y[:, 0] - center) ** 2]
        labels = y[:, 0] if target == "class" else np.zeros(len(rows))
        return cls(
            places=places.view(np.uint32), values=values, labels=labels.astype(np.uint32), terms=np.stack(columns, 1)
        )


def splits_of_rows(
    parts: Sequence[NodeRows], n_nodes: int, *, criterion: str, n_classes: int, n_bins: int, min_samples_leaf: int
) -> Splits:
    """The best split of each node, all of whose features are numbers.

    Args:
        parts: the rows of these nodes, in the order of their parts.
        n_nodes: how many nodes there are.
        criterion: the name of the risk to reduce.
        n_classes: of a target that is a class.
        n_bins: of a feature, the last for missing values.
        min_samples_leaf: how many rows each side must have.
    """
    places = np.concatenate([part.places for part in parts])
    order = np.argsort(places, kind="stable")
    labels = np.concatenate([part.labels for part in parts])[order]
    terms = np.concatenate([part.terms for part in parts])[order]
    values = np.asfortranarray(np.concatenate([part.values for part in parts])[order])
    places = places[order]
    cells = places.astype(np.intp) * n_classes + labels
    sums = [np.bincount(cells, term, n_nodes * n_classes) for term in terms.T]
    totals: Floats = np.stack(sums, axis=1).reshape(n_nodes, n_classes, -1).astype(np.float64)
    target = CRITERIA[criterion][0]
    whole, start, code = risks(sums_of(totals, target), criterion)
    found, gains, lefts = np.full((n_nodes, 4), -1), np.full(n_nodes, -np.inf), np.zeros(totals.shape)
    bounds = np.searchsorted(places, np.arange(n_nodes + 1))
    split_rows(values, labels, terms, bounds, totals, whole, start, code, min_samples_leaf, n_bins, found, gains, lefts)
    slot, cut, way, any_missing = found.T
    left_rows, rows = lefts[..., 0].sum(axis=1), totals[..., 0].sum(axis=1)
    return Splits(
        slot=slot,
        cut=cut,
        missing_left=np.where(any_missing > 0, way == 1, left_rows * 2 > rows),
        sets=np.zeros((n_nodes, n_bins), np.bool_),  # which categories have
        gain=gains,
        left=sums_of(lefts, target),
        left_rows=left_rows,
    )
