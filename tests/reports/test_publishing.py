"""A run folder is visible whole or not at all, and `latest` only ever points at a published one."""

import json
import os
import signal
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from storm.forked import makers
from storm.publications import publish_and_die

from reports.errors import DamagedError, ReportError
from reports.manifest import is_sealed, to_json, verify
from reports.publish import point_latest, reseal, sweep
from reports.run import RunWriter
from schemas.reports import REPORTS


@pytest.fixture
def publish(tmp_path, frame, facts):
    """Return a function that publishes one plan of 33.34 into `tmp_path/reports`."""

    def run(run_id="r1", as_of=date(2026, 6, 30), state="PUBLISHED", outstanding=3334, **changes):
        with RunWriter(tmp_path / "reports", as_of=as_of, run_id=run_id) as writer:
            writer.write("plans", frame("plans", {"outstanding_minor": outstanding}))
            folder = writer.finish(facts(run_id=run_id, as_of=as_of, state=state, **changes))
            return folder, writer.publish()

    return run


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_published_folder_holds_every_file_and_is_latest(tmp_path, publish):
    folder, moved = publish()
    assert moved
    assert folder == tmp_path / "reports" / "as_of=2026-06-30" / "r1"
    latest = tmp_path / "reports" / "latest"
    assert latest.readlink() == Path("as_of=2026-06-30/r1")
    tables = [
        "plans",
        "terms",
        "payments",
        "breaks",
        "aging",
        "aging_terms",
        "kept",
        "roll",
        "cash",
        "exposure",
        "integrity",
    ]
    extra = {"accounts.parquet", "policies.parquet", "plan_accounts.parquet"}
    others = {"report.html", "reports.xlsx", "summary.json", "manifest.json"}
    assert names(folder) == {f"{t}.{s}" for t in tables for s in ("csv", "parquet")} | extra | others


def test_the_manifest_names_every_file_with_rows_bytes_and_checksum(publish):
    folder, _ = publish()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["state"] == "PUBLISHED"
    assert {file["name"] for file in manifest["files"]} == names(folder) - {"manifest.json"}
    plans = next(file for file in manifest["files"] if file["name"] == "plans.csv")
    assert plans["rows"] == 1
    assert plans["bytes"] == (folder / "plans.csv").stat().st_size
    assert manifest["tables"]["plans"]["totals"]["EUR"]["outstanding"] == "33.34"
    assert to_json(verify(folder)) == (folder / "manifest.json").read_text("utf-8")


def test_a_folder_of_a_version_whose_reports_had_fewer_columns_is_still_whole(publish, monkeypatch):
    folder, _ = publish()
    monkeypatch.setitem(REPORTS, "plans", replace(REPORTS["plans"], shown=f"{REPORTS['plans'].shown} opening"))
    verify(folder)


def test_a_file_that_joins_before_publication_is_in_the_manifest(tmp_path, facts):
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1") as writer:
        folder = writer.finish(facts())
        (folder / "read.duckdb").write_bytes(b"views")
        writer.publish()
    files = {file["name"]: file for file in json.loads((folder / "manifest.json").read_text("utf-8"))["files"]}
    assert files["read.duckdb"]["bytes"] == 5
    assert files["read.duckdb"]["rows"] is None


def test_a_file_replaced_after_publication_is_described_anew(tmp_path, facts):
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1") as writer:
        folder = writer.finish(facts())
        (folder / "read.duckdb").write_bytes(b"views")
        assert not is_sealed(folder)
        writer.publish()
    assert is_sealed(folder)
    (folder / "read.duckdb").write_bytes(b"newer views")
    with pytest.raises(DamagedError, match=r"read\.duckdb"):
        verify(folder)
    reseal(folder, "read.duckdb")
    verify(folder)


@pytest.mark.fault(71)
def test_nobody_else_may_read_the_files(publish):
    folder, _ = publish()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_held_run_is_kept_and_not_pointed_at(tmp_path, publish):
    first, _ = publish("r1")
    held, moved = publish("r2", state="HELD", held_because=("too much was quarantined",))
    assert not moved
    assert json.loads((held / "manifest.json").read_text("utf-8"))["state"] == "HELD"
    assert not point_latest(tmp_path / "reports", held)  # nor by who is asked to once more, as after a crash
    assert (tmp_path / "reports" / "latest").resolve() == first


