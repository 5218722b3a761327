"""ConfusionMatrix against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as skm

from groundswell.errors import DataError
from groundswell.models import ConfusionMatrix

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30)


def matrix(pairs: list[tuple[str, str]]) -> ConfusionMatrix:
    counts = np.zeros((3, 3))
    for truth, said in pairs:
        counts["abc".index(truth), "abc".index(said)] += 1
    return ConfusionMatrix(labels=tuple("abc"), counts=counts)


@settings(deadline=None, max_examples=40)
@given(PAIRS)
def test_figures_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, said = zip(*pairs, strict=True)
    found = matrix(pairs)
    assert found.accuracy == pytest.approx(skm.accuracy_score(truth, said))
    assert found.balanced_accuracy == pytest.approx(np.mean([
        np.mean([s == t for t, s in pairs if t == label]) for label in set(truth)
    ]))  # fmt: skip
    if len({*truth, *said}) > 1:
        assert found.matthews == pytest.approx(skm.matthews_corrcoef(truth, said))
    for average in ("micro", "macro", "weighted"):
        expected = skm.precision_recall_fscore_support(truth, said, average=average, zero_division=0.0)[:3]
        assert list(found.average(average).values()) == pytest.approx(list(expected))
    table = found.per_label().fillna(0.0)
    expected = skm.precision_recall_fscore_support(truth, said, labels=list("abc"), zero_division=0.0)
    for column, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert table[column].tolist() == pytest.approx(values.tolist())


def test_nothing_counted_is_no_number() -> None:
    found = ConfusionMatrix(labels=("a",), counts=np.zeros((1, 1)))
    assert np.isnan([found.accuracy, found.balanced_accuracy]).all()
    assert found.matthews == 0.0
    with pytest.raises(DataError, match=r"'sum'.*'micro', 'macro' or 'weighted'"):
        found.average("sum")


def test_it_prints_and_shows() -> None:
    found = matrix([("a", "a"), ("a", "b"), ("c", "c")])
    assert str(found).splitlines() == [
        "Truth down, prediction across", "truth  a  b  c", "a      1  1  0", "b      0  0  0", "c      0  0  1"
    ]  # fmt: skip
    assert found._repr_html_().count('scope="row"') == 3
    assert found.to_pandas().loc["a", "b"] == 1
    wide = ConfusionMatrix(labels=("<b>", *range(24)), counts=np.eye(25))
    assert "and 5 more labels" in str(wide)
    assert "&lt;b&gt;" in wide._repr_html_()
