"""BLAS is brought back to its threads once nobody asks for one."""

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


def test_products_of_compiled_kernels_are_limited_too() -> None:
    with one_blas_thread():
        found = ThreadpoolController().select(user_api="blas").info()
        assert {int(info["num_threads"]) for info in found} == {1}
        assert any("scipy.libs" in info["filepath"] for info in found)
