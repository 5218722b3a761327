"""The transformations of a view as one scikit-learn transformer: raw columns in, what a model learns from out.

It is what training data fits on its training split, what `X` is made by, and the first step of a registered model. All
of them run the same code: values become Arrow columns of the view's types first, so a frame of floats and a table of
integers, a single row and a million, give the same bits.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from groundswell.engines import ArrowRows, Cached, Scannable
from groundswell.errors import ColumnNotFoundError, DataError, FitError, SchemaError, choices
from groundswell.features._frames import to_features
from groundswell.features.fitting._columns import Chosen, as_arrow, as_floats, raw_table, whole
from groundswell.features.fitting._estimators import Transformer, estimator_of
from groundswell.features.transformations import Transformation, steps_of, transformation_from_dict
from groundswell.types import Schema

__all__ = ["Transformations", "has_transformations", "pipeline"]

_MEMORY_BYTES = 256 << 20
_DISK_BYTES = 1 << 40


class Transformations(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Transforms the raw features of a view. Made by `TrainingData.pipeline` and `TrainingData.transformations`.

    Args:
        declared: the transformations as plain values, in the order in which they are made.
        columns: the raw features as plain values: names and types, in order.

    Attributes:
        feature_names_in_, n_features_in_: the raw features that it takes.
        steps_: the fitted transformers, one for each step.
        outputs_: what stands in the place of each raw feature, by its name.
    """

    def __init__(self, declared: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]]) -> None:
        self.declared, self.columns = declared, columns

    @staticmethod
    def of(declared: Sequence[Transformation], schema: Schema) -> "Transformations":
        """Not fitted yet, for a view with these raw features."""
        return Transformations([each.to_dict() for each in declared], schema.to_dict())

    @property
    def schema(self) -> Schema:
        """The raw features."""
        return Schema.from_dict(self.columns)

    @cached_property
    def _steps(self) -> tuple[Transformation, ...]:
        return steps_of([transformation_from_dict(each) for each in self.declared])

    @cached_property
    def _taken(self) -> Schema:
        taken = set(self.feature_names_in_)
        return Schema(tuple(field for field in self.schema if field.name in taken))

    @cached_property
    def _used(self) -> list[tuple[Transformation, Transformer]]:
        """The steps that transform what is taken."""
        steps = zip(self._steps, self.steps_, strict=True)
        return [(step, fitted) for step, fitted in steps if set(step.columns) <= set(self.feature_names_in_)]

    def __getstate__(self) -> dict[str, Any]:  # Any: the pickle protocol's own type
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in ("_steps", "_taken", "_used")}

    def fit(self, X: Any, y: Any = None) -> Self:  # Any: a frame, a table, or a source of parts
        """Learn from rows.

        Args:
            X: the raw features: a pandas frame, anything with `__arrow_c_stream__`, or a `Scannable`, read in parts.
            y: not used.

        Raises:
            FitError: there are no rows, or a transformation cannot learn from them.
            ColumnNotFoundError: a raw feature is not there.
            DataError: a value does not fit the feature's type.
            SchemaError: two columns would have one name.
        """
        del y
        parted = not isinstance(X, pd.DataFrame) and isinstance(X, Scannable)  # a frame may have columns named so
        source = X if parted else ArrowRows(raw_table(X, self.schema))
        needed = [f.name for f in self.schema if any(f.name in step.columns for step in self._steps)]
        outputs = {name: [name] for name in self.schema.names}
        fitted: list[Transformer] = []
        with Cached(source, needed, memory_bytes=_MEMORY_BYTES, disk_bytes=_DISK_BYTES) as kept:
            rows: Scannable = Chosen(kept, needed)
            for step in self._steps:
                fitted.append(_fit(step, rows))
                if step.expands:  # nothing comes after it
                    outputs[step.columns[0]] = step.names(fitted[-1].get_feature_names_out())
                else:
                    rows = fitted[-1].transform(rows)
        self.steps_, self.outputs_ = fitted, outputs
        self._take(self.schema.names)
        _check_names(outputs)
        return self

    def restore(self, states: Sequence[Mapping[str, Any]], outputs: Mapping[str, Sequence[str]]) -> Self:
        """Become fitted by what another had learned: the attributes of its transformers, and its outputs."""
        self.steps_ = []
        for step, state in zip(self._steps, states, strict=True):
            fitted = estimator_of(step)
            vars(fitted).update(state)
            self.steps_.append(fitted)
        self.outputs_ = {name: list(made) for name, made in outputs.items()}
        self._take(self.schema.names)
        return self

    def _take(self, names: Sequence[str]) -> None:
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        for derived in ("_taken", "_used"):
            self.__dict__.pop(derived, None)

    def transform(self, X: Any) -> pd.DataFrame:  # Any: as in fit
        """The transformed features, [rows, columns], as a pandas frame.

        Args:
            X: the raw features: a pandas frame, or anything with `__arrow_c_stream__`; other columns are left out.

        Raises:
            sklearn.exceptions.NotFittedError: it is not fitted.
            ColumnNotFoundError: a raw feature is not there.
            DataError: a value does not fit the feature's type.
        """
        columns = self._transformed(X)
        if all(column.dtype == np.float64 if isinstance(column, np.ndarray) else pa.types.is_float64(column.type)
               for column in columns.values()):  # fmt: skip
            # One matrix: to convert column by column takes twice as long as all transformations of a single row.
            return pd.DataFrame(np.column_stack([as_floats(c) for c in columns.values()]), columns=list(columns))
        return to_features(_table(columns))

    def transform_table(self, X: Any) -> pa.Table:  # Any: as in fit
        """The same as an Arrow table."""
        return _table(self._transformed(X))

    def _transformed(self, X: Any) -> dict[str, Any]:  # Any: as in fit; columns of numpy or Arrow
        check_is_fitted(self)
        table = raw_table(X, self._taken)
        columns: dict[str, Any] = dict(zip(table.column_names, table.columns, strict=True))
        for step, fitted in self._used:
            made = fitted.transform_columns({name: whole(columns[name]) for name in step.columns})
            columns |= dict(zip(step.names(list(made)), made.values(), strict=True))
        return {name: columns[name] for name in self.get_feature_names_out().tolist()}

    @property
    def transformed_schema(self) -> Schema:
        """The transformed features: names and types, in order."""
        return Schema.from_arrow(self.transform_table(self._taken.to_arrow().empty_table()).schema)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray[Any, Any]:  # Any: scikit-learn's
        """The names of the transformed features, in order: what replaces a feature stands in its place."""
        del input_features
        check_is_fitted(self)
        chosen = getattr(self, "chosen_", None)
        names = [n for name in self.feature_names_in_ for n in self.outputs_[name]] if chosen is None else chosen
        return np.asarray(names, dtype=object)

    def giving(self, names: Sequence[str]) -> "Transformations":
        """The same, fitted, giving only these transformed features in this order, and taking what they need.

        Raises:
            ColumnNotFoundError: a name is none of the transformed features.
        """
        known = self.get_feature_names_out().tolist()
        if list(names) == known:
            return self
        for name in names:
            if name not in known:
                raise ColumnNotFoundError(
                    f"{name!r} is no transformed feature.", fix=choices(name, known, "features"), column=name
                )
        needed = {raw for raw, made in self.outputs_.items() if set(made) & set(names)}
        for step in reversed(self._steps):  # a transformer is fitted on all its columns and takes all of them
            needed |= set(step.columns) if set(step.columns) & needed else set()
        for step in self._steps:
            needed |= set(step.columns) if set(step.columns) & needed else set()
        fewer = Transformations(self.declared, self.columns)
        fewer.steps_, fewer.outputs_, fewer.chosen_ = self.steps_, self.outputs_, list(names)
        fewer._take([name for name in self.schema.names if name in needed])
        return fewer

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        """The declarations, rather than the plain values that they are kept as."""
        return f"Transformations({', '.join(transformation_from_dict(each).code() for each in self.declared)})"[
            :N_CHAR_MAX
        ]

    def __sklearn_tags__(self) -> Any:  # Any: scikit-learn's tags
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def pipeline(transformations: Transformations | None, estimator: Any) -> Pipeline:  # Any: whatever has `fit`
    """The transformations, not fitted, and an estimator; the estimator alone if there are none."""
    if transformations is None:
        return Pipeline([("model", estimator)])
    return Pipeline([("transformations", clone(transformations)), ("model", estimator)])


