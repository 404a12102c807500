"""Bounds how long a call may take, whatever it waits for; one that takes longer is left behind."""

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Job(Generic[T]):
    """One call, and the place its answer or error is put."""

    def __init__(self, work: Callable[[threading.Event], T]) -> None:
        self.work = work
        self.abandoned = threading.Event()
        self.answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def do(self) -> None:
        """Call, and hand over what came of it."""
        try:
            self.answers.put((self.work(self.abandoned), None))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            self.answers.put((None, error))


_Inbox = SimpleQueue[_Job[Any] | None]


class Deadline:
    """Makes calls in threads of its own and waits for each only so long. Thread-safe; close it when done.

    A thread is kept for the next call: to start one costs as much as a small request.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: deque[_Inbox] = deque()

    def within(self, seconds: float, work: Callable[[threading.Event], T]) -> T:
        """Return what `work` returns, or raise its error; it is given an event that is set when nobody waits any more.

        Raises:
            TimeoutError: it took longer.
        """
        job = _Job(work)
        inbox = self._free()
        inbox.put(job)
        try:
            answer, error = job.answers.get(timeout=seconds)
        except BaseException as why:
            job.abandoned.set()
            inbox.put(None)
            if isinstance(why, Empty):
                raise TimeoutError from None
            raise
        self._idle.append(inbox)
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # without an error it is what `work` returned

    def close(self) -> None:
        """Let the idle threads end."""
        while self._idle:
            self._idle.pop().put(None)

    def _free(self) -> _Inbox:
        try:
            return self._idle.pop()
        except IndexError:
            inbox: _Inbox = SimpleQueue()
            threading.Thread(target=_serve, args=(inbox,), daemon=True, name=self._name).start()
            return inbox


def _serve(inbox: _Inbox) -> None:
    while (job := inbox.get()) is not None:
        job.do()
        del job  # what was answered is not kept until the next call
