"""Files of a view's own: written whole or not at all.

They raise `CorruptionError` if the disk is full or not writable.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from groundswell.errors import CorruptionError


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
        for name in (part, path.parent):
            descriptor = os.open(name, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CorruptionError.unwritable(path, error) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_tree(folder: Path) -> None:
    """Remove a folder with what is in it, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
