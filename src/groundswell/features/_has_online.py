"""What a feature group offers of the online store: whether its newest rows are there, and up to which version."""

from abc import ABC, abstractmethod

from groundswell.errors import DataError
from groundswell.features._group_table import GroupTable
from groundswell.features._online_copies import OnlineCopies

__all__ = ["HasOnline"]


class HasOnline(ABC):
    """A noun whose newest rows may be in the online store."""

    name: str
    _place: GroupTable
    _online: OnlineCopies

    @property
    @abstractmethod
    def has_table(self) -> bool:
        """Whether it has columns yet."""

    @property
    def online(self) -> bool:
        """Whether the newest row of each key is kept in the online store."""
        return self._place.online

    def enable_online(self) -> None:
        """Keep the newest row of each key in the online store, from the rows that are there on."""
        self._place.configure("online", True)
        if self.has_table:
            self._online.follow(self._place.table)

    def disable_online(self) -> None:
        """Take the rows out of the online store; what asked for them there is answered from the table."""
        self._place.configure("online", False)
        if self.has_table:
            self._online.forget(self._place.table)

    @property
    def online_version(self) -> int | None:
        """The version of its table that the online store holds; None if it does not hold one as a whole."""
        position = self._online.follower(self._place.table).position()
        return None if position < 0 else position

    def follow_online(self, *, rebuild: bool = False) -> int:
        """Bring the online store up to the newest version, and return it; for what was inserted without waiting.

        Args:
            rebuild: build it anew from the table, whatever the store holds.

        Raises:
            DataError: the group is not online.
            GroundswellError: the store does not answer.
        """
        if not self.online:
            raise DataError(f"Group {self.name!r} is not online.", fix="Make it so: group.enable_online().")
        table = self._place.table
        return self._online.rebuild(table) if rebuild else self._online.follow(table)
