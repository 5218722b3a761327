"""Public conformance suites: what an implementation must pass to be called one, and the records the suites speak in."""

from groundswell.testing._point_in_time import PointInTimeConformance
from groundswell.testing._project import join_groups, write_groups
from groundswell.testing._records import Condition, GroupData
from groundswell.testing._reference import reference_join

__all__ = [
    "Condition",
    "GroupData",
    "PointInTimeConformance",
    "join_groups",
    "reference_join",
    "write_groups",
]
