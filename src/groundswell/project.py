"""A project: the one place that knows every noun and hands them out.

It opens a directory (the catalog, the tables, the models), puts the rooms together and passes on what they need of each
other. Rooms with heavy imports are loaded when their noun is first asked for.

It is long because it is the front door: two thirds are docstrings of verbs that hand on what they are given, and verbs
in other files would have to be looked for.
"""

import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from groundswell._project_folder import enter, is_project
from groundswell._version import __version__
from groundswell.errors import CorruptionError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.catalog import Catalog, Event, Hits
    from groundswell.changes import ChangeStream, Consumer, ConsumerStatus
    from groundswell.diagnosis import Diagnosis
    from groundswell.engines import DuckDB
    from groundswell.experiments import Run, Runs, TrainingSet
    from groundswell.features import (
        Expectation,
        FeatureGroup,
        FeatureGroups,
        FeatureView,
        FeatureViews,
        OnDemand,
        Policy,
        Query,
        StatisticsConfig,
        TrainingData,
        Transformation,
    )
    from groundswell.models import ModelVersion, Registry
    from groundswell.online import OnlineStore
    from groundswell.serving import Limits, Service, Trace
    from groundswell.types import Schema

__all__ = ["Project"]


class Project:
    """Feature groups, views, training data, runs, models and services, in one directory.

    Opened by `groundswell.open`. It is a context manager; closing it lets go of files and memory.
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        online: "OnlineStore | None" = None,
    ) -> None:
        self.folder = folder
        self._memory_limit, self._threads, self._given_online = memory_limit, threads, online
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.author = _author()

    @staticmethod
    def exists(place: str | os.PathLike[str]) -> bool:
        """Whether there is a project in a directory."""
        return is_project(Path(place).expanduser())

    @staticmethod
    def open(
        place: str | os.PathLike[str],
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        online: "OnlineStore | None" = None,
    ) -> "Project":
        """Open the project in a directory; make it if there is none.

        Args:
            place: the directory.
            memory_limit: how much memory reading and joining may take, such as "1GB"; what does not fit is spilled to
                the disk. None lets the engine choose (80 % of the machine's).
            threads: how many threads read and join; None is one per core.
            online: the store of the groups that are online: `Lmdb(folder)`, or `Redis(url)` for several machines. None
                takes the Redis server that GROUNDSWELL_ONLINE names, or a folder of LMDB in the project's.

        Raises:
            VersionError: the project was made by a newer Groundswell.
            CorruptionError: the directory is something else, damaged, or not writable.
        """
        if "://" in str(place):
            raise DataError(
                f"{str(place)!r} is an address, and projects are opened from directories.",
                fix="Give a directory, such as gs.open('flights').",
                value=str(place),
            )
        folder = Path(place).expanduser().absolute()
        enter(folder)
        return Project(folder, memory_limit=memory_limit, threads=threads, online=online)

    # Keywords, not an object of settings: they are what one reads first, and what an editor completes.
    def create_feature_group(
        self,
        name: str,
        *,
        primary_key: Sequence[str],
        event_time: str | None = None,
        available_at: str | None = None,
        schema: "Schema | pa.Schema | Mapping[str, pa.DataType] | None" = None,
        description: str = "",
        expectations: "Sequence[Expectation]" = (),
        validation: "Policy" = "strict",
        online: bool = False,
        statistics: "bool | Sequence[str] | StatisticsConfig" = True,
        retention: str | timedelta = "30d",
        tags: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> "FeatureGroup":
        """Create a feature group: a table of features with a key.

        Args:
            name: letters, digits and underscores.
            primary_key: the columns by which rows are found and joined.
            event_time: the column that says when a row's facts happened; None if they have no time (airports, planes).
            available_at: the column that says when a row became known, if that is later.
            schema: the columns and their types; None lets the first insert decide.
            description: what it holds, in words.
            expectations: what rows must be, such as `[gs.expect("temp").between(-40, 130)]`, checked for each batch
                before it is written.
            validation: "strict" writes only if all expectations hold; "warning" only if all of level error hold; "all"
                validates and writes in any case; "none" does not validate.
            online: whether the newest row of each key shall be in the online store, for `view.vector`.
            statistics: what is computed of every commit: True is all but numbers of distinct values; False is nothing;
                or some kinds, such as `["range", "distinct"]`, or a `StatisticsConfig`.
            retention: how far back every version stays readable when `vacuum` is not told otherwise, such as "90d".
            tags: what it is tagged with, among them the tags that every group must have (`require_tag`).

        Raises:
            InvalidNameError: the name or a column's name cannot be used.
            AlreadyExistsError: there is a group of that name.
            SchemaError, ColumnNotFoundError, TypeMismatchError: keys, times and columns do not fit together, or an
                expectation does not fit them.
            DataError: something is no expectation, the policy is none, the retention is no length of time, or a tag is
                missing or does not fit its schema.
        """
        from groundswell.features import NewGroup

        wanted = NewGroup(
            name=name,
            primary_key=primary_key,
            event_time=event_time,
            available_at=available_at,
            schema=schema,
            description=description,
            expectations=expectations,
            validation=validation,
            online=online,
            statistics=statistics,
            retention=retention,
            tags=tags,
        )
        return self.groups.create(wanted)

    def get_feature_group(self, name: str, version: int | None = None) -> "FeatureGroup":
        """The feature group of that name.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        return self.groups.get(name, version)

    def feature_groups(self) -> "list[FeatureGroup]":
        """All feature groups, by name."""
        return self.groups.all()

    def create_feature_view(
        self,
        name: str,
        query: "Query",
        *,
        labels: Sequence[str] = (),
        transformations: "Sequence[Transformation]" = (),
        on_demand: "Sequence[OnDemand]" = (),
        description: str = "",
        tags: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> "FeatureView":
        """Create a feature view: features and labels, defined once for training and for serving.

        Args:
            name: letters, digits and underscores.
            query: which columns of which groups.
            labels: the columns to predict; none if they live outside any group.
            transformations: of the features, in the order in which they are made, such as
                `[gs.standardize("distance"), gs.one_hot("carrier")]`; fitted on each training split.
            on_demand: features that functions compute, made with `@gs.on_demand`.
            description: what it is for, in words.
            tags: what it is tagged with, among them the tags that every view must have (`require_tag`).

        Raises:
            InvalidNameError: the name cannot be used.
            AlreadyExistsError: there is a view of that name.
            ColumnNotFoundError: a label, a transformation's column or a function's parameter is not there.
            TypeMismatchError: a transformation or function does not apply to the type of a column.
            SchemaError, JoinError: no view can be made of the query.
            DataError: a tag is missing or does not fit its schema.
        """
        return self.views.create(
            name,
            query,
            labels=labels,
            transformations=transformations,
            on_demand=on_demand,
            description=description,
            tags=tags,
        )

    def get_feature_view(
        self, name: str, version: int | None = None, *, on_demand: "Sequence[OnDemand]" = ()
    ) -> "FeatureView":
        """The feature view of that name.

        Args:
            name, version: of the view; None is the latest.
            on_demand: its functions, if they are in no module that is imported, as those of a notebook.

        Raises:
            NotFoundError: there is none; the message names the nearest.
            DataError: a function has other code than the view was made with.
        """
        return self.views.get(name, version, on_demand=on_demand)

    def feature_views(self) -> "list[FeatureView]":
        """All feature views, by name."""
        return self.views.all()

    def get_training_data(
        self, name: str, version: int | None = None, *, remainder: bool = False
    ) -> "dict[str, TrainingData]":
        """Recorded training data of a view: its parts by name, such as "train" and "test". It reads as it did.

        Args:
            name: the view's.
            version: its number among the view's training data; None is the newest.
            remainder: whether rows that were purged since may be missing; without, reading it raises `ErasedError`.

        Raises:
            NotFoundError: there is none.
        """
        return self.views.training_data(name, version, remainder=remainder)

    def run(  # the front door: each of these is what a user says of one run
        self,
        function: Callable[..., Any],  # Any: a model, metrics, or both
        data: "TrainingSet",
        *,
        evaluate: "TrainingSet | Mapping[str, TrainingSet] | None" = None,
        by: str | Iterable[str] = (),
        params: Mapping[str, Any] | None = None,  # Any: whatever the function takes
        name: str | None = None,
        description: str = "",
        tags: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> "Run":
        """Call `function(data, **params)` and record what went in, what ran and what came out.

        Args:
            function: any callable that returns a fitted model, a dict of metrics, or (model, metrics).
            data: what it learns from.
            evaluate: data on which the model is evaluated, or several by name.
            by: columns by whose values the figures are computed too, as in `gs.evaluate`.
            params: parameters other than the function's defaults.
            name: what to call the run; default: the function's name.
            description: what it is about, in words.
            tags: what it is tagged with, among them the tags that every run must have (`require_tag`).

        Raises:
            DataError: something is no function, data or parameter, or a tag is missing or does not fit its schema.
            ColumnNotFoundError: the data to evaluate on has no column of `by`.
            FitError: the function returned nothing that can be kept.
            Exception: what the function raised; the run is recorded as failed.
        """
        return self.runs.run(
            function, data, evaluate=evaluate, by=by, params=params, name=name, description=description, tags=tags
        )

    def get_run(self, reference: str) -> "Run":
        """The run with that id, or the only one whose id begins so.

        Raises:
            NotFoundError: there is none.
        """
        return self.runs.get(reference)

    def register(
        self,
        name: str,
        run: "Run | str",
        *,
        description: str = "",
        tags: Mapping[str, Any] | None = None,  # Any: JSON
    ) -> "ModelVersion":
        """Make a run's model the next version of a registered model.

        Args:
            name: the model's: letters, digits and underscores.
            run: the run, or its id.
            description: what it is, in words.
            tags: what it is tagged with, among them the tags that every model must have (`require_tag`).

        Raises:
            InvalidNameError: the name cannot be used.
            DataError: a tag is missing or does not fit its schema.
            CorruptionError: the run's model is missing or damaged.
            GroundswellError: the run has no model that can be stored; the message says why.
        """
        from groundswell.experiments import Run

        chosen = run if isinstance(run, Run) else self.runs.get(run)
        return self.models.register(name, chosen.candidate(), description=description, tags=tags)

    def get_model(self, reference: str) -> "ModelVersion":
        """The model version that "name" (the latest), "name:3" or "name@alias" refers to.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        return self.models.get(reference)

    def deploy(
        self,
        *references: "str | ModelVersion",
        token: str | None = None,
        limits: "Limits | None" = None,
        on_demand: "Sequence[OnDemand]" = (),
    ) -> "Service":
        """A prediction service for one or more model versions, to call here or over HTTP.

        Args:
            references: models as for `get_model`, or what it gave; the first answers where no model is named.
            token: what HTTP requests must bring; None serves this machine alone.
            limits: sizes of what is taken.
            on_demand: functions of the models' views, if they are in no module that is imported.

        Raises:
            NotFoundError: a model is unknown, or a function of its view is not loaded.
            CorruptionError: a model's file is missing or damaged.
            MissingDependencyError: the package for HTTP is not installed (only when HTTP is asked for).
        """
        from groundswell.serving import Predictor, Service

        predictors = []
        self.views.hand_in(on_demand)
        models = [self.models.get(each) if isinstance(each, str) else each for each in references]
        for model in models:
            if model.view is None:
                raise DataError(
                    f"Model {model.reference!r} was not trained on a feature view.",
                    why="So its features cannot be looked up.",
                    fix="Train it on data of a view: project.run(fit, train).",
                )
            data = self.catalog.get("training_data", model.data.name, model.data.version)
            view = self.views.get(data.body["view"]["name"], data.body["view"]["version"])
            view.check_on_demand()
            predictors.append(Predictor(model, view, clock=self.clock))
        for model in models:
            self.catalog.log("deployed", model.id)
        return Service(predictors, self, token=token, limits=limits)

    def trace(self, prediction_id: str) -> "Trace":
        """Where a prediction comes from: model version, run, code, training data, commits and the rows used.

        Raises:
            NotFoundError: there is no prediction with that id.
        """
        from groundswell.serving import trace

        return trace(prediction_id, self)

    def changes(
        self,
        after: int = 0,
        *,
        paths: Sequence[str] = (),
        kinds: Sequence[str] = (),
        verbs: Sequence[str] = (),
        tags: Sequence[str] = (),
    ) -> "Iterator[Event]":
        """Everything that happened, oldest first, up to the present: commits, those of other tools too, and metadata.

        Args:
            after: the number of the event that they follow, such as the last one that was seen.
            paths: patterns of `kind/name/version`, such as "feature_group/weather/*".
            kinds: kinds of entries, such as "model".
            verbs: what happened, such as "inserted".
            tags: names of tags of which the entry had one.

        Raises:
            DataError: one of them is no list of texts.
            InvalidNameError: there is no such kind or verb.
        """
        from groundswell.changes import Filter, read_events

        wanted = Filter(paths=paths, kinds=kinds, verbs=verbs, tags=tags)
        return read_events(self.catalog, lambda entry: self.groups.open(entry).table, after=after, wanted=wanted)

    def add_consumer(self, consumer: "Consumer", *, after: int = 0) -> None:
        """Register a consumer of changes; what follows the event `after` is kept until it has it.

        Those of kinds that come with Groundswell are run by any process that follows the project; others by the
        `change_stream` that is given the object.

        Raises:
            AlreadyExistsError: there is another one of that name.
        """
        from groundswell.changes import register

        register(self.catalog, consumer, after)

    def remove_consumer(self, name: str) -> None:
        """Remove a consumer of changes; what it made of them stays.

        Raises:
            NotFoundError: there is none; the message names the nearest.
        """
        self.catalog.consumers.remove(name)

    def consumers(self) -> "list[ConsumerStatus]":
        """How far each consumer of changes is, and what is wrong with it, by name."""
        from groundswell.changes import status_of

        return [status_of(record, self.catalog) for record in self.catalog.consumers.all()]

    def change_stream(self, *consumers: "Consumer") -> "ChangeStream":
        """What brings all that happens to the registered consumers, those given here and the online store.

        Raises:
            AlreadyExistsError: another consumer has the name of one of them.
        """
        from groundswell.changes import ChangeStream, OnlineStores

        online = [OnlineStores(followers=self.groups.followers)] if self.groups.followers() else []
        return ChangeStream(
            self.catalog,
            lambda entry: self.groups.open(entry).table,
            self.folder / "consumers",
            [*online, *consumers],
        )

    def prune_changes(self, before: datetime) -> int:
        """Remove the events older than a time that every consumer has, and return how many they were."""
        return self.catalog.events.prune(before)

    def find(self, text: str = "", *, kind: str | None = None, tag: str | None = None, limit: int = 20) -> "Hits":
        """What has these words in its name, features, descriptions or tags, the best first.

        Every character is text, none a command. Words may be cut short: `late` finds `late_arrival`. What has all words
        comes back; if nothing has, what has some. Of several versions the newest that fits counts.

        Args:
            text: what to look for; empty text finds everything, newest first.
            kind: "feature_group", "feature_view", "training_data", "run", "model" or "tag_schema"; None is all.
            tag: only what has this tag, or a feature with it.
            limit: at most so many.

        Raises:
            DataError: the limit is no number from 1.
            InvalidNameError: there is no such kind, or the text is none.
            NotFoundError: nothing has such a tag; the message names the nearest.
        """
        return self.catalog.search.find(text, kind=kind, tag=tag, limit=limit)

    def create_tag_schema(self, name: str, schema: Mapping[str, Any], *, description: str = "") -> None:  # Any: JSON
        """Let the values of a tag have to fit a JSON Schema, wherever in the project the tag is set.

        Args:
            name: the tag's.
            schema: JSON Schema, draft 2020-12 unless it says another; `{}` takes any value.
            description: what the tag says, in words.

        Raises:
            AlreadyExistsError: the tag has one.
            DataError: it is no JSON Schema, refers to another place, or values that are there do not fit it.
            InvalidNameError: the name cannot be used.
        """
        self.catalog.tags.create_schema(name, schema, description=description)

    def change_tag_schema(self, name: str, schema: Mapping[str, Any]) -> None:  # Any: JSON
        """Put another JSON Schema in the place of a tag's.

        Raises:
            DataError: it is no JSON Schema, or values that are there do not fit it; the message names them.
            NotFoundError: the tag has none.
        """
        self.catalog.tags.change_schema(name, schema)

    def delete_tag_schema(self, name: str) -> None:
        """Delete the schema of a tag that nothing has and of which nothing is required.

        Raises:
            InUseError: something has the tag, or it is required.
            NotFoundError: the tag has none.
        """
        self.catalog.tags.delete_schema(name)

    def tag_schemas(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        """The JSON Schemas by the name of their tag."""
        return self.catalog.tags.schemas()

    def require_tag(self, name: str, *, for_: str) -> list[str]:
        """Let nothing of a kind be created from now on without a tag, which has a schema.

        Args:
            name: the tag's.
            for_: the kind: "feature_group", "feature_view", "run" or "model".

        Returns:
            What is there without it, in words; `doctor` lists it too.

        Raises:
            InvalidNameError: tags cannot be required of the kind.
            NotFoundError: the tag has no schema.
        """
        return [str(entry) for entry in self.catalog.tags.require(name, for_)]

    def unrequire_tag(self, name: str, *, for_: str) -> None:
        """Let things of a kind do without a tag again.

        Raises:
            NotFoundError: the tag is not required of the kind.
        """
        self.catalog.tags.unrequire(name, for_)

    def doctor(self, *, deep: bool = False, repair: bool = False) -> "Diagnosis":
        """Check that everything is as it must be: tables, their logs and files, pins, models, runs, the catalog.

        Args:
            deep: read every row, compare every checksum and build every model, which takes as long as reading all data.
            repair: repair what can be made again from what is whole, and remove what killed processes left.

        Returns:
            What was found and how to repair it; its `ok` says whether anything is left to do.
        """
        from groundswell.doctor import examine

        return examine(lambda: self.catalog, lambda: self.groups, self.engine, self.folder, deep=deep, repair=repair)

    @cached_property
    def catalog(self) -> "Catalog":
        """Names and metadata."""
        from groundswell.catalog import Catalog

        file = self.folder / "catalog.db"
        if not file.exists() and (self.folder / "tables").exists():
            raise CorruptionError(
                f"The catalog of the project, {file}, is gone.",
                why="There are tables, so there was one.",
                fix="Restore it from a backup. A new one would know nothing of views, runs and models.",
                path=str(file),
            )
        return Catalog.create(f"sqlite:///{file}")

    @cached_property
    def engine(self) -> "DuckDB":
        """Where rows are read and joined."""
        from groundswell.engines import DuckDB

        return DuckDB(memory_limit=self._memory_limit, threads=self._threads)

    @cached_property
    def groups(self) -> "FeatureGroups":
        """The feature groups."""
        from groundswell.features import FeatureGroups, OnlineCopies

        return FeatureGroups(
            catalog=self.catalog,
            folder=self.folder,
            engine=self.engine,
            author=self.author,
            provenance=self._provenance,
            online=OnlineCopies(lambda: self.online, self.engine, lambda: self.clock()),
        )

    @cached_property
    def online(self) -> "OnlineStore":
        """The newest row per key of the groups that are online."""
        from groundswell.online import Lmdb, Redis

        if self._given_online is not None:
            return self._given_online
        url = os.environ.get("GROUNDSWELL_ONLINE")
        return Redis(url) if url else Lmdb(self.folder / "online")

    @cached_property
    def views(self) -> "FeatureViews":
        """The feature views."""
        from groundswell.features import FeatureViews

        return FeatureViews(catalog=self.catalog, folder=self.folder / "training_data", groups=self.groups)

    @cached_property
    def runs(self) -> "Runs":
        """The runs."""
        from groundswell.experiments import Runs

        return Runs(self.catalog, self.folder / "runs")

    @cached_property
    def models(self) -> "Registry":
        """The registered models."""
        from groundswell.models import Registry

        return Registry(self.catalog, self.folder / "models")

    def _provenance(self) -> Mapping[str, Any]:  # Any: JSON
        """What a commit says of the code that wrote it."""
        return {"groundswell": __version__, "code": self._code}

    @cached_property
    def _code(self) -> dict[str, Any] | None:  # Any: JSON
        """The git state of the program that runs, as it was when it first wrote; None outside git."""
        from groundswell.catalog import WorkingTree

        main = getattr(sys.modules.get("__main__"), "__file__", None)
        tree = WorkingTree.around(Path(main).parent if main else Path.cwd())
        return None if tree is None else {"commit": tree.commit, "branch": tree.branch, "dirty": tree.dirty}

    def close(self) -> None:
        """End the streams that are open, and let go of files and memory.

        Raises:
            CorruptionError: what a stream has acknowledged cannot be committed; it stays in its log.
        """
        with ExitStack() as closing:
            for name in ("catalog", "engine", "online", "groups"):  # the last first
                if name in self.__dict__:
                    closing.callback(self.__dict__.pop(name).close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = {
            "feature groups": len(self.catalog.find("feature_group")),
            "feature views": len(self.catalog.find("feature_view")),
            "runs": len(self.catalog.find("run")),
            "model versions": len(self.catalog.find("model")),
        }
        return f"Project({str(self.folder)!r}): " + ", ".join(f"{n} {noun}" for noun, n in counts.items())


def _author() -> str:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a container without a user database
        return f"{os.getuid()}@{socket.gethostname()}"
