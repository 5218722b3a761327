"""The graph of a view's on-demand features: where each parameter comes from, and in which order they are computed."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

import pyarrow as pa

from groundswell.errors import ColumnNotFoundError, SchemaError, TypeMismatchError, choices
from groundswell.features.transformations._on_demand import OnDemand
from groundswell.types import Field, Schema, type_name

__all__ = [
    "Completed",
    "Given",
    "check_on_demand",
    "complete",
    "complete_row",
    "complete_stream",
    "given_inputs",
    "in_order",
]


class Given(Protocol):
    """What on-demand features can be computed from."""

    @property
    def found(self) -> Schema:
        """The columns that the view's query gives, labels left out."""

    @property
    def brought(self) -> Schema | None:
        """The other columns of the first group, which a request brings; None if it may bring anything."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels."""


class Completed(Protocol):
    """What has on-demand features: the definition of a view."""

    @property
    def on_demand(self) -> tuple[OnDemand, ...]:
        """The on-demand features."""


def complete(view: Completed, table: pa.Table) -> pa.Table:
    """The table with a view's on-demand features behind its columns; the table itself if there are none.

    Args:
        view: the definition of a view.
        table: one row for each row or request, with all columns that the functions take.

    Raises:
        NotFoundError: a function is not loaded.
        DataError: a function is another than the view was made with, raised, or gave what it does not promise.
    """
    for feature in in_order(view.on_demand):
        made = feature.compute([table[f.name] for f in feature.inputs])
        table = table.append_column(pa.field(feature.name, feature.output.type), made)
    return table


def complete_stream(view: Completed, reader: pa.RecordBatchReader, schema: pa.Schema) -> pa.RecordBatchReader:
    """The same for rows that are read one batch after the other; it gives the columns of the schema."""
    if not view.on_demand:
        return reader
    tables = (complete(view, pa.Table.from_batches([batch])).select(schema.names).cast(schema) for batch in reader)
    return pa.RecordBatchReader.from_batches(schema, (batch for table in tables for batch in table.to_batches()))


def complete_row(view: Completed, row: Mapping[str, Any]) -> dict[str, Any]:  # Any: values of the columns' types
    """The same for one request as plain values, by the same functions: the same bits.

    Raises:
        NotFoundError, DataError: as for `complete`.
    """
    values = dict(row)
    for feature in in_order(view.on_demand):
        values[feature.name] = feature.found().value([values[f.name] for f in feature.inputs])
    return values


def in_order(features: Sequence[OnDemand]) -> list[OnDemand]:
    """The features, each after those that it is computed from.

    Raises:
        SchemaError: they go round in a circle.
    """
    by_name = {feature.name: feature for feature in features}
    needs = {f.name: [i.name for i in f.inputs if i.name in by_name] for f in features}
    try:
        return [by_name[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        circle = " needs ".join(repr(name) for name in reversed(error.args[1]))
        raise SchemaError(
            f"On-demand features go round in a circle: {circle}.",
            why="Each must be computed before those that need it.",
            fix="Take one of the parameters away, or give it the name of a column.",
            circle=error.args[1],
        ) from None


def given_inputs(features: Sequence[OnDemand], given: Given) -> Schema:
    """What the features need that neither the query nor one of them gives: columns that requests bring besides."""
    names = {feature.name for feature in features} | set(given.found.names)
    needed: dict[str, Field] = {}
    for feature in features:
        for field in feature.inputs:
            if field.name not in names and field.name not in needed:
                own = field if given.brought is None else given.brought[field.name]
                needed[field.name] = Field(own.name, own.type)
    return Schema(tuple(needed.values()))


def check_on_demand(features: Sequence[object], given: Given) -> tuple[OnDemand, ...]:
    """The on-demand features, once each can be computed.

    Raises:
        TypeMismatchError: something is no on-demand feature, or a parameter has another type than what it is given.
        ColumnNotFoundError: nothing has the name of a parameter.
        SchemaError: two columns would have one name, a parameter is a label, or features go round in a circle.
    """
    checked: list[OnDemand] = []
    for feature in features:
        if not isinstance(feature, OnDemand):
            raise TypeMismatchError(
                f"{feature!r} ({type(feature).__name__}) is no on-demand feature.",
                fix="Write @gs.on_demand over the function.",
            )
        _check_name(feature, checked, given)
        checked.append(feature)
    types = {} if given.brought is None else {field.name: field.type for field in given.brought}
    types |= {field.name: field.type for field in given.found}  # a selected column wins over one that is not
    types |= {feature.name: feature.output.type for feature in checked}
    for feature in checked:
        for field in feature.inputs:
            _check_input(feature, field, types, given)
            types.setdefault(field.name, field.type)
    in_order(checked)
    return tuple(checked)


def _check_name(feature: OnDemand, before: Sequence[OnDemand], given: Given) -> None:
    taken = {name.casefold() for name in (*given.found.names, *given.labels, *(other.name for other in before))}
    taken |= set() if given.brought is None else {name.casefold() for name in given.brought.names}
    if feature.name.casefold() in taken:
        raise SchemaError(
            f"There is a column {feature.name!r} already, and an on-demand feature would be called the same.",
            fix="Give the function another name.",
            column=feature.name,
        )


def _check_input(feature: OnDemand, field: Field, types: Mapping[str, pa.DataType], given: Given) -> None:
    if field.name in given.labels:
        raise SchemaError(
            f"{feature.name!r} takes the label {field.name!r}.",
            why="What is to be predicted is not known when a prediction is asked for.",
            fix="Compute it from features.",
            column=field.name,
        )
    if field.name not in types:
        if given.brought is None:
            return
        raise ColumnNotFoundError(
            f"{feature.name!r} takes {field.name!r}, which nothing gives.",
            why="A parameter is named after a column that the view selects, a column of its first group, or another "
            "on-demand feature. What only a request knew, no model could have learned from.",
            fix=choices(field.name, types, "columns"),
            column=field.name,
            known=sorted(types),
        )
    kind = types[field.name]
    if not _fits(kind, field.type):
        raise TypeMismatchError(
            f"{feature.name!r} takes {field.name!r} as {type_name(field.type)}, and the column is {type_name(kind)}.",
            fix="Change the type of the parameter, or convert the column before it is inserted.",
            column=field.name,
        )


def _fits(kind: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_floating(wanted):
        return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))
    if pa.types.is_integer(wanted):
        return bool(pa.types.is_integer(kind))
    return bool(kind == wanted)
