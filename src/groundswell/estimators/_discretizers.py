"""Numbers as bins: between edges that are given, of equal width, or of equal weight."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import DataError, FitError
from groundswell.estimators._columns import input_names
from groundswell.estimators._input import Input, fit_input
from groundswell.estimators._quantiles import Method, quantiles
from groundswell.estimators._row_errors import no_rows, require_finite
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch, MinMax
from groundswell.statistics._matrix import Floats

Encode = Literal["onehot", "onehot-dense", "ordinal"]
ENCODINGS = ("onehot", "onehot-dense", "ordinal")

FEW_EDGES = 32
"""So many are sooner compared one by one, without a branch, than by bisection."""


class _Binning(TableTransformer):
    """What discretizers share once the edges are known. NaN is in no bin: NaN as a number, zeros as one-hot."""

    encode: Encode
    bin_edges_: NDArray[Any]
    n_bins_: NDArray[np.int64]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _check_encoding(self) -> None:
        if self.encode not in ENCODINGS:
            raise FitError(f"encode is {self.encode!r}.", fix=f"Use one of {', '.join(map(repr, ENCODINGS))}.")

    @abstractmethod
    def _check_values(self, column: Floats, i: int) -> None:
        """Raise if a value may be in no bin."""

    def _set_edges(self, edges: list[Floats]) -> None:
        self.bin_edges_ = np.empty(len(edges), dtype=object)
        self.bin_edges_[:] = edges
        self.n_bins_ = np.array([len(one) - 1 for one in edges], np.int64)

    def _columns(self, batch: Batch) -> Iterator[tuple[NDArray[np.integer[Any]], NDArray[np.bool_]]]:
        """Of each feature the bin of every row, 0 where it is in none, and where that is."""
        x = batch.matrix
        for i, edges in enumerate(self.bin_edges_):
            column = x[:, i].astype(np.float64)
            self._check_values(column, i)
            yield _bins(column, edges[1:-1]), np.isnan(column)

    def _numbers(self, batch: Batch) -> Floats:
        bins = np.empty((len(batch), len(self.n_bins_)), order="F")
        for i, (column, missing) in enumerate(self._columns(batch)):
            bins[:, i] = column
            bins[missing, i] = np.nan
        return bins

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a sparse or a dense matrix
        if self.encode == "ordinal":
            return self._numbers(batch)
        n_rows, starts = len(batch), np.cumsum([0, *self.n_bins_], dtype=np.int32)
        places, kept = np.empty((n_rows, len(self.n_bins_)), np.int32), np.ones((n_rows, len(self.n_bins_)), bool)
        for i, (column, missing) in enumerate(self._columns(batch)):
            np.add(column, starts[i], out=places[:, i], casting="same_kind")
            kept[:, i] = ~missing
        ends = np.append(0, np.cumsum(kept.sum(axis=1)))
        taken = places.ravel() if kept.all() else places[kept]
        made = sparse.csr_matrix((np.ones(len(taken)), taken, ends), shape=(n_rows, int(starts[-1])))
        return made if self.encode == "onehot" else made.toarray()

    def inverse_transform(self, X: Any) -> Floats:  # Any: an array or a sparse matrix
        """The middle of the bin of each value, shape (rows, features); NaN where there is none.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: X has another number of columns than `transform` gives.
        """
        check_is_fitted(self)
        given = check_array(X, accept_sparse="csr", ensure_all_finite="allow-nan")
        width = len(self.n_bins_) if self.encode == "ordinal" else int(self.n_bins_.sum())
        if given.shape[1] != width:
            raise DataError(f"X has {given.shape[1]} columns in place of {width}.", fix="Give what transform gave.")
        starts, found = np.cumsum([0, *self.n_bins_]), np.empty((given.shape[0], len(self.n_bins_)))
        for i, edges in enumerate(self.bin_edges_):
            if self.encode == "ordinal":
                bins = given[:, i]
            else:
                part = sparse.csc_matrix(given)[:, starts[i] : starts[i + 1]].toarray()
                bins = np.where(part.any(axis=1), part.argmax(axis=1), np.nan)
            middles = np.append((edges[1:] + edges[:-1]) / 2, np.nan)
            found[:, i] = middles[np.where(np.isnan(bins), len(edges) - 1, bins).astype(np.intp)]
        return found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: an array-like of names
        """The features' names, with the number of the bin if there is a column for each.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: there are not as many names as features, or others than those of the fit.
        """
        check_is_fitted(self)
        names = input_names(self, input_features)
        if self.encode != "ordinal":
            names = tuple(f"{name}_{b}.0" for name, n in zip(names, self.n_bins_, strict=True) for b in range(n))
        return np.asarray(names, dtype=object)


class KBinsDiscretizer(_Binning):
    """Bins of equal width, or with equally many rows, found from the data; the outer bins have no end.

    Args:
        n_bins: how many, from 2; one number, or one for each feature.
        encode: "onehot" (a sparse matrix), "onehot-dense" or "ordinal" (0, 1, …).
        strategy: "quantile" (exact, on tables by one to six passes) or "uniform".
        quantile_method: what lies between two values, in numpy's words.

    Attributes:
        bin_edges_: for each feature its edges, shape (bins + 1,). n_bins_: shape (features,).
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> KBinsDiscretizer(2, encode="ordinal").fit_transform(np.array([[1.0], [2.0], [3.0], [9.0]])).ravel().tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    def __init__(
        self,
        n_bins: int | Sequence[int] = 5,
        *,
        encode: Encode = "onehot",
        strategy: Literal["quantile", "uniform"] = "quantile",
        quantile_method: Method = "averaged_inverted_cdf",
    ) -> None:
        self.n_bins, self.encode = n_bins, encode
        self.strategy, self.quantile_method = strategy, quantile_method

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Find the edges; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: a setting is none, there are no rows, or an edge is infinite.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._check_encoding()
        if self.strategy not in ("quantile", "uniform"):
            raise FitError(f"strategy is {self.strategy!r}.", fix="Use 'quantile' or 'uniform'.")
        data = fit_input(self, X, y, allow_nan=True)
        wanted = self._wanted(data.n_features)
        edges = self._uniform(data, wanted) if self.strategy == "uniform" else self._quantiles(data, wanted)
        require_finite(*(row[~np.isnan(row)] for row in edges))
        self._set_edges([self._different(i, row, n) for i, (row, n) in enumerate(zip(edges, wanted, strict=True))])
        return self

    def _wanted(self, n_features: int) -> NDArray[np.int64]:
        wanted = np.asarray(self.n_bins)
        if wanted.dtype.kind not in "iu" or wanted.shape not in ((), (n_features,)) or (wanted < 2).any():
            raise FitError(
                f"n_bins is {self.n_bins!r}.", fix=f"Use a whole number from 2, or {n_features} of them, one a feature."
            )
        return np.broadcast_to(wanted, (n_features,))

    def _uniform(self, data: Input, wanted: NDArray[np.int64]) -> list[Floats]:
        span = data.fold(MinMax()).result()
        if not span.minimum.size:
            raise no_rows()
        require_finite(*(bound[~np.isnan(bound)] for bound in (span.minimum, span.maximum)))
        return [np.linspace(a, b, n + 1) for a, b, n in zip(span.minimum, span.maximum, wanted, strict=True)]

    def _quantiles(self, data: Input, wanted: NDArray[np.int64]) -> list[Floats]:
        levels = sorted({level for n in set(wanted.tolist()) for level in _levels(n)})
        found = quantiles(data, levels, self.quantile_method)
        return [row[np.searchsorted(levels, _levels(n))] for row, n in zip(found, wanted.tolist(), strict=True)]

    def _different(self, i: int, edges: Floats, n_bins: int) -> Floats:
        """The edges without those that coincide; a constant feature has one bin."""
        if np.isnan(edges).any() or edges[0] == edges[-1]:
            warnings.warn(f"Feature {i} is constant and will be replaced with 0.", stacklevel=4)
            return np.array([-np.inf, np.inf])
        if self.strategy == "uniform":
            return edges
        kept = edges[np.append(True, np.diff(edges) > 1e-8)]
        if len(kept) <= n_bins:
            warnings.warn(
                f"Bins of feature {i} whose width is too small (at most 1e-8) are joined: {len(kept) - 1} of {n_bins} "
                "remain. Ask for fewer bins.",
                stacklevel=4,
            )
        return np.asarray(kept)

    def _check_values(self, column: Floats, i: int) -> None:
        """Every number is in a bin, as the outer ones have no end."""


