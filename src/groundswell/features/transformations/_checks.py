"""What the settings of transformations must be."""

import math
from collections.abc import Sequence
from itertools import pairwise

from groundswell.errors import DataError

__all__ = ["check_count", "check_rising"]


def check_rising(name: str, values: Sequence[object], n_least: int, n_most: int | None = None) -> None:
    """Raise unless the values are finite numbers, as many as needed, each greater than the one before.

    Raises:
        DataError: they are not.
    """
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)]
    rises = len(numbers) == len(values) and all(low < high for low, high in pairwise(numbers))
    if not rises or not n_least <= len(values) <= (n_most or len(values)):
        count = f"{n_least} or more finite numbers" if n_most is None else f"{n_most} finite numbers"
        raise DataError(
            f"{name}={values!r} does not rise.", fix=f"Give {count}, each greater than the one before.", value=values
        )


def check_count(name: str, value: object, *, least: int) -> None:
    """Raise unless the value is a whole number that is not too small.

    Raises:
        DataError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DataError(f"{name}={value!r} is not possible.", fix=f"Give a whole number from {least}.", value=value)
