"""What a program was told is written outlasts a power cut; leaving out any single sync on the way is noticed.

Each act is a row of steps; after each of them somebody was told that it is done, and a look at the disk must find it.
Whatever the moment, what is found must be sound. Each act is done once as it is, and once for each sync in it with that
one left out: then something must be missing or unsound.
"""

import ast
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from reports.publish import Staging, point_latest
from sql.runs import Run
from sql.storage.archive import Archive
from sql.storage.commit_log import CommitLog
from sql.storage.files import private_folder, put_in_place, sync_file, write_atomic
from sql.storage.landing import Landing
from sql.storage.recovery import set_aside
from writes.intents import APPROVED, SENDING, AgreedTerm, Draft
from writes.ledger import Ledger

ROOT = Path(__file__).parents[2]
DOORS = {"sync", "sync_file", "sync_folder", "move", "_sync", "_move", "_to_disk"}
DAMAGED = b"checksumDUCK, and damaged"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Act:
    """Steps in their order, each with what must be found when it was told done; `sound` holds at every moment."""

    def __init__(self, root):
        self.root = root

    def steps(self):
        raise NotImplementedError

    def sound(self, root):
        """Raise where what is found at `root` is neither the old state nor the new one."""


class TellTheCommitLog(Act):
    def steps(self):
        for number in (1, 2):
            CommitLog(self.root / "state").append("load", {"load_no": number})
            yield lambda root, last=number: self.told(root, last)

    def told(self, root, last):
        assert [line.facts["load_no"] for line in CommitLog(root / "state").read()] == list(range(1, last + 1))

    def sound(self, root):
        CommitLog(root / "state").verify()


class ReplaceAFile(Act):
    def steps(self):
        private_folder(self.root / "kept")
        for body in (b"first", b"second"):
            write_atomic(self.root / "kept" / "token", body)
            yield lambda root, body=body: self.holds(root, {body})

    def holds(self, root, bodies):
        assert (root / "kept" / "token").read_bytes() in bodies

    def sound(self, root):
        if (root / "kept" / "token").exists():
            self.holds(root, {b"first", b"second"})


@dataclass
class Page:
    body: bytes
    entity: str = "plans"
    context: dict = field(default_factory=dict)
    status: int = 200
    provider_clock: datetime | None = None


class LandAFetch(Act):
    def steps(self):
        snapshot = Landing(self.root / "landing").snapshot("payt", "1001", opened_at=NOON)
        for name, body in (("plans", b"[1]"), ("payments", b"[2]")):
            with snapshot.sweep(name, tenant_id="1001", since=None) as sweep:
                sweep.add(Page(body))
                sweep.seal(complete=True)
            yield lambda root, name=name: self.need_not_be_asked_again(root, name)
        snapshot.finish()
        yield self.can_be_loaded

    def need_not_be_asked_again(self, root, name):
        landing = Landing(root / "landing")
        assert name in landing.snapshot("payt", "1001", opened_at=NOON).sealed
        self.sound(root)

    def can_be_loaded(self, root):
        (facts,) = Landing(root / "landing").snapshots()
        assert facts.is_finished
        assert [page.body for page in Landing(root / "landing").pages(facts.id)] == [b"[1]", b"[2]"]

    def sound(self, root):
        landing = Landing(root / "landing")
        named = {folder.name for folder in root.glob("landing/payt/[0-9]*")}
        assert {facts.id for facts in landing.snapshots()} == named, "a fetch has lost its opening"
        for facts in landing.snapshots():
            assert [page.body for page in landing.pages(facts.id)] == [b"[1]", b"[2]"][: len(landing.seals(facts.id))]


class ArchiveARun(Act):
    def steps(self):
        run = Run("r1", "k", date(2026, 11, 20), 1, NOON, NOON, NOON, "PUBLISHED", 0)
        Archive(self.root / "state").keep(run, {"aging": pl.DataFrame({"plans": [1]})}, None)
        yield self.can_be_restored

    def can_be_restored(self, root):
        archive = Archive(root / "state")
        assert archive.read("r1", archive.sha256("r1")).frames["aging"]["plans"].to_list() == [1]


class WriteDownAChange(Act):
    def steps(self):
        draft = Draft(
            provider="payt", operation="create", tenant_id="1001", plan_id=None, owner="50", key="one",
            request_sha256="5" * 64, summary="create a plan", currency="EUR", amount_minor=10_000,
            terms=(AgreedTerm(date(2026, 12, 1), 10_000),),
        )  # fmt: skip
        ledger = Ledger(self.root / "state")
        intent, _ = ledger.plan(draft, b'{"wanted":1}', at=NOON, who="anna", since=NOON)
        yield lambda root: self.is_known(root, APPROVED)
        ledger.move(intent, SENDING, at=NOON, who="anna")
        yield lambda root: self.is_known(root, SENDING)

    def is_known(self, root, state):
        (intent,) = Ledger(root / "state").intents()
        assert intent.state == state
        self.sound(root)

    def sound(self, root):
        ledger = Ledger(root / "state")
        for intent in ledger.intents():
            assert ledger.material(intent) == b'{"wanted":1}'


