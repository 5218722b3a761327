import importlib
import inspect

import pytest
import sklearn
from sklearn.utils import all_estimators

from groundswell.models._trusted_types import TRUSTED

_CALLERS = {"ListNode", "SetNode", "TupleNode", "DictNode", "LossNode", "TreeNode", "ObjectNode", "NdArrayNode"}


def _resolve(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("loader", sorted(TRUSTED))
def test_every_name_stands_for_what_its_loader_expects(loader):
    for name in TRUSTED[loader] - {"builtins.NoneType"}:
        found = _resolve(name)
        if loader == "FunctionNode":
            assert callable(found), name
            assert not inspect.isclass(found), name
        elif loader in _CALLERS:
            assert inspect.isclass(found), name


def test_every_estimator_but_one_is_on_the_list():
    listed = [kind for name, kind in all_estimators() if not name.startswith("Halving")]  # these are experimental
    absent = {f"{kind.__module__}.{kind.__qualname__}" for kind in listed} - TRUSTED["ObjectNode"]
    assert absent == {"sklearn.cluster._birch.Birch"}, f"scikit-learn {sklearn.__version__} has others"


def test_no_loader_that_reaches_or_calls_by_name_is_trusted():
    assert not set(TRUSTED) & {"MethodNode", "OperatorFuncNode", "ConstructorFromReduceNode", "CachedNode"}
    assert not any("PyFunc" in name for names in TRUSTED.values() for name in names)


def test_the_list_cannot_be_changed():
    with pytest.raises(TypeError):
        TRUSTED["FunctionNode"] = frozenset({"os.system"})
