"""Expectations as JSON, as code and in words."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import groundswell as gs
from groundswell.features import Expectation, Suite
from groundswell.features.expectations import expectation_from_dict
from groundswell.features.expectations._suite import RULES

EACH = [
    (gs.expect("temp").between(-40, 130), "temp lies between -40 and 130"),
    (gs.expect("temp").between(0.5, None), "temp is at least 0.5"),
    (gs.expect("temp").between(None, 3), "temp is at most 3"),
    (gs.expect("temp").between(-np.inf, np.float64(3.5)), "temp is at most 3.5"),
    (gs.expect("price").between(Decimal("1.10"), Decimal(2)), "price lies between '1.10' and 2"),
    (
        gs.expect("at").between(datetime(2024, 1, 1, tzinfo=UTC), pd.Timestamp("2024-02-01T01:00+01:00")),
        "at lies between '2024-01-01T00:00:00+00:00' and '2024-02-01T00:00:00+00:00'",
    ),
    (gs.expect("day").between(date(2024, 1, 1), date(2024, 1, 1)), "day is '2024-01-01'"),
    (gs.expect("origin").is_in(["EWR", "JFK"]), "origin is one of 'EWR', 'JFK'"),
    (gs.expect("origin").is_in("EWR"), "origin is one of 'EWR'"),
    (gs.expect("n").is_in(np.arange(12)), "n is one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"),
    (gs.expect("tail").matches(r"N\d+['\"]"), "tail matches N\\d+['\\\"]"),
    (gs.expect("humid").complete(), "humid is complete"),
    (gs.expect("humid").complete(0.95).warning(), "humid is there in at least 95 % of rows"),
    (gs.expect("id").unique(), "id is unique"),
    (gs.expect("at").increasing(), "at is increasing"),
    (gs.expect("at").increasing(strictly=True), "at is increasing strictly"),
    (gs.expect("temp").mean_between(0, np.float32(20)), "the mean of temp lies between 0 and 20.0"),
    (gs.expect("temp").quantile_between(0.5, 0, 20), "the 0.5-quantile of temp lies between 0 and 20"),
    (gs.expect("sky").distinct_count_between(2, np.inf), "the number of different values of sky is at least 2"),
    (gs.expect("carrier").foreign_key("carriers"), "carrier is in the key of group carriers"),
    (gs.expect("carrier").foreign_key("carriers", "code"), "carrier is in code of group carriers"),
    (gs.expect("carrier").foreign_key("carriers", version=2), "carrier is in the key of group carriers"),
    (gs.expect().row_count_between(1, None), "the number of rows is at least 1"),
    (gs.expect().row_count_between(24, 24), "the number of rows is 24"),
    (gs.expect().freshness("90min"), "the newest event time is at most 90min old"),
    (gs.expect().freshness(timedelta(days=2)), "the newest event time is at most 2d old"),
    (gs.expect().freshness("1500us"), "the newest event time is at most 1500us old"),
    (gs.expect().that(gs.col("low") <= gs.col("high")), "col('low') <= col('high')"),
    (gs.expect().that(~gs.col("temp").is_null()), "~((col('temp')).is_null())"),
    (
        gs.expect_table().that((gs.col("a").abs() > 3) | gs.col("b").is_in(["x", "y"]) & (gs.col("c") != "gs.col(")),
        "((col('a')).abs() > 3) | (col('b').is_in(['x', 'y']) & (col('c') != 'col('))",
    ),
    (gs.expect().sql("temp > dew AND wind >= 0").warning(), "temp > dew AND wind >= 0"),
]


def test_every_rule_is_among_them() -> None:
    assert {rule.rule for rule, _ in EACH} == set(RULES)


@pytest.mark.parametrize(("rule", "words"), EACH)
def test_a_rule_comes_back_from_json_and_from_its_code(rule: Expectation, words: str) -> None:
    stored = json.loads(json.dumps(rule.to_dict()))
    assert expectation_from_dict(stored) == rule
    assert eval(rule.code(), {"gs": gs}) == rule
    assert repr(rule) == rule.code()
    assert rule.describe() == words
    assert hash(expectation_from_dict(stored)) == hash(rule)


def test_the_level_is_error_unless_said_otherwise() -> None:
    rule = gs.expect("temp").complete()
    assert rule.level == "error"
    assert rule.warning().level == "warning"
    assert rule.warning().error() == rule
    assert rule.warning() != rule


def test_a_suite_is_a_sequence_that_prints_as_code() -> None:
    suite = Suite.of([rule for rule, _ in EACH])
    assert len(suite) == len(EACH)
    assert suite[0] == EACH[0][0]
    assert list(suite[1:3]) == [EACH[1][0], EACH[2][0]]
    assert Suite.from_dict(json.loads(json.dumps(suite.to_dict()))) == suite
    assert eval(repr(suite), {"gs": gs}) == list(suite)
    assert repr(Suite()) == "[]"
    assert Suite.of(suite) is suite


def test_a_suite_shows_as_a_table_with_everything_escaped() -> None:
    html = Suite.of([gs.expect("<b>").is_in(["<script>"]).warning()])._repr_html_()
    assert "<script>" not in html
    assert "&lt;b&gt; is one of &#x27;&lt;script&gt;&#x27;" in html
    assert "<td>warning</td>" in html


def test_the_words_show_how_they_go_on() -> None:
    assert repr(gs.expect("temp")) == "gs.expect('temp')"
    assert repr(gs.expect()) == repr(gs.expect_table()) == "gs.expect()"
