"""One run at a time: the others learn at once who it is."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sql.errors import Busy, CannotWrite
from sql.storage.lock import run_lock

START = datetime(2026, 6, 30, 6, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]

HOLDER = """
    import sys
    from datetime import datetime, UTC
    from pathlib import Path
    from sql.storage.lock import run_lock
    with run_lock(Path(sys.argv[1]), run_id="r-other", started_at=datetime(2026, 6, 30, 5, 59, tzinfo=UTC)):
        print("held", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(tmp_path / "state")]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.fault(60)
def test_the_second_run_is_told_pid_start_and_run_of_the_first(tmp_path, other):
    with pytest.raises(Busy) as caught, run_lock(tmp_path / "state", run_id="r-mine", started_at=START):
        pytest.fail("two runs at once")
    assert caught.value.pid == other.pid
    assert caught.value.since == "2026-06-30T05:59:00.000000+00:00"
    for told in (str(other.pid), "r-other", "2026-06-30T05:59:00"):
        assert told in str(caught.value)
    assert caught.value.code == "busy"


def test_the_lock_ends_with_the_process_that_is_killed(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait(10)
    with run_lock(tmp_path / "state", run_id="r-mine", started_at=START) as path:
        assert json.loads(path.read_text()) == {
            "pid": os.getpid(),
            "started_at": "2026-06-30T06:00:00.000000+00:00",
            "run_id": "r-mine",
        }


def test_the_lock_is_private_and_free_again_after_the_block(tmp_path):
    for run_id in ("a-long-run-id", "b"):
        with run_lock(tmp_path / "state", run_id=run_id, started_at=START) as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert json.loads(path.read_text())["run_id"] == run_id


def test_a_link_in_place_of_the_lock_is_refused(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "run.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(CannotWrite), run_lock(tmp_path / "state", run_id="r", started_at=START):
        pytest.fail("a link was followed")
    assert not (tmp_path / "victim").exists()
