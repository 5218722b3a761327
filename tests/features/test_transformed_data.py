"""Training data with transformations: fitted on the training split, kept, the same for all parts and in service."""

import hashlib
import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.tree import DecisionTreeClassifier

import groundswell as gs
from groundswell.errors import CorruptionError, DataError, FitError
from groundswell.features import to_features
from groundswell.features.fitting import Transformations
from groundswell.features.transformations import check_transformations
from groundswell.types import Schema

ALL_KINDS = [
    gs.impute("filled"),
    gs.standardize("standardized", "filled"),
    gs.min_max("ranged", feature_range=(-1.0, 1.0)),
    gs.max_abs("relative"),
    gs.robust("robust"),
    gs.bucketize("aged", edges=[18, 65]),
    gs.one_hot("aged"),
    gs.quantile_bins("binned", n_bins=4),
    gs.one_hot("carrier", "flag"),
    gs.impute("origin", strategy="constant", value="none"),
    gs.ordinal("origin"),
    gs.hashing("dest", n_features=4),
    gs.log("amount"),
    gs.standardize("amount"),
]
NUMBERS = ("filled", "standardized", "ranged", "relative", "robust", "aged", "binned")
TEXT_COLUMNS = ("carrier", "origin", "dest")
SCHEMA = Schema.of(
    {
        **dict.fromkeys(NUMBERS, pa.float64()),
        **dict.fromkeys(TEXT_COLUMNS, pa.string()),
        "flag": pa.bool_(),
        "amount": pa.int64(),
    }
)
VALUES = st.one_of(
    st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, math.nan, 1e300, -1e300, 5e-324, 18.0, 65.0])
)
TEXTS = st.one_of(st.none(), st.sampled_from(["", "UA", "AA", "B6", "ΔΛ", "unseen", " "]))
ROWS = st.fixed_dictionaries(
    {
        **dict.fromkeys(NUMBERS, VALUES),
        **dict.fromkeys(TEXT_COLUMNS, TEXTS),
        "flag": st.sampled_from([True, False, None]),
        "amount": st.one_of(st.none(), st.integers(0, 2**62)),
    }
)


def table_of(rows):
    return pa.Table.from_pylist(rows, SCHEMA.to_arrow())


def bits(table):
    """Every value as its bits, NaN of any kind and null alike."""
    columns = {}
    for name in table.column_names:
        column = table[name].to_numpy(zero_copy_only=False)
        exact = column.dtype.kind == "f"
        columns[name] = [None if value != value or value is None else value.hex() if exact else value
                         for value in column.tolist()]  # fmt: skip
    return columns


def fitted(rows):
    declared = check_transformations(ALL_KINDS, SCHEMA, [])
    return Transformations.of(declared, SCHEMA).fit(table_of(rows))


TRAINING = [
    {
        **{name: None if (i + j) % 7 == 0 else math.sin(i * (j + 1)) * 100 for j, name in enumerate(NUMBERS)},
        "carrier": ["UA", "AA", None, ""][i % 4],
        "origin": ["EWR", "JFK", None][i % 3],
        "flag": [True, False, None][i % 3],
        "dest": ["IAH", "MIA", None][i % 3],
        "amount": None if i % 9 == 0 else i**3,
    }
    for i in range(60)
]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_a_row_alone_gives_the_bits_that_it_gives_among_others(rows):
    transformations = fitted(TRAINING)
    table = table_of(rows)
    together = bits(transformations.transform_table(table))
    alone = [bits(transformations.transform_table(table.slice(i, 1))) for i in range(len(rows))]
    assert together == {name: [one[name][0] for one in alone] for name in together}


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, min_size=1, max_size=6))
def test_a_frame_gives_what_a_table_gives(rows):
    transformations = fitted(TRAINING)
    from_frame = transformations.transform(table_of(rows).to_pandas())
    frame = to_features(transformations.transform_table(table_of(rows)))
    pd.testing.assert_frame_equal(from_frame, frame, check_exact=True)
    pd.testing.assert_frame_equal(from_frame, transformations.transform(table_of(rows)), check_exact=True)


