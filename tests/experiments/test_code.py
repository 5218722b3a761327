import functools
import hashlib
import json
import linecache
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from groundswell.experiments._code import Code

DEPTH = 6
API_KEY = "sk-very-secret"
TABLE = np.zeros((3, 2))


def scaled(value):
    return value * DEPTH


def fit(data, rate=0.1):
    return scaled(rate) + len(TABLE) + len(API_KEY)


class Trainer:
    def __init__(self, depth):
        self.depth = depth

    def fit(self, data):
        return self.depth

    def __call__(self, data):
        return self.depth


def _decorated(function):
    @functools.wraps(function)
    def inner(*arguments, **keywords):
        return function(*arguments, **keywords)

    return inner


def test_a_function_is_found_with_its_place_source_and_what_it_uses():
    code = Code.of(fit)
    assert (code.qualname, code.module, code.file) == ("fit", __name__, __file__)
    assert code.source == "def fit(data, rate=0.1):\n    return scaled(rate) + len(TABLE) + len(API_KEY)\n"
    assert Path(__file__).read_text().splitlines()[code.line - 1] == "def fit(data, rate=0.1):"
    assert code.captured == {
        "scaled": "def scaled(value):\n    return value * DEPTH\n",
        "TABLE": "<ndarray of shape (3, 2)>",
        "API_KEY": "<hidden>",
    }
    assert json.loads(json.dumps(code.to_dict())) == code.to_dict()


def test_a_closure_tells_what_it_captured():
    rounds, labels = 5, ["a", "b"]

    def inner(data):
        return [rounds for _ in labels]

    assert Code.of(inner).captured == {"labels": ["a", "b"], "rounds": 5}
    assert Code.of(inner).qualname.endswith("<locals>.inner")


def test_names_used_by_functions_inside_count_too():
    code = Code.of(lambda data: (lambda: DEPTH)())
    assert code.captured == {"DEPTH": 6}
    assert "lambda data" in code.source


def test_a_variable_that_has_no_value_yet_is_no_trouble():
    def inner(data):
        return later

    code = Code.of(inner)
    assert code.captured == {}
    later = 1
    assert Code.of(inner).captured == {"later": later}


def test_partials_methods_objects_and_decorated_functions_lead_to_the_code_that_runs():
    partial = Code.of(functools.partial(fit, "data", rate=3))
    assert (partial.qualname, partial.arguments) == ("fit", {"argument 0": "data", "rate": 3})
    nested = Code.of(functools.partial(functools.partial(Trainer(1).fit), data=2))
    assert (nested.qualname, nested.arguments) == ("Trainer.fit", {"data": 2})
    assert nested.captured["self"]["depth"] == 1
    method = Code.of(Trainer(7).fit)
    assert method.qualname == "Trainer.fit"
    assert method.captured == {"self": {"type": f"{__name__}.Trainer", "depth": 7}}
    called = Code.of(Trainer(8))
    assert called.qualname == "Trainer.__call__"
    assert called.captured["self"]["depth"] == 8
    assert Code.of(_decorated(fit)).source == Code.of(fit).source
    assert Code.of(Trainer).source.startswith("class Trainer")


@pytest.mark.parametrize("function", [len, max, dict, "".join, np.mean, np.log1p, functools.partial(len)])
def test_functions_without_source_are_named(function):
    code = Code.of(function)
    assert code.qualname
    assert len(code.digest) == 64


def test_a_function_from_a_notebook_cell_has_its_source():
    source = "THRESHOLD = 3\ndef fit(data):\n    return THRESHOLD\n"
    cell = "/tmp/ipykernel_1/123.py"
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    scope = {"__name__": "__main__"}
    exec(compile(source, cell, "exec"), scope)
    code = Code.of(scope["fit"])
    assert code.source == "def fit(data):\n    return THRESHOLD\n"
    assert (code.module, code.file, code.line, code.captured) == ("__main__", cell, 2, {"THRESHOLD": 3})


def test_a_function_that_was_typed_at_a_prompt_is_known_by_what_it_captured():
    scope = {"__name__": "__main__"}
    exec("DEPTH = 3\ndef fit(data): return DEPTH", scope)
    code = Code.of(scope["fit"])
    assert (code.source, code.line, code.captured) == (None, 2, {"DEPTH": 3})


def test_the_digest_is_that_of_the_code_and_changes_with_what_it_captured():
    def make(depth):
        return lambda data: depth

    assert Code.of(make(1)).digest == Code.of(make(1)).digest
    assert Code.of(make(1)).digest != Code.of(make(2)).digest
    assert Code.of(functools.partial(fit, rate=1)).digest != Code.of(functools.partial(fit, rate=2)).digest
    code = Code.of(fit)
    found = {name: getattr(code, name) for name in ("qualname", "module", "source", "captured", "arguments")}
    state = None if code.git is None else (code.git.commit, code.git.diff_digest)
    expected = hashlib.sha256(json.dumps([found, state], sort_keys=True).encode()).hexdigest()
    assert code.digest == expected


def test_the_digest_is_the_same_in_another_process(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Thing:\n    def __repr__(self): return f'<Thing at {hex(id(self))}>'\n"
        "THING, NAMES = Thing(), {'a', 'b', 'c'}\ndef fit(data): return THING, NAMES, print\n"
    )
    program = "import mine; from groundswell.experiments._code import Code; print(Code.of(mine.fit).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
