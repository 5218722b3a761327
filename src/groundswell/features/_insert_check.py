"""What an insert would do: the dry run's answer, with what the expectations say."""

from dataclasses import dataclass

from groundswell.errors import GroundswellError
from groundswell.features.expectations import ValidationReport, refusal
from groundswell.tables import Check

__all__ = ["InsertCheck"]


@dataclass(frozen=True, kw_only=True)
class InsertCheck:
    """What an insert would do.

    Args:
        rows: rows given; None if they cannot be read.
        repeated: rows that a later row of the same data replaces.
        new: rows that would be new.
        replaced: rows that would replace one that is there.
        problem: why the insert would be refused, or None.
        validation: what the expectations say; None if there are none, or the rows do not fit the group.
    """

    rows: int | None = None
    repeated: int | None = None
    new: int | None = None
    replaced: int | None = None
    problem: GroundswellError | None = None
    validation: ValidationReport | None = None

    @staticmethod
    def of(check: Check, validation: ValidationReport | None = None) -> "InsertCheck":
        """The table's answer with that of the expectations."""
        refused = refusal(validation) if validation is not None and not validation.accepted else None
        return InsertCheck(
            rows=check.rows,
            repeated=check.repeated,
            new=check.new,
            replaced=check.replaced,
            problem=check.problem or refused,
            validation=validation,
        )

    @property
    def ok(self) -> bool:
        """Whether the insert would be accepted."""
        return self.problem is None

    def __str__(self) -> str:
        if self.problem is not None:
            return f"The insert would be refused. {self.problem}"
        told = f"The insert would be accepted: {self.rows} rows, {self.new} new, {self.replaced} replacing, " + (
            f"{self.repeated} repeated within the data." if self.repeated else "none repeated within the data."
        )
        return told if self.validation is None else f"{told}\n{self.validation}"
