import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from groundswell.features._reads import Read, record, recording

WEATHER = Read("feature_group", "1", "weather", 3)
PLANES = Read("feature_group", "2", "planes", 1)


def test_without_a_recording_nothing_happens():
    record(WEATHER)


def test_what_is_read_inside_is_recorded_in_order_and_nothing_outside():
    record(PLANES)
    with recording() as reads:
        record(WEATHER)
        record(PLANES)
    record(PLANES)
    assert reads == [WEATHER, PLANES]


def test_an_outer_recording_sees_what_an_inner_one_does():
    with recording() as outer:
        with recording() as inner:
            record(WEATHER)
        record(PLANES)
    assert inner == [WEATHER]
    assert outer == [WEATHER, PLANES]


def test_a_recording_ends_with_an_exception():
    try:
        with recording() as reads:
            raise ZeroDivisionError
    except ZeroDivisionError:
        record(WEATHER)
    assert reads == []


def test_threads_started_inside_are_recorded():
    with recording() as reads:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(record, [WEATHER, PLANES]))
        thread = threading.Thread(target=record, args=(WEATHER,))
        thread.start()
        thread.join()
    assert sorted(read.name for read in reads) == ["planes", "weather", "weather"]


def test_threads_that_were_there_before_are_not():
    begin, done = threading.Event(), threading.Event()

    def service():
        begin.wait(10)
        record(PLANES)
        done.set()

    stranger = threading.Thread(target=service)
    stranger.start()
    with recording() as reads:
        begin.set()
        assert done.wait(10)
    stranger.join()
    assert reads == []


def test_two_recordings_in_two_threads_keep_apart():
    barrier = threading.Barrier(2)

    def work(read):
        with recording() as reads:
            barrier.wait(10)
            record(read)
            barrier.wait(10)
        return reads

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, [WEATHER, PLANES])) == [[WEATHER], [PLANES]]


def test_asyncio_tasks_and_threads_of_asyncio_follow_the_context():
    async def work():
        with recording() as reads:
            await asyncio.gather(asyncio.to_thread(record, WEATHER), asyncio.create_task(later()))
        return reads

    async def later():
        record(PLANES)

    assert {read.name for read in asyncio.run(work())} == {"weather", "planes"}
