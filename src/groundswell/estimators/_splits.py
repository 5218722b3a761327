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

from groundswell.estimators._criteria import Floats, Risk, Target

TIES = 1e-12
"""Gains that differ by this share of the node's risk are equal: rounding must not choose."""


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


@dataclass(frozen=True, kw_only=True)
class _Candidates:
    """All cuts of one order of the bins: the gain of each, shape (features, nodes, bins), and what lies left of it."""

    gain: Floats
    sums: Floats
    rows: Floats
    ranks: NDArray[np.intp] | None = None


def best_splits(
    sums: Floats,
    rows: Floats,
    categorical: NDArray[np.bool_],
    *,
    risk: Risk,
    target: Target,
    missing: int,
    min_samples_leaf: int,
) -> Splits:
    """The best split of each node.

    Args:
        sums: shape (features, nodes, bins, sums).
        rows: how many, shape (features, nodes, bins).
        categorical: which features are categories, shape (features, nodes).
        risk: what to reduce.
        target: what the sums are of.
        missing: the bin of missing values, the last.
        min_samples_leaf: how many rows each side must have.
    """
    total, n_rows = sums[0].sum(axis=1), rows[0].sum(axis=1)
    whole = risk(total)

    def rated(left: Floats, left_rows: Floats, allowed: NDArray[np.bool_]) -> Floats:
        gain = whole[None, :, None] - risk(left) - risk(total[None, :, None, :] - left)
        fits = (left_rows >= min_samples_leaf) & (n_rows[None, :, None] - left_rows >= min_samples_leaf)
        return np.where(fits & allowed[..., None], gain, -np.inf)

    tried: list[_Candidates] = []
    if not categorical.all():
        left, left_rows = np.moveaxis(np.cumsum(np.moveaxis(sums, -1, 0), axis=3), 0, -1), np.cumsum(rows, axis=2)
        tried.append(_Candidates(gain=rated(left, left_rows, ~categorical), sums=left, rows=left_rows))
        gaps = rows[..., missing] > 0
        if gaps.any():
            left, left_rows = left + sums[:, :, [missing]], left_rows + rows[..., [missing]]
            left[:, :, missing], left_rows[..., missing] = sums[:, :, missing], 0.0  # all else right is tried before
            tried.append(_Candidates(gain=rated(left, left_rows, ~categorical & gaps), sums=left, rows=left_rows))
    n_numeric = len(tried)
    if categorical.any():
        for key in _keys(sums, target):
            order = np.argsort(np.where(rows > 0, key, np.inf), axis=2, kind="stable")
            left = np.cumsum(np.take_along_axis(sums, order[..., None], axis=2), axis=2)
            left_rows = np.cumsum(np.take_along_axis(rows, order, axis=2), axis=2)
            ranks = np.argsort(order, axis=2)
            gain = rated(left, left_rows, categorical)
            tried.append(_Candidates(gain=gain, sums=left, rows=left_rows, ranks=ranks))
    return _first_best(tried, n_numeric, whole, rows)


def _keys(sums: Floats, target: Target) -> list[Floats]:
    """What puts categories in order: the mean target, or the share of a class."""
    numbers = [1] if target != "class" else ([1] if sums.shape[-1] == 2 else list(range(sums.shape[-1])))
    below = sums.sum(axis=-1) if target == "class" else sums[..., 2 if target == "gradient" else 0]
    keys = []
    for number in numbers:
        key = np.zeros(below.shape)
        np.divide(sums[..., number], below, out=key, where=below > 0)
        keys.append(key)
    return keys


def _first_best(tried: list[_Candidates], n_numeric: int, whole: Floats, rows: Floats) -> Splits:
    n_features, n_nodes, n_bins = rows.shape
    gains = np.stack([one.gain for one in tried])  # (ways, features, nodes, bins)
    flat = gains.transpose(2, 1, 0, 3).reshape(n_nodes, -1)
    best = flat.max(axis=1)
    scale = np.abs(whole) + np.abs(np.where(np.isfinite(best), best, 0.0))
    first = (flat >= (best - TIES * scale)[:, None]).argmax(axis=1)
    slot, way, cut = np.unravel_index(first, (n_features, len(tried), n_bins))
    node = np.arange(n_nodes)
    left = np.stack([tried[w].sums[s, n, c] for w, s, n, c in zip(way, slot, node, cut, strict=True)])
    left_rows = np.array([tried[w].rows[s, n, c] for w, s, n, c in zip(way, slot, node, cut, strict=True)])
    sets = np.zeros((n_nodes, n_bins), np.bool_)
    for n in np.flatnonzero(way >= n_numeric):
        ranks = tried[way[n]].ranks
        assert ranks is not None
        sets[n] = ranks[slot[n], n] <= cut[n]
    n_here = rows[slot, node].sum(axis=1)
    gap = rows[slot, node, n_bins - 1] > 0
    missing_left = np.where(gap, way == 1, left_rows * 2 > n_here) & (way < n_numeric)
    unseen = (way >= n_numeric)[:, None] & (rows[slot, node] == 0)
    sets = np.where(unseen, (left_rows * 2 > n_here)[:, None], sets)
    return Splits(
        slot=np.where(np.isfinite(best), slot, -1), cut=cut, missing_left=missing_left, sets=sets,
        gain=best, left=left, left_rows=left_rows,
    )  # fmt: skip
