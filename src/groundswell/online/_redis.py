"""The online store that several machines share: Redis, or what speaks its protocol, as one server.

An entity is one string under its address; the rows that wait for their time are the members of a sorted set, in the
order of their bytes, which begin with the moment. Each change is a script that Redis runs at once, and that refuses
what was computed from an older version of the table than the one that is there, or by a writer who lost the right.

References:
    Redis documentation, "Scripting with Lua" and "Distributed Locks with Redis".
"""

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from groundswell.errors import ConflictError, GroundswellError, MissingDependencyError
from groundswell.online._store import Entry, Writer

try:
    import redis
except ImportError:  # the extra "redis" is not installed: Redis() says so
    redis = None  # type: ignore[assignment]

__all__ = ["Redis"]

LEASE_S = 10.0
"""How long a killed writer keeps the others waiting."""

TIMEOUT_S = 10.0
"""How long a reply may take; `?socket_timeout=` in the address overrides it."""

_WRITE_ROWS = 1_000
"""Redis does nothing else while a script runs: this many rows take it two milliseconds."""

_POLL_S = 0.02
_SCAN_ROWS = 1_000
_SIGN = 1 << 63

# KEYS: lock, record, one per entity. ARGV: token, lease in ms, expected record, new record or '', then for each entity
# its row or '', the number of its waiting rows or -1 to leave them, and these.
_WRITE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lock' end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[3] then return 'version' end
local at = 5
for i = 3, #KEYS do
  local waiting, count = KEYS[i] .. ':p', tonumber(ARGV[at + 1])
  if ARGV[at] == '' then redis.call('DEL', KEYS[i]) else redis.call('SET', KEYS[i], ARGV[at]) end
  at = at + 2
  if count >= 0 then redis.call('DEL', waiting) end
  for _ = 1, count do
    redis.call('ZADD', waiting, 0, ARGV[at])
    at = at + 1
  end
