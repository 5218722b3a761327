"""`compiled`: inner loops that are written in Python and run as machine code.

NumPy is fast where one of its calls does much work on a whole column. Where each value needs a lookup, a comparison and
a sum, every step is a pass through memory of its own; Numba makes one loop of them. Statistics and estimators
are the callers, and each kernel stands beside what it serves.
"""

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

__all__ = ["compiled"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class _Kernel(Generic[Arguments, Result]):
    """A function that is compiled when it is first called."""

    def __init__(self, function: Callable[Arguments, Result]) -> None:
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._function = function
        self._machine_code: Callable[Arguments, Result] | None = None
        self._lock = threading.Lock()

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return (self._machine_code or self.machine_code())(*args, **kwargs)

    def machine_code(self) -> Callable[Arguments, Result]:
        """What Numba makes of it."""
        with self._lock:
            self._machine_code = self._machine_code or _translated(self._function)
            return self._machine_code


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """A kernel: the function, compiled for the types it is called with; other threads run meanwhile.

    Sums keep the order in which they are written, so a kernel gives the same bits on every call. What was compiled is
    kept beside the module, or in the user's cache, for later processes. Indices are not checked. A kernel may call
    others of its own module.

    >>> import numpy as np
    >>> @compiled
    ... def total(values):
    ...     result = 0.0
    ...     for value in values:
    ...         result += value
    ...     return result
    >>> total(np.array([1.0, 2.0, 3.5]))
    6.5
    """
    return _Kernel(function)


def _translated(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    import numba  # 0.3 s that those who only count and sum do not pay

    fused = {"contract"}  # a product and a sum in one instruction
    known = _with_machine_code(function)
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fused)(known)
    except RuntimeError:  # neither the package's folder nor the user's can be written, as in a sealed container
        return numba.njit(nogil=True, error_model="numpy", fastmath=fused)(known)


def _with_machine_code(function: Any) -> Any:  # Any: functions have no type that tells of their code
    """The function, with the machine code of the kernels that it calls in their place: Numba knows no others."""
    named = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    kernels = {name: known.machine_code() for name, known in named.items() if isinstance(known, _Kernel)}
    if not kernels:
        return function
    return FunctionType(function.__code__, {**function.__globals__, **kernels}, function.__name__)
