"""A run killed anywhere and called again reports what an undisturbed run reports, byte for byte.

Three ways to die, all by SIGKILL: at random moments after the first request (`PLANRECON_KILLS` of them, one
by default; the seed is fixed, `PLANRECON_KILLS_SEED` changes it), at named boundaries between two steps, and at
operations on the disk counted through (half as many as random moments, drawn from all of them). In the suite the named
steps come one after another, each in the run that is called after the kill before; the sweep takes each alone, too.
"""

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from storm import faults
from storm.stopper import NOWHERE, Stopped

from reports.manifest import verify
from sandbox.worlds.scenarios import DEMO_AS_OF, demo

MOMENTS = int(os.environ.get("PLANRECON_KILLS", "1"))
IS_SWEEP = MOMENTS > 1
SEED = int(os.environ.get("PLANRECON_KILLS_SEED", "20260630"))
RUN = ("run", "--as-of", str(DEMO_AS_OF), "--fail-on", "never")
KILLED = -signal.SIGKILL
ALL_FORMATS = ["csv", "html", "xlsx"]
ENTITY = ("as_of", "provider", "tenant_id", "entity", "currency", "complete")
"""Columns of integrity that do not tell of the one fetch in which the rows came."""

STEPS = {
    "before recovery": ("before", "flows.steps.pipeline:recover", 1),
    "before a sweep is sealed": ("before", "sql.storage.sweeps:SweepWriter.seal", 3),
    "after a sweep is sealed": ("after", "sql.storage.sweeps:SweepWriter.seal", 5),
    "after all snapshots are finished": ("after", "sql.storage.landing:Snapshot.finish", 2),
    "before a load is committed": ("before", "flows.steps.loading:commit_load", 2),
    "after a load is committed, before the commit log knows": ("after", "flows.steps.loading:commit_load", 2),
    "after some tables are written": ("after", "reports.run:RunWriter.write", 3),
    "before the folder gets its name": ("before", "reports.publish:Staging.settle", 1),
}
PUBLISHING = {
    "after the folder has its name": ("after", "reports.publish:Staging.settle", 1),
    "after the run is in the archive": ("after", "sql.storage.archive:Archive.keep", 1),
    "after the run is recorded, before the commit log knows": ("after", "sql.storage.commits:record_run", 1),
    "before the folder is sealed": ("before", "reports.publish:Staging.seal", 1),
    "before the pointer moves": ("before", "reports.run:point_latest", 1),
    "after the pointer has moved": ("after", "reports.run:point_latest", 1),
    "after the views have moved": ("after", "flows.steps.publish:refresh_views", 1),
}

ROWS = {
    "while it fetches": (
        STEPS["before recovery"],
        STEPS["before a sweep is sealed"],
        # The sweeps that were sealed before the last kill are not fetched again, so this one is the next.
        ("after", "sql.storage.sweeps:SweepWriter.seal", 1),
        STEPS["after all snapshots are finished"],
    ),
    "while it loads and writes": (
        STEPS["before a load is committed"],
        STEPS["after a load is committed, before the commit log knows"],
        STEPS["after some tables are written"],
        STEPS["before the folder gets its name"],
    ),
}


def prepared(desk, formats):
    """The desk without Payt: two providers, of which one is read account by account; a third goes the same way."""
    return desk.without("payt").configure(reports={"formats": formats})


def started(desk, step=NOWHERE):
    """The command under way; at its step it ends by SIGKILL."""
    return Stopped(desk.folder, (*RUN, "--config", str(desk.file)), step)


def result(desk):
    """What must not depend on how often the process died."""
    alive = [row for row in desk.rows("breaks") if row["state"] != "RESOLVED"]
    breaks = [{name: cell for name, cell in row.items() if name != "state"} for row in alive]
    integrity = [{name: row[name] for name in ENTITY} for row in desk.rows("integrity")]
    return desk.tables() | {"breaks": breaks, "integrity": integrity}


