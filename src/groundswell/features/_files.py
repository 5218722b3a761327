"""Files of a view's own: written whole or not at all.

They raise `CorruptionError` if the disk is full or not writable.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.errors import CorruptionError
from groundswell.tables import sync_file, sync_folder


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write the table to the path, durable when it returns."""
    _write(partial(pq.write_table, table), path)


def write_bytes(data: bytes, path: Path) -> None:
    """Write the bytes to the path, durable when it returns."""
    _write(lambda part: part.write_bytes(data), path)


def _write(write: Callable[[Path], object], path: Path) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        sync_file(part)
        part.replace(path)
        sync_folder(path.parent)  # without which the new name may be gone after a power failure
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CorruptionError.unwritable(path, error) from error
        raise


def remove_tree(folder: Path) -> None:
    """Remove a folder with what is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
