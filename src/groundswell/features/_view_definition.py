"""What a feature view is: a query and which of its columns are labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from groundswell.errors import ColumnNotFoundError, SchemaError, choices
from groundswell.features._plan import Pins, plan_rows
from groundswell.features._query import Query
from groundswell.types import Schema

__all__ = ["ViewDefinition"]


@dataclass(frozen=True, kw_only=True)
class ViewDefinition:
    """A query with labels, and the schemas that follow from them.

    Args:
        id: the view's entry in the catalog.
        name, version: what the view is called.
        query: which columns of which groups.
        labels: the columns that a model shall predict; columns of the base group.
    """

    id: str
    name: str
    version: int
    query: Query
    labels: tuple[str, ...]

    @staticmethod
    def check(query: Query, labels: Sequence[str]) -> None:
        """Raise unless a view can be made of the query and the labels.

        Raises:
            ColumnNotFoundError: a label is not selected.
            SchemaError: a label comes from a joined group, or nothing is left to learn from.
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
        if len(labels) == len(query.schema):
            raise SchemaError("All columns of the query are labels.", fix="Select features too.")
        if labels:
            plan_rows(query, Pins.now(query))

    @property
    def schema(self) -> Schema:
        """The features, in order."""
        return Schema(tuple(f for f in self.query.schema if f.name not in self.labels))

    @property
    def label_schema(self) -> Schema:
        """The labels."""
        return Schema(tuple(self.query.schema[label] for label in self.labels))

    @property
    def request_schema(self) -> Schema:
        """What a request must bring: with labels, the base group's features and the keys of the joins; without, the
        base group's key and those keys of the joins that the base group does not hold.
        """
        base = self.query.base
        if not self.labels:
            return Schema(tuple(base.group.schema[key] for key in base.group.primary_key))
        joined = {output for join in self.query.joins for output in join.outputs}
        keys = [left for join in self.query.joins for left, _ in join.on if left not in joined]
        names = dict.fromkeys([*(name for name in base.columns if name not in self.labels), *keys])
        return Schema(tuple(base.group.schema[name] for name in names))
