"""What an oblivious function returned: a fitted model, metrics, or both."""

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groundswell.errors import FitError

__all__ = ["Outcome"]


@dataclass(frozen=True)
class Outcome:
    """Model and metrics of a function.

    Args:
        model: what was fitted, or None.
        metrics: names to finite values.
        not_finite: names of metrics that are infinite or not a number, to the value's text.
    """

    model: Any
    metrics: Mapping[str, float] = field(default_factory=dict)
    not_finite: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, returned: object) -> "Outcome":
        """Tell a model, a mapping of metrics and a pair of both apart.

        Raises:
            FitError: nothing was returned, or the metrics are no numbers with names.
        """
        if returned is None:
            raise FitError(
                "The function returned nothing.",
                why="A run keeps what the function returns.",
                fix="End it with 'return model', 'return {'name': value}' or 'return model, {'name': value}'.",
            )
        if isinstance(returned, Mapping):
            return cls(None, *_metrics(returned))
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[1], Mapping):
            return cls(returned[0], *_metrics(returned[1]))
        return cls(returned)


def _metrics(values: Mapping[Any, Any]) -> tuple[dict[str, float], dict[str, str]]:
    finite: dict[str, float] = {}
    others: dict[str, str] = {}
    for name, value in values.items():
        number = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
        if not isinstance(name, str) or not isinstance(number, numbers.Real):
            raise FitError(
                f"The function returned the metric {name!r}: {value!r:.100} ({type(value).__name__}).",
                why="A metric is a number with a name.",
                fix="Return a dict of names to numbers, and turn others into numbers with float(…).",
                metric=name,
            )
        if math.isfinite(number):
            finite[name] = float(number)
        else:
            others[name] = repr(float(number))
    return finite, others
