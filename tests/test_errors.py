import copy
import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell import errors
from groundswell.errors import (
    ColumnNotFoundError,
    ConflictError,
    CorruptionError,
    GroundswellError,
    MissingDependencyError,
    SchemaError,
    choices,
    nearest,
)

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, GroundswellError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_facts_and_parts_survive_copies_and_other_processes(kind):
    error = kind("It broke.", why="As it was old.", fix="Buy another.", name="thing", path="/a", errno=7, column=None)
    for same in (error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(same) is kind
        assert str(same) == "It broke. As it was old. Buy another."
        assert (same.name, same.path, same.errno, same.column) == ("thing", "/a", 7, None)
        assert same.facts == error.facts


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_is_in_the_tree_of_the_docstring_with_its_built_in_base(kind):
    (line,) = (row for row in errors.__doc__.splitlines() if f" {kind.__name__}" in f" {row.strip(' ├└─│')} ")
    built_in = [base.__name__ for base in kind.__bases__ if not issubclass(base, GroundswellError)]
    assert kind is GroundswellError or not built_in or f"({built_in[0]})" in line
    assert kind.__name__ in errors.__all__


def test_an_unknown_fact_is_an_attribute_error_that_names_those_there_are():
    with pytest.raises(AttributeError, match=r"no fact 'nmae'; it has \['name'\]"):
        GroundswellError("x", name="y").nmae  # noqa: B018


def test_errors_are_caught_as_what_callers_expect():
    assert issubclass(ColumnNotFoundError, SchemaError | LookupError)
    assert issubclass(ColumnNotFoundError, ValueError)
    assert issubclass(CorruptionError, OSError)
    assert issubclass(MissingDependencyError, ImportError)
    assert ConflictError("x").retryable
    assert not CorruptionError("x").retryable


def test_parts_that_are_empty_leave_no_gap():
    assert str(GroundswellError("It broke.", fix="Buy another.")) == "It broke. Buy another."


def test_choices_name_the_nearest_else_all_else_none():
    assert choices("WEATHER", ["weather", "planes"]) == "Did you mean 'weather'?"
    assert choices("q", [f"c{i:02}" for i in range(12)], "columns").endswith("'c09' and 2 more.")
    assert choices("q", ["b", "a", "a"], "columns") == "The columns are 'a', 'b'."
    assert choices("q", [], "columns") == "There are no columns yet."


@given(st.text(), st.lists(st.text()))
def test_nearest_gives_known_names_whatever_the_texts(name, known):
    assert set(nearest(name, known)) <= set(known)
    assert nearest(name, [name, *known], 1) == [name] or name.casefold() in map(str.casefold, known) or not name
