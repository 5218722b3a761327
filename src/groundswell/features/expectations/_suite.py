"""A suite of expectations, and what follows when one is broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, get_args, overload

from groundswell.errors import DataError, choices
from groundswell.features.expectations._batches import Freshness, RowCountBetween
from groundswell.features.expectations._conditions import Sql, That
from groundswell.features.expectations._expectation import Bound, Expectation, Setting
from groundswell.features.expectations._order import Complete, Increasing, Unique
from groundswell.features.expectations._references import ForeignKey
from groundswell.features.expectations._summaries import DistinctCountBetween, MeanBetween, QuantileBetween
from groundswell.features.expectations._values import Between, IsIn, Matches

Policy = Literal["strict", "warning", "all", "none"]
"""When a batch is written: "strict" if all expectations hold; "warning" if all of level error hold; "all" in any case,
with a report; "none" in any case, without."""

RULES: Mapping[str, type[Expectation]] = {
    kind.rule: kind
    for kind in (
        Between, IsIn, Matches, Complete, Unique, Increasing, MeanBetween, QuantileBetween, DistinctCountBetween,
        ForeignKey, RowCountBetween, Freshness, That, Sql,
    )
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Suite(Sequence[Expectation]):
    """Expectations in order; it prints as the code that makes them.

    Args:
        expectations: the rules.
        reasons: why each was proposed; empty if they were not.
    """

    expectations: tuple[Expectation, ...] = ()
    reasons: tuple[str, ...] = ()

    @staticmethod
    def of(expectations: object) -> "Suite":
        """The suite of a sequence of expectations.

        Raises:
            DataError: it is none.
        """
        if isinstance(expectations, Suite):
            return expectations
        if isinstance(expectations, str) or not isinstance(expectations, Sequence):
            raise DataError(
                f"{expectations!r} ({type(expectations).__name__}) is no list of expectations.",
                fix="Give a list: [gs.expect('temp').between(-40, 130)].",
                value=expectations,
            )
        for each in expectations:
            if not isinstance(each, Expectation):
                raise DataError(
                    f"{each!r} is no expectation.",
                    fix="Name a rule: gs.expect('temp').between(-40, 130), gs.expect('humid').complete(0.95).",
                    value=each,
                )
        return Suite(tuple(expectations))

    @staticmethod
    def from_dict(stored: Sequence[Mapping[str, Any]]) -> "Suite":  # Any: JSON
        """Read back what `to_dict` gave."""
        return Suite(tuple(expectation_from_dict(tree) for tree in stored))

    def to_dict(self) -> list[dict[str, Any]]:  # Any: JSON
        """The expectations as plain values, for JSON."""
        return [each.to_dict() for each in self.expectations]

    def bind(self, setting: Setting) -> tuple[Bound, ...]:
        """What they mean for a group.

        Raises:
            ColumnNotFoundError, TypeMismatchError, SchemaError, NotFoundError: one does not fit the group.
        """
        return tuple(each.bind(setting) for each in self.expectations)

    def code(self) -> str:
        """The Python expression that makes them again, each with its reason as a comment."""
        reasons = self.reasons or ("",) * len(self)
        lines = [
            f"    {e.code()}," + (f"  # {r}" if r else "") for e, r in zip(self.expectations, reasons, strict=True)
        ]
        return "\n".join(["[", *lines, "]"]) if lines else "[]"

    __repr__ = code

    @overload
    def __getitem__(self, index: int) -> Expectation: ...
    @overload
    def __getitem__(self, index: slice) -> "Suite": ...
    def __getitem__(self, index: int | slice) -> "Expectation | Suite":
        if isinstance(index, slice):
            return Suite(self.expectations[index], self.reasons[index])
        return self.expectations[index]

    def __len__(self) -> int:
        return len(self.expectations)

    def __iter__(self) -> Iterator[Expectation]:
        return iter(self.expectations)

    def _repr_html_(self) -> str:
        reasons = self.reasons or ("",) * len(self)
        rows = "".join(
            f"<tr><td>{escape(e.describe())}</td><td>{e.level}</td><td>{escape(r)}</td><td><code>{escape(e.code())}"
            "</code></td></tr>"
            for e, r in zip(self.expectations, reasons, strict=True)
        )
        return f"<table><tr><th>expectation</th><th>level</th><th>reason</th><th>code</th></tr>{rows}</table>"


def expectation_from_dict(stored: Mapping[str, Any]) -> Expectation:  # Any: JSON
    """Read back what an expectation's `to_dict` gave.

    Raises:
        DataError: it is no expectation that this version knows.
    """
    parameters = dict(stored)
    rule = str(parameters.pop("rule", None))
    if rule not in RULES:
        raise DataError(f"There is no rule {rule!r}.", fix=choices(rule, RULES, "rules"), rule=rule)
    try:
        return RULES[rule].of(parameters)
    except (TypeError, KeyError) as error:
        raise DataError(
            f"{dict(stored)!r} is no expectation of rule {rule!r} ({error}).",
            why="Expectations are read back as to_dict gave them.",
            fix="Make it anew with gs.expect.",
            rule=rule,
        ) from None


def check_policy(policy: object) -> Policy:
    """Return `policy` if it is one.

    Raises:
        DataError: it is none.
    """
    for known in get_args(Policy):
        if policy == known:
            found: Policy = known
            return found
    raise DataError(
        f"{policy!r} is no validation policy.",
        fix='Use "strict" (write only if all hold), "warning" (only if all of level error hold), "all" (validate and '
        'write anyway) or "none" (validate nothing).',
        validation=policy,
    )