def resolved(desk):
    """The breaks that any published run of the desk called resolved, as often as they were."""
    folders = [folder for folder in desk.reports.glob("as_of=*/*") if verify(folder).state == "PUBLISHED"]
    rows = [row for folder in folders for row in desk.rows("breaks", folder)]
    return Counter(row["fingerprint"] for row in rows if row["state"] == "RESOLVED")


def assert_same(desk, expected):
    found = result(desk)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert desk.is_sound()


def settle(world):
    """Change the world between two runs: a pending payment arrives, so its break ends; a plan gets a new one."""
    with world.changing():
        stale = next(
            row for row in world.totality.payments if row["status"] == "Pending" and row["createdAt"] < "2026-06-15"
        )
        stale |= {"status": "Completed", "processedAt": "2026-06-30T15:00:00Z", "updatedAt": "2026-06-30T15:00:00Z"}
        plan = next(row for row in world.totality.payment_plans if row["isActive"] and row["totalPlanAmount"])
        plan |= {"totalPlanAmount": plan["totalPlanAmount"] + 4200, "updatedAt": "2026-06-30T15:00:00Z"}


class Bench:
    """Opens a desk per trial and works two trials at a time."""

    def __init__(self, folder, open_desk, undisturbed):
        self.folder, self.open_desk, self.undisturbed = folder, open_desk, undisturbed
        self.pool, self.trials = ThreadPoolExecutor(2), {}

    def plan(self, name):
        self.trials[name] = self.pool.submit(self.work, name, *TRIALS[name])

    def result(self, name):
        return self.trials[name].result()

    def work(self, name, trial, *given):
        with self.open_desk(self.folder / name.replace(" ", "-").replace(",", ""), demo()) as desk:
            # What stops at a named step makes no more of a page or a workbook than of a table.
            prepared(desk, ["csv"] if name in STEP_TRIALS | PUBLISHING_TRIALS else ALL_FORMATS)
            return trial(desk, self.undisturbed, *given)


@pytest.fixture(scope="module")
def undisturbed(open_desk, tmp_path_factory):
    """What a run says that nobody disturbs, what the next one says, and how long and how many steps the first takes."""
    with open_desk(tmp_path_factory.mktemp("undisturbed"), demo()) as desk:
        prepared(desk, ALL_FORMATS)
        ended = started(desk)
        first = first_request(desk, ended)
        _, err = ended.communicate(timeout=120)
        lasted = time.monotonic() - first
        assert ended.returncode == 0, err
        operations = int(err.rpartition("calls: ")[2])
        once = result(desk)
        kept = tmp_path_factory.mktemp("first") / "desk"
        shutil.copytree(desk.folder, kept, symlinks=True)
        settle(desk.world)
        desk.run(DEMO_AS_OF)
        twice = result(desk)
        states = {row["state"] for row in desk.rows("breaks")}
        assert states >= {"ONGOING", "NEW", "RESOLVED"}, "the second run must have something to lose"
        told = {"seconds": lasted, "operations": operations, "resolved": resolved(desk), "first": kept}
    return told | {"once": once, "twice": twice}


def first_request(desk, child):
    """Wait until the child asks a provider for something; return the moment."""
    end = time.monotonic() + 60
    while not any(desk.sandbox.requests.values()) and child.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    return time.monotonic()


def at_a_moment(desk, undisturbed, share):
    child = started(desk)
    first_request(desk, child)
    time.sleep(share * undisturbed["seconds"])
    child.kill()
    child.communicate(timeout=60)
    desk.run(DEMO_AS_OF)
    assert_same(desk, undisturbed["once"])
    return child.returncode


def at_steps(desk, undisturbed, *steps):
    """Kills in a row; the run after them ends."""
    for step in steps:
        code, said = started(desk, step).ended()
        assert code == KILLED, f"the step {step} was never reached: {said}"
    desk.run(DEMO_AS_OF)
    assert_same(desk, undisturbed["once"])


