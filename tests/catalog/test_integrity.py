import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from groundswell.catalog import Catalog
from groundswell.errors import CorruptionError


@pytest.fixture
def path(tmp_path: Path, url: str) -> Path:
    with Catalog.create(url) as catalog:
        view = catalog.add("feature_view", "late", {"labels": ["late"]})
        data = catalog.add("training_data", "late", {"note": "unmistakable"})
        catalog.link(data, view, "of", {"split": "unique_word"})
        catalog.log("created", view)
    return tmp_path / "catalog.db"


def found(url: str, *, thorough: bool = False) -> list[str]:
    with Catalog.open(url) as catalog:
        findings = list(catalog.check(thorough=thorough))
    assert all(f.severity == "error" and f.where.endswith("catalog.db") and ".recover" in f.fix for f in findings)
    return [f.what for f in findings]


@pytest.mark.parametrize("thorough", [False, True])
def test_a_sound_catalog_has_no_faults(url: str, path: Path, thorough: bool) -> None:
    assert found(url, thorough=thorough) == []


@pytest.mark.parametrize("damage", [b'"unmistak\xff\xfele"', b'"unmistakable('])
def test_a_body_that_is_no_json_is_named(url: str, path: Path, damage: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(b'"unmistakable"', damage))
    assert found(url) == ["What the catalog has of training_data late version 1 (entries.body) is no JSON any more."]


def test_a_detail_of_an_edge_that_is_no_json_is_named(url: str, path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"unique_word"', b'"unique_word('))
    assert found(url) == ["What the catalog has of the edge of (edges.detail) is no JSON any more."]


def test_a_key_that_points_to_nothing_is_named(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM entries WHERE kind = 'feature_view'")
    assert found(url) == ["Row 1 of the catalog's table 'edges' points to nothing in 'entries'."]


def test_a_table_that_is_gone_and_a_column_that_is_gone_are_named(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE aliases")
        connection.execute("ALTER TABLE files DROP COLUMN size_bytes")
    assert set(found(url)) == {
        "The catalog's table 'aliases' lacks kind, name, alias, version.",
        "The catalog's table 'files' lacks size_bytes.",
    }


def test_an_index_that_differs_from_its_table_is_found_by_looking_thoroughly(url: str, path: Path) -> None:
    whole, key = path.read_bytes(), b"feature_viewlate"
    places = [i for i in range(len(whole)) if whole.startswith(key, i)]
    faults = []
    for place in places:  # one of them is in the index of kind, name and version
        path.write_bytes(whole[:place] + key.replace(b"late", b"lame") + whole[place + len(key) :])
        faults += [what for what in found(url, thorough=True) if what not in found(url)]
    assert any("missing from index" in what for what in faults)


def test_a_damaged_page_is_told_or_raised_as_damage(url: str, path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[8192:12288] = b"\xa5" * 4096
    path.write_bytes(whole)
    try:
        faults = found(url)
    except CorruptionError as error:
        faults = [str(error)]
    assert any("damaged" in fault for fault in faults)