end
if ARGV[4] ~= '' then redis.call('SET', KEYS[2], ARGV[4]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'done'
"""
_RENEW = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0"
_RELEASE = "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0"


class Redis:
    """An online store in a Redis server that many machines may share. Not for Redis Cluster, whose keys lie apart.

    A change of up to 1,000 entities is atomic; a larger one becomes visible entity by entity. If the server loses what
    it had, it loses the position with it, and the follower builds the rest again; so let it evict nothing
    (`maxmemory-policy noeviction`).

    Args:
        url: such as "redis://localhost:6379/0" or "rediss://user:password@host:6380/0".
        namespace: what all keys begin with, so that others may use the server too.

    Raises:
        MissingDependencyError: the package redis is not installed.
    """

    def __init__(self, url: str, *, namespace: str = "groundswell:", lease_s: float = LEASE_S) -> None:
        if redis is None:
            raise MissingDependencyError(
                "redis is not installed.", fix="Install it: pip install 'groundswell[redis]'.", name="redis"
            )
        self._namespace, self._lease_s, self._place = namespace.encode(), lease_s, _without_password(url)
        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S
        )  # Any: its stubs give each reply every type a reply may have
        self._write = self._client.register_script(_WRITE)
        self._renew = self._client.register_script(_RENEW)
        self._release = self._client.register_script(_RELEASE)

    def get_many(self, addresses: Sequence[bytes]) -> list[bytes | None]:
        """The rows at the addresses, as of one moment and in one round trip; None where there is none."""
        if not addresses:
            return []
        with self._errors():
            rows: list[bytes | None] = self._client.mget([self._namespace + address for address in addresses])
        return rows

    def surfaced(self, address: bytes, at_us: int) -> bytes | None:
        """The last row waiting at an address that counts by a moment; None if there is none."""
        behind = b"(" + (at_us + 1 + _SIGN).to_bytes(9, "big")
        with self._errors():
            found = self._client.zrevrangebylex(self._waiting(address), behind, "-", start=0, num=1)
        return found[0][9:] if found else None

    @contextmanager
    def writer(self, record: bytes) -> Iterator[Writer]:
        """Wait for the right to write the table whose record has this address. A killed holder loses it in seconds."""
        lock, token, lease_ms = self._namespace + record + b":lock", secrets.token_bytes(16), int(self._lease_s * 1000)
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._lease_s / 3):
                try:
                    self._renew(keys=[lock], args=[token, lease_ms])
                except redis.RedisError:  # the next write says what is wrong
                    continue

        with self._errors():
            while not self._client.set(lock, token, nx=True, px=lease_ms):
                ended.wait(_POLL_S)
        heartbeat = threading.Thread(target=renew, name="groundswell-redis-lease", daemon=True)
        heartbeat.start()
        try:
            yield _Writer(self, record, lock, token)
        finally:
            ended.set()
            heartbeat.join()
            with self._errors():
                self._release(keys=[lock], args=[token])

    def scan(self, prefix: bytes) -> Iterator[list[tuple[bytes, bytes]]]:
        """The addresses that begin so and their rows, in no order, in batches; some may come twice."""
        pattern = b"".join(b"\\" + bytes([c]) if c in b"*?[]^-\\" else bytes([c]) for c in self._namespace + prefix)
        cursor = None
        while cursor != 0:
            with self._errors():
                cursor, keys = self._client.scan(cursor or 0, match=pattern + b"*", count=_SCAN_ROWS, _type="string")
                rows = self._client.mget(keys) if keys else []
            start = len(self._namespace)
            yield [(key[start:], row) for key, row in zip(keys, rows, strict=True) if row is not None]

    def close(self) -> None:
        """Let go of the connections. The store connects again when it is used."""
        self._client.close()

    def _waiting(self, address: bytes) -> bytes:
        return self._namespace + address + b":p"

    def _members(self, address: bytes) -> list[bytes]:
        with self._errors():
            return [member[9:] for member in self._client.zrange(self._waiting(address), 0, -1)]

    def _run(self, record: bytes, lock: bytes, args: Sequence[bytes | int], entries: Sequence[Entry]) -> None:
        """Run the script that changes entities, unless it refuses."""
        keys, arguments = [lock, self._namespace + record], list(args)
        for address, row, waiting in entries:
            keys.append(self._namespace + address)
            arguments += [row or b"", -1 if waiting is None else len(waiting)]
            arguments += [(known_us + _SIGN).to_bytes(9, "big") + later for known_us, later in waiting or ()]
        with self._errors():
            reply = self._write(keys=keys, args=arguments)
        if reply != b"done":
            why = "What was to be written was computed from an older version of the table."
            raise ConflictError(
                f"Another writer has taken over the online store at {self._place}.",
                why="This one gave no sign of life for too long." if reply == b"lock" else why,
                fix="Run the same call again.",
                place=self._place,
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say in our words that the server does not answer."""
        try:
            yield
        except redis.RedisError as error:
            raise GroundswellError(
                f"The online store at {self._place} does not answer as Redis does: {error}",
                why="The server is down, out of memory, unreachable or another one.",
                fix="Check the address, and that the server runs: redis-cli -u <url> ping.",
                place=self._place,
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Redis({self._place!r})"


class _Writer:
    """The right to write one table, for as long as the lock holds the token."""

    def __init__(self, store: Redis, address: bytes, lock: bytes, token: bytes) -> None:
        self._store, self._address, self._lock, self._token = store, address, lock, token
        self.record: bytes | None = store.get_many([address])[0]

    def pending(self, address: bytes) -> list[bytes]:
        return self._store._members(address)

    def write(self, entries: Sequence[Entry], record: bytes | None = None) -> None:
        lease_ms = int(self._store._lease_s * 1000)
        for start in range(0, max(len(entries), 1), _WRITE_ROWS):
            last = start + _WRITE_ROWS >= len(entries)
            args: list[bytes | int] = [self._token, lease_ms, self.record or b"", (record or b"") if last else b""]
            self._store._run(self._address, self._lock, args, entries[start : start + _WRITE_ROWS])
        self.record = self.record if record is None else record


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
