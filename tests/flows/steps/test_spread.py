"""Parts computed by the workers of a Dask cluster: the same bytes as on one machine, whoever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import date
from functools import partial
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.configuration import load
from flows.errors import ClusterLost, SettingsError
from flows.steps import compute
from flows.steps.spread import cluster, parts, worker
from flows.steps.spread.scratch import MARK, Scratch, remove_left, scratch_of
from flows.steps.spread.versions import require_alike, versions
from sandbox.worlds.scenarios import DEMO_AS_OF, GOLDEN_AS_OF, demo, golden

NOWHERE = "tcp://127.0.0.1:9"
TIMED = {"read.duckdb", "summary.json", "manifest.json", "report.html", "reports.xlsx"}
"""Files of a run that tell its id or its moments."""

DYING = """
import os, signal
from flows.steps.spread.scratch import Scratch

def write_frames(self, folder, frames):
    Scratch.whole(self, folder, dict(list(frames.items())[:2]))
    os.kill(os.getpid(), signal.SIGKILL)

if not hasattr(Scratch, "whole"):  # preloads are imported twice
    Scratch.whole, Scratch.write_frames = Scratch.write_frames, write_frames
"""
"""What makes a worker die when it has written half of its first results."""


@pytest.fixture
def started(tmp_path):
    """A scheduler and two workers as processes of their own, one of which dies in its first part; the address and the dying one."""
    (tmp_path / "dying.py").write_text(DYING, encoding="utf-8")
    told = tmp_path / "scheduler.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PLANRECON_", "PREFECT_"))}
    common = ["--scheduler-file", str(told), "--no-dashboard"]
    commands = [
        ["distributed.cli.dask_scheduler", *common, "--host", "127.0.0.1", "--port", "0"],
        *(
            ["distributed.cli.dask_worker", *common, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", *more]
            for more in (["--name", "dying", "--preload", str(tmp_path / "dying.py")], ["--name", "living"])
        ),
    ]
    log = (tmp_path / "cluster.log").open("w")
    children = [
        subprocess.Popen(
            [sys.executable, "-m", *command, "--local-directory", str(tmp_path)] if "worker" in command[0] else [sys.executable, "-m", *command],
            env=environment, cwd=tmp_path, stdout=log, stderr=log,
        )
        for command in commands
    ]  # fmt: skip
    try:
        yield told, children[1]
    finally:
        for child in reversed(children):
            child.kill()
            child.wait(30)
        log.close()


def address_of(told):
    """The address of the scheduler, once both workers are there."""
    from distributed import Client

    end = time.monotonic() + 120
    while not told.is_file() and time.monotonic() < end:
        time.sleep(0.05)
    with Client(scheduler_file=str(told), timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
        return client.scheduler.address


@pytest.mark.slow
def test_workers_give_the_same_bytes_as_one_machine_also_when_one_is_killed(started, desk, monkeypatch):
    told, dying = started
    desk = desk(demo())
    desk.configure(gates={"change_share": 1})
    monkeypatch.setattr(parts, "parts_of", partial(compute.parts_of, size=20))
    alone = desk.run(DEMO_AS_OF).folder
    (desk.state_dir / "reasons").unlink()  # else nothing would be left to find out
    desk.configure(scale={"dask_address": address_of(told), "scratch": str(desk.folder)})
    spread = desk.report(DEMO_AS_OF).folder
    assert dying.wait(30) == -signal.SIGKILL
    names = {path.name for path in alone.iterdir()} - TIMED
    assert {f"{name}.parquet" for name in ("plans", "terms", "payments", "breaks", "cash", "kept")} <= names
    assert [name for name in sorted(names) if (alone / name).read_bytes() != (spread / name).read_bytes()] == []
    assert alone != spread
    assert list(desk.folder.glob("planrecon-*")) == []
    assert not (desk.state_dir / MARK).exists()
    assert desk.is_sound()


def test_what_goes_wrong_on_a_worker_is_returned_as_it_is_and_raised_by_the_run(tmp_path):
    class Odd(Exception):  # noqa: N818  as a library's error may be, it takes more than its text
        def __init__(self, where, *, why):
            super().__init__(where, why)

    gone = worker.compute_at(str(tmp_path), 0, versions())
    assert isinstance(gone, FileNotFoundError)
    refused = worker.compute_at(str(tmp_path), 0, versions() | {"polars": "0.1"})
    future = SimpleNamespace(done=lambda: True, status="finished", result=lambda: refused)
    with pytest.raises(SettingsError, match=r"polars .* instead of 0\.1"):
        cluster.result_of(Silent(), future, number=0, address="tcp://x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "_shared", lambda _: (_ for _ in ()).throw(Odd("there", why="odd")))
        told = worker.compute_at(str(tmp_path), 0, versions())
    assert type(told) is RuntimeError
    assert "Odd: ('there', 'odd')" in str(told)


def test_a_cluster_that_does_not_answer_is_told_before_anything_is_fetched(desk, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    desk = desk(golden())
    desk.configure(scale={"dask_address": NOWHERE})
    with pytest.raises(SettingsError, match=rf"no Dask scheduler answers at {NOWHERE}.*dask scheduler.*take scale"):
        desk.run(GOLDEN_AS_OF)
    assert sum(map(len, desk.sandbox.requests.values())) == 0
    assert not desk.reports.exists()


def test_without_the_extra_a_configured_cluster_is_refused_by_name(desk, monkeypatch):
    monkeypatch.setitem(sys.modules, "prefect_dask.client", None)
    desk = desk(golden())
    desk.configure(scale={"dask_address": NOWHERE})
    with pytest.raises(
        SettingsError, match=r"extra `scale` is not installed.*planrecon\[scale\] here and on every worker"
    ):
        desk.run(GOLDEN_AS_OF)


@pytest.mark.parametrize("key", ["dask_address", "scratch"])
def test_an_address_without_a_protocol_is_refused(desk, key):
    desk = desk(golden()).configure(scale={key: "scheduler"})
    with pytest.raises(SettingsError, match=f"scale.{key}"):
        load(desk.file)


def test_a_worker_of_another_version_is_refused():
    require_alike(versions(), versions(), where="there")
    with pytest.raises(SettingsError, match=r"worker there has polars 0\.1 instead of .*install on every worker"):
        require_alike(versions() | {"polars": "0.1"}, versions(), where="there")


def test_scratch_goes_whatever_happens_and_what_a_killed_run_left_goes_at_the_next_start(tmp_path):
    def folders():
        return sorted(path.name for path in tmp_path.glob("planrecon-*"))

    with suppress(ZeroDivisionError), scratch_of("a", below=str(tmp_path), state_dir=tmp_path):
        assert folders() == ["planrecon-a"]
        raise ZeroDivisionError
    assert folders() == []
    assert remove_left(tmp_path) == ""
    killed = scratch_of("b", below=str(tmp_path), state_dir=tmp_path)
    killed.__enter__().write_frames("0", {})
    mark = (tmp_path / MARK).read_bytes()
    assert "planrecon-b" in remove_left(tmp_path)
    assert folders() == []
    (tmp_path / MARK).write_bytes(mark)  # the folder is gone, its mark is not
    assert "is removed" in remove_left(tmp_path)
    assert not (tmp_path / MARK).exists()
    del killed


@pytest.mark.parametrize("place", ["{}/nowhere", "unheard-of://bucket"])
def test_scratch_that_cannot_be_written_is_told_with_its_key(tmp_path, place):
    place = place.format(tmp_path)
    with (
        pytest.raises(SettingsError, match=rf"scale\.scratch: nothing can be written below {place}"),
        scratch_of("a", below=place, state_dir=tmp_path),
    ):
        pytest.fail("there was a place")
    assert not (tmp_path / MARK).exists()


def test_frames_come_out_of_scratch_with_the_types_they_went_in_with_wherever_it_lies(tmp_path):
    frame = pl.DataFrame(
        {
            "sum": [2**70, None],
            "word": ["a", None],
            "none": [None, None],
            "day": [date(2026, 6, 30), None],
            "list": [[1], []],
        },
        schema_overrides={"sum": pl.Int128, "word": pl.Enum(["a"])},
    )
    with scratch_of("a", below="memory://there", state_dir=tmp_path) as scratch:
        scratch.write_frames("0", {"some": frame, "no": frame.clear()})
        found = Scratch(scratch.address).read_frames("0", ("some", "no"))
    assert_frame_equal(found["some"], frame)
    assert_frame_equal(found["no"], frame.clear())


class Silent:
    """A client whose workers are gone, and a future of it that never ends."""

    status = "pending"

    def nthreads(self):
        return {}

    def done(self):
        return False


def test_a_part_that_no_worker_is_left_for_ends_the_run_by_name(monkeypatch):
    for name in ("WORKER_SECONDS", "LOOK_SECONDS", "POLL_SECONDS"):
        monkeypatch.setattr(cluster, name, 0.01)
    with pytest.raises(ClusterLost, match=r"part 3 .* at tcp://x: there was no worker .* nothing is published"):
        cluster.result_of(Silent(), Silent(), number=3, address="tcp://x")


def test_a_call_that_the_scheduler_forgot_ends_the_run_by_name():
    forgotten = SimpleNamespace(done=lambda: True, status="cancelled")
    with pytest.raises(ClusterLost, match="the scheduler went away"):
        cluster.result_of(Silent(), forgotten, number=0, address="tcp://x")