def test_latest_never_goes_back_to_an_earlier_date(tmp_path, publish):
    newer, _ = publish("r1", as_of=date(2026, 6, 30))
    _, moved = publish("r2", as_of=date(2026, 6, 29))
    assert not moved
    assert (tmp_path / "reports" / "latest").resolve() == newer
    again, moved = publish("r3", as_of=date(2026, 6, 30))
    assert moved
    assert (tmp_path / "reports" / "latest").resolve() == again


def test_a_pointer_to_nothing_is_replaced_and_a_folder_in_its_place_is_not(tmp_path, publish):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "latest").symlink_to("gone")
    assert publish("r1")[1]
    (tmp_path / "reports" / "latest").unlink()
    (tmp_path / "reports" / "latest").mkdir()
    with pytest.raises(ReportError, match="not a link of ours"):
        publish("r2")


def test_leaving_with_an_error_leaves_nothing(tmp_path, frame):
    def fails():
        with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1") as writer:
            writer.table("terms", in_order=True).add(frame("terms", {"term_no": 1, "term_id": "t"}))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fails()
    assert list(tmp_path.iterdir()) == []


def test_leaving_between_finish_and_publish_leaves_nothing(tmp_path, facts):
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1") as writer:
        writer.finish(facts())
    assert list((tmp_path / "as_of=2026-06-30").iterdir()) == []


def die(reports, run_id, kill_at=0):
    """Publish a run in a process that dies at a boundary; return its exit code, of one that lives how many it came to."""
    child = makers().Process(target=publish_and_die, args=(reports, run_id, kill_at))
    child.start()
    child.join()
    return child.exitcode


@pytest.fixture(scope="module")
def boundaries(tmp_path_factory):
    reports = tmp_path_factory.mktemp("counted")
    die(reports, "r1")
    return die(reports, "r2")


@pytest.mark.parametrize("back", [30, 20, *range(13)])
def test_a_killed_run_never_shows_half_a_folder(tmp_path, publish, boundaries, back):
    """So many boundaries before the last `latest` is one whole published folder, and the next run clears the rest away."""
    reports = tmp_path / "reports"
    publish("r1")
    assert die(reports, "r2", boundaries - back) == -signal.SIGKILL
    current = (reports / "latest").resolve()
    assert verify(current).run_id in ("r1", "r2")
    for folder in (reports / "as_of=2026-06-30").iterdir():
        if (folder / "manifest.json").exists():
            verify(folder)
    publish("r3")
    left = {path.name for path in (reports / "as_of=2026-06-30").iterdir()}
    assert left <= {"r1", "r2", "r3"}
    assert all((reports / "as_of=2026-06-30" / name / "manifest.json").exists() for name in left)
    assert {path.name for path in reports.iterdir()} == {"as_of=2026-06-30", "latest"}
    assert not list(reports.rglob(".*"))


def test_sweeping_leaves_the_living_and_the_foreign_alone(tmp_path, facts):
    day = tmp_path / "as_of=2026-06-30"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".alive").touch()
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="living") as writer:
        (day / "notes").mkdir(parents=True)
        (day / "notes" / "mine.txt").touch()
        (day / ".link.tmp").symlink_to(elsewhere, target_is_directory=True)
        assert sweep(tmp_path) == []
        writer.finish(facts(run_id="living"))
        assert sweep(tmp_path) == []
        writer.publish()
    assert (elsewhere / ".alive").exists()
    assert names(day) == {"living", "notes", ".link.tmp"}


@pytest.mark.parametrize("place", [".dead.tmp", "as_of=2026-06-30/dead", "held/as_of=2026-06-30/dead"])
def test_sweeping_a_dead_folder_does_not_follow_its_links(tmp_path, place):
    dead = tmp_path / place
    dead.mkdir(parents=True)
    (dead / ".alive").touch()
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "precious").touch()
    (dead / "link").symlink_to(keep, target_is_directory=True)
    assert sweep(tmp_path) == [dead]
    assert (keep / "precious").exists()


