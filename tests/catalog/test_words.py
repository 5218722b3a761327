import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.catalog._words import phrases, spans, words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("late_arrival", ["late", "arrival"]),
        ("late_share_24h", ["late", "share", "24", "h"]),
        ("Ångström café CAFE\u0301", ["angstrom", "cafe", "cafe"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("", []),
        ("🐟 -- '\"*", []),
        ("天気2013", ["天気", "2013"]),
    ],
)
def test_texts_are_cut_where_words_end(text: str, cut: list[str]) -> None:
    assert [word.text for word in words(text)] == cut


@given(st.text())
def test_words_hold_letters_and_digits_only_and_stand_where_they_say(text: str) -> None:
    at = 0
    for word in words(text):
        assert word.text.isalnum()
        assert at <= word.start < word.end
        assert words(text[word.start : word.end])[0].text == word.text
        at = word.end


def test_a_query_has_at_most_fifty_words() -> None:
    assert sum(map(len, phrases(" ".join(f"w{'x' * i}" for i in range(1, 200))))) == 50


def test_matches_that_overlap_are_one() -> None:
    assert spans(words("late_arrival late"), phrases("late_arr late arrival")) == [(0, 12), (13, 17)]
