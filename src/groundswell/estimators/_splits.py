"""The best split of each node of a level, from histograms, all nodes at once.

Numbers are cut between bins, with missing values tried on both sides. Categories are put in the order of their mean
target, where some cut of that order is the best of all subsets (for two classes and for numbers; for more classes each
class gives an order in turn). Of splits that are equally good the first wins: the lowest feature, then the lowest cut.

References:
    Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984), sections 2.4 and 4.2.
    Fisher, On grouping for maximum homogeneity, Journal of the American Statistical Association 53 (1958).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._criteria import CRITERIA, Target, sums_of, total
from groundswell.estimators._split_kernels import TIES, rate
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The best split of each of n nodes.

    Attributes:
        slot: the position of its feature, −1 where no split is allowed.
        cut: bins up to this go left.
        missing_left: whether missing values go left.
        sets: the bins that go left, shape (n, bins).
        gain: the risk that it takes away.
        left: the sums of the rows that go left, shape (n, sums). left_rows: how many.
    """

    slot: NDArray[np.intp]
    cut: NDArray[np.intp]
    missing_left: NDArray[np.bool_]
    sets: NDArray[np.bool_]
    gain: Floats
    left: Floats
    left_rows: Floats


def best_splits(cells: Floats, categorical: NDArray[np.bool_], *, criterion: str, min_samples_leaf: int) -> Splits:
    """The best split of each node.

    Args:
        cells: of `SplitHistograms`, shape (nodes, features, bins, classes, sums); the last bin is for missing values.
        categorical: which features are categories, shape (nodes, features).
        criterion: the name of the risk to reduce.
        min_samples_leaf: how many rows each side must have.
    """
    target = CRITERIA[criterion][0]
    orders = _orders(cells, target) if categorical.any() else np.zeros((0, *cells.shape[:3]), np.uint8)
    runs, totals = _runs(cells, categorical, len(orders)), cells[:, 0].sum(axis=1)
    whole, start, code = risks(sums_of(totals, target), criterion)
    gains = np.full((len(runs), cells.shape[2] - 1), -np.inf)
    rate(cells, runs, orders, totals, start, code, min_samples_leaf, gains)
    best_of_runs, firsts = gains.max(axis=1), np.searchsorted(runs[:, 0], np.arange(len(cells)))
    best = np.maximum.reduceat(best_of_runs, firsts)
    least = best - TIES * (np.abs(whole) + np.abs(np.where(np.isfinite(best), best, 0.0)))
    good = np.flatnonzero(best_of_runs >= least[runs[:, 0]])
    run = good[np.searchsorted(runs[good, 0], np.arange(len(cells)))]
    cut = (gains[run] >= least[:, None]).argmax(axis=1)
    return _described(cells, orders, runs[run], cut, best, target)


def risks(sums: Floats, criterion: str) -> tuple[Floats, Floats, int]:
    """The risk of each node, its part that splits change, and the number of the criterion for kernels."""
    base = total(sums) if criterion == "gini" else sums[..., 2] if criterion == "squared_error" else 0.0
    whole = CRITERIA[criterion][1](sums)
    return whole, whole - base, list(CRITERIA).index(criterion)


def _runs(cells: Floats, categorical: NDArray[np.bool_], n_orders: int) -> NDArray[np.int32]:
    """What there is to try, in this order, as rows of node, slot and way.

    Ways 0 and 1 of a number have missing values right and left; way 2 + i of a category is order i.
    """
    ways = np.zeros((*categorical.shape, 2 + n_orders), np.bool_)
    ways[..., 0], ways[..., 1] = ~categorical, ~categorical & (total(cells[:, :, -1, :, 0]) > 0)
    ways[..., 2:] = categorical[..., None]
    return np.argwhere(ways).astype(np.int32)


def _described(
    cells: Floats,
    orders: NDArray[np.uint8],
    runs: NDArray[np.int32],
    cut: NDArray[np.intp],
    gain: Floats,
    target: Target,
) -> Splits:
    """The splits of the runs that were chosen, one for each node."""
    node, slot, way = runs.astype(np.intp).T
    here, bins = cells[node, slot], np.arange(cells.shape[2])
    goes_left = bins <= cut[:, None]
    goes_left[:, -1] = way == 1
    for n in np.flatnonzero(way >= 2):
        goes_left[n] = False
        goes_left[n, orders[way[n] - 2, n, slot[n], : cut[n] + 1]] = True
    left = (here * goes_left[..., None, None]).sum(axis=1)
    rows, left_rows = total(here[..., 0]), total(left[..., 0])
    most_left = left_rows * 2 > rows.sum(axis=1)
    return Splits(
        slot=np.where(np.isfinite(gain), slot, -1),
        cut=cut,
        missing_left=np.where(rows[:, -1] > 0, way == 1, most_left) & (way < 2),
        sets=np.where(rows > 0, goes_left, most_left[:, None]),
        gain=gain,
        left=sums_of(left, target),
        left_rows=left_rows,
    )


def _orders(cells: Floats, target: Target) -> NDArray[np.uint8]:
    """The bins by mean target, or by the share of a class, of several each in turn; those without rows are last."""
    sums, rows = sums_of(cells, target), total(cells[..., 0])
    n_classes = sums.shape[-1]
    numbers = list(range(n_classes)) if target == "class" and n_classes > 2 else [1]
    below = total(sums) if target == "class" else sums[..., 2 if target == "gradient" else 0]
    orders = []
    for number in numbers:
        key = np.zeros(below.shape)
        np.divide(sums[..., number], below, out=key, where=below > 0)
        orders.append(np.argsort(np.where(rows > 0, key, np.inf), axis=2, kind="stable"))
    return np.stack(orders).astype(np.uint8)
