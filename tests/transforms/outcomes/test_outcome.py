"""Outcomes of plans: the worked example day by day, each rule, cures, and what the provider did."""

from datetime import date

import pytest

from schemas.core import PAUSES
from schemas.options import Options, OutcomeRules, Tolerance
from transforms.delinquency.pauses import Pauses
from transforms.outcomes.rates import kept_rates

SOON = date(2025, 1, 1)


def months(*due: str, amount: int = 100_00) -> list[dict[str, object]]:
    return [{"due_date": date.fromisoformat(day), "amount_minor": amount} for day in due]


def paid(day: str, amount: int, **more: object) -> dict[str, object]:
    return {"effective_date": date.fromisoformat(day), "amount_minor": amount * 100, **more}


def outcome(case, day: str, rules: OutcomeRules | None = None, options: Options | None = None, **more):
    plan = case.plan(date.fromisoformat(day), options, rules=rules or OutcomeRules(), **more)
    return plan["outcome"]


# as of, outcome without grace, outcome with five days of grace
EXAMPLE = [
    ("2025-03-01", "ON_TRACK", "ON_TRACK"),
    ("2025-04-01", "ON_TRACK", "ON_TRACK"),
    ("2025-04-02", "AT_RISK", "ON_TRACK"),
    ("2025-04-06", "AT_RISK", "ON_TRACK"),
    ("2025-04-07", "AT_RISK", "AT_RISK"),
    ("2025-05-01", "AT_RISK", "AT_RISK"),
    ("2025-05-02", "BROKEN", "AT_RISK"),
    ("2025-05-06", "BROKEN", "AT_RISK"),
    ("2025-05-07", "BROKEN", "BROKEN"),
    ("2025-05-09", "BROKEN", "BROKEN"),
    ("2025-05-10", "CURED", "CURED"),
    ("2025-06-01", "CURED", "CURED"),
    ("2025-06-02", "AT_RISK", "CURED"),
    ("2025-06-06", "AT_RISK", "CURED"),
    ("2025-06-07", "AT_RISK", "AT_RISK"),
]


@pytest.mark.parametrize(("day", "without", "with_five"), EXAMPLE)
def test_outcomes_of_the_worked_example(golden, day, without, with_five) -> None:
    for grace, expected in ((0, without), (5, with_five)):
        assert outcome(golden, day, options=Options(grace_days=grace)) == expected


def test_days_of_the_worked_example(golden) -> None:
    plan = golden.plan(date(2025, 6, 7), Options(grace_days=5))
    told = (plan["broken_at"], plan["cured_at"], plan["redefaulted_at"], plan["kept_so_far"])
    assert told == (date(2025, 5, 7), date(2025, 5, 10), None, False)
    assert golden.plan(date(2025, 5, 9), Options())["broken_at"] == date(2025, 5, 2)
    assert golden.plan(date(2025, 5, 9), Options())["cured_at"] is None


def test_kept_so_far_is_unknown_before_the_first_deadline(golden) -> None:
    kept = [golden.plan(date.fromisoformat(day))["kept_so_far"] for day in ("2025-03-01", "2025-03-02", "2025-04-02")]
    assert kept == [None, True, False]


def test_kept_figures_of_the_worked_example(golden) -> None:
    # at 7 June the deadlines 6 April, 6 May and 6 June lie in the 90 days before; that of 6 March in the year before
    rows = golden.at(date(2025, 6, 7), Options(grace_days=5)).kept.to_dicts()
    found = {row["window_days"]: row for row in rows}
    # 60.00 of term 2 by 6 April, nothing of term 3 by 6 May and of term 4 by 6 June
    assert [found[90][name] for name in ("evaluated", "kept", "partly_kept")] == [3, 0, 1]
    assert (found[90]["paid_minor"], found[90]["payable_minor"]) == (60_00, 300_00)
    assert [(found[days]["evaluated"], found[days]["kept"]) for days in (7, 30)] == [(1, 0), (1, 0)]
    year = kept_rates(golden.at(date(2025, 6, 7), Options(grace_days=5)).kept).row(-1, named=True)
    assert [year[name] for name in ("window_days", "evaluated", "kept", "partly_kept", "broken")] == [365, 4, 1, 1, 2]
    assert (year["kept_rate_count_ppm"], year["kept_rate_amount_ppm"]) == (250_000, 400_000)


