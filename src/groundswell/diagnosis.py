"""What a doctor finds: things that are not as they must be, where they are, and how to repair them.

Every room examines its own invariants and yields a `Finding` for each that does not hold. `diagnose` runs the checks,
repairs what may be repaired, and gives a `Diagnosis`; `project.doctor` calls it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal

from groundswell.errors import GroundswellError

__all__ = ["Check", "Diagnosis", "Finding", "Severity", "diagnose"]

Severity = Literal["error", "warning", "notice"]
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it must be.

    Args:
        severity: "error" if something cannot be read or would be read wrongly; "warning" if all can be read and yet
            something is unfinished, lost or will break; "notice" if it is harmless.
        what: what is wrong, with the values.
        where: the file or folder.
        fix: how to repair it.
        repair: repairs it and says what it did; None if that takes a decision or a backup.
        repaired: what the repair did; empty if it was not repaired.
    """

    severity: Severity
    what: str
    where: str
    fix: str
    repair: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    repaired: str = ""

    @classmethod
    def of(cls, error: GroundswellError, where: object = "") -> "Finding":
        """The finding that an error makes, at the path that it names or at `where`."""
        what = f"{error.what} {error.why}".strip()
        return cls(severity="error", what=what, where=str(error.facts.get("path", where)), fix=error.fix)

    @property
    def is_open(self) -> bool:
        """Whether somebody must do something about it: it is not harmless and was not repaired."""
        return self.severity != "notice" and not self.repaired

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The finding as plain values."""
        return {
            "severity": self.severity,
            "what": self.what,
            "where": self.where,
            "fix": self.fix,
            "repairable": self.repair is not None,
            "repaired": self.repaired,
        }

    def __str__(self) -> str:
        return f"{self.severity}: {self.what} [{self.where}] " + (
            f"Repaired: {self.repaired}" if self.repaired else self.fix
        )


Check = Callable[[], Iterator[Finding]]
"""Looks at one thing and yields what is wrong with it. Repairs run while it is suspended, so it goes on from there."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Diagnosis:
    """What was examined and what was found.

    Args:
        checked: how many of each noun were examined.
        findings: the worst first.
    """

    checked: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is left that somebody must do something about."""
        return not any(finding.is_open for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The diagnosis as plain values."""
        return {"ok": self.ok, "checked": dict(self.checked), "findings": [f.to_dict() for f in self.findings]}

    @property
    def summary(self) -> str:
        """What was examined and the outcome, in one line.

        >>> Diagnosis(checked={"catalog": 1, "feature groups": 4}, findings=()).summary
        'Checked the catalog, 4 feature groups: all is well.'
        """
        counted = (f"{n} {noun.removesuffix('s') if n == 1 else noun}" for noun, n in self.checked.items())
        examined = ", ".join(counted).replace("1 catalog", "the catalog")
        still_open = [f for f in self.findings if f.is_open]
        counts = [(s, sum(f.severity == s for f in still_open)) for s in _SEVERITIES]
        problems = " and ".join(f"{n} {severity}{'s' * (n != 1)}" for severity, n in counts if n)
        repaired = sum(bool(f.repaired) for f in self.findings)
        return f"Checked {examined}: {problems or 'all is well'}" + (f", {repaired} repaired" if repaired else "") + "."

    def __repr__(self) -> str:
        return "\n".join([self.summary, *map(str, self.findings)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{f.severity}</td><td>{escape(f.what)}</td><td>{escape(f.where)}</td>"
            f"<td>{escape(f'Repaired: {f.repaired}' if f.repaired else f.fix)}</td></tr>"
            for f in self.findings
        )
        table = f"<table><tr><th></th><th>what</th><th>where</th><th>how to repair</th></tr>{rows}</table>"
        return f"<p>{escape(self.summary)}</p>" + (table if self.findings else "")


def diagnose(checks: Iterable[tuple[str, str, Check]], *, repair: bool = False) -> Diagnosis:
    """Run the checks in order.

    Args:
        checks: each with the noun that it examines one of, in the plural, and which one. A check that raises ends with
            that as its finding; if the iterable itself raises one of our errors, the rest cannot be known.
        repair: whether to repair what is repairable, each as soon as it is found.
    """
    checked: dict[str, int] = {}
    findings: list[Finding] = []
    try:
        for noun, title, check in checks:
            checked[noun] = checked.get(noun, 0) + 1
            try:
                for finding in check():
                    findings.append(_repaired(finding) if repair else finding)  # noqa: PERF401  # one raised later
            except GroundswellError as error:
                findings.append(Finding.of(error, title))
            except Exception as error:  # noqa: BLE001 - a process boundary: a doctor outlives what it examines
                findings.append(_unintelligible(error, title))
    except GroundswellError as error:
        findings.append(Finding.of(error, "catalog"))
    distinct = dict.fromkeys(findings)  # two checks may stumble over the same file
    return Diagnosis(checked=checked, findings=tuple(sorted(distinct, key=lambda f: _SEVERITIES.index(f.severity))))


def _unintelligible(error: Exception, title: str) -> Finding:
    return Finding(
        severity="error",
        what=f"The {title} cannot be examined: {type(error).__name__}: {error}.",
        where=title,
        fix="What is recorded of it is not what was written: restore the project from a backup.",
    )


def _repaired(finding: Finding) -> Finding:
    if finding.repair is None:
        return finding
    try:
        return replace(finding, repaired=finding.repair() or "Another process was faster.")
    except (GroundswellError, OSError) as error:
        return replace(finding, fix=f"{finding.fix} The repair failed: {error}")
