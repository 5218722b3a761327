"""Compiled loops that rate splits: of histograms of nodes, and of the rows of nodes that few have reached.

They take long lists of plain arrays, as kernels know no dataclasses.
"""

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats

TIES = 1e-12
"""Gains that differ by this share of the node's risk are equal: rounding must not choose."""


@compiled
def _scored(left: Floats, totals: Floats, criterion: int) -> float:
    """What a cut changes of the risks of both sides, by the number of the criterion.

    Σ w² / Σ w over classes, Σ w log w − Σ w log Σ w, (Σ w y)² / Σ w, or G² / H.
    """
    score = 0.0
    for side in range(2):
        above, below = 0.0, 0.0
        for c in range(len(totals)):
            weight = left[c, 1] if side == 0 else totals[c, 1] - left[c, 1]
            below += weight
            if criterion == 0:
                above += weight * weight
            elif criterion == 1 and weight > 0.0:
                above += weight * np.log2(weight)
        if criterion >= 2:
            above = left[0, 2] if side == 0 else totals[0, 2] - left[0, 2]
            above *= above
        if criterion == 3:
            below = left[0, 3] if side == 0 else totals[0, 3] - left[0, 3]
        if criterion == 1 and below > 0.0:
            score += above - below * np.log2(below)
        elif below > 0.0:
            score += above / below
    return score


@compiled
def rate(
    cells: Floats,
    runs: NDArray[np.int32],
    orders: NDArray[np.uint8],
    totals: Floats,
    start: Floats,
    criterion: int,
    min_rows: int,
    gains: Floats,
) -> None:
    """The gain of each cut of each run; those between which no rows lie are one, and the first of them stands for it.

    Args:
        cells: as for `best_splits`.
        runs: node, slot and way of each; see `_splits`.
        orders: the bins in the order of way 2, 3, …, shape (ways − 2, nodes, slots, bins).
        totals: the sums of each node, shape (nodes, classes, sums).
        start: the part of the risk of each node that splits change.
        criterion: its number.
        min_rows: how many rows each side must have.
        gains: written to, shape (runs, bins − 1).
    """
    n_classes, n_sums = totals.shape[1:]
    left, last = np.empty((n_classes, n_sums)), np.uint32(gains.shape[1])
    for run in range(len(runs)):
        node, slot, way = np.uint32(runs[run, 0]), np.uint32(runs[run, 1]), runs[run, 2]
        n_left, n_rows = 0.0, 0.0
        for c in range(n_classes):
            for s in range(n_sums):
                left[c, s] = cells[node, slot, last, c, s] if way == 1 else 0.0
            n_left, n_rows = n_left + left[c, 0], n_rows + totals[node, c, 0]
        for cut in range(gains.shape[1]):
            b = np.int64(orders[way - 2, node, slot, cut]) if way >= 2 else cut
            here = 0.0
            for c in range(n_classes):
                here += cells[node, slot, b, c, 0]
            if here == 0.0:
                continue
            for c in range(n_classes):
                for s in range(n_sums):
                    left[c, s] += cells[node, slot, b, c, s]
            n_left += here
            if n_left < min_rows or n_rows - n_left < min_rows:
                continue
            gains[run, cut] = start[node] + _scored(left, totals[node], criterion)


@compiled
def _fill(
    values: NDArray[np.uint8],
    labels: NDArray[np.uint32],
    terms: Floats,
    cells: Floats,
    seen: NDArray[np.bool_],
    order: NDArray[np.uint8],
) -> int:
    """Sum some rows by bin; the bins that they are in, ascending and without the last, and how many these are."""
    missing, n_bins = len(cells) - 1, 0
    for i in range(len(values)):
        b = values[i]
        if not seen[b]:
            seen[b] = True
            if b != missing:
                place = n_bins
                while place > 0 and order[place - 1] > b:
                    order[place] = order[place - 1]
                    place -= 1
                order[place] = b
                n_bins += 1
        for s in range(terms.shape[1]):
            cells[b, labels[i], s] += terms[i, s]
    return n_bins


