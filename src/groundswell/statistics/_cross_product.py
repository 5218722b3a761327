"""`CrossProduct`: the Gram matrix of X and y together, all that least squares needs to know of the data."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.statistics._batch import Batch
from groundswell.statistics._gram import weighted_products
from groundswell.statistics._matrix import Floats, over_rows
from groundswell.statistics._scatter import Scatter
from groundswell.statistics._shifted import pilot_of
from groundswell.statistics._statistic import require_same_width

__all__ = ["CrossProduct", "CrossProductResult"]


@dataclass(frozen=True, kw_only=True)
class CrossProductResult:
    """The centered normal equations of p features and k targets.

    Attributes:
        weight: Σ w of the rows.
        dropped: Σ w of the rows left out because a value was missing in X or y.
        x_mean: shape (p,).
        y_mean: shape (k,).
        xx: Σ w (x − x_mean)(x − x_mean)ᵀ, shape (p, p).
        xy: Σ w (x − x_mean)(y − y_mean)ᵀ, shape (p, k).
        yy: Σ w (y − y_mean)(y − y_mean)ᵀ, shape (k, k): its diagonal is the total sum of squares.
    """

    weight: float
    dropped: float
    x_mean: Floats
    y_mean: Floats
    xx: Floats
    xy: Floats
    yy: Floats

    def raw(self) -> tuple[Floats, Floats]:
        """XᵀWX and XᵀWy around zero with a column of ones in front: shapes (1 + p, 1 + p) and (1 + p, k).

        For showing and checking. Solve with `xx` and `xy`: around zero, digits are lost with the square of mean/std.
        """
        mean, products = np.append(self.x_mean, self.y_mean), np.block([[self.xx, self.xy], [self.xy.T, self.yy]])
        joint = Scatter(self.weight, mean, np.zeros_like(mean), products).raw()
        split = len(self.x_mean) + 1
        return joint[:split, :split], joint[:split, split:]


@dataclass
class CrossProduct:
    """XᵀWX, XᵀWy and yᵀWy around the means of the columns: the normal equations of every linear model of y.

    Sums of folds merge, so cross-validation needs one pass: the normal equations without a fold are the other folds'
    merged, which loses no digits where subtracting would.

    Missing values: a row with NaN in X or y is left out, and its weight counted.

    References:
        as `Scatter`.

    >>> houses = np.array([[2104.0, 3.0], [1600.0, 3.0], [2400.0, 3.0], [1416.0, 2.0], [3000.0, 4.0]])
    >>> equations = CrossProduct()
    >>> equations.update(Batch(X=houses, y=np.array([400.0, 330.0, 369.0, 232.0, 540.0])))
    >>> result = equations.result()
    >>> slope = np.linalg.solve(result.xx, result.xy)[:, 0]
    >>> slope, (result.y_mean - result.x_mean @ slope).round(6)
    (array([6.38433756e-02, 1.03436047e+02]), array([-70.434602]))
    """

    state: Scatter = field(init=False, default_factory=Scatter)
    n_features: int = field(init=False, default=0)
    dropped: float = field(init=False, default=0.0)

    def zero(self) -> "CrossProduct":
        """The products of nothing."""
        return CrossProduct()

    def update(self, batch: Batch) -> None:
        """Take in the rows.

        Raises:
            DataError: the batch has no X or no y, or another number of columns than those before.
            TypeMismatchError: y holds no numbers.
        """
        for block in batch.blocks():
            self._expect(block.n_features)
            joint = _of_block(block)
            if np.isnan(joint.mean).any():
                block, left_out = Batch(X=block.X, y=block.y, weights=block.weights).complete()
                joint = _of_block(block)
                self.dropped += left_out
            self.state.add(joint)

    def merge(self, other: "CrossProduct") -> None:
        """Combine the products around the common means.

        Raises:
            DataError: the other saw another number of features or targets.
        """
        if other.n_features:
            self._expect(other.n_features)
        self.state.add(other.state)
        self.dropped += other.dropped

    def _expect(self, n_features: int) -> None:
        if not len(self.state.pilot):
            self.n_features = n_features
        require_same_width(self.n_features, n_features, "features")

    def result(self) -> CrossProductResult:
        """The normal equations; of length zero if no columns were seen."""
        state, p = self.state.copy(), self.n_features
        mean = state.mean
        return CrossProductResult(
            weight=state.weight,
            dropped=self.dropped,
            x_mean=mean[:p],
            y_mean=mean[p:],
            xx=state.products[:p, :p],
            xy=state.products[:p, p:],
            yy=state.products[p:, p:],
        )


def _of_block(block: Batch) -> Scatter:
    """The scatter of [X, y]. The products with y are taken apart, so that the block's design stays as others use it."""
    design, y, w = block.shifted.design, block.target, block.weights
    y_pilot = pilot_of(y)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite and very large values
        shifted = y - y_pilot
        weighted = shifted if w is None else shifted * w[:, None]
        cross, squares = over_rows(design, weighted), over_rows(shifted, weighted)
    products = np.block([[weighted_products(design, w), cross], [cross.T, squares]])
    return Scatter.of_design(products, np.append(block.shifted.pilot, y_pilot))
