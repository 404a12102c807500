"""Cash, exposure and the matrix of buckets of real runs equal the second answer, and what is not computed again stays right."""

import copy
import re
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from oracles import outlook
from oracles.model import Options
from oracles.truth import truth

from flows.configuration import load
from flows.steps.inputs import read_inputs
from flows.steps.past.look_back import LookBack
from sandbox.worlds import scenarios
from sql.core import images
from sql.earlier import touched_plans
from sql.warehouse import Warehouse
from transforms.outlook.roll import PLAN

BEFORE, AS_OF = date(2026, 5, 20), date(2026, 6, 30)
LABELS = ["0", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181-365", "366+"]
WHO = ("provider", "tenant_id", "currency")


@pytest.fixture(scope="module")
def looked_back(open_desk, tmp_path_factory):
    """A desk with a run as of a day in May, then money that came late to be known, then a run as of the end of June."""
    with open_desk(tmp_path_factory.mktemp("outlook"), scenarios.generate(seed=23, plans=120, as_of=AS_OF)) as desk:
        desk.configure(gates={"change_share": 1}, run={"grace_days": 3}, reports={"formats": ["csv", "html"]})
        desk.first = desk.run(BEFORE).folder
        lms = desk.world.totality
        with desk.world.changing():
            came = [row for row in lms.payments if row["status"] == "Completed"][::6]
            late = {
                "processedAt": "2026-05-11T09:30:00Z",
                "postedAt": "2026-05-11T09:30:00Z",
                "updatedAt": "2026-07-01T09:30:00Z",
            }
            lms.payments += [copy.deepcopy(row) | late | {"uuid": f"late-{row['uuid'][5:]}"} for row in came]
        folder = desk.run(AS_OF, full=True).folder
        yield desk, folder


@pytest.fixture(scope="module")
def answers(looked_back, closed):
    """The rows of the slow answer as of both days, by what the world holds now."""
    desk, _ = looked_back
    options = Options(holidays=closed, grace_days=3)
    return truth(desk.world, BEFORE, options), truth(desk.world, AS_OF, options)


def money(rows, key, *names):
    """The figures of report rows by key; money as decimals."""
    return {tuple(row[name] for name in key): tuple(Decimal(row[name] or 0) for name in names) for row in rows}


@pytest.mark.slow
def test_cash_equals_the_second_answer(looked_back, answers):
    desk, folder = looked_back
    rows, (_, now) = desk.rows("cash", folder), answers
    wanted = outlook.cash(now["plans"], now["terms"], AS_OF)
    found = money(rows, (*WHO, "horizon_days"), "scheduled", "arrears", "pending_covered")
    assert found == {(*key[:3], str(key[3])): value for key, value in wanted.items()}
    own = {tuple(row[name] for name in WHO): row for row in desk.rows("kept", folder) if row["window_days"] == "90"}
    for row in rows:
        kept = own[tuple(row[name] for name in WHO)]
        assert row["rate_from"] == ("SEGMENT" if int(kept["evaluated"]) >= 30 else "PORTFOLIO")
        if row["rate_from"] == "SEGMENT":
            assert (row["rate"], row["rate_terms"]) == (kept["kept_rate_amount"], kept["evaluated"])
        expected = Decimal(row["scheduled"]) * Decimal(row["rate"])
        assert Decimal(row["risk_adjusted"]) == expected.quantize(Decimal(row["scheduled"]), rounding="ROUND_HALF_EVEN")
    assert {row["rate_from"] for row in rows} == {"SEGMENT", "PORTFOLIO"}


def test_the_page_shows_the_rates_of_both_dates_as_the_reports_tell_them(looked_back):
    """The earlier date has no moves before it, the later one those from it; counts of tenants are added up."""
    desk, folder = looked_back
    source = (folder / "report.html").read_text("utf-8")
    drawn = re.findall(r'id="rates-(\w+)".*?<tbody>(.*?)</tbody>', source, re.DOTALL)
    found = {code: re.findall(r"<td[^>]*>([^<]*)</td>", table) for code, table in drawn}

    def share(part, whole):
        return f"{(Decimal(100 * part) / whole).quantize(Decimal('0.1'), 'ROUND_HALF_UP')}%" if whole else "\u2013"

    def kept(where, code):
        rows = [r for r in desk.rows("kept", where) if (r["currency"], r["window_days"]) == (code, "30")]
        return share(*(sum(int(row[name]) for row in rows) for name in ("kept", "evaluated")))

    for code, cells in found.items():
        moves = [r for r in desk.rows("roll", folder) if r["currency"] == code and r["from_bucket"] in LABELS]
        size = [int(row["plans"]) for row in moves]
        was = [LABELS.index(row["from_bucket"]) for row in moves]
        to = [LABELS.index(row["to_bucket"]) if row["to_bucket"] in LABELS else row["to_bucket"] for row in moves]
        rolled = sum(n for n, a, b in zip(size, was, to, strict=True) if b in range(a + 1, 9))
        cured = sum(n for n, a, b in zip(size, was, to, strict=True) if a and b in (0, "PAID_OFF"))
        late = sum(n for n, a in zip(size, was, strict=True) if a)
        now = [kept(folder, code), share(rolled, sum(size)), share(cured, late)]
        assert cells == [*now, kept(desk.first, code), "\u2013", "\u2013"], code
    assert len(found) > 1


def test_what_came_of_an_earlier_forecast_equals_the_second_answer(looked_back, answers, closed):
    desk, folder = looked_back
    options = Options(holidays=closed, grace_days=3)
    told = {row["id"]: date.fromisoformat(row["updated_at"][:10]) for row in desk.world.payt.payment_plans}
    first = {(*(row[n] for n in WHO), row["horizon_days"]): row for row in desk.rows("cash", desk.first)}
    rows = desk.rows("cash", folder)
    for days in (7, 14, 30):
        end = BEFORE + timedelta(days)
        later = truth(desk.world, end, options)
        came = outlook.came(later["plans"], answers[0]["terms"], later["terms"], (BEFORE, end), told)
        own = [row for row in rows if row["horizon_days"] == str(days)]
        for row in own:
            group = tuple(row[name] for name in WHO)
            assert row["backtest_as_of"] == str(BEFORE)
            assert row["backtest_forecast"] == first[*group, str(days)]["risk_adjusted"]
            assert Decimal(row["backtest_received"]) == came.get(group, 0)
            assert Decimal(row["backtest_error"]) == came.get(group, 0) - Decimal(row["backtest_forecast"])
        assert sum(came.values()) > 0
    assert {row["backtest_as_of"] for row in rows if row["horizon_days"] in {"0", "60", "90"}} == {""}


def test_exposure_equals_the_second_answer(looked_back, answers):
    desk, folder = looked_back
    rows = [row for row in desk.rows("exposure", folder) if row["metric"] not in {"UNAPPLIED", "ORPHANS"}]
    wanted = outlook.exposure(answers[1]["plans"])
    assert len(rows) == len(wanted)
    for row in rows:
        plans, amount, whole = wanted[*(row[name] for name in WHO), row["metric"]]
        assert Decimal(row["amount"]) == amount
        assert plans in {-1, int(row["plans"])}
        assert abs(Decimal(row["share"]) - amount / whole) <= Decimal("0.0000005")


def test_unapplied_money_is_that_of_all_plans_shown(looked_back, answers):
    desk, folder = looked_back
    wanted = Counter()
    for plan in answers[1]["plans"]:
        if plan["unapplied"] is not None and "VANISHED" not in (plan["flags"] or ""):
            wanted[tuple(plan[name] for name in WHO)] += Decimal(plan["unapplied"])
    rows = [row for row in desk.rows("exposure", folder) if row["metric"] == "UNAPPLIED"]
    assert {tuple(row[name] for name in WHO): Decimal(row["amount"]) for row in rows} == wanted
    assert sum(wanted.values()) > 0


def test_money_is_unapplied_since_the_oldest_payment_that_was_not_taken_whole(looked_back):
    desk, folder = looked_back
    wanted = {}
    for row in desk.rows("payments", folder):
        came = (
            row["class"] in {"received", "partly_reversed"}
            and row["is_money"] == "true"
            and row["effective_date"] <= str(AS_OF)
        )
        left = Decimal(row["amount"]) - Decimal(row["reversed_amount"] or 0) - Decimal(row["allocated"] or 0)
        if came and row["allocated"] and row["plan_id"] and left > 0:
            key = tuple(row[name] for name in ("provider", "tenant_id", "plan_id"))
            wanted[key] = min(row["effective_date"], wanted.get(key, "9"))
    found = {
        tuple(row[name] for name in ("provider", "tenant_id", "plan_id")): row["unapplied_since"]
        for row in desk.rows("plans", folder)
        if row["unapplied_since"]
    }
    assert found == wanted
    assert len(found) >= 3


def test_the_matrix_equals_the_second_answer_by_what_is_known_now(looked_back, answers):
    desk, folder = looked_back
    before, now = answers
    rows = desk.rows("roll", folder)
    wanted = outlook.roll(before["plans"], now["plans"], now["terms"], BEFORE)
    key = (*WHO, "from_as_of", "from_bucket", "to_bucket")
    assert money(rows, key, "plans", "opening") == wanted
    rates = outlook.rates(wanted, LABELS)
    names = ("roll_rate_count", "roll_rate_amount", "cure_rate_count", "cure_rate_amount")
    for row in rows:
        for name, rate in zip(names, rates[tuple(row[each] for each in key[:5])], strict=True):
            assert (row[name] == "") == (rate is None)
            assert rate is None or abs(Decimal(row[name]) - rate) <= Decimal("0.0000005")
    assert {row["to_bucket"] for row in rows} >= {"PAID_OFF", "0", "1-30"}


def test_plans_nothing_became_known_of_stay_as_they_were_written_and_that_is_right(looked_back, monkeypatch):
    """Of the store only the loans are read that money came late to be known for, by the world itself."""
    desk, _ = looked_back
    settings, seen = load(desk.file), {}

    def watch(name):
        read = getattr(images, name)
        monkeypatch.setattr(images, name, lambda *asked: seen.setdefault(name, read(*asked)))

    with Warehouse.open(
        desk.folder / "planrecon.duckdb", state_dir=desk.state_dir, folders=[desk.reports]
    ) as warehouse:
        con = warehouse.con
        known = con.sql("SELECT max(load_no) FROM meta.loads").fetchall()[0][0]
        inputs = read_inputs(con, known, as_of=AS_OF, settings=settings)
        looks = LookBack.of(con, inputs, settings=settings, reports_dir=desk.reports)
        touched = touched_plans(con, after=looks.runs[0].known_load, until=known)
        every = looks.computed_on(BEFORE, None).sort(PLAN)
        watch("plans")
        watch("payments")
        assert looks.plans_on(BEFORE).sort(PLAN).equals(every)
    assert 0 < touched.height < every.height // 2
    lms = desk.world.totality
    loans = {row["loanUuid"] for row in lms.payments if row["uuid"].startswith("late-")}
    assert set(seen["plans"]["plan_id"]) == {row["uuid"] for row in lms.payment_plans if row["loanUuid"] in loans}
    assert set(seen["payments"]["payment_id"]) == {row["uuid"] for row in lms.payments if row["loanUuid"] in loans}


@contextmanager
def looking(desk, settings):
    """Yield the look back from the end of June, by everything that is known."""
    with Warehouse.open(
        desk.folder / "planrecon.duckdb", state_dir=desk.state_dir, folders=[desk.reports]
    ) as warehouse:
        known = warehouse.con.sql("SELECT max(load_no) FROM meta.loads").fetchall()[0][0]
        inputs = read_inputs(warehouse.con, known, as_of=AS_OF, settings=settings)
        yield LookBack.of(warehouse.con, inputs, settings=settings, reports_dir=desk.reports)


def test_what_was_written_under_other_settings_is_computed_again(looked_back):
    desk, _ = looked_back
    settings = load(desk.file)
    other = settings.model_copy(update={"run": settings.run.model_copy(update={"bucket_set": "IFRS"})})
    with looking(desk, settings) as looks:
        written = looks.plans_on(BEFORE).sort(PLAN)
    with looking(desk, other) as looks:
        found = looks.plans_on(BEFORE).sort(PLAN)
        assert found.equals(looks.computed_on(BEFORE, None).sort(PLAN))
    assert set(found["bucket"]) - set(written["bucket"]), "the settings must matter"


def test_a_folder_without_its_seal_is_not_read_for_the_past(looked_back):
    """What a process left behind that was killed, or that somebody took files from, is no run."""
    desk, _ = looked_back
    seal, aside = desk.first / "manifest.json", desk.folder / "aside.json"
    with looking(desk, load(desk.file)) as looks:
        [run] = looks.runs
        assert looks._is_usable(run)
        seal.rename(aside)
        try:
            assert not looks._is_usable(run)
            assert looks.plans_on(BEFORE).sort(PLAN).equals(looks.computed_on(BEFORE, None).sort(PLAN))
        finally:
            aside.rename(seal)