@compiled
def _scan(
    cells: Floats,
    order: NDArray[np.uint8],
    totals: Floats,
    missing_left: bool,
    start: float,
    criterion: int,
    min_rows: int,
    enough: float,
    left: Floats,
) -> tuple[float, int]:
    """The best gain of the cuts after each bin, and its cut; the first gain that is enough ends it."""
    best, at, n_rows, n_left = -np.inf, -1, totals[:, 0].sum(), 0.0
    left[:] = 0.0
    if missing_left:
        left[:] = cells[-1]
        n_left = left[:, 0].sum()
    for b in order:
        for c in range(len(totals)):
            n_left += cells[b, c, 0]
            for s in range(totals.shape[1]):
                left[c, s] += cells[b, c, s]
        if n_left < min_rows or n_rows - n_left < min_rows:
            continue
        gain = start + _scored(left, totals, criterion)
        if gain > best:
            best, at = gain, int(b)
        if gain >= enough:
            break
    return best, at


@compiled
def split_rows(
    values: NDArray[np.uint8],
    labels: NDArray[np.uint32],
    terms: Floats,
    bounds: NDArray[np.int64],
    totals: Floats,
    whole: Floats,
    start: Floats,
    criterion: int,
    min_rows: int,
    n_bins: int,
    found: NDArray[np.int64],
    gains: Floats,
    lefts: Floats,
) -> None:
    """The best split of each node from its rows, of numbers. Ties are as in `best_splits`.

    Args:
        values: bins, column-major, shape (rows, slots), the rows of a node side by side.
        labels: the class of each row.
        terms: what each row adds to the sums of its class, shape (rows, sums).
        bounds: where the rows of each node begin, and where the last ends.
        totals, start, criterion, min_rows: as for `rate`.
        whole: the risk of each node.
        n_bins: of a feature, the last for missing values.
        found: written to: slot, cut, whether missing values go left, and whether there are any, shape (nodes, 4).
        gains: written to: of these splits; stays where none is allowed.
        lefts: written to: the sums that go left, shape (nodes, classes, sums).
    """
    n_classes, n_sums, n_slots = totals.shape[1], totals.shape[2], values.shape[1]
    cells, left = np.zeros((n_bins, n_classes, n_sums)), np.zeros((n_classes, n_sums))
    seen, order, bests = np.zeros(n_bins, np.bool_), np.zeros(n_bins, np.uint8), np.empty(n_slots)
    for node in range(len(totals)):
        rows, best = slice(bounds[node], bounds[node + 1]), -np.inf
        for again in range(2):  # first for the best gain of each slot, then for the first cut that is as good
            if again and best == -np.inf:
                break
            enough = best - TIES * (abs(whole[node]) + abs(best)) if again else np.inf
            for slot in range(n_slots):
                if again and bests[slot] < enough:
                    continue
                n = _fill(values[rows, slot], labels[rows], terms[rows], cells, seen, order)
                bests[slot] = -np.inf
                for way in range(1 + seen[-1]):
                    gain, cut = _scan(
                        cells, order[:n], totals[node], way == 1, start[node], criterion, min_rows, enough, left
                    )
                    bests[slot] = max(bests[slot], gain)
                    if again and gain >= enough:
                        found[node, 0], found[node, 1], found[node, 2], found[node, 3] = slot, cut, way, seen[-1]
                        gains[node], lefts[node] = best, left
                        break
                for b in order[:n]:
                    cells[b], seen[b] = 0.0, False
                cells[-1], seen[-1] = 0.0, False
                if again:
                    break
                best = max(best, bests[slot])


@compiled
def gather(
    bins: NDArray[np.uint8],
    rows: NDArray[np.uint32],
    places: NDArray[np.uint32],
    features: NDArray[np.uint32],
    values: NDArray[np.uint8],
) -> None:
    """The bins of some rows for the features of their nodes, shape (rows, features of a node)."""
    for i in range(len(rows)):
        for j in range(features.shape[1]):
            values[i, j] = bins[rows[i], features[places[i], j]]
