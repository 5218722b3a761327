"""What a feature group shall be when it is created: its roles, columns and settings, checked against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from groundswell.features._group_table import DEFAULT_RETENTION
from groundswell.features.expectations import Expectation, Policy
from groundswell.features.statistics import StatisticsConfig
from groundswell.tables import Definition, check_roles
from groundswell.types import Schema, as_schema, check_name, format_duration, parse_duration

__all__ = ["NewGroup"]


@dataclass(frozen=True, kw_only=True)
class NewGroup:
    """What `project.create_feature_group` was told.

    Args:
        name: letters, digits and underscores.
        primary_key: the columns by which rows are found and joined.
        event_time: the column that says when a row's facts happened; None if they have no time (airports, planes).
        available_at: the column that says when a row became known, if that is later.
        schema: the columns and their types; None lets the first insert decide.
        description: what it holds, in words.
        expectations: what rows must be, checked for each batch before it is written.
        validation: what follows if one is broken, as in `FeatureGroup.set_expectations`.
        online: whether the newest row of each key shall be in the online store.
        statistics: what is computed of every commit, as in `FeatureGroup.set_statistics`.
        retention: how far back every version stays readable, as in `FeatureGroup.set_retention`.
        tags: what it is tagged with, among them the tags that every group of the project must have.

    Raises:
        InvalidNameError: the name cannot be used.
        SchemaError: a column has two roles, or there is no key.
        DataError: the retention is no length of time.
    """

    name: str
    primary_key: Sequence[str]
    event_time: str | None = None
    available_at: str | None = None
    schema: Schema | pa.Schema | Mapping[str, pa.DataType] | None = None
    description: str = ""
    expectations: Sequence[Expectation] = ()
    validation: Policy = "strict"
    online: bool = False
    statistics: bool | Sequence[str] | StatisticsConfig = True
    retention: str | timedelta = DEFAULT_RETENTION
    tags: Mapping[str, Any] | None = None  # Any: JSON

    def __post_init__(self) -> None:
        check_name(self.name, "feature group")
        check_roles(self.name, self.primary_key, self.event_time, self.available_at)
        parse_duration(self.retention, "retention")

    def definition(self) -> Definition | None:
        """Keys, times and columns; None if the first insert decides.

        Raises:
            SchemaError, ColumnNotFoundError, TypeMismatchError, InvalidNameError: they do not fit together.
        """
        if self.schema is None:
            return None
        return Definition.of(self.name, self.primary_key, self.event_time, self.available_at, as_schema(self.schema))

    def body(self, definition: Definition | None) -> dict[str, Any]:  # Any: JSON
        """What the catalog shall keep of it, in its entry."""
        roles = {"primary_key": list(self.primary_key)}
        times = {"event_time": self.event_time, "available_at": self.available_at}
        settings = {"online": self.online, "retention": format_duration(parse_duration(self.retention))}
        return (roles | times if definition is None else definition.to_dict()) | settings
