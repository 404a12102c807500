"""The connection to a Dask cluster: who cannot be reached is told before anything is computed, never worked around."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flows.errors import ClusterLost, SettingsError
from flows.settings import ScaleSettings
from flows.steps.spread.versions import require_alike, versions

CONNECT_SECONDS = 10
"""How long to wait for the scheduler's first answer."""
WORKER_SECONDS = 60
"""How long to go on without any worker: one that died is started again by its own guard."""
POLL_SECONDS = 0.05
LOOK_SECONDS = 5
"""Between two looks whether there are workers."""
OR_ALONE = "or take scale.dask_address out of the configuration to compute on this machine"


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of the scheduler at `address`, which has at least one worker, all of them with what is installed here.

    Raises:
        SettingsError: names the address and what to do.
    """
    try:
        from prefect_dask.client import PrefectDaskClient
    except ImportError as error:
        raise SettingsError(
            f"scale.dask_address is {address!r} and the extra `scale` is not installed ({error}); install "
            f"planrecon[scale] here and on every worker, {OR_ALONE}"
        ) from error
    try:
        client: Any = PrefectDaskClient(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:  # its time-out is an OSError
        raise SettingsError(
            f"scale.dask_address: no Dask scheduler answers at {address} ({_first_line(error)}); start one with `dask "
            f"scheduler`, correct the address, {OR_ALONE}"
        ) from error
    with client:
        if not client.nthreads():
            raise SettingsError(
                f"scale.dask_address: the Dask scheduler at {address} has no worker; start some with `dask worker "
                f"{address} --nthreads 1`, {OR_ALONE}"
            )
        for where, there in client.run(versions).items():
            require_alike(there, versions(), where=where)
        yield client


def require_cluster(scale: ScaleSettings) -> int:
    """Return how many workers there are; refuse a configured cluster that cannot be used, before anything is fetched.

    Raises:
        SettingsError: names the address and what to do.
    """
    if scale.dask_address is None:
        return 0
    with connected(scale.dask_address) as client:
        return len(client.nthreads())


def at_once(client: Any) -> int:
    """Return how many parts the cluster is given at a time: each thread has one to work at and one to go on with."""
    threads: dict[str, int] = client.nthreads()
    return 2 * max(1, sum(threads.values()))


def result_of(client: Any, future: Any, *, number: int, address: str) -> str:
    """Return what a call returned, or raise what it returned if that is an error. The wait can be ended by a signal.

    Raises:
        ClusterLost: the scheduler went away, all workers did, or too many died at this call.
    """
    from distributed.scheduler import KilledWorker

    seen = looked = time.monotonic()
    while not future.done():
        time.sleep(POLL_SECONDS)
        if time.monotonic() - looked < LOOK_SECONDS:
            continue
        looked = time.monotonic()
        if _has_workers(client):
            seen = looked
        elif looked - seen > WORKER_SECONDS:
            raise ClusterLost(_lost(address, number, f"there was no worker for {WORKER_SECONDS} s"))
    if future.status == "cancelled":
        raise ClusterLost(_lost(address, number, "the scheduler went away"))
    try:
        result: str | Exception = future.result()
    except KilledWorker as error:
        raise ClusterLost(_lost(address, number, _first_line(error))) from error
    if isinstance(result, Exception):
        raise result
    return result


def _has_workers(client: Any) -> bool:
    try:
        return bool(client.nthreads())
    except OSError:
        return False


def _lost(address: str, number: int, why: str) -> str:
    return (
        f"part {number} was not computed by the Dask cluster at {address}: {why}; nothing is published. Look into the logs of "
        f"scheduler and workers (one thread and memory for one part each), run again, {OR_ALONE}"
    )


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(". ")
