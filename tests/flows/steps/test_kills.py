"""Whatever command is killed at any boundary and called again leaves what an undisturbed one leaves, byte for byte.

Each death is a SIGKILL at a boundary, counted through (`storm.boundaries`), or at a moment from outside; what is called
next may be killed as well, up to three times in a row. In the suite every command dies a few times in a row, at boundaries
drawn by a seed. `make kills` kills each command at each boundary, until one lies beyond the last: none can be missed.
PLANRECON_KILLS=n takes every nth, PLANRECON_KILLS_SEED another seed.
"""

import logging
import random
import shutil
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from storm.forked import Forked
from storm.refusing import unreadable_payment
from storm.sweep import SEED, STEP, sweep

from flows import clock
from reports.manifest import verify
from reports.pruning import LARGE_FILES
from reports.publish import run_folders
from sandbox.server import serve
from sandbox.worlds.golden import golden
from sandbox.worlds.scenarios import GOLDEN_AS_OF

KILLED = -signal.SIGKILL
DAY = ("--as-of", str(GOLDEN_AS_OF), "--fail-on", "never")
RUN, REPORT, REBUILD, REPLAY = ("run", *DAY), ("report", *DAY), ("rebuild",), ("quarantine", "replay")
KEPT = ("planrecon.duckdb", "planrecon.state", "reports")
ENTITY = ("as_of", "provider", "tenant_id", "entity", "currency", "complete")
"""Columns of integrity that do not tell of the one fetch in which the rows came."""
LOG = logging.getLogger("kills")


@dataclass
class Case:
    """A command on a desk as it stands, what is called after a kill, and what must be found then."""

    desk: object
    command: tuple[str, ...]
    again: tuple[tuple[str, ...], ...]
    expected: dict
    about: int
    """Fewer boundaries than it comes to; in the suite kills are drawn from so many."""
    kills: int = 2
    """How often it dies in a row in the suite."""
    old: str = ""
    """The run whose folder must have lost its large files."""


def faulty(world):
    """Give the worked example two breaks that a second run knows again."""
    with world.changing():
        world.totality.payment_plans[0]["totalPlanAmount"] = 42000
        setup(world)["MaximumTerm"] = 3
    return world


def settled(world):
    """Change the world between two runs: one break ends, a new one comes."""
    with world.changing():
        world.totality.payment_plans[0] |= {"totalPlanAmount": 40000, "updatedAt": "2025-06-07T15:00:00Z"}
        setup(world)["Accounts"][0]["Stopped"] = True
    return world


def setup(world):
    return next(iter(world.payiq.setups.values()))


def copied(desk, folder, sandbox=None):
    """The same desk in another folder, perhaps at another sandbox; what is stored does not say where it lies.

    Payt is at none of them: two providers, of which one is read account by account; a third goes the same way.
    """
    copy = type(desk)(folder, sandbox or desk.sandbox, desk.begun)
    copy.sections = {
        name: {
            key: copy.sections[name].get(key, value) if "providers" in name else value for key, value in keys.items()
        }
        for name, keys in desk.sections.items()
    }
    for name in ("warehouse", "reports"):
        copy.sections[name] = {
            key: value.replace(str(desk.folder), str(folder)) if isinstance(value, str) else value
            for key, value in copy.sections[name].items()
        }
    copy.configure()
    for name in KEPT:
        if (desk.folder / name).is_dir():
            shutil.copytree(desk.folder / name, folder / name, symlinks=True)
        elif (desk.folder / name).exists():
            shutil.copy2(desk.folder / name, folder / name)
    return copy


def result(desk):
    """What must not depend on how often a process died."""
    alive = [row for row in desk.rows("breaks") if row["state"] != "RESOLVED"]
    breaks = [{name: cell for name, cell in row.items() if name != "state"} for row in alive]
    integrity = [{name: row[name] for name in ENTITY} for row in desk.rows("integrity")]
    return desk.tables() | {"breaks": breaks, "integrity": integrity, "resolved": resolved(desk)}


