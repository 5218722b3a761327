"""The command that searches, on the project that all tests of commands read."""

from collections.abc import Callable
from typing import Any

from typer.testing import Result

Run = Callable[..., Result]
RunJson = Callable[..., dict[str, Any]]


def test_hits_are_listed_with_what_was_found(run: Run, run_json: RunJson) -> None:
    found = run_json("find", "hourly", "weath", "--kind", "feature_group")
    assert found["text"] == "hourly weath"
    (hit,) = found["hits"]
    assert (hit["name"], hit["version"], hit["field"], hit["snippet"]) == ("weather", 1, "name", "«weather»")
    assert "«weather»" in run("find", "weath", "--limit", "1").stdout


def test_nothing_found_is_said_with_the_nearest_word(run: Run, run_json: RunJson) -> None:
    assert run("find", "wether").stdout == "Nothing was found for 'wether'. Did you mean 'weather'?\n"
    assert run_json("find", "wether") == {"text": "wether", "did_you_mean": "weather", "hits": []}


def test_everything_is_found_without_words(run_json: RunJson) -> None:
    kinds = {hit["kind"] for hit in run_json("find", "--limit", 100)["hits"]}
    assert {"feature_group", "feature_view", "model", "run", "training_data"} <= kinds


def test_unknown_kinds_and_tags_are_errors(run: Run) -> None:
    assert "Did you mean 'feature_group'" in run("find", "x", "--kind", "feature_grup", code=1).stderr
    assert "Nothing has a tag 'owner'" in run("find", "--tag", "owner", code=1).stderr
