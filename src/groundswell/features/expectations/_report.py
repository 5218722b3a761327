"""What a validation found: for each expectation whether it holds, the numbers, and a few rows that break it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Any, Literal

from groundswell.features.expectations._expectation import Expectation, Plain
from groundswell.features.expectations._suite import Policy, expectation_from_dict

Status = Literal["success", "warning", "failure"]
_MARKS = {"success": "✓", "warning": "!", "failure": "✗"}
_COLORS = {"success": "#2e7d32", "warning": "#b26a00", "failure": "#c62828"}


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """What one expectation said of a batch.

    Args:
        expectation: the rule.
        success: whether it holds.
        rows: the rows that it looked at.
        offending: the rows that break it; None for a rule about a summary.
        observed: the summary that it judged: a share, a mean, a quantile, a count, a time; None if there is none.
        detail: what else it went by, such as the version of another group.
        examples: the first offending rows, with keys, times and the columns of the rule.
        problem: why it could not be computed; it counts as broken then.
    """

    expectation: Expectation
    success: bool
    rows: int
    offending: int | None = None
    observed: Plain = None
    detail: Mapping[str, Plain] = field(default_factory=dict)
    examples: tuple[Mapping[str, Plain], ...] = ()
    problem: str = ""

    @property
    def status(self) -> Status:
        """Whether it holds and, if not, how bad that is."""
        if self.success:
            return "success"
        return "warning" if self.expectation.level == "warning" else "failure"

    @property
    def evidence(self) -> str:
        """The numbers in words."""
        parts = []
        if self.problem:
            parts.append(self.problem)
        elif self.offending is not None:
            parts.append(f"{self.offending:,} of {self.rows:,} rows {self.expectation.offense}")
        if self.observed is not None:
            parts.append(
                f"observed {self.observed:.6g}" if type(self.observed) is float else f"observed {self.observed}"
            )
        if "version" in self.detail:
            parts.append(f"against version {self.detail['version']} of {self.detail['group']}")
        return ", ".join(parts) or f"{self.rows:,} rows"

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The result as plain values."""
        return {
            "expectation": self.expectation.to_dict(),
            "success": self.success,
            "rows": self.rows,
            "offending": self.offending,
            "observed": self.observed,
            "detail": dict(self.detail),
            "examples": [dict(row) for row in self.examples],
            "problem": self.problem,
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "RuleResult":  # Any: JSON
        """Read back what `to_dict` gave."""
        known = {**stored, "expectation": expectation_from_dict(stored["expectation"])}
        return RuleResult(**{**known, "examples": tuple(stored["examples"])})

    def summary(self, n_examples: int) -> str:
        """Rule and evidence in one line, with so many offending rows."""
        rows = "; ".join(", ".join(f"{k}={v!r}" for k, v in row.items()) for row in self.examples[:n_examples])
        return f"{self.expectation.describe()}: {self.evidence}" + (rows and f", such as {rows}")

    def __str__(self) -> str:
        return f"{_MARKS[self.status]} {self.summary(len(self.examples))}"


@dataclass(frozen=True, kw_only=True, repr=False)
class ValidationReport:
    """What the validation of one batch found. It shows as a table.

    Args:
        group, group_version: the feature group.
        policy: what decided whether the rows were written.
        validated_at: when, in UTC.
        rows: the rows of the batch, without those that a later one of the batch replaces.
        results: what each expectation said, in the order of the suite.
        number: the report's number among those of the group; None for a dry run.
        commit: the version of the table that the rows became; None if they were not written.
    """

    group: str
    group_version: int
    policy: Policy
    validated_at: datetime
    rows: int
    results: tuple[RuleResult, ...]
    number: int | None = None
    commit: int | None = None

    @property
    def success(self) -> bool:
        """Whether all expectations hold."""
        return self.status == "success"

    @property
    def status(self) -> Status:
        """The worst of the results: "failure", "warning" or "success"."""
        found = {result.status for result in self.results}
        return "failure" if "failure" in found else "warning" if "warning" in found else "success"

    @property
    def broken(self) -> tuple[RuleResult, ...]:
        """The results of the expectations that do not hold."""
        return tuple(result for result in self.results if not result.success)

    @property
    def accepted(self) -> bool:
        """Whether the policy lets the rows be written."""
        return {"strict": self.success, "warning": self.status != "failure"}.get(self.policy, True)

    def numbers(self) -> dict[str, Any]:  # Any: JSON
        """What a commit says of it: counts and a digest; no values of rows and no examples.

        The digest is that of the expectations and their counts, so it stays when examples are forgotten.
        """
        rules = [
            {
                "rule": result.expectation.rule,
                "column": result.expectation.subject,
                "level": result.expectation.level,
                "success": result.success,
                "rows": result.rows,
                "offending": result.offending,
            }
            for result in self.results
        ]
        return {
            "report": self.number,
            "policy": self.policy,
            "status": self.status,
            "rules": rules,
            "digest": self.digest(),
        }

    def digest(self) -> str:
        """SHA-256 of the expectations and their counts."""
        told = [[r.expectation.to_dict(), r.success, r.rows, r.offending] for r in self.results]
        text = json.dumps([self.group, self.group_version, self.policy, self.rows, told], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def without_values(self) -> "ValidationReport":
        """The same without anything that rows were: examples, observed values, messages that quote one."""
        bare = tuple(
            replace(r, examples=(), observed=None, problem="It could not be computed." if r.problem else "")
            for r in self.results
        )
        return replace(self, results=bare)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The report as plain values; `from_dict` reads it back."""
        return {
            "group": self.group,
            "group_version": self.group_version,
            "policy": self.policy,
            "validated_at": self.validated_at.isoformat(),
            "rows": self.rows,
            "results": [result.to_dict() for result in self.results],
            "number": self.number,
            "commit": self.commit,
        }

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> "ValidationReport":  # Any: JSON
        """Read back what `to_dict` gave."""
        return ValidationReport(
            **{
                **stored,
                "validated_at": datetime.fromisoformat(stored["validated_at"]),
                "results": tuple(RuleResult.from_dict(result) for result in stored["results"]),
            }
        )

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {result}" for result in self.results)])

    __repr__ = __str__

    @property
    def title(self) -> str:
        """What was validated, when, and what came of it, in one line."""
        broken = f"{len(self.broken)} of {len(self.results)} expectations broken" if self.broken else "all hold"
        written = "not written" if self.commit is None else f"written as version {self.commit}"
        return (
            f"Validation of {self.group!r} ({self.policy}): {self.status}, {broken}, {self.rows:,} rows, {written}, "
            f"{self.validated_at:%Y-%m-%d %H:%M:%S} UTC"
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("", "expectation", "level", "found", "offending rows"))
        return f"<p>{escape(self.title)}</p><table><tr>{head}</tr>{''.join(map(_html_row, self.results))}</table>"


def _html_row(result: RuleResult) -> str:
    mark = f'<span style="color:{_COLORS[result.status]}">{_MARKS[result.status]} {result.status}</span>'
    shown = "<br>".join(escape(", ".join(f"{k}={v!r}" for k, v in row.items())) for row in result.examples)
    cells = (escape(result.expectation.describe()), result.expectation.level, escape(result.evidence), shown)
    return f"<tr><td>{mark}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
