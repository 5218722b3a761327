"""The registry: models by name, with versions that never change and aliases that move.

A version comes into being in three steps: a pending entry in the catalog, its files, the entry made ready. A process
that is killed between two of them leaves what the next registry on the same folder finishes or clears away.
"""

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from groundswell.catalog import Catalog, Entry
from groundswell.errors import ConflictError, InUseError, NotFoundError, choices
from groundswell.models._candidate import Candidate, TrainedOn
from groundswell.models._card import model_card
from groundswell.models._files import digest_of, write_durably
from groundswell.models._formats import ModelFile, copy_model
from groundswell.models._model_version import ModelVersion
from groundswell.models._reference import Reference, check_alias
from groundswell.models._signature import Signature
from groundswell.models._writer import Writer
from groundswell.tables import sync_folder
from groundswell.types import check_name

__all__ = ["Registry"]

_KIND = "model"
_MODEL, _SIGNATURE, _CARD = "model.skops", "signature.json", "README.md"  # written in this order


class Registry:
    """Registered models.

    Args:
        catalog: where their names, versions and aliases are.
        folder: where their files are: `<name>/<version>/`.
        repair: whether to finish or clear away first what killed processes left half done.
    """

    def __init__(self, catalog: Catalog, folder: Path, *, repair: bool = True) -> None:
        self._catalog = catalog
        self._folder = folder
        if repair:
            self.repair()

    @property
    def catalog(self) -> Catalog:
        """Where the models are recorded."""
        return self._catalog

    def register(
        self, name: str, candidate: Candidate, *, description: str = "", tags: Mapping[str, Any] | None = None
    ) -> ModelVersion:
        """Make a new version of a model.

        Raises:
            InvalidNameError: the name cannot be used.
            DataError: a tag is missing that models must have, or does not fit its schema.
            CorruptionError: the stored model is missing or damaged; nothing is registered.
        """
        check_name(name, "model")
        body = {**candidate.to_dict(), "writer": Writer.this().to_dict()}
        entry = self._catalog.add(_KIND, name, body, state="pending", description=description, tags=tags)
        try:
            self._write(entry, candidate)
            return self.open(self._complete(entry))
        except BaseException:
            self._discard(entry)
            raise

    def get(self, reference: str) -> ModelVersion:
        """The version that "name" (the latest), "name:3" or "name@alias" refers to.

        Raises:
            NotFoundError: no such model, version or alias; the message names those there are.
        """
        wanted = Reference.parse(reference)
        entries = self._ready(wanted.name)
        if wanted.alias is not None:
            aliases = self._catalog.aliases(_KIND, wanted.name)
            if wanted.alias not in aliases:
                raise NotFoundError(
                    f"The model {wanted.name!r} has no alias {wanted.alias!r}.",
                    fix=choices(wanted.alias, aliases, "aliases") + f" Its versions are {_numbers(entries)}.",
                    name=wanted.name,
                    alias=wanted.alias,
                    known=sorted(aliases),
                )
            wanted = Reference(wanted.name, aliases[wanted.alias])
        if wanted.version is None:
            return self.open(entries[0])
        for entry in entries:
            if entry.version == wanted.version:
                return self.open(entry)
        deleted = any(e.version == wanted.version for e in self._catalog.find(_KIND, name=wanted.name, state="deleted"))
        raise NotFoundError(
            f"The model {wanted.name!r} has no version {wanted.version}.",
            why="It was deleted." if deleted else "",
            fix=f"Its versions are {_numbers(entries)}.",
            name=wanted.name,
            version=wanted.version,
            known=[e.version for e in entries],
        )

    def names(self) -> list[str]:
        """The names of all models that have a version."""
        return sorted({entry.name for entry in self._catalog.find(_KIND, state="ready")})

    def versions(self, name: str | None = None) -> list[ModelVersion]:
        """The versions of a model, or of all models, newest first.

        Raises:
            NotFoundError: there is no model of that name.
        """
        return [self.open(e) for e in (self._catalog.find(_KIND, state="ready") if name is None else self._ready(name))]

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a model and the versions that they point to."""
        return self._catalog.aliases(_KIND, name)

    def aliases_of(self, name: str, version: int) -> list[str]:
        """The aliases that point to one version."""
        return sorted(alias for alias, target in self.aliases(name).items() if target == version)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias point to a version, wherever it pointed before.

        Raises:
            InvalidNameError: the alias cannot be used.
            NotFoundError: there is no such model or version.
        """
        check_alias(alias)
        with self._catalog.transaction():
            target = self.get(f"{name}:{version}")
            before = self.aliases(name).get(alias)
            self._catalog.set_alias(_KIND, name, alias, version)
            self._catalog.log("alias set", target.id, {"alias": alias, "before": before})

    def remove_alias(self, name: str, alias: str) -> None:
        """Remove an alias.

        Raises:
            NotFoundError: there is no such model or alias.
        """
        with self._catalog.transaction():
            target = self.get(f"{name}@{alias}")
            self._catalog.remove_alias(_KIND, name, alias)
            self._catalog.log("alias removed", target.id, {"alias": alias})

    def delete(self, reference: str) -> None:
        """Delete the files of a version; what the catalog knows of it stays, so that old predictions can be traced.

        Raises:
            InUseError: an alias points to it.
            NotFoundError: there is no such version.
        """
        with self._catalog.transaction():
            version = self.get(reference)
            aliases = version.aliases
            if aliases:
                raise InUseError(
                    f"Version {version.version} of the model {version.name!r} is in use: "
                    f"{', '.join('@' + alias for alias in aliases)} point{'s' * (len(aliases) == 1)} to it.",
                    why="Whoever asks for the alias would get nothing.",
                    fix=f"Point it to another version first, or remove it with remove_alias({aliases[0]!r}).",
                    name=version.name,
                    version=version.version,
                    aliases=aliases,
                )
            entry = self._catalog.get(_KIND, version.name, version.version)
            self._catalog.update(entry, state="deleted", expect_state="ready")
            self._catalog.log("deleted", entry)
        self._clear(entry)

    def repair(self) -> list[str]:
        """Finish or clear away what killed processes left half done, and say what was done.

        A version whose files are all there becomes ready; another is removed. Work of a process that still lives is
        left alone.
        """
        entries = [*self._catalog.find(_KIND, state="pending"), *self._catalog.find(_KIND, state="deleted")]
        return [done for entry in entries if self.is_half_done(entry) and (done := self.finish(entry))]

    def is_half_done(self, entry: Entry) -> bool:
        """Whether a process was killed while it registered or deleted the version."""
        if entry.state == "pending":
            return not Writer.from_dict(entry.body["writer"]).is_alive(entry.created_at)
        return entry.state == "deleted" and self.folder_of(entry).exists()

    def finish(self, entry: Entry) -> str:
        """Finish or clear away a version that is half done, and say what was done; nothing if another process was
        faster.
        """
        if entry.state == "deleted":
            self._clear(entry)
            return f"The files of the deleted {entry} were still there; they are gone now."
        try:
            if self._is_complete(entry):
                self._complete(entry)
                return f"The {entry} was written in full but not made ready; it is ready now."
            self._discard(entry)
            return f"The {entry} was being written when its process ended; it was removed."
        except (ConflictError, NotFoundError):
            return ""

    def lost_papers(self, entry: Entry) -> list[str]:
        """Which of the files beside the model, signature and card, are gone, or say what the catalog does not."""
        folder = self.folder_of(entry)
        try:
            same = json.loads((folder / _SIGNATURE).read_bytes()) == entry.body["signature"]
        except (OSError, ValueError):
            same = False
        lost = [] if same else [_SIGNATURE]
        return lost if (folder / _CARD).is_file() else [*lost, _CARD]

    def restore_papers(self, entry: Entry, names: Collection[str]) -> None:
        """Write those of signature and card again, from what the catalog knows; a card may have been edited."""
        self._write_papers(entry, Candidate.from_dict(entry.body, self.folder_of(entry) / _MODEL), names)

    def folder_of(self, entry: Entry) -> Path:
        """Where the files of a version are."""
        return self._folder / entry.name / str(entry.version)

    def open(self, entry: Entry) -> ModelVersion:
        """The version that an entry describes, whatever its state."""
        body = entry.body
        return ModelVersion(
            id=entry.id,
            name=entry.name,
            version=entry.version,
            description=entry.description,
            signature=Signature.from_dict(body["signature"]),
            metrics=body["metrics"],
            run_id=body["run_id"],
            data=TrainedOn.from_dict(body["data"]),
            file=ModelFile.from_dict(self.folder_of(entry) / _MODEL, body["file"]),
            created_at=entry.created_at,
            created_by=entry.created_by,
            body=body,
            registry=self,
        )

    def _write(self, entry: Entry, candidate: Candidate) -> None:
        folder = self.folder_of(entry)
        copy_model(candidate.file, folder / _MODEL)
        self._write_papers(entry, candidate, (_SIGNATURE, _CARD))
        sync_folder(folder.parent)
        sync_folder(folder.parent.parent)

    def _write_papers(self, entry: Entry, candidate: Candidate, names: Collection[str]) -> None:
        signature = json.dumps(candidate.signature.to_dict(), indent=2, ensure_ascii=False)
        card = model_card(entry.name, entry.version, candidate, entry.description)
        for name, text in ((_SIGNATURE, signature), (_CARD, card)):
            if name in names:
                write_durably(self.folder_of(entry) / name, [text.encode()])

    def _is_complete(self, entry: Entry) -> bool:
        folder = self.folder_of(entry)
        if not all((folder / name).is_file() for name in (_MODEL, _SIGNATURE, _CARD)):
            return False
        with (folder / _MODEL).open("rb") as file:
            return bool(digest_of(file) == entry.body["file"]["digest"])

    def _complete(self, entry: Entry) -> Entry:
        body = {key: value for key, value in entry.body.items() if key != "writer"}
        with self._catalog.transaction():
            ready = self._catalog.update(entry, body=body, state="ready", expect_state="pending")
            self._catalog.link(ready, body["run_id"], "from")
            if body["data"]["id"] is not None:
                self._catalog.link(ready, body["data"]["id"], "trained_on", {"split": body["data"]["split"]})
            self._catalog.log("registered", ready, {"run": body["run_id"]})
        return ready

    def _discard(self, entry: Entry) -> None:
        self._clear(entry)
        self._catalog.remove(entry)

    def _clear(self, entry: Entry) -> None:
        shutil.rmtree(self.folder_of(entry), ignore_errors=True)

    def _ready(self, name: str) -> list[Entry]:
        entries = self._catalog.find(_KIND, name=name, state="ready")
        if not entries:
            known = self.names()
            raise NotFoundError(
                f"There is no model {name!r}.", fix=choices(name, known, "models"), name=name, known=known
            )
        return sorted(entries, key=lambda entry: -entry.version)


def _numbers(entries: list[Entry]) -> str:
    return ", ".join(str(entry.version) for entry in sorted(entries, key=lambda entry: entry.version))
