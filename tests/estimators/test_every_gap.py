"""What every estimator does with values that are missing or infinite, and without rows."""

import numpy as np
import pytest

from groundswell.engines import StreamRows
from groundswell.errors import DataError, FitError, GroundswellError

TOLD = ["did not reach", "Bins of feature", "Feature . is constant", "have no values"]  # of few rows
pytestmark = [pytest.mark.filterwarnings(f"ignore:.*{words}") for words in TOLD]


def stream(table):
    return StreamRows(table.schema, lambda: table.to_reader(max_chunksize=7))


@pytest.mark.cases("takes_matrix")
def test_a_column_without_values_is_taken_or_refused(case):
    X, y = case.X(), case.y()
    X[:, 1] = np.nan
    if case.allows_gaps:
        learned = [case.new().fit(case.frame(X), y), case.new().fit(stream(case.table(X, y)), "label")]
        case.assert_close(*(case.answer(model, case.frame(X)) for model in learned), close=1e-6)
        return
    table = case.table(X, y)
    for rows in (table, stream(table)):
        with pytest.raises(GroundswellError, match="missing"):
            case.answer(case.new().fit(rows, "label"), table)
    with pytest.raises(ValueError, match="NaN"):
        case.new().fit(case.frame(X), y)


@pytest.mark.cases("takes_matrix")
def test_missing_and_infinite_values_are_answered_or_refused(case):
    model = case.new().fit(case.table(), "label")
    for value, said in ((np.nan, "missing"), (np.inf, "infinite")):
        X = case.X()
        X[3, 1] = value
        if case.allows_gaps:
            if np.isnan(value):
                case.assert_close(case.answer(model, case.table(X)), case.answer(model, case.frame(X)))
            continue
        with pytest.raises(DataError, match=said):
            case.answer(model, case.table(X))
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            case.answer(model, case.frame(X))


@pytest.mark.cases("takes_matrix", "refuses_infinity")
def test_infinite_values_are_not_learned_from(case):
    for value in (np.inf, -np.inf):
        X, y = case.X(), case.y()
        X[3, 1] = value
        with pytest.raises(GroundswellError, match=r"infinite|negative"):
            case.answer(case.new().fit(case.table(X, y), "label"), case.table(X, y))


def test_no_rows_are_refused_where_rows_are_learned_from_and_answered(case):
    nothing = case.table().slice(0, 0)
    for rows in (nothing, stream(nothing)):
        if case.learns_from_rows:
            with pytest.raises(FitError, match=r"no rows|from 0 rows"):
                case.new().fit(rows, "label")
        else:
            case.new().fit(rows, "label")
        assert len(case.answer(case.new().fit(case.table(), "label"), rows)) == 0
