"""`Trees`: grown binary trees as arrays of nodes, followed by many rows at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._bins import BinMatrix
from groundswell.statistics._compiled import compiled


@dataclass(frozen=True, kw_only=True)
class Trees:
    """The nodes of one tree or several; a child comes after its parent.

    Attributes:
        roots: the first node of each tree, shape (trees,).
        feature: the feature that a node asks for, −1 for a leaf.
        cut: rows whose bin is at most this go left.
        missing_left: whether missing values go left.
        category: the row of `sets` with the categories that go left; −1 if the node asks for no category.
        left, right: the children; a leaf's are itself.
        sets: shape (nodes that ask for a category, bins).
        missing: the bin of missing values.
        depth: of the deepest tree.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    cut: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    category: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    sets: NDArray[np.bool_]
    missing: int
    depth: int

    @cached_property
    def questions(self) -> NDArray[np.int32]:
        """Feature, cut, whether missing values go left, category, left and right child, side by side for each node."""
        columns = (self.feature, self.cut, self.missing_left, self.category, self.left, self.right)
        return np.stack(columns, axis=1, dtype=np.int32)

    def leaves(self, bins: BinMatrix, tree: int = 0) -> NDArray[np.int32]:
        """The leaf that each row of a tree reaches, shape (rows,)."""
        found = np.full(len(bins), self.roots[tree], np.int32)
        _descend(bins, self.questions, self.sets, self.missing, found.view(np.uint32))
        return found

    def arrays(self) -> dict[str, Any]:  # Any: arrays and numbers
        """The attributes as a plain dictionary, as estimators store them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def single(missing: int, n_bins: int, n_trees: int) -> Trees:
    """Trees of one leaf each."""
    roots = np.arange(n_trees, dtype=np.int32)
    none, flags = np.full(n_trees, -1, np.int32), np.zeros(n_trees, np.bool_)
    return Trees(
        roots=roots, feature=none, cut=none.copy(), missing_left=flags, category=none.copy(), left=roots.copy(),
        right=roots.copy(), sets=np.zeros((0, n_bins), np.bool_), missing=missing, depth=0,
    )  # fmt: skip


def pruned(trees: Trees, kept: NDArray[np.bool_]) -> tuple[Trees, NDArray[np.int64]]:
    """The trees without the nodes below those that are made leaves.

    Args:
        trees: what to prune.
        kept: for each node whether it stays a question; a leaf is none.

    Returns:
        The smaller trees, and for each of their nodes its number before.
    """
    reached = np.zeros(len(kept), bool)
    reached[trees.roots] = True
    for node in np.flatnonzero(kept):
        if reached[node]:
            reached[[trees.left[node], trees.right[node]]] = True
    old = np.flatnonzero(reached)
    new = np.cumsum(reached) - 1
    inner, itself = kept[old], np.arange(len(old))
    smaller = Trees(
        roots=new[trees.roots].astype(np.int32),
        feature=np.where(inner, trees.feature[old], -1).astype(np.int32),
        cut=trees.cut[old],
        missing_left=trees.missing_left[old] & inner,
        category=np.where(inner, trees.category[old], -1).astype(np.int32),
        left=np.where(inner, new[trees.left[old]], itself).astype(np.int32),
        right=np.where(inner, new[trees.right[old]], itself).astype(np.int32),
        sets=trees.sets,
        missing=trees.missing,
        depth=trees.depth,
    )
    return smaller, old


def joined(parts: Sequence[Trees]) -> Trees:
    """All trees of several as one."""
    nodes = np.cumsum([0, *(len(part.feature) for part in parts)])
    sets = np.cumsum([0, *(len(part.sets) for part in parts)])

    def pooled(name: str, offsets: NDArray[np.int64] | None = None) -> NDArray[Any]:
        shifts = np.zeros(len(parts), np.int32) if offsets is None else offsets.astype(np.int32)
        return np.concatenate([getattr(p, name) + s for p, s in zip(parts, shifts, strict=True)])

    categories = [
        np.where(part.category < 0, -1, part.category + start) for part, start in zip(parts, sets[:-1], strict=True)
    ]
    return Trees(
        roots=pooled("roots", nodes[:-1]),
        feature=pooled("feature"),
        cut=pooled("cut"),
        missing_left=np.concatenate([part.missing_left for part in parts]),
        category=np.concatenate(categories).astype(np.int32),
        left=pooled("left", nodes[:-1]),
        right=pooled("right", nodes[:-1]),
        sets=np.concatenate([part.sets for part in parts]),
        missing=parts[0].missing,
        depth=max(part.depth for part in parts),
    )


@compiled
def _descend(
    bins: BinMatrix, questions: NDArray[np.int32], sets: NDArray[np.bool_], missing: int, nodes: NDArray[np.uint32]
) -> None:
    """Send each row from the node where it is down to a leaf."""
    for row in range(len(bins)):
        node = nodes[row]
        while questions[node, 0] >= 0:
            b = bins[row, np.uint32(questions[node, 0])]
            if questions[node, 3] >= 0:
                left = sets[np.uint32(questions[node, 3]), b]
            elif b == missing:
                left = questions[node, 2] != 0
            else:
                left = b <= questions[node, 1]
            node = np.uint32(questions[node, 4]) if left else np.uint32(questions[node, 5])
        nodes[row] = node