def test_a_plan_that_breaks_again_after_its_cure_is_a_redefault_and_cured_again(make) -> None:
    due = months("2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01", "2025-06-01")
    case = make.case(due=due, paid=[paid("2025-03-10", 200), paid("2025-05-20", 200)])
    days = ("2025-03-02", "2025-03-10", "2025-04-02", "2025-05-02", "2025-05-20", "2025-06-02")
    assert [outcome(case, day) for day in days] == ["BROKEN", "CURED", "AT_RISK", "REDEFAULT", "CURED", "AT_RISK"]
    plan = case.plan(date(2025, 6, 2))
    told = (plan["broken_at"], plan["cured_at"], plan["redefaulted_at"])
    assert told == (date(2025, 3, 2), date(2025, 3, 10), date(2025, 5, 2))


def test_a_plan_with_every_term_satisfied_is_kept_even_after_a_cure(make) -> None:
    case = make.case(due=months("2025-02-01", "2025-03-01"), paid=[paid("2025-03-10", 200)])
    assert [outcome(case, day) for day in ("2025-03-09", "2025-03-10")] == ["BROKEN", "KEPT"]
    assert case.plan(date(2025, 3, 10))["cured_at"] == date(2025, 3, 10)


def test_a_reversal_makes_the_days_between_count(make) -> None:
    # satisfied in time, returned on 10 March: from then on both terms are late
    back = {"class": "reversed", "reversed_on": date(2025, 3, 10), "reversed_amount_minor": 200_00}
    case = make.case(due=months("2025-02-01", "2025-03-01", "2025-09-01"), paid=[paid("2025-02-01", 200, **back)])
    days = ("2025-03-09", "2025-03-10", "2025-04-01")
    assert [outcome(case, day) for day in days] == ["ON_TRACK", "BROKEN", "BROKEN"]
    plan = case.plan(date(2025, 4, 1))
    assert (plan["broken_at"], plan["kept_so_far"]) == (date(2025, 3, 10), False)


def test_money_that_went_back_after_a_cure_breaks_the_plan_again(make) -> None:
    back = {"class": "reversed", "reversed_on": date(2025, 4, 10), "reversed_amount_minor": 200_00}
    case = make.case(due=months("2025-02-01", "2025-03-01", "2025-09-01"), paid=[paid("2025-03-20", 200, **back)])
    days = ("2025-03-05", "2025-03-20", "2025-04-09", "2025-04-10")
    assert [outcome(case, day) for day in days] == ["BROKEN", "CURED", "CURED", "REDEFAULT"]


def test_consecutive_terms_have_to_be_late_at_one_time_and_next_to_each_other(make) -> None:
    # the second is paid by name, the first and the third are not
    due = months("2025-02-01", "2025-03-01", "2025-04-01", "2025-09-01")
    due[1]["linked_payment_no"] = 0
    case = make.case(due=due, paid=[paid("2025-03-01", 100)])
    assert outcome(case, "2025-04-02") == "AT_RISK"
    assert outcome(case, "2025-04-02", OutcomeRules(consecutive_missed=0, total_late=2)) == "BROKEN"
    assert outcome(case, "2025-04-01", OutcomeRules(consecutive_missed=0, total_late=2)) == "AT_RISK"


def test_three_in_a_row_need_three(golden) -> None:
    three = OutcomeRules(consecutive_missed=3)
    assert outcome(golden, "2025-05-09", three) == "AT_RISK"


@pytest.mark.parametrize(
    ("options", "last_good"),
    [
        (Options(), "2025-04-11"),  # due on 1 April, ten days past due
        (Options(grace_days=5, grace_mode="SHIFT"), "2025-04-16"),
        (Options(grace_days=12, grace_mode="GATE"), "2025-04-13"),
        # business days after 1 April 2025 in the Netherlands: ten up to 15 April
        (Options(day_basis="BUSINESS"), "2025-04-15"),
    ],
    ids=["calendar", "shift", "gate", "business"],
)
def test_days_past_due_are_counted_as_they_are_shown(golden, options, last_good) -> None:
    rules = OutcomeRules(consecutive_missed=0, days_past_due=10)
    good = date.fromisoformat(last_good)
    shown = [golden.plan(day, options) for day in (good, good.replace(day=good.day + 1))]
    assert [plan["days_past_due"] > 10 for plan in shown] == [False, True]
    broken = [golden.plan(day, options, rules=rules)["broken_at"] for day in (good, good.replace(day=good.day + 1))]
    assert broken == [None, good.replace(day=good.day + 1)]


