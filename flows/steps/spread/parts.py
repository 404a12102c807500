"""The parts of one run in the order of their numbers, wherever each was computed."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from flows import log
from flows.steps.compute import Inputs, Part, compute_part, parts_of
from flows.steps.request import ThisRun
from flows.steps.spread import cluster
from flows.steps.spread.scratch import Scratch, scratch_of
from flows.steps.spread.versions import versions
from flows.steps.spread.worker import FRAMES, as_part, compute_at, given, shared
from sql.core import images


@contextmanager
def computed_parts(this: ThisRun, inputs: Inputs, con: duckdb.DuckDBPyConnection) -> Iterator[Iterator[Part]]:
    """Yield the parts one after the other: computed here or, where a cluster is configured, by its workers.

    The terms are read here in either case: no worker touches the warehouse.

    Raises:
        SettingsError: the configured cluster cannot be used.
        ClusterLost: it went away.
    """
    scale = this.settings.scale
    if scale.dask_address is None:
        yield (compute_part(inputs, part, images.terms(con, inputs.known, part)) for part in parts_of(inputs.plans))
        return
    state_dir = this.settings.warehouse.state_dir
    with (
        scratch_of(this.run_id, below=scale.scratch, state_dir=state_dir) as scratch,
        cluster.connected(scale.dask_address) as client,
    ):
        scratch.write_object("shared", shared(inputs))
        yield _on_workers(inputs, con, client, scratch)


def _on_workers(inputs: Inputs, con: duckdb.DuckDBPyConnection, client: Any, scratch: Scratch) -> Iterator[Part]:
    """Yield the parts in order; the files of the next ones are written while workers compute.

    A worker that dies costs its part a second attempt. No more parts are out than the workers can take soon, so that
    neither memory nor scratch grows with the portfolio.
    """
    wanted, out = versions(), deque[tuple[int, Any]]()
    address = client.scheduler.address

    def collected() -> Part:
        number, future = out.popleft()
        folder = cluster.result_of(client, future, number=number, address=address)
        part = as_part(scratch.read_frames(folder, FRAMES))
        scratch.remove(str(number))
        log.LOGGER.info("  part %d came from the cluster", number, extra=log.STEP)
        return part

    for number, plan_nos in enumerate(parts_of(inputs.plans)):
        terms = images.terms(con, inputs.known, plan_nos)
        scratch.write_frames(str(number), given(inputs, plan_nos, terms))
        out.append((number, client.submit(compute_at, scratch.address, number, wanted, pure=False)))
        if len(out) >= cluster.at_once(client):
            yield collected()
    while out:
        yield collected()