class KilledError(BaseException):
    """A death, which no code catches."""


@pytest.mark.parametrize("place", [".dead.tmp", "as_of=2026-06-30/dead", "held/as_of=2026-06-30/dead"])
def test_a_removal_that_was_killed_anywhere_is_ended_by_the_next_start(tmp_path, monkeypatch, place):
    """Three files, the mark of the writer and the folder: five things go, one by one, in an order of the file system."""
    for number in range(5):
        dead = tmp_path / place
        dead.mkdir(parents=True)
        for name in (".alive", "a.csv", "b.csv", "z.csv"):
            (dead / name).touch()
        left = iter(range(number))
        with monkeypatch.context() as patch:
            for name in ("unlink", "rmdir"):
                call = getattr(os, name)

                def dying(*args, call=call, left=left, **named):
                    if next(left, None) is None:
                        raise KilledError
                    return call(*args, **named)

                patch.setattr(os, name, dying)
            with pytest.raises(KilledError):
                sweep(tmp_path)
        assert sweep(tmp_path) == [dead]
        assert not dead.exists()


@pytest.mark.parametrize("place", ["", "as_of=2026-06-30"])
def test_what_a_run_tried_a_place_with_is_swept(tmp_path, place):
    (tmp_path / place).mkdir(exist_ok=True)
    probe = tmp_path / place / ".latest.4711.tmp"
    probe.symlink_to("nowhere")
    assert sweep(tmp_path) == [probe]
    assert not probe.is_symlink()


@pytest.mark.parametrize("run_id", ["", "..", "a/b", ".hidden", "x" * 101, "a\nb"])
def test_a_run_id_cannot_leave_its_folder(tmp_path, run_id):
    with (
        pytest.raises(ReportError, match="cannot name a folder"),
        RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id=run_id),
    ):
        pass


def test_a_run_is_never_written_twice(publish):
    publish("r1")
    with pytest.raises(ReportError, match="there already"):
        publish("r1")


@pytest.mark.fault(44)
@pytest.mark.parametrize("name", ["plans.csv", "terms.parquet", "report.html", "summary.json"])
def test_a_flipped_bit_is_found(publish, name):
    folder, _ = publish()
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)
    with pytest.raises(DamagedError, match=name.replace(".", r"\.")):
        verify(folder)


def test_a_missing_file_and_a_link_in_its_place_are_found(publish):
    folder, _ = publish()
    (folder / "aging.csv").rename(folder.parent / "aging.csv")
    (folder / "aging.csv").symlink_to(folder.parent / "aging.csv")
    with pytest.raises(DamagedError, match=r"aging\.csv is missing"):
        verify(folder)


def test_a_csv_that_sums_to_something_else_never_becomes_latest(tmp_path, frame, facts):
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1") as writer:
        writer.write("plans", frame("plans", {"outstanding_minor": 3334}))
        folder = writer.finish(facts())
        text = (folder / "plans.csv").read_text("utf-8")
        (folder / "plans.csv").write_text(text.replace("33.34", "33.35"), encoding="utf-8")
        with pytest.raises(DamagedError, match=r"plans\.csv does not sum"):
            writer.publish()
    assert not os.path.lexists(tmp_path / "latest")


def test_same_facts_give_the_same_bytes_under_another_run_id(publish):
    """Only what names the run differs: its summary and its manifest."""
    first, _ = publish("r1")
    second, _ = publish("r2")
    differing = {name for name in names(first) if (first / name).read_bytes() != (second / name).read_bytes()}
    assert differing == {"summary.json", "manifest.json"}


def test_formats_that_are_switched_off_are_not_written(tmp_path, facts):
    with RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r1", formats=["parquet"]) as writer:
        folder = writer.finish(facts())
        writer.publish()
    assert {path.suffix for path in folder.iterdir()} == {".parquet", ".json"}
    with pytest.raises(ReportError, match="pdf"):
        RunWriter(tmp_path, as_of=date(2026, 6, 30), run_id="r2", formats=["pdf"])
