"""A predictor: one model version with its feature lookup, from request rows to predictions.

It looks the features up, runs the estimator and lays out what the log will hold. It knows neither HTTP nor storage; the
service puts those around it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.pipeline import Pipeline

from groundswell.errors import GroundswellError, SignatureError, TypeMismatchError
from groundswell.features import to_features
from groundswell.features.fitting import Transformations
from groundswell.models import Signature
from groundswell.serving._ids import log_name, new_ids
from groundswell.serving._tensors import metadata_of, show
from groundswell.types import TIMESTAMP, Field, Schema, canonical_type

__all__ = ["FeatureLookup", "Predictions", "Predictor", "ServedModel", "Source", "Vectors"]


class Source(Protocol):
    """The row of a joined group that gave a request its features."""

    @property
    def commit(self) -> int | None:
        """The version of the group's table whose commit wrote the row; None if it is in no commit yet."""

    @property
    def shown_as(self) -> int | None:
        """The provisional version of a row that is in no commit yet."""

    @property
    def event_time(self) -> datetime | None:
        """When it happened; None in a group without event time."""

    @property
    def available_at(self) -> datetime | None:
        """When it became known; None in a group without availability."""


class Vectors(Protocol):
    """Model inputs for a number of requests, and where the joined ones come from."""

    @property
    def features(self) -> pa.Table:
        """One row per request, columns in the order of the model's signature."""

    @property
    def sources(self) -> Sequence[Mapping[str, Source | None]]:
        """Per request: each joined group's name to the row that matched, or None."""


class FeatureLookup(Protocol):
    """What a predictor needs of a feature view. It is called from several threads at once."""

    @property
    def request_schema(self) -> Schema:
        """What a request must bring: features that no group holds, and join keys."""

    def vectors(self, keys: pa.Table, *, at: Sequence[datetime]) -> Vectors:
        """The model inputs as they were known at each request's moment."""


class ServedModel(Protocol):
    """What a predictor needs of a registered model version."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def version(self) -> int:
        """Its version."""

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""

    def load(self) -> Any:  # Any: an estimator is whatever has `predict`
        """The fitted estimator."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What one request gave.

    Args:
        outputs: columns as in the predictor's `output_schema`, one row per request row.
        at: the moment that each row was predicted for.
        log_rows: the same predictions as rows of the log, inputs and sources included.
    """

    outputs: pa.Table
    at: Sequence[datetime]
    log_rows: pa.Table

    def rows(self, start: int, stop: int) -> "Predictions":
        """Those of the rows from `start` to before `stop`."""
        n = stop - start
        return Predictions(
            outputs=self.outputs.slice(start, n), at=self.at[start:stop], log_rows=self.log_rows.slice(start, n)
        )


class Predictor:
    """A loaded model version and its feature lookup.

    Args:
        model: the version to serve; it is loaded once, now.
        view: looks features up.
        clock: gives the present moment, in UTC.

    Raises:
        InvalidNameError: the model's name is too long for a log group to be named after it.
        TypeMismatchError: the model cannot be served: it has several labels, or inputs that no tensor can carry.
    """

    def __init__(self, model: ServedModel, view: FeatureLookup, *, clock: Callable[[], datetime]) -> None:
        self.name, self.version = model.name, model.version
        self._view, self._clock, self._estimator = view, clock, model.load()
        self._signature, self._inputs = model.signature, model.signature.inputs
        self.request = _request(view.request_schema, model.signature)
        outputs = _outputs(model)
        self._ask = _labels_and_shares if len(outputs) > 1 else _labels
        self._takes_arrow = type(self._estimator) is Pipeline and isinstance(self._estimator[0], Transformations)
        self.output_schema = Schema((*outputs, Field("prediction_id", pa.string(), False)))
        self.log_schema = self._log_layout()
        for field in (*self.request.inputs, *self.output_schema):
            metadata_of(field)
        log_name(self.name, self.version)

    def __repr__(self) -> str:
        return f"Predictor({self.name!r}, version {self.version}: {', '.join(self.request.inputs.names)})"

    @property
    def classes(self) -> tuple[bool | int | float | str, ...]:
        """The class labels in the order of the probabilities; none unless the model is a classifier."""
        return self._signature.classes

    def _log_layout(self) -> Schema:
        keys = [field for field in self.request.inputs if field.name not in self._inputs]
        outputs = [field for field in self.output_schema if field.name != "prediction_id"]
        return Schema(
            (
                Field("prediction_id", pa.string(), False),
                Field("at", TIMESTAMP, False),
                Field("predicted_at", TIMESTAMP, False),
                Field("model_version", pa.int64(), False),
                *(Field(f"x_{field.name}", field.type) for field in self._inputs),
                *(Field(f"k_{field.name}", field.type) for field in keys),
                *(Field(f"y_{field.name}", field.type) for field in outputs),
                Field("sources", pa.string(), False),
            )
        )

    def moments(self, at: datetime | Sequence[datetime] | None, n_rows: int) -> list[datetime]:
        """One moment per row: those given, the one for all, or now."""
        if at is None or isinstance(at, datetime):
            return [at or self._clock()] * n_rows
        return list(at)

    def predict(self, inputs: pa.Table, at: datetime | Sequence[datetime] | None = None) -> Predictions:
        """Predict for every row.

        Args:
            inputs: columns as in `request.inputs`.
            at: the moment that predictions are for, or one per row; now, if None.

        Raises:
            SignatureError: the model does not take these values.
        """
        moments, now = self.moments(at, len(inputs)), self._clock()
        vectors = self._view.vectors(inputs, at=moments)
        features = self._chosen(vectors)
        columns = self._run(features)
        ids = new_ids(self.name, self.version, len(inputs), now)
        outputs = pa.Table.from_arrays([*columns, pa.array(ids, pa.string())], schema=self.output_schema.to_arrow())
        return Predictions(outputs=outputs, at=moments, log_rows=self._log_rows(inputs, vectors, outputs, moments, now))

    def _chosen(self, vectors: Vectors) -> pa.Table:
        """The view's features that the model was fitted on, which may be some of them, in its order."""
        names = vectors.features.column_names
        if not set(self._inputs.names) <= set(names):
            raise GroundswellError(
                f"Model {self.name!r} version {self.version} takes {self._inputs.names}, and its view gives {names}.",
                why="The view is not the one that the model was trained on.",
                fix="Deploy the model with the version of the view that its training data came from.",
            )
        for field in self._inputs:
            column = vectors.features[field.name]
            if column.null_count and not field.nullable:
                row = pc.index(pc.is_null(column), True).as_py()
                absent = sorted(name for name, source in vectors.sources[row].items() if source is None)
                raise SignatureError(
                    f"Feature {field.name!r} is null for row {row}, and the model takes no null there.",
                    why=f"Nothing was known at that moment in {', '.join(map(repr, absent))} for its keys."
                    if absent
                    else "The matched row holds null.",
                    fix="Check the keys and 'at', or train the model with rows where the feature is missing.",
                    feature=field.name,
                    row=row,
                )
        return vectors.features.select(self._inputs.names)

    def _run(self, features: pa.Table) -> list[pa.Array]:
        """The estimator's outputs as columns, without the ids."""
        if not len(features):
            return [pa.array([], field.type) for field in self.output_schema][:-1]
        # As the training data makes X: the view's transformations take the columns as they are, others a frame.
        given = features if self._takes_arrow else to_features(features)
        try:
            labels, shares = self._ask(self._estimator, given)
        except ValueError as error:  # scikit-learn's way to refuse values: an unknown category, NaN
            raise SignatureError(
                f"Model {self.name!r} version {self.version} refuses these values: {show(str(error), 300)}",
                fix="Send values like those that it was trained on.",
            ) from error
        columns = [pa.array(np.asarray(labels).reshape(len(features))).cast(self.output_schema["prediction"].type)]
        if shares is not None:
            columns.append(_share_column(np.asarray(shares, np.float64), self._signature))
        return columns

    def _log_rows(
        self, inputs: pa.Table, vectors: Vectors, outputs: pa.Table, at: Sequence[datetime], now: datetime
    ) -> pa.Table:
        n = len(inputs)
        columns: dict[str, Any] = {f"x_{name}": vectors.features[name] for name in self._inputs.names}
        columns |= {f"k_{name}": inputs[name] for name in inputs.column_names}
        columns |= {f"y_{name}": outputs[name] for name in outputs.column_names}
        columns |= {
            "prediction_id": outputs["prediction_id"],
            "at": pa.array(at, TIMESTAMP),
            "predicted_at": pa.array([now] * n, TIMESTAMP),
            "model_version": pa.array([self.version] * n, pa.int64()),
            "sources": pa.array([_sources_text(row) for row in vectors.sources], pa.string()),
        }
        schema = self.log_schema.to_arrow()
        return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _request(request: Schema, signature: Signature) -> Signature:
    """What a request must bring; a column that is a model input may be null only if the model takes null."""
    if not len(request):
        raise TypeMismatchError(
            "The view asks nothing of a request: neither a feature nor a key.",
            why="Every request would get the same prediction.",
            fix="Select at least one column of the view's first group.",
        )
    fields = [
        replace(
            field,
            nullable=field.nullable and (field.name not in signature.inputs or signature.inputs[field.name].nullable),
        )
        for field in request
    ]
    return replace(signature, inputs=Schema(tuple(fields)))