def test_a_term_that_was_paid_in_time_for_the_rule_breaks_no_plan_on_a_later_day(make) -> None:
    # twenty days late, then the next one is; thirty days after the first both would have been too old
    case = make.case(due=months("2025-04-01", "2025-04-26"), paid=[paid("2025-04-21", 100)])
    rules = OutcomeRules(consecutive_missed=0, days_past_due=30)
    assert [outcome(case, day, rules) for day in ("2025-05-02", "2025-05-26", "2025-05-27")] == [
        *("AT_RISK", "AT_RISK", "BROKEN"),
    ]


def test_paused_days_do_not_break_a_plan(golden) -> None:
    import polars as pl

    rules = OutcomeRules(consecutive_missed=0, days_past_due=10)
    rows = [{"plan_no": 0, "pause_start": date(2025, 4, 3), "pause_end": date(2025, 4, 8)}]
    paused = PAUSES.gate(pl.DataFrame(rows, schema=dict(PAUSES.dtypes), orient="row"))
    pauses = Pauses(paused, paused)
    days = ("2025-04-16", "2025-04-17")
    assert [outcome(golden, day, rules, pauses=pauses) for day in days] == ["AT_RISK", "BROKEN"]


def test_a_share_of_the_plan_that_is_late_breaks_it(golden) -> None:
    # 40.00 of 400.00 is late from 5 April on, 140.00 from 2 May on; before 5 April it was 100.00
    rules = OutcomeRules(consecutive_missed=0, overdue_share_ppm=250_000)
    assert [outcome(golden, day, rules) for day in ("2025-04-04", "2025-05-01", "2025-05-02")] == [
        "AT_RISK",
        "AT_RISK",
        "BROKEN",
    ]
    rules = OutcomeRules(consecutive_missed=0, overdue_share_ppm=249_999)
    assert golden.plan(date(2025, 4, 10), rules=rules)["broken_at"] == date(2025, 4, 2)


def test_probation_asks_for_terms_paid_in_time_after_the_break(make) -> None:
    due = months(*(f"2025-{month:02}-01" for month in range(2, 11)))
    in_time = [paid(f"2025-{month:02}-01", 100) for month in (4, 5, 7, 8)]
    case = make.case(due=due, paid=[paid("2025-03-10", 200), *in_time, paid("2025-06-20", 100)])
    rules = OutcomeRules(probation=2)
    days = ("2025-03-10", "2025-04-30", "2025-05-01", "2025-06-02")
    assert [outcome(case, day, rules) for day in days] == ["BROKEN", "BROKEN", "CURED", "AT_RISK"]
    assert case.plan(date(2025, 6, 2), rules=rules)["cured_at"] == date(2025, 5, 1)


def test_a_late_term_begins_probation_anew(make) -> None:
    due = months(*(f"2025-{month:02}-01" for month in range(2, 11)))
    money = [paid("2025-03-10", 200), paid("2025-04-01", 100), paid("2025-05-09", 100)]
    money += [paid("2025-06-01", 100), paid("2025-07-01", 100)]
    case = make.case(due=due, paid=money)
    days = ("2025-05-01", "2025-06-01", "2025-06-30", "2025-07-01")
    rules = OutcomeRules(probation=2)
    assert [outcome(case, day, rules) for day in days] == ["BROKEN", "BROKEN", "BROKEN", "CURED"]


PROVIDER = [
    ({"is_active": False, "proposed_on": SOON}, "PROPOSED"),
    ({"is_active": False, "proposed_on": SOON, "rejected_on": SOON}, "REJECTED"),
    ({"is_active": False, "deleted_on": date(2025, 2, 20)}, "CANCELLED"),
    ({"is_active": False, "deactivated_on": date(2025, 2, 20)}, "CANCELLED"),
]


@pytest.mark.parametrize(("plan", "expected"), PROVIDER, ids=lambda value: value if isinstance(value, str) else "")
def test_what_the_provider_did_comes_first(make, plan, expected) -> None:
    case = make.case(plan=plan, due=months("2025-02-01", "2025-03-01", "2025-04-01"))
    assert outcome(case, "2025-04-10") == expected


def test_a_plan_that_its_provider_ended_is_broken_on_request_and_kept_if_nothing_remained(make) -> None:
    ended = {"is_active": False, "deactivated_on": date(2025, 2, 20)}
    asked = OutcomeRules(provider_deactivated=True)
    case = make.case(plan=ended, due=months("2025-02-01", "2025-03-01"), paid=[paid("2025-02-01", 100)])
    assert outcome(case, "2025-02-19", asked) == "ON_TRACK"
    assert outcome(case, "2025-02-20", asked) == "BROKEN"
    assert case.plan(date(2025, 4, 1), rules=asked)["broken_at"] == date(2025, 2, 20)
    paid_off = make.case(plan=ended, due=months("2025-02-01", "2025-03-01"), paid=[paid("2025-02-01", 200)])
    assert outcome(paid_off, "2025-02-20", asked) == "KEPT"


