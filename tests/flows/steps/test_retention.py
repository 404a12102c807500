"""Old run folders lose their large files, and nothing that is asked of the past changes by it."""

import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

from flows import clock
from flows.commands.cli import execute
from flows.errors import UsageError
from reports import pruning
from reports.manifest import verify
from sandbox.worlds.scenarios import generate

AS_OF = date(2026, 6, 28)
STARTED = datetime(2026, 6, 28, 20, tzinfo=UTC)
SMALL = {"breaks", "aging", "aging_terms", "kept", "roll", "cash", "exposure", "integrity"}


@pytest.fixture
def day(monkeypatch):
    """Set the program's clock some days after the first run."""

    def at(days):
        began = datetime.now(tz=UTC)
        moment = STARTED + timedelta(days=days)
        monkeypatch.setattr(clock, "now", lambda: moment + (datetime.now(tz=UTC) - began))
        monkeypatch.setattr(clock, "today", lambda _zone: moment.date())

    return at


@pytest.fixture
def served(desk, day):
    """A desk with a run of each of three days."""
    desk = desk(generate(seed=3, plans=6, as_of=AS_OF, providers=("totality",))).without("payt", "payiq")
    desk.world.clock = f"{AS_OF - timedelta(days=1)}T12:00:00Z"
    for days in range(3):
        day(days)
        desk.run(AS_OF + timedelta(days=days))
    return desk


def names(folder):
    return {path.name for path in folder.iterdir()}


def folder_of(desk, days):
    return next((desk.reports / f"as_of={AS_OF + timedelta(days=days)}").iterdir())


@pytest.mark.slow
def test_folders_older_than_the_days_lose_their_large_files_and_a_report_of_the_day_gives_the_same_bytes(served, day):
    before = served.tables(folder_of(served, 0), names=("plans", "terms", "payments", "breaks", "roll", "aging"))
    whole = names(folder_of(served, 2))
    served.configure(reports={"keep_days": 2})
    day(3)
    served.run(AS_OF + timedelta(days=3))
    assert [len(names(folder_of(served, days)) & pruning.LARGE_FILES) for days in range(4)] == [0, 9, 9, 9]
    assert whole - names(folder_of(served, 0)) == pruning.LARGE_FILES & whole
    assert {f"{name}.csv" for name in SMALL} | {"plans.parquet", "summary.json"} <= names(folder_of(served, 0))
    assert verify(folder_of(served, 0)).run_id == folder_of(served, 0).name
    assert execute(["verify", "--config", str(served.file)]) == 0
    again = served.report(AS_OF)
    assert served.tables(again.folder, names=("plans", "terms", "payments", "breaks", "roll", "aging")) == before
    assert execute(["restate", "--config", str(served.file), "--as-of", str(AS_OF)]) == 0
    assert served.is_sound()


@pytest.mark.slow
def test_readers_are_never_shown_a_pruned_folder_and_one_that_lost_another_file_is_damaged(served, day):
    day(400)
    served.report(AS_OF)  # nothing is configured: however old, all stay whole
    assert len(names(folder_of(served, 1)) & pruning.LARGE_FILES) == 9
    served.configure(reports={"keep_days": 1}, gates={"freshness_hours": 100_000})
    served.report(AS_OF)
    assert [len(names(folder_of(served, days)) & pruning.LARGE_FILES) for days in (1, 2)] == [0, 9]
    assert served.query("SELECT count(*) > 0 FROM v_terms") == [(True,)]
    (folder_of(served.damaged("a published file is removed"), 1) / "aging.csv").unlink()
    assert execute(["verify", "--config", str(served.file)]) == 2

    shutil.rmtree(folder_of(served, 2))
    (served.reports / "latest").unlink()
    with pytest.raises(UsageError):  # it shows readers what is there before it finds that nothing was known then
        served.report(AS_OF, known_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert served.latest.parent.name == f"as_of={AS_OF}"
    assert served.query("SELECT count(*) > 0 FROM v_terms") == [(True,)]
