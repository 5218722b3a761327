"""Transformations are declared by words, bound to the columns of a view, and refused where they cannot be meant."""

import json

import pyarrow as pa
import pytest

import groundswell as gs
from groundswell.errors import ColumnNotFoundError, CorruptionError, DataError, SchemaError, TypeMismatchError
from groundswell.features.transformations import check_transformations, steps_of, transformation_from_dict
from groundswell.types import TIMESTAMP, Schema

SCHEMA = Schema.of(
    {"km": pa.float64(), "n": pa.int64(), "carrier": pa.string(), "open": pa.bool_(), "at": TIMESTAMP,
     "tags": pa.list_(pa.string())}
)  # fmt: skip

EVERY = [
    gs.standardize("km", with_mean=False),
    gs.min_max("km", feature_range=(-1, 1)),
    gs.max_abs("km"),
    gs.robust("km", quantile_range=(5.0, 95.0)),
    gs.bucketize("km", edges=[1, 2.5]),
    gs.quantile_bins("km", n_bins=3),
    gs.one_hot("carrier", "open", drop="first", max_categories=9),
    gs.ordinal("carrier"),
    gs.hashing("carrier", n_features=8),
    gs.impute("carrier", strategy="constant", value="none"),
    gs.impute("km", strategy="median"),
    gs.log("km"),
]


@pytest.mark.parametrize("declared", EVERY, ids=repr)
def test_a_declaration_comes_back_from_json_and_from_its_own_code(declared):
    assert transformation_from_dict(json.loads(json.dumps(declared.to_dict()))) == declared
    assert eval(repr(declared), {"gs": gs}) == declared
    assert check_transformations([declared], SCHEMA, []) == (declared,)


def test_those_that_expand_columns_are_one_step_for_each():
    declared = [gs.standardize("km", "n"), gs.one_hot("carrier", "open")]
    assert steps_of(declared) == (gs.standardize("km", "n"), gs.one_hot("carrier"), gs.one_hot("open"))


def test_several_may_follow_each_other_on_a_column():
    chain = [gs.impute("km"), gs.log("km"), gs.bucketize("km", edges=[1]), gs.one_hot("km")]
    assert check_transformations(chain, SCHEMA, []) == tuple(chain)
    check_transformations([gs.ordinal("carrier"), gs.standardize("carrier")], SCHEMA, [])


@pytest.mark.parametrize(
    ("declared", "error", "message"),
    [
        ([gs.standardize("carier")], ColumnNotFoundError, r"no feature of the view. Did you mean 'carrier'\?"),
        ([gs.standardize("late")], SchemaError, "transforms the label 'late'"),
        ([gs.standardize("carrier")], TypeMismatchError, r"Put gs.ordinal\('carrier'\) before it, or use gs.one_hot"),
        ([gs.log("at")], TypeMismatchError, "which is timestamp.*Make a number or a text of it"),
        ([gs.one_hot("km")], TypeMismatchError, r"Put gs.quantile_bins\('km'\) or gs.bucketize"),
        ([gs.ordinal("tags")], TypeMismatchError, r"which is list<string>"),
        ([gs.impute("carrier")], TypeMismatchError, "It needs numbers"),
        ([gs.hashing("n")], TypeMismatchError, r"It needs text. Use gs.one_hot\('n'\)"),
        ([gs.standardize("km"), gs.standardize("km")], SchemaError, "Once is enough. Leave one of the two out"),
        ([gs.standardize("km"), gs.min_max("km")], SchemaError, "and again by gs.min_max"),
        ([gs.one_hot("n"), gs.standardize("n")], SchemaError, r"Write it before gs.one_hot\('n'\)"),
        ([gs.one_hot("carrier"), gs.ordinal("carrier")], SchemaError, "puts other columns in place of 'carrier'"),
        (["standardize"], TypeMismatchError, r"'standardize' \(str\) is no transformation"),
        (gs.standardize("km"), SchemaError, r"Give a list: transformations=\[gs.standardize\('km'\)\]"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_with_the_way_out(declared, error, message):
    with pytest.raises(error, match=message):
        check_transformations(declared, SCHEMA, ["late"])


@pytest.mark.parametrize(
    ("declare", "error"),
    [
        (lambda: gs.standardize(), SchemaError),
        (lambda: gs.standardize("km", "km"), SchemaError),
        (lambda: gs.standardize(3), SchemaError),
        (lambda: gs.min_max("km", feature_range=(1, 0)), DataError),
        (lambda: gs.min_max("km", feature_range=(0, float("inf"))), DataError),
        (lambda: gs.robust("km", quantile_range=(-5, 50)), DataError),
        (lambda: gs.bucketize("km", edges=[]), DataError),
        (lambda: gs.bucketize("km", edges=[2, 1]), DataError),
        (lambda: gs.bucketize("km", edges=["a"]), DataError),
        (lambda: gs.quantile_bins("km", n_bins=1), DataError),
        (lambda: gs.quantile_bins("km", n_bins=True), DataError),
        (lambda: gs.one_hot("carrier", drop="second"), DataError),
        (lambda: gs.one_hot("carrier", max_categories=1), DataError),
        (lambda: gs.hashing("carrier", n_features=0), DataError),
        (lambda: gs.impute("km", strategy="mode"), DataError),
        (lambda: gs.impute("km", strategy="constant"), DataError),
        (lambda: gs.impute("km", value=3), DataError),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_once(declare, error):
    with pytest.raises(error):
        declare()


def test_an_unknown_stored_kind_is_named():
    with pytest.raises(CorruptionError, match=r"of the kind 'standardise'.*Did you mean 'standardize'"):
        transformation_from_dict({"kind": "standardise", "columns": ["km"]})
