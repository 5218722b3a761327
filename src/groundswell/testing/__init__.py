"""Public conformance suites: what an implementation must pass to be called one, and the records the suites speak in."""

from groundswell.testing._batches import (
    categorical_batches,
    categorical_columns,
    labelled_batches,
    numeric_batches,
    targets,
    whole_weights,
)
from groundswell.testing._online import OnlineStoreConformance
from groundswell.testing._point_in_time import PointInTimeConformance
from groundswell.testing._project import join_groups, write_groups
from groundswell.testing._records import Condition, GroupData
from groundswell.testing._reference import reference_join
from groundswell.testing._statistics import SketchConformance, StatisticConformance

__all__ = [
    "Condition",
    "GroupData",
    "OnlineStoreConformance",
    "PointInTimeConformance",
    "SketchConformance",
    "StatisticConformance",
    "categorical_batches",
    "categorical_columns",
    "join_groups",
    "labelled_batches",
    "numeric_batches",
    "reference_join",
    "targets",
    "whole_weights",
    "write_groups",
]
