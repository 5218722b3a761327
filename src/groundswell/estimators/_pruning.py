"""Minimal cost-complexity pruning: the smallest subtree that minimizes risk plus a price for each leaf.

References:
    Breiman, Friedman, Olshen, Stone, Classification and regression trees (1984), section 3.3.
"""

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._trees import Trees
from groundswell.statistics._matrix import Floats


def worth_keeping(trees: Trees, risks: Floats, price: float) -> NDArray[np.bool_]:
    """Which nodes stay questions.

    Args:
        trees: grown ones.
        risks: of each node if it were a leaf.
        price: of a leaf, in the same unit; the parameter usually called alpha.
    """
    kept = trees.feature >= 0
    if price <= 0:
        return kept
    cost = risks + price
    tolerance = 1e-12 * risks[trees.roots].max(initial=0.0)  # rounding must not keep a split that is worth its price
    for node in np.flatnonzero(kept)[::-1]:  # children come after their parents
        below = cost[trees.left[node]] + cost[trees.right[node]]
        if cost[node] <= below + tolerance:
            kept[node] = False
        else:
            cost[node] = below
    return kept
