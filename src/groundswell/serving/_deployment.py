"""Deployments: predictors with the logs that record what they answer.

The one step that every way of asking ends in is here: predict, then record; an answer may leave only when its rows are
durable. Called by the service from Python and by the HTTP application.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

import pyarrow as pa

from groundswell.errors import AlreadyExistsError, DataError, NotFoundError, choices
from groundswell.serving._combining import Combining
from groundswell.serving._log import LogGroups, PredictionLog
from groundswell.serving._predictor import Predictions, Predictor

__all__ = ["Deployment", "Deployments", "Limits"]

_N_AT_ONCE = 2
"""While one batch is being predicted another may be, so that a large request does not hold the small ones up."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a service takes at most.

    Args:
        body_bytes: the size of a request body.
        body_s: the seconds in which a body must have arrived.
        rows: the rows of one request over HTTP, and of requests that are predicted together.
        waiting_rows: the predictions of a model that may wait to be recorded; beyond it, requests must come back.
    """

    body_bytes: int = 8 * 2**20
    body_s: float = 30.0
    rows: int = 10_000
    waiting_rows: int = 50_000

    def __post_init__(self) -> None:
        for name in ("body_bytes", "body_s", "rows", "waiting_rows"):
            value = getattr(self, name)
            if value <= 0:
                raise DataError(f"The limit {name} is {value}.", fix="Give a number above zero.", limit=name)


class Deployment:
    """A predictor and its log. Requests that come at the same time are predicted and recorded together.

    Args:
        predictor: the model and its features.
        log: where predictions are recorded.
        most_rows: the most rows of several requests that are predicted together.
    """

    def __init__(self, predictor: Predictor, log: PredictionLog, *, most_rows: int) -> None:
        self.predictor, self.log = predictor, log
        self._predict = Combining(self._predict_all, n_at_once=_N_AT_ONCE, most=most_rows)

    def predict(self, inputs: pa.Table, at: datetime | Sequence[datetime] | None) -> tuple[Predictions, Future[None]]:
        """Predict, and queue the predictions for the log; they may be given out once the future is done.

        Raises:
            SignatureError: the model does not take these values.
            ConflictError: too many predictions wait to be recorded.
        """
        if not len(inputs):
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return self.predictor.predict(inputs, at), nothing
        moments = self.predictor.moments(at, len(inputs))
        predictions = self._predict((inputs, moments), len(inputs))
        return predictions, self.log.append(predictions.log_rows)

    def _predict_all(self, asked: list[tuple[pa.Table, list[datetime]]]) -> list[Predictions]:
        if len(asked) == 1:
            return [self.predictor.predict(*asked[0])]
        moments = [moment for _, at in asked for moment in at]
        together = self.predictor.predict(pa.concat_tables([inputs for inputs, _ in asked]), moments)
        ends = list(accumulate(len(inputs) for inputs, _ in asked))
        return [together.rows(start, stop) for start, stop in pairwise([0, *ends])]


class Deployments:
    """What one service serves, in the order given; the first version of a name answers for the name alone.

    Raises:
        AlreadyExistsError: a version is there twice.
    """

    def __init__(self, predictors: Sequence[Predictor], groups: LogGroups, limits: Limits) -> None:
        self._by_name: dict[str, dict[str, Deployment]] = {}
        for predictor in predictors:
            name, version = predictor.name, predictor.version
            versions = self._by_name.setdefault(name, {})
            if str(version) in versions:
                raise AlreadyExistsError(
                    f"Model {name!r} version {version} is in the service twice.", fix="Deploy it once."
                )
            log = PredictionLog(groups, name, version, predictor.log_schema, capacity=limits.waiting_rows)
            versions[str(version)] = Deployment(predictor, log, most_rows=limits.rows)
        if not self._by_name:
            raise DataError("A service needs a model.", fix="Deploy at least one.")

    def __iter__(self) -> Iterator[Deployment]:
        for versions in self._by_name.values():
            yield from versions.values()

    @property
    def first(self) -> Deployment:
        """What answers when no model is named."""
        return next(iter(self))

    def versions(self, name: str) -> list[str]:
        """The versions of a model, the one that answers for the name first.

        Raises:
            NotFoundError: there is no such model.
        """
        if name not in self._by_name:
            raise NotFoundError(
                f"This service has no model {name[:100]!r}.",
                fix=choices(name[:128], self._by_name, "models"),
                model=name,
            )
        return list(self._by_name[name])

    def get(self, name: str, version: str | None = None) -> Deployment:
        """The deployment of a model version.

        Raises:
            NotFoundError: there is no such model or version.
        """
        versions = self.versions(name)
        if version is None:
            return self._by_name[name][versions[0]]
        if version not in versions:
            raise NotFoundError(
                f"This service has no version {version[:100]!r} of model {name!r}.",
                fix=f"It has {', '.join(versions)}.",
                model=name,
                version=version,
            )
        return self._by_name[name][version]

    @property
    def is_open(self) -> bool:
        """Whether predictions are taken."""
        return all(deployment.log.is_open for deployment in self)

    def close(self) -> None:
        """Take no more predictions and return once all are recorded."""
        for deployment in self:
            deployment.log.close()
