"""The entry of a run in the catalog while the run goes on."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from groundswell.catalog import Catalog, Entry
from groundswell.errors import ConflictError, NotFoundError
from groundswell.experiments._code import Code
from groundswell.experiments._environment import Environment
from groundswell.experiments._parameters import Call
from groundswell.experiments._plain import HIDDEN, is_secret, plain
from groundswell.experiments._training_set import TrainingSet, as_trained_on
from groundswell.features._reads import Read
from groundswell.models import Writer

__all__ = ["KIND", "Record", "end"]

KIND = "run"
_MOST_TRACEBACK = 20_000


class Record:
    """What is written of one run, step by step, so that a killed one shows how far it came.

    Args:
        catalog: where it is written.
        entry: its entry, in the state "running".
    """

    def __init__(self, catalog: Catalog, entry: Entry) -> None:
        self._catalog = catalog
        self.entry = entry

    @classmethod
    def begin(
        cls,
        catalog: Catalog,
        name: str,
        description: str,
        *,
        data: TrainingSet,
        call: Call,
        code: Code,
        tags: Mapping[str, Any],
    ) -> "Record":
        """Write down what goes in, before the function starts."""
        body: dict[str, Any] = {
            "params": {k: HIDDEN if is_secret(k) else plain(v) for k, v in call.parameters.items()},
            "seed": call.seed,
            "data": as_trained_on(data).to_dict(),
            "code": code.to_dict(),
            "code_summary": code.summary(),
            "environment": Environment.now().to_dict(),
            "writer": Writer.this().to_dict(),
            "started_at": datetime.now(UTC).isoformat(),
            "ended_at": None,
            "duration_s": None,
            "metrics": {},
            "not_finite": {},
            "evaluated_on": {},
            "evaluations": {},
            "reads": [],
            "model": {"file": None, "refused": None, "types": []},
            "signature": None,
            "error": None,
        }
        with catalog.transaction():
            record = cls(catalog, catalog.add(KIND, name, body, state="running", description=description, tags=tags))
            catalog.log("created", record.entry)
        record._link(data.id, "used", {"split": data.split})
        return record

    def note(self, **facts: object) -> None:
        """Add what is known now."""
        body = {**self.entry.body, **facts}
        self.entry = self._catalog.update(self.entry, body=body, expect_state="running")

    def note_evaluation(self, datasets: Mapping[str, TrainingSet]) -> None:
        """Add the data that the model is going to be evaluated on."""
        for data in datasets.values():
            if data.id != self.entry.body["data"]["id"]:
                self._link(data.id, "used", {"split": data.split, "for": "evaluation"})
        self.note(evaluated_on={part: as_trained_on(data).to_dict() for part, data in datasets.items()})

    def note_reads(self, reads: Iterable[Read], given: Sequence[TrainingSet]) -> None:
        """Add what the function read besides the data that it was given, with an edge to each."""
        own = {data.id for data in given}
        pinned = {pin for data in given for pin in data.pins.items()}
        others = [
            read
            for read in dict.fromkeys(reads)
            if read.entry_id not in own
            and not (read.kind == "feature_group" and (read.name, read.version_read) in pinned)
        ]
        for read in others:
            self._link(read.entry_id, "read", {"version": read.version_read})
        self.note(reads=[vars(read) for read in others])

    def finish(self, **facts: object) -> Entry:
        """Add the last facts, and that the run finished."""
        self.entry = end(self._catalog, self.entry, "finished", facts)
        return self.entry

    def fail(self, error: BaseException) -> None:
        """Add what ended the run."""
        lines = "".join(traceback.format_exception(error))
        described = {"type": type(error).__name__, "message": str(error), "traceback": lines[-_MOST_TRACEBACK:]}
        with suppress(ConflictError, NotFoundError):  # it had ended before, or somebody removed it
            self.entry = end(self._catalog, self.entry, "failed", {"error": plain(described)})

    def _link(self, target: str, relation: str, detail: Mapping[str, Any]) -> None:
        with suppress(NotFoundError):  # it was deleted meanwhile; the record of the run still names it
            self._catalog.link(self.entry, target, relation, detail)


def end(catalog: Catalog, entry: Entry, state: str, facts: Mapping[str, object]) -> Entry:
    """Give a running entry its last facts and its last state.

    Raises:
        ConflictError: it has ended already.
    """
    body = {**entry.body, **facts, "ended_at": datetime.now(UTC).isoformat()}
    with catalog.transaction():
        ended = catalog.update(entry, body=body, state=state, expect_state="running")
        catalog.log(state, ended)
    return ended
