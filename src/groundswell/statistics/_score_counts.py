"""`ScoreCounts`: how many positive and how many negative rows have each score; all that ranking measures need."""

from dataclasses import dataclass, field

import numpy as np

from groundswell.errors import DataError
from groundswell.statistics._batch import Batch
from groundswell.statistics._level_counts import LevelCounts
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["ScoreCounts", "ScoreCountsResult"]


@dataclass(frozen=True, kw_only=True)
class ScoreCountsResult:
    """Counts by score, the highest score first; with weights, sums of weights.

    Attributes:
        thresholds: the smallest score that each bin could hold, falling, shape (bins,).
        positive: Σ w of the positive rows of each bin, shape (bins,).
        negative: Σ w of the negative ones, shape (bins,).
        exact: whether each bin holds a single score, so that nothing is lost.
    """

    thresholds: Floats
    positive: Floats
    negative: Floats
    exact: bool


@dataclass
class ScoreCounts:
    """Positive and negative rows by score, from which ROC curve, precision–recall curve, gain and thresholds follow.

    X is one column of scores, y says which rows are positive. Up to `max_scores` different scores are told apart, and
    then all is exact. Beyond, neighbouring scores share a bin, whose width is relative to the score: 65,536 bins tell
    probabilities apart that differ by one part in 5,000. What that may change is known afterwards, as each bin knows
    how many pairs of a positive and a negative row it holds.

    Missing values: a score or a label that is NaN is refused.

    Args:
        positive: the y of positive rows.
        max_scores: how many bins there are at most; None keeps all scores apart.

    References:
        Fawcett: An introduction to ROC analysis, Pattern Recognition Letters 27 (2006), algorithm 1.

    >>> counts = ScoreCounts()
    >>> counts.update(Batch(X=np.array([[0.9], [0.4], [0.4]]), y=np.array([1, 1, 0])))
    >>> result = counts.result()
    >>> result.thresholds, result.positive, result.negative
    (array([0.9, 0.4]), array([1., 1.]), array([0., 1.]))
    """

    positive: float = 1.0
    max_scores: int | None = 65_536
    counts: LevelCounts = field(init=False)

    def __post_init__(self) -> None:
        if self.max_scores is not None and self.max_scores < 2:
            raise DataError(
                f"{self.max_scores} scores cannot rank anything.", fix="Give max_scores of at least 2, or None for all."
            )
        self.counts = LevelCounts(2, self.max_scores)

    def zero(self) -> "ScoreCounts":
        """The same settings, nothing counted."""
        return ScoreCounts(self.positive, self.max_scores)

    def update(self, batch: Batch) -> None:
        """Count the rows.

        Raises:
            DataError: X has more than one column, or a score or a label is NaN.
        """
        for block in batch.blocks():
            require_same_width(1, block.n_features, "columns of scores")
            scores, labels = block.matrix[:, 0].astype(np.float64), block.target[:, 0]
            missing = np.isnan(scores) | np.isnan(labels)
            if missing.any():
                raise DataError(
                    f"{int(missing.sum()):,} rows have a score or a label that is NaN.",
                    why="A row without a score has no place in a ranking.",
                    fix="Find out why the model gives NaN, or leave the rows out.",
                    missing=int(missing.sum()),
                )
            weights = np.ones(len(block)) if block.weights is None else block.weights
            hits = labels == self.positive
            self.counts.add(scores, np.stack([weights * hits, weights * ~hits]))

    def merge(self, other: "ScoreCounts") -> None:
        """Add the counts.

        Raises:
            DataError: the other has other settings.
        """
        require_equal(self, other, "positive", "max_scores")
        self.counts.merge(other.counts)

    def result(self) -> ScoreCountsResult:
        """The counts by score."""
        positive, negative = self.counts.sums[:, ::-1].copy()
        return ScoreCountsResult(
            thresholds=self.counts.lowest()[::-1].copy(),
            positive=positive,
            negative=negative,
            exact=self.counts.level == 0,
        )
