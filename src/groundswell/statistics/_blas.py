"""BLAS on one thread, as long as somebody asks for it.

The products that statistics take are tall and narrow: several threads do not compute them faster, and where the cores
are busy they wait for each other a hundred times as long as the product takes.

The limit is one of the process, and only the first thread that ever set it may change it while it lives (threadpoolctl
sees to that). So ask in the thread that waits for the work, not in those that do it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep the BLAS libraries of this process on one thread each; may be nested."""
    with _blas().limit(limits=1):
        yield


@cache
def _blas() -> ThreadpoolController:
    """The BLAS libraries of numpy and scipy. To look for them takes 2 ms, as long as a pass over thousands of rows."""
    # Compiled kernels take its products, and only what is loaded is found; here, as to import it takes 40 ms.
    import scipy.linalg.cython_blas  # noqa: F401

    return ThreadpoolController().select(user_api="blas")
