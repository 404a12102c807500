"""Two ways to call a step: directly, or as a Prefect task. The steps do not know which.

A step gets an id, a path or a date, never a frame or a connection. It is never
retried here: retries belong to the transport, and the next run resumes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol, TypeVar

Result = TypeVar("Result")

HEARING_SECONDS = 0.5
"""How long to wait at a time: once polars was used, Ctrl-C does not wake a wait without end."""


class Runner(Protocol):
    """Calls steps and shows what they produced."""

    def begin(self, state_dir: Path) -> None:
        """Hear that the run works on this state folder from now on, alone."""

    def call(self, name: str, step: Callable[[], Result], *, after: Collection[str] = ()) -> Result:
        """Return what `step` returns; its errors come through. `after` names the steps it builds on."""

    def each(
        self, name: str, step: Callable[[str], Result], ids: Sequence[str], *, after: Mapping[str, str] | None = None
    ) -> Iterator[Result]:
        """Call `step` for every id, several at a time, and yield results as they are ready.

        Each call is a step called by name and id; `after` names, by id, the step it builds on.
        """

    def show(
        self,
        key: str,
        *,
        markdown: str | None = None,
        table: list[dict[str, str]] | None = None,
        link: str | None = None,
    ) -> None:
        """Publish a result beside the run, where there is a place for it."""


class Direct:
    """Plain calls in this process: what `planrecon run` does where no Prefect API is configured."""

    def __init__(self, threads: int = 8) -> None:
        self.threads = threads

    def begin(self, state_dir: Path) -> None:
        """Do nothing: the run lock ends with the process, and nobody else waits for its end."""

    def call(self, name: str, step: Callable[[], Result], *, after: Collection[str] = ()) -> Result:
        """Call the step."""
        del name, after
        return step()

    def each(
        self, name: str, step: Callable[[str], Result], ids: Sequence[str], *, after: Mapping[str, str] | None = None
    ) -> Iterator[Result]:
        """Call the step in threads: it waits for the network or runs in native code."""
        del name, after
        if not ids:
            return
        pool = ThreadPoolExecutor(max_workers=min(self.threads, len(ids)))
        try:
            pending = {pool.submit(step, id_) for id_ in ids}
            while pending:
                done, pending = wait(pending, timeout=HEARING_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException as end:
            # after a signal providers are not waited for; pages not landed yet are fetched again
            pool.shutdown(wait=isinstance(end, Exception | GeneratorExit), cancel_futures=True)
            raise
        pool.shutdown()

    def show(
        self,
        key: str,
        *,
        markdown: str | None = None,
        table: list[dict[str, str]] | None = None,
        link: str | None = None,
    ) -> None:
        """Do not show the result: the reports hold it."""