class PublishTwoRuns(Act):
    def steps(self):
        reports = self.root / "reports"
        for number in (1, 2):
            staging = Staging(reports, date(2026, 11, 20), f"r{number}")
            (staging.path / "plans.csv").write_text(f"{number}\n")
            folder = staging.settle()
            (folder / "late.csv").write_text(f"{number}\n")
            told = dict.fromkeys(("run_id", "run_key", "known_at", "code_version", "started_at"), "x")
            told |= {"state": "PUBLISHED", "as_of": "2026-11-20", "known_load": 1, "current_rows": {}, "files": []}
            staging.seal(json.dumps(told | {"tables": {}, "n": number}))
            point_latest(reports, folder)
            yield lambda root, number=number: self.readers_see(root, number)

    def readers_see(self, root, number):
        assert (root / "reports" / "latest" / "plans.csv").read_text() == f"{number}\n"
        self.sound(root)

    def sound(self, root):
        latest = root / "reports" / "latest"
        if latest.is_symlink():
            told = json.loads((latest / "manifest.json").read_text())["n"]
            assert {(latest / name).read_text() for name in ("plans.csv", "late.csv")} == {f"{told}\n"}


class MoveADatabaseAside(Act):
    def steps(self):
        state = self.root / "state"
        CommitLog(state).append("load", {})
        yield lambda root: CommitLog(root / "state").read("load")[0]
        (state / "planrecon.duckdb").write_bytes(DAMAGED)
        sync_file(state / "planrecon.duckdb")
        (moved,) = set_aside(state / "planrecon.duckdb", state_dir=state, moment=NOON)
        yield lambda root: self.is_kept(root, moved.name)

    def is_kept(self, root, name):
        assert {path.name: path.read_bytes() for path in root.glob("state/planrecon.duckdb*")} == {name: DAMAGED}
        assert [line.facts["to"] for line in CommitLog(root / "state").read("moved_aside")] == [name]

    def sound(self, root):
        CommitLog(root / "state").verify()


class ReplaceByAFinishedFile(ReplaceAFile):
    def steps(self):
        private_folder(self.root / "kept")
        for body in (b"first", b"second"):
            (self.root / "kept" / "draft").write_bytes(body)
            put_in_place(self.root / "kept" / "draft", self.root / "kept" / "token")
            yield lambda root, body=body: self.holds(root, {body})


ACTS = {
    "a commit is told to the commit log": TellTheCommitLog,
    "a file is replaced": ReplaceAFile,
    "a fetch is landed": LandAFetch,
    "a run is archived": ArchiveARun,
    "a change is written down before it is sent": WriteDownAChange,
    "runs are published": PublishTwoRuns,
    "a damaged database is moved aside": MoveADatabaseAside,
    "a file is replaced by a finished one": ReplaceByAFinishedFile,
}


def faults(disk, act, tmp_path):
    """Do the act on the disk; return what a look after a power cut at any moment finds missing or unsound."""
    found = []
    with disk.watched():
        for number, look in enumerate(act.steps()):
            found += wrong(look, disk.after_power_cut(tmp_path / f"told{number}"), f"step {number}")
        for number, state in enumerate(disk.torn):
            found += wrong(act.sound, disk.after_power_cut(tmp_path / f"torn{number}", state), f"torn {number}")
    return found


def wrong(look, folder, when):
    try:
        look(folder)
    except Exception as error:  # noqa: BLE001  whatever is missing shows in its own way
        return [f"{when}: {error!r}"]
    return []


@pytest.mark.fault(42)
@pytest.mark.parametrize("name", ACTS)
def test_what_was_acknowledged_outlasts_a_power_cut_and_needs_every_sync(name, disk, tmp_path):
    whole = disk()
    assert faults(whole, ACTS[name](whole.root), tmp_path / "whole") == []
    assert whole.count
    forgiven = []
    for number in range(whole.count):
        forgetful = disk(skip=number)
        if not faults(forgetful, ACTS[name](forgetful.root), tmp_path / f"without{number}"):
            forgiven.append(number)
    assert forgiven == [], f"{name}: nobody would notice sync {forgiven} of {whole.count} missing"


def syncing(source):
    """Yield the functions of a module that make something last by themselves."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
            if any(isinstance(name, ast.Name) and name.id in DOORS for name in calls):
                yield function.name


def test_each_place_that_makes_something_last_takes_part_in_an_act(disk, tmp_path):
    """So that a sync which is new has to be missed by somebody, or is needed by nobody."""
    passed = set()
    for act in ACTS.values():
        watched = disk()
        with watched.watched():
            list(act(watched.root).steps())
        passed |= watched.passed
    places = {
        (str(path), name)
        for room in ("sql", "reports", "writes", "flows")
        for path in (ROOT / room).rglob("*.py")
        for name in syncing(path.read_text(encoding="utf-8"))
    }
    harmless = {
        (str(ROOT / "sql/storage/files.py"), "make_new"),  # a warehouse that holds nothing yet is made again
        (
            str(ROOT / "flows/deploy/flow_runs.py"),
            "begin",
        ),  # no figure follows from it: a run stays `Running` at Prefect
    }
    assert places - passed == harmless
    assert len(places) > len(ACTS)
