import functools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from groundswell.errors import DataError
from groundswell.experiments._parameters import prepare


def fit(data, depth=6, *, rate=0.1):
    return depth, rate


class Trainer:
    def fit_it(self, data, depth=2):
        return depth

    def __call__(self, data, depth=3):
        return depth


def test_defaults_are_merged_with_what_is_given():
    assert prepare(fit, {}).keywords == {"depth": 6, "rate": 0.1}
    assert prepare(fit, {"rate": 1}).parameters == {"depth": 6, "rate": 1}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda data, depth=1: depth, {"depth": 1}),
        (lambda data: data, {}),
        (lambda *data: data, {}),
        (lambda data, **rest: rest, {}),
        (functools.partial(fit, depth=2), {"depth": 2, "rate": 0.1}),
        (functools.partial(fit, rate=5), {"depth": 6, "rate": 5}),
        (Trainer().fit_it, {"depth": 2}),
        (Trainer(), {"depth": 3}),
        (len, {}),
        (dict, {}),
    ],
)
def test_any_callable_is_understood(function, expected):
    assert prepare(function, {}).parameters == expected


@pytest.mark.parametrize(
    ("function", "given_", "message"),
    [
        (fit, {"dept": 3}, "has no parameter 'dept'. Did you mean 'depth'"),
        (fit, {"data": 3}, "has no parameter 'data'"),
        (lambda data: 1, {"depth": 3}, "It takes the data only"),
        (lambda data, depth: 1, {}, "needs 'depth', which has no default.*params={'depth': …}"),
        (lambda data, a, b: 1, {}, "needs 'a', 'b', which have no default"),
        (lambda: 1, {}, "takes no data"),
        (lambda *, data: 1, {}, "takes no data"),
        (lambda **data: 1, {}, "takes no data"),
        (LogisticRegression(), {}, r"LogisticRegression is an estimator.*return LogisticRegression\(\)\.fit"),
        (LogisticRegression, {}, "LogisticRegression is an estimator"),
        ("fit", {}, "'fit' cannot be run"),
        (None, {}, "None cannot be run"),
    ],
)
def test_what_cannot_be_called_so_is_refused_with_the_way_out(function, given_, message):
    with pytest.raises(DataError, match=message.replace("{", r"\{")):
        prepare(function, given_)


def test_a_function_that_takes_anything_gets_anything():
    call = prepare(lambda data, depth=1, **rest: rest, {"extra": 2})
    assert call.keywords == {"depth": 1, "extra": 2}


def test_parameters_given_only_by_position_are_given_so():
    def fit_by_position(data, depth=1, /, rate=2):
        return data, depth, rate

    call = prepare(fit_by_position, {"depth": 5})
    assert fit_by_position("data", *call.arguments, **call.keywords) == ("data", 5, 2)
    assert call.parameters == {"depth": 5, "rate": 2}


@given(st.sampled_from(["seed", "random_state"]), st.integers(0, 2**31 - 1))
def test_a_seed_is_drawn_where_none_is_given_and_kept_where_one_is(name, number):
    scope = {}
    exec(f"def left_open(data, {name}=None): ...\ndef required(data, {name}): ...", scope)
    for function in (scope["left_open"], scope["required"]):
        drawn = prepare(function, {})
        assert 0 <= drawn.seed < 2**31
        assert drawn.keywords == {name: drawn.seed}
        assert prepare(function, {name: number}).seed == number
    scope = {}
    exec(f"def fixed(data, {name}=7): ...", scope)
    assert prepare(scope["fixed"], {}).seed == 7


def test_without_such_a_parameter_there_is_no_seed():
    assert prepare(fit, {}).seed is None
    assert prepare(lambda data, seed=True: 1, {}).seed is None
