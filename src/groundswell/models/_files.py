"""Files that are there whole or not at all, even when the power fails.

A file is written beside its place, flushed to the disk, renamed into place, and the folder that holds the name is
flushed too. Used for model files, signatures and cards, and by the experiments room for what a run leaves behind.
"""

import hashlib
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from groundswell.errors import CorruptionError
from groundswell.tables import sync_folder

__all__ = ["digest_of", "write_durably"]

_BLOCK_BYTES = 1 << 20


def write_durably(path: Path, blocks: Iterable[bytes | memoryview]) -> str:
    """Write the blocks to `path`, replacing what was there, and return the sha256 digest in hexadecimal.

    Raises:
        CorruptionError: the disk is full or not writable; what was there before stays, unless only the folder's names
            could not be flushed.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            for block in blocks:
                file.write(block)
                digest.update(block)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):  # what failed first is what is told
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CorruptionError.unwritable(path, error) from error
        raise
    return digest.hexdigest()


def digest_of(file: BinaryIO) -> str:
    """The sha256 digest, in hexadecimal, of all that can be read from `file`, which is left at its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()
