"""Let one run at a time work on one state folder.

The kernel holds the lock, so it ends with the process however that ends; the contents
of the file are only for the person who has to wait.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sql.errors import Busy
from sql.storage.files import cannot_write, open_private, private_folder, refuse_unless_plain
from sql.storage.seals import write_time


@contextmanager
def run_lock(state_dir: Path, *, run_id: str, started_at: datetime) -> Iterator[Path]:
    """Hold `run.lock` of the state folder for the length of the block, without waiting for it.

    Raises:
        Busy: another process holds it; the message names its PID, start and run.
    """
    path = private_folder(state_dir) / "run.lock"
    refuse_unless_plain(path)
    try:
        file = open_private(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(path, file.read()) from error
        holder = {"pid": os.getpid(), "started_at": write_time(started_at), "run_id": run_id}
        file.truncate(0)
        file.write(json.dumps(holder).encode() + b"\n")
        file.flush()
        yield path


def _busy(path: Path, body: bytes) -> Busy:
    try:
        holder = json.loads(body)
        pid, since, run_id = int(holder["pid"]), str(holder["started_at"]), str(holder["run_id"])
    except (ValueError, TypeError, KeyError):
        # the holder has the lock and has not told its name yet
        return Busy(f"{path} is held by another run; wait until it ends and run again", where=path)
    message = f"{path} is held by process {pid}, run {run_id}, started {since}; wait until it ends and run again"
    return Busy(message, where=path, pid=pid, since=since)
