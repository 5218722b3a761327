import copy
import hashlib
import inspect
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes the next import possible
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, RationalQuadratic, WhiteKernel
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import all_estimators

from groundswell.errors import CorruptionError, UntrustedTypeError
from groundswell.models import load_model, save_model
from groundswell.models._formats import copy_model

_RANDOM = np.random.default_rng(0)
_X = np.abs(_RANDOM.normal(size=(40, 4)))
_CLASSES = (_X[:, 0] > np.median(_X[:, 0])).astype(int)
_VALUES = _X[:, 0] * 2 + 0.1
_TEXTS = ["a blue bird", "a red car", "blue and red"]
_ATTEMPTS = (
    (_X, _CLASSES),
    (_X, _VALUES),
    (_X,),
    (_X, np.c_[_CLASSES, 1 - _CLASSES]),
    (_X, np.c_[_VALUES, -_VALUES]),
    (_X[:, 0], _VALUES),
    (_CLASSES,),
    ([{"a": 1}, {"b": 2.5}],),
    (_TEXTS,),
    ([["a", "b"], ["c"]],),
)
_ARGUMENTS = {
    "ColumnTransformer": {"transformers": [("a", StandardScaler(), [0, 1])]},
    "FeatureUnion": {"transformer_list": [("a", TruncatedSVD(2))]},
    "FrozenEstimator": {"estimator": LogisticRegression().fit(_X, _CLASSES)},
    "GaussianRandomProjection": {"n_components": 2},
    "GridSearchCV": {"estimator": LogisticRegression(), "param_grid": {"C": [1, 2]}},
    "OrthogonalMatchingPursuitCV": {"max_iter": 2},
    "PatchExtractor": {"patch_size": (3, 3), "max_patches": 2},
    "Pipeline": {"steps": [("a", StandardScaler()), ("b", LogisticRegression())]},
    "RandomizedSearchCV": {"estimator": LogisticRegression(), "param_distributions": {"C": [1, 2]}, "n_iter": 2},
    "RegressorChain": {"estimator": LinearRegression()},
    "MultiOutputRegressor": {"estimator": LinearRegression()},
    "SparseCoder": {"dictionary": np.eye(4)},
    "SparseRandomProjection": {"n_components": 2},
    "StackingClassifier": {"estimators": [("a", LogisticRegression())]},
    "StackingRegressor": {"estimators": [("a", LinearRegression())]},
    "TSNE": {"perplexity": 5, "max_iter": 250},
    "VotingClassifier": {"estimators": [("a", LogisticRegression())]},
    "VotingRegressor": {"estimators": [("a", LinearRegression())]},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
}
_INPUTS = {
    "ClassifierChain": (_X, np.c_[_CLASSES, 1 - _CLASSES]),
    "FeatureHasher": ([{"a": 1}, {"b": 2.5}],),
    "HashingVectorizer": (_TEXTS,),
    "KernelCenterer": (np.eye(4),),
    "PatchExtractor": (np.ones((2, 12, 12)),),
    "RegressorChain": (_X, np.c_[_VALUES, -_VALUES]),
}
_UNSTORABLE = {"Birch"}  # skops refuses its tree of cyclic references
_METHODS = ("predict_proba", "predict", "transform", "decision_function", "score_samples")


def _fitted(name, kind):
    arguments = dict(_ARGUMENTS.get(name, {}))
    parameters = inspect.signature(kind).parameters
    if not arguments and "estimator" in parameters and parameters["estimator"].default is inspect.Parameter.empty:
        arguments["estimator"] = LogisticRegression()
    for small, value in (("n_estimators", 3), ("max_iter", 25), ("random_state", 0)):
        if small in parameters:
            arguments.setdefault(small, value)
    model = kind(**arguments)
    for attempt in [_INPUTS[name]] if name in _INPUTS else _ATTEMPTS:
        if issubclass(kind, RegressorMixin) and attempt[-1] is _CLASSES:
            continue
        try:
            return model.fit(*attempt), attempt[0]
        except (ValueError, TypeError, AttributeError):
            continue
    raise AssertionError(f"{name} fits none of the attempts")


STABLE = [(name, kind) for name, kind in all_estimators() if not name.startswith("Halving")]
"""Halving searches are experimental: they are listed only if something in the process has asked for them."""


@pytest.mark.parametrize(("name", "kind"), STABLE)
@pytest.mark.filterwarnings("ignore")  # of estimators that dislike the toy data
def test_every_estimator_of_scikit_learn_comes_back_and_answers_the_same(name, kind, tmp_path):
    model, inputs = _fitted(name, kind)
    if name in _UNSTORABLE:
        with pytest.raises(UntrustedTypeError, match=name):
            save_model(model, tmp_path / "model.skops")
        return
    again = load_model(save_model(model, tmp_path / "model.skops"))
    assert type(again) is kind
    for method in _METHODS:
        if hasattr(model, method):
            _assert_same(getattr(model, method)(inputs), getattr(again, method)(inputs))
            break


