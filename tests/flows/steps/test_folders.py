"""Where run folders lie: held ones apart, and every one found again when all of it is moved or shared."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from flows.commands.cli import execute
from sandbox.worlds.scenarios import GOLDEN_AS_OF, generate, golden
from sql.readonly import read_query

README = Path(__file__).parents[3] / "README.md"


def small():
    return generate(seed=3, plans=24, as_of=GOLDEN_AS_OF)


def asked(desk, capsys, sql):
    """What `planrecon query` prints for the desk's configuration, as JSON; its complaint where it answers nothing."""
    capsys.readouterr()
    code = execute(["query", sql, "--format", "json", "--config", str(desk.file)])
    printed = capsys.readouterr()
    return json.loads(printed.out) if code == 0 else printed.err


def globbed(desk):
    """What the line in README selects, run in the desk's folder."""
    [lines] = re.findall(r"```sql\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    with duckdb.connect() as con:
        return con.sql(lines.replace("reports/as_of", f"{desk.reports}/as_of")).fetchall()


def test_before_anything_was_published_the_newest_held_run_tells_why_and_shows_no_figure(desk, capsys):
    desk = desk(golden())
    assert desk.run(GOLDEN_AS_OF, providers=("payt",)).state == "HELD"
    assert [row["state"] for row in asked(desk, capsys, "SELECT state FROM v_runs")] == ["HELD"]
    fetched = asked(desk, capsys, "SELECT DISTINCT provider FROM v_fetches")
    assert fetched == [{"provider": "payt"}]
    assert asked(desk, capsys, "SELECT q.code FROM v_quarantine q, V_WRITES w") == []
    figures = asked(desk, capsys, "SELECT count(*) FROM v_plans, v_runs")
    assert figures.startswith("usage: nothing is published below")
    assert "v_quarantine" in figures
    with pytest.raises(Exception, match="lies in the future"):
        desk.run(GOLDEN_AS_OF.replace(year=9000))


def test_where_no_folder_was_ever_written_the_warehouse_itself_tells_what_failed(desk, capsys, impatient):
    desk = desk(golden()).without("totality", "payiq").configure(payt={"base_url": "http://127.0.0.1:9"})
    with pytest.raises(Exception, match="no provider could be read"):
        desk.run(GOLDEN_AS_OF)
    assert asked(desk, capsys, "SELECT state, exit_code FROM v_runs") == [{"state": "FAILED", "exit_code": 2}]


@pytest.mark.slow
def test_a_glob_over_dates_counts_each_plan_once_per_date_whatever_was_held_or_run_again(desk):
    desk = desk(small()).without("totality")
    earlier = GOLDEN_AS_OF - timedelta(days=7)
    first = desk.run(GOLDEN_AS_OF)
    again = desk.run(GOLDEN_AS_OF)
    desk.run(earlier)
    desk.configure(gates={"quarantine_share": 0.0, "change_share": 0.0, "freshness_hours": 1e-9})
    held = desk.run(GOLDEN_AS_OF, providers=("payt",))
    assert (first.state, again.state, held.state) == ("PUBLISHED", "PUBLISHED", "HELD")
    assert held.folder == desk.reports.absolute() / "held" / f"as_of={GOLDEN_AS_OF}" / held.run_id
    assert json.loads((held.folder / "manifest.json").read_text())["state"] == "HELD"
    assert {path.parent.name for path in desk.reports.glob("as_of=*/*/plans.parquet")}.isdisjoint({held.run_id})
    plans = {day: len(desk.rows("plans", folder)) for day, folder in [(GOLDEN_AS_OF, again.folder)]}
    found = dict(globbed(desk))
    assert found[GOLDEN_AS_OF] == plans[GOLDEN_AS_OF]
    assert set(found) == {GOLDEN_AS_OF, earlier}
    assert first.folder.is_dir()
    assert desk.is_sound()


def test_two_configurations_may_share_a_state_folder_and_each_shows_its_own_reports(desk):
    desk = desk(golden()).without("payt", "payiq")
    desk.begin(GOLDEN_AS_OF)
    one = desk.latest
    seen = (one / "read.duckdb").read_bytes(), (one / "manifest.json").read_bytes()
    desk.configure(reports={"dir": str(desk.folder / "other")})
    second = desk.run(GOLDEN_AS_OF)
    assert second.state == "PUBLISHED"
    assert "is not below" in second.text
    assert str(desk.folder / "other") in second.text
    assert ((one / "read.duckdb").read_bytes(), (one / "manifest.json").read_bytes()) == seen
    assert (desk.folder / "other" / "latest").resolve() == second.folder
    assert read_query(second.folder / "read.duckdb", "SELECT count(*) FROM v_plans").item() == 1

    desk.configure(reports={"dir": str(desk.folder / "reports")})
    third = desk.run(GOLDEN_AS_OF)
    assert (third.state, desk.latest) == ("PUBLISHED", third.folder)
    assert desk.query("SELECT state FROM v_runs") == [("PUBLISHED",)] * 3
    assert desk.is_sound()


@pytest.mark.slow
def test_a_backup_restored_in_another_folder_answers_at_once_and_goes_on(desk, capsys):
    desk = desk(golden()).without("payt", "totality")
    desk.run(GOLDEN_AS_OF)
    before = desk.query("SELECT * FROM v_plans ORDER BY ALL")
    elsewhere = desk.folder.parent / "restored"
    shutil.move(desk.folder, elsewhere)
    desk.folder = elsewhere
    desk.configure(
        warehouse={"path": f"{elsewhere}/planrecon.duckdb", "state_dir": f"{elsewhere}/planrecon.state"},
        reports={"dir": f"{elsewhere}/reports"},
        payiq={"accounts_file": f"{elsewhere}/payiq_accounts.csv"},
    )
    assert desk.query("SELECT * FROM v_plans ORDER BY ALL") == before
    assert asked(desk, capsys, "SELECT count(*) AS plans FROM v_plans") == [{"plans": 1}]
    (elsewhere / "planrecon.duckdb").unlink()
    rebuilt = desk.report(GOLDEN_AS_OF)
    assert rebuilt.state == "PUBLISHED"
    assert "is not below" not in rebuilt.text
    assert desk.query("SELECT * FROM v_plans ORDER BY ALL") == before
    assert desk.run(GOLDEN_AS_OF).state == "PUBLISHED"
    assert desk.query("SELECT state FROM v_runs") == [("PUBLISHED",)] * 3
    assert desk.is_sound()


def test_a_removed_folder_leaves_its_run_published_and_readers_with_the_one_before(desk):
    desk = desk(golden()).without("totality", "payiq")
    first = desk.run(GOLDEN_AS_OF)
    second = desk.run(GOLDEN_AS_OF)
    shutil.rmtree(second.folder)
    third = desk.run(GOLDEN_AS_OF)
    assert third.state == "PUBLISHED"
    assert f"the folder of the last published run, {second.run_id} as of 2025-06-07, is not below" in third.text
    assert first.folder.is_dir()
    assert desk.query("SELECT state, reason FROM v_runs") == [("PUBLISHED", "")] * 3
