"""`Trees`: grown binary trees as arrays of nodes, followed by many rows at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.estimators._bins import BinMatrix


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

    def leaves(self, bins: BinMatrix, tree: int = 0, depth: int | None = None) -> NDArray[np.int32]:
        """The node that each row reaches, shape (rows,): a leaf, or one at the given depth."""
        node = np.full(len(bins), self.roots[tree], np.int32)
        rows = np.arange(len(bins))
        for _ in range(self.depth if depth is None else depth):
            node = self.children(bins, rows, node)
        return node

    def children(self, bins: BinMatrix, rows: NDArray[Any], node: NDArray[np.int32]) -> NDArray[np.int32]:
        """The nodes that rows reach from a node by its question; from a leaf, the leaf itself.

        Args:
            bins: column-major, shape (rows of the part, features).
            rows: which rows, positions.
            node: where each of them is.
        """
        place = (np.maximum(self.feature, 0) * np.intp(len(bins))).take(node)
        place += rows
        found = bins.reshape(-1, order="F").take(place)
        left = found <= self.cut.take(node)
        if self.missing_left.any():
            left |= (found == self.missing) & self.missing_left.take(node)
        if len(self.sets):
            category = self.category.take(node)
            named = np.flatnonzero(category >= 0)
            left[named] = self.sets[category[named], found[named]]
        return np.where(left, self.left.take(node), self.right.take(node))

    def arrays(self) -> dict[str, Any]:  # Any: arrays and numbers
        """The attributes as a plain dictionary, as estimators store them."""
        return dict(vars(self))


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
