"""Versions of rows that are durable in a stream's log and not in a commit yet, so that the store can show them early.

A provisional version is greater than that of any commit, says which stream and which segment of its log a row comes
from, and grows with each write of the stream. The commit that takes a segment in settles it: what the store holds under
these versions is then in the commit's own rows, or in later ones.
"""

from collections.abc import Iterable
from hashlib import blake2b

from groundswell.tables import Change

__all__ = ["Settled", "is_provisional", "provisional_version", "settles"]

_BASE = 1 << 62
_STREAM_BITS, _SEGMENT_BITS, _WRITE_BITS = 16, 22, 24
_LAST_WRITE = (1 << _WRITE_BITS) - 1


def is_provisional(version: int) -> bool:
    """Whether a row's version is that of no commit."""
    return version >= _BASE


def provisional_version(stream: str, segment: int, write: int) -> int:
    """The version under which rows of a stream are shown.

    Args:
        stream: its name.
        segment: the number of the segment that has them.
        write: their number among the writes to the segment.
    """
    number = int.from_bytes(blake2b(stream.encode(), digest_size=_STREAM_BITS // 8).digest(), "big")
    segment &= (1 << _SEGMENT_BITS) - 1
    return _BASE | number << (_SEGMENT_BITS + _WRITE_BITS) | segment << _WRITE_BITS | min(write, _LAST_WRITE)


def settles(stream: str, segment: int, version: int) -> bool:
    """Whether a commit that took in a stream up to a segment has the row that was shown under a version."""
    last = provisional_version(stream, segment, _LAST_WRITE)
    return is_provisional(version) and _stream_of(version) == _stream_of(last) and version <= last


class Settled:
    """The provisional versions that some commits settle."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._through: dict[int, int] = {}
        for change in changes:
            if change.stream is not None:
                last = provisional_version(*change.stream, _LAST_WRITE)
                self._through[_stream_of(last)] = last

    def __bool__(self) -> bool:
        return bool(self._through)

    def __contains__(self, version: object) -> bool:
        return isinstance(version, int) and version >= _BASE and version <= self._through.get(_stream_of(version), 0)


def _stream_of(version: int) -> int:
    return version >> (_SEGMENT_BITS + _WRITE_BITS)
