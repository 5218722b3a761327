"""Which statistics a group keeps, of which columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from groundswell.errors import ColumnNotFoundError, DataError, choices
from groundswell.types import Schema

__all__ = ["KINDS", "StatisticsConfig", "as_config"]

KINDS = ("range", "moments", "quantiles", "frequent", "correlations", "distinct")
"""Every kind; counts of rows, nulls, NaN and infinite values are always there."""

_DEFAULT = KINDS[:-1]


@dataclass(frozen=True, kw_only=True)
class StatisticsConfig:
    """Which statistics are computed for every commit.

    Args:
        kinds: some of "range" (smallest and largest value), "moments" (mean and standard deviation), "quantiles" (and
            with them histograms), "frequent" (the most frequent values), "correlations", and "distinct" (the number of
            distinct values). All but "distinct" is the default, as that one takes longer than all the others together.
        columns: which columns; None is all but the primary key, whose values say little and are what is erased.

    Raises:
        DataError: a kind is none of these.

    >>> StatisticsConfig(kinds=("range", "distinct"))
    StatisticsConfig(kinds=('range', 'distinct'), columns=None)
    """

    kinds: tuple[str, ...] = _DEFAULT
    columns: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("kinds", "columns"):
            given = getattr(self, name)
            if given is not None and (isinstance(given, str) or not all(isinstance(item, str) for item in given)):
                raise DataError(f"{given!r} is no sequence of {name}.", fix='Give a list of texts, such as ["range"].')
            object.__setattr__(self, name, None if given is None else tuple(dict.fromkeys(given)))
        for kind in self.kinds:
            if kind not in KINDS:
                raise DataError(f"There is no statistic {kind!r}.", fix=choices(kind, KINDS, "kinds"), kind=kind)

    def columns_of(self, schema: Schema, primary_key: Sequence[str]) -> list[str]:
        """The columns of a table that statistics are about, in its order.

        Raises:
            ColumnNotFoundError: a column is not there.
        """
        for name in self.columns or ():
            if name not in schema:
                raise ColumnNotFoundError(
                    f"Statistics are asked of a column {name!r}, which there is not.",
                    fix=choices(name, schema.names, "columns"),
                    column=name,
                    known=schema.names,
                )
        chosen = set(schema.names) - set(primary_key) if self.columns is None else set(self.columns)
        return [name for name in schema.names if name in chosen]

    def within(self, schema: Schema) -> Self:
        """The same of those of its columns that a table has, which may be older than the choice, or another one."""
        if self.columns is None:
            return self
        return replace(self, columns=tuple(name for name in self.columns if name in schema))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The choice as plain values."""
        return {"kinds": list(self.kinds), "columns": None if self.columns is None else list(self.columns)}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Self:  # Any: JSON
        """Read back what `to_dict` gave."""
        return cls(kinds=tuple(tree["kinds"]), columns=None if tree["columns"] is None else tuple(tree["columns"]))


def as_config(given: object) -> StatisticsConfig | None:
    """What a user asked for: True is the default, False is none, a list names the kinds.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(given, bool):
        return StatisticsConfig() if given else None
    if isinstance(given, StatisticsConfig):
        return given
    if isinstance(given, Sequence) and not isinstance(given, str):
        return StatisticsConfig(kinds=tuple(given))
    raise DataError(
        f"{given!r} does not say which statistics to keep.",
        fix=f"Use True, False, a list of {', '.join(map(repr, KINDS))}, or a StatisticsConfig.",
        value=given,
    )
