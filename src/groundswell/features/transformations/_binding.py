"""From declarations to steps: which transformation stands where, checked against the columns of a view."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, SchemaError, TypeMismatchError, choices
from groundswell.features.transformations._transformation import Transformation
from groundswell.types import Schema, is_numeric, type_name

__all__ = ["check_transformations", "steps_of"]


@dataclass
class _Column:
    """What has been declared of a column so far."""

    type: pa.DataType
    done: tuple[Transformation, ...] = ()


def check_transformations(
    transformations: Sequence[object], schema: Schema, labels: Sequence[str]
) -> tuple[Transformation, ...]:
    """The transformations, once they fit the features of a view.

    Args:
        transformations: in the order in which they are made.
        schema: the raw features.
        labels: columns that are no features.

    Raises:
        ColumnNotFoundError: a column is no feature.
        TypeMismatchError: something is no transformation, or does not apply to the column's type.
        SchemaError: a column is a label, or is transformed twice in ways that contradict each other.
    """
    if isinstance(transformations, Transformation):
        code = transformations.code()
        raise SchemaError(f"transformations={code} is not a list.", fix=f"Give a list: transformations=[{code}].")
    columns = {field.name: _Column(field.type) for field in schema}
    checked = []
    for transformation in transformations:
        if not isinstance(transformation, Transformation):
            raise TypeMismatchError(
                f"{transformation!r} ({type(transformation).__name__}) is no transformation.",
                fix="Give what gs.standardize('distance'), gs.one_hot('carrier') and the like make.",
            )
        for name in transformation.columns:
            _check_name(transformation, name, schema, labels)
            _check_order(transformation, name, columns[name].done)
            _check_type(transformation, name, columns[name].type)
            columns[name] = _Column(transformation.gives(columns[name].type), (*columns[name].done, transformation))
        checked.append(transformation)
    return tuple(checked)


def steps_of(transformations: Sequence[Transformation]) -> tuple[Transformation, ...]:
    """The transformations, those that put several columns in place of one cut into one for each column."""
    return tuple(
        step
        for declared in transformations
        for step in (
            (replace(declared, columns=(name,)) for name in declared.columns) if declared.expands else (declared,)
        )
    )


def _check_name(transformation: Transformation, name: str, schema: Schema, labels: Sequence[str]) -> None:
    if name in labels:
        raise SchemaError(
            f"{transformation.code()} transforms the label {name!r}.",
            why="A service answers in the units of the label, so what is predicted stays as it is.",
            fix="Transform it in the model, such as with TransformedTargetRegressor, or before it is inserted.",
            column=name,
        )
    if name not in schema:
        raise ColumnNotFoundError(
            f"{transformation.code()} names {name!r}, which is no feature of the view.",
            fix=choices(name, schema.names, "features"),
            column=name,
            known=schema.names,
        )


def _check_order(transformation: Transformation, name: str, done: Sequence[Transformation]) -> None:
    for before in done:
        if before.expands:
            raise SchemaError(
                f"{transformation.code()} comes after {before.code()}, which puts other columns in place of {name!r}.",
                fix=f"Write it before {before.code()}, or leave one of the two out.",
                column=name,
            )
        if before.role == transformation.role:
            same = before.kind == transformation.kind
            raise SchemaError(
                f"Column {name!r} is transformed by {before.code()} and again by {transformation.code()}.",
                why="The second would undo or repeat what the first does." if not same else "Once is enough.",
                fix="Leave one of the two out.",
                column=name,
            )


def _check_type(transformation: Transformation, name: str, kind: pa.DataType) -> None:
    if transformation.takes(kind):
        return
    if pa.types.is_string(kind):
        fix = f"Put gs.ordinal({name!r}) before it, or use gs.one_hot({name!r}) or gs.hashing({name!r}) instead."
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        fix = f"Use gs.one_hot({name!r}) or gs.ordinal({name!r})."
    elif is_numeric(kind):
        fix = f"Put gs.quantile_bins({name!r}) or gs.bucketize({name!r}, edges=[…]) before it."
    else:
        fix = "Make a number or a text of it before it is inserted, or in an on-demand feature."
    raise TypeMismatchError(
        f"{transformation.code()} does not apply to column {name!r}, which is {type_name(kind)}.",
        why=f"It needs {transformation.needs}.",
        fix=fix,
        column=name,
        type=type_name(kind),
    )
