"""Where a file stands in the order of rows when it is not the newest: what a commit says of files that it moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PLACES", "Place", "places_of"]

PLACES = "places"
"""The key of a commit's note under which the places of the files that it adds stand, by path."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file's place among the others of its table.

    Args:
        order_version: the version that its rows count as written by.
        position: its place among the files of that version.
        distinct: whether no row of an earlier file has the identity of one of its rows.
    """

    order_version: int
    position: int
    distinct: bool

    def to_list(self) -> list[int | bool]:
        """As the log has it."""
        return [self.order_version, self.position, self.distinct]


def places_of(note: Mapping[str, Any]) -> dict[str, Place]:
    """The places that a commit's note gives, by path."""
    return {
        path: Place(order_version=version, position=position, distinct=distinct)
        for path, (version, position, distinct) in note.get(PLACES, {}).items()
    }
