"""The HTTP server around an application: uvicorn on a socket of its own, in this thread or in another."""

import errno
import ipaddress
import logging
import socket
import threading
from typing import Any

from groundswell.errors import DataError, InUseError
from groundswell.serving._app import require

try:
    import uvicorn
except ImportError as error:
    _missing: ImportError | None = error
else:
    _missing = None

__all__ = ["Server"]

_LOG = logging.getLogger("uvicorn.error")
_GRACE_S = 5
"""How long requests in progress may take to finish once the server is told to stop."""


class Server:
    """A bound server; connections are accepted from now on and answered once it runs.

    Args:
        app: the ASGI application.
        host: the address to bind to.
        port: the port, or 0 for a free one.
        guarded: whether the application wants a token.
        log_level: of uvicorn's log, which says at "info" where it listens.

    Raises:
        DataError: the address can be reached from other machines and there is no token, or cannot be bound.
        InUseError: the port is taken.
        MissingDependencyError: uvicorn is not installed.
    """

    def __init__(
        self,
        app: Any,  # Any: ASGI applications have no type
        *,
        host: str,
        port: int,
        guarded: bool,
        log_level: str = "warning",
    ) -> None:
        require(_missing)
        if not guarded and not _is_loopback(host):
            raise DataError(
                f"The service would listen on {host!r} without a token.",
                why="Other machines could then ask the models for predictions.",
                fix="Give it a token (--token), or listen on 127.0.0.1.",
                host=host,
            )
        self._socket = _bind(host, port)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            log_level=log_level,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve in this thread until it is interrupted."""
        _LOG.info("Listening on %s (Ctrl-C stops)", self.url)  # of a socket that it is given, uvicorn says nothing
        try:
            self._server.run(sockets=[self._socket])
        except KeyboardInterrupt:  # the way to end it; uvicorn has let the requests in progress finish
            pass
        finally:
            self._socket.close()

    def start(self) -> None:
        """Serve in another thread until `stop`."""
        self._thread = threading.Thread(target=self.run, name=f"server {self.url}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests in progress and stop."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol left to the system, asyncio sees no TCP, leaves Nagle's algorithm on, and replies wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise InUseError(
                f"Port {port} of {host} is taken.", fix="Choose another port, or port=0 for a free one.", port=port
            ) from error
        raise DataError(
            f"The service cannot listen on {host!r}, port {port}: {error}.",
            fix="Give an address of this machine, such as 127.0.0.1, and a port from 0 to 65535.",
            host=host,
            port=port,
        ) from error
    return listener
