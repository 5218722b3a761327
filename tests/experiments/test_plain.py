import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.experiments._plain import HIDDEN, is_secret, plain, short

_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@given(_JSON)
def test_json_stays_as_it_is(value):
    assert plain(value) == value


class Rude:
    def __repr__(self):
        raise ZeroDivisionError


class Quiet:
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        ((1, 2), [1, 2]),
        ({1: "a"}, {"1": "a"}),
        ({"password": "x", "depth": 3}, {"password": HIDDEN, "depth": 3}),
        (np.zeros((2, 3)), "<ndarray of shape (2, 3)>"),
        (pd.DataFrame({"a": [1]}), "<DataFrame of shape (1, 1)>"),
        (Rude(), "<Rude instance>"),
        (Quiet(), f"<{__name__}.Quiet>"),
        (1 + 2j, "(1+2j)"),
        ("half \ud800", "half ?"),
    ],
)
def test_all_else_is_described(value, expected):
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_what_is_large_is_cut():
    assert len(plain("x" * 1_000_000)) == 2000
    assert len(plain(list(range(1_000_000)))) < 2000
    assert len(short({i: i for i in range(100_000)})) < 2000
    deep = []
    for _ in range(100):
        deep = [deep]
    assert len(json.dumps(plain(deep))) < 2000


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWD", "api_key", "APIKEY", "secret_thing", "token", "hf_token", "private_key"]
)
def test_what_is_secret_by_name_is_hidden(name):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "token_pattern", "key", "primary_key", "depth", "tokenizer"])
def test_what_only_sounds_so_is_not(name):
    assert not is_secret(name)
