"""The words of `gs.` that declare transformations, and how a stored declaration is read back."""

from collections.abc import Mapping
from typing import Any, Literal

from groundswell.errors import CorruptionError, choices
from groundswell.features.transformations._encoding import OneHot, Ordinal
from groundswell.features.transformations._scaling import MaxAbs, MinMax, Standardize
from groundswell.features.transformations._transformation import Transformation

__all__ = ["max_abs", "min_max", "one_hot", "ordinal", "standardize", "transformation_from_dict"]

_KINDS: Mapping[str, type[Transformation]] = {
    kind.kind: kind for kind in (MaxAbs, MinMax, OneHot, Ordinal, Standardize)
}


def transformation_from_dict(stored: Mapping[str, Any]) -> Transformation:
    """Read back what `Transformation.to_dict` gave.

    Raises:
        CorruptionError: it is of a kind that there is not.
    """
    parameters = dict(stored)
    kind, columns = parameters.pop("kind", None), parameters.pop("columns", ())
    if kind not in _KINDS:
        raise CorruptionError(
            f"A stored transformation is of the kind {kind!r}.",
            why="It was written by a newer version, or damaged.",
            fix=choices(str(kind), _KINDS, "kinds"),
            kind=kind,
        )
    return _KINDS[kind].of(tuple(columns), parameters)


def standardize(*columns: str, with_mean: bool = True, with_std: bool = True) -> Transformation:
    """Standardize columns: z = (x − mean) / standard deviation of the training split. A missing value stays missing.

    Args:
        columns: numbers.
        with_mean: whether to subtract the mean.
        with_std: whether to divide by the standard deviation.

    >>> standardize("distance", "temp")
    gs.standardize('distance', 'temp')
    """
    return Standardize(columns=columns, with_mean=with_mean, with_std=with_std)


def min_max(*columns: str, feature_range: tuple[float, float] = (0.0, 1.0)) -> Transformation:
    """Scale columns to a range: the least value of the training split to its beginning, the greatest to its end.

    Values beyond those of the training split come to lie beyond the range.

    Args:
        columns: numbers.
        feature_range: beginning and end.

    Raises:
        DataError: the range does not rise.
    """
    return MinMax(columns=columns, feature_range=tuple(feature_range))


def max_abs(*columns: str) -> Transformation:
    """Divide columns by the largest absolute value of the training split, so that zeros stay zeros.

    Args:
        columns: numbers.
    """
    return MaxAbs(columns=columns)


def one_hot(
    *columns: str, drop: Literal["first", "last", "if_binary"] | None = None, max_categories: int | None = None
) -> Transformation:
    """A column of zeros and ones for each category that the training split holds, in place of the column.

    A missing value is a category of its own if training had one. A category that training never met has zeros only.

    Args:
        columns: text, whole numbers, booleans, or bins.
        drop: leaves out one of the new columns, so that the others do not sum to one: "first", "last", or "if_binary".
        max_categories: how many new columns there may be; the rarest categories share the last.

    Raises:
        DataError: `drop` is none of its values, or `max_categories` is less than two.
    """
    return OneHot(columns=columns, drop=drop, max_categories=max_categories)


def ordinal(*columns: str) -> Transformation:
    """The number of each category, from 0 in ascending order; −1 for one that training never met, NaN for none.

    Args:
        columns: text, whole numbers or booleans.
    """
    return Ordinal(columns=columns)
