"""Model cards: the README.md beside a model, with a YAML header that model hubs read.

Every value in the header goes through a YAML writer and every value in the text is escaped, because names, parameters
and descriptions are data and a card is shown as a page.

References:
    https://huggingface.co/docs/hub/model-cards, section "Model card metadata"
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import yaml  # type: ignore[import-untyped]

from groundswell.models._candidate import Candidate
from groundswell.types import type_name

__all__ = ["model_card"]

_TASKS = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
    "other": "other",
}
_INLINE = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_START = re.compile(r"^[#+=-]")  # of a heading, a list or a line below a heading
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


class _Writer(yaml.SafeDumper):  # type: ignore[misc]
    """Writes text of several lines on one, as some readers take any line of --- for the end of the header."""


def _represent_text(writer: _Writer, value: str) -> Any:  # Any: a node of PyYAML's
    style = '"' if "\n" in value or "---" in value else None
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Writer.add_representer(str, _represent_text)


def model_card(name: str, version: int, candidate: Candidate, description: str = "", license: str = "unknown") -> str:  # noqa: A002 - the header's name
    """The text of the card: header, then data, metrics, signature and provenance."""
    header = yaml.dump(_header(name, candidate, license), Dumper=_Writer, sort_keys=False, allow_unicode=True)
    sections = [
        f"# {_text(name)}, version {version}",
        _text(description) or f"A {_text(candidate.file.model_type.rpartition('.')[2])}.",
        "## Data",
        _table(("", ""), _data_rows(candidate)),
        "## Metrics",
        _metrics(candidate),
        *_curves(candidate),
        "## Signature",
        _table(("", "column", "type", ""), _signature_rows(candidate)),
        "## Provenance",
        _table(("", ""), _provenance_rows(candidate)),
    ]
    return f"---\n{header}---\n\n" + "\n\n".join(sections) + "\n"


def _header(name: str, candidate: Candidate, license: str) -> dict[str, Any]:  # noqa: A002 - the header's name
    task = _TASKS[candidate.signature.task]
    dataset = {"name": candidate.data.view or candidate.data.name, "type": "tabular"}
    if candidate.evaluated_on:
        dataset["split"] = candidate.evaluated_on[0]
    results = [
        {
            "task": {"type": task},
            "dataset": dataset,
            "metrics": [{"type": metric, "value": value} for metric, value in sorted(candidate.metrics.items())],
        }
    ]
    return {
        "language": ["en"],
        "license": license,
        "library_name": "sklearn" if candidate.file.model_type.startswith("sklearn.") else "skops",
        "tags": ["groundswell", "skops", task],
        "datasets": [candidate.data.view or candidate.data.name],
        "metrics": sorted(candidate.metrics),
        "model-index": [{"name": name, "results": results if candidate.metrics else []}],
    }


def _data_rows(candidate: Candidate) -> Iterable[tuple[str, ...]]:
    data = candidate.data
    yield "training data", _text(str(data))
    if data.view is not None:
        yield "feature view", _text(data.view)
    if data.n_rows is not None:
        yield "rows", f"{data.n_rows:,}"
    for group, pinned in sorted(data.pins.items()):
        yield f"feature group {_text(group)}", f"version {pinned} of its table"
    if candidate.evaluated_on:
        yield "evaluated on", _text(", ".join(candidate.evaluated_on))


def _metrics(candidate: Candidate) -> str:
    if not candidate.metrics:
        return "None were computed."
    return _table(("metric", "value"), ((_text(k), f"{v:.6g}") for k, v in sorted(candidate.metrics.items())))


def _curves(candidate: Candidate) -> Iterable[str]:
    """A section on what the curves say, if they say something."""
    rows = [(name, what, text) for name, said in candidate.curves.items() for what, text in said.items()]
    if rows:
        yield "## Curves"
        yield _table(("data", "", ""), (tuple(map(_text, row)) for row in rows))


def _signature_rows(candidate: Candidate) -> Iterable[tuple[str, ...]]:
    signature = candidate.signature
    for field in signature.inputs:
        yield "in", _text(field.name), _text(type_name(field.type)), "may be null" if field.nullable else ""
    for field in signature.outputs:
        yield "out", _text(field.name), _text(type_name(field.type)), ""
    if signature.classes:
        yield "classes", _text(", ".join(map(repr, signature.classes[:20]))), "", ""


def _provenance_rows(candidate: Candidate) -> Iterable[tuple[str, ...]]:
    yield "run", _text(candidate.run_id)
    if candidate.data.id is not None:
        yield "training data", _text(candidate.data.id)
    yield "model", _text(candidate.file.model_type)
    yield "sha256 of the file", candidate.file.digest
    for what, groups in (
        ("parameter", candidate.parameters),
        ("code:", candidate.code),
        ("version of", candidate.versions),
    ):
        yield from _pairs(what, groups)


def _pairs(what: str, values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in sorted(values.items()):
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield f"{what} {_text(key)}", _text(shown)


def _table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _text(value: str) -> str:
    """The value on one line, as text that Markdown and HTML show as it is."""
    value = _INLINE.sub(r"\\\g<0>", _BREAK.sub(" ", value))
    value = _NUMBERED.sub(r"\1\\\2", _START.sub(r"\\\g<0>", value, count=1))
    return escape(value, quote=False)
