"""Compiled steps of expectation-maximization: what `MixtureResponsibilities` does with a block of rows.

A block is taken in pieces that stay in the cache, and as a whole without the interpreter: SciPy's routines of BLAS hold
the interpreter's lock, and between shorter calls threads wait for it as long as a product takes. Kernels take long
lists of plain arrays, as they know no dataclasses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats, kernel_weights, piece_rows, sealed

__all__ = ["Components", "Sums", "add_rows", "log_densities"]

PIECE_VALUES = 1 << 15
"""Values of a piece: it, its whitened form and its weighted form are in the cache together."""

NEGLIGIBLE = float(np.finfo(np.float64).eps)
"""A row is left out of the sums of a component to which it adds less than this share of what a row adds on average:
less than rounding takes from them."""


@dataclass(frozen=True, kw_only=True)
class Components:
    """K components in p dimensions, prepared for many rows.

    A squared distance is Σ ((z − shift) scale)², with z = factor · (x − origin), or x − origin where there are none.

    Attributes:
        origin: a point amid the means, shape (p,).
        centers: the means less the origin, shape (K, p).
        constants: logarithms of shares times densities at the means, shape (K,).
        shifts, scales: shape (K, p).
        factors: lower triangles L with Σ⁻¹ = LᵀL, shape (K, p, p), (1, p, p) if all are alike, or (0, p, p).
        heads: their upper left quarters, of shape (…, p // 2, p // 2), side by side.
    """

    origin: Floats
    centers: Floats
    constants: Floats
    shifts: Floats
    scales: Floats
    factors: Floats
    heads: Floats


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What a step sums up, in place, around the means.

    Attributes:
        component_weight: Σ w r of each component, shape (K,).
        sums: Σ w r (x − μ), shape (K, p).
        products: Σ w r (x − μ)(x − μ)ᵀ, shape (K, p, p), or their diagonals, shape (K, p).
    """

    component_weight: Floats
    sums: Floats
    products: Floats


def add_rows(
    X: NDArray[Any], weights: Floats | None, components: Components, sums: Sums, n_rows: int
) -> tuple[float, float]:
    """Add rows to the sums; n_rows others are in them.

    Returns:
        Σ w log p(x), and the weight of the rows left out because a value was missing.
    """
    memory, size = _in_pieces(X, components.origin)
    products = sums.products if sums.products.ndim == 3 else sums.products[:, None]
    c = components
    return _add_pieces(
        memory, len(X), size, kernel_weights(weights), c.constants, c.centers, c.shifts, c.scales, c.factors, c.heads,
        n_rows, sums.component_weight, sums.sums, products,
    )  # fmt: skip


def log_densities(X: NDArray[Any], components: Components) -> Floats:
    """log πₖ + log N(x; μₖ, Σₖ) of each component and row, shape (K, rows)."""
    memory, size = _in_pieces(X, components.origin)
    found, c = np.empty((len(components.centers), len(X))), components
    _write_log_densities(memory, len(X), size, c.constants, c.shifts, c.scales, c.factors, c.heads, found)
    return found


def _in_pieces(X: NDArray[Any], origin: Floats) -> tuple[Floats, int]:
    """The rows less the origin, feature by feature in pieces of so many rows."""
    memory, size = np.empty(X.size), piece_rows(len(X), X.shape[1], PIECE_VALUES)
    _center(sealed(X), origin, size, memory)
    return memory, size


@compiled
def _center(X: NDArray[Any], origin: Floats, size: int, memory: Floats) -> None:
    """Write pieces of the shape (p, rows), one after the other."""
    n, p = X.shape
    for start in range(0, n, size):
        m = min(size, n - start)
        for j in range(p):
            piece = memory[start * p + j * m : start * p + (j + 1) * m]
            column, shift = X[start : start + m, j], origin[j]
            for i in range(m):
                piece[i] = column[i] - shift


@compiled
def _write_log_densities(
    memory: Floats,
    n: int,
    size: int,
    constants: Floats,
    shifts: Floats,
    scales: Floats,
    factors: Floats,
    heads: Floats,
    found: Floats,
) -> None:
    """Write the logarithms of shares times densities, shape (K, rows)."""
    p = shifts.shape[1]
    squares, whitened = np.empty((len(constants), size)), np.empty(size * p)
    for start in range(0, n, size):
        m = min(size, n - start)
        d, z = memory[start * p : (start + m) * p].reshape((p, m)), whitened[: p * m].reshape((p, m))
        _squared_distances(d, shifts, scales, factors, heads, z, squares)
        for k in range(len(constants)):
            for i in range(m):
                found[k, start + i] = constants[k] - 0.5 * squares[k, i]


@compiled
def _squared_distances(
    d: Floats, shifts: Floats, scales: Floats, factors: Floats, heads: Floats, z: Floats, squares: Floats
) -> None:
    """Of the rows of a piece to each component. A triangle is multiplied in two halves, which saves a quarter.

    z is memory.
    """
    p, m = d.shape
    half = heads.shape[1]
    for k in range(len(shifts)):
        if k < len(factors):
            if half:
                np.dot(heads[k], d[:half], z[:half])
            np.dot(factors[k, half:], d, z[half:])
        rows = z if len(factors) else d
        squares[k, :m] = 0
        for j in range(p):
            values, shift, scale = rows[j], shifts[k, j], scales[k, j]
            for i in range(m):
                difference = (values[i] - shift) * scale
                squares[k, i] += difference * difference


@compiled
def _add_pieces(
    memory: Floats,
    n: int,
    size: int,
    weights: Floats,
    constants: Floats,
    centers: Floats,
    shifts: Floats,
    scales: Floats,
    factors: Floats,
    heads: Floats,
    seen: int,
    component_weight: Floats,
    sums: Floats,
    products: Floats,
) -> tuple[float, float]:
    """Add to the sums; the likelihood, and the weight of the rows left out. It is long, as its parts share memory."""
    K, p = centers.shape
    squares, shares = np.empty((K, size)), np.empty((K, size))
    whitened, rooted, roots, chosen = np.empty(size * p), np.empty(size * p), np.empty(size), np.empty(size, np.intp)
    total, half = np.empty(p), p // 2
    upper, lower = np.empty((half, p)), np.empty((p - half, p - half))
    log_likelihood = dropped = 0.0
    for start in range(0, n, size):
        m = min(size, n - start)
        d, z = memory[start * p : (start + m) * p].reshape((p, m)), whitened[: p * m].reshape((p, m))
        _squared_distances(d, shifts, scales, factors, heads, z, squares)
        for i in range(m):
            weight = weights[start + i] if len(weights) else 1.0
            likelihood = _responsibilities(constants, squares, weight, i, shares)
            if np.isnan(likelihood) and np.isnan(d[:, i]).any():
                dropped += weight
                shares[:, i] = 0
            else:
                log_likelihood += likelihood
        seen += m
        for k in range(K):
            component_weight[k] += shares[k, :m].sum()
            count = _choose(shares[k], squares[k], m, NEGLIGIBLE * component_weight[k] / seen, chosen, roots)
            if count == 0:
                continue
            e = rooted[: p * count].reshape((p, count))
            _weigh(d, centers[k], chosen[:count], roots, e)
            np.dot(e, roots[:count], total)
            sums[k] += total
            if len(factors) == 0:
                for j in range(p):
                    products[k, 0, j] += np.dot(e[j], e[j])
                continue
            if half:
                np.dot(e[:half], e.T, upper)
                products[k, :half] += upper
                products[k, half:, :half] += upper[:, half:].T
            np.dot(e[half:], e[half:].T, lower)
            products[k, half:, half:] += lower
    return log_likelihood, dropped


@compiled
def _responsibilities(constants: Floats, squares: Floats, weight: float, i: int, shares: Floats) -> float:
    """Write w r of row i for each component, and return w log p(x)."""
    top = -np.inf
    for k in range(len(constants)):
        shares[k, i] = constants[k] - 0.5 * squares[k, i]
        top = max(top, shares[k, i])
    total = 0.0
    for k in range(len(constants)):
        shares[k, i] = np.exp(shares[k, i] - top)
        total += shares[k, i]
    for k in range(len(constants)):
        shares[k, i] *= weight / total
    return float(weight * (top + np.log(total)))


@compiled
def _choose(shares: Floats, squares: Floats, m: int, least: float, chosen: NDArray[np.intp], roots: Floats) -> int:
    """Which of m rows a component's sums would miss, and the roots of their shares; how many."""
    count = 0
    for i in range(m):
        chosen[count], roots[count] = i, np.sqrt(shares[i])
        count += shares[i] * max(squares[i], 1.0) > least
    return count


@compiled
def _weigh(d: Floats, center: Floats, chosen: NDArray[np.intp], roots: Floats, e: Floats) -> None:
    """(d − center) √r of the chosen rows, whose products with each other and with √r are the weighted ones."""
    n = len(chosen)
    for j in range(d.shape[0]):
        values, out, shift = d[j], e[j], center[j]
        if n == d.shape[1]:
            for i in range(n):
                out[i] = (values[i] - shift) * roots[i]
        else:
            for i in range(n):
                out[i] = (values[chosen[i]] - shift) * roots[i]
