import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from groundswell.cli._tables import print_table, shown
from groundswell.cli._text import plain, print_json, visible


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**60, 2**60),
        (0.1, 0.1),
        (float("-inf"), "-Infinity"),
        (datetime(2013, 1, 1, 12, tzinfo=UTC), "2013-01-01T12:00:00+00:00"),
        (date(2013, 1, 1), "2013-01-01"),
        (timedelta(hours=1), 3600.0),
        (Decimal("1.50"), "1.50"),
        (b"\xff", "/w=="),
        (Path("a/b"), "a/b"),
        ({1: (2, [float("nan")])}, {"1": [2, ["NaN"]]}),
    ],
)
def test_every_value_has_a_form_in_json(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected


def test_a_document_keeps_letters_of_all_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Zürich 🌊"})
    assert capsys.readouterr().out == '{\n  "name": "Zürich 🌊"\n}\n'


@pytest.mark.parametrize("text", ["a\nb", "\x1b]0;title\x07", "\u202e", "\x9b31m", "\u2028"])
def test_no_control_character_is_printed(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(f"Zürich 🌊 [bold]{text}").startswith("Zürich 🌊 [bold]")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2013, 1, 1, 12, 30, 5, tzinfo=UTC), "2013-01-01 12:30:05 UTC"),
        (datetime(2013, 1, 1, 12, 30, 5, 7, tzinfo=UTC), "2013-01-01 12:30:05.000007 UTC"),
        (False, "no"),
        ((1234, "[bold]"), "1,234, [bold]"),
    ],
)
def test_cells_are_for_people(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_markup_in_a_cell_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["[red]title"], [["[link=x]y[/link]"], [12]])
    assert capsys.readouterr().out.split() == ["[red]title", "[link=x]y[/link]", "12"]
