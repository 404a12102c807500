"""What becomes of plans from fetch to fetch, through the whole: gone, back again, changed after they were agreed."""

import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from sandbox.worlds import scenarios

CODES = ("PLAN_MUTATED", "PLAN_REAPPEARED", "PLAN_VANISHED")


@pytest.fixture
def today():
    return datetime.now(ZoneInfo("Europe/Amsterdam")).date()


def told(desk):
    rows = [row for row in desk.rows("breaks") if row["code"] in CODES]
    return {(row["code"], row["plan_id"], row["term_id"]): row for row in rows if row["state"] != "RESOLVED"}


@pytest.mark.slow
def test_a_plan_that_is_gone_and_a_term_that_changed_are_breaks_until_they_are_as_before(desk, today):
    desk = desk(scenarios.generate(seed=5, plans=60, as_of=date(2026, 6, 30))).without("payiq")
    desk.configure(gates={"change_share": 1}).run(today)
    assert told(desk) == {}
    plans = {row["plan_id"]: row for row in desk.rows("plans") if row["status"] == "ACTIVE"}
    lms, payt = desk.world.totality, desk.world.payt
    before = copy.deepcopy((lms.payment_plans, lms.scheduled_payments))
    gone = next(row["uuid"] for row in lms.payment_plans if row["uuid"] in plans)
    left = plans[gone]["outstanding"]
    plan = next(row for row in payt.payment_plans if row["id"] in plans)
    term = plan["payment_terms"][-1]
    was = (term["due_date"], Decimal(term["total_amount"]))
    with desk.world.changing():
        lms.payment_plans[:] = [row for row in lms.payment_plans if row["uuid"] != gone]
        lms.scheduled_payments[:] = [row for row in lms.scheduled_payments if row["paymentPlanUuid"] != gone]
        term["due_date"] = str(date.fromisoformat(was[0]) + timedelta(days=9))
        plan["updated_at"] = f"{datetime.now(tz=ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%SZ}"
    desk.run(today)
    found = told(desk)
    assert set(found) == {("PLAN_VANISHED", gone, ""), ("PLAN_MUTATED", plan["id"], term["id"])}
    assert f" {left} " in found["PLAN_VANISHED", gone, ""]["explanation"]
    changed = found["PLAN_MUTATED", plan["id"], term["id"]]
    assert (changed["expected"], changed["actual"]) == (f"{was[1]} on {was[0]}", f"{was[1]} on {term['due_date']}")
    assert (changed["difference"], changed["difference_days"]) == ("0.00", "9")

    with desk.world.changing():
        lms.payment_plans[:], lms.scheduled_payments[:] = before
        term["due_date"] = was[0]
        plan["updated_at"] = f"{datetime.now(tz=ZoneInfo('UTC')) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    desk.run(today)
    assert {key[:2] for key in told(desk)} == {("PLAN_REAPPEARED", gone)}
