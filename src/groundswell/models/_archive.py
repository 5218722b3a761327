"""The archive inside a model file: written the same way every time, and checked before anything in it is built.

A skops file is a zip archive with one JSON tree of nodes and one member per array. Ours are stored uncompressed, inner
archives of sparse matrices too, so that no member can be larger than the file that holds it; members and nodes are
numbered in order instead of by memory address, so that the same model gives the same bytes. Called by `_formats.py`.
"""

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

__all__ = ["DAMAGE", "Damaged", "canonical", "checked", "nodes", "read_array", "read_tree"]

TREE = "schema.json"
_MEMBER = re.compile(r"\d{1,12}\.np[yz]")
_MADE = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold

DAMAGE = (
    zipfile.BadZipFile, ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError, EOFError, OSError,
    NotImplementedError, OverflowError, RecursionError, RuntimeError, struct.error,
)  # fmt: skip
"""What the readers of zip, JSON, NumPy, SciPy and skops raise for bytes that are not what they should be."""


class Damaged(ValueError):
    """The archive is not one that we wrote; the message says in which respect."""


def canonical(data: bytes) -> bytes:
    """The same skops file with nodes and members numbered in order, nothing compressed, and no dates."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        tree = json.loads(source.read(TREE))
        numbers: dict[object, int] = {}
        members: dict[str, str] = {}
        for node in nodes(tree):
            if "__id__" in node:
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
            if "file" in node:
                suffix = node["file"].rpartition(".")[2]
                node["file"] = members.setdefault(node["file"], f"{len(members)}.{suffix}")
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(TREE, _MADE), json.dumps(tree))
            for old, new in members.items():
                content = source.read(old)
                archive.writestr(zipfile.ZipInfo(new, _MADE), _stored(content) if new.endswith("z") else content)
    return target.getvalue()


def _stored(data: bytes) -> bytes:
    """The archive of a sparse matrix, uncompressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in source.namelist():
            archive.writestr(zipfile.ZipInfo(name, _MADE), source.read(name))
    return target.getvalue()


def checked(file: BinaryIO) -> zipfile.ZipFile:
    """Open the archive after checking its list of members and the size and type of every array.

    Raises:
        Damaged: a member has a name that we do not give, is compressed, encrypted, there twice or larger than the file,
            or an array is not as large as its member or holds Python objects.
    """
    size = file.seek(0, io.SEEK_END)
    archive = zipfile.ZipFile(file)
    _check_members(archive.infolist(), size, lambda name: name == TREE or bool(_MEMBER.fullmatch(name)))
    if TREE not in archive.namelist():
        raise Damaged(f"it has no {TREE}")
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            with archive.open(info) as member:
                _check_array(info.filename, member, info.file_size)
        elif info.filename.endswith(".npz"):
            _check_sparse(archive.read(info))
    return archive


def _check_sparse(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as inner:
        _check_members(inner.infolist(), len(data), lambda name: bool(re.fullmatch(r"[a-z_]+\.npy", name)))
        for info in inner.infolist():
            with inner.open(info) as member:
                _check_array(info.filename, member, info.file_size)


def _check_members(members: Iterable[zipfile.ZipInfo], size: int, expected: Any) -> None:  # Any: a predicate of names
    seen: set[str] = set()
    total = 0
    for info in members:
        name = info.filename
        if not expected(name):
            raise Damaged(f"it holds {name!r}, which no model file of ours does")
        if name in seen:
            raise Damaged(f"it holds {name!r} twice")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
            raise Damaged(f"{name!r} is compressed or encrypted, and ours never are")
        seen.add(name)
        total += info.file_size
    if total > size:
        raise Damaged(f"its members claim {total:,} bytes, more than the {size:,} of the file")


def _check_array(name: str, member: Any, size: int) -> None:  # Any: zipfile's reader, which numpy takes as a file
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(member)
    else:
        raise Damaged(f"{name!r} is an array of the unknown format {version}")
    if dtype.hasobject:
        raise Damaged(f"{name!r} is an array of Python objects")
    n_bytes = dtype.itemsize
    for length in shape:  # in Python's integers, which do not overflow
        n_bytes *= length
    if min(shape, default=0) < 0 or n_bytes != size - member.tell():
        raise Damaged(f"{name!r} claims {n_bytes:,} bytes of values and has {size - member.tell():,}")


def read_tree(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The JSON tree of the archive."""
    tree = json.loads(archive.read(TREE))
    if not isinstance(tree, dict):
        raise Damaged(f"its {TREE} is no tree")
    return tree


def read_array(archive: zipfile.ZipFile, node: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The array that an array node stands for."""
    return np.asarray(np.load(io.BytesIO(archive.read(node["file"])), allow_pickle=False))


def nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every node below `tree`, in order: each dictionary that names a loader.

    A dictionary of the model may have a key "__loader__" too, but its value is a node then and never text.
    """
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("__loader__"), str):
                yield item
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
