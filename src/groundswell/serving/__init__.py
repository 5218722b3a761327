"""Serving: predictors, the prediction service and the prediction log."""

from groundswell.serving._deployment import Limits
from groundswell.serving._predictor import FeatureLookup, Predictor, ServedModel, Source, Vectors
from groundswell.serving._service import Prediction, Service

__all__ = [
    "FeatureLookup",
    "Limits",
    "Prediction",
    "Predictor",
    "ServedModel",
    "Service",
    "Source",
    "Vectors",
]
