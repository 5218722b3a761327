"""Which rows of a key can still be seen, by hand and against a walk through all moments."""

from hypothesis import given
from hypothesis import strategies as st

from groundswell.online._layout import ALWAYS, NEVER, NO_ROW, Head
from groundswell.online._steps import Step, entry_of, horizon_of, step_of, steps_from


def row(event: int, available: int = ALWAYS, version: int = 1) -> Step:
    """A row that is nothing but a head."""
    known = max(event, available)
    head = Head.STRUCT.pack(b"layout 1", 0, NEVER, known, event, available, version)
    return Step(known, (event, available, version), head)


def test_a_row_says_its_time_and_order_itself():
    step = row(5, 7, 3)
    assert step_of(step.row) == step


def test_of_the_past_one_row_is_left():
    assert steps_from([row(1), row(5), row(3)], 10) == [row(5)]


def test_rows_of_the_future_wait_in_their_order():
    assert steps_from([row(30), row(5), row(20)], 10) == [row(5), row(20), row(30)]


def test_a_row_that_comes_too_late_to_be_the_newest_is_none():
    late = row(5, 40)
    assert steps_from([row(20), late, row(6, 15)], 10) == [row(6, 15), row(20)]


def test_of_rows_that_become_known_together_the_greatest_counts():
    assert steps_from([row(3, 40), row(7, 40), row(5, 40)], 10) == [row(7, 40)]


def test_an_equal_event_time_is_replaced_by_the_later_commit():
    assert steps_from([row(5, version=2), row(5, version=9), row(5, version=4)], 10) == [row(5, version=9)]
    assert steps_from([row(50, version=9), row(50, version=4)], 10) == [row(50, version=9)]


def test_rows_without_time_are_ordered_by_commit():
    assert steps_from([row(ALWAYS, version=v) for v in (3, 8, 5)], 10) == [row(ALWAYS, version=8)]


def test_after_the_clock_went_back_the_newest_row_stays_the_first():
    held = row(20)
    assert horizon_of(held, 10) == 20
    assert horizon_of(held, 30) == 30
    assert horizon_of(None, 10) == 10
    assert steps_from([held, row(15)], horizon_of(held, 10)) == [held]


def test_an_entity_is_its_first_row_and_says_until_when():
    address, head, waiting = entry_of(b"e", [row(5), row(20), row(30)], 10, 3)
    assert address == b"e"
    assert step_of(head) == row(5)._replace(row=head)
    assert Head.STRUCT.unpack(head)[Head.NEXT] == 20
    assert waiting == [(20, row(20).row), (30, row(30).row)]


def test_an_entity_of_the_future_has_no_row_yet():
    _, head, waiting = entry_of(b"e", [row(20)], 10, 3)
    assert head.startswith(NO_ROW)
    assert Head.STRUCT.unpack(head)[Head.EPOCH] == 3
    assert Head.STRUCT.unpack(head)[Head.NEXT] == 20
    assert waiting == [(20, row(20).row)]


def test_an_entity_without_rows_is_gone():
    assert entry_of(b"e", [], 10, 3) == (b"e", None, ())


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3)), max_size=8), st.integers(0, 9))
def test_the_steps_are_those_of_a_walk_through_all_moments(drawn, now):
    rows = [row(*times) for times in drawn]
    walked: list[Step] = []
    for moment in range(now, 12):
        newest = max((r for r in rows if r.known_us <= moment), key=lambda r: r.order, default=None)
        if newest is not None and (not walked or walked[-1] != newest):
            walked.append(newest)
    assert steps_from(rows, now) == walked


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3)), max_size=8),
    st.integers(0, 8),
    st.integers(0, 9),
)
def test_rows_may_come_in_any_parts(drawn, cut, now):
    rows = [row(*times) for times in drawn]
    assert steps_from([*steps_from(rows[:cut], now), *rows[cut:]], now) == steps_from(rows, now)
