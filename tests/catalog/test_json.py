import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.catalog._json import plain, plain_mapping
from groundswell.errors import DataError

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(values)
def test_what_is_json_reads_back_as_it_was(value: object) -> None:
    assert plain(value, "body") == value
    assert json.loads(json.dumps(plain(value, "body"))) == value


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"params": [{"depth": {1, 2}}]}, r"body\['params'\]\[0\]\['depth'\] is \{1, 2\} \(set\)"),
        ({"a": {"b": {1: "x"}}}, r"body\['a'\]\['b'\] has the key 1 \(int\)"),
        ({"auc": math.nan}, r"body\['auc'\] is nan.*write None"),
        ({"loss": [0.5, -math.inf]}, r"body\['loss'\]\[1\] is -inf"),
        ({"n": np.int64(3)}, r"body\['n'\] is .*3.* \(int64\)"),
        ({"raw": b"x"}, r"body\['raw'\] is b'x' \(bytes\)"),
        (object(), r"body is <object object .*\(object\)"),
    ],
)
def test_what_is_not_is_refused_with_the_path_to_it(value: object, path: str) -> None:
    with pytest.raises(DataError, match=path):
        plain(value, "body")


def test_what_contains_itself_is_refused() -> None:
    body: dict[str, object] = {}
    body["body"] = [body]
    with pytest.raises(DataError, match="body contains itself"):
        plain_mapping(body, "body")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(DataError) as caught:
        plain({"x": bytes(10_000)}, "body")
    assert len(str(caught.value)) < 400
