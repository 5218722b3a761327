"""Groundswell takes a table to a prediction service.

    import groundswell as gs

    project = gs.open("flights")

Everything else hangs on the project, on `col` for conditions over columns, on `expect` and `profile` for what rows must
be, on `standardize`, `one_hot` and the like for what is made of features, on `on_demand`, on `evaluate` for what a
model is worth, and on the errors. What the project gives is here for annotations: `def train(data: gs.TrainingData)`.
"""

from groundswell._version import __version__
from groundswell.errors import GroundswellError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundswell.experiments import Run
    from groundswell.expressions import col, lit
    from groundswell.features import (
        FeatureGroup,
        FeatureView,
        TrainingData,
        bucketize,
        expect,
        expect_table,
        hashing,
        impute,
        log,
        max_abs,
        min_max,
        on_demand,
        one_hot,
        ordinal,
        profile,
        quantile_bins,
        robust,
        standardize,
    )
    from groundswell.features.windows import (
        count,
        distinct,
        last,
        max,  # noqa: A004  # gs.max reads as SQL does
        mean,
        min,  # noqa: A004
        share,
        std,
        sum,  # noqa: A004
        windows,
    )
    from groundswell.models import ModelVersion, evaluate
    from groundswell.project import Project
    from groundswell.types import Schema

    open = Project.open  # noqa: A001  # gs.open reads as the built-in does

__all__ = [
    "FeatureGroup",
    "FeatureView",
    "GroundswellError",
    "ModelVersion",
    "Project",
    "Run",
    "Schema",
    "TrainingData",
    "__version__",
    "bucketize",
    "col",
    "count",
    "distinct",
    "evaluate",
    "expect",
    "expect_table",
    "hashing",
    "impute",
    "last",
    "lit",
    "log",
    "max",
    "max_abs",
    "mean",
    "min",
    "min_max",
    "on_demand",
    "one_hot",
    "open",
    "ordinal",
    "profile",
    "quantile_bins",
    "robust",
    "share",
    "standardize",
    "std",
    "sum",
    "windows",
]


_OF_WINDOWS = ("count", "distinct", "last", "max", "mean", "min", "share", "std", "sum", "windows")


def __getattr__(name: str) -> object:
    """Load what is asked for when it is asked for: importing groundswell takes milliseconds."""
    import importlib

    homes = {"col": "expressions", "lit": "expressions", "Project": "project", "Schema": "types", "open": "project"}
    homes |= {"Run": "experiments", "ModelVersion": "models", "evaluate": "models"}
    homes |= dict.fromkeys(_OF_WINDOWS, "features.windows")
    homes |= dict.fromkeys(set(__all__) - homes.keys(), "features")
    if name not in homes:
        raise AttributeError(f"module 'groundswell' has no attribute {name!r}")
    home = importlib.import_module(f"groundswell.{homes[name]}")
    return home.Project.open if name == "open" else getattr(home, name)


def __dir__() -> list[str]:
    return __all__
