"""The prediction log: every prediction of a model version as a row of a feature group.

A prediction is acknowledged only once its row is durable: in the write-ahead log of a stream into the group, which
commits what has gathered every few seconds, and when somebody reads. Waiting for the disk once per request would still
bound a service, so requests share it: a writer thread takes all rows that wait, writes them as one, and releases the
requests whose rows it held (group commit). Called by the service.

References:
    Gawlick and Kinkade, "Varieties of Concurrency Control in IMS/VS Fast Path", 1985 (group commit).
"""

import copy
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import pyarrow as pa

from groundswell.errors import AlreadyExistsError, ConflictError, GroundswellError, NotFoundError
from groundswell.serving._ids import log_name
from groundswell.types import Schema

__all__ = ["LogGroup", "LogGroups", "LogStream", "PredictionLog"]


class LogStream(Protocol):
    """What the log needs of a stream."""

    def write_all(self, data: pa.Table, /) -> int:
        """Write the rows; they are durable when it returns, and none of them counts if it raises."""

    def close(self) -> None:
        """Commit what was written, and end."""


class LogGroup(Protocol):
    """What the log needs of a feature group."""

    def stream(self) -> LogStream:
        """Open a stream of rows into it."""


class LogGroups(Protocol):
    """Where feature groups are made and found: a project."""

    def create_feature_group(
        self, name: str, *, primary_key: Sequence[str], event_time: str, schema: Schema, description: str
    ) -> LogGroup:
        """Make a group."""

    def get_feature_group(self, name: str) -> LogGroup:
        """The group of that name."""


class PredictionLog:
    """The log of one model version, written by a thread of its own.

    Args:
        groups: where the log's group is, or is made at the first prediction.
        model: name of the model.
        version: its version.
        schema: the log's columns.
        capacity: the most rows that may wait to be written; a single larger request may wait alone.
    """

    def __init__(self, groups: LogGroups, model: str, version: int, schema: Schema, *, capacity: int) -> None:
        self.name = log_name(model, version)
        self._groups, self._model, self._version, self._schema = groups, model, version, schema
        self._capacity = capacity
        self._waiting: list[tuple[pa.Table, Future[None]]] = []
        self._waiting_rows = 0
        self._changed = threading.Condition()
        self._closed = False
        self._writer: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still takes rows."""
        return not self._closed

    def append(self, rows: pa.Table) -> Future[None]:
        """Queue rows. The future is done when they are durable, or holds the error that kept them from it.

        Raises:
            ConflictError: too many rows are waiting; the same call may be made again later.
            GroundswellError: the log is closed.
        """
        done: Future[None] = Future()
        with self._changed:
            if self._closed:
                raise GroundswellError(
                    f"The prediction log {self.name!r} is closed.",
                    why="The service was closed, and a prediction that is not recorded is not given.",
                    fix="Deploy the model again.",
                )
            if self._waiting and self._waiting_rows + len(rows) > self._capacity:
                raise ConflictError(
                    f"The service is busy: {self._waiting_rows} predictions wait to be recorded.",
                    why=f"At most {self._capacity} may wait.",
                    fix="Send the request again in a moment.",
                    waiting=self._waiting_rows,
                )
            self._waiting.append((rows, done))
            self._waiting_rows += len(rows)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name=f"log {self.name}", daemon=True)
                self._writer.start()
            self._changed.notify_all()
        return done

    def close(self) -> None:
        """Take no more rows, write those that wait, and return once all are committed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            writer = self._writer
        if writer is not None:
            writer.join()

    def _write(self) -> None:
        stream: LogStream | None = None
        while batch := self._next_batch():
            # A request that was given up meanwhile has cancelled its future; its rows are written all the same.
            waiting = [done for _, done in batch if done.set_running_or_notify_cancel()]
            try:
                stream = stream or self._open().stream()
                stream.write_all(pa.concat_tables([rows for rows, _ in batch]))
            except Exception as error:  # noqa: BLE001 - the thread outlives a failed write; its requests get the error
                for done in waiting:
                    done.set_exception(self._failure(error))
            else:
                for done in waiting:
                    done.set_result(None)
        if stream is not None:
            stream.close()

    def _next_batch(self) -> list[tuple[pa.Table, Future[None]]]:
        """All that waits, as soon as anything does; nothing once the log is closed and written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch, self._waiting, self._waiting_rows = self._waiting, [], 0
            return batch

    def _open(self) -> LogGroup:
        try:
            return self._groups.get_feature_group(self.name)
        except NotFoundError:
            pass
        try:
            return self._groups.create_feature_group(
                self.name,
                primary_key=["prediction_id"],
                event_time="at",
                schema=self._schema,
                description=f"Predictions of {self._model}, version {self._version}.",
            )
        except AlreadyExistsError:  # another service of the same model was first
            return self._groups.get_feature_group(self.name)

    def _failure(self, error: Exception) -> GroundswellError:
        if isinstance(error, ConflictError):
            return copy.copy(error)  # each request raises one of its own
        failure = GroundswellError(
            f"The prediction could not be recorded in {self.name!r}, so it is withheld: {error}",
            why="A prediction is given only once its row is durable.",
            fix="Mend what kept the row from being written, and ask again.",
            log=self.name,
        )
        failure.__cause__ = error
        return failure
