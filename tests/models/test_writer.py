import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from groundswell.models import Writer


def test_this_process_lives_and_an_ended_one_does_not():
    now = datetime.now(UTC)
    assert Writer.this().is_alive(now)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not replace(Writer.this(), pid=ended.pid).is_alive(now)


def test_a_later_process_with_the_same_number_is_another():
    assert not replace(Writer.this(), birth=Writer.this().birth - 1).is_alive(datetime.now(UTC))


def test_a_process_on_another_host_is_believed_for_a_day():
    far = replace(Writer.this(), host="elsewhere", pid=1)
    now = datetime.now(UTC)
    assert far.is_alive(now - timedelta(hours=23))
    assert not far.is_alive(now - timedelta(hours=25))


def test_it_survives_json():
    assert Writer.from_dict(Writer.this().to_dict()) == Writer.this()
    assert Writer.this().pid == os.getpid()
