"""`GradientSums`: loss, gradient and Hessian of a linear predictor at given coefficients, summed over the rows."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._losses import Loss, Softmax, loss_named
from groundswell.statistics._matrix import Floats
from groundswell.statistics._predictor import LinearPredictor
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["GradientResult", "GradientSums"]


@dataclass(frozen=True, kw_only=True)
class GradientResult:
    """Sums over the rows at the coefficients θ of shape (1 + p,), or (1 + p, K) for K functions.

    Attributes:
        loss: Σ w ℓ.
        gradient: Σ w ∂ℓ/∂θ, of the shape of θ.
        hessian: Σ w ∂²ℓ/∂θ∂θ, of the shape of θ twice: (1 + p, 1 + p) or (1 + p, K, 1 + p, K), which reshapes to a
            matrix over `gradient.ravel()`. None if it was not asked for.
        weight: Σ w.
        dropped: Σ w of the rows left out because a value was missing in X or y.
    """

    loss: float
    gradient: Floats
    hessian: Floats | None
    weight: float
    dropped: float


@dataclass
class GradientSums:
    """What one Newton, IRLS, L-BFGS or gradient descent step needs to know of the data.

    Features are (x − center) / scale, at no cost: see `LinearPredictor`.

    Missing values: a row with NaN in X or y is left out, and its weight counted.

    Args:
        loss: "squared", "logistic", "squared_hinge", "poisson", "gamma" or "softmax"; see `LOSSES`.
        coefficients: θ, the intercept first: shape (1 + p,), or (1 + p, K) for K functions: the classes of "softmax",
            or one for each column of y. For a model without an intercept set it to 0 and leave out its entries of the
            gradient and the Hessian.
        center: shape (p,); 0 if None.
        scale: shape (p,); 1 if None.
        hessian: whether to sum the Hessian, which takes two to three times as long; a sparse X is then made
            dense, block by block.
        target: the column of y that a single function is about, if y has several.

    Raises:
        NotFoundError: there is no such loss.

    References:
        Hastie, Tibshirani, Friedman: The elements of statistical learning, 2nd edition (2009), section 4.4.1.

    >>> sums = GradientSums("logistic", np.zeros(2))
    >>> sums.update(Batch(X=np.array([[330.0], [120.0], [400.0]]), y=np.array([1.0, 0.0, 1.0])))
    >>> sums.result().gradient
    array([  -0.5, -305. ])
    """

    loss: str
    coefficients: Floats
    center: Floats | None = None
    scale: Floats | None = None
    hessian: bool = False
    target: int = 0
    predictor: LinearPredictor = field(init=False)
    total_loss: float = field(init=False, default=0.0)
    gradient: Floats = field(init=False)
    curvature: Floats | None = field(init=False, default=None)
    weight: float = field(init=False, default=0.0)
    dropped: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        theta = np.array(self.coefficients, np.float64)
        if theta.ndim not in ((2,) if isinstance(loss_named(self.loss), Softmax) else (1, 2)):
            raise DataError(
                f"Coefficients of the shape {theta.shape} do not fit the loss {self.loss!r}.",
                why="One function has coefficients (1 + features,); several, as in softmax, (1 + features, functions).",
                fix="Reshape the coefficients, the intercept in the first row.",
                shape=theta.shape,
            )
        self.coefficients, p = theta, len(theta) - 1
        self.predictor = LinearPredictor(
            coefficients=theta,
            center=np.zeros(p) if self.center is None else np.array(self.center, np.float64),
            scale=np.ones(p) if self.scale is None else np.array(self.scale, np.float64),
        )
        self.gradient = np.zeros_like(theta)
        if self.hessian:
            self.curvature = np.zeros(theta.shape * 2)

    def zero(self) -> "GradientSums":
        """The same loss at the same coefficients, summed over nothing."""
        return GradientSums(self.loss, self.coefficients, self.center, self.scale, self.hessian, self.target)

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: the batch has no X or no y, another number of features than the coefficients, or a target for
                which the loss is not defined.
        """
        for block in batch.blocks():
            eta, y = self.predictor.of(block), self._targets(block)
            if np.isnan(eta.sum() + y.sum()):
                block, left_out = Batch(X=block.X, y=block.y, weights=block.weights).complete()
                self.dropped += left_out
                eta, y = self.predictor.of(block), self._targets(block)
            w = np.ones(len(y)) if block.weights is None else block.weights
            loss = loss_named(self.loss)
            with np.errstate(over="ignore", invalid="ignore"):  # the loss may be infinite far from the optimum
                if isinstance(loss, Softmax):
                    self._add_softmax(block, loss, eta, y, w)
                else:
                    self._add(block, loss, eta, y, w)
            self.weight += float(w.sum())

    def _targets(self, block: Batch) -> Floats:
        if self.coefficients.ndim == 1 or isinstance(loss_named(self.loss), Softmax):
            return block.target[:, self.target]
        require_same_width(self.coefficients.shape[1], block.target.shape[1], "targets")
        return block.target

    def _add(self, block: Batch, loss: Loss, eta: Floats, y: Floats, w: Floats) -> None:
        loss.check(y)
        self.total_loss += float((w @ loss.value(eta, y)).sum())
        self.gradient += self.predictor.gradient(block, (w * loss.slope(eta, y).T).T)
        if self.curvature is None:
            return
        curvature = (w * loss.curvature(eta, y).T).T
        if eta.ndim == 1:
            self.curvature += self.predictor.products(block, curvature)
        else:
            for k in range(eta.shape[1]):
                self.curvature[:, k, :, k] += self.predictor.products(block, curvature[:, k])

    def _add_softmax(self, block: Batch, loss: Softmax, eta: Floats, y: Floats, w: Floats) -> None:
        loss.check(y, eta.shape[1])
        self.total_loss += float(w @ loss.value(eta, y))
        p = loss.probabilities(eta)
        residual = p.copy()
        residual[np.arange(len(y)), y.astype(np.intp)] -= 1
        self.gradient += self.predictor.gradient(block, residual * w[:, None])
        if self.curvature is not None:
            for k in range(p.shape[1]):
                self.curvature[:, k, :, k] += self.predictor.products(block, w * p[:, k] * (1 - p[:, k]))
                for j in range(k):
                    products = self.predictor.products(block, w * p[:, k] * p[:, j])
                    self.curvature[:, k, :, j] -= products
                    self.curvature[:, j, :, k] -= products

    def merge(self, other: "GradientSums") -> None:
        """Add the sums.

        Raises:
            DataError: the other is of another loss, or at other coefficients.
        """
        require_equal(self, other, "loss", "hessian", "target")
        require_equal(self.predictor, other.predictor, "coefficients", "center", "scale")
        self.total_loss += other.total_loss
        self.gradient += other.gradient
        if self.curvature is not None and other.curvature is not None:
            self.curvature += other.curvature
        self.weight, self.dropped = self.weight + other.weight, self.dropped + other.dropped

    def result(self) -> GradientResult:
        """The sums."""
        return GradientResult(
            loss=self.total_loss,
            gradient=self.gradient.copy(),
            hessian=None if self.curvature is None else self.curvature.copy(),
            weight=self.weight,
            dropped=self.dropped,
        )