def resolved(desk):
    """The breaks that any published run of the desk called resolved, as often as they were."""
    folders = [folder for folder in run_folders(desk.reports) if verify(folder).state == "PUBLISHED"]
    rows = [row for folder in folders for row in desk.rows("breaks", folder)]
    return Counter(row["fingerprint"] for row in rows if row["state"] == "RESOLVED")


def large(desk, run_id):
    """The large files that are left in the folder of a run."""
    return sorted(path.name for path in desk.reports.glob(f"as_of=*/{run_id}/*") if path.name in LARGE_FILES)


@pytest.fixture(scope="module")
def cases(open_desk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    with (
        open_desk(folder / "none", faulty(golden())) as made,
        serve(settled(faulty(golden())), rate_limit=None) as later,
        pytest.MonkeyPatch.context() as long_ago,
    ):
        now = clock.now
        long_ago.setattr(clock, "now", lambda: now() - timedelta(days=10))
        empty = type(made)(folder / "empty", made.sandbox, made.begun).without("payt")
        empty.configure(gates={"freshness_hours": 1000, "quarantine_share": 1, "change_share": 10})
        once = copied(empty, folder / "once")
        once.run(GOLDEN_AS_OF)
        refusing = copied(empty, folder / "refusing")
        with unreadable_payment("71010"):
            refusing.run(GOLDEN_AS_OF)
        long_ago.undo()
        once.configure(reports={"keep_days": 1})
        waiting = copied(once, folder / "waiting", later)
        twice = copied(waiting, folder / "twice")
        twice.run(GOLDEN_AS_OF)
        assert {row["state"] for row in twice.rows("breaks")} == {"ONGOING", "NEW", "RESOLVED"}
        old = once.latest.name
        assert large(once, old)
        assert not large(twice, old)
        yield {
            "run": Case(empty, RUN, (RUN,), result(once), 200, kills=4),
            "later run, which prunes": Case(waiting, RUN, (RUN,), result(twice), 200, kills=3, old=old),
            "report, which prunes": Case(once, REPORT, (REPORT,), result(once), 120, old=old),
            "rebuild": Case(once, REBUILD, (REPORT,), result(once), 40),
            "replay of what was refused": Case(refusing, REPLAY, (REPLAY, REPORT), result(once), 40),
        }


CASES = ("run", "later run, which prunes", "report, which prunes", "rebuild", "replay of what was refused")


def trial(case, folder, deaths):
    """Let the command die as often as it is told; the one after ends well. Return how often it died.

    A death is the number of a boundary, or the seconds until a kill from outside. Who ends before is not killed.
    """
    desk, said = copied(case.desk, folder), folder / "said.txt"
    died = 0
    for death in deaths:
        words = case.again[0] if died else case.command
        at, after = (death, None) if isinstance(death, int) else (0, death)
        code = Forked([*words, "--config", str(desk.file)], said, kill_at=at).ended(kill_after=after)
        assert code in {0, KILLED}, said.read_text()
        died += code == KILLED
        if code == 0:
            break
    for words in case.again:
        code = Forked([*words, "--config", str(desk.file)], said).ended()
        assert code == 0, said.read_text()
    said.unlink()
    found = result(desk)
    assert [name for name in case.expected if found[name] != case.expected[name]] == []
    assert desk.is_sound()
    assert not large(desk, case.old)
    shutil.rmtree(folder)
    return died


def drawn(case, name):
    draw = random.Random(f"{SEED} {name}")
    return [draw.randrange(1, case.about) for _ in range(case.kills)]


@pytest.mark.slow
@pytest.mark.fault(39)
@pytest.mark.parametrize("name", CASES)
def test_a_command_killed_anywhere_again_and_again_is_repeated_exactly(cases, name, tmp_path):
    case = cases[name]
    if STEP:
        LOG.info("%s", sweep(name, lambda folder, deaths: trial(case, folder, deaths), tmp_path))
    else:
        assert trial(case, tmp_path / "desk", drawn(case, name))
