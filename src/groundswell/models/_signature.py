"""The signature of a model: what a request must hold and what an answer will.

It is inferred from the training data: the raw columns in order, their types, and which of them may be null because
they were null somewhere in training. Checked before a model sees a request; kept as JSON in the catalog and beside
the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.base import is_classifier, is_regressor

from groundswell.errors import DataError, SignatureError, choices
from groundswell.models._values import to_column
from groundswell.types import Field, Schema, canonical_type, type_name

__all__ = ["Signature", "Task", "columns_of", "task_of"]

Task = Literal["binary", "multiclass", "regression", "other"]
"""What a model predicts; "other" is everything that is not one label of one of the three kinds."""

_MANY_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Inputs, outputs, task and classes of a model.

    Args:
        inputs: the raw columns; nullable are those that held a null or NaN in the training split.
        outputs: as a service answers: `prediction`, then `probability` of the second class or the `probabilities` of
            all; of a model with several labels, the label columns.
        task: what is predicted.
        classes: the classes in the order of the probabilities; empty unless the task is binary or multiclass.
        infinite: the inputs that held an infinite number in training; in all others one is refused.

    >>> inputs = Schema((Field("temp", pa.float64(), nullable=False),))
    >>> signature = Signature(inputs=inputs, outputs=Schema.of({"late": pa.bool_()}), task="other")
    >>> signature.check({"temp": [3]}).column("temp").to_pylist()
    [3.0]
    """

    inputs: Schema
    outputs: Schema
    task: Task
    classes: tuple[bool | int | float | str, ...] = ()
    infinite: frozenset[str] = frozenset()

    @classmethod
    def infer(cls, inputs: pa.Table, labels: pa.Table, model: object = None) -> Self:
        """The signature of a model trained on these columns.

        Args:
            inputs: the raw feature columns of the training split.
            labels: the label columns of the training split.
            model: the fitted model; without one, or with one that is no scikit-learn estimator, the task is "other".
                One that was fitted on some of the columns takes those only.

        Raises:
            DataError: the model was fitted on columns that are not in `inputs`.
        """
        task, classes = task_of(model) if labels.num_columns == 1 else ("other", ())
        inputs = inputs.select(columns_of(model, inputs.column_names))
        return cls(
            inputs=Schema(tuple(_input_field(name, inputs.column(name)) for name in inputs.column_names)),
            outputs=_outputs(labels, task, hasattr(model, "predict_proba")),
            task=task,
            classes=classes,
            infinite=frozenset(name for name in inputs.column_names if _holds_infinity(inputs.column(name))),
        )

    def check(self, columns: pa.Table | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> pa.Table:
        """A request as an Arrow table with exactly the inputs, in order and of their types.

        Args:
            columns: an Arrow table, a mapping of names to columns, or one mapping of names to values per row.

        Raises:
            SignatureError: an input is missing or unknown, a value has another type, or is null, NaN or infinite where
                the training data never was; the message names row and column.
        """
        table = columns if isinstance(columns, (pa.Table, Mapping)) else self._from_rows(columns)
        names = table.column_names if isinstance(table, pa.Table) else list(table)
        self._check_names(names)
        arrays = [to_column(table[f.name], f) for f in self.inputs]
        lengths = {f.name: len(a) for f, a in zip(self.inputs, arrays, strict=True)}
        if len(set(lengths.values())) > 1:
            raise SignatureError(
                f"The inputs have different lengths: {lengths}.",
                why="Each is a column with one value per row.",
                fix="Send as many values for each.",
                lengths=lengths,
            )
        for field, array in zip(self.inputs, arrays, strict=True):
            self._check_values(field, array)
        return pa.table(arrays, schema=self.inputs.to_arrow())

    def _from_rows(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        if not all(isinstance(row, Mapping) for row in rows):
            raise SignatureError(
                f"The request is {type(rows).__name__}, and columns or rows with names were expected.",
                fix=f"Send one mapping per row, such as [{{{self.inputs.names[0]!r}: …}}].",
            )
        names = list(dict.fromkeys(name for row in rows for name in row)) or self.inputs.names
        for number, row in enumerate(rows):
            absent = [name for name in names if name not in row]
            if absent:
                raise SignatureError(
                    f"Row {number} lacks {', '.join(map(repr, absent))}, which other rows have.",
                    fix="Send null where a value is not known; rows are counted from 0.",
                    row=number,
                    missing=absent,
                )
        return {name: [row[name] for row in rows] for name in names}

    def _check_names(self, names: Sequence[object]) -> None:
        known = self.inputs.names
        unknown = [name for name in names if name not in known]
        missing = [name for name in known if name not in names]
        if unknown:
            first = str(unknown[0])
            raise SignatureError(
                f"The request has the unknown input{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown))}"
                + (f" and lacks {', '.join(map(repr, missing))}." if missing else "."),
                why="The model was trained without it." if len(unknown) == 1 else "The model was trained without them.",
                fix=choices(first, missing or known, "inputs"),
                unknown=unknown,
                missing=missing,
            )
        if missing:
            raise SignatureError(
                f"The request lacks {', '.join(map(repr, missing))}.",
                why=f"The model takes {len(known)} input{'s' * (len(known) > 1)}.",
                fix="Send every input, and null where a value is not known and may be null: "
                + ", ".join(str(self.inputs[name]) for name in missing[:10])
                + ".",
                missing=missing,
            )
        if len(set(names)) < len(names):
            twice = sorted({str(name) for name in names if list(names).count(name) > 1})
            raise SignatureError(
                f"The request has {', '.join(map(repr, twice))} twice.", fix="Send each input once.", twice=twice
            )

    def _check_values(self, field: Field, array: pa.Array) -> None:
        if array.null_count and not field.nullable:
            raise _refuse_rows(field, pc.is_null(array), "null or NaN", "never missing")
        bounded = pa.types.is_floating(array.type) and field.name not in self.infinite
        if bounded and np.isinf(array.to_numpy(zero_copy_only=False)).any():  # a third of the time of Arrow's kernels
            raise _refuse_rows(field, pc.is_inf(array), "infinite", "always finite")

    def to_dict(self) -> dict[str, Any]:
        """The signature as plain values, for JSON."""
        return {
            "inputs": self.inputs.to_dict(),
            "outputs": self.outputs.to_dict(),
            "task": self.task,
            "classes": list(self.classes),
            "infinite": sorted(self.infinite),
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave."""
        return cls(
            inputs=Schema.from_dict(body["inputs"]),
            outputs=Schema.from_dict(body["outputs"]),
            task=cast(Task, body["task"]),
            classes=tuple(body["classes"]),
            infinite=frozenset(body["infinite"]),
        )

    def __repr__(self) -> str:
        inputs = ", ".join(map(str, self.inputs))
        outputs = ", ".join(map(str, self.outputs))
        return f"Signature(({inputs}) -> ({outputs}), {self.task})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{side}</td><td>{escape(f.name)}</td><td>{escape(type_name(f.type))}</td>"
            f"<td>{'may be null' if f.nullable and side == 'in' else ''}</td></tr>"
            for side, schema in (("in", self.inputs), ("out", self.outputs))
            for f in schema
        )
        return f"<table><tr><th></th><th>column</th><th>type</th><th></th></tr>{rows}</table>"


def task_of(model: object) -> tuple[Task, tuple[bool | int | float | str, ...]]:
    """What a fitted model predicts, and its classes in the order of its probabilities."""
    if not hasattr(model, "predict") or not hasattr(model, "__sklearn_tags__"):
        return "other", ()
    if is_regressor(model):
        return "regression", ()
    classes = getattr(model, "classes_", None) if is_classifier(model) else None
    if classes is None or getattr(classes, "ndim", 0) != 1:
        return "other", ()
    plain = tuple(classes.tolist())
    return ("binary" if len(plain) <= 2 else "multiclass"), plain


def columns_of(model: object, names: Sequence[str]) -> list[str]:
    """The columns among `names` that a model was fitted on, in its order; all of them if it does not tell.

    Raises:
        DataError: it was fitted on others.
    """
    fitted = getattr(model, "feature_names_in_", None)
    n_fitted = getattr(model, "n_features_in_", None)
    if fitted is not None and all(name in names for name in fitted):
        return [str(name) for name in fitted]
    if fitted is None and n_fitted in (None, len(names)):
        return list(names)
    others = f"{n_fitted} columns" if fitted is None else ", ".join(repr(n) for n in fitted if n not in names)
    raise DataError(
        f"The model was fitted on {others}, which the data do not have: {', '.join(map(repr, names[:20]))}.",
        why="A request holds the columns of the data, so what is made of them must be part of the model.",
        fix="Put such steps into a scikit-learn Pipeline, or into the features, and fit on data.X.",
        fitted=None if fitted is None else list(fitted),
        known=list(names),
    )


def _input_field(name: str, column: pa.ChunkedArray) -> Field:
    floating = pa.types.is_floating(column.type)
    missing = column.null_count > 0 or bool(floating and pc.any(pc.is_nan(column)).as_py())
    return Field(name, canonical_type(column.type, name), missing)


def _holds_infinity(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_floating(column.type) and pc.any(pc.is_inf(column)).as_py())


def _outputs(labels: pa.Table, task: Task, probabilities: bool) -> Schema:
    fields = [Field(f.name, canonical_type(f.type, f.name), nullable=False) for f in labels.schema]
    if len(fields) == 1:
        kind = pa.float64() if task == "regression" else fields[0].type
        fields = [Field("prediction", kind, nullable=False)]
    if probabilities and task == "binary":
        fields.append(Field("probability", pa.float64(), nullable=False))
    if probabilities and task == "multiclass":
        fields.append(Field("probabilities", canonical_type(pa.list_(pa.float64())), nullable=False))
    return Schema(tuple(fields))


def _refuse_rows(field: Field, where: pa.Array, what: str, always: str) -> SignatureError:
    rows = pc.indices_nonzero(where).to_pylist()
    shown = ", ".join(map(str, rows[:_MANY_ROWS])) + (
        "" if len(rows) <= _MANY_ROWS else f" and {len(rows) - _MANY_ROWS} more"
    )
    return SignatureError(
        f"Input {field.name!r} is {what} in row{'s' * (len(rows) > 1)} {shown} (counted from 0).",
        why=f"It was {always} in the training data, so the model never learned what to do then.",
        fix="Send a value, or train on data in which it can be missing." if "null" in what else "Send a finite number.",
        column=field.name,
        rows=rows,
        row=rows[0],
    )
