"""Kernels compute what their Python does, compile once for all threads, and do without a cache where none can be."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from groundswell.statistics._compiled import compiled


def dot(left, right):
    """Σ left · right."""
    result = 0.0
    for i in range(len(left)):
        result += left[i] * right[i]
    return result


def test_a_kernel_computes_what_its_python_does_for_every_type() -> None:
    kernel = compiled(dot)
    for dtype in (np.float32, np.float64, np.int32):
        left = np.arange(1, 101).astype(dtype)
        assert kernel(left, left) == dot(left.astype(np.float64), left.astype(np.float64)) == 338350.0


def test_threads_that_call_at_once_share_one_compilation() -> None:
    kernel = compiled(dot)
    values = np.arange(1000.0)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: kernel(values, values), range(32)))
    assert set(results) == {332833500.0}
    assert len(kernel._machine_code.signatures) == 1


def test_a_kernel_whose_code_cannot_be_cached_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def twice(x):\n    return x + x\n", names)  # it has no file, so there is no folder for a cache
    assert compiled(names["twice"])(21) == 42


@compiled
def _square(x):
    return x * x


@compiled
def _sum_of_squares(values):
    result = 0.0
    for value in values:
        result += _square(value)
    return result


def test_a_kernel_may_call_others_of_its_module() -> None:
    assert _sum_of_squares(np.arange(4.0)) == 14.0


def test_a_kernel_keeps_the_name_and_docstring_of_its_function() -> None:
    kernel = compiled(dot)
    assert kernel.__name__ == "dot"
    assert kernel.__doc__ == "Σ left · right."