def _outputs(model: ServedModel) -> tuple[Field, ...]:
    """What the model gives, as its signature says; a classifier may give a probability or probabilities too."""
    signature = model.signature
    n_labels = 1 if signature.classes else len(signature.outputs)
    if n_labels != 1:
        raise TypeMismatchError(
            f"Model {model.name!r} version {model.version} predicts {n_labels} labels at once: "
            f"{', '.join(signature.outputs.names)}.",
            why="A service answers with one label per row.",
            fix="Register one model per label.",
            labels=signature.outputs.names,
        )
    return tuple(Field(field.name, field.type) for field in signature.outputs)


def _labels(estimator: Any, frame: Any) -> tuple[Any, None]:  # Any: what estimators take and give
    return estimator.predict(frame), None


def _labels_and_shares(estimator: Any, frame: Any) -> tuple[Any, Any]:  # Any: what estimators take and give
    """`predict` and `predict_proba`; what precedes the last step of a pipeline, often the slower part, runs once."""
    if type(estimator) is Pipeline and len(estimator) > 1:
        return _labels_and_shares(estimator[-1], estimator[:-1].transform(frame))
    return estimator.predict(frame), estimator.predict_proba(frame)


def _share_column(shares: np.ndarray, signature: Signature) -> pa.Array:
    """A classifier's probabilities, an array of shape (n, k), as a column."""
    n, k = shares.shape
    if signature.task == "binary":  # a classifier that met one class only has one column: the second never happens
        return pa.array(np.ascontiguousarray(shares[:, 1]) if k > 1 else np.zeros(n))
    offsets = pa.array(np.arange(0, n * k + 1, k), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(shares.ravel())).cast(canonical_type(pa.list_(pa.float64())))


def _sources_text(sources: Mapping[str, Source | None]) -> str:
    return json.dumps(
        {
            name: None
            if source is None
            else {
                "commit": source.commit,
                "event_time": _text(source.event_time),
                "available_at": _text(source.available_at),
                **({} if source.shown_as is None else {"shown_as": source.shown_as}),
            }
            for name, source in sources.items()
        }
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
