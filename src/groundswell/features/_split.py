"""Splits: which rows of a base group train and which test.

A split is a list of parts; each part is a condition on rows, or a range of a hash of them. Neither depends on the order
of rows or on how they are partitioned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from groundswell.engines import Bucket
from groundswell.errors import SplitError
from groundswell.expressions import Expression, col
from groundswell.tables import Definition
from groundswell.types import parse_instant

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One side of a split: its name, a condition on rows, a range of their hash."""

    name: str
    where: Expression | None = None
    bucket: Bucket | None = None


@dataclass(frozen=True, kw_only=True)
class Split:
    """A way to divide the rows of a base group.

    Args:
        kind: "none", "time", "random" or "key".
        names: the parts' names, in order.
        boundaries: for "time": where each part after the first starts.
        sizes: for "random" and "key": the share of each part; they sum to 1.
        seed: for "random" and "key".
        by: the columns whose values stay on one side: for "key" those asked for, for "random" key and event time if a
            row may be corrected by another one; none is the whole identity.
    """

    kind: str
    names: tuple[str, ...]
    boundaries: tuple[datetime, ...] = ()
    sizes: tuple[float, ...] = ()
    seed: int = 0
    by: tuple[str, ...] = ()

    def parts(self, definition: Definition, labels: Sequence[str]) -> list[Part]:
        """The parts, for a base group with this definition; rows without a label are in none.

        By time, a row trains only if its label was available before the next part starts: a flight that departs before
        and lands after would tell of a time that the training may not know.
        """
        if self.kind == "time":
            conditions = self._time_ranges(definition)
        elif self.kind == "none":
            conditions = [Part(name=self.names[0])]
        else:
            columns = self.by or definition.identity
            edges = [0.0]
            for size in self.sizes:
                edges.append(edges[-1] + size)
            edges[-1] = 1.0
            conditions = [
                Part(name=name, bucket=Bucket(columns=columns, seed=self.seed, low=low, high=high))
                for name, low, high in zip(self.names, edges, edges[1:], strict=False)
            ]
        labelled = with_labels(labels)
        if labelled is None:
            return conditions
        return [replace(part, where=labelled if part.where is None else part.where & labelled) for part in conditions]

    def _time_ranges(self, definition: Definition) -> list[Part]:
        assert definition.event_time is not None
        event_time = col(definition.event_time)
        parts = []
        for i, name in enumerate(self.names):
            bounds = []
            if i > 0:
                bounds.append(event_time >= self.boundaries[i - 1])
            if i < len(self.boundaries):
                bounds.append(event_time < self.boundaries[i])
                if definition.available_at is not None:
                    bounds.append(col(definition.available_at) < self.boundaries[i])
            parts.append(Part(name=name, where=bounds[0] if len(bounds) == 1 else _all(bounds)))
        return parts

    def to_dict(self) -> dict[str, Any]:
        """The split as plain values."""
        return {
            "kind": self.kind,
            "names": list(self.names),
            "boundaries": [moment.isoformat() for moment in self.boundaries],
            "sizes": list(self.sizes),
            "seed": self.seed,
            "by": list(self.by),
        }

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> "Split":
        """Read back what `to_dict` gave."""
        return Split(
            kind=tree["kind"],
            names=tuple(tree["names"]),
            boundaries=tuple(datetime.fromisoformat(text) for text in tree["boundaries"]),
            sizes=tuple(tree["sizes"]),
            seed=tree["seed"],
            by=tuple(tree["by"]),
        )


WHOLE = Split(kind="none", names=("all",))
"""No split: every row that has its labels."""


def time_split(definition: Definition, starts: Mapping[str, str | date | datetime | None]) -> Split:
    """A split by event time; `starts` says where each part after the first starts.

    Raises:
        SplitError: the group has no event time, or the parts do not start one after the other.
    """
    if definition.event_time is None:
        raise SplitError(
            f"Group {definition.name!r} has no event time, so its rows cannot be split by time.",
            fix="Split at random (test_size=0.2, seed=0) or by key (by='column').",
        )
    boundaries = tuple(parse_instant(start, f"{name}_start") for name, start in starts.items() if start is not None)
    if len(boundaries) < len(starts):
        missing = [f"{name}_start" for name, start in starts.items() if start is None]
        raise SplitError(f"A split by time needs {' and '.join(missing)}.", fix=f"Give {missing[0]}='2013-11-01'.")
    if list(boundaries) != sorted(set(boundaries)):
        raise SplitError(
            f"The parts start at {' and '.join(b.isoformat() for b in boundaries)}, not one after the other.",
            fix="Let validation start before test.",
        )
    return Split(kind="time", names=("train", *starts), boundaries=boundaries)


def hash_split(definition: Definition, sizes: Mapping[str, float], seed: int, by: Sequence[str] = ()) -> Split:
    """A split at random, by a hash of each row's key and event time, or of the columns `by`.

    When a row became known makes no difference: a correction is a row of its own, and one that tested what its
    original trained would tell of it.

    Args:
        definition: of the group that is split.
        sizes: the share of each part after the first, such as {"test": 0.2}.
        seed: another seed gives another split.
        by: columns whose values stay on one side.

    Raises:
        SplitError: a share is not between 0 and 1, or nothing is left to train on.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1:
            raise SplitError(
                f"{name}_size={size!r} is no share of the rows.", fix="Give a number between 0 and 1, such as 0.2."
            )
    rest = 1 - sum(sizes.values())
    if rest <= 1e-9:
        raise SplitError(f"With {dict(sizes)} nothing is left to train on.", fix="Give shares that sum to less than 1.")
    names = ("train", *sizes)
    together = tuple(by)
    if not by and definition.available_at is not None:
        together = tuple(name for name in definition.identity if name != definition.available_at)
    kind = "key" if by else "random"
    return Split(kind=kind, names=names, sizes=(rest, *sizes.values()), seed=seed, by=together)


def with_labels(labels: Sequence[str]) -> Expression | None:
    """The condition that a row has all its labels; None if there are none."""
    return _all([~col(label).is_null() for label in labels]) if labels else None


def _all(conditions: Sequence[Expression]) -> Expression:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole & condition
    return whole
