"""Runs: the noun that carries out oblivious functions and remembers them.

A run is an entry in the catalog that is there before the function starts, so that a killed one is known too, and a
folder for the model. The function knows nothing of it: it takes data and parameters and returns a model, metrics or
both.
"""

import inspect
import re
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from groundswell.catalog import Catalog, Entry
from groundswell.errors import ColumnNotFoundError, ConflictError, DataError, NotFoundError, UntrustedTypeError, choices
from groundswell.experiments._code import Code
from groundswell.experiments._compare import differences
from groundswell.experiments._embedding import raw_columns, with_transformations
from groundswell.experiments._environment import Environment
from groundswell.experiments._outcome import Outcome
from groundswell.experiments._parameters import Call, prepare
from groundswell.experiments._record import KIND, Record, end
from groundswell.experiments._run import Run
from groundswell.experiments._training_set import TrainingSet, check_training_set
from groundswell.features._reads import recording
from groundswell.models import Evaluation, Signature, Writer, save_model
from groundswell.models import evaluate as evaluate_model
from groundswell.types import check_name

__all__ = ["Runs"]

_LOST = {"type": "ProcessEnded", "message": "The process ended before the function returned.", "traceback": ""}
_Data = TrainingSet | Mapping[str, TrainingSet] | None


class Runs:
    """The runs of a project.

    Args:
        catalog: where they are recorded.
        folder: where their models lie: `<id>/model.skops`.
        repair: whether to mark first the runs whose process ended before they did.
    """

    def __init__(self, catalog: Catalog, folder: Path, *, repair: bool = True) -> None:
        self._catalog = catalog
        self._folder = folder
        if repair:
            self.repair()

    def run(  # keywords, as users write them in `Project.run`
        self,
        function: Callable[..., Any],
        data: TrainingSet,
        *,
        evaluate: _Data = None,
        by: str | Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
        name: str | None = None,
        description: str = "",
        tags: Mapping[str, Any] | None = None,
    ) -> Run:
        """Call `function(data, **params)` and record what went in, what ran and what came out.

        Args:
            function: any callable that returns a fitted model, a dict of metrics, or (model, metrics).
            data: what it is fitted on.
            evaluate: data that the model is evaluated on, or several by name.
            by: columns by whose values the figures are computed too.
            params: parameters other than the defaults.
            name: what to call the run; the default is the function's name.
            description: what it is about, in words.
            tags: what it is tagged with, among them the tags that every run of the project must have.

        Raises:
            DataError: something is no function, data or parameter, or a tag is missing or does not fit its schema;
                nothing is recorded then.
            ColumnNotFoundError: the data to evaluate on has no column of `by`; nothing is recorded then.
            FitError: the function returned nothing that can be kept.
            Exception: what the function raised; the run is recorded as failed, with the traceback.
        """
        call = prepare(function, params or {})
        check_training_set(data, "The data")
        datasets, slicing = _datasets(evaluate), (by,) if isinstance(by, str) else tuple(by)
        if slicing and not datasets:
            raise DataError(
                f"by={by!r} has nothing to say a figure of.",
                why="It names columns of the data that the model is evaluated on, and there are none.",
                fix="Name the data: evaluate=test.",
            )
        for part, dataset in datasets.items():
            _check_slicing(slicing, part, dataset)
        code = Code.of(function)
        shown = check_name(name, "run") if name is not None else _name_of(code.qualname)
        record = Record.begin(self._catalog, shown, description, data=data, call=call, code=code, tags=tags or {})
        try:
            record.note_evaluation(datasets)
            outcome = _call(record, function, data, call, datasets)
            model = None if outcome.model is None else self._keep_model(record, outcome.model, data)
            evaluations = {part: _evaluation(model, dataset, slicing).to_dict() for part, dataset in datasets.items()}
            return self._run(record.finish(evaluations=evaluations), model)
        except BaseException as error:  # an interrupt too: whatever ends a run is recorded and passed on
            record.fail(error)
            raise

    def get(self, reference: str) -> Run:
        """The run with this id, or the only one whose id begins so.

        Raises:
            NotFoundError: there is none, or there are several.
        """
        entries = self._catalog.find(KIND)
        found = [entry for entry in entries if reference and entry.id.startswith(reference)]
        if len(found) == 1:
            return self._run(found[0])
        if found:
            raise NotFoundError(
                f"{len(found)} runs have an id that begins with {reference!r}.",
                fix=f"Write more of it: {', '.join(entry.id[: len(reference) + 4] for entry in found[:5])}.",
                id=reference,
                known=[entry.id for entry in found],
            )
        latest = ", ".join(f"{entry.id[:8]} ({entry.name})" for entry in entries[:5])
        raise NotFoundError(
            f"There is no run {reference!r}.",
            fix=f"The latest are {latest}." if latest else choices(reference, [], "runs"),
            id=reference,
            known=[entry.id for entry in entries],
        )

    def find(self, *, name: str | None = None, state: str | None = None, limit: int | None = None) -> list[Run]:
        """Runs, newest first; of one name or state, if given."""
        return [self._run(entry) for entry in self._catalog.find(KIND, name=name, state=state, limit=limit)]

    def compare(self, references: list[str | Run]) -> pd.DataFrame:
        """What differs between runs: a row for each parameter, metric or fact that is not the same in all of them.

        Args:
            references: runs or their ids, which become the columns in this order.
        """
        return differences([each if isinstance(each, Run) else self.get(each) for each in references])

    def repair(self) -> list[str]:
        """Mark as failed the runs whose process ended before they did, and say which."""
        entries = self._catalog.find(KIND, state="running")
        return [done for entry in entries if self.is_lost(entry) and (done := self.give_up(entry))]

    def is_lost(self, entry: Entry) -> bool:
        """Whether the run never ended, and its process did."""
        return entry.state == "running" and not Writer.from_dict(entry.body["writer"]).is_alive(entry.created_at)

    def give_up(self, entry: Entry) -> str:
        """Mark a lost run as failed, and say so; nothing if another process was faster."""
        try:
            end(self._catalog, entry, "failed", {"error": _LOST})
        except (ConflictError, NotFoundError):
            return ""
        return f"The {entry} was running when its process ended; it is marked as failed now."

    def open(self, entry: Entry) -> Run:
        """The run that an entry describes."""
        return self._run(entry)

    def _keep_model(self, record: Record, fitted: object, data: TrainingSet) -> object:
        """Store the model with the transformations of its data, and give back what was stored."""
        inputs, labels = raw_columns(data)
        model = fitted
        try:
            model = with_transformations(fitted, data)
            signature = Signature.infer(inputs, labels, model)
            file = save_model(model, self._folder / record.entry.id / "model.skops")
        except (DataError, UntrustedTypeError) as error:
            _warn(f"The run {record.entry.id[:8]} cannot be registered. {error}")
            record.note(model={"file": None, "refused": str(error), "types": error.facts.get("types", [])})
        else:
            kept: dict[str, Any] = {"file": file.to_dict(), "refused": None, "types": []}
            record.note(model=kept, signature=signature.to_dict())
        return model

    def _run(self, entry: Entry, model: object = None) -> Run:
        return Run.of(entry, self._folder / entry.id, self._catalog, model)