def _assert_same(expected, found):
    if sparse.issparse(expected):
        expected, found = expected.toarray(), found.toarray()
    if isinstance(expected, (list, tuple)):
        for one, other in zip(expected, found, strict=True):
            _assert_same(one, other)
        return
    np.testing.assert_allclose(found, expected, rtol=1e-9)


_FRAME = pd.DataFrame(
    {
        "carrier": pd.Series(list("ABCA") * 10, dtype="str"),
        "origin": pd.Categorical(["EWR", "JFK"] * 20),
        "distance": _X[:, 0],
        "temp": np.where(_X[:, 1] > 1, np.nan, _X[:, 1]),
    }
)
_KINDS = ("poisson", "gamma", "quantile", "absolute_error", "squared_error")
_VARIANTS = {
    "boosting on categories": lambda: HistGradientBoostingClassifier(
        max_iter=3, categorical_features="from_dtype", early_stopping=True
    ).fit(_FRAME[["origin", "distance", "temp"]], _CLASSES),
    **{
        f"boosting of {kind} loss": lambda kind=kind: HistGradientBoostingRegressor(
            loss=kind, max_iter=2, quantile=0.5 if kind == "quantile" else None
        ).fit(_X, _VALUES)
        for kind in _KINDS
    },
    "boosting of many classes": lambda: HistGradientBoostingClassifier(max_iter=2).fit(_X, np.arange(40) % 3),
    "boosting with monotonic constraints": lambda: HistGradientBoostingRegressor(
        max_iter=2, monotonic_cst=[1, 0, -1, 0], interaction_cst="pairwise"
    ).fit(_X, _VALUES),
    "stagewise boosting": lambda: GradientBoostingClassifier(
        n_estimators=2, init=LogisticRegression(), n_iter_no_change=1
    ).fit(_X, np.arange(40) % 3),
    "stagewise boosting of quantiles": lambda: GradientBoostingRegressor(loss="quantile", n_estimators=2).fit(
        _X, _VALUES
    ),
    "a forest on text labels": lambda: RandomForestClassifier(
        3, class_weight={"yes": 2, "no": 1}, oob_score=False, random_state=0
    ).fit(_X, np.where(_CLASSES, "yes", "no")),
    "a forest on boolean labels": lambda: RandomForestClassifier(3, random_state=0).fit(_X, _CLASSES == 1),
    "trees of absolute error": lambda: DecisionTreeRegressor(criterion="absolute_error").fit(_X, _VALUES),
    "a forest with a random state": lambda: RandomForestClassifier(2, random_state=np.random.RandomState(3)).fit(
        _X, _CLASSES
    ),
    "columns by name": lambda: make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["carrier", "origin"]),
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["distance", "temp"]),
        ),
        LogisticRegression(),
    ).fit(_FRAME, _CLASSES),
    "columns by type": lambda: make_pipeline(
        ColumnTransformer(
            [
                (
                    "words",
                    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                    make_column_selector(dtype_exclude=np.number),
                ),
                ("numbers", SimpleImputer(strategy="median"), make_column_selector(dtype_include=np.number)),
            ],
            remainder="drop",
            verbose_feature_names_out=False,
        ).set_output(transform="pandas"),
        RandomForestClassifier(2, random_state=0),
    ).fit(_FRAME, _CLASSES),
    "the best by mutual information": lambda: make_pipeline(
        SelectKBest(partial(mutual_info_classif, random_state=0), k=2), LogisticRegression()
    ).fit(_X, _CLASSES),
    "logarithms of the target": lambda: TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(
        _X, _VALUES
    ),
    "isotonic calibration": lambda: CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2).fit(_X, _CLASSES),
    "temperature calibration": lambda: CalibratedClassifierCV(GaussianNB(), method="temperature", cv=2).fit(
        _X, _CLASSES
    ),
    "iterative imputation": lambda: make_pipeline(IterativeImputer(max_iter=2), Ridge()).fit(
        _FRAME[["distance", "temp"]], _VALUES
    ),
    "words": lambda: make_pipeline(TfidfVectorizer(stop_words=["and"]), MultinomialNB()).fit(_TEXTS, [0, 1, 1]),
    "word counts": lambda: make_pipeline(CountVectorizer(ngram_range=(1, 2)), LinearSVC()).fit(_TEXTS, [0, 1, 1]),
    "a search with time splits": lambda: GridSearchCV(
        LogisticRegression(),
        {"C": [1.0, 2.0]},
        cv=TimeSeriesSplit(2),
        scoring={"a": "roc_auc", "b": "neg_log_loss"},
        refit="a",
    ).fit(_X, np.arange(40) % 2),
    "a Gaussian process": lambda: GaussianProcessRegressor(
        ConstantKernel(1.0) * Matern() + WhiteKernel() + RationalQuadratic() ** 2
    ).fit(_X, _VALUES),
    "a network by plain descent": lambda: MLPClassifier((4,), solver="sgd", max_iter=3, early_stopping=True).fit(
        _X, _CLASSES
    ),
    **{
        f"neighbors by {metric}": lambda metric=metric: KNeighborsClassifier(algorithm="ball_tree", metric=metric).fit(
            _X, _CLASSES
        )
        for metric in ("manhattan", "chebyshev", "minkowski", "hamming", "canberra", "braycurtis")
    },
    "a kernel machine with probabilities": lambda: SVC(kernel="poly").fit(_X, _CLASSES),
    **{
        f"gradient descent on {loss}": lambda loss=loss: SGDClassifier(loss=loss, max_iter=5).fit(_X, _CLASSES)
        for loss in ("log_loss", "modified_huber", "squared_hinge", "perceptron", "huber", "epsilon_insensitive")
    },
    "bins": lambda: make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), Ridge()).fit(
        _X, _VALUES
    ),
    "target encoding": lambda: make_pipeline(TargetEncoder(cv=2), Ridge()).fit(_FRAME[["carrier"]], _VALUES),
    "generators": lambda: make_pipeline(
        SimpleImputer(), FunctionTransformer(np.sqrt, inverse_func=np.square), PCA(2), LogisticRegression()
    ).fit(_X, _CLASSES),
}


