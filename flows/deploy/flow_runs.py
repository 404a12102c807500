"""Which process works on which flow run, so that one whose process was killed does not stay `Running` at Prefect.

A file per flow run in the state folder, from when it begins to work there until Prefect knows its end. Its process holds
the file locked, and the kernel ends a lock with its process: a file that can be locked tells of one that is gone.
"""

import fcntl
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

from flows import log
from flows.orchestrator import address, shown
from sql.storage.files import cannot_write, open_private, private_folder, sync_file, sync_folder

_held: dict[UUID, tuple[Path, BinaryIO]] = {}
"""The locked file of each flow run that this process works on."""


def begin(state_dir: Path) -> None:
    """Write down the flow run of this process, and tell Prefect of those whose process is gone: they are `Crashed`.

    Left alone is a flow run whose process lives, was on another machine or told another API, and one whose state is no
    longer that in which its process began: somebody ended it or started it again since.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    if run is None:
        return
    folder = private_folder(state_dir / "flow_runs")
    own, here = folder / f"{run.id}.json", {"host": socket.gethostname(), "api": shown(address() or "")}
    try:
        for path in sorted(folder.glob("*.json")):
            if path != own:
                _settle(path, here)
        file = open_private(own, os.O_RDWR | os.O_CREAT)
        if not _lock(file):
            file.close()
            return  # Prefect started this very flow run again while its first process lives
        file.truncate(0)
        file.write(json.dumps(here | {"pid": os.getpid(), "state_id": str(run.state_id)}).encode())
        file.flush()
        sync_file(own)
        sync_folder(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    _held[run.id] = own, file


def forget(_flow: Any, run: FlowRun, _state: Any) -> None:
    """Remove the file of a flow run whose end Prefect knows by now; a hook of the flows."""
    if run.id in _held:
        path, file = _held.pop(run.id)
        path.unlink(missing_ok=True)
        file.close()


AT_THE_END: dict[str, Any] = {hook: [forget] for hook in ("on_completion", "on_failure", "on_crashed")}
"""What Prefect is to call once it knows the end of a flow run."""


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _settle(path: Path, here: Mapping[str, str]) -> None:
    """Tell Prefect of the flow run of a file if its process was here and is gone; then remove the file."""
    try:
        file = open_private(path, os.O_RDWR)
    except FileNotFoundError:  # its process ended since the folder was listed
        return
    with file:
        if not _lock(file):
            return
        try:
            told = json.loads(file.read())
        except ValueError:
            told = None
        if not isinstance(told, dict):  # torn by a power cut
            path.unlink(missing_ok=True)
            return
        if {**told, **here} != told:
            return
        try:
            _tell(UUID(path.stem), told)
        except Exception as error:  # noqa: BLE001  whatever Prefect's client raises, the run goes on and the next one tells
            log.LOGGER.warning("Prefect was not told that flow run %s ended: %s", path.stem, error)
            return
        path.unlink(missing_ok=True)


def _tell(run_id: UUID, told: Mapping[str, Any]) -> None:
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(run_id)
        except ObjectNotFound:
            return
        if str(run.state_id) == told["state_id"]:
            reason = f"process {told['pid']} on {told['host']} was killed or lost its power; a later run found it gone and resumes"
            client.set_flow_run_state(run_id, Crashed(message=reason))
            log.LOGGER.warning("flow run %r is crashed: %s", run.name, reason)
