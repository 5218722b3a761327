import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from groundswell.serving._combining import Combining


class Doubling:
    """Doubles numbers and remembers the batches. A zero fails; while the gate is closed, work waits."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def __call__(self, numbers):
        self.batches.append(numbers)
        self.entered.set()
        assert self.gate.wait(10)
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]


@pytest.fixture
def work():
    return Doubling()


def gathered(combining, work, pool, numbers, size=1):
    """The answers to come: of a first request that is being worked on, and of others that wait meanwhile."""
    work.gate.clear()
    first = pool.submit(combining, 1, 1)
    assert work.entered.wait(10)
    rest = [pool.submit(combining, number, size) for number in numbers]
    while len(combining._waiting) < len(numbers):
        pass
    return [first, *rest]


def test_a_request_without_company_is_served_alone(work):
    combining = Combining(work, n_at_once=1, most=10)
    assert [combining(number, 1) for number in (3, 4)] == [6, 8]
    assert work.batches == [[3], [4]]


def test_requests_that_gather_are_served_together(work):
    combining = Combining(work, n_at_once=1, most=10)
    with ThreadPoolExecutor(8) as pool:
        answers = gathered(combining, work, pool, [2, 3, 4, 5])
        work.gate.set()
        assert [answer.result(10) for answer in answers] == [2, 4, 6, 8, 10]
    assert [sorted(batch) for batch in work.batches] == [[1], [2, 3, 4, 5]]


def test_the_error_of_one_is_not_the_error_of_others(work):
    combining = Combining(work, n_at_once=1, most=10)
    with ThreadPoolExecutor(8) as pool:
        first, two, zero, three = gathered(combining, work, pool, [2, 0, 3])
        work.gate.set()
        assert [answer.result(10) for answer in (first, two, three)] == [2, 4, 6]
        with pytest.raises(ZeroDivisionError):
            zero.result(10)


def test_no_more_are_served_together_than_allowed_and_a_larger_one_is_alone(work):
    combining = Combining(work, n_at_once=1, most=5)
    with ThreadPoolExecutor(8) as pool:
        answers = gathered(combining, work, pool, [2, 3, 4, 5, 6], size=2)
        work.gate.set()
        assert [answer.result(10) for answer in answers] == [2, 4, 6, 8, 10, 12]
    assert [len(batch) for batch in work.batches] == [1, 2, 2, 1]
    assert combining(7, 100) == 14


def test_another_batch_is_served_while_one_takes_long(work):
    combining = Combining(work, n_at_once=2, most=10)
    with ThreadPoolExecutor(2) as pool:
        work.gate.clear()
        slow = pool.submit(combining, 1, 1)
        assert work.entered.wait(10)
        work.entered.clear()
        quick = pool.submit(combining, 2, 1)
        assert work.entered.wait(10)
        work.gate.set()
        assert (slow.result(10), quick.result(10)) == (2, 4)


def test_everybody_gets_the_own_answer_under_load(work):
    combining = Combining(work, n_at_once=2, most=7)
    with ThreadPoolExecutor(16) as pool:
        numbers = list(range(1, 2001))
        assert list(pool.map(lambda number: combining(number, number % 4 + 1), numbers)) == [2 * n for n in numbers]
    assert sorted(number for batch in work.batches for number in batch) == numbers
