import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from groundswell.catalog import Catalog
from groundswell.catalog._sqlite import explain, path_from_url
from groundswell.errors import ConflictError, CorruptionError


@pytest.mark.parametrize("name", ["plain.db", "a b?c=d&mode=ro#e.db", "100%25.db", 'it\'s "quoted".db', "zoë 🌊.db"])
def test_any_path_can_hold_a_catalog(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / name}"
    with Catalog.create(url) as catalog:
        catalog.add("run", "r", {})
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with Catalog.open(url) as catalog:
        assert catalog.get("run", "r").version == 1
        assert repr(catalog) == f"Catalog({str(tmp_path / name)!r})"


def test_a_relative_path_is_relative_to_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Catalog.create("sqlite:///catalog.db"):
        assert (tmp_path / "catalog.db").is_file()


@pytest.mark.parametrize(
    "url", ["postgresql://host/db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "catalog.db", ""]
)
def test_another_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(CorruptionError, match="Write 'sqlite:///' and the file's path"):
        path_from_url(url)


def test_nothing_is_made_by_opening_what_is_not_there(tmp_path: Path, url: str) -> None:
    with pytest.raises(CorruptionError, match=r"There is no catalog at .*Catalog.create\('sqlite:///"):
        Catalog.open(url)
    with pytest.raises(CorruptionError, match="Its folder is missing"):
        Catalog.open(f"sqlite:///{tmp_path / 'nowhere' / 'catalog.db'}")
    with pytest.raises(CorruptionError, match=r"cannot be made. No such file or directory"):
        Catalog.create(f"sqlite:///{tmp_path / 'nowhere' / 'catalog.db'}")
    with pytest.raises(CorruptionError, match=r"cannot be made. Is a directory"):
        Catalog.create(f"sqlite:///{tmp_path}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, url: str) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(b"carrier,origin\nUA,EWR\n" * 100)
    for action in (Catalog.open, Catalog.create):
        with pytest.raises(CorruptionError, match=r"damaged or not a SQLite database.*Restore the file") as caught:
            action(url)
        assert caught.value.path == str(path)
    assert path.read_bytes() == b"carrier,origin\nUA,EWR\n" * 100


def test_a_damaged_page_is_named_not_misread(tmp_path: Path, url: str) -> None:
    with Catalog.create(url) as catalog:
        catalog.add("run", "r", {"metric": "unmistakable"})
    path = tmp_path / "catalog.db"
    whole = path.read_bytes()
    damages = {
        "text": whole.replace(b"unmistakable", b"unmis\xff\xfeable"),
        "json": whole.replace(b'"unmistakable"', b'"unmistakable('),
        "page": whole.replace(b"unmistakable", b"\0" * 12)[:4096] + b"\xa5" * (len(whole) - 4096),
        "short": whole[: len(whole) // 2],
    }
    for damage in damages.values():
        path.write_bytes(damage)
        with pytest.raises(CorruptionError, match=r"catalog\.db' is damaged"), Catalog.open(url) as catalog:
            catalog.get("run", "r")
    path.write_bytes(whole)
    with Catalog.open(url) as catalog:
        assert catalog.get("run", "r").body == {"metric": "unmistakable"}


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "message"),
    [
        (0o555, 0o444, r"cannot be written.*Give this user the right to write to the folder of"),
        (0o555, 0o644, r"cannot be written.*Give this user the right to write to the folder of"),
        (0o755, 0o000, r"cannot be opened.*may read and write"),
        (0o000, 0o644, r"cannot be opened.*may read and write"),
    ],
)
def test_a_catalog_that_may_not_be_used_says_what_must_be_allowed(
    folder_mode: int, file_mode: int, message: str
) -> None:
    # Outside of pytest's folders, which nobody else may enter; and permissions do not bind root, who becomes another.
    program = """
import os, sys
from groundswell.catalog import Catalog
if os.getuid() == 0: os.setuid(65534)
try: Catalog.open(sys.argv[1]).add('run', 'r', {})
except OSError as error: print(type(error).__name__, error)
"""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.db"
        Catalog.create(f"sqlite:///{path}").close()
        path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        command = [sys.executable, "-c", program, f"sqlite:///{path}"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        path.parent.chmod(0o700)
    assert re.match(rf"CorruptionError The catalog '{path}' {message}", said.stdout), said


def test_a_lock_that_does_not_end_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "my catalog.db"
    holder, waiter = (sqlite3.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        waiter.execute("BEGIN IMMEDIATE")
    holder.close()
    waiter.close()
    found = explain(caught.value, path)
    assert isinstance(found, ConflictError)
    assert found.retryable
    assert str(found).endswith(f"find out who holds it with: fuser -v '{path}'")


def test_an_error_that_says_nothing_about_the_file_stays_as_it_is() -> None:
    assert explain(sqlite3.IntegrityError("UNIQUE constraint failed"), Path("catalog.db")) is None
    assert explain(ValueError("no such table: lamps"), Path("catalog.db")) is None
