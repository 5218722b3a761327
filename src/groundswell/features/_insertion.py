"""Bringing rows into the table of a group: checked, validated, summarized, and committed as one."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from groundswell.features._group_table import GroupTable
from groundswell.features.expectations import Validations
from groundswell.features.statistics import StatisticsRecords
from groundswell.tables import Commit

__all__ = ["Insertion", "Provenance"]

Provenance = Callable[[], Mapping[str, Any]]  # Any: JSON


class Insertion:
    """Inserts rows into one group.

    Args:
        place: the group's table, which the first rows make if the group was created without columns.
        validations: what rows must be.
        statistics: what is kept of them.
        provenance: what each commit says of the code that wrote it.
    """

    def __init__(
        self, place: GroupTable, validations: Validations, statistics: StatisticsRecords, provenance: Provenance
    ) -> None:
        self._place, self._validations, self._statistics = place, validations, statistics
        self._provenance = provenance

    def run(
        self,
        rows: pa.RecordBatchReader,
        time_zone: str | None = None,
        *,
        note: Mapping[str, Any] | None = None,  # Any: JSON
        transaction: tuple[str, int] | None = None,
    ) -> Commit:
        """Insert the rows as one commit; if it raises, nothing was written.

        Args:
            rows: any columns; they are checked.
            time_zone: the IANA zone of naive times; None refuses them.
            note: what the commit shall say beside.
            transaction: an application's name and its number for this write.

        Raises:
            ColumnNotFoundError, TypeMismatchError: the columns or values do not fit the group.
            DataError: likewise; or expectations are broken: then the error has a `report`.
            CorruptionError: the disk is full or not writable.
        """
        table = self._place.for_columns(rows.schema)
        validation = self._validations.ready(table.definition)
        collector = self._statistics.collector(table.definition)
        staged = table.stage(rows, time_zone, None if collector is None else collector.watch)
        try:
            admission = None if validation is None else self._validations.admit(validation.report(staged.paths))
            if self._place.now is None:
                self._place.make(table.definition)
            said = {**({} if admission is None else admission.note), **self._statistics.note(collector)}
        except BaseException:
            table.discard(staged)
            raise
        said = {**self._provenance(), **said, **(note or {})}
        commit = self._place.table.commit(staged, said, transaction=transaction)
        if admission is not None:
            self._validations.written(admission, commit)
        return commit
