import sqlite3
from pathlib import Path

import pytest

from groundswell.catalog import Catalog
from groundswell.catalog._database import Database
from groundswell.errors import CorruptionError, GroundswellError


def names(catalog: Catalog) -> list[str]:
    return sorted(entry.name for entry in catalog.find("run"))


def add_and_fail(catalog: Catalog, *names: str) -> None:
    with catalog.transaction():
        for name in names:
            with catalog.transaction():
                catalog.log("created", catalog.add("run", name, {}))
        raise KeyError


def test_a_transaction_lands_together_or_not_at_all(catalog: Catalog) -> None:
    with pytest.raises(KeyError):
        add_and_fail(catalog, "a", "b")
    assert (names(catalog), catalog.activity()) == ([], [])
    with catalog.transaction():
        catalog.add("run", "a", {})
        catalog.add("run", "b", {})
    assert names(catalog) == ["a", "b"]


def test_an_inner_transaction_that_raises_undoes_its_own_calls_only(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.add("run", "a", {})
        with pytest.raises(KeyError):
            add_and_fail(catalog, "b")
        with catalog.transaction(), catalog.transaction():
            catalog.add("run", "c", {})
    assert names(catalog) == ["a", "c"]


def test_a_call_that_raises_inside_a_transaction_does_not_end_it(catalog: Catalog) -> None:
    with catalog.transaction():
        entry = catalog.add("run", "a", {})
        with pytest.raises(ValueError, match="has a version 1 already"):
            catalog.add("run", "a", {}, version=1)
        with pytest.raises(LookupError):
            catalog.link(entry, "0" * 32, "used")
        catalog.add("run", "b", {})
    assert names(catalog) == ["a", "b"]


def test_a_closed_catalog_says_so(catalog: Catalog) -> None:
    catalog.close()
    for call in (lambda: catalog.find("run"), lambda: catalog.add("run", "a", {})):
        with pytest.raises(GroundswellError, match=r"is closed. Open it again"):
            call()


def test_the_settings_that_keep_what_was_acknowledged(tmp_path: Path, catalog: Catalog) -> None:
    database = Database(tmp_path / "catalog.db")
    with database.read() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}


def test_a_writer_takes_the_lock_when_it_begins_and_a_reader_none(tmp_path: Path, catalog: Catalog) -> None:
    other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None, timeout=0)
    with catalog.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    database = Database(tmp_path / "catalog.db")
    with database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM entries")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    database.close()
    other.close()


def test_a_full_disk_is_one_clear_error_and_undoes_the_transaction(tmp_path: Path, catalog: Catalog) -> None:
    catalog.add("run", "before", {})
    database = Database(tmp_path / "catalog.db")

    def fill() -> None:
        with database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.exec_driver_sql("INSERT INTO retired VALUES ('run', 'before', 9)")
            connection.exec_driver_sql("INSERT INTO retired VALUES ('run', hex(randomblob(100000)), 9)")

    with pytest.raises(CorruptionError, match=r"catalog\.db' cannot be written: no space is left.*Free some space"):
        fill()
    database.close()
    assert catalog.add("run", "before", {}).version == 2
