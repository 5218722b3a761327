"""Checks that the nodes of stored decision trees point inside the tree.

scikit-learn follows the children and features of a tree without looking whether they exist, so a crafted file could
read memory that is not the tree's. These checks run on the arrays, before any tree is built. Called by `_formats.py`.

References:
    https://github.com/scikit-learn/scikit-learn/pull/34558
"""

import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.models._archive import Damaged, read_array

__all__ = ["check_trees"]

_PREDICTOR = "TreePredictor"
_ENSEMBLES = {  # which check the input once and hand it to their trees unchecked
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._iforest",
}
_BITSET_WORDS = 8  # 256 bins, 32 to a word


def check_trees(tree: object, archive: zipfile.ZipFile) -> None:
    """Check every decision tree below `tree`.

    Raises:
        Damaged: a child, a feature or a set of categories is out of range.
    """
    waiting: list[tuple[object, int | None, bool]] = [(tree, None, False)]
    while waiting:
        item, n_features, shared = waiting.pop()
        if isinstance(item, list):
            waiting.extend((part, n_features, shared) for part in item)
        elif isinstance(item, dict):
            n_features = _n_features(item, n_features, shared)
            shared = item["__module__"] in _ENSEMBLES if "n_features_in_" in _attributes(item) else shared
            if item.get("__loader__") == "TreeNode":
                _check_tree(item, archive, n_features)
            elif item.get("__class__") == _PREDICTOR:
                _check_predictor(item["content"]["content"], archive, n_features)
            waiting.extend((part, n_features, shared) for part in item.values())


def _n_features(node: Mapping[str, Any], outer: int | None, shared: bool) -> int | None:
    """The number of input columns that are checked for before the trees at this node are asked."""
    stored = _attributes(node).get("n_features_in_")
    own: int | None = json.loads(stored["content"]) if isinstance(stored, dict) and "content" in stored else None
    if own is None or outer is None:
        return outer if own is None else own
    return min(own, outer) if shared else own


def _attributes(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of the object that a node stands for; none if it stands for something else."""
    found = node["content"].get("content") if isinstance(node.get("content"), dict) else None
    return found if isinstance(found, dict) else {}


def _check_tree(node: Mapping[str, Any], archive: zipfile.ZipFile, n_features: int | None) -> None:
    state = node["content"]["content"]
    nodes = read_array(archive, state["nodes"])
    n_nodes = json.loads(state["node_count"]["content"])
    if not isinstance(n_nodes, int) or not 0 < n_nodes <= len(nodes):
        raise Damaged(f"a tree claims {n_nodes} nodes and has {len(nodes)}")
    nodes = nodes[:n_nodes]
    inner = nodes["left_child"] != -1
    _check_children(nodes["left_child"], nodes["right_child"], inner)
    _check_features(nodes["feature"][inner], n_features)


def _check_predictor(state: Mapping[str, Any], archive: zipfile.ZipFile, n_features: int | None) -> None:
    nodes = read_array(archive, state["nodes"])
    inner = nodes["is_leaf"] == 0
    if len(nodes) == 0:
        raise Damaged("a tree has no nodes")
    _check_children(nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), inner)
    _check_features(nodes["feature_idx"][inner], n_features)
    categorical = nodes["bitset_idx"][inner & (nodes["is_categorical"] == 1)]
    for name in ("raw_left_cat_bitsets", "binned_left_cat_bitsets"):
        bitsets = read_array(archive, state[name])
        if bitsets.shape[1:] != (_BITSET_WORDS,) or (len(categorical) and categorical.max() >= len(bitsets)):
            raise Damaged("a tree refers to a set of categories that it does not have")


def _check_children(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], inner: np.ndarray[Any, Any]) -> None:
    parents = np.flatnonzero(inner)
    for children in (left[inner], right[inner]):
        if np.any(children <= parents) or np.any(children >= len(left)):
            raise Damaged("a tree has a node whose child is not in it")


def _check_features(features: np.ndarray[Any, Any], n_features: int | None) -> None:
    if len(features) and (n_features is None or features.min() < 0 or features.max() >= n_features):
        raise Damaged(f"a tree asks for column {features.max()} of {n_features}")