@pytest.mark.parametrize("what", _VARIANTS)
@pytest.mark.filterwarnings("ignore")  # of estimators that dislike the toy data
def test_models_as_people_make_them_come_back_and_answer_the_same(what, tmp_path):
    model = _VARIANTS[what]()
    again = load_model(save_model(model, tmp_path / "model.skops"))
    inputs = _TEXTS if "word" in what else _X
    if getattr(model, "feature_names_in_", None) is not None:
        inputs = _FRAME[list(model.feature_names_in_)]
    expected = model.predict(inputs)
    assert again.predict(inputs).dtype == expected.dtype
    np.testing.assert_array_equal(again.predict(inputs), expected)
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(again.predict_proba(inputs), model.predict_proba(inputs), rtol=1e-12)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = _VARIANTS["columns by name"]()
    one, other = save_model(model, tmp_path / "a.skops"), save_model(copy.deepcopy(model), tmp_path / "b.skops")
    assert one.digest == other.digest == hashlib.sha256(one.path.read_bytes()).hexdigest()
    assert one.size_bytes == one.path.stat().st_size


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (FunctionTransformer(lambda x: x), "<lambda>"),
        (FunctionTransformer(print), "builtins.print"),
        (make_pipeline(StandardScaler(), FunctionTransformer(_assert_same)), "_assert_same"),
        (FunctionTransformer(np.load), "numpy.load"),
        (FunctionTransformer("".join), "join"),
        (object(), "builtins.object"),
        (open, "open"),
    ],
)
def test_what_is_not_on_the_list_is_refused_when_it_is_saved(model, named, tmp_path):
    with pytest.raises(UntrustedTypeError) as caught:
        save_model(model, tmp_path / "model.skops")
    assert named in str(caught.value)
    assert "scikit-learn's own estimators" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_would_come_back_as_others_are_refused(tmp_path):
    model = LogisticRegression(class_weight={True: 5.0, False: 1.0}).fit(_X, _CLASSES == 1)
    with pytest.raises(UntrustedTypeError, match="use 1, 0 or text instead"):
        save_model(model, tmp_path / "model.skops")


def test_a_model_that_holds_itself_is_refused(tmp_path):
    model = LogisticRegression()
    model.mirror_ = model
    with pytest.raises(UntrustedTypeError, match="cannot be stored"):
        save_model(model, tmp_path / "model.skops")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\0",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: b"",
    ],
)
def test_a_file_with_other_bytes_is_damage(damage, tmp_path):
    stored = save_model(LogisticRegression().fit(_X, _CLASSES), tmp_path / "model.skops")
    stored.path.write_bytes(damage(stored.path.read_bytes()))
    with pytest.raises(CorruptionError, match="is not the one that was stored"):
        load_model(stored)


def test_the_file_of_another_model_is_damage(tmp_path):
    one = save_model(LogisticRegression().fit(_X, _CLASSES), tmp_path / "one.skops")
    other = save_model(LinearRegression().fit(_X, _VALUES), tmp_path / "other.skops")
    other.path.replace(one.path)
    with pytest.raises(CorruptionError) as caught:
        load_model(one)
    assert caught.value.found == other.digest


def test_a_missing_file_is_damage(tmp_path):
    stored = save_model(LogisticRegression().fit(_X, _CLASSES), tmp_path / "model.skops")
    stored.path.unlink()
    with pytest.raises(CorruptionError, match="No such file"):
        load_model(stored)


def test_a_copy_is_the_same_file_and_a_damaged_one_is_not_copied(tmp_path):
    stored = save_model(LogisticRegression().fit(_X, _CLASSES), tmp_path / "model.skops")
    copied = copy_model(stored, tmp_path / "deep" / "er" / "copy.skops")
    assert copied.path.read_bytes() == stored.path.read_bytes()
    stored.path.write_bytes(b"x")
    with pytest.raises(CorruptionError):
        copy_model(stored, tmp_path / "second.skops")
    assert not (tmp_path / "second.skops").exists()
