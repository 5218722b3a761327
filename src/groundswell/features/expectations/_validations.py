"""The expectations of one feature group, and the reports about its batches, kept in the catalog.

A report is kept before the rows are committed and names the commit afterwards; the commit carries the report's number,
its counts and its digest. If a process is killed in between, the commit's own word says which report is its.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from groundswell.catalog import Catalog, CommitRecord, Entry
from groundswell.features.expectations._expectation import Setting
from groundswell.features.expectations._report import ValidationReport
from groundswell.features.expectations._suite import Policy, Suite, check_policy
from groundswell.features.expectations._validation import Validation, refusal
from groundswell.tables import Definition

SUITE, REPORT = "expectations", "validation"
OWN_KINDS = frozenset({SUITE, REPORT})
"""The kinds of catalog entries that a group brings and takes along."""


class Validations:
    """The expectations of a group and the reports about its batches.

    Args:
        group: the group's entry.
        catalog: where suites and reports are kept.
        setting: gives for a group's definition what its expectations are bound to.
    """

    def __init__(self, *, group: Entry, catalog: Catalog, setting: Callable[[Definition], Setting]) -> None:
        self._group, self._catalog, self._setting = group, catalog, setting
        self._name = f"{group.name}_v{group.version}"

    def current(self) -> tuple[Suite, Policy]:
        """The suite in force, and its policy."""
        found = self._catalog.find(SUITE, name=self._name, limit=1)
        if not found:
            return Suite(), "strict"
        return Suite.from_dict(found[0].body["expectations"]), check_policy(found[0].body["policy"])

    def set(self, expectations: object, policy: Policy | None, definition: Definition | None) -> None:
        """Put another suite in force.

        Args:
            expectations: a sequence of them.
            policy: what decides; None leaves it as it is.
            definition: the group's, against which they are checked; None if it has no columns yet.

        Raises:
            DataError: it is no sequence of expectations, or no policy.
            ColumnNotFoundError, TypeMismatchError, SchemaError, NotFoundError: one does not fit the group.
        """
        suite = Suite.of(expectations)
        policy = self.current()[1] if policy is None else check_policy(policy)
        if definition is not None:
            suite.bind(self._setting(definition))
        self.keep(suite, policy)

    def keep(self, suite: Suite, policy: Policy) -> None:
        """Put a suite in force that is known to fit."""
        with self._catalog.transaction():
            body = {"group": self._group.id, "policy": policy, "expectations": suite.to_dict()}
            entry = self._catalog.add(SUITE, self._name, body)
            self._catalog.link(entry, self._group, "applies_to")
            self._catalog.log("expectations set", self._group, {"expectations": len(suite), "policy": policy})

    def ready(self, definition: Definition) -> Validation | None:
        """The suite in force, bound to the group; None if there is nothing to validate.

        Raises:
            ColumnNotFoundError, TypeMismatchError, SchemaError, NotFoundError: an expectation does not fit the group.
        """
        suite, policy = self.current()
        if not suite or policy == "none":
            return None
        setting = self._setting(definition)
        return Validation(
            setting=setting,
            group_version=self._group.version,
            suite=suite,
            bound=suite.bind(setting),
            policy=policy,
        )

    def admit(self, report: ValidationReport) -> "Admission":
        """Keep the report of a batch that is about to be written, if the policy lets it.

        Raises:
            DataError: the policy does not; the report is kept all the same.
        """
        with self._catalog.transaction():
            state = "pending" if report.accepted else "refused"
            entry = self._catalog.add(REPORT, self._name, report.to_dict(), state=state)
            self._catalog.link(entry, self._group, "validates")
            self._catalog.log("validated", self._group, {"report": entry.version, "status": report.status})
        numbered = replace(report, number=entry.version)
        if not report.accepted:
            raise refusal(numbered)
        return Admission(report=numbered, entry=entry)

    def written(self, admission: "Admission", commit: CommitRecord) -> None:
        """Note which commit the rows became."""
        body = {**admission.entry.body, "commit": commit.version}
        self._catalog.update(admission.entry, body=body, state="written")

    def reports(self, commits: Callable[[], Iterable[CommitRecord]]) -> list[ValidationReport]:
        """The reports kept, newest first.

        Args:
            commits: gives the group's commits; asked only if a process was killed before it noted one.
        """
        entries = self._catalog.find(REPORT, name=self._name)
        unsettled = any(entry.state == "pending" for entry in entries)
        noted = [c for c in commits() if "validation" in c.detail] if unsettled else []
        known = {c.detail["validation"]["report"]: c.version for c in noted}
        return [
            replace(
                ValidationReport.from_dict(entry.body),
                number=entry.version,
                commit=known.get(entry.version) if entry.state == "pending" else entry.body["commit"],
            )
            for entry in entries
        ]

    def forget_values(self) -> int:
        """Take from all kept reports what rows were: examples, observed values. Counts and digests stay.

        Part of erasing rows. Returns how many reports had some.
        """
        changed = 0
        for entry in self._catalog.find(REPORT, name=self._name):
            bare = ValidationReport.from_dict(entry.body).without_values().to_dict()
            if bare != entry.body:
                self._catalog.update(entry, body=bare)
                changed += 1
        return changed

    def remove(self) -> None:
        """Remove suites and reports, with the group."""
        for kind in (REPORT, SUITE):
            for entry in self._catalog.find(kind, name=self._name):
                self._catalog.remove(entry)


@dataclass(frozen=True, kw_only=True)
class Admission:
    """A batch that may be written: its report, and where that is kept."""

    report: ValidationReport
    entry: Entry

    @property
    def note(self) -> Mapping[str, Any]:  # Any: JSON
        """What the commit shall say."""
        return {"validation": self.report.numbers()}
