"""Validating a batch: one query for the numbers, then for broken rules a few rows each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from groundswell.engines import Count, Uncomputable
from groundswell.errors import DataError
from groundswell.features.expectations._expectation import Bound, Expectation, Plain, Setting, Values
from groundswell.features.expectations._report import RuleResult, ValidationReport
from groundswell.features.expectations._suite import Policy, Suite

EXAMPLES = 3
"""Offending rows shown for each broken rule."""

_LONGEST = 200
"""Characters of a value that are shown."""


@dataclass(frozen=True, kw_only=True)
class Validation:
    """A suite bound to a group under a policy, ready for a batch.

    Args:
        setting: the group and the moment.
        group_version: the version of the group.
        suite: the expectations.
        bound: what each means for the group.
        policy: what decides whether rows are written.
    """

    setting: Setting
    group_version: int
    suite: Suite
    bound: tuple[Bound, ...]
    policy: Policy

    def report(self, paths: Sequence[str]) -> ValidationReport:
        """What the expectations say of the rows in some files of the group."""
        measures = [measure for bound in self.bound for measure in bound.measures]
        rows, *values = self.setting.engine.measure(paths, self.setting.definition, [Count(), *measures])
        assert isinstance(rows, int)
        rest = iter(values)
        results = tuple(
            self._result(paths, rows, expectation, bound, [next(rest) for _ in bound.measures])
            for expectation, bound in zip(self.suite, self.bound, strict=True)
        )
        return ValidationReport(
            group=self.setting.definition.name,
            group_version=self.group_version,
            policy=self.policy,
            validated_at=self.setting.now,
            rows=rows,
            results=results,
        )

    def _result(
        self, paths: Sequence[str], rows: int, expectation: Expectation, bound: Bound, values: Values
    ) -> RuleResult:
        failed = next((value for value in values if isinstance(value, Uncomputable)), None)
        if failed is not None:
            return RuleResult(
                expectation=expectation, success=False, rows=rows, detail=bound.detail, problem=failed.reason
            )
        finding = bound.judge(values)
        observed: object = finding.observed
        if not finding.success and bound.explain is not None and finding.rows:
            (observed,) = self.setting.engine.measure(paths, self.setting.definition, [bound.explain(values)])
        return RuleResult(
            expectation=expectation,
            success=finding.success,
            rows=finding.rows,
            offending=finding.offending,
            observed=shown(observed),
            detail=bound.detail,
            examples=() if finding.success else self._examples(paths, bound),
        )

    def _examples(self, paths: Sequence[str], bound: Bound) -> tuple[Mapping[str, Plain], ...]:
        if bound.offenders is None:
            return ()
        definition = self.setting.definition
        columns = list(dict.fromkeys([*definition.identity, *bound.columns]))
        found = self.setting.engine.examples(paths, definition, bound.offenders, columns, EXAMPLES)
        return tuple({name: shown(value) for name, value in row.items()} for row in found.to_pylist())


def refusal(report: ValidationReport) -> DataError:
    """The error for a batch that the policy does not let be written."""
    counted = [r for r in report.broken if report.policy == "strict" or r.status == "failure"]
    told = "; ".join(result.summary(1) for result in counted[:5]) + (
        f"; {len(counted) - 5} more" if counted[5:] else ""
    )
    wanted = "all expectations hold" if report.policy == "strict" else "all expectations of level error hold"
    return DataError(
        f"The rows for group {report.group!r} are refused, as they break {len(counted)} of {len(report.results)} "
        f"expectations: {told}.",
        why=f"The policy {report.policy!r} writes rows only if {wanted}.",
        fix="Correct the rows and insert them again. The report is in the error's `report` and in group.validations(). "
        'To write such rows too: group.set_expectations(group.expectations, validation="all").',
        report=report,
        group=report.group,
    )


def shown(value: Any) -> Plain:  # Any: values of every column type
    """A value as a report shows it and JSON holds it; long ones are cut.

    >>> shown(date(2024, 1, 1)), shown(math.inf)
    ('2024-01-01', 'inf')
    """
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case date():  # and datetimes, which are dates
            return value.isoformat()
        case str():
            text = value.encode(errors="replace").decode()
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
