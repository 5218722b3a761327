import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import InvalidNameError, NotFoundError
from groundswell.serving._ids import log_name, new_ids, parse_id

NOW = datetime(2013, 12, 20, 12, tzinfo=UTC)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True), st.integers(1, 10**6))
def test_model_and_version_follow_from_the_id(model, version):
    (made,) = new_ids(model, version, 1, NOW)
    assert parse_id(made) == (model, version)


def test_ids_are_distinct_uuids_of_version_7_that_sort_by_time():
    ids = new_ids("late", 1, 1000, NOW)
    assert len(set(ids)) == 1000
    for one in ids:
        digits = one.removeprefix("late-1-")
        assert re.fullmatch("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", digits)
        assert int(digits[:12], 16) == NOW.timestamp() * 1000
    assert max(ids) < min(new_ids("late", 1, 10, NOW.replace(microsecond=1000)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "late",
        "late-1",
        "late-0-" + "0" * 32,
        "late-1-" + "0" * 31,
        "late-1-" + "G" * 32,
        "../x-1-" + "0" * 32,
        None,
        7,
    ],
)
def test_an_unknown_form_says_what_an_id_looks_like(text):
    with pytest.raises(NotFoundError, match=r"no prediction id.*'late_arrival-3-"):
        parse_id(text)


def test_a_model_name_may_be_too_long_for_its_log():
    assert log_name("late", 12) == "predictions_late_v12"
    with pytest.raises(InvalidNameError):
        log_name("a" * 128, 1)
