"""Model files: scikit-learn models stored with skops, under our own list of trusted types.

Saving refuses what could not be loaded again safely, so the refusal comes where the model can still be changed. Loading
compares the file's sha256 digest with the one that the catalog holds before it reads anything, then checks every member
and every node, and only then builds the model. No pickle is read or written anywhere. Called by the registry and by the
experiments room.
"""

import io
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import sklearn
import skops.io

from groundswell.errors import CorruptionError, UntrustedTypeError
from groundswell.models._archive import DAMAGE, Damaged, canonical, checked, nodes, read_tree
from groundswell.models._files import digest_of, write_durably
from groundswell.models._trees import check_trees
from groundswell.models._trusted_types import TRUSTED

__all__ = ["ModelFile", "check_digest", "copy_model", "load_model", "save_model"]

_OLDEST_PROTOCOL = 2  # the first that we wrote; a file that claims an older one asks for older, laxer loaders
_BLOCK_BYTES = 1 << 20
_UNSTORABLE = (
    TypeError, ValueError, AttributeError, RecursionError, NotImplementedError, OverflowError, pickle.PicklingError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A stored model: where it lies and what its bytes must be.

    Args:
        path: the file.
        digest: sha256 of the file, in hexadecimal.
        size_bytes: its length.
        model_type: the dotted name of the model's class.
    """

    path: Path
    digest: str
    size_bytes: int
    model_type: str

    def to_dict(self) -> dict[str, Any]:
        """What the catalog keeps; the path follows from the entry and is left out."""
        return {"digest": self.digest, "size_bytes": self.size_bytes, "model_type": self.model_type}

    @classmethod
    def from_dict(cls, path: Path, body: dict[str, Any]) -> "ModelFile":
        """Read back what `to_dict` gave."""
        return cls(path=path, digest=body["digest"], size_bytes=body["size_bytes"], model_type=body["model_type"])


def save_model(model: object, path: Path) -> ModelFile:
    """Store a fitted model at `path`, whole or not at all.

    The same model gives the same bytes. What was written is loaded once before this returns, so a file that is there
    can be read.

    Raises:
        UntrustedTypeError: the model holds types that are not on our list or cannot be stored; nothing is written.
    """
    model_type = f"{type(model).__module__}.{type(model).__qualname__}"
    try:
        data = canonical(skops.io.dumps(model))
    except _UNSTORABLE as error:
        raise UntrustedTypeError(
            f"The model ({model_type}) cannot be stored: {error}",
            why="skops writes values and types that it knows, never code.",
            fix=_WAY_OUT,
            model_type=model_type,
            types=[],
        ) from error
    try:
        _load(io.BytesIO(data))
    except _UntrustedTypesError as error:
        raise _untrusted(error.types, f"The model ({model_type})") from None
    except DAMAGE as error:
        raise UntrustedTypeError(
            f"The model ({model_type}) was stored but could not be read back: {error}",
            why="Something in it does not survive being written as values.",
            fix=_WAY_OUT,
            model_type=model_type,
            types=[],
        ) from error
    return ModelFile(path=path, digest=write_durably(path, [data]), size_bytes=len(data), model_type=model_type)


def load_model(stored: ModelFile) -> Any:  # Any: the model is whatever was saved
    """Build the model that `save_model` stored.

    Raises:
        CorruptionError: the file is missing, its bytes are others than were written, or it is not one of ours.
        UntrustedTypeError: it holds types that are not on our list.
    """
    with _open(stored) as file:
        try:
            return _load(file)
        except _UntrustedTypesError as error:
            raise _untrusted(error.types, f"The model file {stored.path}") from None
        except DAMAGE as error:
            raise CorruptionError(
                f"The model file {stored.path} cannot be read: {error}.",
                why="Its bytes are those that were registered, but they make no model under scikit-learn "
                f"{sklearn.__version__} and skops {skops.__version__}.",
                fix="If it was made with other versions, install those; otherwise train and register the model again.",
                path=str(stored.path),
                digest=stored.digest,
            ) from error


def check_digest(stored: ModelFile) -> None:
    """Check that the stored model is there and its bytes are those that were written.

    Raises:
        CorruptionError: they are not.
    """
    _open(stored).close()


def copy_model(stored: ModelFile, path: Path) -> ModelFile:
    """Copy a stored model to `path`, whole or not at all, after checking its digest.

    Raises:
        CorruptionError: the file is missing or its bytes are others than were written.
    """
    with _open(stored) as file:
        write_durably(path, iter(lambda: file.read(_BLOCK_BYTES), b""))
    return ModelFile(path=path, digest=stored.digest, size_bytes=stored.size_bytes, model_type=stored.model_type)


class _UntrustedTypesError(Exception):
    """The file names types that are not on our list."""

    def __init__(self, types: list[str]) -> None:
        super().__init__(types)
        self.types = types


_WAY_OUT = (
    "Build it from scikit-learn's own estimators and transformers; do what a custom function or class did in the "
    "features, before the model; of a search keep 'search.best_estimator_'."
)


def _untrusted(types: list[str], holder: str) -> UntrustedTypeError:
    return UntrustedTypeError(
        f"{holder} holds what may not be loaded: {', '.join(map(repr, types))}.",
        why="A stored model may only be made of types on a fixed list, because loading others could run foreign code.",
        fix=_WAY_OUT,
        types=types,
    )


def _open(stored: ModelFile) -> BinaryIO:
    """The file, its digest compared; what is read later is this open file, so that none can be swapped in."""
    again = "Restore the file from a backup, or train and register the model again."
    try:
        file = stored.path.open("rb")
    except OSError as error:
        raise CorruptionError(
            f"The model file {stored.path} cannot be opened: {error.strerror}.", fix=again, path=str(stored.path)
        ) from error
    found = digest_of(file)
    if found == stored.digest:
        return file
    file.close()
    raise CorruptionError(
        f"The model file {stored.path} is not the one that was stored.",
        why=f"Its sha256 is {found[:12]}…, and {stored.digest[:12]}… was recorded: damaged, cut short or replaced.",
        fix=again,
        path=str(stored.path),
        expected=stored.digest,
        found=found,
    )


def _load(file: BinaryIO) -> Any:  # Any: the model is whatever was saved
    with checked(file) as archive:
        tree = read_tree(archive)
        names = _check_types(tree, archive)
        check_trees(tree, archive)
    file.seek(0)
    return skops.io.load(file, trusted=names)


def _check_types(tree: dict[str, Any], archive: zipfile.ZipFile) -> list[str]:
    """The types that the tree names, all of them on our list for the loader that they are named for."""
    protocol = tree.get("protocol")
    if type(protocol) is not int or protocol < _OLDEST_PROTOCOL:
        raise Damaged(f"its skops protocol is {protocol!r}, and ours begin at {_OLDEST_PROTOCOL}")
    names: set[str] = set()
    untrusted: set[str] = set()
    members = set(archive.namelist())
    for node in nodes(tree):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        (names if name in TRUSTED.get(node["__loader__"], ()) else untrusted).add(name)
        if "file" in node and node["file"] not in members:
            raise Damaged(f"it names a member {node['file']!r} that it does not have")
        if node["__loader__"] == "DictNode":
            _check_keys(node)
    if untrusted:
        raise _UntrustedTypesError(sorted(untrusted))
    return sorted(names)


def _check_keys(node: dict[str, Any]) -> None:
    """Refuse keys that come back as others: skops writes keys as text and calls their type: bool("false") is True."""
    kinds = {kind["__class__"] for kind in node["key_types"]["content"]}
    if kinds & {"bool", "bool_", "NoneType"}:
        raise Damaged("a dictionary in it has True, False or None as keys; use 1, 0 or text instead")
