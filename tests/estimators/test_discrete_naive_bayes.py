"""Multinomial, Bernoulli and categorical naive Bayes against scikit-learn's and against worked examples."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.naive_bayes as peer
from scipy import sparse
from sklearn.preprocessing import OrdinalEncoder

from groundswell.engines import StreamRows
from groundswell.errors import ColumnNotFoundError, DataError, FitError, TypeMismatchError
from groundswell.estimators import BernoulliNB, CategoricalNB, MultinomialNB

COMPUTERS = """youth,high,no,fair,no;youth,high,no,excellent,no;middle_aged,high,no,fair,yes;senior,medium,no,fair,yes
senior,low,yes,fair,yes;senior,low,yes,excellent,no;middle_aged,low,yes,excellent,yes;youth,medium,no,fair,no
youth,low,yes,fair,yes;senior,medium,yes,fair,yes;youth,medium,yes,excellent,yes;middle_aged,medium,no,excellent,yes
middle_aged,high,yes,fair,yes;senior,medium,no,excellent,no"""
NAMES = ["age", "income", "student", "credit", "buys"]


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    y = rng.choice(["b", "a", "c"], 300)
    rates = {"a": [5, 1, 1, 0, 2], "b": [1, 5, 0, 0, 2], "c": [1, 1, 3, 0, 2]}
    return rng.poisson([rates[label] for label in y]).astype(float), y


@pytest.fixture
def computers():
    rows = [row.split(",") for line in COMPUTERS.splitlines() for row in line.split(";")]
    return pa.table(dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("options", [{}, {"alpha": 0.1}, {"fit_prior": False}, {"class_prior": [0.2, 0.3, 0.5]}])
@pytest.mark.parametrize("name", ["MultinomialNB", "BernoulliNB"])
def test_probabilities_are_those_of_scikit_learn(counts, name, options, as_sparse, weighted):
    X, y = counts
    weights = np.random.default_rng(1).integers(0, 4, len(y)).astype(float) if weighted else None
    ours = {"MultinomialNB": MultinomialNB, "BernoulliNB": BernoulliNB}[name](**options)
    given = sparse.csr_array(X) if as_sparse else X
    ours.fit(given, y, weights)
    theirs = getattr(peer, name)(**options).fit(X, y, weights)
    np.testing.assert_allclose(ours.feature_log_prob_, theirs.feature_log_prob_, rtol=1e-10)
    np.testing.assert_allclose(ours.predict_proba(given), theirs.predict_proba(X), rtol=1e-10, atol=1e-14)
    assert (ours.predict(given) == theirs.predict(X)).all()


@pytest.mark.parametrize("estimator", [MultinomialNB(alpha=0.5), BernoulliNB(), CategoricalNB()])
def test_every_form_of_the_data_gives_the_same_though_parts_lack_labels(counts, fits, estimator):
    X, y = counts
    order, weights = np.argsort(y, kind="stable"), np.arange(len(y)) % 3.0
    reference, table = None, pa.table({f"x{j}": X[:, j] for j in range(5)})
    for form, fitted in fits(estimator, X[order], y[order], weights[order]):
        reference = reference or fitted
        assert fitted.classes_.tolist() == ["a", "b", "c"], form
        expected = reference.predict_proba(X)
        given = table if hasattr(fitted, "feature_names_in_") else X
        np.testing.assert_allclose(fitted.predict_proba(given), expected, rtol=1e-12, err_msg=form)


def test_the_coin_of_the_lecture():
    tosses, coin = np.array([[1.0]] * 10 + [[0.0]] * 2), np.full(12, "coin")
    for alpha, expected in ((0, 10 / 12), (100, 110 / 212)):  # the priors Beta(1, 1) and Beta(101, 101)
        model = BernoulliNB(alpha=alpha).fit(tosses, coin)
        np.testing.assert_allclose(np.exp(model.feature_log_prob_), expected, rtol=1e-15)
    skew = BernoulliNB(alpha=3, beta=1).fit(tosses, coin)
    np.testing.assert_allclose(np.exp(skew.feature_log_prob_), 13 / 16, rtol=1e-15)


def test_the_buyers_of_computers(computers):
    model = CategoricalNB(alpha=0).fit(computers, "buys")
    who = pa.table({"age": ["youth"], "income": ["medium"], "student": ["yes"], "credit": ["fair"]})
    no, yes = np.exp(model.predict_joint_log_proba(who))[0]
    assert yes == pytest.approx(9 / 14 * 2 / 9 * 4 / 9 * 6 / 9 * 6 / 9)  # .028 in the textbook of Han and Kamber
    assert no == pytest.approx(5 / 14 * 3 / 5 * 2 / 5 * 1 / 5 * 2 / 5)  # .007
    assert model.predict(who).tolist() == ["yes"]


def test_categories_are_counted_as_by_scikit_learn(computers):
    frame = computers.to_pandas()
    X = frame[NAMES[:4]]
    ours = CategoricalNB(alpha=0.3).fit(X, frame["buys"])
    codes = OrdinalEncoder().fit_transform(X)
    theirs = peer.CategoricalNB(alpha=0.3).fit(codes, frame["buys"])
    for mine, other in zip(ours.feature_log_prob_, theirs.feature_log_prob_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(codes), rtol=1e-12)


def test_dictionaries_may_differ_between_row_groups(computers, tmp_path):
    reference = CategoricalNB().fit(computers, "buys").predict_proba(computers)
    path = tmp_path / "buys.parquet"
    encoded = pa.table([column.dictionary_encode() for column in computers.columns], names=NAMES)
    pq.write_table(encoded, path, row_group_size=3)
    np.testing.assert_allclose(CategoricalNB().fit(path, "buys").predict_proba(path), reference, rtol=1e-13)
    numbers = computers.set_column(1, "income", pa.array([1, 1, 1, 2, 3, 3, 3, 2, 3, 2, 2, 2, 1, 2]))
    parts = [numbers.slice(i, 4).to_batches()[0] for i in (0, 4, 8, 12)]
    stream = StreamRows(numbers.schema, lambda: pa.RecordBatchReader.from_batches(numbers.schema, parts))
    np.testing.assert_allclose(CategoricalNB().fit(stream, "buys").predict_proba(numbers), reference, rtol=1e-13)


def test_what_is_missing_or_unknown_says_nothing(computers):
    model = CategoricalNB().fit(computers, "buys")
    seen = pa.table({"age": ["youth"], "income": pa.nulls(1, pa.string()), "student": ["maybe"], "credit": ["fair"]})
    age, credit = model.feature_log_prob_[0], model.feature_log_prob_[3]
    expected = np.log(model.class_prior_) + age[:, 2] + credit[:, 1]
    np.testing.assert_allclose(model.predict_joint_log_proba(seen)[0], expected, rtol=1e-14)
    with pytest.raises(DataError, match="unknown categories \\['maybe'\\]"):
        CategoricalNB(handle_unknown="error").fit(computers, "buys").predict(seen)


def test_categories_that_do_not_occur_may_be_given(computers):
    lists = [["youth", "middle_aged", "senior", "old"], ["low", "medium", "high"], ["no", "yes"], ["fair", "excellent"]]
    model = CategoricalNB(categories=lists).fit(computers, "buys")
    np.testing.assert_allclose(np.exp(model.feature_log_prob_[0][1]), np.array([3, 5, 4, 1]) / 13, rtol=1e-14)


def test_maximum_likelihood_gives_no_nan_where_nothing_is_possible():
    X, y = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array(["a", "b"])
    for model in (MultinomialNB(alpha=0), BernoulliNB(alpha=0)):
        probabilities = model.fit(X, y).predict_proba(np.array([[1.0, 0, 0], [0, 1.0, 0], [1.0, 1.0, 1.0]]))
        np.testing.assert_allclose(probabilities, [[1, 0], [0, 1], [0.5, 0.5]], err_msg=repr(model))
    np.testing.assert_allclose(MultinomialNB(alpha=0).fit(X * 0, y).feature_log_prob_, np.log(np.full((2, 3), 1 / 3)))


def test_sparse_rows_of_a_large_vocabulary_stay_sparse():
    X = sparse.random_array((2000, 200_000), density=1e-5, format="csr", rng=np.random.default_rng(0))
    model = MultinomialNB().fit(X, np.arange(2000) % 2)
    np.testing.assert_allclose(model.feature_count_.sum(), X.sum())


def test_pseudo_counts_of_classes_and_features(counts):
    X, y = counts
    model = MultinomialNB(alpha=np.arange(5.0), class_alpha=10).fit(X, y)
    totals = np.array([X[y == label].sum(axis=0) for label in "abc"]) + np.arange(5.0)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(model.feature_log_prob_, np.log(totals / totals.sum(axis=1, keepdims=True)))
    sizes = np.array([(y == label).sum() for label in "abc"]) + 10
    np.testing.assert_allclose(model.class_prior_, sizes / sizes.sum())


def test_one_row_of_float32():
    model = MultinomialNB().fit(np.array([[3, 1]], np.float32), ["only"])
    assert model.predict(np.array([[0, 9]], np.float32)).tolist() == ["only"]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda t: MultinomialNB().fit(t, "y"), FitError, "negative values, -2"),
        (lambda t: MultinomialNB(alpha=-1).fit(t.select(["y", "z"]), "y"), FitError, "alpha is -1"),
        (lambda t: MultinomialNB().fit(t.select(["y", "gap"]), "y"), FitError, "missing"),
        (lambda t: MultinomialNB().fit(t.select(["z", "gap"]), "gap"), FitError, "the label"),
        (lambda t: BernoulliNB(binarize=None).fit(t.select(["y", "z"]), "y"), FitError, "from 1 to 3"),
        (lambda t: BernoulliNB().fit(t, "Y"), ColumnNotFoundError, "'y'"),
        (lambda t: BernoulliNB().fit(t.select(["y", "word"]), "y"), TypeMismatchError, "OneHotEncoder"),
        (lambda t: CategoricalNB(handle_unknown="guess").fit(t, "y"), FitError, "guess"),
        (lambda t: CategoricalNB().fit(t.slice(0, 0), "y"), FitError, "no rows"),
        (lambda t: CategoricalNB().fit(t.select(["z", "gap"]), "gap"), FitError, "the label"),
        (lambda t: CategoricalNB().fit(t, "y").predict(t.select(["x"])), ColumnNotFoundError, "z"),
    ],
)
def test_bad_input_is_named(call, error, match):
    table = pa.table(
        {"x": [1.0, -2.0, 3.0], "y": ["a", "b", "a"], "z": [1, 2, 3], "gap": [1.0, None, 2.0], "word": ["u", "v", "w"]}
    )
    with pytest.raises(error, match=match):
        call(table if match != "negative values, -2" else table.select(["x", "y"]))
