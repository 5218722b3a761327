"""What numbers do to every estimator: large ones, equal ones, missing ones, too few of them."""

import numpy as np
import pyarrow as pa
import pytest

from groundswell.engines import StreamRows
from groundswell.errors import FitError, GroundswellError

FAR = 2.0**20
TOLD = [
    "did not reach",
    "The descent diverges",
    "Bins of feature",
    "Feature . is constant",
    "The features .* no values",
]
pytestmark = [pytest.mark.filterwarnings(f"ignore:.*{words}") for words in TOLD]


def both(case, X, y, weights=None):
    """Answers for the rows after a fit on arrays; a fit on a stream of parts of seven rows gives the same."""
    frame, table = case.frame(X), case.table(X, y)
    extra, named = ({}, {}) if weights is None else ({"sample_weight": weights}, {"sample_weight": "weight"})
    if weights is not None:
        table = table.append_column("weight", [weights])
    whole = case.answer(case.new().fit(frame, y, **extra), frame)
    cut = case.answer(case.new().fit(stream(table), "label", **named), frame)
    case.assert_close(cut, whole, "cut", max(case.close, 1e-6))
    return whole


def stream(table):
    return StreamRows(table.schema, lambda: table.to_reader(max_chunksize=7))


def finite(answers):
    return answers.dtype.kind not in "fiu" or np.isfinite(answers).all()


@pytest.mark.cases("takes_matrix", "moves_or_stays")
def test_a_large_offset_costs_no_digits(case):
    X, y = case.X(), case.y()
    far = both(case, X + FAR, y)
    case.assert_close(far - FAR * (case.offset == "moves"), both(case, X, y), close=1e-6)


@pytest.mark.cases("takes_matrix")
def test_float32_and_whole_numbers_are_summed_in_float64(case):
    X, y = case.X(), case.y()
    expected = both(case, X, y)
    case.assert_close(both(case, X.astype(np.float32), y), expected, close=1e-6)
    whole = (X * 4).astype(np.int64)
    case.assert_close(both(case, whole.astype(np.int16), y), both(case, whole.astype(np.float64), y), close=1e-6)


@pytest.mark.cases("takes_matrix")
def test_dependent_columns_are_taken(case):
    X, y = case.X(), case.y()
    assert finite(both(case, np.column_stack([X, 2 * X[:, 0], X[:, 1] + X[:, 2]]), y))


@pytest.mark.cases("takes_matrix")
def test_a_constant_column_is_taken(case):
    X, y = case.X(), case.y()
    assert finite(both(case, np.column_stack([X, np.full(len(X), 7.0)]), y))


@pytest.mark.cases("takes_matrix")
def test_constant_columns_alone_are_taken_or_refused(case):
    X, y = np.full_like(case.X(), 7.0), case.y()
    if case.name == "LinearDiscriminantAnalysis":
        with pytest.raises(FitError, match="No feature varies within a class"):
            case.new().fit(case.table(X, y), "label")
    else:
        assert finite(both(case, X, y))


@pytest.mark.cases("weighs")
def test_whole_weights_are_repeated_rows(case):
    X, y = case.X(), case.y()
    times = np.random.default_rng(0).integers(0, 4, len(X))
    weighted = both(case, X, y, times.astype(float))
    if case.weighted == "rows":
        repeated = case.new().fit(case.frame(np.repeat(X, times, axis=0)), None if y is None else np.repeat(y, times))
        case.assert_close(weighted, case.answer(repeated, case.frame(X)), close=1e-5)


@pytest.mark.cases("weighs")
@pytest.mark.parametrize("wrong", [0.0, None, -1.0, float("inf")])
def test_weights_that_cannot_be_are_refused(case, wrong):
    others = 0.0 if wrong == 0 else 1.0
    table = case.table().append_column("weight", pa.array([wrong, *[others] * (len(case.X()) - 1)], pa.float64()))
    with pytest.raises(GroundswellError, match="weight"):
        case.new().fit(table, "label", sample_weight="weight")


def test_one_row_is_learned_from_or_refused(case):
    X, y = case.X()[:1], case.y()
    y = None if y is None else y[:1]
    if case.needs_rows:
        for rows, label in ((case.frame(X), y), (case.table(X, y), "label"), (stream(case.table(X, y)), "label")):
            with pytest.raises(FitError, match=case.needs_rows):
                case.new().fit(rows, label)
    else:
        assert finite(both(case, X, y))


@pytest.mark.cases("takes_matrix")
def test_more_columns_than_rows_are_taken(case):
    rng = np.random.default_rng(1)
    X = rng.poisson(2, size=(12, 30)).astype(float) if case.data == "counts" else rng.normal(size=(12, 30))
    y = case.y()
    assert finite(both(case, X, None if y is None else y[:12]))
