"""A prediction service: predictors, their logs, and the ways to ask them.

From Python one calls `predict`; over HTTP the same deployments answer the Open Inference Protocol. Both ways end in the
same step: predict, record, and only then answer. `project.deploy` makes services.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from groundswell.errors import SignatureError
from groundswell.serving._app import application
from groundswell.serving._deployment import Deployment, Deployments, Limits
from groundswell.serving._guard import check_token
from groundswell.serving._log import LogGroups
from groundswell.serving._predictor import Predictions, Predictor
from groundswell.serving._records import Moments, Records, moments_of, table_of
from groundswell.serving._server import Server

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["Prediction", "Service"]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One prediction, recorded.

    Args:
        id: names it for ever; `project.trace` takes it.
        prediction: the class label, or the number that a regressor gives.
        probability: of the second class, for a classifier of two.
        probabilities: of every class, for a classifier of more.
        at: the moment that it was made for.
    """

    id: str
    prediction: Any  # Any: a label has the type that the training data gave it
    probability: float | None = None
    probabilities: Mapping[Any, float] | None = None
    at: datetime

    def __repr__(self) -> str:
        shares = ""
        if self.probability is not None:
            shares = f", probability {self.probability:.4g}"
        elif self.probabilities is not None:
            shares = f", probability {max(self.probabilities.values()):.4g}"
        return f"Prediction({self.prediction!r}{shares}, at {self.at.isoformat(timespec='minutes')}, id {self.id})"


class Service:
    """Predictors that answer from Python and over HTTP, and record what they answer.

    Args:
        predictors: what to serve; the first answers where no model is named.
        groups: where the prediction logs are: a project.
        token: what HTTP requests must bring; None serves this machine alone.
        limits: sizes of what is taken.

    Raises:
        DataError: there is no predictor, or the token can be guessed.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        groups: LogGroups,
        *,
        token: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._token = None if token is None else check_token(token)
        self._deployments = Deployments(predictors, groups, self._limits)
        self._server: Server | None = None
        atexit.register(self.close)  # a thread that is still writing when the interpreter ends would be cut off

    def __repr__(self) -> str:
        names = ", ".join(f"{d.predictor.name} version {d.predictor.version}" for d in self._deployments)
        where = f" at {self.url}" if self.url else ""
        return f"Service({names}{where})"

    @property
    def url(self) -> str | None:
        """Where it is served over HTTP; None if it is not."""
        return None if self._server is None else self._server.url

    def predict(
        self, records: Records, at: Moments | None = None, *, model: str | None = None, version: int | None = None
    ) -> list[Prediction]:
        """Predict for every record; the predictions are in the log when this returns.

        Args:
            records: mappings from input names to values, or a data frame; with `at` among them, or not.
            at: the moment that predictions are for, or one per record; now, if None.
            model: which model; the first, if None.
            version: which version of it.

        Raises:
            SignatureError: a record does not fit the model, or `at` cannot be read.
            NotFoundError: there is no such model in this service.
            ConflictError: too many predictions wait to be recorded.
        """
        first = self._deployments.first.predictor.name
        deployment = self._deployments.get(model or first, None if version is None else str(version))
        inputs, own_at = table_of(records, deployment.predictor.request)
        moments = None if at is None else moments_of(at)
        if isinstance(moments, list) and len(moments) != len(inputs):
            raise SignatureError(
                f"There are {len(inputs)} records and {len(moments)} moments in at=….",
                fix="Give one moment for all, or one for each.",
            )
        if moments is not None and own_at is not None:
            raise SignatureError(
                "The records have 'at', and at=… is given too.", fix="Keep one of the two: only one can be meant."
            )
        predictions, recorded = deployment.predict(inputs, own_at if moments is None else moments)
        recorded.result()
        return _listed(deployment, predictions)

    @cached_property
    def app(self) -> FastAPI:
        """The ASGI application, to be served by any ASGI server.

        Raises:
            MissingDependencyError: FastAPI is not installed.
        """
        return application(self._deployments, self._limits, self._token)

    def run(self, host: str = "127.0.0.1", port: int = 8080) -> None:
        """Serve over HTTP until interrupted, then close.

        Raises:
            DataError: other machines could reach it and it has no token.
            InUseError: the port is taken.
        """
        self.stop()
        self._server = self._bound(host, port, "info")
        try:
            self._server.run()
        finally:
            self.close()

    def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Serve over HTTP in another thread, and return the address; port 0 takes a free one.

        Raises:
            DataError: other machines could reach it and it has no token.
            InUseError: the port is taken.
        """
        if self._server is None:
            self._server = self._bound(host, port, "warning")
            self._server.start()
        return self._server.url

    def _bound(self, host: str, port: int, log_level: str) -> Server:
        return Server(self.app, host=host, port=port, guarded=self._token is not None, log_level=log_level)

    def stop(self) -> None:
        """Stop serving over HTTP; `predict` goes on."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Stop, take no more predictions, and return once all are recorded."""
        self.stop()
        self._deployments.close()
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _listed(deployment: Deployment, predictions: Predictions) -> list[Prediction]:
    classes = deployment.predictor.classes
    found = []
    for row, at in zip(predictions.outputs.to_pylist(), predictions.at, strict=True):
        shares = row.get("probabilities")
        found.append(
            Prediction(
                id=row["prediction_id"],
                prediction=row["prediction"],
                probability=row.get("probability"),
                probabilities=None if shares is None else MappingProxyType(dict(zip(classes, shares, strict=True))),
                at=at,
            )
        )
    return found
