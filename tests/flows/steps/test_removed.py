"""What somebody removed while the warehouse was kept, or before it was built again: told once, and no run fails on it."""

import json
import shutil
from datetime import timedelta
from html import unescape

import pytest

from flows.commands.cli import execute
from flows.steps import publish, settle
from reports.publish import Staging
from sandbox.worlds.scenarios import GOLDEN_AS_OF, golden

GONE = {
    "the state folder": (".", ["bytes as received of 3 of 3 loads", "commit log is gone", "archives of 1 of 1 runs"]),
    "the landing": ("landing", ["bytes as received of 3 of 3 loads"]),
    "the fetches of one provider": ("landing/payt", ["bytes as received of 1 of 3 loads"]),
    "the commit log": ("commits.jsonl", ["commit log is gone"]),
    "the archive of runs": ("runs", ["archives of 1 of 1 runs"]),
}


@pytest.mark.slow
def test_what_is_removed_while_the_warehouse_is_kept_is_one_warning_and_no_failure(desk, capsys):
    desk = desk(golden())
    desk.configure(reports={"formats": ["csv", "html"]})
    assert "is not whole" not in desk.run(GOLDEN_AS_OF).text
    backup = shutil.copytree(desk.folder, desk.folder.parent / "backup", symlinks=True)
    doctor = ["doctor", "--offline", "--config", str(desk.file)]
    assert execute(doctor) == 0
    assert "warn" not in capsys.readouterr().out
    for what, (where, words) in GONE.items():
        place = desk.state_dir / where
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        assert execute(doctor) == 0, what
        [warning] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warn")]
        finished = desk.report(GOLDEN_AS_OF)
        assert (finished.state, finished.exit_code) == ("PUBLISHED", 0), what
        assert finished.text.startswith("PUBLISHED  as of"), what
        [note] = json.loads((finished.folder / "summary.json").read_text())["notes"]
        page = unescape((finished.folder / "report.html").read_text())
        for told in (warning, note, finished.text, page):
            assert all(word in told for word in words), (what, told)
            assert told.count("is not whole") == 1
            for other in {word for _, others in GONE.values() for word in others} - set(words):
                assert other not in told, (what, told)
        shutil.rmtree(desk.folder)
        shutil.copytree(backup, desk.folder, symlinks=True)


def test_a_run_after_the_state_folder_was_removed_says_so_and_goes_on_with_what_it_fetches(desk):
    desk = desk(golden()).without("payt", "payiq")
    desk.begin(GOLDEN_AS_OF)
    shutil.rmtree(desk.damaged("the state folder is removed").state_dir)
    finished = desk.run(GOLDEN_AS_OF)
    assert (finished.state, finished.exit_code) == ("PUBLISHED", 0)
    assert "the bytes as received of 1 of 1 loads are gone; the commit log is gone" in finished.text
    assert "the bytes as received of 1 of 2 loads are gone" in desk.report(GOLDEN_AS_OF).text


def test_a_run_whose_archive_is_gone_when_the_warehouse_is_built_again_is_named_as_lost(desk):
    desk = desk(golden()).without("payt", "payiq")
    lost = desk.begin(GOLDEN_AS_OF).name
    (desk.folder / "planrecon.duckdb").unlink()
    (desk.damaged("a run's archive is removed").state_dir / "runs" / f"{lost}.zip").unlink()
    finished = desk.report(GOLDEN_AS_OF)
    assert finished.state == "PUBLISHED"
    assert f"runs that only the commit log knew are lost: {lost}" in finished.text


def notes_of(finished):
    """The notes of a run's summary; each stands in the text for the console too."""
    notes = json.loads((finished.folder / "summary.json").read_text()).get("notes", [])
    assert all(note in finished.text for note in notes)
    return notes


