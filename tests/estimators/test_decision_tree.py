"""Decision trees against an exhaustive search, a textbook's table, and scikit-learn's."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
import sklearn.tree as peer

from groundswell.errors import ColumnNotFoundError, FitError
from groundswell.estimators import DecisionTreeClassifier, DecisionTreeRegressor
from groundswell.estimators._level_passes import CELLS, ROWS_BYTES
from groundswell.estimators._tree_model import stored_trees

# --- an exhaustive search in plain Python ---


def risk_of(criterion, y, w):
    weight = sum(w)
    if criterion == "squared_error":
        mean = sum(wi * yi for wi, yi in zip(w, y, strict=True)) / weight
        return sum(wi * (yi - mean) ** 2 for wi, yi in zip(w, y, strict=True))
    shares = [sum(wi for wi, yi in zip(w, y, strict=True) if yi == label) / weight for label in set(y)]
    if criterion == "gini":
        return weight * (1 - sum(p * p for p in shares))
    return weight * -sum(p * np.log2(p) for p in shares if p > 0)


def questions(values, categorical):
    """The sides that any question about one feature can put the rows on, in the order of ties."""
    missing, present = np.isnan(values), np.unique(values[~np.isnan(values)])
    if categorical:
        kinds = [values == v for v in present] + ([missing] if missing.any() else [])
        for size in range(1, len(kinds)):
            for some in itertools.combinations(kinds, size):
                yield np.any(some, axis=0)
        return
    cuts = [values <= v for v in (present if missing.any() else present[:-1])]
    yield from cuts
    if missing.any():
        yield from (cut | missing for cut in cuts[:-1])


def exhaustive(X, y, w, criterion, depth, categorical, least=1):
    """The prediction of each row by a tree that tries every split."""
    whole, out = risk_of(criterion, y, w), np.empty(len(y))
    out[:] = np.average(y, weights=w)
    if depth == 0 or len(set(y)) == 1:
        return out
    best, chosen = -np.inf, None
    for j in range(X.shape[1]):
        for left in questions(X[:, j], j in categorical):
            if min(left.sum(), (~left).sum()) < least:
                continue
            gain = whole - risk_of(criterion, y[left], w[left]) - risk_of(criterion, y[~left], w[~left])
            if gain > best + 1e-9:
                best, chosen = gain, left
    if chosen is None:
        return out
    for side in (chosen, ~chosen):
        out[side] = exhaustive(X[side], y[side], w[side], criterion, depth - 1, categorical, least)
    return out


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("criterion", ["gini", "entropy", "squared_error"])
def test_small_data_give_the_tree_of_an_exhaustive_search(criterion, seed):
    """Whole numbers, missing values, categories, weights: the same predictions for every row."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (60, 4)).astype(float)
    X[rng.random(X.shape) < 0.1 * (seed % 2)] = np.nan
    w, categorical, least = rng.integers(1, 4, 60).astype(float), [3] if seed % 3 else [], 1 + seed // 3
    # Exact ties between subsets of categories or features would make other trees right too: y has few of them.
    if criterion == "squared_error":
        y = rng.integers(0, 1000, 60) + 300.0 * np.nan_to_num(X[:, 0])
        model = DecisionTreeRegressor(max_depth=3, min_samples_leaf=least, categorical_features=categorical)
        found = model.fit(X, y, w).predict(X)
    else:
        y = (np.nan_to_num(X[:, 0]) * 2 + X[:, 1].astype(bool) + rng.integers(0, 5, 60) > 5).astype(float)
        w = rng.integers(1, 1000, 60).astype(float)
        model = DecisionTreeClassifier(
            criterion=criterion, max_depth=3, min_samples_leaf=least, categorical_features=categorical
        )
        found = model.fit(X, y, w).predict_proba(X)[:, 1]
    np.testing.assert_allclose(found, exhaustive(X, y, w, criterion, 3, categorical, least), rtol=1e-9, atol=1e-12)


# --- buys_computer: Han, Kamber, Pei, Data mining, 3rd edition, section 8.2 ---

