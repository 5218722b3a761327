"""Fitting the transformations of a view: the one part of this room that needs a learning library.

`Transformations` is all of a view's as one scikit-learn transformer; `save_state` and `load_state` keep what it
learned. They are loaded when they are asked for, so projects without transformations never wait for scikit-learn.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from groundswell.features.fitting._state import StateFile, load_state, save_state
    from groundswell.features.fitting._transformations import Transformations, has_transformations, pipeline

__all__ = ["StateFile", "Transformations", "has_transformations", "load_state", "pipeline", "save_state"]

_HOMES = {
    **dict.fromkeys(("StateFile", "load_state", "save_state"), "_state"),
    **dict.fromkeys(("Transformations", "has_transformations", "pipeline"), "_transformations"),
}


def __getattr__(name: str) -> object:
    """Load what is asked for."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'groundswell.features.fitting' has no attribute {name!r}")
    return getattr(importlib.import_module(f"groundswell.features.fitting.{_HOMES[name]}"), name)
