"""`SplitHistograms`: what a level of a histogram-based tree needs to choose its splits.

For every node, feature and bin: rows, weight, and sums of the target. The inner loop is compiled: it looks at each row
once, and adds all sums of a cell where they lie side by side. Memory decides its speed: the histograms of a deep level
are larger than the cache, so those of rows without weights pack two counts into one number. The three loops repeat
their heads, as a branch on the kind of target inside would be taken for every cell.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.errors import DataError, TypeMismatchError
from groundswell.statistics._batch import Batch
from groundswell.statistics._compiled import compiled
from groundswell.statistics._matrix import Floats
from groundswell.statistics._statistic import require_equal, require_same_width

__all__ = ["NodeFunction", "SplitHistograms", "SplitHistogramsResult"]

_NONE, _NO_WEIGHTS = np.zeros(0, np.uint8), np.zeros(0)

_MOST_DRAWS = 2**31 - 1
"""How often the rows in packed counts may count in all, for each count to fit half a number."""

NodeFunction: TypeAlias = Callable[[Batch], NDArray[np.integer[Any]]]
"""The node of each row: 0 … n_nodes − 1, or a negative number for a row that is in no node of this level."""


@dataclass(frozen=True, kw_only=True)
class SplitHistogramsResult:
    """Sums by feature, node and bin; by class too for the target "class".

    Attributes:
        rows: how many, shape (p, nodes, bins) or (p, nodes, bins, classes).
        weight: Σ w, of the same shape.
        sums: for "number" Σ w (y − center) and Σ w (y − center)², for "gradient" Σ w g and Σ w h, each of the same
            shape; for "class" none.
        dropped: Σ w of the rows left out because their target was missing.
    """

    rows: Floats
    weight: Floats
    sums: tuple[Floats, ...]
    dropped: float


@dataclass
class SplitHistograms:
    """Histograms of a target over binned features, for each node of one level of a tree.

    X holds bins: whole numbers below `n_bins`, best as row-major uint8. A bin for missing values is one like any
    other, and which it is, is the caller's choice. The histograms of one child are those of its parent less those of
    its sibling, so `nodes` may return −1 for the rows of larger siblings.

    Missing values: rows whose y is NaN are left out, and their weight counted.

    Args:
        n_nodes: how many nodes the level has.
        n_bins: how many bins each feature has at most.
        target: what y is. "number": one number per row; "class": codes 0 … n_classes − 1; "gradient": two columns,
            gradient and Hessian of a loss.
        n_classes: for "class".
        nodes: tells the node of each row; None puts every row into node 0. To travel it must pickle.
        center: subtracted from a "number" before it is squared; take the mean, or variances lose digits.

    References:
        Ke et al.: LightGBM: a highly efficient gradient boosting decision tree, NeurIPS 2017, algorithm 1.

    >>> histograms = SplitHistograms(1, 2, "class", n_classes=2)
    >>> histograms.update(Batch(X=np.array([[0], [1], [1]], np.uint8), y=np.array([0.0, 1.0, 0.0])))
    >>> histograms.result().weight[0, 0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """

    n_nodes: int
    n_bins: int
    target: Literal["number", "class", "gradient"] = "number"
    n_classes: int = 1
    nodes: NodeFunction | None = None
    center: float = 0.0
    cells: Floats = field(init=False)
    packed: NDArray[np.int64] = field(init=False)
    draws: int = field(init=False, default=0)
    dropped: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.cells, self.packed = self._zeros(0), self._no_counts(0)

    def _zeros(self, width: int) -> Floats:
        """Shape (nodes, features, bins, classes, sums): rows, weight, and the two sums of a target that is no class."""
        n_classes, n_sums = (self.n_classes, 2) if self.target == "class" else (1, 4)
        return np.zeros((self.n_nodes, width, self.n_bins, n_classes, n_sums))

    def _no_counts(self, width: int) -> NDArray[np.int64]:
        """Shape (nodes, features, bins, classes): rows of weight one, and times 2³² how often they count."""
        return np.zeros((self.n_nodes, width, self.n_bins, self.n_classes), np.int64)

    @property
    def width(self) -> int:
        """How many features each node has; 0 before there are rows."""
        return int(self.cells.shape[1] or self.packed.shape[1])

    def zero(self) -> "SplitHistograms":
        """The same level, no rows."""
        return SplitHistograms(self.n_nodes, self.n_bins, self.target, self.n_classes, self.nodes, self.center)

    def update(self, batch: Batch) -> None:
        """Add the rows.

        Raises:
            DataError: the batch has no X or no y, another number of columns than those before, no Hessian beside a
                gradient, or a bin, node or class beyond the numbers that were given.
            TypeMismatchError: X does not hold whole numbers.
        """
        for block in batch.blocks():
            nodes = np.zeros(len(block), np.intp) if self.nodes is None else self.nodes(block)
            y = block.target
            counted = (nodes >= 0) & ~np.isnan(y).any(axis=1)
            if not counted.all():
                lost = (nodes >= 0) & ~counted
                self.dropped += float(lost.sum() if block.weights is None else block.weights[lost].sum())
                kept = np.flatnonzero(counted)
                block, nodes = block.rows(kept), nodes[kept]
            if len(block):
                self._check(block, nodes)
                bins = np.ascontiguousarray(block.matrix, np.uint8 if self.n_bins <= 256 else np.uint32)
                rows = np.arange(len(block), dtype=np.int32)
                self.add(Batch(X=bins, y=block.target, weights=block.weights), rows, nodes.astype(np.int32))

    def add(
        self,
        batch: Batch,
        rows: NDArray[np.int32],
        nodes: NDArray[np.int32],
        *,
        times: NDArray[np.uint8] | None = None,
        places: NDArray[np.int32] | None = None,
        features: NDArray[np.uint32] | None = None,
    ) -> None:
        """Add chosen rows of a batch, and for each node chosen features, without a copy of either.

        Nothing is checked: bins, nodes, places, features or classes beyond the numbers that were given are written
        beyond the arrays, and a row that is not there is read beyond them. `update` checks.

        Args:
            batch: with row-major bins as X, uint8 or uint32, and a target without NaN.
            rows: which of its rows, positions.
            nodes: of the chosen rows.
            times: how often each chosen row counts; None is once.
            places: what number below `n_nodes` a node has in this level, negative for one that is not in it; None
                where nodes are such numbers.
            features: those of each node, shape (n_nodes, k), in place of all; they are columns 0 … k − 1 of the result.
        """
        bins = batch.matrix
        width = bins.shape[1] if features is None else features.shape[1]
        if self.width:
            require_same_width(self.width, width)
        if features is None:
            features = np.tile(np.arange(width, dtype=np.uint32), (self.n_nodes, 1))
        where = (
            rows.view(np.uint32),
            nodes.view(np.uint32),
            _NONE if times is None else times,
            np.arange(self.n_nodes, dtype=np.int32) if places is None else places,
            features,
        )
        y = np.ascontiguousarray(batch.target)
        weights = _NO_WEIGHTS if batch.weights is None else np.ascontiguousarray(batch.weights)
        if self.target == "class" and batch.weights is None:
            self._make_room(len(rows) if times is None else int(times.sum()))
            self.packed = self.packed if self.packed.shape[1] else self._no_counts(width)
            _count_classes(bins, y, *where, self.packed)
            return
        self.cells = self.cells if self.cells.shape[1] else self._zeros(width)
        if self.target == "class":
            _add_classes(bins, y, weights, *where, self.cells)
        else:
            _add_numbers(bins, y, weights, *where, self.center, self.target == "gradient", self.cells)

    def _make_room(self, draws: int) -> None:
        """Let packed counts grow by so much."""
        if self.draws + draws > _MOST_DRAWS:
            self.cells, self.packed, self.draws = self.histograms(), self._no_counts(0), 0
        self.draws += draws

    def histograms(self) -> Floats:
        """All sums, shape (nodes, features, bins, classes, sums); see `SplitHistogramsResult`."""
        if not self.packed.shape[1]:
            return self.cells
        cells = self.cells if self.cells.shape[1] else self._zeros(self.width)
        _unpack(self.packed.reshape(-1), cells.reshape(-1, 2))
        self.cells, self.packed, self.draws = cells, self._no_counts(0), 0
        return cells

    def _check(self, block: Batch, nodes: NDArray[Any]) -> None:
        bins, labels = block.matrix, block.target[:, 0]
        if bins.dtype.kind not in "ui":
            raise TypeMismatchError(
                f"X has the type {bins.dtype}, where bins are needed.",
                why="Histograms count whole numbers: the positions of values between the edges of bins.",
                fix="Bin the features first, and hand over uint8.",
                type=str(bins.dtype),
            )
        if self.target == "gradient" and block.target.shape[1] < 2:
            raise DataError(
                "The target has one column.",
                why="For 'gradient' it is the gradient and the Hessian of a loss.",
                fix="Give y of shape (rows, 2), or another target.",
            )
        for noun, found, limit in (("bin", bins, self.n_bins), ("node", nodes, self.n_nodes)):
            if found.size and (found.max() >= limit or found.min() < 0):
                raise DataError(
                    f"There is a {noun} {int(found.max() if found.max() >= limit else found.min())}.",
                    why=f"With {limit} {noun}s they are numbered 0 … {limit - 1}.",
                    fix=f"Raise n_{noun}s, or number the {noun}s from 0.",
                )
        wrong = (labels != np.floor(labels)) | (labels < 0) | (labels >= self.n_classes)
        if self.target == "class" and wrong.any():
            raise DataError(
                f"The target {labels[wrong][0]:g} is no class.",
                why=f"With {self.n_classes} classes they are numbered 0 … {self.n_classes - 1}.",
                fix="Encode the classes as 0, 1, 2, …, and give n_classes.",
            )

    def merge(self, other: "SplitHistograms") -> None:
        """Add the histograms.

        Raises:
            DataError: the other is of another level, or saw another number of columns.
        """
        require_equal(self, other, "n_nodes", "n_bins", "target", "n_classes", "center")
        if self.width and other.width:
            require_same_width(self.width, other.width)
        self._make_room(other.draws)
        self.cells, self.packed = _sum(self.cells, other.cells), _sum(self.packed, other.packed)
        self.dropped += other.dropped

    def result(self) -> SplitHistogramsResult:
        """The histograms."""
        cells = np.moveaxis(self.histograms(), (4, 1), (0, 1))
        if self.target != "class":
            cells = cells[..., 0]
        rows, weight, *sums = np.ascontiguousarray(cells)
        return SplitHistogramsResult(rows=rows, weight=weight, sums=tuple(sums), dropped=self.dropped)


def _sum(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
    """The sum of both, in place, where either may have no features yet."""
    if ours.shape[1] and theirs.shape[1]:
        ours += theirs
        return ours
    return ours if ours.shape[1] else theirs.copy()


@compiled
def _count_classes(
    bins: NDArray[Any],
    y: Floats,
    rows: NDArray[np.uint32],
    nodes: NDArray[np.uint32],
    times: NDArray[np.uint8],
    places: NDArray[np.int32],
    features: NDArray[np.uint32],
    counts: NDArray[np.int64],
) -> None:
    """Count rows, and times 2³² how often they count; empty `times` are ones."""
    for i in range(len(rows)):
        row, place = rows[i], places[nodes[i]]
        if place >= 0:
            node, label = np.uint32(place), np.uint32(y[row, 0])  # unsigned: no index counts from the end
            both = ((np.int64(times[i]) if len(times) else np.int64(1)) << 32) + 1
            for j in range(features.shape[1]):
                counts[node, j, bins[row, features[node, j]], label] += both


@compiled
def _unpack(counts: NDArray[np.int64], cells: Floats) -> None:
    """Add packed counts to rows and weights."""
    for i in range(len(counts)):
        cells[i, 0] += counts[i] & 0xFFFFFFFF
        cells[i, 1] += counts[i] >> 32


@compiled
def _add_classes(
    bins: NDArray[Any],
    y: Floats,
    weights: Floats,
    rows: NDArray[np.uint32],
    nodes: NDArray[np.uint32],
    times: NDArray[np.uint8],
    places: NDArray[np.int32],
    features: NDArray[np.uint32],
    cells: Floats,
) -> None:
    """Count rows and add weights."""
    for i in range(len(rows)):
        row, place = rows[i], places[nodes[i]]
        if place >= 0:
            node, label, weight = np.uint32(place), np.uint32(y[row, 0]), weights[row]
            if len(times):
                weight *= times[i]
            for j in range(features.shape[1]):
                b = bins[row, features[node, j]]
                cells[node, j, b, label, 0] += 1.0
                cells[node, j, b, label, 1] += weight


@compiled
def _add_numbers(
    bins: NDArray[Any],
    y: Floats,
    weights: Floats,
    rows: NDArray[np.uint32],
    nodes: NDArray[np.uint32],
    times: NDArray[np.uint8],
    places: NDArray[np.int32],
    features: NDArray[np.uint32],
    center: float,
    gradient: bool,
    cells: Floats,
) -> None:
    """Count rows, and add weights, where an empty array is ones, and w (y − center) and its square, or w g and w h."""
    for i in range(len(rows)):
        row, place = rows[i], places[nodes[i]]
        if place >= 0:
            node, weight = np.uint32(place), 1.0
            if len(weights):
                weight = weights[row]
            if len(times):
                weight *= times[i]
            if gradient:
                first, second = weight * y[row, 0], weight * y[row, 1]
            else:
                number = y[row, 0] - center
                first, second = weight * number, weight * (number * number)
            for j in range(features.shape[1]):
                b = bins[row, features[node, j]]
                cells[node, j, b, 0, 0] += 1.0
                cells[node, j, b, 0, 1] += weight
                cells[node, j, b, 0, 2] += first
                cells[node, j, b, 0, 3] += second
