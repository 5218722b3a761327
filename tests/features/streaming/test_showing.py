import threading

import pyarrow as pa

from groundswell.errors import GroundswellError
from groundswell.features.streaming._showing import Showing


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch({"n": list(numbers)})


def test_rows_are_shown_in_order_and_together_where_they_may() -> None:
    shown: list[tuple[list[int], int]] = []
    started, go_on = threading.Event(), threading.Event()

    def show(rows: pa.RecordBatch, segment: int) -> None:
        shown.append((rows["n"].to_pylist(), segment))
        started.set()
        go_on.wait()

    showing = Showing(show)
    showing.put([batch(1)], 1)
    started.wait()
    showing.put([batch(2), batch(3)], 1)
    showing.put([batch(4)], 1)
    showing.put([batch(5)], 2)
    go_on.set()
    showing.settle()
    assert shown == [([1], 1), ([2, 3, 4], 1), ([5], 2)]
    showing.put([batch(6)], 2)
    showing.close()
    assert shown[-1] == ([6], 2)


def test_a_store_that_does_not_answer_holds_nobody_up() -> None:
    shown: list[int] = []

    def show(rows: pa.RecordBatch, segment: int) -> None:
        shown.append(segment)
        if segment == 1:
            raise GroundswellError("The store does not answer.")

    showing = Showing(show)
    for segment in (1, 2):
        showing.put([batch(1)], segment)
        showing.settle()
    showing.close()
    assert shown == [1, 2]
