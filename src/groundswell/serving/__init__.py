"""Serving: predictors, the prediction service, the prediction log, and traces back from a prediction."""

from groundswell.serving._deployment import Limits
from groundswell.serving._predictor import FeatureLookup, Predictor, ServedModel, Source, Vectors
from groundswell.serving._service import Prediction, Service
from groundswell.serving._trace import CommitOf, Trace, UsedRow
from groundswell.serving._tracing import trace

__all__ = [
    "CommitOf",
    "FeatureLookup",
    "Limits",
    "Prediction",
    "Predictor",
    "ServedModel",
    "Service",
    "Source",
    "Trace",
    "UsedRow",
    "Vectors",
    "trace",
]
