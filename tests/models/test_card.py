from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from groundswell.models import Candidate, ModelFile, Signature, TrainedOn
from groundswell.models._card import model_card
from groundswell.types import Field, Schema

_HOSTILE = [
    "plain",
    "a: b",
    "---\nlicense: mit\n---",
    "- item",
    "yes",
    "1e3",
    "null",
    "#comment",
    "'quote\"",
    "{{ template }}",
    "!!python/object/apply:os.system ['true']",
    "&anchor *alias",
    "tab\there\nand line",
    "é 火 🙂 \u2028 \x85 \x7f",
    "<script>alert(1)</script>",
    "`code` | pipe",
    "](javascript:alert(1))",
]


def _candidate(text="late_arrival", task="binary"):
    return Candidate(
        file=ModelFile(
            path=Path("x"),
            digest="ab" * 32,
            size_bytes=1,
            model_type="sklearn.linear_model._logistic.LogisticRegression",
        ),
        signature=Signature(
            inputs=Schema((Field(text, pa.float64(), nullable=False), Field("carrier", pa.string()))),
            outputs=Schema.of({"late": pa.bool_()}),
            task=task,
            classes=(False, True),
        ),
        run_id="1234",
        data=TrainedOn(id="5678", name=text, version=2, split="train", view=text, n_rows=270_000, pins={"weather": 3}),
        metrics={"roc_auc": 0.75, "log_loss": 0.5},
        evaluated_on=("test",),
        curves={"test": {"best F1": f"0.5 {text}"}},
        parameters={"note": text, "depth": 6},
        code={"function": text},
        versions={"python": "3.11"},
    )


def _header(card):
    _, header, _ = card.split("---\n", 2)
    return yaml.safe_load(header)


def test_the_header_is_what_model_hubs_read():
    header = _header(model_card("late_arrival", 3, _candidate()))
    assert list(header) == ["language", "license", "library_name", "tags", "datasets", "metrics", "model-index"]
    assert header["library_name"] == "sklearn"
    assert header["datasets"] == ["late_arrival"]
    (model,) = header["model-index"]
    (result,) = model["results"]
    assert model["name"] == "late_arrival"
    assert result["task"] == {"type": "tabular-classification"}
    assert result["dataset"] == {"name": "late_arrival", "type": "tabular", "split": "test"}
    assert {"type": "roc_auc", "value": 0.75} in result["metrics"]


@pytest.mark.parametrize("text", _HOSTILE)
def test_any_text_is_a_value_in_the_header(text):
    header = _header(model_card("m", 1, _candidate(text), description=text))
    assert header["datasets"] == [text]
    assert header["license"] == "unknown"
    assert header["model-index"][0]["results"][0]["dataset"]["name"] == text


@pytest.mark.parametrize("text", _HOSTILE)
def test_any_text_is_only_text_in_the_body(text):
    plain = model_card("m", 1, _candidate())
    card = model_card("m", 1, _candidate(text), description=text)
    body, plain_body = card.split("\n---\n", 1)[1], plain.split("\n---\n", 1)[1]
    assert "<script" not in body
    assert [line for line in body.splitlines() if line.startswith("#")] == [
        line for line in plain_body.splitlines() if line.startswith("#")
    ]
    assert body.count("\n|") == plain_body.count("\n|"), "no row is added or broken"


def test_the_body_says_where_it_came_from():
    card = model_card("late_arrival", 3, _candidate(), description="Late by 15 minutes or more.")
    for told in (
        "Late by 15 minutes or more",
        "270,000",
        "version 3 of its table",
        "0.75",
        "may be null",
        "1234",
        "ab" * 32,
    ):
        assert told in card.replace("\\", "")


def test_a_card_without_metrics_claims_none():
    from dataclasses import replace

    card = model_card("m", 1, replace(_candidate(task="other"), metrics={}))
    assert _header(card)["model-index"] == [{"name": "m", "results": []}]
    assert "None were computed." in card