AGE, INCOME, STUDENT, CREDIT = range(4)
CUSTOMERS = """
youth high no fair no; youth high no excellent no; middle_aged high no fair yes; senior medium no fair yes;
senior low yes fair yes; senior low yes excellent no; middle_aged low yes excellent yes; youth medium no fair no;
youth low yes fair yes; senior medium yes fair yes; youth medium yes excellent yes; middle_aged medium no excellent yes;
middle_aged high yes fair yes; senior medium no excellent no
"""
ORDER = {"youth": 0, "middle_aged": 1, "senior": 2, "low": 0, "medium": 1, "high": 2, "no": 0, "yes": 1}
ORDER |= {"fair": 0, "excellent": 1}


@pytest.fixture
def customers():
    rows = [row.split() for row in CUSTOMERS.split(";")]
    return np.array([[ORDER[value] for value in row[:4]] for row in rows], float), np.array([row[4] for row in rows])


@pytest.mark.parametrize(
    ("feature", "gain", "left"),
    [(AGE, 0.102, {0, 2}), (INCOME, 0.016, {2}), (STUDENT, 0.0918, {0}), (CREDIT, 0.0306, {1})],
)
def test_the_gini_gains_of_the_textbook(customers, feature, gain, left):
    X, y = customers
    model = DecisionTreeClassifier(max_depth=1, categorical_features=[0]).fit(X[:, [feature]], y)
    decrease = _decrease(model, X[:, [feature]], lambda p: 1 - (p**2).sum(axis=-1))
    assert decrease == pytest.approx(gain, abs=5e-4)
    sides = model.apply(X[:, [feature]])
    assert set(X[sides == 1, feature].astype(int).tolist()) == left


def test_the_gini_of_the_whole_and_of_the_split_by_income(customers):
    X, y = customers
    model = DecisionTreeClassifier(max_depth=1, categorical_features=[0]).fit(X[:, [INCOME]], y)
    whole = 1 - (model.values_[0] ** 2).sum()
    assert whole == pytest.approx(0.459, abs=5e-4)
    assert whole - _decrease(model, X[:, [INCOME]], lambda p: 1 - (p**2).sum(axis=-1)) == pytest.approx(0.443, abs=5e-4)


@pytest.mark.parametrize(("feature", "gain"), [(STUDENT, 0.1518), (CREDIT, 0.0481)])
def test_the_information_gains_of_questions_with_two_answers(customers, feature, gain):
    X, y = customers
    model = DecisionTreeClassifier(criterion="entropy", max_depth=1).fit(X[:, [feature]], y)
    assert _decrease(model, X[:, [feature]], _bits) == pytest.approx(gain, abs=5e-5)


@pytest.mark.parametrize(("feature", "gain"), [(AGE, 0.2467), (INCOME, 0.0292)])
def test_a_full_tree_over_one_feature_has_the_gain_of_the_split_in_three(customers, feature, gain):
    """ID3 splits into all values at once; binary questions that tell all values apart gain the same."""
    X, y = customers
    one = X[:, [feature]]
    model = DecisionTreeClassifier(criterion="entropy", max_depth=2, categorical_features=[0]).fit(one, y)
    assert _decrease(model, one, _bits) == pytest.approx(gain, abs=5e-5)


@pytest.mark.parametrize("criterion", ["gini", "entropy"])
def test_age_is_asked_first(customers, criterion):
    X, y = customers
    model = DecisionTreeClassifier(criterion=criterion, categorical_features=range(4)).fit(X, y)
    assert stored_trees(model).feature[0] == AGE
    assert model.score(X, y) == 1.0


def _bits(shares):
    return -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=-1)


def _decrease(model, X, impurity):
    """The impurity of the root less that of the leaves, by their rows."""
    leaves, counts = np.unique(model.apply(X), return_counts=True)
    shares = model.values_
    return impurity(shares[0]) - (impurity(shares[leaves]) * counts).sum() / len(X)


# --- against scikit-learn ---


@pytest.fixture
def waves():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 8))
    X[:, 5], X[:, 6] = np.exp(2 * X[:, 5]), rng.integers(0, 3, 6000)
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * (X[:, 6] == 1) + 0.3 * rng.normal(size=6000)


