"""What every estimator says of input that it cannot take: what is wrong, with its name, and what to do."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from groundswell.errors import (
    ColumnNotFoundError,
    CorruptionError,
    DataError,
    FitError,
    GroundswellError,
    SchemaError,
    TypeMismatchError,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*did not reach")


def with_label(case, label):
    """The case's table with other labels."""
    table = case.table()
    return table.set_column(len(table.schema) - 1, "label", label)


def test_a_label_column_that_is_not_there_is_named_with_its_neighbor(case):
    with pytest.raises(ColumnNotFoundError, match=r"'lable'(.|\n)*'label'"):
        case.new().fit(case.table(), "lable")


def test_a_file_that_is_not_there_is_named(case, tmp_path):
    with pytest.raises(CorruptionError, match="no Parquet file at"):
        case.new().fit(str(tmp_path / "rows.parquet"), "label")


@pytest.mark.cases("weighs")
def test_a_weight_column_that_is_not_there_is_named_and_an_array_is_refused(case):
    with pytest.raises(ColumnNotFoundError, match="'wieght'"):
        case.new().fit(case.table(), "label", sample_weight="wieght")
    with pytest.raises(SchemaError, match="sample_weight is an array"):
        case.new().fit(case.table(), "label", sample_weight=np.ones(len(case.X())))


@pytest.mark.cases("learns")
def test_labels_of_a_table_are_named(case):
    with pytest.raises(SchemaError, match=r"y is not given(.|\n)*'label'"):
        case.new().fit(case.table())
    with pytest.raises(SchemaError, match="y is an array"):
        case.new().fit(case.table(), case.y())


@pytest.mark.cases("takes_matrix")
@pytest.mark.parametrize("values", ["words", datetime(2013, 1, 1, tzinfo=UTC), None], ids=["text", "time", "nothing"])
def test_a_column_without_numbers_is_named_with_what_to_put_before(case, values):
    table = case.table()
    table = table.set_column(0, "x0", pa.array([values] * len(table)))
    with pytest.raises(TypeMismatchError, match=r"'x0'(.|\n)*(Put|Take)"):
        case.answer(case.new().fit(table, "label"), table)


def test_what_is_not_fitted_says_so(case):
    model = case.new()
    if case.learns_from_rows:
        for rows in (case.table(), case.frame() if case.data not in ("texts", "tokens") else case.X()):
            with pytest.raises(NotFittedError):
                case.answer(model, rows)


@pytest.mark.cases("has_columns")
def test_other_features_than_those_of_the_fit_are_named(case):
    frame, table = case.frame(), case.table()
    model = case.new().fit(table, "label")
    gone = "x1"
    with pytest.raises(ColumnNotFoundError, match=f"'{gone}'"):
        case.answer(model, table.drop_columns([gone]))
    with pytest.raises((ValueError, KeyError), match=gone):
        case.answer(model, frame.rename(columns={gone: "other"}))
    if case.name != "ColumnTransformer":
        with pytest.raises(ValueError, match="3 features"):
            case.answer(case.new().fit(frame.to_numpy(), case.y()), frame.to_numpy()[:, :3])


@pytest.mark.cases("has_columns")
def test_features_of_a_table_are_found_by_name(case):
    table = case.table()
    model = case.new().fit(table, "label")
    turned = table.select(["label", *reversed(case.frame().columns)])
    more = table.add_column(0, "other", [["?"] * len(table)]).drop_columns(["label"])
    expected = case.answer(model, table)
    case.assert_close(case.answer(model, turned), expected)
    answered = model.transform(more) if case.target is None and hasattr(model, "transform") else None
    if answered is None or hasattr(model, "predict"):
        case.assert_close(case.answer(model, more), expected)
    else:
        assert answered.schema.names[-1] == "other"


@pytest.mark.cases("classifies")
def test_one_class_is_refused_and_named(case):
    if not case.needs_rows:  # naive Bayes learns what rows of one class are like
        assert case.new().fit(with_label(case, [["a"] * len(case.X())]), "label").classes_.tolist() == ["a"]
        return
    for fit in (
        lambda: case.new().fit(with_label(case, [["a"] * len(case.X())]), "label"),
        lambda: case.new().fit(case.frame(), np.array(["a"] * len(case.X()))),
    ):
        with pytest.raises(FitError, match=r"(?s)'a'.*one class|one class.*'a'"):
            fit()


@pytest.mark.cases("learns")
def test_a_missing_label_is_refused(case):
    labels = case.y().tolist()
    for gaps in ([None, *labels[1:]], [*labels[:-1], None]):
        with pytest.raises(FitError, match=r"missing|no label"):
            case.new().fit(with_label(case, [gaps]), "label")


@pytest.mark.cases("classifies")
def test_numbers_that_are_no_classes_are_refused(case):
    numbers = np.random.default_rng(0).normal(size=len(case.X()))
    with pytest.raises(GroundswellError, match=r"regress"):
        case.new().fit(with_label(case, [numbers]), "label")
    with pytest.raises(ValueError, match="Unknown label type"):
        case.new().fit(case.frame(), numbers)


@pytest.mark.cases("regresses")
def test_labels_that_are_no_numbers_are_refused(case):
    with pytest.raises(TypeMismatchError, match="'label'"):
        case.new().fit(with_label(case, [["a"] * len(case.X())]), "label")


@pytest.mark.cases("regresses")
def test_an_infinite_label_is_refused(case):
    labels = case.y()
    labels[3] = np.inf
    with pytest.raises(GroundswellError, match="infinite"):
        case.new().fit(with_label(case, [labels]), "label")
    with pytest.raises(ValueError, match="infinity"):
        case.new().fit(case.frame(), labels)


@pytest.mark.cases("counts_only")
def test_negative_counts_are_refused(case):
    X = case.X()
    X[3, 1] = -2
    for rows, label in ((case.table(X), "label"), (case.frame(X), case.y())):
        with pytest.raises(ValueError, match=r"[Nn]egative"):
            case.answer(case.new().fit(rows, label), rows)


@pytest.mark.cases("has_columns")
def test_a_name_that_two_columns_have_is_refused(case):
    table = case.table()
    double = pa.Table.from_arrays([*table.columns, table.column("x0")], [*table.schema.names, "x0"])
    with pytest.raises((DataError, SchemaError), match="'x0'"):
        case.answer(case.new().fit(double, "label"), double)


@pytest.mark.cases("has_columns")
def test_labels_of_another_number_of_rows_are_refused(case):
    if case.target is not None:
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            case.new().fit(case.frame(), case.y()[:-1])
    with pytest.raises((ValueError, TypeError), match=r"\w"):
        case.new().fit(pd.DataFrame(), case.y())
