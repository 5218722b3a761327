"""The environment of a run: Python, the machine, and the versions of the packages that are in use."""

import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["Environment"]

_PACKAGES = {
    "catboost": "catboost", "deltalake": "deltalake", "duckdb": "duckdb", "jax": "jax", "joblib": "joblib",
    "lightgbm": "lightgbm", "numpy": "numpy", "onnx": "onnx", "onnxruntime": "onnxruntime", "optuna": "optuna",
    "pandas": "pandas", "polars": "polars", "pyarrow": "pyarrow", "scipy": "scipy", "sklearn": "scikit-learn",
    "skops": "skops", "statsmodels": "statsmodels", "tensorflow": "tensorflow", "torch": "torch",
    "transformers": "transformers", "xgboost": "xgboost",
}  # fmt: skip
"""Modules that can change what a model learns, and the distributions that they come from."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What a run ran on.

    Args:
        python: its version and implementation.
        platform: operating system and processor.
        n_cpus: processors that this process may use.
        packages: distribution names to versions, of those that were imported when the run ended.
    """

    python: str
    platform: str
    n_cpus: int
    packages: dict[str, str]

    @classmethod
    def now(cls) -> "Environment":
        """The environment of this process, without importing anything."""
        imported = {name for module, name in _PACKAGES.items() if module in sys.modules}
        return cls(
            python=f"{platform.python_version()} ({platform.python_implementation()})",
            platform=platform.platform(),
            n_cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            packages={
                name: found for name in ("groundswell", *sorted(imported)) if (found := _version(name)) is not None
            },
        )

    @property
    def versions(self) -> dict[str, str]:
        """Python and packages in one mapping."""
        return {"python": self.python, **self.packages}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dict(vars(self))


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:  # imported from a path without being installed
        return None
