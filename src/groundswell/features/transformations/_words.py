"""The words of `gs.` that declare transformations, and how a stored declaration is read back."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from groundswell.errors import CorruptionError, choices
from groundswell.features.transformations._binning import Bucketize, QuantileBins
from groundswell.features.transformations._encoding import Hashing, OneHot, Ordinal
from groundswell.features.transformations._filling import Impute, Strategy
from groundswell.features.transformations._scaling import Log, MaxAbs, MinMax, Robust, Standardize
from groundswell.features.transformations._transformation import Transformation

__all__ = [
    "bucketize",
    "hashing",
    "impute",
    "log",
    "max_abs",
    "min_max",
    "one_hot",
    "ordinal",
    "quantile_bins",
    "robust",
    "standardize",
    "transformation_from_dict",
]

_KINDS: Mapping[str, type[Transformation]] = {
    kind.kind: kind
    for kind in (Bucketize, Hashing, Impute, Log, MaxAbs, MinMax, OneHot, Ordinal, QuantileBins, Robust, Standardize)
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
    low, high = feature_range
    return MinMax(columns=columns, feature_range=(low, high))


def max_abs(*columns: str) -> Transformation:
    """Divide columns by the largest absolute value of the training split, so that zeros stay zeros.

    Args:
        columns: numbers.
    """
    return MaxAbs(columns=columns)


def robust(*columns: str, quantile_range: tuple[float, float] = (25.0, 75.0)) -> Transformation:
    """Scale columns by their median and the span between two quantiles, which outliers hardly move.

    Args:
        columns: numbers.
        quantile_range: the two quantiles, in percent.

    Raises:
        DataError: they are not two rising percentages.
    """
    low, high = quantile_range
    return Robust(columns=columns, quantile_range=(low, high))


def bucketize(*columns: str, edges: Sequence[float]) -> Transformation:
    """The number of the bin that a value lies in, from 0: below the first edge, from it to the second, and so on.

    A value on an edge is in the bin that begins there. A missing value stays missing. Nothing is fitted.

    Args:
        columns: numbers.
        edges: finite and rising; n edges make n + 1 bins.

    Raises:
        DataError: the edges do not rise.

    >>> bucketize("age", edges=[18, 65])
    gs.bucketize('age', edges=(18, 65))
    """
    return Bucketize(columns=columns, edges=tuple(edges))


def quantile_bins(*columns: str, n_bins: int = 10) -> Transformation:
    """The number of the bin that a value lies in, from 0; each bin holds equally many rows of the training split.

    A missing value stays missing. The outer bins take what lies beyond the values of the training split.

    Args:
        columns: numbers.
        n_bins: how many bins; there are fewer where values repeat so often that edges fall together.

    Raises:
        DataError: there are fewer than two.
    """
    return QuantileBins(columns=columns, n_bins=n_bins)


def impute(*columns: str, strategy: Strategy = "mean", value: bool | int | float | str | None = None) -> Transformation:
    """A value in place of each missing one, null or NaN. Write it before what cannot take missing values.

    Args:
        columns: numbers; text, whole numbers and booleans too for "most_frequent" and "constant".
        strategy: what to put in: "mean", "median", "most_frequent" (each of the training split) or "constant".
        value: the constant.

    Raises:
        DataError: the strategy is none, or a constant is missing or not wanted.
    """
    return Impute(columns=columns, strategy=strategy, value=value)


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


def hashing(*columns: str, n_features: int = 32) -> Transformation:
    """A fixed number of columns in place of a text, of which a hash of the text chooses one: 1 or −1 there, else 0.

    For texts with very many values. Nothing is fitted, so a text that training never met has its place too; two texts
    may share one. A missing value has zeros only.

    Args:
        columns: text.
        n_features: how many columns there are for each.

    Raises:
        DataError: there is less than one.
    """
    return Hashing(columns=columns, n_features=n_features)


def log(*columns: str) -> Transformation:
    """log(1 + x), for counts and amounts, which are not negative. A missing value stays missing.

    Args:
        columns: numbers from 0; a training split with a negative one is refused, and so is a request.
    """
    return Log(columns=columns)