def test_errors_of_binned_trees_are_those_of_exact_ones(waves):
    """Within 2 % of scikit-learn's root mean squared error, and within 0.01 of its accuracy, on rows not learned."""
    X, y = waves
    ours = DecisionTreeRegressor(max_depth=7, min_samples_leaf=5).fit(X[:4000], y[:4000])
    theirs = peer.DecisionTreeRegressor(max_depth=7, min_samples_leaf=5, random_state=0).fit(X[:4000], y[:4000])
    error, exact = (np.sqrt(np.mean((m.predict(X[4000:]) - y[4000:]) ** 2)) for m in (ours, theirs))
    assert error < 1.02 * exact
    labels = y > 0.2
    sorted_ = DecisionTreeClassifier(max_depth=7).fit(X[:4000], labels[:4000])
    exact_ = peer.DecisionTreeClassifier(max_depth=7, random_state=0).fit(X[:4000], labels[:4000])
    assert sorted_.score(X[4000:], labels[4000:]) > exact_.score(X[4000:], labels[4000:]) - 0.01


@pytest.mark.parametrize("alpha", [0.0005, 0.002, 0.01, 0.1, 10.0])
def test_pruning_is_that_of_scikit_learn(alpha):
    rng = np.random.default_rng(1)
    X = rng.permuted(np.tile(np.arange(200.0), (3, 1)), axis=1).T
    y = np.sin(X[:, 0] / 30) + 0.2 * rng.normal(size=200)
    ours = DecisionTreeRegressor(max_depth=6, ccp_alpha=alpha).fit(X, y)
    theirs = peer.DecisionTreeRegressor(max_depth=6, ccp_alpha=alpha, random_state=0).fit(X, y)
    assert (ours.get_n_leaves(), ours.get_depth()) == (theirs.get_n_leaves(), theirs.get_depth())
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    np.testing.assert_allclose(ours.feature_importances_, theirs.feature_importances_, atol=1e-9)


def test_min_impurity_decrease_is_that_of_scikit_learn():
    X = np.random.default_rng(2).permuted(np.tile(np.arange(100.0), (2, 1)), axis=1).T
    y = (X[:, 0] // 17 + X[:, 1] // 40) % 3
    for least in (0.001, 0.02, 0.05):
        ours = DecisionTreeClassifier(max_depth=None, min_impurity_decrease=least).fit(X, y)
        theirs = peer.DecisionTreeClassifier(min_impurity_decrease=least, random_state=0).fit(X, y)
        assert ours.get_n_leaves() == theirs.get_n_leaves()


# --- the same however the rows come ---


@pytest.mark.parametrize("weighted", [False, True])
def test_every_form_of_the_data_gives_the_same_tree(waves, fits, weighted):
    X, y = waves[0][:600].copy(), np.round(waves[1][:600] * 1000)
    X[::7, 2] = np.nan
    weights = np.random.default_rng(3).integers(0, 3, 600).astype(float) if weighted else None
    model = DecisionTreeRegressor(max_depth=5)
    reference = model.fit(X, y, weights).predict(X)
    assert len(np.unique(reference)) > 20
    for form, fitted in fits(model, X, y, weights):
        np.testing.assert_allclose(fitted.values_, model.values_, err_msg=form)
        for name in ("feature", "cut", "left"):
            np.testing.assert_array_equal(fitted.trees_[name], model.trees_[name], err_msg=form)


def test_tables_are_predicted_as_arrays_are(waves):
    X, y = waves
    table = pa.table({f"x{j}": X[:, j] for j in range(8)} | {"label": np.where(y > 0, "up", "down")})
    model = DecisionTreeClassifier(max_depth=4).fit(table, "label")
    by_column = DecisionTreeClassifier(max_depth=4).fit(X, np.where(y > 0, "up", "down"))
    assert (model.predict(table) == by_column.predict(X)).all()
    assert model.classes_.tolist() == ["down", "up"]


def test_a_fit_of_many_values_repeats_itself_however_rows_are_cut(waves):
    X, y = waves
    whole = pa.table({f"x{j}": X[:, j] for j in range(8)} | {"y": np.round(y * 1000)})
    cut = [whole.slice(start, 777).combine_chunks() for start in range(0, 6000, 777)]
    edges = [DecisionTreeRegressor(max_depth=3).fit(part, "y").bin_edges_ for part in (whole, pa.concat_tables(cut))]
    np.testing.assert_array_equal(*edges)


def test_a_row_of_weight_three_counts_as_three_rows(waves):
    X, y = waves[0][:1000], np.round(waves[1][:1000] * 100)
    weights = np.random.default_rng(4).integers(0, 4, 1000)
    weighted = DecisionTreeRegressor(max_depth=5).fit(X, y, weights.astype(float))
    repeated = DecisionTreeRegressor(max_depth=5).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X))


