"""One run of an oblivious function: what went in, what ran, what came out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, cast

from groundswell.catalog import Catalog, Entry, HasMetadata
from groundswell.errors import NotFoundError, UntrustedTypeError
from groundswell.models import Candidate, Evaluation, ModelFile, Signature, TrainedOn, load_model

__all__ = ["Run"]

_LEAST_ID = 8
_FIRST = ("roc_auc", "average_precision", "f1_macro", "rmse", "r2")


@dataclass(frozen=True, kw_only=True)
class Run(HasMetadata):
    """A run; `Runs.run` makes one and `Runs.get` finds it again.

    Args:
        id: of its entry in the catalog.
        name, version: the name that was given, or the function's, and which run of that name it is.
        state: "running", "finished" or "failed".
        body: everything that was recorded; JSON.
        folder: where its files lie.
        created_by: "user@host".
        catalog: where it is recorded.
        fitted: the model, in the process that fitted it.
    """

    id: str
    name: str
    version: int
    state: str
    body: Mapping[str, Any]
    folder: Path
    created_by: str
    catalog: Catalog = field(repr=False, compare=False)
    fitted: Any = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, entry: Entry, folder: Path, catalog: Catalog, fitted: Any = None) -> "Run":
        """The run that an entry of the catalog describes."""
        return cls(
            id=entry.id, name=entry.name, version=entry.version, state=entry.state, body=entry.body,
            folder=folder, created_by=entry.created_by, catalog=catalog, fitted=fitted,
        )  # fmt: skip

    @property
    def description(self) -> str:
        """What it is about, in words; changed with `set_description`."""
        return self.catalog.descriptions.of(self.id)

    @property
    def _described(self) -> tuple[Catalog, str]:
        return self.catalog, self.id

    @property
    def params(self) -> Mapping[str, Any]:
        """The function's parameters, defaults included."""
        return dict(self.body["params"])

    @property
    def metrics(self) -> dict[str, float]:
        """What the function returned and what the evaluation gave, by name.

        With several data sets to evaluate on, the name is `<data set>_<metric>`. A metric that the function returned
        under the same name keeps it, and the evaluation's is `evaluated_<metric>`.
        """
        evaluations = self.body["evaluations"]
        metrics = dict(self.body["metrics"])
        for name, evaluation in evaluations.items():
            for metric, value in evaluation["metrics"].items():
                shown = metric if len(evaluations) == 1 else f"{name}_{metric}"
                metrics[shown if shown not in self.body["metrics"] else f"evaluated_{shown}"] = value
        return metrics

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """For each data set its metrics, those that do not exist with the reason, and the curves, in 200 points."""
        return {name: Evaluation.from_dict(body) for name, body in self.body["evaluations"].items()}

    @property
    def data(self) -> TrainedOn:
        """The training data."""
        return TrainedOn.from_dict(self.body["data"])

    @property
    def reads(self) -> list[Mapping[str, Any]]:
        """What the function read of the project besides its data."""
        return list(self.body["reads"])

    @property
    def code(self) -> Mapping[str, Any]:
        """The function: source, file and line, captured values, git state, digest."""
        return dict(self.body["code"])

    @property
    def environment(self) -> Mapping[str, Any]:
        """Python, platform, processors and packages."""
        return dict(self.body["environment"])

    @property
    def seed(self) -> int | None:
        """The seed that the function was given, if it takes one."""
        return cast(int | None, self.body["seed"])

    @property
    def started_at(self) -> datetime:
        """When it began, in UTC."""
        return datetime.fromisoformat(self.body["started_at"])

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, in UTC; None while it runs."""
        ended = self.body["ended_at"]
        return None if ended is None else datetime.fromisoformat(ended)

    @property
    def duration_s(self) -> float | None:
        """Seconds that the function took; None while it runs."""
        return cast(float | None, self.body["duration_s"])

    @property
    def error(self) -> Mapping[str, str] | None:
        """Type, message and traceback of what ended a failed run."""
        return cast(Mapping[str, str] | None, self.body["error"])

    @property
    def signature(self) -> Signature | None:
        """What the model takes and gives, if there is one."""
        body = self.body["signature"]
        return None if body is None else Signature.from_dict(body)

    @property
    def model_file(self) -> ModelFile | None:
        """The stored model, if there is one."""
        body = self.body["model"]["file"]
        return None if body is None else ModelFile.from_dict(self.folder / "model.skops", body)

    @cached_property
    def model(self) -> Any:  # Any: whatever the function fitted
        """The fitted model, from memory or from its file.

        Raises:
            NotFoundError: the function returned none, or it is in another process and could not be stored.
            CorruptionError: its file is damaged.
        """
        if self.fitted is not None:
            return self.fitted
        return load_model(self._stored())

    def candidate(self) -> Candidate:
        """What the registry needs to make a model version of this run.

        Raises:
            NotFoundError: the run has no model, or has not finished.
            UntrustedTypeError: its model could not be stored safely.
        """
        if self.state != "finished":
            raise NotFoundError(
                f"The run {self.short_id} is {self.state} and has nothing to register.",
                why=self.error["message"] if self.error is not None else "Its function has not returned.",
                fix="Register a finished run.",
                id=self.id,
                state=self.state,
            )
        file, signature = self._stored(), self.signature
        assert signature is not None  # written together with the file
        return Candidate(
            file=file,
            signature=signature,
            run_id=self.id,
            data=self.data,
            metrics=self.metrics,
            evaluated_on=tuple(self.body["evaluations"]),
            curves={name: evaluation.summary() for name, evaluation in self.evaluations.items()},
            parameters=self.params,
            code=self.body["code_summary"],
            versions={"python": self.environment["python"], **self.environment["packages"]},
        )

    def _stored(self) -> ModelFile:
        file = self.model_file
        if file is not None:
            return file
        refused = self.body["model"]["refused"]
        if refused is not None:
            raise UntrustedTypeError(
                f"The model of run {self.short_id} was not stored.", why=refused, types=self.body["model"]["types"]
            )
        raise NotFoundError(
            f"The run {self.short_id} has no model.",
            why="Its function returned metrics only.",
            fix="Return the model, or (model, metrics), and run it again.",
            id=self.id,
        )

    @property
    def short_id(self) -> str:
        """The first characters of the id, enough to find the run again."""
        return self.id[:_LEAST_ID]

    def describe(self) -> str:
        """Everything worth knowing, in a few lines."""
        return "\n".join(f"{title:<11} {value}" for title, value in self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        code, git = self.code, self.code["git"]
        place = "" if code["file"] is None else f" in {code['file']}" + (f":{code['line']}" if code["line"] else "")
        commit = "" if git is None or git["commit"] is None else f", commit {git['commit'][:10]}"
        rows = [
            ("run", f"{self.name} version {self.version}, {self.id}"),
            ("state", self.state + ("" if self.error is None else f": {self.error['type']}: {self.error['message']}")),
            ("parameters", ", ".join(f"{k}={v!r}" for k, v in self.params.items()) or "none"),
            ("metrics", ", ".join(f"{k} {v:.4g}" for k, v in sorted(self.metrics.items())) or "none"),
            ("data", str(self.data)),
            ("code", f"{code['qualname']}{place}{commit}" + (", with changes" if git and git["dirty"] else "")),
            ("started", f"{self.started_at:%Y-%m-%d %H:%M:%S} UTC by {self.created_by}"),
            ("duration", "" if self.duration_s is None else f"{self.duration_s:.3g} s"),
        ]
        if self.reads:
            rows.append(("also read", ", ".join(_read(each) for each in self.reads)))
        skipped = [
            f"{name} {metric}: {why}" for name, e in self.evaluations.items() for metric, why in e.skipped.items()
        ]
        skipped += [f"{name} is {value}" for name, value in self.body["not_finite"].items()]
        if skipped:
            rows.append(("left out", "; ".join(skipped)))
        if self.body["model"]["refused"] is not None:
            rows.append(("not stored", self.body["model"]["refused"]))
        return rows

    def __repr__(self) -> str:
        ordered = sorted(self.metrics.items(), key=lambda item: _rank(item[0]))
        metrics = "".join(f", {k} {v:.4g}" for k, v in ordered[:3])
        params = ", ".join(f"{k}={v!r:.40}" for k, v in list(self.params.items())[:4])
        return f"<Run {self.short_id} {self.name}({params}) {self.state}{metrics}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(title)}</th><td>{escape(value)}</td></tr>" for title, value in self._rows())
        return f"<table>{rows}</table>"


def _rank(metric: str) -> int:
    """The metrics that people look at first come first; others keep their order behind them."""
    return next((n for n, name in enumerate(_FIRST) if metric.endswith(name)), len(_FIRST))


def _read(read: Mapping[str, Any]) -> str:
    version = "" if read["version_read"] is None else f" version {read['version_read']}"
    return f"{read['kind'].replace('_', ' ')} {read['name']}{version}"
