"""The online store in a folder: LMDB, a memory-mapped tree that readers walk without locks.

Rows are kept under their addresses; those that wait, under "p", the address and the moment, so that the last one by
some moment is one step of a cursor away. One process at a time writes a table, by a lock on a file that goes with the
process.

References:
    Howard Chu, MDB: A Memory-Mapped Database and Backend for OpenLDAP, 2011.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakValueDictionary

import lmdb

from groundswell.errors import ConflictError, CorruptionError, GroundswellError
from groundswell.online._store import Entry, Writer

__all__ = ["Lmdb"]

Result = TypeVar("Result")
Work = Callable[["lmdb.Transaction[bytes]"], Result]

MAP_BYTES = 1 << 40
"""A terabyte of addresses, which takes no room on the disk."""

_SCAN_ROWS = 10_000
_SIGN = 1 << 63


class Lmdb:
    """An online store in a folder of this machine. The processes that open it share it.

    A change is atomic, and outlives a crash of the process; a power cut may undo the last ones, whole, and the follower
    makes them again.

    Args:
        folder: made if it is not there. Not on a network share.
        map_bytes: how large it may become; this reserves addresses, not disk.

    Raises:
        CorruptionError: the folder cannot be written, or holds something else.
    """

    def __init__(self, folder: str | os.PathLike[str], *, map_bytes: int = MAP_BYTES) -> None:
        self.folder = Path(os.path.realpath(folder))
        self._shared: _Environment | None = _environment(self.folder, map_bytes)
        self._shared.opened()

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """The rows at the addresses, as of one moment; None where there is none."""
        shared = self._shared
        env = None if shared is None else shared.env
        if env is not None:  # without the detour of `_read`, which is as long as the way itself
            try:
                with env.begin() as transaction:
                    return list(map(transaction.get, addresses))
            except lmdb.Error:
                pass  # let go before a fork, or grown: `_read` opens it again, or says what it is
        return self._read(lambda transaction: list(map(transaction.get, addresses)))

    def surfaced(self, address: bytes, at_us: int) -> bytes | None:
        """The last row waiting at an address that counts by a moment; None if there is none."""
        prefix = _waiting(address)

        def find(transaction: "lmdb.Transaction[bytes]") -> bytes | None:
            cursor = transaction.cursor()
            behind = cursor.set_range(prefix + (at_us + 1 + _SIGN).to_bytes(9, "big"))
            found = cursor.prev() if behind else cursor.last()
            return cursor.value() if found and cursor.key().startswith(prefix) else None

        return self._read(find)

    @contextmanager
    def writer(self, record: bytes) -> Iterator[Writer]:
        """Wait for the right to write the table whose record has this address. It ends with the process."""
        environment = self._open()
        with _store_errors(self.folder):
            descriptor = os.open(self.folder / f"{record.hex()}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield _Writer(environment, record)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing would leave the lock to a child forked meanwhile
            os.close(descriptor)

    def scan(self, prefix: bytes) -> Iterator[list[tuple[bytes, bytes]]]:
        """The addresses that begin so and their rows, in batches, each as of one moment."""
        start = prefix
        while batch := self._read(lambda transaction, at=start: _take(transaction, at, prefix)):  # type: ignore[misc]
            yield batch
            start = batch[-1][0] + b"\x00"

    def close(self) -> None:
        """Let go of the files, once nobody else in this process uses them."""
        self._shared = None

    def _open(self) -> "_Environment":
        if self._shared is None:
            raise GroundswellError(
                f"The online store in {self.folder} is closed.", fix="Open it again.", path=str(self.folder)
            )
        return self._shared

    def _read(self, work: Work[Result]) -> Result:
        return self._open().run(work, write=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Lmdb({str(self.folder)!r})"


class _Writer:
    """The right to write one table, while its file is locked."""

    def __init__(self, environment: "_Environment", address: bytes) -> None:
        self._environment, self._address = environment, address
        self.record: bytes | None = environment.run(lambda transaction: transaction.get(address), write=False)

    def pending(self, address: bytes) -> list[bytes]:
        prefix = _waiting(address)
        return self._environment.run(lambda transaction: [row for _, row in _range(transaction, prefix)], write=False)

    def write(self, entries: Sequence[Entry], record: bytes | None = None) -> None:
        in_order = sorted(entries, key=itemgetter(0))  # neighbors share pages, and each page is copied once
        self._environment.run(lambda transaction: self._put(transaction, in_order, record), write=True)
        self.record = self.record if record is None else record

    def _put(self, transaction: "lmdb.Transaction[bytes]", entries: Sequence[Entry], record: bytes | None) -> None:
        if transaction.get(self._address) != self.record:  # somebody wrote without the lock: a share without locks
            raise ConflictError(
                f"Another writer has changed the online store in {self._environment.folder}.",
                why="Only one may write a table at a time.",
                fix="Run the same call again.",
            )
        transaction.cursor().putmulti([(address, row) for address, row, _ in entries if row is not None])
        some_wait = self._some_wait(transaction)
        for address, row, waiting in entries:
            if row is None:
                transaction.delete(address)
            if waiting is not None and (waiting or some_wait):
                prefix = _waiting(address)
                for key, _ in list(_range(transaction, prefix)):
                    transaction.delete(key)
                for known_us, later in waiting:
                    transaction.put(prefix + (known_us + _SIGN).to_bytes(9, "big"), later)
        if record is not None:
            transaction.put(self._address, record)

    def _some_wait(self, transaction: "lmdb.Transaction[bytes]") -> bool:
        """Whether any row of the table waits: most tables have none, and need not be searched entity by entity."""
        of_table = _waiting(b"e" + self._address[1:])
        return next(_range(transaction, of_table), None) is not None


def _waiting(address: bytes) -> bytes:
    return b"p" + address


def _range(
    transaction: "lmdb.Transaction[bytes]", prefix: bytes, start: bytes | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """The keys that begin with a prefix and their values, in order."""
    cursor = transaction.cursor()
    if cursor.set_range(start or prefix):
        for key, value in cursor:
            if not key.startswith(prefix):
                return
            yield key, value


def _take(transaction: "lmdb.Transaction[bytes]", start: bytes, prefix: bytes) -> list[tuple[bytes, bytes]]:
    rows = _range(transaction, prefix, start)
    return [row for _, row in zip(range(_SCAN_ROWS), rows, strict=False)]


class _Environment:
    """LMDB's files in a folder, opened once in a process and shared by all who open them there.

    LMDB must not be opened twice in a process: its locks belong to the process, and closing one handle would release
    those of the other. Nor may it live through a fork: `_before_fork` closes it, and both sides open it again.
    """

    def __init__(self, folder: Path, map_bytes: int) -> None:
        self.folder = folder
        self.env: lmdb.Environment | None = None
        self._map_bytes = map_bytes

    def opened(self) -> lmdb.Environment:
        """The open files."""
        with _LOCK:
            if self.env is None:
                with _store_errors(self.folder):
                    self.folder.mkdir(parents=True, exist_ok=True)
                    # lib_version: 3.0 of the package brings two on-disk formats. metasync: see Lmdb.
                    self.env = lmdb.Environment(
                        str(self.folder), map_size=self._map_bytes, metasync=False, max_readers=1024,
                        max_spare_txns=1, lib_version=0,
                    )  # fmt: skip
                    self.env.reader_check()  # readers that were killed would keep old pages alive
            return self.env

    def run(self, work: Work[Result], *, write: bool) -> Result:
        """Work in a transaction, again if the files were closed under it or grew beyond what is mapped."""
        while True:
            env = self.opened()
            try:
                return self._attempt(env, work, write)
            except lmdb.MapResizedError:
                self.close(map_bytes=0)  # take the size that the other process has given it
            except lmdb.Error:
                if self.env is env:
                    raise

    def _attempt(self, env: lmdb.Environment, work: Work[Result], write: bool) -> Result:
        # A function of its own: who closes the files waits until a transaction that was cut short is let go, and one
        # that is named in `run` would be held while `run` waits for the files to be closed.
        with _store_errors(self.folder), env.begin(write=write) as transaction:
            return work(transaction)

    def close(self, map_bytes: int | None = None) -> None:
        with _LOCK:
            if map_bytes is not None:
                self._map_bytes = map_bytes
            if self.env is not None:
                env, self.env = self.env, None
                env.close()


_LOCK = threading.RLock()
_OPEN: WeakValueDictionary[str, _Environment] = WeakValueDictionary()


def _environment(folder: Path, map_bytes: int) -> _Environment:
    with _LOCK:
        environment = _OPEN.setdefault(str(folder), _Environment(folder, map_bytes))
        if not (folder / "data.mdb").exists():  # somebody deleted the folder: what is open is another one
            environment.close()
        return environment


def _before_fork() -> None:
    _LOCK.acquire()
    for environment in list(_OPEN.values()):
        environment.close()


os.register_at_fork(before=_before_fork, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


@contextmanager
def _store_errors(folder: Path) -> Iterator[None]:
    """Say in our words what is wrong with the files."""
    try:
        yield
    except lmdb.MapFullError as error:
        raise CorruptionError(
            f"The online store in {folder} is full.",
            why="It has reached the size that it was opened with.",
            fix="Open it with a larger map_bytes.",
            path=str(folder),
        ) from error
    except (lmdb.DiskError, lmdb.ReadonlyError, lmdb.MemoryError, OSError) as error:
        raise CorruptionError(
            f"The online store in {folder} cannot be used: {error}",
            why="The disk is full or not writable, or this process may not map so much.",
            fix="Make room or set the permissions, or open it with a smaller map_bytes where `ulimit -v` is set.",
            path=str(folder),
        ) from error
    except (lmdb.InvalidError, lmdb.CorruptedError, lmdb.VersionMismatchError, lmdb.PageNotFoundError) as error:
        raise CorruptionError(
            f"The files of the online store in {folder} are damaged or not ours: {error}",
            fix="Delete the folder: everything in it is built again from the tables.",
            path=str(folder),
        ) from error