def _call(
    record: Record, function: Callable[..., Any], data: TrainingSet, call: Call, datasets: Mapping[str, TrainingSet]
) -> Outcome:
    """Call the function and record what it returned, how long it took and what it read."""
    given = [data, *datasets.values()]
    begun = time.perf_counter()
    with recording() as reads:
        try:
            returned = function(data, *call.arguments, **call.keywords)
        except BaseException:  # what it read before it failed is worth knowing, whatever ended it
            with suppress(NotFoundError):  # somebody removed the run
                record.note_reads(reads, given)
            raise
    duration_s = time.perf_counter() - begun
    record.note_reads(reads, given)
    outcome = Outcome.of(returned)
    record.note(
        duration_s=duration_s,
        metrics=dict(outcome.metrics),
        not_finite=dict(outcome.not_finite),
        environment=Environment.now().to_dict(),  # again, as the function may have imported more
    )
    return outcome


def _datasets(evaluate_on: _Data) -> dict[str, TrainingSet]:
    """The data sets to evaluate on, by name."""
    if evaluate_on is None:
        return {}
    if isinstance(evaluate_on, Mapping):
        return {str(part): check_training_set(data, f"evaluate[{part!r}]") for part, data in evaluate_on.items()}
    data = check_training_set(evaluate_on, "evaluate")
    return {data.split or data.name: data}


def _check_slicing(by: Sequence[str], part: str, data: TrainingSet) -> None:
    """Raise before the function runs, which may take hours, and not after it."""
    known = [*data.schema.names, *data.label_schema.names]
    for column in by:
        if column not in known:
            raise ColumnNotFoundError(
                f"The data {part!r} to evaluate on has no column {column!r}.",
                fix=choices(column, known, "columns"),
                column=column,
                known=known,
            )


def _evaluation(model: object, data: TrainingSet, by: Sequence[str]) -> Evaluation:
    if model is None:
        return Evaluation.left_out("the function returned no model")
    if len(data.label_schema) != 1:
        return Evaluation.left_out("metrics are known for one label")
    try:
        return evaluate_model(model, data, by=by)
    except (DataError, ColumnNotFoundError) as error:  # after hours of fitting neither may cost the run
        _warn(f"The model was not evaluated. {error}")
        return Evaluation.left_out(str(error))


def _warn(message: str) -> None:
    """Warn at the line of the user's that led here."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_globals.get("__name__", "").startswith("groundswell."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _name_of(qualname: str) -> str:
    """A name for the run from the function's: its last part, or "run" for a lambda and the like."""
    qualname = qualname.removesuffix(".__call__")
    last = re.sub(r"[^A-Za-z0-9_]", "", qualname.rpartition(".")[2]).lstrip("_0123456789")
    return last if qualname.isascii() and "<" not in qualname.rpartition(".")[2] and last else "run"