def _levels(n_bins: int) -> list[float]:
    """The quantiles that divide rows into so many bins, as numpy computes them."""
    return [float(level) for level in np.linspace(0, 100, n_bins + 1) / 100]


class Bucketizer(_Binning):
    """Bins between given edges. Known as pandas.cut, and as Bucketizer in Spark.

    A value is in the bin that begins with the edge at or below it; the last edge belongs to the last bin.

    Args:
        splits: the edges, ascending: one list for all features, or one for each; infinite ones leave no value outside.
        encode: "ordinal" (0, 1, …), "onehot" (a sparse matrix) or "onehot-dense".

    Attributes:
        bin_edges_: for each feature its edges, shape (bins + 1,). n_bins_: shape (features,).
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> ages = np.array([[7.0], [18.0], [70.0]])
    >>> Bucketizer([0, 18, 65, np.inf]).fit_transform(ages).ravel().tolist()
    [0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        splits: Sequence[float] | Sequence[Sequence[float]] = (-np.inf, 0.0, np.inf),
        *,
        encode: Encode = "ordinal",
    ) -> None:
        self.splits, self.encode = splits, encode

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Check the edges and learn the names of the features; arguments as for `StandardScaler.fit`.

        Raises:
            FitError: the edges do not ascend, or there are lists for another number of features.
            ColumnNotFoundError, TypeMismatchError: a column is not there, or holds no numbers.
        """
        self._check_encoding()
        n_features = fit_input(self, X, y, allow_nan=True).n_features
        several = len(self.splits) > 0 and np.ndim(self.splits[0]) == 1
        given = list(self.splits) if several else [self.splits] * n_features
        edges = [np.asarray(one, np.float64) for one in given]
        if len(edges) != n_features or any(len(one) < 2 or not (np.diff(one) > 0).all() for one in edges):
            raise FitError(
                f"The splits are {self.splits!r}, for {n_features} features.",
                why="The edges of a feature are two or more, and ascend.",
                fix="Give one list such as [0, 18, 65, inf] for all features, or one for each.",
            )
        self._set_edges(edges)
        return self

    def _check_values(self, column: Floats, i: int) -> None:
        edges = self.bin_edges_[i]
        outside = column[(column < edges[0]) | (column > edges[-1])]
        if len(outside):
            raise DataError(
                f"{outside[0]:g} of feature {input_names(self, None)[i]!r} is outside of the splits {edges.tolist()}.",
                fix="Let the first be -inf and the last inf, if such values belong into the outer bins.",
                value=float(outside[0]),
            )


def _bins(column: Floats, edges: Floats) -> NDArray[np.integer[Any]]:
    """How many edges are at or below each value, 0 for NaN."""
    if len(edges) > FEW_EDGES:
        return np.where(np.isnan(column), 0, np.searchsorted(edges, column, side="right"))
    bins = np.zeros(len(column), np.uint8)
    for edge in edges:
        bins += column >= edge
    return bins
