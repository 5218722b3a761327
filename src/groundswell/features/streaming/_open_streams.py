"""The streams of a project that are open, so that closing the project ends them first."""

from contextlib import ExitStack
from weakref import WeakSet

from groundswell.features.streaming._row_stream import RowStream

__all__ = ["OpenStreams"]


class OpenStreams:
    """The open streams of one project."""

    def __init__(self) -> None:
        self._streams: WeakSet[RowStream] = WeakSet()

    def add(self, stream: RowStream) -> None:
        """Close this one too."""
        self._streams.add(stream)

    def close(self) -> None:
        """Close all: what is acknowledged is committed.

        Raises:
            CorruptionError: the rows of one cannot be committed; the others are closed all the same.
        """
        with ExitStack() as closing:
            for stream in list(self._streams):
                closing.callback(stream.close)
