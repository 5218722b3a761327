"""Scales: columns of numbers brought to a common range, or to their logarithm."""

from dataclasses import dataclass
from typing import ClassVar

from groundswell.errors import DataError
from groundswell.features.transformations._checks import check_rising
from groundswell.features.transformations._transformation import Role, Transformation

__all__ = ["Log", "MaxAbs", "MinMax", "Robust", "Standardize"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Standardize(Transformation):
    """z = (x − mean) / standard deviation."""

    with_mean: bool = True
    with_std: bool = True
    kind: ClassVar[str] = "standardize"
    role: ClassVar[Role] = "scale"


@dataclass(frozen=True, kw_only=True, repr=False)
class MinMax(Transformation):
    """The least value to the beginning of a range, the greatest to its end.

    Raises:
        DataError: the range does not rise.
    """

    feature_range: tuple[float, float] = (0.0, 1.0)
    kind: ClassVar[str] = "min_max"
    role: ClassVar[Role] = "scale"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("feature_range", self.feature_range, 2, 2)


@dataclass(frozen=True, kw_only=True, repr=False)
class MaxAbs(Transformation):
    """Divided by the largest absolute value, so that zero stays zero."""

    kind: ClassVar[str] = "max_abs"
    role: ClassVar[Role] = "scale"


@dataclass(frozen=True, kw_only=True, repr=False)
class Robust(Transformation):
    """z = (x − median) / (upper − lower quantile), which outliers hardly move.

    Raises:
        DataError: the range is not two rising percentages.
    """

    quantile_range: tuple[float, float] = (25.0, 75.0)
    kind: ClassVar[str] = "robust"
    role: ClassVar[Role] = "scale"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("quantile_range", self.quantile_range, 2, 2)
        if not 0 <= self.quantile_range[0] < self.quantile_range[1] <= 100:
            raise DataError(f"quantile_range={self.quantile_range!r} leaves 0 to 100.", fix="Give percentages.")


@dataclass(frozen=True, kw_only=True, repr=False)
class Log(Transformation):
    """log(1 + x), for counts and amounts."""

    kind: ClassVar[str] = "log"
    role: ClassVar[Role] = "log"
