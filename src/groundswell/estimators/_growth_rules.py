"""`Growth`: when trees are split, and what rows and features each of them sees."""

from dataclasses import dataclass

from groundswell.estimators._bins import Bins
from groundswell.estimators._criteria import CRITERIA, Risk, Target
from groundswell.estimators._few_rows import few_rows
from groundswell.estimators._whereabouts import Sampling


@dataclass(frozen=True, kw_only=True)
class Growth:
    """When to split, and what rows and features each tree sees.

    Args:
        criterion: the name of what splits reduce.
        bins: of the features.
        n_classes: of a target that is a class.
        max_depth: of a tree; None grows until nothing can be split.
        min_samples_leaf: how many rows a leaf has at least.
        min_impurity_decrease: the least gain of a split, as a share of all weight.
        center: subtracted from numbers before they are squared.
        max_features: how many features, drawn anew, a node may choose from; None takes all.
        seed: of these draws.
        sampling: how often each row counts in each tree; None counts all rows once.
    """

    criterion: str
    bins: Bins
    n_classes: int = 1
    max_depth: int | None = None
    min_samples_leaf: int = 1
    min_impurity_decrease: float = 0.0
    center: float = 0.0
    max_features: int | None = None
    seed: int = 0
    sampling: Sampling | None = None

    @property
    def target(self) -> Target:
        """What the target of the rows is."""
        return CRITERIA[self.criterion][0]

    @property
    def risk(self) -> Risk:
        """What splits reduce."""
        return CRITERIA[self.criterion][1]

    @property
    def few_rows(self) -> int:
        """Nodes with at most so many rows are split by their rows; bins that are categories have no order for that."""
        return 0 if self.bins.categorical.any() else few_rows(self.n_classes)
