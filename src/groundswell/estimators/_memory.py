"""Refuses sums over pairs of features that the machine cannot hold, before the machine ends the process."""

import os
from pathlib import Path

from groundswell.errors import FitError

_CGROUP = Path("/sys/fs/cgroup/memory.max")


def require_memory_for_pairs(n_features: int, fix: str, *, n_sums: int = 1) -> None:
    """Raise unless every thread of a fold can hold its sums over the pairs of features, and the result stand beside.

    Args:
        n_features: columns of X, or coefficients of all classes.
        fix: what to use in place of such sums.
        n_sums: how many there are, such as one for each class.

    Raises:
        FitError: they need more than the machine has.
    """
    needed = 8 * n_features**2 * n_sums * ((os.cpu_count() or 1) + 1)
    available = memory_bytes()
    if needed > available:
        raise FitError(
            f"Sums over all pairs of {n_features:,} features or coefficients need {needed / 1e9:,.1f} GB.",
            why=f"There are {available / 1e9:,.1f} GB, and memory grows with the square of the features.",
            fix=f"{fix}, or take fewer features, such as those of TfidfVectorizer(min_df=…, max_features=…).",
            needed=needed,
            available=available,
        )


def memory_bytes() -> int:
    """How much memory this process may use at most: that of the machine, or of its container."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # there is no container, or it has no limit
        return machine
