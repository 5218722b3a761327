"""What must be true of registered models: their files are those that were stored, their aliases point to them.

`project.doctor` calls these; the experiments room checks the models of runs with the same `check_model_file`.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from groundswell.catalog import Entry
from groundswell.diagnosis import Finding
from groundswell.errors import GroundswellError
from groundswell.models._formats import ModelFile, check_digest, load_model
from groundswell.models._registry import Registry

__all__ = ["check_aliases", "check_model", "check_model_file", "check_model_folders"]


def check_model(entry: Entry, registry: Registry, *, thorough: bool) -> Iterator[Finding]:
    """What is wrong with a version of a model.

    Args:
        entry: the version's.
        registry: on which nothing was repaired yet.
        thorough: whether to build the model, not only to compare the bytes of its file.
    """
    folder = registry.folder_of(entry)
    if registry.is_half_done(entry):
        yield Finding(
            severity="warning",
            what=f"The {entry} was being {'deleted' if entry.state == 'deleted' else 'registered'} when its process "
            "ended.",
            where=str(folder),
            fix="It is finished or cleared away when models are asked for, or now: groundswell doctor --repair.",
            repair=partial(registry.finish, entry),
        )
    if entry.state != "ready":
        return
    yield from check_model_file(registry.open(entry).file, thorough=thorough)
    if lost := registry.lost_papers(entry):
        yield Finding(
            severity="warning",
            what=f"Of the {entry}, {' and '.join(lost)} {'is' if len(lost) == 1 else 'are'} gone or changed.",
            where=str(folder),
            fix="Write them again from the catalog: groundswell doctor --repair.",
            repair=partial(_restore, entry, registry, lost),
        )


def _restore(entry: Entry, registry: Registry, names: list[str]) -> str:
    registry.restore_papers(entry, names)
    return f"Wrote {' and '.join(names)} again."


def check_model_file(stored: ModelFile, *, thorough: bool) -> Iterator[Finding]:
    """Whether a stored model has the bytes that were written and, thoroughly, can be built from them."""
    try:
        if thorough:
            load_model(stored)
        else:
            check_digest(stored)
    except GroundswellError as error:
        yield Finding.of(error, stored.path)


def check_aliases(name: str, registry: Registry) -> Iterator[Finding]:
    """Aliases of a model that point to a version which cannot be asked for."""
    ready = {version.version for version in registry.versions() if version.name == name}
    for alias, version in registry.aliases(name).items():
        if version not in ready:
            known = ", ".join(map(str, sorted(ready))) or "none"
            yield Finding(
                severity="error",
                what=f"The alias {name}@{alias} points to version {version}, which is not there.",
                where="catalog.db",
                fix=f"Point it to one that is, with set_alias({alias!r}). The versions are {known}.",
            )


def check_model_folders(folder: Path, entries: Iterable[Entry], registry: Registry) -> Iterator[Finding]:
    """Folders that no version of a model has."""
    known = {registry.folder_of(entry) for entry in entries}
    for path in sorted(folder.glob("*/*")):
        if path.is_dir() and path not in known:
            yield Finding(
                severity="warning",
                what=f"The folder {path.parent.name}/{path.name} belongs to no version of a model.",
                where=str(path),
                fix="If the catalog was restored from a backup, restore the whole project from one. Otherwise remove "
                "the folder.",
            )