def at_steps_of_the_second_run(desk, undisturbed, *steps):
    # The first run is the one nobody disturbed; its folders do not say where they lie.
    for name in ("planrecon.duckdb", "planrecon.state", "reports"):
        copy = shutil.copytree if (undisturbed["first"] / name).is_dir() else shutil.copy2
        copy(undisturbed["first"] / name, desk.folder / name, **({"symlinks": True} if copy is shutil.copytree else {}))
    settle(desk.world)
    for step in steps:
        code, said = started(desk, step).ended()
        assert code == KILLED, f"the step {step} was never reached: {said}"
    desk.run(DEMO_AS_OF)
    assert_same(desk, undisturbed["twice"])
    assert resolved(desk) == undisturbed["resolved"]


def at_an_operation(desk, undisturbed, share):
    at_steps(desk, undisturbed, ("before", "files", 1 + int(share * undisturbed["operations"])))


def at_a_page(desk, undisturbed, page):
    child = []
    ready = threading.Event()

    def kill():
        ready.wait(60)
        child[0].kill()

    rule = desk.sandbox.faults.add(faults.before(kill), after=page)
    child.append(started(desk))
    ready.set()
    child[0].communicate(timeout=60)
    assert (child[0].returncode, rule.fired) == (KILLED, 1)
    desk.run(DEMO_AS_OF)
    assert_same(desk, undisturbed["once"])


DRAW = random.Random(SEED)
MOMENT_TRIALS = {f"moment {number}": (at_a_moment, DRAW.random()) for number in range(MOMENTS)}
OPERATION_TRIALS = {f"operation {number}": (at_an_operation, DRAW.random()) for number in range(max(1, MOMENTS // 2))}
PAGE_TRIALS = {f"page {page}": (at_a_page, page) for page in (0, 25)}
ALONE = {name: (at_steps, step) for name, step in STEPS.items()}
ROW_TRIALS = {name: (at_steps, *steps) for name, steps in ROWS.items()}
STEP_TRIALS = ROW_TRIALS | ALONE if IS_SWEEP else ROW_TRIALS
PUBLISHING_ALONE = {name: (at_steps_of_the_second_run, step) for name, step in PUBLISHING.items()}
PUBLISHING_ROW = {"while it publishes": (at_steps_of_the_second_run, *PUBLISHING.values())}
PUBLISHING_TRIALS = PUBLISHING_ROW | PUBLISHING_ALONE if IS_SWEEP else PUBLISHING_ROW
TRIALS = MOMENT_TRIALS | OPERATION_TRIALS | PAGE_TRIALS | STEP_TRIALS | PUBLISHING_TRIALS


@pytest.fixture(scope="module")
def bench(request, open_desk, tmp_path_factory, undisturbed):
    """Every trial that was asked for, under way; each test waits for its own."""
    bench = Bench(tmp_path_factory.mktemp("kills"), open_desk, undisturbed)
    for item in request.session.items:
        if item.path == request.path:
            bench.plan(item.callspec.params["name"])
    yield bench
    bench.pool.shutdown(wait=True, cancel_futures=True)


@pytest.mark.parametrize("name", MOMENT_TRIALS)
def test_a_run_killed_at_a_random_moment_is_repeated_exactly(bench, name):
    assert bench.result(name) in {KILLED, 0}


@pytest.mark.fault(39)
@pytest.mark.parametrize("name", STEP_TRIALS)
def test_a_run_killed_between_two_steps_once_or_again_and_again_is_repeated_exactly(bench, name):
    bench.result(name)


@pytest.mark.parametrize("name", PUBLISHING_TRIALS)
def test_a_later_run_killed_while_it_publishes_loses_no_break_and_shows_none_twice(bench, name):
    bench.result(name)


@pytest.mark.parametrize("name", PAGE_TRIALS)
def test_a_run_killed_while_a_provider_answers_is_repeated_exactly(bench, name):
    bench.result(name)


@pytest.mark.fault(39)
@pytest.mark.parametrize("name", OPERATION_TRIALS)
def test_a_run_killed_at_any_operation_on_the_disk_is_repeated_exactly(bench, name):
    bench.result(name)
