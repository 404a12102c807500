"""A report of a past date as known at a past moment is the one that was published then, to the byte."""

import json
from datetime import date, datetime, timedelta

import pytest
from storm import faults

from sandbox.worlds.scenarios import DEMO_AS_OF, demo

LAST = DEMO_AS_OF


def files(folder):
    """The bytes of all that a run tells of its figures; run ids and moments stand in the other files."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in {".csv", ".parquet", ".html"}}


def known_at(folder):
    return datetime.fromisoformat(json.loads((folder / "summary.json").read_text())["known_at"])


def states(desk, folder):
    return {row["state"] for row in desk.rows("breaks", folder)}


@pytest.fixture(scope="module")
def history(open_desk, tmp_path_factory):
    """Three days on which terms change, are taken back and a provider is down, and a look back on the first of them."""
    with open_desk(tmp_path_factory.mktemp("clocks"), demo()) as desk:
        desk.without("payiq").configure(reports={"formats": ["csv", "html"]}, gates={"change_share": 1})
        world, days = desk.world, [LAST - timedelta(days=back) for back in (2, 1, 0)]
        plans = [row for row in world.payt.payment_plans if row["active"]][:2]
        one, other = (row["payment_terms"][0] for row in plans)
        was = one["amount_due"]
        published = [desk.run(days[0]).folder]
        with world.changing():
            one["amount_due"], plans[0]["updated_at"] = "9000.00", world.clock
            world.totality.payments.pop()
        published.append(desk.run(days[1]).folder)
        published.append(desk.report(days[0]).folder)
        with world.changing():
            one["amount_due"], other["amount_due"] = was, "8000.00"
            plans[1]["updated_at"] = world.clock
            # A term that was due later is due the day before, and nothing came: it is newly missed.
            active = [row for row in world.payt.payment_plans if row["active"]]
            plan, term = next((p, t) for p in active for t in p["payment_terms"] if t["due_date"] > str(LAST))
            term["due_date"], plan["updated_at"] = str(days[1]), world.clock
        desk.sandbox.faults.add(faults.status(403), provider="totality", times=faults.FOREVER)
        published.append(desk.run(days[2]).folder)
        # Published later under the same knowledge: the last day did not look back on them.
        published += [desk.report(LAST - timedelta(days=back)).folder for back in (7, 40)]
        yield desk, published


@pytest.mark.slow
def test_every_published_report_comes_out_the_same_under_its_own_known_at(history):
    desk, published = history
    assert states(desk, published[0]) == {"NEW"}
    assert {"NEW", "ONGOING"} <= states(desk, published[1]), "breaks must have a life, or nothing is shown"
    assert {"RESOLVED", "ONGOING", "NEW"} <= states(desk, published[3])
    [register] = [desk.query("SELECT count(*), max(as_of) FROM v_breaks")]
    for folder in published:
        as_of = date.fromisoformat(folder.parent.name.removeprefix("as_of="))
        again = desk.report(as_of, known_at=known_at(folder)).folder
        assert again != folder
        assert files(again) == files(folder)
    assert [desk.query("SELECT count(*), max(as_of) FROM v_breaks")] == [register]


@pytest.mark.slow
def test_newly_missed_are_the_plans_with_more_missed_terms_than_on_the_day_published_before(history):
    """A report of a day before the newest one has no history of plans, and is compared with nothing later."""
    desk, published = history
    told = [json.loads((folder / "summary.json").read_text()) for folder in published]
    first, second = (str(LAST - timedelta(days=back)) for back in (2, 1))
    assert [one.get("compared_with") for one in told] == [None, first, None, second, None, None]
    found = []
    for now, was in ((1, 0), (3, 1)):
        before = {
            (row["provider"], row["plan_id"]): int(row["missed_terms"]) for row in desk.rows("plans", published[was])
        }
        more = [
            row
            for row in desk.rows("plans", published[now])
            if row["is_in_force"] == "true"
            and int(row["missed_terms"]) > before.get((row["provider"], row["plan_id"]), 0)
        ]
        lines = [line for line in told[now]["work_lists"] if line["work_list"] == "NEWLY_MISSED"]
        assert sum(line["plans"] for line in lines) == len(more)
        found.append(len(more))
        page = (published[now] / "report.html").read_text(encoding="utf-8")
        assert f'<h2 id="since">Since {told[now]["compared_with"]}</h2>' in page
        shown = page.partition('data-list="newly-missed"')[2].partition("</table>")[0]
        assert shown.count("<tr data-provider") == len(more)
    assert any(found)
