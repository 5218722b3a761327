"""The feature views of a project, and the training data made from them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from groundswell.catalog import Catalog, Entry
from groundswell.errors import AlreadyExistsError, NotFoundError, SchemaError, TypeMismatchError, choices
from groundswell.features._feature_groups import FeatureGroups
from groundswell.features._query import Query
from groundswell.features._training_data import TrainingData
from groundswell.features._view import FeatureView
from groundswell.features._view_definition import ViewDefinition, check_labels
from groundswell.features.transformations import OnDemand, Transformation
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
        self._functions: dict[str, OnDemand] = {}  # those that were handed in, by digest

    def create(
        self,
        name: str,
        query: Query,
        *,
        labels: Sequence[str] = (),
        transformations: Sequence[Transformation] = (),
        on_demand: Sequence[OnDemand] = (),
        description: str = "",
        tags: Mapping[str, Any] | None = None,
    ) -> FeatureView:
        """Create a feature view.

        Args:
            name: letters, digits and underscores.
            query: which columns of which groups.
            labels: the columns to predict; none if they live outside any group.
            transformations: of the features, in the order in which they are made; fitted on each training split.
            on_demand: features that functions compute from those of the query and from requests.
            description: what it is for, in words.
            tags: what it is tagged with, among them the tags that every view of the project must have.

        Raises:
            InvalidNameError: the name cannot be used.
            AlreadyExistsError: there is a view of that name.
            ColumnNotFoundError: a label, a transformation's column or a function's parameter is not there.
            TypeMismatchError: a transformation or function does not apply to the type of a column.
            SchemaError, JoinError: no view can be made of the query.
            DataError: a tag is missing that views must have, or does not fit its schema.
        """
        check_name(name, "feature view")
        if not isinstance(query, Query):
            raise SchemaError(
                f"A {type(query).__name__} is no query.", fix="Start with group.select('column', …).", query=query
            )
        ViewDefinition.check(query, check_labels(labels))
        bare = ViewDefinition(id="", name=name, version=0, query=query, labels=tuple(labels))
        definition = bare.checked(transformations, on_demand)
        with self._catalog.transaction():
            taken = self._catalog.find(KIND, name=name)
            if taken:
                raise AlreadyExistsError(
                    f"There is a feature view {name!r} already, created by {taken[0].created_by}.",
                    fix=f"Use it: project.get_feature_view({name!r}). Or choose another name.",
                    name=name,
                )
            entry = self._catalog.add(KIND, name, definition.to_dict(), description=description, tags=tags)
            for group in {group.id for group in query.groups()}:
                self._catalog.link(entry, group, "reads")
            self._catalog.log("created", entry)
        self.hand_in(definition.on_demand)
        return self._view(entry)

    def get(self, name: str, version: int | None = None, *, on_demand: Sequence[OnDemand] = ()) -> FeatureView:
        """The view of that name.

        Args:
            name, version: of the view; None is the latest.
            on_demand: its functions, where they are defined in no module that is imported.

        Raises:
            NotFoundError: there is none, or it has no such function; the message names the nearest.
            DataError: a function has other code than the view was made with.
        """
        entry = self._catalog.get(KIND, name, version)
        recorded = {each["name"]: OnDemand.from_dict(each) for each in entry.body.get("on_demand", ())}
        for function in on_demand:
            if not isinstance(function, OnDemand) or function.name not in recorded:
                shown = getattr(function, "name", None) or repr(function)
                raise NotFoundError(
                    f"View {name!r} has no on-demand feature {shown!r}.",
                    fix=choices(shown, recorded, "on-demand features"),
                    name=shown,
                )
            recorded[function.name].given(function)
        self.hand_in(on_demand)
        return self._view(entry)

    def hand_in(self, functions: Sequence[OnDemand]) -> None:
        """Remember functions for the views whose on-demand features they compute.

        Raises:
            TypeMismatchError: something is no on-demand feature.
        """
        for function in functions:
            if not isinstance(function, OnDemand):
                raise TypeMismatchError(
                    f"{function!r} ({type(function).__name__}) is no on-demand feature.",
                    fix="Write @gs.on_demand over the function.",
                )
            self._functions[function.digest] = function

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
        definition = ViewDefinition.of(entry, query, self._functions)
        return FeatureView(
            entry=entry, definition=definition, folder=self._folder, catalog=self._catalog, online=online
        )
