"""What nouns show in a notebook."""

import xml.etree.ElementTree as ET

import pytest

import groundswell as gs
from groundswell.errors import InUseError, SchemaError


@gs.on_demand
def double(v: float) -> float:
    """A feature."""
    return v * 2


@pytest.fixture
def nouns(tmp_path):
    with gs.open(tmp_path / "project", threads=1) as project:
        right = project.create_feature_group("right", primary_key=["k"])
        right.insert({"k": [1], "a<b": [0.5]})
        left = project.create_feature_group("left", primary_key=["id"], description="of <b>old</b>")
        left.insert({"id": [1, 2], "k": [1, 2], "v": [1.0, 2.0], "y": [True, False]})
        query = left.select("k", "v", "y").join(right)
        view = project.create_feature_view(
            "v", query, labels=["y"], on_demand=[double], transformations=[gs.standardize("v"), gs.log("double")],
            description="of <i>all</i>",
        )  # fmt: skip
        yield {"group": left, "query": query, "view": view, "data": view.training_data()}


def cells(noun):
    shown = ET.fromstring(f"<div>{noun._repr_html_()}</div>")
    return [["".join(cell.itertext()) for cell in row] for row in shown.iter("tr")]


def test_a_group_says_what_its_columns_are(nouns):
    assert cells(nouns["group"])[1:3] == [["id", "int64", "key"], ["k", "int64", ""]]
    assert "of &lt;b&gt;old&lt;/b&gt;" in nouns["group"]._repr_html_()


def test_a_group_that_is_read_names_each_reader_once(nouns):
    with pytest.raises(InUseError, match=r"deleted: training data 'v' \(version 1\) and view 'v' \(version 1\) read"):
        nouns["group"].delete()


def test_a_query_says_where_its_columns_come_from(nouns):
    assert cells(nouns["query"])[1:] == [
        ["k", "int64", "left"], ["v", "float64", "left"], ["y", "bool", "left"], ["a<b", "float64", "right by k"],
    ]  # fmt: skip


def test_a_view_says_what_becomes_of_them(nouns):
    assert cells(nouns["view"])[1:] == [
        ["k", "int64", "left", ""],
        ["v", "float64", "left", "gs.standardize('v')"],
        ["a<b", "float64", "right by k", ""],
        ["double", "float64", "computed on demand", "gs.log('double')"],
        ["y", "bool", "left", "label"],
    ]
    assert "of &lt;i&gt;all&lt;/i&gt;" in nouns["view"]._repr_html_()


def test_training_data_says_what_it_is_without_reading_it(nouns):
    assert cells(nouns["data"])[1:] == [
        ["k", "int64", "feature"], ["v", "float64", "feature"], ["a<b", "float64", "feature"],
        ["double", "float64", "feature"], ["y", "bool", "label"],
    ]  # fmt: skip
    assert "2 rows, 4 features" in nouns["data"]._repr_html_()


def test_a_list_of_columns_is_refused_with_the_call_to_write(nouns):
    with pytest.raises(SchemaError, match=r"one by one, as in select\('id', 'k'\)"):
        nouns["group"].select(["k", "v"])
