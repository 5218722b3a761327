"""How much a stream holds, and how often it commits."""

from dataclasses import dataclass

from groundswell.errors import DataError

__all__ = ["StreamLimits"]


@dataclass(frozen=True, kw_only=True)
class StreamLimits:
    """How much a stream holds before it makes its writers wait, and how often it commits.

    Args:
        commit_every_s: logged rows are committed after so many seconds at the latest.
        commit_rows: and once there are so many of them.
        waiting: writes that may wait for the disk at once; more make the writer wait.
        logged_rows: rows that may be logged and not committed; more make the writer wait.

    Raises:
        DataError: one of them is not positive.
    """

    commit_every_s: float = 2.0
    commit_rows: int = 200_000
    waiting: int = 20_000
    logged_rows: int = 2_000_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise DataError(
                    f"The limit {name}={value!r} is not positive.", fix="Give a positive number.", value=value
                )
