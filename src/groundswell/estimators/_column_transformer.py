"""Transformers side by side, each for some columns: of arrays and data frames, and of tables that are read in parts."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, Tags, _safe_indexing, check_array, get_tags
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_feature_names, check_is_fitted, validate_data

from groundswell.engines import Batches, Roles, Scannable, as_scannable
from groundswell.engines._scannable import Part
from groundswell.errors import FitError, SchemaError
from groundswell.estimators._column_selection import positions_of
from groundswell.estimators._columns import arrow_column, feature_keys, input_names
from groundswell.estimators._input import batches_of, is_table, require_features, table_roles
from groundswell.estimators._transform import TableTransformer, Transformed
from groundswell.statistics import Batch, numbers
from groundswell.types import is_numeric


class ColumnTransformer(TableTransformer, _BaseComposition):  # type: ignore[misc]  # sklearn is untyped
    """Applies transformers to columns and puts what they make side by side.

    It is scikit-learn's of that name for tables too: a Parquet path, an Arrow table or stream, training data. Each
    transformer reads its own columns only, and the label passes through. scikit-learn's takes arrays and data frames.

    Args:
        transformers: triples of a name, a transformer ("drop" or "passthrough" as well), and its columns: names,
            positions, a slice, a mask, or a function such as `sklearn.compose.make_column_selector` that finds them in
            a data frame (of a table it sees one without rows). One name that is not in a list gives one-dimensional
            input, as vectorizers of texts want it.
        remainder: what becomes of all other columns: "drop", "passthrough" or a transformer.
        sparse_threshold: the share of values other than zero below which the result is sparse, if a part of it is.
        verbose_feature_names_out: whether the name of the transformer and two underscores precede the new names.

    Attributes:
        transformers_: the fitted triples; that of the remainder is the last, if there is one.
        named_transformers_: the fitted transformers by name.
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> from groundswell.estimators import OneHotEncoder, StandardScaler
    >>> flights = pa.table({"carrier": ["UA", "AA"], "distance": [100.0, 300.0], "late": [0, 1]})
    >>> features = ColumnTransformer([
    ...     ("hot", OneHotEncoder(), ["carrier"]), ("scaled", StandardScaler(), ["distance"])],
    ...     verbose_feature_names_out=False)
    >>> features.fit_transform(flights, "late").schema.names
    ['carrier_AA', 'carrier_UA', 'distance', 'late']
    """

    _any_type = True

    def __init__(
        self,
        transformers: Sequence[tuple[str, Any, Any]],  # Any: transformers; columns in any form
        *,
        remainder: Any = "drop",  # Any: a transformer or a word
        sparse_threshold: float = 0.3,
        verbose_feature_names_out: bool = True,
    ) -> None:
        self.transformers, self.remainder = transformers, remainder
        self.sparse_threshold, self.verbose_feature_names_out = sparse_threshold, verbose_feature_names_out

    @property
    def _transformers(self) -> Any:  # Any: pairs of a name and a transformer, as scikit-learn's composition wants them
        try:
            return [(name, transformer) for name, transformer, _ in self.transformers]
        except (TypeError, ValueError):  # what is no list of triples is refused by fit, not by get_params
            return self.transformers

    @_transformers.setter
    def _transformers(self, value: Any) -> None:
        self.transformers = [(*pair, old[2]) for pair, old in zip(value, self.transformers, strict=True)]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters, with those of the transformers as <name>__<parameter>."""
        found: dict[str, Any] = self._get_params("_transformers", deep=deep)
        return found

    def set_params(self, **kwargs: Any) -> Self:
        """Set parameters, also those of the transformers as <name>__<parameter>."""
        self._set_params("_transformers", **kwargs)
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        inner = [get_tags(t).input_tags for _, t in self._transformers if not isinstance(t, str)]
        tags.input_tags.sparse = all(one.sparse for one in inner)
        tags.input_tags.allow_nan = all(one.allow_nan for one in inner)
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Fit each transformer on its columns.

        Args:
            X: shape (rows, features), a data frame, or a table.
            y: handed to the transformers; with a table the name of a column that is no feature.

        Raises:
            FitError: a name is used twice, a transformer is none, or all columns are dropped.
            ColumnNotFoundError: a column is not there.
        """
        self._validate_names([name for name, _, _ in self.transformers])
        if is_table(X):
            source = as_scannable(X)
            y = table_roles(self, X, source, y).y
            X, frame = source, source.schema.empty_table().select(list(self.feature_names_in_)).to_pandas()
        else:
            X = frame = _checked(self, X, reset=True)
        triples = self._chosen(frame)
        self.transformers_ = [
            (name, self._fitted(transformer, X, columns, y), columns) for name, transformer, columns in triples
        ]
        self._check_names()
        return self

    def _chosen(self, frame: Any) -> list[tuple[str, Any, Any]]:  # Any: as in __init__; a frame or an array
        """The triples with positions as columns: one number, or an array of them."""
        names = getattr(self, "feature_names_in_", None)
        found, taken = [], set()
        for name, transformer, columns in self.transformers:
            if transformer not in ("drop", "passthrough") and not hasattr(transformer, "transform"):
                raise FitError(
                    f"{transformer!r} of {name!r} is no transformer.",
                    fix="Give an object with fit and transform, 'drop' or 'passthrough'.",
                )
            wanted = columns(frame) if callable(columns) else columns
            positions = positions_of(wanted, names, self.n_features_in_)
            taken |= set(np.atleast_1d(positions).tolist())
            found.append((name, transformer, positions))
        rest = np.array([j for j in range(self.n_features_in_) if j not in taken], np.intp)
        return [*found, ("remainder", self.remainder, rest)] if len(rest) else found

    def _fitted(self, transformer: Any, X: Any, columns: Any, y: Any) -> Any:  # Any: as in fit
        if isinstance(transformer, str) or not np.size(columns):
            return transformer if transformer == "passthrough" else "drop"
        if isinstance(X, Scannable):
            keys = feature_keys(self)
            names = [keys[j] for j in np.atleast_1d(columns)]
            return clone(transformer).fit(_Selected(X, names + ([] if y is None else [y])), y)
        return clone(transformer).fit(_safe_indexing(X, columns, axis=1), y)

    @property
    def named_transformers_(self) -> Bunch:
        """The fitted transformers by name."""
        return Bunch(**{name: transformer for name, transformer, _ in self.transformers_})

    def _kept(self) -> Iterator[tuple[str, Any, Any]]:  # Any: as in fit
        """The fitted triples that make something."""
        return (triple for triple in self.transformers_ if not isinstance(triple[1], str) or triple[1] != "drop")

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        check_is_fitted(self)
        X = _checked(self, X, reset=False)
        made = []
        for _, transformer, columns in self._kept():
            some = _safe_indexing(X, columns, axis=1)
            made.append(some if isinstance(transformer, str) else transformer.transform(some))
        return self._side_by_side([part if sparse.issparse(part) else np.asarray(part) for part in made], len(X))

    def _side_by_side(self, made: list[Any], n_rows: int) -> Any:  # Any: arrays and sparse matrices
        if not made:
            return np.empty((n_rows, 0))
        made = [part if part.ndim == 2 else part.reshape(-1, 1) for part in made]
        if any(map(sparse.issparse, made)):
            filled = sum(part.nnz if sparse.issparse(part) else part.size for part in made)
            size = sum(part.shape[0] * part.shape[1] for part in made)
            if filled < self.sparse_threshold * size:
                return sparse.hstack(made, format="csr")
            made = [part.toarray() if sparse.issparse(part) else part for part in made]
        return np.hstack(made)

    def _transform_table(self, X: Any) -> Transformed:  # Any: tables
        check_is_fitted(self)
        source = as_scannable(X)
        features = feature_keys(self)
        reads = [features[j] for j in sorted({j for _, _, c in self._kept() for j in np.atleast_1d(c).tolist()})]
        require_features(self, reads, source.schema.names)
        empty = _Selected(source, reads).schema.empty_table()
        types = [kind for part in self._parts_of(empty) for kind in _types(part)]
        numeric = all(map(is_numeric, types))

        def of(batch: Batch) -> Any:  # Any: a matrix, or Arrow arrays
            table = pa.table({name: arrow_column(batch, name) for name in reads})
            parts = self._parts_of(table)
            if numeric:
                return self._side_by_side([_matrix(part) for part in parts], len(table))
            return [column for part in parts for column in _arrays(part)]

        kept = [name for name in features if name in source.schema.names]
        names = [str(name) for name in self.get_feature_names_out()]
        labels = getattr(X, "label_schema", None)
        return Transformed(
            source, kept, names, of, types=types, any_type=True, reads=reads, label_schema=labels
        )  # fmt: skip

    def _parts_of(self, table: pa.Table) -> list[Any]:  # Any: tables, and what transformers of others make of them
        """What each transformer makes of rows in memory."""
        features, made = feature_keys(self), []
        for _, transformer, columns in self._kept():
            some = table.select([features[j] for j in np.atleast_1d(columns)])
            made.append(some if isinstance(transformer, str) else transformer.transform(some))
        return made

    def _transform_batch(self, batch: Batch) -> Any:  # Any: a dense or a sparse matrix
        table = pa.table({name: arrow_column(batch, name) for name in feature_keys(self)})
        return self._side_by_side([_matrix(part) for part in self._parts_of(table)], len(batch))

    def _check_names(self) -> None:
        if self.verbose_feature_names_out or not hasattr(self, "feature_names_in_"):
            return
        names, counts = np.unique(self.get_feature_names_out().astype(str), return_counts=True)
        if (counts > 1).any():
            raise SchemaError(
                f"Several transformers make the columns {names[counts > 1].tolist()[:5]}.",
                why="Names of columns are unique.",
                fix="Use verbose_feature_names_out=True, which puts the transformers' names before them.",
            )

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: an array-like of names
        """The names of the new columns, transformer by transformer.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: there are not as many names as features, or others than those of the fit.
        """
        check_is_fitted(self)
        names, found = np.asarray(input_names(self, input_features), dtype=object), []
        for name, transformer, columns in self._kept():
            own = names[np.atleast_1d(columns)]
            new = own if isinstance(transformer, str) else transformer.get_feature_names_out(own)
            found += [f"{name}__{one}" if self.verbose_feature_names_out else str(one) for one in new]
        return np.asarray(found, dtype=object)


class _Selected:
    """Some columns of a table."""

    def __init__(self, source: Scannable, names: Sequence[str]) -> None:
        self._source, self._names = source, list(names)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([self._source.schema.field(name) for name in self._names])

    @property
    def rows(self) -> int | None:
        return self._source.rows

    def parts(self, columns: Sequence[str]) -> Iterator[Part]:
        return self._source.parts(columns)

    def batches(self, roles: Roles) -> Batches:
        return batches_of(self._source, roles)


def _checked(estimator: BaseEstimator, X: Any, *, reset: bool) -> Any:  # Any: array-likes
    """An array or frame as it is, with the features of the fit."""
    if not (hasattr(X, "shape") or sparse.issparse(X)):
        X = check_array(X, dtype=None, ensure_all_finite=False)
    _check_feature_names(estimator, X, reset=reset)
    if len(X.shape) != 2 or 0 in X.shape or getattr(getattr(X, "dtype", None), "kind", "") == "c":
        check_array(X, accept_sparse=True, dtype=None, ensure_all_finite=False)  # raises scikit-learn's own message
    validate_data(estimator, X, skip_check_array=True, reset=reset)
    return X.tocsr() if sparse.issparse(X) else X


def _types(part: Any) -> list[pa.DataType]:  # Any: a table, or an array that a transformer of others made
    if isinstance(part, Transformed | pa.Table):
        return [field.type for field in part.schema]
    return [pa.float64()] * part.shape[1]


def _matrix(part: Any) -> Any:  # Any: as in _types; a dense or a sparse matrix
    if isinstance(part, pa.Table):
        return np.column_stack([numbers(column) for column in part.combine_chunks().columns])
    if not isinstance(part, Transformed):
        return part
    names = tuple(part.schema.names)
    found: list[Any] = [make().X for make in part.batches(Roles(X=names)).parts()]  # Any: dense or sparse
    if not found:
        return np.empty((0, len(names)))
    return sparse.vstack(found, format="csr") if sparse.issparse(found[0]) else np.concatenate(found)


def _arrays(part: Any) -> list[pa.Array]:  # Any: as in _types
    if isinstance(part, pa.Table):
        return [column.combine_chunks() for column in part.columns]
    if not isinstance(part, Transformed):
        return [pa.array(column) for column in (part.toarray() if sparse.issparse(part) else part).T]
    whole = pa.concat_tables([read() for read in part.parts(part.schema.names)])
    return [column.combine_chunks() for column in whole.columns]
