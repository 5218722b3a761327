"""What a store knows of one table as a whole: how far it has followed, and how to read what it holds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from groundswell.errors import CorruptionError, VersionError
from groundswell.online._layout import RowLayout
from groundswell.types import Schema

__all__ = ["State"]

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class State:
    """The record of a table in a store. It is written with the last rows of a version, never before them.

    Args:
        version: the table's version up to which every row is in.
        commit: the digest of that version's commit, which tells the table from an older copy put back in its place.
        epoch: the number of times that the store was built from the whole table; rows of earlier ones are leftovers.
        building: whether it is being built right now, or that was cut short.
        keys: how the key columns are written.
        layouts: for each schema that rows may lie under, by tag, what `RowLayout` is made of.
    """

    version: int = -1
    commit: str = ""
    epoch: int = 0
    building: bool = False
    keys: Sequence[str] = ()
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # Any: JSON

    @classmethod
    def from_bytes(cls, record: bytes | None) -> Self:
        """Read back what `to_bytes` gave; None is a store that has seen nothing.

        Raises:
            CorruptionError: it is something else.
            VersionError: a newer Groundswell wrote it.
        """
        if record is None:
            return cls()
        try:
            tree = json.loads(record)
            written = tree.pop("format")
            if written == _FORMAT:
                return cls(**tree)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptionError(
                f"The online store's record of a table is damaged ({type(error).__name__}: {error}).",
                fix="Empty the store: everything in it is built again from the tables.",
            ) from None
        raise VersionError(
            f"The online store was written in format {written}; this Groundswell knows {_FORMAT}.",
            why="A newer Groundswell wrote it.",
            fix="Upgrade: pip install --upgrade groundswell.",
            format=written,
        )

    def to_bytes(self) -> bytes:
        """The state as JSON."""
        return json.dumps({"format": _FORMAT} | vars(self)).encode()

    def with_layout(self, layout: RowLayout) -> dict[str, Mapping[str, Any]]:  # Any: JSON
        """The layouts with one more."""
        described = {
            "schema": layout.schema.to_dict(),
            "event_time": layout.event_time,
            "available_at": layout.available_at,
        }
        return {**self.layouts, layout.tag.hex(): described}

    def layout(self, tag: bytes) -> RowLayout | None:
        """How rows with this tag lie; None if no writer has said it."""
        described = self.layouts.get(tag.hex())
        if described is None:
            return None
        schema = Schema.from_dict(described["schema"])
        return RowLayout(schema, described["event_time"], described["available_at"])
