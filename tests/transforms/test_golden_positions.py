"""The worked example of every figure, at its twelve dates."""

from datetime import date

import pytest

from schemas.options import Options

# as of, amount due, overdue, past five days of grace, remaining, days past due, MBA, OTS, open per term
TABLE = [
    ("2025-03-01", 0, 0, 0, 300, 0, 0, 0, (0, 100, 100, 100)),
    ("2025-04-01", 100, 0, 0, 300, 0, 0, 0, (0, 100, 100, 100)),
    ("2025-04-02", 100, 100, 0, 300, 1, 0, 0, (0, 100, 100, 100)),
    ("2025-04-05", 40, 40, 0, 240, 4, 0, 0, (0, 40, 100, 100)),
    ("2025-04-30", 40, 40, 40, 240, 29, 1, 0, (0, 40, 100, 100)),
    ("2025-05-01", 140, 40, 40, 240, 30, 1, 1, (0, 40, 100, 100)),
    ("2025-05-02", 140, 140, 40, 240, 31, 1, 1, (0, 40, 100, 100)),
    ("2025-05-09", 140, 140, 140, 240, 38, 1, 1, (0, 40, 100, 100)),
    ("2025-05-10", 0, 0, 0, 100, 0, 0, 0, (0, 0, 0, 100)),
    ("2025-06-01", 100, 0, 0, 100, 0, 0, 0, (0, 0, 0, 100)),
    ("2025-06-06", 100, 100, 0, 100, 5, 0, 0, (0, 0, 0, 100)),
    ("2025-06-07", 100, 100, 100, 100, 6, 0, 0, (0, 0, 0, 100)),
]
# as of, states without grace, states with five days of grace
STATES = [
    ("2025-03-01", "ON_TIME NOT_DUE NOT_DUE NOT_DUE", "ON_TIME NOT_DUE NOT_DUE NOT_DUE"),
    ("2025-04-01", "ON_TIME DUE_TODAY NOT_DUE NOT_DUE", "ON_TIME DUE_TODAY NOT_DUE NOT_DUE"),
    ("2025-04-02", "ON_TIME MISSED NOT_DUE NOT_DUE", "ON_TIME IN_GRACE NOT_DUE NOT_DUE"),
    ("2025-04-05", "ON_TIME PARTIAL NOT_DUE NOT_DUE", "ON_TIME IN_GRACE NOT_DUE NOT_DUE"),
    ("2025-04-06", "ON_TIME PARTIAL NOT_DUE NOT_DUE", "ON_TIME IN_GRACE NOT_DUE NOT_DUE"),
    ("2025-04-07", "ON_TIME PARTIAL NOT_DUE NOT_DUE", "ON_TIME PARTIAL NOT_DUE NOT_DUE"),
    ("2025-04-30", "ON_TIME PARTIAL NOT_DUE NOT_DUE", "ON_TIME PARTIAL NOT_DUE NOT_DUE"),
    ("2025-05-01", "ON_TIME PARTIAL DUE_TODAY NOT_DUE", "ON_TIME PARTIAL DUE_TODAY NOT_DUE"),
    ("2025-05-02", "ON_TIME PARTIAL MISSED NOT_DUE", "ON_TIME PARTIAL IN_GRACE NOT_DUE"),
    ("2025-05-09", "ON_TIME PARTIAL MISSED NOT_DUE", "ON_TIME PARTIAL MISSED NOT_DUE"),
    ("2025-05-10", "ON_TIME LATE LATE NOT_DUE", "ON_TIME LATE LATE NOT_DUE"),
    ("2025-06-01", "ON_TIME LATE LATE DUE_TODAY", "ON_TIME LATE LATE DUE_TODAY"),
    ("2025-06-06", "ON_TIME LATE LATE MISSED", "ON_TIME LATE LATE IN_GRACE"),
    ("2025-06-07", "ON_TIME LATE LATE MISSED", "ON_TIME LATE LATE MISSED"),
]
WORDS = {"ON_TIME": "PAID_ON_TIME", "LATE": "PAID_LATE", "PARTIAL": "PARTIAL_OVERDUE"}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
@pytest.mark.parametrize("grace", [0, 5])
def test_figures_of_the_worked_example(golden, row, grace) -> None:
    day, due, overdue, past_grace, remaining, days, mba, ots, still_open = row
    found = golden.at(date.fromisoformat(day), Options(grace_days=grace))
    plan = found.plans.row(0, named=True)
    assert plan["amount_due_minor"] == due * 100
    assert plan["overdue_minor"] == overdue * 100
    assert plan["overdue_past_grace_minor"] == (past_grace if grace else overdue) * 100
    assert plan["outstanding_minor"] == remaining * 100
    assert (plan["days_past_due"], plan["mba_months"], plan["ots_months"]) == (days, mba, ots)
    assert tuple(found.terms["outstanding_minor"] // 100) == still_open


@pytest.mark.parametrize(("day", "without", "with_five"), STATES)
def test_states_of_the_worked_example(golden, day, without, with_five) -> None:
    for grace, expected in ((0, without), (5, with_five)):
        found = golden.at(date.fromisoformat(day), Options(grace_days=grace)).terms["state"].to_list()
        assert found == [WORDS.get(word, word) for word in expected.split()]


def test_term_two_is_39_days_late_and_term_three_9(golden) -> None:
    terms = golden.at(date(2025, 6, 7), Options(grace_days=5)).terms
    assert terms["days_late"].to_list() == [0, 39, 9, 6]
    assert terms["satisfied_on"].to_list() == [date(2025, 3, 1), date(2025, 5, 10), date(2025, 5, 10), None]


def test_counts_and_next_due_of_the_worked_example(golden) -> None:
    plan = golden.plan(date(2025, 5, 9), Options(grace_days=5))
    assert (plan["terms"], plan["terms_satisfied"], plan["missed_terms"], plan["delinquent_terms"]) == (4, 1, 1, 2)
    assert (plan["next_due_date"], plan["next_due_amount_minor"]) == (date(2025, 6, 1), 100_00)
    assert plan["oldest_unpaid_due_date"] == date(2025, 4, 1)
    assert plan["unapplied_minor"] == 0
    assert plan["status"] == "ACTIVE"


def test_thirty_days_are_in_the_first_expected_loss_bucket_and_thirty_one_are_not(golden) -> None:
    options = Options(bucket_set="IFRS")
    assert golden.plan(date(2025, 5, 1), options)["bucket"] == "0-30"
    assert golden.plan(date(2025, 5, 2), options)["bucket"] == "31-90"


def test_a_reversal_known_later_restates_the_earlier_day(golden, make) -> None:
    """The 60.00 go back with effect on the day they came."""
    paid = golden.payments.to_dicts()
    paid[1] |= {"class": "reversed", "reversed_on": date(2025, 4, 5), "reversed_amount_minor": 60_00}
    restated = make.Case(golden.plans, golden.terms, make.payments(*paid), golden.plan_accounts)
    plan = restated.plan(date(2025, 4, 30))
    assert (plan["overdue_minor"], plan["days_past_due"]) == (100_00, 29)
    found = restated.at(date(2025, 5, 20))
    assert found.plans.row(0, named=True)["overdue_minor"] == 60_00
    assert found.plans.row(0, named=True)["days_past_due"] == 19
    assert found.terms["outstanding_minor"].to_list() == [0, 0, 60_00, 100_00]