def has_transformations(model: object) -> bool:
    """Whether a model transforms its inputs itself: it was made with `pipeline`, alone or inside another."""
    if not isinstance(model, BaseEstimator):
        return False
    return any(isinstance(part, Transformations) for part in model.get_params(deep=True).values())


def _table(columns: Mapping[str, Any]) -> pa.Table:  # Any: columns of numpy or Arrow
    return pa.table([as_arrow(column) for column in columns.values()], list(columns))


def _fit(step: Transformation, rows: Scannable) -> Transformer:
    try:
        fitted: Transformer = estimator_of(step).fit(Chosen(rows, step.columns))
        if step.role == "log":  # it learns nothing, so only now is it seen whether it takes all values
            for part in fitted.transform(Chosen(rows, step.columns)).parts(step.columns):
                part()
    except (FitError, DataError) as error:
        raise FitError(
            f"{step.code()} cannot be fitted: {error.what}", why=error.why, fix=error.fix, columns=list(step.columns)
        ) from error
    return fitted


def _check_names(outputs: Mapping[str, Sequence[str]]) -> None:
    of: dict[str, str] = {}
    for raw, names in outputs.items():
        for name in names:
            if name in of:
                raise SchemaError(
                    f"Two transformed features would be called {name!r}: one of {of[name]!r}, one of {raw!r}.",
                    fix="Give the join a prefix, or insert one of the columns under another name.",
                    column=name,
                )
            of[name] = raw
