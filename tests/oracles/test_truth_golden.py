"""The slow answer reproduces the worked example, typed here by hand."""

from datetime import date

import pytest
from oracles.model import Options
from oracles.truth import truth

from sandbox.worlds.golden import TOTALITY_PAYMENTS, golden, golden_reversed

# as of, amount due, overdue, past grace (5 days), remaining, days past due, MBA, OTS, open per term
TABLE = """
2025-03-01   0   0   0  300   0  0  0  0/100/100/100
2025-04-01 100   0   0  300   0  0  0  0/100/100/100
2025-04-02 100 100   0  300   1  0  0  0/100/100/100
2025-04-05  40  40   0  240   4  0  0  0/40/100/100
2025-04-30  40  40  40  240  29  1  0  0/40/100/100
2025-05-01 140  40  40  240  30  1  1  0/40/100/100
2025-05-02 140 140  40  240  31  1  1  0/40/100/100
2025-05-09 140 140 140  240  38  1  1  0/40/100/100
2025-05-10   0   0   0  100   0  0  0  0/0/0/100
2025-06-01 100   0   0  100   0  0  0  0/0/0/100
2025-06-06 100 100   0  100   5  0  0  0/0/0/100
2025-06-07 100 100 100  100   6  0  0  0/0/0/100
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
GRACE = Options(grace_days=5)


def of(rows, provider):
    return [row for row in rows if row["provider"] == provider]


@pytest.mark.parametrize("provider", ["totality", "payiq"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_day_of_the_table_comes_out(provider, row):
    answer = truth(golden(), date.fromisoformat(row[0]), GRACE)
    [plan] = of(answer["plans"], provider)
    figures = ("amount_due", "overdue", "overdue_past_grace", "outstanding")
    assert [plan[name] for name in figures] == [f"{value}.00" for value in row[1:5]]
    assert [str(plan[name]) for name in ("days_past_due", "mba_months", "ots_months")] == row[5:8]
    left = [term["outstanding"].removesuffix(".00") for term in of(answer["terms"], provider)]
    assert "/".join(left) == row[8]
    assert answer["breaks"] == []


@pytest.mark.parametrize("row", ROWS[:3] + ROWS[8:], ids=lambda row: row[0])
def test_a_provider_balance_agrees_where_no_term_was_paid_in_parts(row):
    [plan] = of(truth(golden(), date.fromisoformat(row[0]), GRACE)["plans"], "payt")
    assert [plan[name] for name in ("amount_due", "overdue", "outstanding")] == [f"{row[i]}.00" for i in (1, 2, 4)]
    assert [str(plan[name]) for name in ("days_past_due", "mba_months", "ots_months")] == row[5:8]
    assert plan["unapplied"] is None


def test_a_provider_balance_holds_a_term_open_in_full_until_its_payment_date():
    [plan] = of(truth(golden(), date(2025, 4, 30))["plans"], "payt")
    assert (plan["amount_due"], plan["outstanding"], plan["days_past_due"]) == ("100.00", "300.00", 29)


@pytest.mark.parametrize(
    ("day", "bucket"), [(date(2025, 4, 1), "0-30"), (date(2025, 5, 1), "0-30"), (date(2025, 5, 2), "31-90")]
)
def test_thirty_days_are_still_in_the_first_bucket_of_the_accounting_set(day, bucket):
    [plan] = of(truth(golden(), day, Options(bucket_set="IFRS"))["plans"], "totality")
    assert plan["bucket"] == bucket


def test_the_second_term_is_partly_overdue_after_grace_and_paid_late():
    def second(day):
        return of(truth(golden(), day, GRACE)["terms"], "totality")[1]

    assert second(date(2025, 4, 6))["state"] == "IN_GRACE"
    assert second(date(2025, 4, 7))["state"] == "PARTIAL_OVERDUE"
    paid = second(date(2025, 5, 10))
    assert (paid["state"], paid["satisfied_on"], paid["days_late"]) == ("PAID_LATE", "2025-05-10", 39)
    third = of(truth(golden(), date(2025, 5, 10), GRACE)["terms"], "totality")[2]
    assert (third["state"], third["days_late"]) == ("PAID_LATE", 9)


def test_a_return_takes_the_second_term_back_and_leaves_sixty_on_the_third():
    def plan(world, day):
        return of(truth(world, day)["plans"], "totality")[0]

    restated = plan(golden_reversed(), date(2025, 4, 30))
    assert (restated["overdue"], restated["days_past_due"]) == ("100.00", 29)
    on_the_day = plan(golden_reversed(), date(2025, 5, 20))
    assert (on_the_day["overdue"], on_the_day["days_past_due"]) == ("60.00", 19)
    assert plan(golden(), date(2025, 4, 30))["overdue"] == "40.00"
    rows = truth(golden_reversed(), date(2025, 5, 20))["payments"]
    [back] = [row for row in rows if row["payment_id"] == TOTALITY_PAYMENTS[1]]
    assert (back["class"], back["reversed_on"], back["reversed_amount"]) == ("reversed", "2025-04-05", "60.00")
    assert back["allocated"] == "0.00"


@pytest.mark.parametrize(("mode", "days"), [("NONE", 6), ("SHIFT", 1), ("GATE", 6)])
def test_grace_modes_count_six_one_and_six_on_the_seventh(mode, days):
    [plan] = of(truth(golden(), date(2025, 6, 7), Options(grace_days=5, grace_mode=mode))["plans"], "totality")
    assert plan["days_past_due"] == days
