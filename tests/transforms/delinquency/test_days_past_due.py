"""Days past due under every option: grace, business days, where counting starts, pauses."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from schemas.core import PAUSES
from schemas.options import Options
from transforms.delinquency.pauses import Pauses

APRIL = date(2025, 4, 1)


def pauses(*spans: tuple[date, date | None], plan_no: int = 0) -> Pauses:
    rows = [{"plan_no": plan_no, "pause_start": start, "pause_end": end} for start, end in spans]
    told = pl.DataFrame(rows, schema=dict(PAUSES.dtypes))
    return Pauses(stopping=told, listed=told)


def late_term(make, *paid: tuple[date, int]):
    return make.case(
        due=[{"due_date": APRIL, "amount_minor": 100_00}, {"due_date": date(2025, 5, 1), "amount_minor": 100_00}],
        paid=[{"effective_date": day, "amount_minor": amount} for day, amount in paid],
    )


@pytest.mark.parametrize(
    ("mode", "day", "expected"),
    [("NONE", 7, 6), ("SHIFT", 7, 1), ("GATE", 7, 6), ("NONE", 6, 5), ("SHIFT", 6, 0), ("GATE", 6, 0), ("SHIFT", 3, 0)],
)
def test_grace_shifts_or_gates_the_days(make, mode, day, expected) -> None:
    options = Options(grace_days=5, grace_mode=mode)
    assert late_term(make).plan(date(2025, 4, day), options)["days_past_due"] == expected


def test_business_days_leave_weekends_and_holidays_out(make) -> None:
    """From Tuesday 1 April to Tuesday 29 April 2025: twenty days on which offices may open, less Good Friday and Easter Monday."""
    plan = late_term(make).plan(date(2025, 4, 29), Options(day_basis="BUSINESS", calendar="NL"))
    assert plan["days_past_due"] == 18
    assert plan["days_past_due_business"] == 18
    calendar = late_term(make).plan(date(2025, 4, 29), Options(calendar="NL"))
    assert (calendar["days_past_due"], calendar["days_past_due_business"]) == (28, 18)


def test_with_one_late_term_and_no_threshold_every_origin_agrees(make) -> None:
    for origin in ("OLDEST_UNPAID", "FIRST_ENTERED", "FIRST_MATERIAL"):
        assert late_term(make).plan(date(2025, 4, 20), Options(dpd_origin=origin))["days_past_due"] == 19


def test_first_entered_goes_on_while_the_oldest_term_changes(make) -> None:
    """The April term is paid on 2 May, a day after the May term fell due: never a day without arrears."""
    case = late_term(make, (date(2025, 5, 2), 100_00))
    assert case.plan(date(2025, 5, 10))["days_past_due"] == 9
    assert case.plan(date(2025, 5, 10), Options(dpd_origin="FIRST_ENTERED"))["days_past_due"] == 39


def test_first_entered_starts_again_after_a_day_without_arrears(make) -> None:
    case = late_term(make, (date(2025, 4, 30), 100_00))
    assert case.plan(date(2025, 5, 10), Options(dpd_origin="FIRST_ENTERED"))["days_past_due"] == 9


def material(amount: str, percent: str = "0") -> Options:
    return Options(dpd_origin="FIRST_MATERIAL", material_amount=Decimal(amount), material_percent=Decimal(percent))


def test_first_material_counts_from_the_day_the_overdue_money_exceeds_the_threshold(make) -> None:
    """100.00 are overdue from 2 April and not above 100.00; 200.00 are from 2 May."""
    assert late_term(make).plan(date(2025, 5, 1), material("100"))["days_past_due"] == 0
    assert late_term(make).plan(date(2025, 5, 10), material("100"))["days_past_due"] == 9
    assert late_term(make).plan(date(2025, 5, 10), material("99.99"))["days_past_due"] == 39


def test_both_thresholds_must_be_exceeded(make) -> None:
    """Half of what remains is overdue in April."""
    assert late_term(make).plan(date(2025, 4, 20), material("0", "50"))["days_past_due"] == 0
    assert late_term(make).plan(date(2025, 4, 20), material("0", "49.9"))["days_past_due"] == 19
    assert late_term(make).plan(date(2025, 4, 20), material("100", "1"))["days_past_due"] == 0


def test_falling_below_the_threshold_starts_the_count_again(make) -> None:
    case = late_term(make, (date(2025, 4, 10), 60_00))
    assert case.plan(date(2025, 4, 9), material("50"))["days_past_due"] == 8
    assert case.plan(date(2025, 4, 20), material("50"))["days_past_due"] == 0
    assert case.plan(date(2025, 5, 5), material("50"))["days_past_due"] == 4


def test_days_inside_a_pause_are_not_counted_and_its_end_day_is(make) -> None:
    """Late from 2 April; 5, 6 and 7 April are paused, 8 April is not."""
    case, span = late_term(make), pauses((date(2025, 4, 5), date(2025, 4, 8)))
    found = [case.plan(date(2025, 4, day), pauses=span)["days_past_due"] for day in (4, 5, 7, 8, 9)]
    assert found == [3, 3, 3, 4, 5]


def test_overlapping_pauses_count_once(make) -> None:
    day = date(2025, 4, 21)
    spans = [
        (date(2025, 4, 5), date(2025, 4, 12)),
        (date(2025, 4, 6), date(2025, 4, 8)),
        (date(2025, 4, 10), date(2025, 4, 15)),
    ]
    assert late_term(make).plan(day, pauses=pauses(*spans))["days_past_due"] == 20 - 10


def test_a_pause_before_the_first_late_day_and_one_of_another_plan_change_nothing(make) -> None:
    day = date(2025, 4, 21)
    before = pauses((date(2025, 3, 1), date(2025, 4, 2)))
    assert late_term(make).plan(day, pauses=before)["days_past_due"] == 20
    other = pauses((date(2025, 3, 1), date(2025, 4, 20)), plan_no=7)
    assert late_term(make).plan(day, pauses=other)["days_past_due"] == 20


def test_pauses_are_counted_in_business_days_where_days_past_due_are(make) -> None:
    """5 to 10 April paused: of these only Monday 7 to Thursday 10 are business days."""
    options = Options(day_basis="BUSINESS", calendar="NL")
    day, span = date(2025, 4, 14), pauses((date(2025, 4, 5), date(2025, 4, 11)))
    assert late_term(make).plan(day, options)["days_past_due"] == 9
    assert late_term(make).plan(day, options, pauses=span)["days_past_due"] == 5


def test_a_pause_without_an_end_lasts(make) -> None:
    case, span = late_term(make), pauses((date(2025, 4, 5), None))
    assert [case.plan(day, pauses=span)["days_past_due"] for day in (date(2025, 4, 4), date(2026, 4, 4))] == [3, 3]


def test_a_plan_is_flagged_from_the_first_day_of_its_pause_to_the_last(make) -> None:
    """A pause that is told and does not stop days flags the plan alone."""
    case, span = late_term(make), pauses((date(2025, 4, 5), date(2025, 4, 8)))
    told = replace(span, stopping=span.stopping.clear())
    found = [case.plan(date(2025, 4, day), pauses=told) for day in (4, 5, 7, 8)]
    assert [plan["flags"] for plan in found] == ["", "PAUSED", "PAUSED", ""]
    assert [plan["days_past_due"] for plan in found] == [3, 4, 6, 7]


def random_plans(make, *, with_reversals: bool):
    """Forty plans with short terms and scattered money, none of them ending."""
    rng = random.Random(11)
    due, paid = [], []
    for plan in range(40):
        for step in range(rng.randint(1, 6)):
            day = date(2025, 1, 5) + timedelta(days=rng.randint(0, 60))
            due.append(
                {"plan_no": plan, "term_id": f"{plan}-{step}", "due_date": day, "amount_minor": rng.randint(0, 9)}
            )
        for _ in range(rng.randint(0, 6)):
            day = date(2025, 1, 1) + timedelta(days=rng.randint(0, 70))
            row = {
                "payment_no": len(paid),
                "account_no": plan,
                "effective_date": day,
                "amount_minor": rng.randint(1, 12),
            }
            if with_reversals and rng.random() < 0.3:
                row |= {"class": "reversed", "reversed_on": day + timedelta(days=rng.randint(0, 20))}
            paid.append(row)
            if rng.random() < 0.3:
                due[rng.randrange(len(due))]["linked_payment_no"] = row["payment_no"]
    return make.case(plan=[{}] * 40, due=due, paid=paid)


@pytest.mark.slow
def test_a_spell_is_the_run_of_days_over_the_threshold_that_ends_today(make) -> None:
    """Told from the overdue money of every single day before."""
    case = random_plans(make, with_reversals=True)
    thresholds = {0: Options(dpd_origin="FIRST_ENTERED"), 5: material("0.05")}
    streaks = {above: dict.fromkeys(range(40), 0) for above in thresholds}
    day = date(2025, 1, 4)
    while day <= date(2025, 3, 15):
        overdue = case.at(day).plans.select("plan_no", "overdue_minor")
        for above, streak in streaks.items():
            streak |= {plan: streak[plan] + 1 if money > above else 0 for plan, money in overdue.iter_rows()}
            if day.toordinal() % 9 == 0:
                found = case.at(day, thresholds[above]).plans.select("plan_no", "days_past_due")
                assert dict(found.iter_rows()) == streak
        day += timedelta(days=1)


@pytest.mark.parametrize("with_reversals", [False, True])
def test_the_origins_are_ordered(make, with_reversals) -> None:
    case = random_plans(make, with_reversals=with_reversals)
    for day in (date(2025, 2, 1), date(2025, 2, 20), date(2025, 3, 15)):
        found = {
            origin: case.at(day, replace(material("0.03"), dpd_origin=origin)).plans["days_past_due"]
            for origin in ("OLDEST_UNPAID", "FIRST_ENTERED", "FIRST_MATERIAL")
        }
        assert (found["FIRST_MATERIAL"] <= found["FIRST_ENTERED"]).all()
        if not with_reversals:
            assert (found["FIRST_ENTERED"] >= found["OLDEST_UNPAID"]).all()


def test_origins_of_provider_balances_follow_the_days_the_provider_gives(make) -> None:
    """The April term was paid on 5 May, when the May term had been late for four days."""
    case = make.case(
        plan={"basis": "PROVIDER_BALANCE", "approved_on": date(2025, 1, 1)},
        due=[
            {
                "due_date": APRIL,
                "amount_minor": 100_00,
                "provider_outstanding_minor": 0,
                "provider_paid_on": date(2025, 5, 5),
            },
            {"due_date": date(2025, 5, 1), "amount_minor": 100_00, "provider_outstanding_minor": 40_00},
        ],
    )
    assert case.plan(date(2025, 5, 10))["days_past_due"] == 9
    assert case.plan(date(2025, 5, 10), Options(dpd_origin="FIRST_ENTERED"))["days_past_due"] == 39


def test_origins_start_again_where_the_provider_says_that_nothing_was_late_in_between(make) -> None:
    """The April term was paid on 20 April: from then to 1 May nothing was late, and the May term has been for nine days."""
    paid = {"provider_outstanding_minor": 0, "provider_paid_on": date(2025, 4, 20)}
    case = make.case(
        plan={"basis": "PROVIDER_BALANCE", "approved_on": date(2025, 1, 1)},
        due=[
            {"due_date": APRIL, "amount_minor": 100_00} | paid,
            {"due_date": date(2025, 5, 1), "amount_minor": 100_00, "provider_outstanding_minor": 100_00},
        ],
    )
    for origin in ("OLDEST_UNPAID", "FIRST_ENTERED", "FIRST_MATERIAL"):
        assert case.plan(date(2025, 5, 10), Options(dpd_origin=origin))["days_past_due"] == 9
