"""A trace: everything that made one prediction, and how it is shown.

The order is that of the question: prediction ▸ model version ▸ run, code, environment ▸ training data ▸ commits ▸ rows.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from groundswell.serving._outline import Outline

__all__ = ["CommitOf", "Trace", "UsedRow"]


@dataclass(frozen=True, kw_only=True)
class CommitOf:
    """A commit of a feature group.

    Args:
        group, group_version: which group.
        version: of its table; the commit made it.
        committed_at, author, kind, rows: when, who, what and how many rows; None if the group is gone.
    """

    group: str
    group_version: int
    version: int
    committed_at: datetime | None = None
    author: str | None = None
    kind: str | None = None
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class UsedRow:
    """What one join of the view found for the prediction.

    Args:
        join: the name of the join.
        key: the values by which the row was found.
        commit: the commit that wrote the row; None if no row was known, or if it never came into a commit.
        event_time, available_at: of the row, if its group has them.
        values: the row as it was at that commit; empty if there was none, or if its group is gone.
        shown_as: if a stream had the row in its log and in no commit yet when it was used, its provisional version.
    """

    join: str
    key: Mapping[str, Any]
    commit: CommitOf | None
    event_time: datetime | None
    available_at: datetime | None
    values: Mapping[str, Any]
    shown_as: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Trace:
    """Where a prediction comes from.

    Args:
        prediction_id: the prediction.
        model, version: the model that made it.
        at: the moment that it was made for.
        predicted_at: when it was made.
        inputs: what the model saw.
        keys: what else the request brought, to look features up.
        outputs: what the model said.
        model_facts: what the catalog knows of the model version: type, metrics, digest, who registered it and when.
        run: what it knows of the run: parameters, metrics, code, environment; empty if it was removed.
        training_data: name, version, split, view, rows, on-demand features and transformations of what the model was
            fitted on.
        commits: the versions of the groups that the training data reads.
        rows: what each join of the view found for this prediction.
    """

    prediction_id: str
    model: str
    version: int
    at: datetime
    predicted_at: datetime
    inputs: Mapping[str, Any]
    keys: Mapping[str, Any]
    outputs: Mapping[str, Any]
    model_facts: Mapping[str, Any]
    run: Mapping[str, Any]
    training_data: Mapping[str, Any]
    commits: tuple[CommitOf, ...]
    rows: tuple[UsedRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain values, times as ISO 8601 text."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_plain))
        return plain

    def __repr__(self) -> str:
        return _outline(self).to_text()

    def __rich__(self) -> object:
        return _outline(self).to_rich()

    def _repr_html_(self) -> str:
        return _outline(self).to_html()


def _plain(value: object) -> Any:  # Any: JSON
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _outline(trace: Trace) -> Outline:
    return Outline(
        f"prediction {trace.prediction_id}",
        (
            ("outputs", _pairs(trace.outputs)),
            ("for", f"{_time(trace.at)}, made {_time(trace.predicted_at)}"),
            ("inputs", _pairs(trace.inputs)),
            ("keys", _pairs(trace.keys)),
        ),
        (_outline_of_model(trace), Outline("rows used", (), tuple(map(_outline_of_row, trace.rows)))),
    )


def _outline_of_model(trace: Trace) -> Outline:
    facts, data = trace.model_facts, trace.training_data
    registered = f"{_time(facts['registered_at'])} by {facts['registered_by']}"
    pins = tuple(Outline(f"{_group(commit)}, up to commit {_commit_text(commit)}") for commit in trace.commits)
    view = "" if data["view_version"] is None else f"{data['view']} version {data['view_version']}"
    rows = "" if data["n_rows"] is None else f"{data['n_rows']:,}"
    trained = Outline(
        f"training data {data['name']} version {data['version']}" + (f", {data['split']}" if data["split"] else ""),
        (
            ("view", view),
            ("rows", rows),
            ("on demand", ", ".join(data["on_demand"])),
            ("transformations", ", ".join(data["transformations"])),
        ),
        pins,
    )
    return Outline(
        f"model {trace.model} version {trace.version}" + (" (deleted)" if facts["deleted"] else ""),
        (
            ("type", str(facts["type"])),
            ("metrics", _numbers(facts["metrics"])),
            ("registered", registered),
            ("sha256", str(facts["digest"])),
        ),
        (*_outlines_of_run(trace.run), trained),
    )


def _outlines_of_run(run: Mapping[str, Any]) -> Iterator[Outline]:
    if not run:
        yield Outline("run: not in the catalog any more")
        return
    code, environment = run["code"], run["environment"]
    git = code["git"]
    commit = "" if git is None or git["commit"] is None else git["commit"] + (" with changes" if git["dirty"] else "")
    place = "" if code["file"] is None else code["file"] + (f":{code['line']}" if code["line"] else "")
    versions = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    started = f"{_time(datetime.fromisoformat(run['started_at']))} by {run['started_by']}"
    yield Outline(
        f"run {run['id'][:8]} {run['name']}",
        (
            ("parameters", _pairs(run["params"])),
            ("started", started + ("" if run["duration_s"] is None else f", took {run['duration_s']:.3g} s")),
            ("also read", ", ".join(f"{read['kind']} {read['name']}" for read in run["reads"])),
        ),
        (
            Outline(
                f"code {code['module']}.{code['qualname']}",
                (("file", place), ("git commit", commit), ("sha256", code["digest"])),
            ),
            Outline(
                f"environment Python {environment['python']}", (("on", environment["platform"]), ("with", versions))
            ),
        ),
    )


def _outline_of_row(row: UsedRow) -> Outline:
    title = f"{row.join} ({_pairs(row.key)})" if row.key else row.join
    if row.commit is None and row.shown_as is None:
        return Outline(f"{title}: nothing was known")
    times = "" if row.event_time is None else _time(row.event_time)
    return Outline(
        title,
        (
            ("event time", times),
            ("known since", "" if row.available_at is None else _time(row.available_at)),
            ("commit", "none: the row of a stream was set aside" if row.commit is None else _commit_text(row.commit)),
            ("row", _pairs(row.values) or "not there any more"),
        ),
    )


def _group(commit: CommitOf) -> str:
    return commit.group if commit.group_version == 1 else f"{commit.group} version {commit.group_version}"


def _commit_text(commit: CommitOf) -> str:
    if commit.committed_at is None:
        return f"{commit.version}, of a group that was deleted"
    rows = f"{commit.rows:,} row{'s' * (commit.rows != 1)}"
    return f"{commit.version} ({commit.kind}, {rows}), {_time(commit.committed_at)} by {commit.author or 'unknown'}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return _time(value) if isinstance(value, datetime) else repr(value)


def _numbers(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _time(moment: datetime) -> str:
    return f"{moment.isoformat(' ', 'milliseconds' if moment.microsecond else 'seconds').removesuffix('+00:00')} UTC"
