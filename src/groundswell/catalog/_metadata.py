"""What nouns with an entry in the catalog have in common: tags and a description that can be changed later."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from groundswell.catalog._catalog import Catalog

__all__ = ["HasMetadata"]


class HasMetadata(ABC):
    """A noun whose entry in the catalog has tags and a description."""

    @property
    @abstractmethod
    def _described(self) -> tuple[Catalog, str]:
        """The catalog, and the id of the entry."""

    @property
    def tags(self) -> Mapping[str, Any]:  # Any: JSON
        """Its tags as they are now, by name; change them with `set_tag` and `remove_tag`."""
        catalog, entry_id = self._described
        return MappingProxyType(catalog.tags.of(entry_id))

    def set_tag(self, name: str, value: Any, *, feature: str | None = None) -> None:  # Any: JSON
        """Give it a tag, or the tag another value.

        Args:
            name: any text, such as "ownership".
            value: JSON: text, numbers, true, false, None, lists, mappings. If the tag has a schema, it must fit that.
            feature: one of its features, which gets the tag instead.

        Raises:
            ColumnNotFoundError: it has no such feature.
            DataError: the value is no JSON, or does not fit the tag's schema.
            InvalidNameError: the name cannot be used.
        """
        catalog, entry_id = self._described
        catalog.tags.set(entry_id, name, value, feature=feature)

    def remove_tag(self, name: str, *, feature: str | None = None) -> None:
        """Take a tag from it, or from one of its features.

        Raises:
            InUseError: such things must have the tag.
            NotFoundError: it has no such tag; the message names the nearest.
        """
        catalog, entry_id = self._described
        catalog.tags.remove(entry_id, name, feature=feature)

    def set_description(self, text: str) -> None:
        """Say what it is, in place of what was said before.

        Raises:
            InvalidNameError: it is no text.
        """
        catalog, entry_id = self._described
        catalog.descriptions.set(entry_id, text)
