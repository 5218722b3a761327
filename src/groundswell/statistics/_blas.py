"""BLAS on one thread, as long as somebody asks for it.

The products that statistics take are tall and narrow: several threads do not compute them faster, and where the cores
are busy they wait for each other a hundred times as long as the product takes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


class _Limit:
    """How many ask for it now, and what brings the limits back that were in force before the first one did."""

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0
        self.restore: Any = None  # Any: threadpoolctl has no types


_LIMIT = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep the BLAS libraries of this process on one thread each; threads may nest and overlap it as they like."""
    with _LIMIT.lock:
        _LIMIT.users += 1
        if _LIMIT.users == 1:
            _LIMIT.restore = _blas().limit(limits=1)
    try:
        yield
    finally:
        with _LIMIT.lock:
            _LIMIT.users -= 1
            if _LIMIT.users == 0:
                _LIMIT.restore.restore_original_limits()


@cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of numpy and scipy. To look for them takes 2 ms, as long as a pass over thousands of rows."""
    return ThreadpoolController().select(user_api="blas")
