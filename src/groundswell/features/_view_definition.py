"""What a feature view is: a query and which of its columns are labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from groundswell.catalog import Entry
from groundswell.errors import ColumnNotFoundError, SchemaError, choices
from groundswell.features._display import html_table, origins
from groundswell.features._plan import Pins, plan_rows
from groundswell.features._query import Query
from groundswell.features.transformations import (
    OnDemand,
    Transformation,
    check_on_demand,
    check_transformations,
    given_inputs,
    transformation_from_dict,
)
from groundswell.types import Field, Schema, type_name

__all__ = ["ViewDefinition", "check_labels"]


def check_labels(labels: Sequence[str]) -> Sequence[str]:
    """The labels, unless they are one text, whose letters would be taken for them.

    Raises:
        SchemaError: they are.
    """
    if isinstance(labels, str):
        raise SchemaError(f"labels={labels!r} is one text.", fix=f"Give a list: labels=[{labels!r}].", labels=labels)
    return labels


@dataclass(frozen=True, kw_only=True)
class ViewDefinition:
    """A query with labels, and the schemas that follow from them.

    Args:
        id: the view's entry in the catalog.
        name, version: what the view is called.
        query: which columns of which groups.
        labels: the columns that a model shall predict; columns of the base group.
        transformations: of the features, in the order in which they are made.
        on_demand: features that functions compute.
    """

    id: str
    name: str
    version: int
    query: Query
    labels: tuple[str, ...]
    transformations: tuple[Transformation, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()

    @staticmethod
    def check(query: Query, labels: Sequence[str]) -> None:
        """Raise unless a view can be made of the query and the labels.

        Raises:
            ColumnNotFoundError: a label is not selected.
            SchemaError: a label comes from a joined group or is the key of a join, or nothing is left to learn from.
            JoinError: the joins need times that the base group does not have.
        """
        for label in labels:
            if label not in query.schema:
                raise ColumnNotFoundError(
                    f"The label {label!r} is not among the columns of the query.",
                    fix=choices(label, query.schema.names, "columns"),
                    column=label,
                )
            if label not in query.base.columns:
                raise SchemaError(
                    f"The label {label!r} comes from a joined group.",
                    why="Joined columns are what was known at the time of a row; a label is what came after.",
                    fix=f"Start the query from the group that has it. Labels may be {list(query.base.columns)}.",
                    column=label,
                )
            looked_up = next((join for join in query.joins if label in dict(join.on)), None)
            if looked_up is not None:
                raise SchemaError(
                    f"The label {label!r} is the key by which {looked_up.name!r} is joined.",
                    why="What it finds would tell the model the answer, and a request cannot bring what is predicted.",
                    fix=f"Leave the join of {looked_up.name!r} out, or predict another column.",
                    column=label,
                )
        if len(labels) == len(query.schema):
            raise SchemaError("All columns of the query are labels.", fix="Select features too.")
        if labels:
            plan_rows(query, Pins.now(query))

    @staticmethod
    def of(entry: Entry, query: Query, functions: Mapping[str, OnDemand]) -> "ViewDefinition":
        """What the catalog says of a view.

        Args:
            entry: the view's.
            query: as its body has it.
            functions: on-demand features that were handed in, by digest.
        """
        stored = (OnDemand.from_dict(each) for each in entry.body.get("on_demand", ()))
        return ViewDefinition(
            id=entry.id,
            name=entry.name,
            version=entry.version,
            query=query,
            labels=tuple(entry.body["labels"]),
            transformations=tuple(map(transformation_from_dict, entry.body.get("transformations", ()))),
            on_demand=tuple(functions.get(feature.digest, feature) for feature in stored),
        )

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """What the catalog keeps of it, beside its name."""
        return {
            "query": self.query.to_dict(),
            "labels": list(self.labels),
            "transformations": [each.to_dict() for each in self.transformations],
            "on_demand": [each.to_dict() for each in self.on_demand],
        }

    def checked(self, transformations: Sequence[object], on_demand: Sequence[object]) -> "ViewDefinition":
        """The same with transformations and on-demand features, once they fit it.

        Raises:
            ColumnNotFoundError: one of them names a column that is not there.
            TypeMismatchError: something is none, or does not apply to the type of a column.
            SchemaError: they contradict each other.
        """
        completed = replace(self, on_demand=check_on_demand(on_demand, self))
        return replace(completed, transformations=check_transformations(transformations, completed.schema, self.labels))

    @property
    def title(self) -> tuple[str, int]:
        """Name and version, by which training data knows it."""
        return self.name, self.version

    @property
    def found(self) -> Schema:
        """The columns that the query gives, labels left out."""
        return Schema(tuple(f for f in self.query.schema if f.name not in self.labels))

    @property
    def brought(self) -> Schema | None:
        """The base group's columns but its times, which requests can bring; None without labels, as rows from outside
        may bring anything then.
        """
        definition = self.query.base.group.definition
        times = (definition.event_time, definition.available_at)
        return Schema(tuple(f for f in definition.schema if f.name not in times)) if self.labels else None

    @property
    def extra(self) -> Schema:
        """What on-demand features need besides: columns of the base group, or values that rows from outside bring."""
        return given_inputs(self.on_demand, self)

    @property
    def columns(self) -> Schema:
        """What is read, before on-demand features are computed."""
        return Schema((*self.found, *self.extra))

    @property
    def schema(self) -> Schema:
        """The features before they are transformed, in order: those of the query, then those on demand."""
        return Schema((*self.found, *(Field(each.name, each.output.type) for each in self.on_demand)))

    @property
    def label_schema(self) -> Schema:
        """The labels."""
        return Schema(tuple(self.query.schema[label] for label in self.labels))

    @property
    def own(self) -> tuple[str, ...]:
        """The columns that come out of a request as they came in, ahead of the joined ones: the base group's features,
        if there are labels.
        """
        return tuple(name for name in self.query.base.columns if name not in self.labels) if self.labels else ()

    @property
    def request_schema(self) -> Schema:
        """What a request must bring: with labels, the base group's features and the keys of the joins; without, the
        base group's key and those keys of the joins that the base group does not hold. In both cases besides, what
        on-demand features need and no group gives.
        """
        base = self.query.base
        known = base.group.schema
        if not self.labels:
            return Schema((*(known[key] for key in base.group.primary_key), *self.extra))
        joined = {output for join in self.query.joins for output in join.outputs}
        keys = [left for join in self.query.joins for left, _ in join.on if left not in joined]
        own = [name for name in base.columns if name not in self.labels]
        names = dict.fromkeys([*own, *keys, *self.extra.names])
        return Schema(tuple(known[name] for name in names))

    def show(self, description: str) -> str:
        """Its columns as HTML: where each comes from, and what becomes of it."""
        origin = {**origins(self.query), **{each.name: "computed on demand" for each in self.on_demand}}
        becomes = {
            field.name: ", ".join(each.code() for each in self.transformations if field.name in each.columns)
            for field in self.schema
        }
        becomes |= dict.fromkeys(self.labels, "label")
        fields = (*self.schema, *self.label_schema)
        rows = [(f.name, type_name(f.type), origin[f.name], becomes[f.name]) for f in fields]
        title = f"{self.name} version {self.version}. {description}"
        return html_table(title, ("column", "type", "from", "transformed by"), rows)
