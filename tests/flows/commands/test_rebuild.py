"""The warehouse is made again from the landing alone: the same loads at the same times, the same reports, the same breaks."""

import json
import shutil
from datetime import timedelta

import duckdb
import pytest

from flows.commands import cli
from sandbox.worlds import scenarios

DAY = scenarios.DEMO_AS_OF
EVE = DAY - timedelta(days=1)


@pytest.fixture(scope="module")
def kept(open_desk, tmp_path_factory):
    """A store after two days; tests work on copies of its state folder."""
    with open_desk(tmp_path_factory.mktemp("kept"), scenarios.demo()) as desk:
        desk.without("payt").configure(reports={"formats": ["csv", "parquet"]})
        desk.first = desk.run(EVE)
        desk.second = desk.run(DAY)
        yield desk


def execute(desk_file, *words):
    return cli.execute([*words, "--config", str(desk_file)])


def known_at(run):
    return json.loads((run.folder / "summary.json").read_text())["known_at"]


def moved_elsewhere(kept, folder, *, reports):
    """What a backup of the state folder, or of all of it, gives under another path; the warehouse itself is not in it."""
    folder.mkdir()
    shutil.copytree(kept.state_dir, folder / "planrecon.state", symlinks=True)
    if reports:
        shutil.copytree(kept.reports, folder / "reports", symlinks=True)
    file = folder / "planrecon.toml"
    file.write_text(kept.file.read_text().replace(str(kept.folder), str(folder)))
    (folder / "payiq_accounts.csv").write_bytes((kept.folder / "payiq_accounts.csv").read_bytes())
    return file


def told_of_plans(folder):
    """The figures of plans over the runs, by the warehouse alone."""
    with duckdb.connect(str(folder / "planrecon.duckdb"), read_only=True) as con:
        rows = con.sql("SELECT * EXCLUDE (known_at) FROM v_plan_history ORDER BY ALL").fetchall()
    assert len({row[0] for row in rows}) == 2
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("reports", [True, False], ids=["with the reports", "without them"])
def test_a_backup_restored_in_another_folder_is_rebuilt_there_and_reports_the_same_bytes(
    kept, tmp_path, capsys, reports
):
    file = moved_elsewhere(kept, tmp_path / "other", reports=reports)
    assert execute(file, "rebuild") == 0
    assert "4 loads, 2 runs" in capsys.readouterr().out
    assert told_of_plans(tmp_path / "other") == told_of_plans(kept.folder)
    for day, run in ((EVE, kept.first), (DAY, kept.second)):
        asked = ("report", "--as-of", day.isoformat(), "--known-at", known_at(run), "--fail-on", "never")
        assert execute(file, *asked) == 0
        folder = max((tmp_path / "other/reports" / f"as_of={day}").iterdir(), key=lambda path: path.name)
        assert kept.tables(folder) == kept.tables(run.folder)
        assert {row["first_seen"] for row in kept.rows("breaks", folder)} == {
            row["first_seen"] for row in kept.rows("breaks", run.folder)
        }
    capsys.readouterr()
    assert execute(file, "verify") == 0


@pytest.mark.slow
@pytest.mark.fault(47)
def test_a_rebuild_moves_the_former_file_aside_and_leaves_readers_what_they_had(kept, tmp_path, capsys):
    file = moved_elsewhere(kept, tmp_path / "other", reports=True)
    assert execute(file, "rebuild") == 0
    former = (tmp_path / "other/planrecon.duckdb").read_bytes()
    capsys.readouterr()
    assert execute(file, "rebuild") == 0
    (moved,) = (tmp_path / "other").glob("planrecon.duckdb.2*")
    assert moved.read_bytes() == former
    assert str(moved) in capsys.readouterr().out
    assert (tmp_path / "other/reports/latest").resolve().name == kept.second.folder.name
    assert execute(file, "query", "select count(*) as plans from v_plans", "--format", "csv") == 0
    assert capsys.readouterr().out.split() == ["plans", str(len(kept.rows("plans")))]


def test_without_the_commit_log_rows_are_known_from_the_time_they_were_fetched(kept, tmp_path, capsys):
    file = moved_elsewhere(kept, tmp_path / "other", reports=False)
    (tmp_path / "other/planrecon.state/commits.jsonl").unlink()
    assert execute(file, "rebuild") == 0
    assert "4 loads, 0 runs" in capsys.readouterr().out
    asked = ("report", "--as-of", EVE.isoformat(), "--known-at", known_at(kept.first), "--fail-on", "never")
    assert execute(file, *asked) == 0
    folder = max((tmp_path / "other/reports" / f"as_of={EVE}").iterdir(), key=lambda path: path.name)
    assert kept.tables(folder) == kept.tables(kept.first.folder)


def test_nothing_landed_is_nothing_to_rebuild_from(tmp_path, capsys):
    (tmp_path / "planrecon.toml").write_text("")
    assert execute(tmp_path / "planrecon.toml", "rebuild") == 2
    assert "restore it first" in capsys.readouterr().err
