import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import alembic.autogenerate
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import groundswell.catalog
from groundswell.catalog import Catalog
from groundswell.catalog._database import Database
from groundswell.catalog._schema import HEAD, REVISION_TABLE, metadata
from groundswell.catalog._upgrade import known_revisions
from groundswell.errors import CorruptionError, VersionError

NEXT_REVISION = '''
"""Give entries a color."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{head}"
def upgrade() -> None:
    op.add_column("entries", sa.Column("color", sa.Text, nullable=False, server_default="blue"))
'''


@pytest.fixture
def next_groundswell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this room as a later release could have it: with one more revision."""
    source, target = Path(groundswell.catalog.__file__).parent, tmp_path_factory.mktemp("next") / "groundswell"
    shutil.copytree(source, target / "catalog", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("diagnosis.py", "errors.py", "_version.py"):
        shutil.copy(source.parent / name, target)
    (target / "__init__.py").touch()
    (target / "catalog/_migrations/versions/v9999_next.py").write_text(NEXT_REVISION.format(head=HEAD))
    schema = target / "catalog/_schema.py"
    schema.write_text(schema.read_text().replace(f'HEAD = "{HEAD}"', 'HEAD = "9999"'))
    return target.parent


def run(program: str, url: str, path: Path | None = None) -> str:
    head = f"import sys\nsys.path[:0] = {[str(path)] if path else []}\nfrom groundswell.catalog import Catalog\n"
    command = [sys.executable, "-W", "error", "-c", head + program, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_head_written_down_is_alembics() -> None:
    assert known_revisions()[-1] == HEAD


def test_the_migrated_tables_are_those_of_the_metadata(tmp_path: Path, catalog: Catalog) -> None:
    database = Database(tmp_path / "catalog.db")
    options = {"version_table": REVISION_TABLE, "compare_type": True, "compare_server_default": True}
    options["include_name"] = lambda name, *_: not str(name).startswith("search")  # the index, which is no migration's
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        differences = alembic.autogenerate.compare_metadata(context, metadata)
    database.close()
    assert differences == []


def test_the_migrated_tables_are_written_as_the_metadata_would_write_them(tmp_path: Path, catalog: Catalog) -> None:
    # Autogenerate does not compare primary keys, names of constraints or ON DELETE.
    (tmp_path / "empty.db").touch()
    written = []
    for name in ("catalog.db", "empty.db"):
        database = Database(tmp_path / name)
        with database.write() as connection:
            metadata.create_all(connection)
            rows = connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE name NOT LIKE ? AND name NOT LIKE 'search%' AND sql > ''",
                (REVISION_TABLE,),
            )
            # The order of the clauses of a table is of no account, nor is that SQLite quotes what it has renamed.
            texts = [re.sub(r'^CREATE TABLE "(\w+)"', r"CREATE TABLE \1", sql.strip()) for (sql,) in rows]
            written.append({frozenset(re.split(r",?\s*\n\s*", text)) for text in texts})
        database.close()
    assert written[0] == written[1]


def test_creating_what_is_there_opens_it(catalog: Catalog, url: str) -> None:
    entry = catalog.add("run", "r", {})
    with Catalog.create(url) as again:
        assert again.get("run", "r") == entry


def test_an_empty_file_is_made_a_catalog_by_create_only(tmp_path: Path, url: str) -> None:
    (tmp_path / "catalog.db").touch()
    with pytest.raises(CorruptionError, match=r"is an empty database. Make it one with Catalog.create\("):
        Catalog.open(url)
    with Catalog.create(url) as catalog:
        assert catalog.find("run") == []


def test_a_database_of_another_program_is_left_alone(tmp_path: Path, url: str) -> None:
    other = sqlite3.connect(tmp_path / "catalog.db")
    other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    for action in (Catalog.open, Catalog.create):
        with pytest.raises(CorruptionError, match=r"has the tables bookmarks, .*Choose another file"):
            action(url)
    other = sqlite3.connect(tmp_path / "catalog.db")
    assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    other.close()


def test_an_older_catalog_is_upgraded_when_opened_and_then_too_new_for_the_older_one(
    next_groundswell: Path, catalog: Catalog, url: str
) -> None:
    catalog.add("run", "kept", {"a": 1})
    catalog.close()
    program = "c = Catalog.open(sys.argv[1])\nprint(c.get('run', 'kept').body, 'alembic' in sys.modules)\nc.close()"
    assert run(program, url, next_groundswell) == "{'a': 1} True\n"
    assert run(program, url, next_groundswell) == "{'a': 1} False\n"
    for action in (Catalog.open, Catalog.create):
        with pytest.raises(VersionError, match=rf"revision '9999', and Groundswell .* knows up to '{HEAD}'.*--upgrade"):
            action(url)


def test_the_activity_of_an_older_catalog_becomes_events(tmp_path: Path, url: str) -> None:
    (tmp_path / "catalog.db").touch()
    database = Database(tmp_path / "catalog.db")
    with database.write() as connection:
        scripts = ScriptDirectory(Path(groundswell.catalog.__file__).parent / "_migrations")
        context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
        with Operations.context(context):
            for revision in ("0001", "0002"):
                scripts.get_revision(revision).module.upgrade()
                context.stamp(scripts, revision)
        connection.exec_driver_sql(
            "INSERT INTO activity VALUES (1, 5, 'me', 'create', 'e', 'feature_group', 'w', 1, '{}'),"
            "(2, 6, 'me', 'insert', 'e', 'feature_group', 'w', 1, '{\"rows\": 3}')"
        )
        connection.exec_driver_sql("INSERT INTO commits VALUES ('e', 0, 6, 'create', 'me', 0, 0, 0, 0, 1, '{}')")
    database.close()
    with Catalog.open(url) as catalog:
        assert [(e.sequence, e.verb, e.tags, e.detail) for e in catalog.events.after(0)] == [
            (1, "created", [], {}),
            (2, "inserted", [], {"rows": 3}),
        ]
        catalog.log("created", catalog.add("run", "r", {}))
        assert catalog.events.last() == 3


def test_an_upgrade_that_fails_leaves_the_older_catalog(next_groundswell: Path, catalog: Catalog, url: str) -> None:
    catalog.add("run", "kept", {"a": 1})
    revision = next_groundswell / "groundswell/catalog/_migrations/versions/v9999_next.py"
    revision.write_text(revision.read_text() + "    op.drop_table('no such table')\n")
    program = "try: Catalog.open(sys.argv[1])\nexcept Exception as error: print(error)"
    assert "no such table" in run(program, url, next_groundswell)
    with Catalog.open(url) as again:
        assert again.get("run", "kept").body == {"a": 1}


def test_opening_an_up_to_date_catalog_loads_neither_alembic_nor_arrow(catalog: Catalog, url: str) -> None:
    catalog.add("run", "r", {})
    program = (
        "Catalog.open(sys.argv[1]).get('run', 'r')\nprint({'alembic', 'pyarrow', 'numpy', 'pandas'} & {*sys.modules})"
    )
    assert run(program, url) == "set()\n"
