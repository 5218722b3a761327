"""What a view's features are for requests: from the online store where it can answer, from the tables where not."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.errors import DataError, TypeMismatchError
from groundswell.features._online_copies import OnlineCopies
from groundswell.features._online_lookup import OnlineLookup
from groundswell.features._requests import Requests
from groundswell.features._table_lookup import TableLookup
from groundswell.features._vector import Vector, Vectors
from groundswell.features._view_definition import ViewDefinition

__all__ = ["Lookup"]

Moment = str | date | datetime


class Lookup:
    """Answers requests to a view.

    Both places give the same answer: what a point-in-time join would give for the keys and the moment. So which of them
    answers is a matter of speed alone.

    Args:
        view: the features to look up.
        tables: looks them up in the tables.
        online: the online store.
    """

    def __init__(self, view: ViewDefinition, tables: TableLookup, online: OnlineCopies) -> None:
        self._view, self._tables, self._copies = view, tables, online
        self._requests = Requests(view.request_schema, (*view.own, *view.extra.names))
        self._places = {name: i for i, name in enumerate(view.schema.names)}
        self._online: OnlineLookup | None = None

    def vector(
        self,
        keys: Mapping[str, Any],  # Any: values of the request's types
        request: Mapping[str, Any] | None = None,  # Any: as keys
        at: Moment | None = None,
    ) -> Vector:
        """The features of one request.

        Args:
            keys: values of `request_schema`.
            request: those of them that are not kept anywhere, if they come apart.
            at: the moment; None is now.

        Raises:
            ColumnNotFoundError: a value is missing.
            SchemaError: there is one that has no role.
            TypeMismatchError, DataError: one cannot be taken as the group's type.
        """
        given = self._requests.one(keys, request)
        at_us = self._copies.moment(at)
        online = self._online or self._open()
        if online is not None:
            try:
                vector = online.vector(given, at_us)
            except (TypeMismatchError, DataError):  # a key of another type, such as a date given as text
                given = self._requests.converted(given)
                vector = None
            if vector is not None:
                return vector
        requests = self._requests.many([given])
        return self._tables.vectors(requests, np.array([at_us])).first(self._places, at_us)

    def vectors(
        self, keys: object, requests: object | None = None, at: Moment | Sequence[Moment] | None = None
    ) -> Vectors:
        """The features of many requests, in their order.

        Args:
            keys: anything tabular with columns of `request_schema`; one row per request.
            requests: those of its columns that are not kept anywhere, if they come apart.
            at: the moment of all, or of each; None is now.

        Raises:
            ColumnNotFoundError: a column is missing.
            SchemaError: there is one that has no role.
            TypeMismatchError, DataError: a value cannot be taken as the group's type; or there are not as many moments.
        """
        table = self._requests.many(keys, requests)
        moments = self._moments(at, len(table))
        online = self._online or self._open()
        if online is None:
            return self._tables.vectors(table, moments)
        try:
            vectors, ask_table = online.vectors(table, moments)
        except pa.ArrowInvalid:  # a number too large for a key or for a condition: the tables know what that means
            return self._tables.vectors(table, moments)
        if not ask_table.any():
            return vectors
        places = np.flatnonzero(ask_table)
        return vectors.replaced(places, self._tables.vectors(table.take(pa.array(places)), moments[places]))

    def _moments(self, at: Moment | Sequence[Moment] | None, n_requests: int) -> NDArray[np.int64]:
        if at is None or isinstance(at, str | date):
            return np.full(n_requests, self._copies.moment(at))
        if len(at) != n_requests:
            raise DataError(
                f"There are {n_requests} requests and {len(at)} moments.", fix="Give one for each, or one for all."
            )
        return np.fromiter(map(self._copies.moment, at), np.int64, n_requests)

    def _open(self) -> OnlineLookup | None:
        """The way through the online store, once all groups that are looked up are in it."""
        base = [] if self._view.labels else [self._view.query.base.group]
        if all(group.online for group in (*base, *(join.right.group for join in self._view.query.joins))):
            self._online = OnlineLookup(self._view, self._copies)
        return self._online
