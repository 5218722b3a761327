"""The doctor: every room's checks, run over everything that a project has.

What must be true is written where it is kept, in the rooms' own checks; this knows in which order to ask them. The
nouns are opened without the repairs that they make when they are used, so that what is found is what was there.
`project.doctor` calls it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from groundswell.catalog import Catalog
from groundswell.changes import check_consumer
from groundswell.diagnosis import Check, Diagnosis, Finding, diagnose
from groundswell.engines import DuckDB
from groundswell.experiments import Runs, check_run, check_run_folders
from groundswell.features import (
    FeatureGroups,
    check_group,
    check_group_folders,
    check_online,
    check_training_data,
    check_training_folders,
    check_view,
)
from groundswell.models import Registry, check_aliases, check_model, check_model_folders

__all__ = ["examine"]


def examine(
    open_catalog: Callable[[], Catalog],
    groups_of: Callable[[], FeatureGroups],
    engine: DuckDB,
    folder: Path,
    *,
    deep: bool,
    repair: bool,
) -> Diagnosis:
    """Examine a project.

    Args:
        open_catalog: opens its catalog, which may fail.
        groups_of: its feature groups, once the catalog is open.
        engine: reads rows.
        folder: the project's.
        deep: whether to read every row, compare every checksum and build every model.
        repair: whether to repair what can be made again from what is whole.
    """
    return diagnose(_checks(open_catalog, groups_of, engine, folder, deep=deep), repair=repair)


def _checks(
    open_catalog: Callable[[], Catalog],
    groups_of: Callable[[], FeatureGroups],
    engine: DuckDB,
    folder: Path,
    *,
    deep: bool,
) -> Iterator[tuple[str, str, Check]]:
    catalog = open_catalog()
    groups = groups_of()
    yield "catalog", "catalog", partial(_check_catalog, catalog, deep=deep)
    yield from _check_features(catalog, groups, engine, folder, deep=deep)
    runs, entries = Runs(catalog, folder / "runs", repair=False), catalog.find("run")
    for entry in entries:
        yield "runs", str(entry), partial(check_run, entry, runs, thorough=deep)
    yield "folders", "folder of runs", partial(check_run_folders, folder / "runs", entries)
    registry, entries = Registry(catalog, folder / "models", repair=False), catalog.find("model")
    for entry in entries:
        yield "model versions", str(entry), partial(check_model, entry, registry, thorough=deep)
    for name in sorted({entry.name for entry in entries}):
        yield "models", f"model {name!r}", partial(check_aliases, name, registry)
    yield "folders", "folder of models", partial(check_model_folders, folder / "models", entries, registry)
    for record in catalog.consumers.all():
        yield "consumers", f"consumer {record.name!r}", partial(check_consumer, record, catalog)


def _check_catalog(catalog: Catalog, *, deep: bool) -> Iterator[Finding]:
    yield from catalog.check(thorough=deep)
    yield from catalog.search.check()
    yield from catalog.tags.check()


def _check_features(
    catalog: Catalog, groups: FeatureGroups, engine: DuckDB, folder: Path, *, deep: bool
) -> Iterator[tuple[str, str, Check]]:
    rows = engine.broken_identities if deep else None
    entries = catalog.find("feature_group")
    for entry in entries:
        yield "feature groups", str(entry), partial(check_group, entry, groups, catalog, rows)
        if entry.body.get("online"):
            yield "online groups", str(entry), partial(check_online, entry, groups, thorough=deep)
    yield "folders", "folder of tables", partial(check_group_folders, folder / "tables", entries, groups)
    for entry in catalog.find("feature_view"):
        yield "feature views", str(entry), partial(check_view, entry, groups, catalog)
    entries, kept = catalog.find("training_data"), folder / "training_data"
    for entry in entries:
        yield "training data", str(entry), partial(check_training_data, entry, groups, catalog, kept)
    yield "folders", "folder of training data", partial(check_training_folders, kept, entries)
