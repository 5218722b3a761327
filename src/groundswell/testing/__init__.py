"""Public conformance suites: what an implementation must pass to be called one, and the records the suites speak in."""

from groundswell.testing._point_in_time import PointInTimeConformance
from groundswell.testing._records import Condition, GroupData
from groundswell.testing._reference import reference_join

__all__ = ["Condition", "GroupData", "PointInTimeConformance", "reference_join"]
