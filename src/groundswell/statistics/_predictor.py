"""`LinearPredictor`: η = b + Σ βⱼ (xⱼ − centerⱼ) / scaleⱼ over blocks of rows, and the way back to its coefficients."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from groundswell.statistics._batch import Batch
from groundswell.statistics._gram import weighted_products
from groundswell.statistics._matrix import Floats, over_rows
from groundswell.statistics._statistic import require_same_width

__all__ = ["LinearPredictor"]

SPARSE_SHARE = 0.1
"""Below this share of values other than zero the products of a sparse matrix are faster than those of BLAS."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearPredictor:
    """One or several linear functions of the features z = (x − center) / scale.

    Features are never standardized themselves: a block is shared as it is, and only small matrices are transformed. So
    standardizing costs nothing and keeps all digits. A sparse X is not made dense for it either.

    Attributes:
        coefficients: θ, the intercept first, shape (1 + p,) or (1 + p, K).
        center: shape (p,).
        scale: shape (p,), positive.
    """

    coefficients: Floats
    center: Floats
    scale: Floats

    def of(self, block: Batch) -> Floats:
        """η of each row, shape (rows,) or (rows, K).

        Raises:
            DataError: the block has no X, or another number of features.
        """
        require_same_width(len(self.center), block.n_features, "features")
        if block.X is None or isinstance(block.X, np.ndarray):
            eta: Floats = block.shifted.design @ (self._transform(block) @ self.coefficients)
            return eta
        slopes = (self.coefficients[1:].T / self.scale).T
        return np.asarray(block.X @ slopes + (self.coefficients[0] - self.center @ slopes))

    def gradient(self, block: Batch, residual: Floats) -> Floats:
        """Σ r [1, z] over the rows for residuals r of the shape of η; of the shape of the coefficients."""
        if block.X is None or isinstance(block.X, np.ndarray):
            gradient: Floats = self._transform(block).T @ over_rows(block.shifted.design, residual)
            return gradient
        total = residual.sum(axis=0, keepdims=True)
        centered = np.asarray(block.X.T @ residual) - np.multiply.outer(self.center, total[0])
        return np.concatenate([total, (centered.T / self.scale).T])

    def products(self, block: Batch, weights: Floats) -> Floats:
        """Σ w [1, z][1, z]ᵀ over the rows, shape (1 + p, 1 + p)."""
        if block.X is not None and not isinstance(block.X, np.ndarray):
            values = sparse.csr_array(block.X, dtype=np.float64)
            if values.nnz < SPARSE_SHARE * values.shape[0] * values.shape[1]:
                return self._products_of_sparse(values, weights)
        transform = self._transform(block)
        products: Floats = transform.T @ weighted_products(block.shifted.design, weights) @ transform
        return products

    def _products_of_sparse(self, values: sparse.csr_array, weights: Floats) -> Floats:
        """The same from the products of values that are not zero, which are centered and scaled afterwards."""
        total, first = weights.sum(), values.T @ weights
        second = (values.T @ sparse.diags_array(weights) @ values).toarray()
        outer = np.multiply.outer
        products = np.empty((1 + len(first), 1 + len(first)))
        products[0, 0] = total
        products[0, 1:] = products[1:, 0] = (first - total * self.center) / self.scale
        centered = second - outer(first, self.center) - outer(self.center, first - total * self.center)
        products[1:, 1:] = centered / outer(self.scale, self.scale)
        return products

    def _transform(self, block: Batch) -> Floats:
        return block.shifted.rebase(self.center, self.scale)
