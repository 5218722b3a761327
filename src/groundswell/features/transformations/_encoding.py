"""Encodings: categories as numbers."""

from collections.abc import Sequence
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

__all__ = ["Hashing", "OneHot", "Ordinal"]

CATEGORIES = "categories: text, whole numbers, true or false"


@dataclass(frozen=True, kw_only=True, repr=False)
class OneHot(Transformation):
    """A column of zeros and ones for each category; a category that training never met has zeros only.

    Raises:
        DataError: `drop` is none of its values, or `max_categories` is less than two.
    """

    drop: Literal["first", "last", "if_binary"] | None = None
    max_categories: int | None = None
    kind: ClassVar[str] = "one_hot"
    needs: ClassVar[str] = CATEGORIES
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
    needs: ClassVar[str] = CATEGORIES
    role: ClassVar[Role] = "encode"

    def takes(self, kind: pa.DataType) -> bool:
        """Categories."""
        return takes_categories(kind)


@dataclass(frozen=True, kw_only=True, repr=False)
class Hashing(Transformation):
    """A fixed number of columns, of which a hash of the text chooses one: nothing to learn, whatever comes.

    Raises:
        DataError: there is less than one column.
    """

    n_features: int = 32
    kind: ClassVar[str] = "hashing"
    needs: ClassVar[str] = "text"
    role: ClassVar[Role] = "encode"
    expands: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("n_features", self.n_features, least=1)

    def takes(self, kind: pa.DataType) -> bool:
        """Text."""
        return bool(pa.types.is_string(kind))

    def names(self, made: Sequence[str]) -> list[str]:
        """The name of the column and a number."""
        return [f"{self.columns[0]}_{number}" for number in range(len(made))]