def test_a_replaced_plan_is_superseded_not_broken(make) -> None:
    old = {"is_active": False, "ended_on": date(2025, 3, 20)}
    new = {"account_no": 0, "created_on": date(2025, 3, 20)}
    case = make.case(plan=[old, new], due=months("2025-02-01", "2025-03-01"))
    assert case.at(date(2025, 4, 1)).plans["outcome"].to_list() == ["SUPERSEDED", "ON_TRACK"]


def test_a_tolerance_keeps_a_short_term_from_breaking_the_plan(make) -> None:
    case = make.case(due=months("2025-02-01", "2025-03-01"), paid=[paid("2025-02-01", 90)])
    options = Options(tolerance=Tolerance.parse("FFIEC90"))
    assert [outcome(case, "2025-03-02"), outcome(case, "2025-03-02", options=options)] == ["BROKEN", "AT_RISK"]


def test_a_balance_kept_by_the_provider_is_judged_by_the_day_it_gives(make) -> None:
    due = [
        {**row, "provider_outstanding_minor": 0, "provider_paid_on": date(2025, 3, 10)}
        for row in months("2025-02-01", "2025-03-01")
    ] + [{**row, "provider_outstanding_minor": 100_00} for row in months("2025-09-01")]
    case = make.case(plan={"basis": "PROVIDER_BALANCE", "updated_on": date(2025, 3, 10)}, due=due)
    days = ("2025-02-02", "2025-03-02", "2025-03-10")
    assert [outcome(case, day) for day in days] == ["AT_RISK", "BROKEN", "CURED"]


@pytest.mark.parametrize(("day", "there", "near"), [(10, 29, False), (11, 29, True), (21, 59, True), (21, 60, False)])
def test_too_little_of_the_next_term_is_an_early_warning(make, day, there, near) -> None:
    # three checkpoints between 1 and 31 January, for a term of 90.00 each
    case = make.case(due=months("2025-01-31", amount=90_00), paid=[paid("2025-01-02", there)])
    plan = case.plan(date(2025, 1, day), rules=OutcomeRules(checkpoints=3))
    assert ("NEAR_BREAK" in plan["flags"]) is near
    assert "NEAR_BREAK" not in case.plan(date(2025, 1, day))["flags"]


def test_money_that_may_still_be_returned_is_told_apart(make) -> None:
    # 10 March 2025 is a Monday, the money of Friday is one business day old
    case = make.case(due=months("2025-03-07", "2025-03-03"), paid=[paid("2025-03-03", 100), paid("2025-03-07", 100)])
    row = case.at(date(2025, 3, 10)).kept.to_dicts()[0]
    assert (row["kept"], row["firm_kept"], row["paid_minor"], row["firm_paid_minor"]) == (2, 1, 200_00, 100_00)
    row = case.at(date(2025, 3, 11)).kept.to_dicts()[-1]
    assert (row["kept"], row["firm_kept"]) == (2, 2)


def test_money_that_went_back_keeps_no_term(make) -> None:
    back = {"class": "partly_reversed", "reversed_on": date(2025, 3, 10), "reversed_amount_minor": 60_00}
    case = make.case(due=months("2025-03-03"), paid=[paid("2025-03-03", 100, **back), paid("2025-03-20", 60)])
    row = case.at(date(2025, 3, 25)).kept.to_dicts()[-1]
    assert (row["evaluated"], row["kept"], row["partly_kept"], row["paid_minor"]) == (1, 0, 1, 40_00)


def test_a_term_that_is_paid_as_the_next_becomes_overdue_ends_no_time_of_being_broken(make) -> None:
    # the first is paid on 3 February, the day after the second fell due: something was overdue on every day
    case = make.case(due=months("2025-01-20", "2025-02-02", "2025-09-01"), paid=[paid("2025-02-03", 100)])
    plan = case.plan(date(2025, 2, 10), rules=OutcomeRules(consecutive_missed=1))
    assert (plan["outcome"], plan["broken_at"], plan["cured_at"]) == ("BROKEN", date(2025, 1, 21), None)
