import pytest

from groundswell.errors import InvalidNameError, NotFoundError
from groundswell.models._reference import Reference, check_alias


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("late", Reference("late")),
        ("late:3", Reference("late", 3)),
        ("late@champion", Reference("late", None, "champion")),
        ("late@", Reference("late", None, "")),
        ("", Reference("")),
    ],
)
def test_a_reference_is_read(text, expected):
    assert Reference.parse(text) == expected


@pytest.mark.parametrize("text", ["late:3", "late@champion", "late"])
def test_it_is_written_as_it_was_read(text):
    assert str(Reference.parse(text)) == text


@pytest.mark.parametrize("text", ["a:b", "a:-1", "a:1.5", "a@b@c", "a:1@b", "a:1:2", "a:" + "9" * 30, None, 3, "a:１"])
def test_what_is_none_is_refused_with_the_forms(text):
    with pytest.raises(NotFoundError, match="'name:3' for version 3"):
        Reference.parse(text)


def test_aliases_follow_the_rules_of_names_but_champion_is_welcome():
    assert [check_alias(alias) for alias in ("champion", "challenger", "blue")] == ["champion", "challenger", "blue"]
    for alias in ("latest", "Champion", "1", "", "a-b", None):
        with pytest.raises(InvalidNameError):
            check_alias(alias)
