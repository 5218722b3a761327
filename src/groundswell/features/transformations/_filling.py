"""Missing values replaced by what the training split says, or by a constant."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from groundswell.errors import DataError
from groundswell.features.transformations._transformation import (
    Role,
    Transformation,
    takes_categories,
)
from groundswell.types import is_numeric

__all__ = ["Impute", "Strategy"]

Strategy = Literal["mean", "median", "most_frequent", "constant"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Impute(Transformation):
    """A value in place of a missing one.

    Raises:
        DataError: the strategy is none, or a constant is missing or not wanted.
    """

    strategy: Strategy = "mean"
    value: bool | int | float | str | None = None
    kind: ClassVar[str] = "impute"
    role: ClassVar[Role] = "impute"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strategy not in ("mean", "median", "most_frequent", "constant"):
            raise DataError(
                f"strategy={self.strategy!r} is unknown.", fix="Give 'mean', 'median', 'most_frequent' or 'constant'."
            )
        if (self.value is None) == (self.strategy == "constant"):
            raise DataError(
                f"strategy={self.strategy!r} and value={self.value!r} do not fit together.",
                fix="A value is given with strategy='constant', and only then.",
            )

    def takes(self, kind: pa.DataType) -> bool:
        """Numbers; categories too, unless a mean or median is asked for."""
        return is_numeric(kind) or (self.strategy in ("most_frequent", "constant") and takes_categories(kind))

    def gives(self, kind: pa.DataType) -> pa.DataType:
        """Means and medians are floats; else the type stays."""
        return pa.float64() if self.strategy in ("mean", "median") else kind
