"""BLAS is brought back to its threads once nobody asks for one."""

import subprocess
import sys

from threadpoolctl import ThreadpoolController

from groundswell.statistics import one_blas_thread


def threads() -> set[int]:
    """Of the library that numpy uses; scipy may bring another one at any time."""
    found = ThreadpoolController().select(user_api="blas").info()
    return {int(info["num_threads"]) for info in found if "numpy" in info["filepath"]}


def test_the_limits_come_back_as_they_were() -> None:
    before = threads()
    with one_blas_thread():
        with one_blas_thread():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == before


ALONE = """
from threadpoolctl import ThreadpoolController
from groundswell.statistics import one_blas_thread
with one_blas_thread():
    import scipy.linalg
    found = ThreadpoolController().select(user_api="blas").info()
print({info["num_threads"] for info in found}, any("scipy.libs" in info["filepath"] for info in found))
"""


def test_products_of_compiled_kernels_are_limited_too() -> None:
    """In a process of its own, as other tests have loaded SciPy's BLAS before anybody asks."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1} True"
