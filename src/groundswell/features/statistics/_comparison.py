"""Two reports side by side: how far each column has moved, from the sketches alone.

References:
    Siddiqi: Credit risk scorecards, Wiley 2006: the population stability index, and 0.1 and 0.25 as its usual marks.
    Kolmogorov: Sulla determinazione empirica di una legge di distribuzione, Giornale dell'Istituto Italiano degli
    Attuari 4 (1933); Smirnov, Annals of Mathematical Statistics 19 (1948): the largest distance of two distributions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from groundswell.errors import ColumnNotFoundError, choices
from groundswell.features.statistics._column import ColumnStatistics

__all__ = ["ColumnDrift", "Comparison", "compare_columns"]

_LEAST_SHARE = 1e-4
"""An empty bin counts as this share: the index has no value for zero."""

_POINTS = 201


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """How far one column has moved.

    Attributes:
        name: of the column.
        psi: the population stability index over bins at the reference's quantiles, or over values of text and booleans,
            and one bin more for missing values; 0 is no change, from 0.1 on people look, from 0.25 on they act.
        ks: the Kolmogorov–Smirnov statistic of numbers and times, the largest distance of the two distributions; of
            text and booleans half the sum of differences of shares (total variation).
        ks_error: how far `ks` may be off, with 98 % confidence (the errors of the two reports added).
        mean_shift: the difference of the means in standard deviations of the reference.
        missing_shift: the difference of the shares of missing values.
    """

    name: str
    psi: float | None
    ks: float | None
    ks_error: float | None
    mean_shift: float | None
    missing_shift: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far the columns of one report have moved from another.

    Attributes:
        reference, other: what is compared, in words.
        columns: one entry per column that both have.
    """

    reference: str
    other: str
    columns: tuple[ColumnDrift, ...]

    def __getitem__(self, column: str) -> ColumnDrift:
        found = {drift.name: drift for drift in self.columns}
        if column not in found:
            raise ColumnNotFoundError(
                f"There is no column {column!r} that both reports have.",
                fix=choices(column, found, "columns"),
                column=column,
                known=list(found),
            )
        return found[column]

    def drifted(self, psi: float = 0.25) -> list[str]:
        """The columns whose population stability index is at least this, the largest first."""
        found = [(drift.psi, drift.name) for drift in self.columns if drift.psi is not None and drift.psi >= psi]
        return [name for _, name in sorted(found, reverse=True)]

    def to_pandas(self) -> pd.DataFrame:
        """One row per column."""
        figures = ["psi", "ks", "ks_error", "mean_shift", "missing_shift"]
        rows = {drift.name: [getattr(drift, figure) for figure in figures] for drift in self.columns}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=figures, dtype="float64")
        return frame.rename_axis("column")

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """The comparison as plain values."""
        columns = [dict(vars(drift)) for drift in self.columns]
        return {"reference": self.reference, "other": self.other, "columns": columns}

    def __str__(self) -> str:
        table = self.to_pandas().to_string(float_format=lambda x: f"{x:.4f}", na_rep="")
        return f"Reference: {self.reference}\nCompared:  {self.other}\n{table}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = self.to_pandas().to_html(float_format=lambda x: f"{x:.4f}", na_rep="")
        return f"<p>Reference: {escape(self.reference)}<br>Compared: {escape(self.other)}</p>{table}"


def compare_columns(reference: ColumnStatistics, other: ColumnStatistics, bins: int) -> ColumnDrift:
    """How far a column has moved from its reference."""
    psi = ks = error = None
    if reference.kind == other.kind and reference.rows and other.rows:
        if reference.has_quantiles and other.has_quantiles:
            psi, ks = _psi(*_shares_between(reference, other, bins)), _distance(reference, other)
            error = (reference.rank_error or 0.0) + (other.rank_error or 0.0)
        elif reference.frequent_error is not None and other.frequent_error is not None:
            ours, theirs = _shares_of_values(reference, other)
            psi, ks = _psi(ours, theirs), _variation(reference, other)
            error = _value_error(reference) + _value_error(other)
    return ColumnDrift(
        name=reference.name,
        psi=psi,
        ks=ks,
        ks_error=error,
        mean_shift=_mean_shift(reference, other),
        missing_shift=other.missing_share - reference.missing_share,
    )


def _shares_between(
    reference: ColumnStatistics, other: ColumnStatistics, bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares of rows in bins at the reference's quantiles, and without a value."""
    edges = np.unique(reference.points(bins + 1)[1:-1])
    shares = []
    for column in (reference, other):
        inner = np.diff(np.concatenate([[0.0], column.ranks(edges), [1.0]]))
        shares.append(np.append(inner * (1 - column.missing_share), column.missing_share))
    return shares[0], shares[1]


def _shares_of_values(
    reference: ColumnStatistics, other: ColumnStatistics
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shares of rows with each frequent value, with any other, and without one."""
    ours, theirs = _counts(reference), _counts(other)
    names = sorted({*ours, *theirs})
    shares = []
    for column, counts in ((reference, ours), (other, theirs)):
        found = [counts.get(name, 0.0) for name in names]
        rest = max(column.count - sum(found), 0.0)
        shares.append(np.array([*found, rest, column.rows - column.count]) / column.rows)
    return shares[0], shares[1]


def _counts(column: ColumnStatistics) -> Mapping[str, float]:
    return {item.value: (item.low + item.high) / 2 for item in column.frequent}


def _psi(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    both = (ours > 0) | (theirs > 0)
    p, q = np.maximum(ours[both], _LEAST_SHARE), np.maximum(theirs[both], _LEAST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


def _distance(reference: ColumnStatistics, other: ColumnStatistics) -> float:
    points = np.union1d(reference.points(_POINTS), other.points(_POINTS))
    return float(np.abs(reference.ranks(points) - other.ranks(points)).max())


def _variation(reference: ColumnStatistics, other: ColumnStatistics) -> float | None:
    if not reference.count or not other.count:
        return None
    ours, theirs = _counts(reference), _counts(other)
    names = {*ours, *theirs}
    return sum(abs(ours.get(n, 0.0) / reference.count - theirs.get(n, 0.0) / other.count) for n in names) / 2


def _value_error(column: ColumnStatistics) -> float:
    return len(column.frequent) * (column.frequent_error or 0.0) / max(column.count, 1)


def _mean_shift(reference: ColumnStatistics, other: ColumnStatistics) -> float | None:
    if None in (reference.mean, other.mean) or not reference.std or reference.type != other.type:
        return None
    shift = (other.mean - reference.mean) / reference.std
    return float(shift) if np.isfinite(shift) else None
