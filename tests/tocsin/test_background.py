"""Background: works by name, bounded, on the reader's thread or on a few of the library's."""

from __future__ import annotations

import os
import threading

import pytest
from tocsin.background import WAITING_MAX, Background, OnReader, Threads
from tocsin.clock import SystemClock

from tests.until import until


def kinds() -> list[Background]:
    """Return one of each kind."""
    return [OnReader(SystemClock()), Threads(2, SystemClock())]


@pytest.mark.parametrize("background", kinds(), ids=lambda each: type(each).__name__)
def test_of_one_name_one_work_is_under_way(background: Background) -> None:
    """A second one is refused while the first is not done, and accepted afterwards."""
    refused: list[bool] = []
    done = threading.Event()

    def work() -> None:
        refused.append(background.submit("k", lambda: None))
        done.set()

    assert background.submit("k", work)
    assert done.wait(10.0)
    assert refused == [False]
    until(lambda: background.submit("k", lambda: None), within_s=5, waiting_for="the name to be free")
    background.stop(5.0)


def test_work_on_the_reader_frees_its_name_whatever_happens() -> None:
    """What ends a reader in the middle of a refresh must not end all refreshes of the key."""
    background = OnReader(SystemClock())

    def ended() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        background.submit("k", ended)
    assert background.submit("k", lambda: None)


def test_threads_are_as_many_as_said_and_end_with_the_work() -> None:
    """Ten works, two threads; when all are done no thread is left."""
    background = Threads(2, SystemClock())
    used: set[int] = set()
    go = threading.Event()
    done = threading.Semaphore(0)

    def work() -> None:
        go.wait(10.0)
        used.add(threading.get_ident())
        done.release()

    threads = threading.active_count()
    assert all(background.submit(str(number), work) for number in range(10))
    assert threading.active_count() <= threads + 2
    go.set()
    assert all(done.acquire(timeout=10.0) for _ in range(10))
    background.stop(5.0)
    assert len(used) <= 2
    until(lambda: threading.active_count() == threads, within_s=5, waiting_for="the threads to end")


def test_what_finds_no_place_is_refused() -> None:
    """The line is bounded: a reader is never the one who fills the memory."""
    background = Threads(1, SystemClock())
    go, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(10.0)

    assert background.submit("first", work)
    assert begun.wait(10.0)
    assert [background.submit(str(number), work) for number in range(WAITING_MAX + 1)] == [True] * WAITING_MAX + [False]
    go.set()
    background.stop(10.0)


def test_a_work_that_raises_takes_no_thread_with_it() -> None:
    """The next work of the same thread is done, and the name is free again."""
    background = Threads(1, SystemClock())
    done = threading.Event()

    def failing() -> None:
        raise ValueError("whatever")

    assert background.submit("k", failing)
    assert background.submit("l", done.set)
    assert done.wait(10.0)
    until(lambda: background.submit("k", lambda: None), within_s=5, waiting_for="the name to be free")
    background.stop(5.0)


def test_stopping_drops_what_waits_and_waits_for_what_runs() -> None:
    """No refresh goes on with connections that are being closed; afterwards it can be used again."""
    background = Threads(1, SystemClock())
    begun, go = threading.Event(), threading.Event()
    ended: list[str] = []

    def work() -> None:
        begun.set()
        go.wait(10.0)
        ended.append("first")

    background.submit("first", work)
    assert begun.wait(10.0)
    background.submit("second", lambda: ended.append("second"))
    opener = threading.Timer(0.05, go.set)
    opener.start()
    background.stop(10.0)
    assert ended == ["first"]
    opener.join()
    done = threading.Event()
    assert background.submit("second", done.set)
    assert done.wait(10.0)
    background.stop(5.0)


def test_a_forked_child_has_threads_of_its_own() -> None:
    """What was under way in the parent is not under way in the child; and a lock held there is not held here."""
    background = Threads(1, SystemClock())
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(10.0)

    background.submit("k", work)
    assert begun.wait(10.0)
    child = os.fork()
    if child == 0:
        background.renew()
        done = threading.Event()
        os._exit(0 if background.submit("k", done.set) and done.wait(10.0) else 1)
    _, status = os.waitpid(child, 0)
    go.set()
    background.stop(10.0)
    assert os.waitstatus_to_exitcode(status) == 0
