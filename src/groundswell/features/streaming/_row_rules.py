"""The rules about single rows, checked before a row of a stream is acknowledged.

Rules about batches as a whole (order, repetition, means, references) wait until the rows are committed as a batch.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from groundswell.engines import Predicate, RowFilter
from groundswell.errors import DataError
from groundswell.features.expectations import Expectation, Validation

__all__ = ["RowRules"]


@dataclass(frozen=True)
class RowRules:
    """What the expectations of a group refuse in single rows.

    Args:
        group: the group's name.
        rules: those that refuse a row under the group's policy.
        predicates: what each of them picks.
        filter: finds the rows that break them; None if there are none.
    """

    group: str
    rules: tuple[Expectation, ...] = ()
    predicates: tuple[Predicate, ...] = ()
    filter: RowFilter | None = field(default=None, compare=False)

    @staticmethod
    def of(group: str, validation: Validation | None) -> "RowRules":
        """Those of a group's suite that are about single rows, if its policy refuses anything."""
        if validation is None or validation.policy == "all":
            return RowRules(group)
        chosen = [
            (rule, bound.offenders)
            for rule, bound in zip(validation.suite, validation.bound, strict=True)
            if bound.about_each_row
            and bound.offenders is not None
            and (validation.policy == "strict" or rule.level == "error")
        ]
        if not chosen:
            return RowRules(group)
        rules, predicates = zip(*chosen, strict=True)
        setting = validation.setting
        return RowRules(group, rules, predicates, setting.engine.row_filter(setting.definition, predicates))

    def broken(self, rows: pa.RecordBatch) -> dict[int, DataError]:
        """For each row that breaks a rule, its number and the error that says which."""
        if self.filter is None:
            return {}
        errors: dict[int, DataError] = {}
        for rule, picked in zip(self.rules, self.filter.picked(rows), strict=True):
            for row in np.flatnonzero(picked.to_numpy(zero_copy_only=False)).tolist():
                errors.setdefault(row, self._error(rule, rows, row))
        return errors

    def _error(self, rule: Expectation, rows: pa.RecordBatch, row: int) -> DataError:
        values = rows.slice(row, 1).to_pylist()[0]
        about = f" ({rule.subject}={values[rule.subject]!r})" if rule.subject else ""
        return DataError(
            f"A row for group {self.group!r} is refused, as it breaks an expectation: {rule.describe()}{about}.",
            why="Rows of a stream are checked one by one before they are acknowledged.",
            fix="Correct the row and write it again; or change the expectations: group.set_expectations(…).",
            group=self.group,
            expectation=rule.to_dict(),
            row=values,
        )
