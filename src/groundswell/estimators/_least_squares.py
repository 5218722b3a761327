"""Least squares from one pass, with a penalty on the squares or without: what linear and ridge regression share."""

import numpy as np

from groundswell.estimators._input import Input
from groundswell.estimators._memory import require_memory_for_pairs
from groundswell.estimators._row_errors import no_rows, require_finite
from groundswell.statistics import TSQR, CrossProduct, CrossProductResult, TSQRResult
from groundswell.statistics._matrix import Floats

MAX_CONDITION = 1e6
"""Beyond this condition number of the scaled features the normal equations lose more than four digits of sixteen."""


def normal_equations(data: Input) -> CrossProductResult:
    """The centered sums of squares and products, from one pass.

    Raises:
        FitError: there are no rows, or a value is missing or infinite.
    """
    require_memory_for_pairs(data.n_features, "Use SGDRegressor")
    sums = data.fold(CrossProduct()).result()
    require_rows(sums)
    return sums


def require_rows(sums: CrossProductResult) -> None:
    """Raise unless there are rows, and finite sums of them.

    Raises:
        FitError: there are none, or a value is infinite.
    """
    if sums.weight == 0:
        raise no_rows()
    require_finite(sums.xx, sums.xy, sums.yy, what="X or y")


def around_origin(sums: CrossProductResult) -> CrossProductResult:
    """The same sums as if the means of X and y were zero: the equations of a model without an intercept."""
    return CrossProductResult(
        weight=sums.weight,
        dropped=sums.dropped,
        x_mean=np.zeros_like(sums.x_mean),
        y_mean=np.zeros_like(sums.y_mean),
        xx=sums.xx + sums.weight * np.outer(sums.x_mean, sums.x_mean),
        xy=sums.xy + sums.weight * np.outer(sums.x_mean, sums.y_mean),
        yy=sums.yy + sums.weight * np.outer(sums.y_mean, sums.y_mean),
    )


def solve(data: Input, sums: CrossProductResult, penalty: Floats, *, fit_intercept: bool) -> Floats:
    """The coefficients, shape (features, targets), that minimize Σ w (y − Xw − b)² + penalty ‖w‖² for each target.

    Where the normal equations are ill-conditioned it passes over the rows again for a triangular factor, whose
    condition is not squared. Of dependent features without a penalty it takes the solution of smallest norm.

    Args:
        data: the rows, for the second pass.
        sums: of the same rows; `around_origin` if there is no intercept.
        penalty: of each target, shape (targets,).
        fit_intercept: whether b is learned.

    References:
        Golub and Van Loan: Matrix computations, 4th edition (2013), sections 5.3 and 5.5.
    """
    factor: TSQRResult | None = None
    columns = []
    for target, alpha in enumerate(penalty):
        regular = sums.xx + alpha * np.eye(len(sums.xx))
        if condition(regular) <= MAX_CONDITION**2:
            columns.append(np.linalg.solve(regular, sums.xy[:, target]))
            continue
        factor = factor or data.fold(TSQR()).result()
        columns.append(_solve_factor(factor, target, float(alpha), fit_intercept=fit_intercept))
    return np.stack(columns, axis=1)


def _solve_factor(factor: TSQRResult, target: int, alpha: float, *, fit_intercept: bool) -> Floats:
    """By the triangular factor with rows for the penalty, and one for the means if the origin is fixed, below it."""
    p = factor.R.shape[1]
    rows, goal = [factor.R], [factor.projection[:, target]]
    if not fit_intercept:
        rows.append(np.sqrt(factor.weight) * factor.x_mean[None, :])
        goal.append(np.sqrt(factor.weight) * factor.y_mean[target : target + 1])
    if alpha:
        rows.append(np.sqrt(alpha) * np.eye(p))
        goal.append(np.zeros(p))
    matrix, right = np.vstack(rows), np.concatenate(goal)
    lengths = np.linalg.norm(matrix, axis=0)
    if (lengths > 0).all():
        left, values, turned = np.linalg.svd(matrix / lengths, full_matrices=False)
        if values[-1] > values[0] * np.finfo(np.float64).eps * max(matrix.shape):
            return np.asarray(turned.T @ ((left.T @ right) / values) / lengths)
    return np.asarray(np.linalg.lstsq(matrix, right)[0])


def condition(xx: Floats) -> float:
    """The condition number of XᵀX with each column scaled to length 1; infinite for a constant column."""
    lengths = np.sqrt(np.diag(xx))
    if not lengths.size:
        return 1.0
    if (lengths == 0).any():
        return float("inf")
    values = np.linalg.eigvalsh(xx / np.outer(lengths, lengths))
    return float(values[-1] / values[0]) if values[0] > 0 else float("inf")
