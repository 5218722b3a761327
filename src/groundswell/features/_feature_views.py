"""The feature views of a project, and the training data made from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundswell.catalog import Catalog, Entry
from groundswell.errors import AlreadyExistsError, SchemaError
from groundswell.features._feature_groups import FeatureGroups
from groundswell.features._query import Query
from groundswell.features._training_data import TrainingData
from groundswell.features._view import FeatureView
from groundswell.features._view_definition import ViewDefinition
from groundswell.types import check_name

KIND = "feature_view"


class FeatureViews:
    """Makes and finds feature views.

    Args:
        catalog: where their names and definitions are.
        folder: where frames joined to a view are kept.
        groups: where the groups that they read are found.
    """

    def __init__(self, *, catalog: Catalog, folder: Path, groups: FeatureGroups) -> None:
        self._catalog, self._folder, self._groups = catalog, folder, groups

    def create(
        self,
        name: str,
        query: Query,
        *,
        labels: Sequence[str] = (),
        description: str = "",
        tags: Mapping[str, Any] | None = None,
    ) -> FeatureView:
        """Create a feature view.

        Args:
            name: letters, digits and underscores.
            query: which columns of which groups.
            labels: the columns to predict; none if they live outside any group.
            description: what it is for, in words.
            tags: what it is tagged with, among them the tags that every view of the project must have.

        Raises:
            InvalidNameError: the name cannot be used.
            AlreadyExistsError: there is a view of that name.
            ColumnNotFoundError: a label is not among the query's columns.
            SchemaError, JoinError: no view can be made of the query.
            DataError: a tag is missing that views must have, or does not fit its schema.
        """
        check_name(name, "feature view")
        if isinstance(labels, str):
            raise SchemaError(
                f"labels={labels!r} is one text.", fix=f"Give a list: labels=[{labels!r}].", labels=labels
            )
        if not isinstance(query, Query):
            raise SchemaError(
                f"A {type(query).__name__} is no query.", fix="Start with group.select('column', …).", query=query
            )
        ViewDefinition.check(query, labels)
        with self._catalog.transaction():
            taken = self._catalog.find(KIND, name=name)
            if taken:
                raise AlreadyExistsError(
                    f"There is a feature view {name!r} already, created by {taken[0].created_by}.",
                    fix=f"Use it: project.get_feature_view({name!r}). Or choose another name.",
                    name=name,
                )
            body = {"query": query.to_dict(), "labels": list(labels)}
            entry = self._catalog.add(KIND, name, body, description=description, tags=tags)
            for group in {group.id for group in query.groups()}:
                self._catalog.link(entry, group, "reads")
            self._catalog.log("created", entry)
        return self._view(entry)

    def get(self, name: str, version: int | None = None) -> FeatureView:
        """The view of that name.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        return self._view(self._catalog.get(KIND, name, version))

    def all(self) -> list[FeatureView]:
        """All views by name."""
        return [self.get(name) for name in sorted({entry.name for entry in self._catalog.find(KIND)})]

    def training_data(
        self, name: str, version: int | None = None, *, remainder: bool = False
    ) -> dict[str, TrainingData]:
        """Recorded training data: its parts by name, such as "train" and "test".

        Args:
            name: the view's.
            version: its number among the view's training data; None is the newest.
            remainder: whether rows that were purged since may be missing.

        Raises:
            NotFoundError: there is none.
        """
        entry = self._catalog.get("training_data", name, version)
        view = entry.body["view"]
        return self.get(view["name"], view["version"]).open_training_data(entry, remainder=remainder)

    def _view(self, entry: Entry) -> FeatureView:
        query = Query.from_dict(entry.body["query"], self._groups.get)
        online = self._groups.online
        return FeatureView(entry=entry, query=query, folder=self._folder, catalog=self._catalog, online=online)
