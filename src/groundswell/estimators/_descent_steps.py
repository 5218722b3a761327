"""The steps of a stochastic descent over a block of rows, as one compiled loop.

A step of one row or a few does so little that in NumPy its dozen calls take a hundred times as long as its arithmetic.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from groundswell.estimators._descent_losses import Hinge, Huber, SlopedLoss
from groundswell.estimators._row_blocks import RowBlock
from groundswell.statistics import LOSSES
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats

CODES: dict[type[Any], int] = {
    Hinge: 0,
    type(LOSSES["logistic"]): 1,
    type(LOSSES["squared_hinge"]): 2,
    type(LOSSES["squared"]): 3,
    Huber: 4,
}
"""By which the loop knows a loss."""

NO_ROWS = np.empty(0), np.empty(0, np.int32), np.empty(0, np.int32)
"""Of a sparse matrix: values, columns, and where rows begin and end."""

LEAST_SCALE = 1e-9
"""Where the factor that shrinks all weights is so small, it is multiplied into them before digits are lost."""


def descend(
    block: RowBlock,
    chosen: NDArray[np.int64],
    rates: Floats,
    rule: tuple[SlopedLoss, int, float, float, bool],
    weights: tuple[Floats, Floats, Floats, Floats],
    means: tuple[int, int],
) -> float:
    """Σ w ℓ of the rows, each at the time of its step; the weights of the model are changed.

    Args:
        block: of rows.
        chosen: which of its rows, in the order of the steps.
        rates: of each step.
        rule: the loss, the rows of a step, the weights of ½ ‖w‖² and ‖w‖₁, and whether b moves.
        weights: W of shape (functions, features), b of (functions,), and their means over steps, all row-major.
        means: from which of these steps on iterates are averaged, and over how many before.
    """
    loss, size, square, absolute, intercept = rule
    if isinstance(block.X, np.ndarray):
        X, thin_rows = block.X, NO_ROWS
    else:
        rows = sparse.csr_array(block.X, dtype=np.float64)
        X, thin_rows = np.empty((0, 0)), (rows.data, rows.indices, rows.indptr)
    settings = (CODES[type(loss)], getattr(loss, "epsilon", 0.0), size, square, absolute, intercept, *means)
    return _descend(X, thin_rows, block.y, block.weights, chosen, rates, settings, LEAST_SCALE, *weights)


@compiled
def _loss(loss: int, epsilon: float, eta: float, target: float) -> tuple[float, float]:
    """The loss of a number, by its code, and its slope; `SlopedLoss` of one row."""
    sign = 2 * target - 1
    if loss == 0:
        return max(0.0, 1 - sign * eta), (-sign if sign * eta <= 1 else 0.0)
    if loss == 1:
        e = np.exp(-abs(eta))
        return np.log1p(e) + max(eta, 0.0) - target * eta, (1.0 if eta >= 0 else e) / (1 + e) - target
    if loss == 2:
        margin = max(0.0, 1 - sign * eta)
        return margin * margin, -2 * sign * margin
    if loss == 3:
        return 0.5 * (target - eta) ** 2, eta - target
    r = abs(eta - target)
    value = 0.5 * r * r if r <= epsilon else epsilon * r - 0.5 * epsilon * epsilon
    return value, min(max(eta - target, -epsilon), epsilon)


@compiled
def _descend(
    X: NDArray[Any],
    thin: tuple[Floats, NDArray[Any], NDArray[Any]],
    y: Floats,
    weights: Floats,
    chosen: NDArray[np.int64],
    rates: Floats,
    settings: tuple[int, float, int, float, float, bool, int, int],
    least_scale: float,
    W: Floats,
    b: Floats,
    mean_W: Floats,
    mean_b: Floats,
) -> float:
    """Rows are those of X, or, if it is empty, the sparse ones. W stands for scale · W as long as nothing needs it.

    It is one long function of many plain arrays, as its parts share the state of the descent and kernels know no
    dataclasses.
    """
    loss, epsilon, size, square, absolute, intercept, first, averaged = settings
    data, places, ends = thin
    dense, p = len(X) > 0, W.shape[1]
    even = p - p % 4
    lazy = absolute == 0.0 and first >= len(rates)
    slopes, total, scale = np.empty((size, len(b))), 0.0, 1.0
    for step in range(len(rates)):
        start, stop = step * size, min((step + 1) * size, len(chosen))
        for i in range(start, stop):
            row = chosen[i]
            for f in range(len(b)):
                eta = 0.0
                if dense:
                    s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0  # four sums, as one would wait for each addition
                    for j in range(0, even, 4):
                        s0 += W[f, j] * X[row, j]
                        s1 += W[f, j + 1] * X[row, j + 1]
                        s2 += W[f, j + 2] * X[row, j + 2]
                        s3 += W[f, j + 3] * X[row, j + 3]
                    for j in range(even, p):
                        s0 += W[f, j] * X[row, j]
                    eta = (s0 + s1) + (s2 + s3)
                else:
                    for k in range(ends[row], ends[row + 1]):
                        eta += W[f, places[k]] * data[k]
                eta = scale * eta + b[f]
                value, slope = _loss(loss, epsilon, eta, y[row, f])
                total += weights[row] * value
                slopes[i - start, f] = weights[row] * slope
        rate, shrink = rates[step] / (stop - start), max(0.0, 1 - rates[step] * square)
        if lazy:
            scale *= shrink
        if not lazy or scale < least_scale:
            W *= scale if lazy else shrink
            scale = 1.0
        for i in range(start, stop):
            row = chosen[i]
            for f in range(len(b)):
                length = rate * slopes[i - start, f]
                if intercept:
                    b[f] -= length
                length /= scale
                if length == 0.0:
                    continue
                if dense:
                    for j in range(p):
                        W[f, j] -= length * X[row, j]
                else:
                    for k in range(ends[row], ends[row + 1]):
                        W[f, places[k]] -= length * data[k]
        if absolute > 0.0:
            W[:] = np.sign(W) * np.maximum(np.abs(W) - rates[step] * absolute, 0.0)
        if step >= first:
            averaged += 1
            mean_W += (W - mean_W) / averaged
            mean_b += (b - mean_b) / averaged
    W *= scale
    return total