def test_a_level_of_many_nodes_takes_several_passes(waves, monkeypatch):
    X, y = waves[0], np.round(waves[1] * 100)
    reference = DecisionTreeRegressor(max_depth=6).fit(X, y).predict(X)
    monkeypatch.setattr("groundswell.estimators._level_passes.CELLS", CELLS // 200)
    monkeypatch.setattr("groundswell.estimators._level_passes.ROWS_BYTES", ROWS_BYTES // 10_000)
    np.testing.assert_allclose(DecisionTreeRegressor(max_depth=6).fit(X, y).predict(X), reference)


# --- data that carry little ---


def test_constant_and_empty_columns_are_never_asked_for():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.full(100, 7.0), np.full(100, np.nan), rng.normal(size=100)])
    model = DecisionTreeClassifier().fit(X, X[:, 2] > 0)
    assert set(model.trees_["feature"].tolist()) == {-1, 2}
    assert model.score(X, X[:, 2] > 0) == 1.0


def test_missing_values_that_say_something_go_their_own_way():
    X = np.array([[1.0], [2.0], [np.nan], [np.nan], [3.0]])
    model = DecisionTreeClassifier().fit(X, np.array([0, 0, 1, 1, 0]))
    assert model.predict(X).tolist() == [0, 0, 1, 1, 0]


def test_missing_values_that_were_not_seen_go_where_most_rows_went():
    X = np.arange(10.0)[:, None]
    assert DecisionTreeRegressor(max_depth=1).fit(X, X[:, 0] > 2).predict([[np.nan]]) == 1.0
    assert DecisionTreeRegressor(max_depth=1).fit(X, X[:, 0] > 6).predict([[np.nan]]) == 0.0


def test_categories_that_were_not_seen_go_where_most_rows_went():
    X, y = np.array([[1.0]] * 5 + [[2.0]] * 2 + [[8.0]] * 3), np.array([0.0] * 5 + [9.0] * 2 + [0.0] * 3)
    model = DecisionTreeRegressor(categorical_features=[True]).fit(X, y)
    assert model.predict([[5.0], [np.nan], [2.0]]).tolist() == [0.0, 0.0, 9.0]


def test_infinite_values_of_a_table_are_values():
    table = pa.table({"x": [-np.inf, 1.0, 2.0, np.inf], "y": [0, 1, 0, 1]})
    model = DecisionTreeClassifier(max_depth=None).fit(table, "y")
    assert model.predict(table).tolist() == [0, 1, 0, 1]


def test_one_class_is_refused_and_named():
    with pytest.raises(FitError, match="All labels are 'yes'"):
        DecisionTreeClassifier().fit(np.arange(3.0)[:, None], np.array(["yes"] * 3))


def test_a_missing_label_is_refused():
    with pytest.raises(FitError, match="have no label"):
        DecisionTreeRegressor().fit(pa.table({"x": [1.0, 2.0, 3.0], "y": [1.0, None, 3.0]}), "y")


def test_a_table_without_rows_is_refused():
    with pytest.raises(FitError, match="no rows"):
        DecisionTreeRegressor().fit(pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.float64())}), "y")


def test_too_many_categories_are_refused():
    X = np.arange(300.0)[:, None]
    with pytest.raises(FitError, match="more than 254 categories"):
        DecisionTreeRegressor(categorical_features=[0]).fit(X, X[:, 0])


def test_an_unknown_categorical_feature_is_refused():
    with pytest.raises(ColumnNotFoundError, match="Did you mean 'city'"):
        DecisionTreeRegressor(categorical_features=["citi"]).fit(pa.table({"city": [1, 2], "y": [1, 2]}), "y")


def test_parameters_that_cannot_be_are_refused():
    X = np.arange(4.0)[:, None]
    with pytest.raises(FitError, match="max_depth is 0"):
        DecisionTreeRegressor(max_depth=0).fit(X, X[:, 0])
    with pytest.raises(FitError, match="criteria are 'entropy', 'gini'"):
        DecisionTreeClassifier(criterion="variance").fit(X, X[:, 0] > 1)
