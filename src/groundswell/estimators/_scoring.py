"""`ScoringSums`: what a step of Fisher scoring (iteratively reweighted least squares) needs to know of the data."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.estimators._families import CANONICAL, FAMILIES, LINKS
from groundswell.statistics import Batch, LinearPredictor, require_equal
from groundswell.statistics._matrix import Floats


@dataclass(frozen=True, kw_only=True)
class ScoringResult:
    """Sums over the rows at coefficients θ, the intercept first, shape (1 + features,).

    Attributes:
        deviance: Σ w of the deviances; infinite if a mean is none of the family's.
        pearson: Σ w (y − μ)² / V(μ).
        log_likelihood: Σ w log p(y | μ, φ) at the dispersion that was given; 0 if none was.
        score: Σ w (y − μ) / V(μ) · ∂μ/∂θ, shape (1 + features,); 0 if no step is to follow.
        information: Σ w / V(μ) · ∂μ/∂θ ∂μ/∂θᵀ, shape (1 + features, 1 + features): Fisher's, times φ; 0 if no step is
            to follow.
        weight: Σ w.
    """

    deviance: float
    pearson: float
    log_likelihood: float
    score: Floats
    information: Floats
    weight: float


@dataclass
class ScoringSums:
    """Deviance, score and Fisher information of a generalized linear model at given coefficients.

    Args:
        family: a name in `FAMILIES`.
        link: a name in `LINKS`.
        coefficients: θ, shape (1 + features,).
        center: of the features, shape (features,).
        scale: shape (features,).
        step: whether a step is to follow, which needs score and information.
        dispersion: φ, of the log-likelihood; None for none.

    References:
        McCullagh, Nelder: Generalized linear models, 2nd edition (1989), section 2.5.
    """

    family: str
    link: str
    coefficients: Floats
    center: Floats
    scale: Floats
    step: bool = True
    dispersion: float | None = None
    deviance: float = field(init=False, default=0.0)
    pearson: float = field(init=False, default=0.0)
    log_likelihood: float = field(init=False, default=0.0)
    score: Floats = field(init=False)
    information: Floats = field(init=False)
    weight: float = field(init=False, default=0.0)
    dropped: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.score = np.zeros(len(self.coefficients))
        self.information = np.zeros((len(self.coefficients), len(self.coefficients)))

    def zero(self) -> "ScoringSums":
        """The same model at the same coefficients, summed over nothing."""
        theta = self.coefficients
        return ScoringSums(self.family, self.link, theta, self.center, self.scale, self.step, self.dispersion)

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: a target is none of the family's.
        """
        family, link = FAMILIES[self.family], LINKS[self.link]
        predictor = LinearPredictor(coefficients=self.coefficients, center=self.center, scale=self.scale)
        for block in batch.blocks():
            with np.errstate(all="ignore"):  # far from the optimum means may be out of range, which is seen below
                eta, y = predictor.of(block), block.target[:, 0]
                if np.isnan(eta.sum() + y.sum()):
                    block, left_out = block.complete()
                    self.dropped += left_out
                    eta, y = predictor.of(block), block.target[:, 0]
                _check_targets(self.family, y)
                w = np.ones(len(y)) if block.weights is None else block.weights
                mean = link.mean(eta)
                self.weight += float(w.sum())
                if not family.inside(mean).all():
                    self.deviance = np.inf
                    continue
                variance = np.maximum(family.variance(mean), np.finfo(np.float64).tiny)
                self.deviance += float(w @ family.deviance(y, mean))
                self.pearson += float(w @ ((y - mean) ** 2 / variance))
                if self.dispersion is not None:
                    self.log_likelihood += float(w @ family.log_likelihood(y, mean, self.dispersion))
                if self.step:
                    slope, canonical = link.slope(eta), CANONICAL.get((self.family, self.link))
                    ratio = slope / variance if canonical is None else np.full_like(eta, canonical)
                    self.score += predictor.gradient(block, w * (y - mean) * ratio)
                    self.information += predictor.products(block, w * slope * ratio)

    def merge(self, other: "ScoringSums") -> None:
        """Add the sums.

        Raises:
            DataError: the other is of another model, or at other coefficients.
        """
        require_equal(self, other, "family", "link", "coefficients", "center", "scale", "step", "dispersion")
        self.deviance += other.deviance
        self.pearson += other.pearson
        self.log_likelihood += other.log_likelihood
        self.score += other.score
        self.information += other.information
        self.weight, self.dropped = self.weight + other.weight, self.dropped + other.dropped

    def result(self) -> ScoringResult:
        """The sums."""
        return ScoringResult(
            deviance=self.deviance,
            pearson=self.pearson,
            log_likelihood=self.log_likelihood,
            score=self.score.copy(),
            information=self.information.copy(),
            weight=self.weight,
        )


def _check_targets(name: str, y: Floats) -> None:
    family = FAMILIES[name]
    wrong = y[~family.holds(y)]
    if len(wrong):
        raise DataError(
            f"The target {float(wrong[0]):g} is none of the {name} family.",
            why=f"A target of the {name} family {family.rule}.",
            fix="Choose another family, or repair the rows.",
            value=float(wrong[0]),
            family=name,
        )