@pytest.mark.slow
def test_what_a_start_mended_stands_in_the_summary_of_the_run_that_found_it_and_of_no_later_one(desk):
    desk = desk(golden()).without("payt")
    first = desk.run(GOLDEN_AS_OF)
    assert notes_of(first) == []
    (desk.folder / "planrecon.duckdb").unlink()
    (desk.folder / ".planrecon.duckdb.1.planrecon-tmp").write_bytes(b"half")
    assert notes_of(desk.report(GOLDEN_AS_OF)) == [
        "2 of the loads and 1 of the runs in the commit log were not in the warehouse; they are in it again",
        "what a stopped process left half-written is removed: .planrecon.duckdb.1.planrecon-tmp",
    ]
    log = desk.state_dir / "commits.jsonl"
    *kept, last = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(kept))
    assert json.loads(last)["kind"] == "run"
    [note] = notes_of(desk.report(GOLDEN_AS_OF))
    assert note == (
        f"the commit log lacked run {json.loads(last)['facts']['run_id']}, which an earlier run was stopped in; it has it now"
    )
    (desk.folder / "planrecon.duckdb").write_bytes(b"no database")
    aside, again = notes_of(desk.report(GOLDEN_AS_OF))
    assert "was damaged and is moved aside; its loads are replayed from the landing" in aside
    assert again == "2 of the loads and 3 of the runs in the commit log were not in the warehouse; they are in it again"
    assert notes_of(desk.report(GOLDEN_AS_OF)) == []


@pytest.mark.parametrize("end", ["stopped", "killed", "out of space"])
def test_a_run_that_ended_before_its_folder_was_published_never_reads_as_published(desk, monkeypatch, end):
    desk = desk(golden()).without("payt", "payiq")
    seen = desk.begin(GOLDEN_AS_OF)

    def stop(*_, **__):
        raise SystemExit("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_read_duckdb", stop)
        if end == "killed":
            patch.setattr(publish, "is_sealed", lambda _: True)
            patch.setattr(Staging, "drop", lambda staging, **_: staging._lock.close())
        elif end == "out of space":
            patch.setattr(publish, "unpublish", stop)
        with pytest.raises(SystemExit):
            desk.report(GOLDEN_AS_OF - timedelta(days=1))
    assert [path for path in desk.reports.glob("as_of=*/*") if path != seen] == [] or end != "stopped"
    desk.report(GOLDEN_AS_OF)
    states = [("PUBLISHED",), ("FAILED",), ("PUBLISHED",)]
    assert desk.query("SELECT state FROM v_runs ORDER BY run_id") == states
    (desk.folder / "planrecon.duckdb").unlink()
    rebuilt = desk.report(GOLDEN_AS_OF)
    assert desk.query("SELECT state FROM v_runs ORDER BY run_id") == [*states, ("PUBLISHED",)]
    assert "is not below" not in rebuilt.text
    assert seen.is_dir()
    assert desk.is_sound()


@pytest.mark.parametrize("step", ["end_run", "replace_register"])
def test_a_publication_that_is_undone_in_two_goes_tells_of_the_breaks_that_ended_in_it(desk, monkeypatch, step):
    """Killed before its folder is sealed, a run is undone by the next start; that is killed as well, and the one after ends it."""
    world = golden()
    world.totality.payment_plans[0]["totalPlanAmount"] = 42000
    desk = desk(world).without("payt", "payiq")
    desk.run(GOLDEN_AS_OF)
    ended = {row["fingerprint"] for row in desk.rows("breaks")}
    assert ended
    with desk.world.changing():
        world.totality.payment_plans[0] |= {"totalPlanAmount": 40000, "updatedAt": "2025-06-07T15:00:00Z"}

    def stop(*_, **__):
        raise SystemExit("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_read_duckdb", stop)
        patch.setattr(publish, "is_sealed", lambda _: True)
        patch.setattr(Staging, "drop", lambda staging, **_: staging._lock.close())
        with pytest.raises(SystemExit):
            desk.run(GOLDEN_AS_OF)
    done = getattr(settle, step)
    with monkeypatch.context() as patch:
        patch.setattr(settle, step, lambda *given, **named: (done(*given, **named), stop()))
        with pytest.raises(SystemExit):
            desk.report(GOLDEN_AS_OF)
    desk.report(GOLDEN_AS_OF)
    assert {row["fingerprint"] for row in desk.rows("breaks") if row["state"] == "RESOLVED"} == ended


def test_what_was_known_long_ago_is_as_fresh_as_it_was_then(desk, monkeypatch, capsys):
    desk = desk(golden()).without("payt", "payiq")
    first = desk.begin(GOLDEN_AS_OF)
    known = json.loads((first / "summary.json").read_text())["known_at"]
    now = publish.clock.now
    monkeypatch.setattr(publish.clock, "now", lambda: now() + timedelta(days=5))
    ask = ["report", "--as-of", str(GOLDEN_AS_OF), "--config", str(desk.file)]
    assert execute([*ask, "--known-at", known]) == 0
    assert capsys.readouterr().out.startswith("PUBLISHED")
    assert execute(ask) == 3
    assert "is older than 36 hours" in capsys.readouterr().out
