"""Missing values replaced by what their column usually has."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from groundswell.errors import FitError, TypeMismatchError
from groundswell.estimators._categories import as_categories
from groundswell.estimators._columns import (
    Columns,
    array_columns,
    arrow_column,
    feature_keys,
    fit_columns,
    input_names,
)
from groundswell.estimators._input import Input, fit_input
from groundswell.estimators._quantiles import quantiles
from groundswell.estimators._row_errors import no_rows, require_finite
from groundswell.estimators._transform import TableTransformer
from groundswell.statistics import Batch, CategoryCounts, Moments, Together
from groundswell.statistics._matrix import Floats
from groundswell.types import is_numeric

Strategy = Literal["mean", "median", "most_frequent", "constant"]
STRATEGIES = ("mean", "median", "most_frequent", "constant")


class SimpleImputer(TableTransformer):
    """Replaces missing values, null and NaN, column by column.

    Args:
        strategy: "mean", "median" (exact, on tables by two to seven passes), "most_frequent" (of equals the smaller)
            or "constant". The last two take columns of any type, and keep the type of a table's columns.
        fill_value: the constant; None is 0 for numbers and "missing_value" for all else.
        add_indicator: whether to add a column of zeros and ones for each feature that had missing values in the fit.
        keep_empty_features: whether a feature without any value is kept, filled with 0 or the constant, or left out.

    Attributes:
        statistics_: what replaces the missing values of each feature.
        n_features_in_, feature_names_in_: what it was fitted on.

    >>> SimpleImputer(add_indicator=True).fit_transform([[1.0], [np.nan], [3.0]]).tolist()
    [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    """

    def __init__(
        self,
        *,
        strategy: Strategy = "mean",
        fill_value: Any = None,  # Any: of the type of the columns
        add_indicator: bool = False,
        keep_empty_features: bool = False,
    ) -> None:
        self.strategy, self.fill_value = strategy, fill_value
        self.add_indicator, self.keep_empty_features = add_indicator, keep_empty_features

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: array-likes and tables
        """Learn what replaces missing values.

        Args:
            X: shape (rows, features), a data frame, or a table.
            y: not used; with a table the name of a column that is no feature.

        Raises:
            FitError: the strategy is none, there are no rows, or a mean or median is infinite.
            TypeMismatchError: a column holds no numbers and has no mean or median, or does not take the constant.
            ColumnNotFoundError: y is not in the table.
        """
        if self.strategy not in STRATEGIES:
            raise FitError(f"strategy is {self.strategy!r}.", fix=f"Use one of {', '.join(map(repr, STRATEGIES))}.")
        if self._any_type:
            found, present, missing = self._of_columns(fit_columns(self, X, y))
        else:
            found, present, missing = self._of_numbers(fit_input(self, X, y, allow_nan=True))
        if not (present + missing).any():
            raise no_rows()
        self.statistics_ = found
        self._had_missing = missing > 0
        self._kept = (present > 0) | (self.keep_empty_features or self.strategy == "constant")
        if not self._kept.all():
            names = [name for name, kept in zip(feature_keys(self), self._kept, strict=True) if not kept]
            warnings.warn(
                f"The features {names} have no values and are left out; keep_empty_features=True keeps them.",
                stacklevel=2,
            )
        return self

    @property
    def _any_type(self) -> bool:
        return self.strategy in ("most_frequent", "constant")

    def _of_numbers(self, data: Input) -> tuple[NDArray[Any], Floats, Floats]:
        """Means or medians, and the numbers of values present and missing."""
        moments = data.fold(Moments()).result()
        by_mean = self.strategy == "mean" or not moments.weight.any()
        found = moments.mean if by_mean else quantiles(data, [0.5])[:, 0]
        require_finite(found[moments.weight > 0])
        return found, moments.weight, moments.missing

    def _of_columns(self, data: Columns) -> tuple[NDArray[Any], Floats, Floats]:
        """Most frequent values or constants, and the numbers of values present and missing."""
        if self.strategy == "constant":
            counts = data.fold(Together({name: _Missing(name) for name in data.names})).result()
            present, missing = np.array([counts[name] for name in data.names], np.float64).T
            found = [self._constant(name, kind) for name, kind in zip(data.names, data.types, strict=True)]
        else:
            seen = data.fold(Together({name: CategoryCounts(name) for name in data.names})).result()
            present = np.array([seen[name].counts.sum() for name in data.names], np.float64)
            missing = np.array([seen[name].missing for name in data.names], np.float64)
            found = [most[0][0] if (most := seen[name].most_common(1)) else None for name in data.names]
        numeric = all(is_numeric(kind) for kind in data.types)
        return as_categories(found, pa.float64() if numeric else pa.null()), present, missing

    def _constant(self, name: str, kind: pa.DataType) -> Any:  # Any: of the type of the column
        if self.fill_value is None:
            return 0 if is_numeric(kind) else "missing_value"
        try:
            return pa.scalar(self.fill_value, kind).as_py()
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            raise TypeMismatchError(
                f"fill_value {self.fill_value!r} does not fit column {name!r} of the type {kind}.",
                why="What is filled in has the type of the column.",
                fix="Give a value of that type, or impute columns of different types apart, in a ColumnTransformer.",
                column=name,
                type=str(kind),
            ) from None

    def _filling(self, i: int, kind: pa.DataType) -> pa.Scalar:
        """What replaces the missing values of a feature; the constant for one that had no values."""
        value = self.statistics_[i]
        gap = value is None or value != value
        value = self._constant(feature_keys(self)[i], kind) if gap else value
        return pa.scalar(int(value) if pa.types.is_integer(kind) else value, kind)

    def _transform_batch(self, batch: Batch) -> Any:  # Any: an array, or Arrow arrays
        return self._filled(batch) if self._any_type else self._filled_numbers(batch)

    def _filled_numbers(self, batch: Batch) -> Floats:
        given, kept = batch.matrix, np.flatnonzero(self._kept)
        noted = np.flatnonzero(self._had_missing) if self.add_indicator else kept[:0]
        made = np.empty((len(given), len(kept) + len(noted)), order="F")
        for i, j in enumerate(kept):
            made[:, i] = given[:, j]
            np.copyto(made[:, i], float(np.nan_to_num(self.statistics_[j])), where=np.isnan(given[:, j]))
        for i, j in enumerate(noted, len(kept)):
            made[:, i] = np.isnan(given[:, j])
        return made

    def _filled(self, batch: Batch) -> list[pa.Array]:
        columns, gaps = [], []
        for i, name in enumerate(feature_keys(self)):
            column = arrow_column(batch, name)
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            if pa.types.is_floating(column.type):
                column = pc.if_else(pc.is_nan(column), None, column)
            if self.add_indicator and self._had_missing[i]:
                gaps.append(column.is_null().cast(pa.float64()))
            if self._kept[i]:
                columns.append(column.fill_null(self._filling(i, column.type)) if column.null_count else column)
        return columns + gaps

    def _transform_array(self, X: Any) -> Any:  # Any: array-likes
        if not self._any_type:
            return super()._transform_array(X)
        check_is_fitted(self)
        batch = array_columns(self, X)
        columns = self._filled(batch)
        made = np.empty((len(batch), len(columns)), np.float64 if all(is_numeric(c.type) for c in columns) else object)
        for j, column in enumerate(columns):
            made[:, j] = column.to_numpy(zero_copy_only=False)
        return made

    def _column_types(self, schema: pa.Schema) -> list[pa.DataType] | None:
        if not self._any_type:
            return None
        kinds = [schema.field(name).type for name, kept in zip(feature_keys(self), self._kept, strict=True) if kept]
        values = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
        return values + [pa.float64()] * (len(self.get_feature_names_out()) - len(values))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # Any: an array-like of names
        """The names of the features that are kept, then of the indicator's columns: missingindicator_….

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            DataError: there are not as many names as features, or others than those of the fit.
        """
        check_is_fitted(self)
        names = input_names(self, input_features)
        kept = [name for name, keep in zip(names, self._kept, strict=True) if keep]
        gaps = [f"missingindicator_{name}" for name, had in zip(names, self._had_missing, strict=True) if had]
        return np.asarray(kept + (gaps if self.add_indicator else []), dtype=object)


@dataclass
class _Missing:
    """How many values of a column are present and how many are missing."""

    column: str
    counts: Floats = field(init=False, default_factory=lambda: np.zeros(2))

    def zero(self) -> "_Missing":
        return _Missing(self.column)

    def update(self, batch: Batch) -> None:
        gaps = arrow_column(batch, self.column).is_null(nan_is_null=True).true_count
        self.counts += [len(batch) - gaps, gaps]

    def merge(self, other: "_Missing") -> None:
        self.counts = self.counts + other.counts

    def result(self) -> Floats:
        return self.counts
