"""A model together with the transformations of its data: one pipeline that takes what a service gets.

A function learns from `data.X`, which is transformed. What it returns is put behind the fitted transformations, so that
the model that is evaluated, stored and served is the same object and takes the columns before they are transformed.
"""

from typing import Any

import pyarrow as pa
from sklearn.pipeline import Pipeline

from groundswell.experiments._training_set import TrainingSet
from groundswell.features.fitting import Transformations, has_transformations
from groundswell.models import columns_of

__all__ = ["raw_columns", "with_transformations"]


def with_transformations(model: Any, data: TrainingSet) -> Any:  # Any: whatever was fitted
    """The model behind the transformations of its data; the model itself if there are none, or it has them already.

    Raises:
        DataError: it was fitted on columns that are not in `data.X`.
    """
    fitted = _transformations(data)
    if fitted is None or has_transformations(model) or not hasattr(model, "predict"):
        return model
    names = columns_of(model, data.transformed_schema.names)  # type: ignore[attr-defined]  # data with transformations
    return Pipeline([("transformations", fitted.giving(names)), ("model", model)])


def raw_columns(data: TrainingSet) -> tuple[pa.Table, pa.Table]:
    """The features before they are transformed, and the labels."""
    rows = data if _transformations(data) is None else data.raw_rows  # type: ignore[attr-defined]  # as above
    table = rows.to_arrow()
    return table.select(data.schema.names), table.select(data.label_schema.names)


def _transformations(data: TrainingSet) -> Transformations | None:
    """Those of the data; data of one's own need not know of any."""
    found = getattr(data, "transformations", None)
    return found if isinstance(found, Transformations) else None
