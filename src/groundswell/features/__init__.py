"""Feature groups, queries over them, views, and the training data and vectors that come out.

Everything here is exact about time: a row sees only what had happened and was known at its moment, and comes back once.
"""

from groundswell.features._data import Data
from groundswell.features._explanation import Explanation, JoinExplanation
from groundswell.features._feature_groups import FeatureGroups
from groundswell.features._feature_views import FeatureViews
from groundswell.features._frames import to_features
from groundswell.features._group import FeatureGroup
from groundswell.features._history import History
from groundswell.features._insert_check import InsertCheck
from groundswell.features._invariants import (
    check_group,
    check_group_folders,
    check_training_data,
    check_training_folders,
    check_view,
)
from groundswell.features._new_group import NewGroup
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._online_invariants import check_online
from groundswell.features._query import Query
from groundswell.features._reads import Read, record, recording
from groundswell.features._training_data import TrainingData
from groundswell.features._vector import Matches, Source, Vector, Vectors
from groundswell.features._version_diff import VersionDiff
from groundswell.features._view import FeatureView
from groundswell.features.expectations import (
    Expectation,
    Policy,
    RuleResult,
    Suite,
    ValidationReport,
    expect,
    expect_table,
    profile,
)
from groundswell.features.statistics import (
    ColumnDrift,
    ColumnHistogram,
    ColumnStatistics,
    Comparison,
    StatisticsConfig,
    StatisticsReport,
)
from groundswell.features.streaming import Quarantine, QuarantinedRows, RowStream, StreamLimits
from groundswell.features.transformations import (
    OnDemand,
    Transformation,
    bucketize,
    hashing,
    impute,
    log,
    max_abs,
    min_max,
    on_demand,
    one_hot,
    ordinal,
    quantile_bins,
    robust,
    standardize,
)

__all__ = [
    "ColumnDrift",
    "ColumnHistogram",
    "ColumnStatistics",
    "Comparison",
    "Data",
    "Expectation",
    "Explanation",
    "FeatureGroup",
    "FeatureGroups",
    "FeatureView",
    "FeatureViews",
    "History",
    "InsertCheck",
    "JoinExplanation",
    "Matches",
    "NewGroup",
    "OnDemand",
    "OnlineCopies",
    "Policy",
    "Quarantine",
    "QuarantinedRows",
    "Query",
    "Read",
    "RowStream",
    "RuleResult",
    "Source",
    "StatisticsConfig",
    "StatisticsReport",
    "StreamLimits",
    "Suite",
    "TrainingData",
    "Transformation",
    "ValidationReport",
    "Vector",
    "Vectors",
    "VersionDiff",
    "bucketize",
    "check_group",
    "check_group_folders",
    "check_online",
    "check_training_data",
    "check_training_folders",
    "check_view",
    "expect",
    "expect_table",
    "hashing",
    "impute",
    "log",
    "max_abs",
    "min_max",
    "on_demand",
    "one_hot",
    "ordinal",
    "profile",
    "quantile_bins",
    "record",
    "recording",
    "robust",
    "standardize",
    "to_features",
]
