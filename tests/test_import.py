"""What importing costs, and what is public.

The public names of the package and of every room are kept in public_names.txt, so that none comes or goes unnoticed. To
keep a new list: python tests/test_import.py
"""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import groundswell

KEPT = Path(__file__).with_name("public_names.txt")
HEAVY = ["numpy", "pyarrow", "pandas", "torch", "sklearn", "scipy", "polars", "duckdb", "deltalake", "sqlalchemy"]
HEAVY += ["fastapi", "uvicorn", "skops", "sqlglot", "rich", "typer"]


def public_names() -> str:
    """The public names, a line each, under the room that they are in."""
    rooms = sorted(
        f"groundswell.{module.name}" for module in iter_modules(groundswell.__path__) if module.name[0] != "_"
    )
    sections = []
    for room in ["groundswell", *rooms]:
        names = getattr(import_module(room), "__all__", None)
        assert names is not None, f"{room} does not say in __all__ what is public"
        assert len(set(names)) == len(names), f"{room} names something twice"
        sections.append("\n".join([room, *(f"    {name}" for name in sorted(names, key=str.lower))]))
    return "\n\n".join(sections) + "\n"


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import groundswell").isdisjoint(HEAVY)


def test_the_errors_and_the_version_load_nothing_heavy() -> None:
    assert loaded_by("import groundswell as gs; gs.GroundswellError, gs.__version__, dir(gs)").isdisjoint(HEAVY)


def test_the_help_of_the_command_line_loads_nothing_heavy() -> None:
    statement = "from groundswell.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass"
    assert loaded_by(statement) & set(HEAVY) == {"typer"}


def test_opening_a_project_loads_no_learning_and_no_serving() -> None:
    statement = "import groundswell as gs, tempfile\nwith tempfile.TemporaryDirectory() as d: gs.open(d).close()"
    assert loaded_by(statement).isdisjoint({"torch", "sklearn", "skops", "fastapi", "uvicorn", "rich", "typer"})


def test_the_public_names_are_those_that_are_kept() -> None:
    assert public_names() == KEPT.read_text(), "To keep the new list: python tests/test_import.py"


def test_the_front_door_gives_all_its_names_and_no_others() -> None:
    for name in groundswell.__all__:
        assert getattr(groundswell, name) is not None
    assert set(dir(groundswell)) == set(groundswell.__all__)
    with pytest.raises(AttributeError, match="module 'groundswell' has no attribute 'opne'"):
        _ = groundswell.opne


def test_every_public_name_of_a_room_is_there() -> None:
    for section in KEPT.read_text().strip().split("\n\n"):
        room, *names = section.split()
        for name in names:
            assert hasattr(import_module(room), name), f"{room} has no {name}"


if __name__ == "__main__":
    KEPT.write_text(public_names())