def test_each_kind_gives_what_numpy_gives():
    training = table_of(TRAINING).to_pandas()
    made = fitted(TRAINING).transform(training)
    x = training["standardized"]
    np.testing.assert_allclose(made["standardized"], (x - x.mean()) / x.std(ddof=0))
    x = training["ranged"]
    np.testing.assert_allclose(made["ranged"], 2 * (x - x.min()) / (x.max() - x.min()) - 1, atol=1e-12)
    np.testing.assert_allclose(made["relative"], training["relative"] / training["relative"].abs().max())
    x = training["robust"]
    low, middle, high = x.quantile([0.25, 0.5, 0.75])
    np.testing.assert_allclose(made["robust"], (x - middle) / (high - low))
    x = training["filled"].fillna(training["filled"].mean())
    np.testing.assert_allclose(made["filled"], (x - x.mean()) / x.std(ddof=0), atol=1e-12)
    assert made["binned"].value_counts().between(11, 15).all()
    assert [name for name in made if name.startswith("carrier")] == [
        "carrier_", "carrier_AA", "carrier_UA", "carrier_None"]  # fmt: skip
    assert made["carrier_UA"].tolist() == [float(carrier == "UA") for carrier in training["carrier"]]
    origins = [row["origin"] or "none" for row in TRAINING]
    assert made["origin"].tolist() == [float(["EWR", "JFK", "none"].index(origin)) for origin in origins]
    amount = np.log1p(training["amount"])
    np.testing.assert_allclose(made["amount"], (amount - amount.mean()) / amount.std(ddof=0), atol=1e-12)
    hashed = made[["dest_0", "dest_1", "dest_2", "dest_3"]]
    assert hashed.abs().sum(axis=1).tolist() == training["dest"].notna().astype(float).tolist()
    assert hashed[training["dest"] == "IAH"].drop_duplicates().shape == (1, 4)
    aged = pd.cut(training["aged"], [-np.inf, 18, 65, np.inf], right=False, labels=False)
    for number in (0, 1, 2):
        assert made[f"aged_{number}.0"].tolist() == (aged == number).astype(float).tolist()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with gs.open(tmp_path_factory.mktemp("here") / "project") as project:
        generator = np.random.default_rng(0)
        n = 400
        at = pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC")
        weather = project.create_feature_group("weather", primary_key=["city"], event_time="at")
        temp = np.where(generator.random(n) < 0.1, np.nan, generator.normal(10, 5, n))
        weather.insert(pd.DataFrame({"city": ["Bern", "Basel"] * (n // 2), "at": at, "temp": temp}))
        rides = project.create_feature_group("rides", primary_key=["id"], event_time="at")
        km = generator.lognormal(1, 1, n)
        rides.insert(
            pd.DataFrame(
                {
                    "id": range(n),
                    "at": at,
                    "city": ["Bern", "Basel"] * (n // 2),
                    "km": km,
                    "carrier": generator.choice(["a", "b", "c"], n),
                    "late": km + generator.normal(0, 1, n) > 3,
                }
            )
        )
        yield project


def query(project):
    weather = project.get_feature_group("weather").select("temp")
    return project.get_feature_group("rides").select("city", "km", "carrier", "late").join(weather)


DECLARED = (gs.impute("temp", strategy="median"), gs.standardize("km", "temp"), gs.one_hot("city", "carrier"))


@pytest.fixture(scope="module")
def view(project):
    return project.create_feature_view("late", query(project), labels=["late"], transformations=DECLARED)


@pytest.fixture(scope="module")
def parts(view):
    return view.train_validation_test_split(validation_start="2024-01-10", test_start="2024-01-14")


def test_all_parts_are_transformed_by_what_the_training_split_taught(parts, view):
    train, validation, test = parts
    assert train.X["km"].mean() == pytest.approx(0, abs=1e-12)
    assert abs(test.X["km"].mean()) > 1e-3
    expected = (test.raw["km"] - train.raw["km"].mean()) / train.raw["km"].std(ddof=0)
    np.testing.assert_allclose(test.X["km"], expected)
    assert not validation.X["temp"].isna().any()
    assert validation.raw["temp"].isna().any()
    assert train.schema == view.schema
    assert train.transformed_schema.names == list(train.X.columns)
    assert train.transformed_schema.names == [
        "city_Basel",
        "city_Bern",
        "km",
        "carrier_a",
        "carrier_b",
        "carrier_c",
        "temp",
    ]


def test_every_form_holds_the_transformed_rows_and_raw_rows_the_others(parts):
    test = parts[2]
    table = test.to_arrow()
    assert table.column_names == [*test.X.columns, "late"]
    assert pa.table(test).equals(table)
    assert pa.Table.from_batches(list(test.batches(7))).equals(table.combine_chunks())
    assert test.to_polars().to_dicts() == table.to_pylist()
    raw = test.raw_rows
    assert raw.schema.names == [*test.schema.names, "late"]
    assert raw.to_arrow().select(test.schema.names).to_pylist() == pa.Table.from_batches(
        list(raw.batches(9))).select(test.schema.names).to_pylist()  # fmt: skip
    assert len(list(test.shuffled(10))) == math.ceil(len(test) / 10)


def test_reading_again_finds_the_same_state(project, parts):
    train = parts[0]
    again = project.get_training_data("late", train.version)
    pd.testing.assert_frame_equal(again["test"].X, parts[2].X, check_exact=True)
    assert again["train"].transformations.declared == train.transformations.declared


def test_the_state_depends_on_training_rows_only_and_not_on_threads_or_parts(project, parts, tmp_path):
    """Test rows are changed, and everything is read by another number of threads: the same file, byte for byte."""
    first = parts[0]
    digest = project.catalog.get("training_data", "late", first.version).body["transformations"]["digest"]
    with gs.open(project.folder, threads=1) as other:
        rides = other.get_feature_group("rides")
        late = rides.read(where=gs.col("at") >= pd.Timestamp("2024-01-14", tz="UTC")).to_arrow()
        changed = late.set_column(late.schema.get_field_index("km"), "km", pa.array(np.full(len(late), 1e9)))
        rides.insert(changed)
        again = other.get_feature_view("late").train_test_split(test_start="2024-01-10")[0]
        assert len(again) == len(first)
        assert other.catalog.get("training_data", "late", again.version).body["transformations"]["digest"] == digest


def test_the_state_is_numbers_and_text_and_its_digest_is_recorded(project, parts):
    body = project.catalog.get("training_data", "late", parts[0].version).body["transformations"]
    file = project.folder / "training_data" / body["folder"] / "transformations.json"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == body["digest"]
    kept = json.loads(file.read_text())
    assert [each["kind"] for each in kept["declared"]] == ["impute", "standardize", "one_hot"]
    assert kept["steps"][1]["mean_"]["array"][0] == pytest.approx(parts[0].raw["km"].mean())


def test_a_damaged_state_is_refused_and_named_by_the_doctor(project, view):
    data = view.training_data()
    body = project.catalog.get("training_data", "late", data.version).body["transformations"]
    file = project.folder / "training_data" / body["folder"] / "transformations.json"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"1", b"2", 1))
    with pytest.raises(CorruptionError, match="sha256"):
        _ = project.get_training_data("late", data.version)["all"].X
    assert any("transformations" in str(finding) for finding in project.doctor().findings)
    file.write_bytes(whole)
    assert project.doctor().ok


def test_a_run_puts_the_transformations_before_the_model_and_a_service_runs_both(project, parts):
    train, _, test = parts

    def fit(data):
        return DecisionTreeClassifier(max_depth=5, random_state=0).fit(data.X, data.y)

    run = project.run(fit, train, evaluate=test)
    assert run.signature.inputs.names == ["city", "km", "carrier", "temp"]
    assert list(run.model.named_steps) == ["transformations", "model"]
    direct = fit(train).predict_proba(test.X)[:, 1]
    np.testing.assert_array_equal(run.model.predict_proba(test.raw)[:, 1], direct)
    version = project.register("late", run)
    np.testing.assert_array_equal(version.load().predict_proba(test.raw)[:, 1], direct)

    rows = test.raw_rows.to_arrow().select(["city", "km", "carrier"]).slice(0, 20).to_pylist()
    late = project.get_feature_group("rides").read(where=gs.col("at") >= pd.Timestamp("2024-01-14", tz="UTC"))
    at = late.to_arrow().sort_by("id")["at"].to_pylist()[:20]
    with project.deploy("late") as service:
        answers = service.predict(rows, at=at)
        alone = [service.predict([row], at=moment)[0].probability for row, moment in zip(rows, at, strict=True)]
        assert [answer.probability for answer in answers] == direct[:20].tolist() == alone
        trace = project.trace(answers[0].id)
    assert trace.inputs["km"] == rows[0]["km"]
    assert "gs.standardize('km', 'temp')" in repr(trace)


def test_a_model_of_some_columns_takes_what_those_need(project, parts):
    def fit(data):
        return LogisticRegression().fit(data.X[["carrier_b", "km"]], data.y)

    run = project.run(fit, parts[0], evaluate=parts[2], name="some_columns")
    assert run.signature.inputs.names == ["km", "carrier", "temp"]  # km and temp are standardized together
    expected = fit(parts[0]).predict_proba(parts[2].X[["carrier_b", "km"]])
    np.testing.assert_array_equal(run.model.predict_proba(parts[2].raw), expected)


def test_cross_validation_fits_the_transformations_anew_in_every_fold(project, parts):
    train = parts[0]
    pipeline = train.pipeline(LogisticRegression())
    folds = cross_validate(pipeline, train.raw, train.y, cv=KFold(3), return_estimator=True, error_score="raise")
    means = {fold.named_steps["transformations"].steps_[1].mean_[0] for fold in folds["estimator"]}
    assert len(means) == 3
    assert train.transformations.steps_[1].mean_[0] not in means


def test_a_search_over_the_pipeline_is_registered_as_it_is(project, parts):
    def search(data):
        grid = GridSearchCV(data.pipeline(LogisticRegression()), {"model__C": [0.1, 1.0]}, cv=2)
        return grid.fit(data.raw, data.y).best_estimator_

    run = project.run(search, parts[0], evaluate=parts[2])
    assert run.signature.inputs.names == ["city", "km", "carrier", "temp"]
    assert len(run.model.steps) == 2


def test_rows_from_outside_are_fitted_on_themselves_or_use_what_others_learned(project, view, parts):
    rows = pd.DataFrame(
        {"city": ["Bern", "Basel", "Bern"], "km": [1.0, 2.0, 6.0], "carrier": ["a", "b", "a"],
         "at": pd.date_range("2024-01-05", periods=3, tz="UTC"), "late": [True, False, True]}
    )  # fmt: skip
    own = view.join_to(rows)
    assert own.X["km"].mean() == pytest.approx(0)
    assert "carrier_c" not in own.X
    like_train = view.join_to(rows, transformations_from=parts[0])
    assert list(like_train.X.columns) == list(parts[0].X.columns)
    again = project.get_training_data("late", like_train.version)["all"]
    pd.testing.assert_frame_equal(again.X, parts[0].transformations.transform(like_train.raw), check_exact=True)
    with pytest.raises(DataError, match="no training data of view 'late'"):
        view.join_to(rows, transformations_from=rows)


def test_without_transformations_X_is_raw(project):
    data = project.create_feature_view("plain", query(project), labels=["late"]).training_data()
    assert data.transformations is None
    assert data.transformed_schema == data.schema
    pd.testing.assert_frame_equal(data.X, data.raw)
    assert "transformations" not in project.catalog.get("training_data", "plain", data.version).body
    assert data.pipeline(Ridge()).steps[0][0] == "model"


def test_what_cannot_be_fitted_leaves_nothing_behind(project):
    empty = project.create_feature_view(
        "weather_only", project.get_feature_group("weather").select("temp"), transformations=[gs.standardize("temp")]
    )
    before = sorted((project.folder / "training_data").iterdir())
    frame = pd.DataFrame({"city": pd.Series([], dtype=str), "at": pd.Series([], dtype="datetime64[us, UTC]")})
    with pytest.raises(FitError, match="standardize"):
        empty.join_to(frame)
    assert sorted((project.folder / "training_data").iterdir()) == before


def test_deleting_the_view_removes_the_state(project):
    view = project.create_feature_view("gone", query(project), labels=["late"], transformations=DECLARED)
    before = set((project.folder / "training_data").iterdir())
    view.training_data()
    view.delete()
    assert set((project.folder / "training_data").iterdir()) <= before
