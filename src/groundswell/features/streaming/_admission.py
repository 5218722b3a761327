"""What is admitted to a stream's log: rows that fit the group as it is now and break no rule about single rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from groundswell.errors import GroundswellError
from groundswell.features.streaming._row_rules import RowRules
from groundswell.features.streaming._waiting_room import Row, Write
from groundswell.tables import Definition, Table, conform, conform_records, read_frame

__all__ = ["Admission", "Admitted"]


@dataclass(frozen=True)
class Admitted:
    """Writes that may be logged, and their rows in the table's columns."""

    writes: Sequence[Write]
    batch: pa.RecordBatch


class Admission:
    """Checks the rows of one stream.

    Args:
        table: the group's.
        rules: gives the rules about single rows that are in force.
        time_zone: the IANA zone of naive times; None refuses them.

    Raises:
        DataError: that is no time zone.
    """

    def __init__(self, table: Table, rules: Callable[[], RowRules], time_zone: str | None) -> None:
        self._table, self._make_rules, self._time_zone = table, rules, time_zone
        self._now = (table.definition, rules())
        nothing = table.definition.schema.to_arrow().empty_table()
        list(conform(nothing.to_reader(), table.definition, time_zone))  # so that a wrong zone is told at once

    def renew(self) -> bool:
        """Take the columns and rules that are in force now; whether they are others than before.

        Raises:
            GroundswellError: they cannot be found out, or do not fit each other.
        """
        self._table.version()
        now = (self._table.definition, self._make_rules())
        if now == self._now:
            return False
        self._now = now
        return True

    def admit(self, writes: Sequence[Write]) -> list[Admitted]:
        """The writes that may be logged, all in the columns of one definition; the others are told why not."""
        if self._table.definition != self._now[0]:
            self.renew()
        admitted, refused = self._check_all(writes)
        if refused:
            with suppress(GroundswellError):  # then what was in force at the last look is what is told
                if self.renew():
                    admitted, refused = self._check_all(writes)
        for write, error in refused:
            write.done.set_exception(error)
        return admitted

    def _check_all(self, writes: Sequence[Write]) -> tuple[list[Admitted], list[tuple[Write, GroundswellError]]]:
        definition, rules = self._now
        check = _Check(definition, rules, self._time_zone, [])
        admitted = [found for run in _runs(writes, definition.schema.names) for found in check.admitted(run)]
        return admitted, check.refused


@dataclass(frozen=True)
class _Check:
    definition: Definition
    rules: RowRules
    time_zone: str | None
    refused: list[tuple[Write, GroundswellError]]

    def admitted(self, run: Sequence[Write]) -> Iterator[Admitted]:
        """What may be logged of a run; what may not goes to `refused`."""
        try:
            batch = self._batch(run)
            broken = self.rules.broken(batch)
        except GroundswellError as error:
            if len(run) == 1:
                self.refused.append((run[0], error))
                return
            middle = len(run) // 2  # find out which it was
            yield from self.admitted(run[:middle])
            yield from self.admitted(run[middle:])
            return
        if not broken:
            yield Admitted(run, batch)
        elif len(run) == 1:
            self.refused.append((run[0], broken[min(broken)]))
        else:
            self.refused.extend((run[row], offense) for row, offense in broken.items())
            kept = [row for row in range(len(run)) if row not in broken]
            if kept:
                yield Admitted([run[row] for row in kept], batch.take(pa.array(kept)))

    def _batch(self, run: Sequence[Write]) -> pa.RecordBatch:
        rows = run[0].rows
        if not isinstance(rows, pa.Table) and _is_whole(rows[0], self.definition.schema.names):
            return conform_records([row for write in run for row in write.rows], self.definition, self.time_zone)
        batches = list(conform(read_frame(rows), self.definition, self.time_zone))
        return batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _runs(writes: Sequence[Write], names: Sequence[str]) -> list[list[Write]]:
    """The writes in order, those of single rows with exactly the table's columns together."""
    known, runs = set(names), list[list[Write]]()
    joined = False
    for write in writes:
        single = not isinstance(write.rows, pa.Table) and write.rows[0].keys() == known
        if single and joined:
            runs[-1].append(write)
        else:
            runs.append([write])
        joined = single
    return runs


def _is_whole(row: Row, names: Sequence[str]) -> bool:
    return row.keys() == set(names)
