"""Segments of a write-ahead log: files of Arrow record batches, each with its length and checksum.

A segment begins with the rows' Arrow schema. Its end may be a frame that was being written when the process died; that
does not count, and damage before the end is an error.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import IO

import pyarrow as pa

from groundswell.errors import CorruptionError
from groundswell.tables._disk import disk_errors, sync_folder

__all__ = ["MAGIC", "read_segment", "rewrite_segment", "segment_schema", "write_frame", "write_whole"]

MAGIC = b"GSWAL\x01\r\n"
_FRAME = struct.Struct("<II")


def segment_schema(path: Path) -> pa.Schema:
    """The columns of the rows in a segment.

    Raises:
        CorruptionError: it is no segment, or was damaged after it was written.
    """
    with path.open("rb") as file:
        return _read_schema(file, path)


def read_segment(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a segment, up to the last one that was written whole.

    Raises:
        CorruptionError: it is no segment, or was damaged after it was written.
    """
    with path.open("rb") as file:
        schema = _read_schema(file, path)
        while (payload := _read_frame(file, path)) is not None:
            yield pa.ipc.read_record_batch(pa.py_buffer(payload), schema)


def rewrite_segment(path: Path, name: str, batches: Sequence[pa.RecordBatch]) -> None:
    """Put other rows of the same columns in place of those of a segment that nobody writes, at once and for good.

    Args:
        path: the segment's.
        name: its group's, for errors.
        batches: at least one.

    Raises:
        CorruptionError: the disk is full or not writable; the segment is as it was.
    """
    part = path.with_name(f".{path.name}.part")
    with disk_errors(name, path.parent):
        age = path.stat()
        with part.open("wb", buffering=0) as file:
            write_whole(file, MAGIC)
            for frame in (batches[0].schema, *batches):
                write_frame(file, frame.serialize())
            os.fsync(file.fileno())
        os.utime(part, ns=(age.st_atime_ns, age.st_mtime_ns))
        part.rename(path)
        sync_folder(path.parent)


def _read_schema(file: IO[bytes], path: Path) -> pa.Schema:
    head = _read_frame(file, path) if file.read(len(MAGIC)) == MAGIC else None
    if head is not None:
        return pa.ipc.read_schema(pa.py_buffer(head))
    file.seek(0)
    if not MAGIC.startswith(file.read(len(MAGIC))):
        raise _damaged(path)
    return pa.schema([])  # the process died while it began the segment


def write_frame(file: FileIO, payload: pa.Buffer) -> None:
    """Append a frame."""
    write_whole(file, _FRAME.pack(payload.size, zlib.crc32(payload)))
    write_whole(file, payload)


def write_whole(file: FileIO, data: bytes | pa.Buffer) -> None:
    """Write all of the data to a file without a buffer, which may take it in parts."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _read_frame(file: IO[bytes], path: Path) -> bytes | None:
    """The next frame; None at the end, and if the process died while it wrote the last one."""
    head = file.read(_FRAME.size)
    if len(head) < _FRAME.size:
        return None
    size, checksum = _FRAME.unpack(head)
    payload = file.read(size)
    if len(payload) == size and zlib.crc32(payload) == checksum:
        return payload
    if len(payload) < size or not file.read(1):
        return None
    raise _damaged(path)


def _damaged(path: Path) -> CorruptionError:
    return CorruptionError(
        f"The write-ahead log {path} is damaged.",
        why="Its checksums do not match what was written: the disk failed, or something else wrote to it.",
        fix="Restore it from a backup; or move it away, and the rows of that stream since its last commit are lost.",
        path=str(path),
    )
