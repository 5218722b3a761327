"""Statistics that merge: moments, Gram matrices, histograms, counts, gradients, sketches over batches of rows."""

from groundswell.statistics._aggregate import aggregate
from groundswell.statistics._batch import Batch
from groundswell.statistics._blas import one_blas_thread
from groundswell.statistics._calibration_bins import CalibrationBins, CalibrationBinsResult
from groundswell.statistics._category_counts import CategoryCounts, CategoryCountsResult
from groundswell.statistics._class_moments import ClassMoments, ClassMomentsResult
from groundswell.statistics._cluster_sums import ClusterSums, ClusterSumsResult
from groundswell.statistics._codes import Codes
from groundswell.statistics._combine import ByClass, Over, Together
from groundswell.statistics._contingency_table import ContingencyTable, ContingencyTableResult
from groundswell.statistics._count import Count, CountResult
from groundswell.statistics._cross_product import CrossProduct, CrossProductResult
from groundswell.statistics._distinct_sketch import DistinctSketch, DistinctSketchResult
from groundswell.statistics._frequent_items import FrequentItem, FrequentItems, FrequentItemsResult
from groundswell.statistics._gradient_sums import GradientResult, GradientSums
from groundswell.statistics._gram import Gram, GramResult
from groundswell.statistics._histogram import Histogram, HistogramResult
from groundswell.statistics._impurity import chi_square, entropy, gini, impurity_decrease, misclassification
from groundswell.statistics._losses import LOSSES, Loss, Softmax, loss_named
from groundswell.statistics._matrix import Column, column_major, numbers
from groundswell.statistics._min_max import MinMax, MinMaxResult
from groundswell.statistics._mixture import MixtureResponsibilities, MixtureResult
from groundswell.statistics._moments import Moments, MomentsResult
from groundswell.statistics._pairwise_gram import PairwiseGram, PairwiseGramResult
from groundswell.statistics._predictor import LinearPredictor
from groundswell.statistics._probability_losses import ProbabilityLosses, ProbabilityLossesResult
from groundswell.statistics._quantile_sketch import QuantileSketch, QuantileSketchResult
from groundswell.statistics._regression_errors import RegressionErrors, RegressionErrorsResult
from groundswell.statistics._score_counts import ScoreCounts, ScoreCountsResult
from groundswell.statistics._split_histograms import NodeFunction, SplitHistograms, SplitHistogramsResult
from groundswell.statistics._statistic import Sketch, Statistic, require_equal, require_same_width
from groundswell.statistics._sum import Sum, SumResult
from groundswell.statistics._tsqr import TSQR, TSQRResult
from groundswell.statistics._uniform import uniform
from groundswell.statistics._value_range import ValueRange, ValueRangeResult
from groundswell.statistics._wire import from_bytes, to_bytes

__all__ = [
    "LOSSES",
    "TSQR",
    "Batch",
    "ByClass",
    "CalibrationBins",
    "CalibrationBinsResult",
    "CategoryCounts",
    "CategoryCountsResult",
    "ClassMoments",
    "ClassMomentsResult",
    "ClusterSums",
    "ClusterSumsResult",
    "Codes",
    "Column",
    "ContingencyTable",
    "ContingencyTableResult",
    "Count",
    "CountResult",
    "CrossProduct",
    "CrossProductResult",
    "DistinctSketch",
    "DistinctSketchResult",
    "FrequentItem",
    "FrequentItems",
    "FrequentItemsResult",
    "GradientResult",
    "GradientSums",
    "Gram",
    "GramResult",
    "Histogram",
    "HistogramResult",
    "LinearPredictor",
    "Loss",
    "MinMax",
    "MinMaxResult",
    "MixtureResponsibilities",
    "MixtureResult",
    "Moments",
    "MomentsResult",
    "NodeFunction",
    "Over",
    "PairwiseGram",
    "PairwiseGramResult",
    "ProbabilityLosses",
    "ProbabilityLossesResult",
    "QuantileSketch",
    "QuantileSketchResult",
    "RegressionErrors",
    "RegressionErrorsResult",
    "ScoreCounts",
    "ScoreCountsResult",
    "Sketch",
    "Softmax",
    "SplitHistograms",
    "SplitHistogramsResult",
    "Statistic",
    "Sum",
    "SumResult",
    "TSQRResult",
    "Together",
    "ValueRange",
    "ValueRangeResult",
    "aggregate",
    "chi_square",
    "column_major",
    "entropy",
    "from_bytes",
    "gini",
    "impurity_decrease",
    "loss_named",
    "misclassification",
    "numbers",
    "one_blas_thread",
    "require_equal",
    "require_same_width",
    "to_bytes",
    "uniform",
]
