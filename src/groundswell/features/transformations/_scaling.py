"""Scales: columns of numbers brought to a common range."""

from dataclasses import dataclass
from typing import ClassVar

from groundswell.errors import DataError
from groundswell.estimators import MaxAbsScaler, MinMaxScaler, StandardScaler
from groundswell.features.transformations._transformation import Role, Transformation, Transformer

__all__ = ["MaxAbs", "MinMax", "Standardize"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Standardize(Transformation):
    """z = (x − mean) / standard deviation."""

    with_mean: bool = True
    with_std: bool = True
    kind: ClassVar[str] = "standardize"
    role: ClassVar[Role] = "scale"

    def estimator(self) -> Transformer:
        """The scaler."""
        return StandardScaler(with_mean=self.with_mean, with_std=self.with_std)


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
        check_rising("feature_range", self.feature_range, 2)

    def estimator(self) -> Transformer:
        """The scaler."""
        return MinMaxScaler(feature_range=self.feature_range)


@dataclass(frozen=True, kw_only=True, repr=False)
class MaxAbs(Transformation):
    """Divided by the largest absolute value, so that zero stays zero."""

    kind: ClassVar[str] = "max_abs"
    role: ClassVar[Role] = "scale"

    def estimator(self) -> Transformer:
        """The scaler."""
        return MaxAbsScaler()


def check_rising(name: str, values: tuple[float, ...], n_least: int) -> None:
    """Raise unless the values are numbers, finite, as many as needed, each greater than the one before.

    Raises:
        DataError: they are not.
    """
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    rises = all(low < high for low, high in zip(numbers, numbers[1:], strict=False))
    if len(numbers) < max(len(values), n_least) or not rises or any(abs(v) == float("inf") for v in numbers):
        raise DataError(
            f"{name}={values!r} does not rise.",
            fix=f"Give {n_least} or more finite numbers, each greater than the one before."
            if name == "edges"
            else "Give two finite numbers, the smaller one first.",
            value=values,
        )
