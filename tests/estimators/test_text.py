"""Texts as vectors against scikit-learn's vectorizers, on lists, frames and tables."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sklearn.feature_extraction.text as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression as PeerRegression
from sklearn.pipeline import make_pipeline

from groundswell.engines import StreamRows
from groundswell.errors import DataError, FitError, SchemaError, TypeMismatchError
from groundswell.estimators import (
    ColumnTransformer,
    CountVectorizer,
    HashingVectorizer,
    LogisticRegression,
    OneHotEncoder,
    TfidfTransformer,
    TfidfVectorizer,
)

rng = np.random.default_rng(0)
WORDS = ["good", "bad", "film", "plot", "the", "a", "Café", "actor", "label", "boring", "great"]
TEXTS = [" ".join(rng.choice(WORDS, rng.integers(0, 12))) for _ in range(120)]
LABELS = np.array([text.count("good") + text.count("great") > text.count("bad") for text in TEXTS]).astype(int)


SETTINGS = [
    {},
    {"ngram_range": (1, 3), "stop_words": "english"},
    {"stop_words": ["film", "the"], "lowercase": True, "strip_accents": "unicode"},
    {"analyzer": "char_wb", "ngram_range": (2, 3)},
    {"binary": True, "token_pattern": r"[a-z]+"},
]
LIMITS = [{"min_df": 5}, {"max_df": 0.5, "min_df": 0.02}, {"max_features": 4}, {"vocabulary": ["plot", "good"]}]


@pytest.mark.parametrize("options", SETTINGS + LIMITS, ids=str)
@pytest.mark.parametrize("kind", ["CountVectorizer", "TfidfVectorizer"])
def test_terms_and_weights_are_those_of_scikit_learn(kind, options):
    """The same terms, counts exactly and weights to 1e-12."""
    ours = {"CountVectorizer": CountVectorizer, "TfidfVectorizer": TfidfVectorizer}[kind](**options)
    theirs = getattr(peer, kind)(**options)
    np.testing.assert_allclose(ours.fit_transform(TEXTS).toarray(), theirs.fit_transform(TEXTS).toarray(), rtol=1e-12)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    assert ours.inverse_transform(ours.transform(TEXTS))[5].tolist() == sorted(
        theirs.inverse_transform(theirs.transform(TEXTS))[5].tolist(), key=ours.vocabulary_.get
    )


@pytest.mark.parametrize("options", [*SETTINGS, {"norm": None, "alternate_sign": False}], ids=str)
def test_hashes_are_those_of_scikit_learn(options):
    ours, theirs = HashingVectorizer(n_features=64, **options), peer.HashingVectorizer(n_features=64, **options)
    np.testing.assert_allclose(ours.transform(TEXTS).toarray(), theirs.transform(TEXTS).toarray(), rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"norm": "l1", "sublinear_tf": True}, {"smooth_idf": False, "norm": None},
                                     {"use_idf": False}], ids=str)  # fmt: skip
def test_weights_of_counts_are_those_of_scikit_learn(options):
    counts = peer.CountVectorizer().fit_transform(TEXTS)
    ours, theirs = TfidfTransformer(**options), peer.TfidfTransformer(**options)
    for given_counts in (counts, counts.toarray(), sparse.csc_matrix(counts)):
        made, expected = ours.fit_transform(given_counts), theirs.fit_transform(counts)
        np.testing.assert_allclose(made.toarray(), expected.toarray(), rtol=1e-12)
    if options.get("use_idf", True):
        np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=1e-12)
    else:
        with pytest.raises(AttributeError, match="use_idf"):
            _ = ours.idf_


def test_every_form_of_texts_gives_the_same(tmp_path):
    expected = TfidfVectorizer().fit_transform(TEXTS).toarray()
    series = pd.Series(TEXTS)
    forms = [series, np.array(TEXTS), np.array(TEXTS, dtype=object)[:, None], series.to_frame("text"), pa.array(TEXTS),
             pa.chunked_array([TEXTS[:3], TEXTS[3:]]), pl.Series(TEXTS), [text.split() for text in TEXTS]]  # fmt: skip
    for form in forms[:-1]:
        np.testing.assert_array_equal(TfidfVectorizer().fit_transform(form).toarray(), expected)
    tokens = CountVectorizer().fit(forms[-1])
    assert sorted(tokens.vocabulary_) == sorted({token for text in TEXTS for token in text.split()})
    table = pa.table({"review": TEXTS, "label": LABELS})
    for rows in (7, 1000):
        pq.write_table(table, tmp_path / "texts.parquet", row_group_size=rows)
        made = TfidfVectorizer().fit_transform(tmp_path / "texts.parquet", "label")
        names = [name for name in made.schema.names if name != "label"]
        whole = pa.concat_tables(part() for part in made.parts([*names, "label"]))
        np.testing.assert_allclose(np.column_stack([whole[n].to_numpy() for n in names]), expected, rtol=1e-12)
        assert whole["label"].to_pylist() == LABELS.tolist()
    encoded = table.set_column(0, "review", table["review"].dictionary_encode())
    assert TfidfVectorizer().fit(encoded, "label").transform(encoded).schema.names == made.schema.names


def test_a_term_is_never_taken_for_the_label(tmp_path):
    pq.write_table(pa.table({"review": TEXTS, "label": LABELS}), tmp_path / "texts.parquet", row_group_size=50)
    path = str(tmp_path / "texts.parquet")
    model = make_pipeline(CountVectorizer(), LogisticRegression(solver="lbfgs")).fit(path, "label")
    assert "review_label" in model[0].get_feature_names_out()
    same = make_pipeline(peer.CountVectorizer(), PeerRegression(max_iter=1000)).fit(TEXTS, LABELS)
    np.testing.assert_allclose(model[-1].coef_, same[-1].coef_, atol=2e-3)
    assert (model.predict(path) == same.predict(TEXTS)).all()
    assert (model.predict(TEXTS) == same.predict(TEXTS)).all()


def test_steps_of_their_own_give_the_same_on_a_table(tmp_path):
    pq.write_table(pa.table({"review": TEXTS, "y": LABELS}), tmp_path / "t.parquet", row_group_size=50)
    two = make_pipeline(CountVectorizer(), TfidfTransformer(), LogisticRegression(solver="lbfgs"))
    one = make_pipeline(TfidfVectorizer(), LogisticRegression(solver="lbfgs"))
    path = str(tmp_path / "t.parquet")
    np.testing.assert_allclose(two.fit(path, "y")[-1].coef_, one.fit(path, "y")[-1].coef_, atol=1e-6)


def test_texts_beside_other_columns_are_selected_by_name():
    table = pa.table({"review": TEXTS, "genre": rng.choice(["x", "y"], len(TEXTS)), "label": LABELS})
    with pytest.raises(SchemaError, match=r"\['review', 'genre'\]"):
        TfidfVectorizer().fit(table, "label")
    features = ColumnTransformer([("words", TfidfVectorizer(), "review"), ("genre", OneHotEncoder(), ["genre"])])
    model = make_pipeline(features, LogisticRegression(solver="lbfgs")).fit(table, "label")
    frame = table.to_pandas().drop(columns="label")
    same = make_pipeline(clone(features), LogisticRegression(solver="lbfgs")).fit(frame, LABELS)
    np.testing.assert_allclose(model.predict_proba(table), same.predict_proba(frame), atol=1e-6)


def test_a_missing_text_is_an_empty_document():
    vectors = CountVectorizer().fit_transform(["good film", None, float("nan")])
    assert vectors.toarray().tolist() == [[1, 1], [0, 0], [0, 0]]
    table = pa.table({"t": ["good film", None]})
    assert CountVectorizer().fit(table).transform(pa.table({"t": pa.array([None], pa.string())})).rows == 1


def test_tokens_may_be_joined_to_n_grams_too():
    vectorizer = CountVectorizer(ngram_range=(2, 2)).fit(pa.table({"t": [["To", "be"], ["be", "To", "be"]]}))
    assert vectorizer.get_feature_names_out().tolist() == ["t_To be", "t_be To"]


def test_what_cannot_be_vectorized_is_refused():
    with pytest.raises(FitError, match="empty vocabulary"):
        CountVectorizer(stop_words="english").fit(["the a"])
    with pytest.raises(FitError, match="fewer documents"):
        CountVectorizer(min_df=3, max_df=2).fit(TEXTS)
    with pytest.raises(TypeMismatchError, match="3, of the type int"):
        CountVectorizer().fit(["good", 3])
    with pytest.raises(DataError, match=r"shape \(2, 2\)"):
        CountVectorizer().fit(np.array([["a", "b"], ["c", "d"]]))
    with pytest.raises(TypeMismatchError, match="int64"):
        CountVectorizer().fit(pa.chunked_array([[1, 2]]))
    with pytest.raises(SchemaError, match=r"\[\]"):
        CountVectorizer().fit(pa.table({"a": [1]}))
    with pytest.raises(SchemaError, match="'t' is needed"):
        CountVectorizer().fit(pa.table({"t": ["good film"]})).transform(pa.table({"u": ["good film"]}))
    with pytest.raises(FitError, match="no rows"):
        TfidfTransformer().fit(pa.table({"a": pa.array([], pa.float64())}))


@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(st.text("ab c", max_size=12), min_size=1, max_size=20),
    rows=st.integers(1, 7),
)
def test_no_cut_of_the_documents_changes_the_weights(texts, rows):
    table = pa.table({"t": [*texts, "abc"]})
    stream = StreamRows(table.schema, lambda: table.to_reader(max_chunksize=rows))
    ours = TfidfVectorizer(analyzer="char", ngram_range=(1, 2)).fit(stream)
    theirs = peer.TfidfVectorizer(analyzer="char", ngram_range=(1, 2)).fit([*texts, "abc"])
    assert list(ours.vocabulary_) == theirs.get_feature_names_out().tolist()
    np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=1e-12)
