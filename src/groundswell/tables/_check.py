"""What an insert would do: the dry run's answer."""

from dataclasses import dataclass

from groundswell.errors import GroundswellError

__all__ = ["Check"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What an insert would do.

    Args:
        rows: rows given.
        repeated: rows that a later row of the same data replaces.
        new: rows that would be new.
        replaced: rows that would replace one that is there.
        problem: why the insert would be refused, or None.
    """

    rows: int | None
    repeated: int | None
    new: int | None
    replaced: int | None
    problem: GroundswellError | None

    @property
    def ok(self) -> bool:
        """Whether the insert would be accepted."""
        return self.problem is None

    def __str__(self) -> str:
        if self.problem is not None:
            return f"The insert would be refused. {self.problem}"
        return f"The insert would be accepted: {self.rows} rows, {self.new} new, {self.replaced} replacing, " + (
            f"{self.repeated} repeated within the data." if self.repeated else "none repeated within the data."
        )
