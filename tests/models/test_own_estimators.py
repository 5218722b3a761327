"""Our own estimators are stored, come back, and answer the same."""

import inspect
import pickle

import numpy as np
import pytest
from scipy.sparse import issparse

import groundswell.estimators
from groundswell.models import load_model, save_model

KINDS = [
    kind
    for name in groundswell.estimators.__all__
    if inspect.isclass(kind := getattr(groundswell.estimators, name)) and hasattr(kind, "fit")
]

TEXTS = ("CountVectorizer", "HashingVectorizer", "RegexTokenizer", "TfidfVectorizer")
TOKENS = ("NGram", "StopWordsRemover")
ARGUMENTS = {
    "ColumnTransformer": {"transformers": [("scaled", groundswell.estimators.StandardScaler(), [0, 2])]},
    "HashingVectorizer": {"n_features": 64},
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_comes_back_and_answers_the_same(kind, tmp_path):
    X = np.abs(np.random.default_rng(0).normal(size=(60, 3)))
    if kind.__name__ in TEXTS:
        X = np.array([f"row {i} of many rows, say {i // 7}" for i in range(60)])
    if kind.__name__ in TOKENS:
        X = [["row", str(i), "of", "many"] for i in range(60)]
    model = kind(**ARGUMENTS.get(kind.__name__, {})).fit(X, 1 + np.arange(60) % 2)
    back = load_model(save_model(model, tmp_path / "model.skops"))
    answer = "predict" if hasattr(model, "predict") else "transform"
    ours, theirs = getattr(back, answer)(X), getattr(model, answer)(X)
    np.testing.assert_array_equal(*(a.toarray() if issparse(a) else a for a in (ours, theirs)))
    assert pickle.dumps(back.get_params()) == pickle.dumps(model.get_params())
