"""Bins: numbers as the number of the bin that they lie in, from 0. A missing value is in no bin and stays missing."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from groundswell.features.transformations._checks import check_count, check_rising
from groundswell.features.transformations._transformation import Role, Transformation

__all__ = ["Bucketize", "QuantileBins"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Bucketize(Transformation):
    """Bins between given edges; the first begins at −∞, the last ends at ∞.

    Raises:
        DataError: the edges do not rise.
    """

    edges: tuple[float, ...]
    kind: ClassVar[str] = "bucketize"
    role: ClassVar[Role] = "bin"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("edges", self.edges, 1)

    def gives(self, kind: pa.DataType) -> pa.DataType:
        """Whole numbers, which are categories too."""
        del kind
        return pa.int64()


@dataclass(frozen=True, kw_only=True, repr=False)
class QuantileBins(Transformation):
    """Bins that hold equally many rows of the training split.

    Raises:
        DataError: there are fewer than two bins.
    """

    n_bins: int = 10
    kind: ClassVar[str] = "quantile_bins"
    role: ClassVar[Role] = "bin"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("n_bins", self.n_bins, least=2)

    def gives(self, kind: pa.DataType) -> pa.DataType:
        """Whole numbers, which are categories too."""
        del kind
        return pa.int64()
