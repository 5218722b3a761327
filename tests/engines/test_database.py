import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from groundswell.engines._database import Database, explained, parse_bytes
from groundswell.errors import CorruptionError, DataError


def database(**settings) -> Database:
    return Database(**({"memory_limit": None, "threads": None, "temp_folder": None} | settings))


@pytest.mark.parametrize(
    ("text", "size"), [("1GB", 10**9), ("512 MiB", 512 << 20), ("1.5gib", 3 << 29), (" 64mb ", 64 * 10**6)]
)
def test_sizes_are_read(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "value", ["", "1", "GB", "1 parsec", "-1GB", "63MB", "infGB", "1e3GB", 10**9, None, "9" * 400 + "GB"]
)
def test_what_is_no_size_is_refused_with_its_value(value):
    with pytest.raises(DataError, match="memory limit") as caught:
        parse_bytes(value)
    assert caught.value.value is value


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two", True])
def test_what_is_no_number_of_threads_is_refused(threads):
    with pytest.raises(DataError, match="threads"):
        database(threads=threads)


def test_every_session_is_in_utc_whatever_the_machine(tmp_path):
    program = """
        from groundswell.engines._database import Database
        database = Database(memory_limit=None, threads=None, temp_folder=None)
        with database.session() as cursor:
            print(*cursor.execute("SELECT epoch(CAST(DATE '2020-01-01' AS TIMESTAMPTZ))").fetchone())
        database.close()
    """
    code = "\n".join(line.strip() if "print" not in line else "    " + line.strip() for line in program.splitlines())
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TZ": "America/New_York"}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1577836800.0", done.stderr


def test_threads_that_come_first_together_share_one_database():
    shared, barrier = database(threads=2), threading.Barrier(8)

    def work(i: int) -> tuple:
        barrier.wait(10)
        with shared.session() as cursor:
            return cursor.execute("SELECT current_setting('TimeZone'), current_setting('temp_directory')").fetchone()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(work, range(8)))
    assert len(answers) == 1
    ((zone, folder),) = answers
    assert zone == "UTC"
    assert Path(folder).is_dir()
    shared.close()
    assert not Path(folder).exists()


def test_it_opens_again_after_it_was_closed():
    mine = database()
    for _ in range(2):
        with mine.session() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)
        mine.close()
    mine.close()


def test_a_folder_that_was_given_is_kept(tmp_path):
    mine = database(temp_folder=str(tmp_path / "spill"))
    mine.cursor().close()
    (tmp_path / "spill").mkdir(exist_ok=True)
    mine.close()
    assert (tmp_path / "spill").is_dir()


@pytest.mark.parametrize("busy", [False, True])
def test_a_forked_child_has_a_database_of_its_own_and_ends_well(busy):
    """In a subprocess: pytest's own threads are none of the child's business."""
    code = f"""
import os, signal, sys
from groundswell.engines._database import Database
database = Database(memory_limit=None, threads=4, temp_folder=None)
def total(cursor):
    return cursor.execute("SELECT sum(range) FROM range(1000000)").fetchone()[0]
cursor = database.cursor()
assert total(cursor) == 499999500000
if not {busy}:
    database.release(cursor)
    del cursor
child = os.fork()
with database.session() as again:
    assert total(again) == 499999500000
database.close()
if child == 0:
    if {busy}:
        os._exit(0)
    sys.exit(0)
signal.alarm(20)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert busy or not done.stderr


@pytest.mark.parametrize(
    ("sql", "error", "says"),
    [
        ("SELECT 9223372036854775807::BIGINT + 1::BIGINT FROM range(1)", DataError, "Overflow"),
        ("SELECT CAST('abc' || range AS INTEGER) FROM range(1)", DataError, "abc0"),
        ("SELECT * FROM read_parquet('nowhere.parquet')", CorruptionError, "nowhere.parquet"),
        ("SELEC 1", duckdb.ParserException, "SELEC"),
    ],
)
def test_errors_of_data_and_files_are_explained_and_those_of_ours_are_not(sql, error, says):
    mine = database()
    with pytest.raises(error, match=says), mine.session() as cursor:
        cursor.execute(sql).fetchall()
    mine.close()


def test_a_file_that_is_no_parquet_is_damage(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CorruptionError, match=r"x\.parquet"), explained():
        duckdb.sql(f"FROM read_parquet('{path}')").fetchall()


def test_too_little_memory_is_said_with_a_way_out():
    mine = database(memory_limit="64MB", threads=1)
    with pytest.raises(DataError, match="memory limit is too small") as caught, mine.session() as cursor:
        cursor.execute("SELECT list(range) FROM range(30000000)").fetchall()
    assert "memory_limit" in caught.value.fix
    mine.close()
