"""Encodings: categories as numbers."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from groundswell.errors import DataError
from groundswell.features.transformations._checks import check_count
from groundswell.features.transformations._transformation import (
    Role,
    Transformation,
    takes_categories,
)

__all__ = ["OneHot", "Ordinal"]


@dataclass(frozen=True, kw_only=True, repr=False)
class OneHot(Transformation):
    """A column of zeros and ones for each category; a category that training never met has zeros only.

    Raises:
        DataError: `drop` is none of its values, or `max_categories` is less than two.
    """

    drop: Literal["first", "last", "if_binary"] | None = None
    max_categories: int | None = None
    kind: ClassVar[str] = "one_hot"
    role: ClassVar[Role] = "encode"
    expands: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.drop not in (None, "first", "last", "if_binary"):
            raise DataError(f"drop={self.drop!r} is unknown.", fix="Give 'first', 'last', 'if_binary' or None.")
        if self.max_categories is not None:
            check_count("max_categories", self.max_categories, least=2)

    def takes(self, kind: pa.DataType) -> bool:
        """Categories."""
        return takes_categories(kind)


@dataclass(frozen=True, kw_only=True, repr=False)
class Ordinal(Transformation):
    """The number of each category, from 0; −1 for one that training never met, NaN for a missing one."""

    kind: ClassVar[str] = "ordinal"
    role: ClassVar[Role] = "encode"

    def takes(self, kind: pa.DataType) -> bool:
        """Categories."""
        return takes_categories(kind)
