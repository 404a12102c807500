"""No call takes longer than it was given, and threads are used again."""

import threading
import time

import pytest

from providers.http.deadline import Deadline


@pytest.fixture
def deadline():
    made = Deadline("test-deadline")
    yield made
    made.close()


def mine() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "test-deadline"]


def test_an_answer_in_time_is_handed_over(deadline: Deadline) -> None:
    assert deadline.within(5, lambda _: 42) == 42


def test_an_error_comes_through_as_it_is(deadline: Deadline) -> None:
    def fail(_: threading.Event) -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        deadline.within(5, fail)
    assert deadline.within(5, lambda _: "still there") == "still there"


def test_one_thread_serves_calls_that_follow_each_other(deadline: Deadline) -> None:
    threads = {deadline.within(5, lambda _: threading.get_ident()) for _ in range(20)}
    assert len(threads) == 1
    assert len(mine()) == 1


def test_a_call_that_takes_too_long_is_left_behind_and_told_so(deadline: Deadline) -> None:
    told = threading.Event()

    def slow(abandoned: threading.Event) -> None:
        if abandoned.wait(10):
            told.set()

    with pytest.raises(TimeoutError):
        deadline.within(0.05, slow)
    assert told.wait(5)
    assert deadline.within(5, lambda _: "the next") == "the next"


def test_calls_at_the_same_time_do_not_wait_for_each_other(deadline: Deadline) -> None:
    meet = threading.Barrier(3, timeout=5)
    results: list[int] = []
    callers = [
        threading.Thread(target=lambda: results.append(deadline.within(5, lambda _: meet.wait()))) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(results) == [0, 1, 2]


def test_closing_ends_the_threads(deadline: Deadline) -> None:
    deadline.within(5, lambda _: None)
    deadline.close()
    until = time.monotonic() + 5
    while mine() and time.monotonic() < until:
        time.sleep(0.01)
    assert not mine()
