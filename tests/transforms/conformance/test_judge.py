"""Plans beside what their own rules give: conformance, expected columns and nominal dates, on hand-made plans.

Each plan is monthly on the 25th, three terms of 100.00 from 25 April 2026, a day later on holidays, calendar US:
25 May 2026 is Memorial Day, so the rule gives 25 April, 26 May and 25 June.
"""

from datetime import date

import polars as pl
import pytest

from schemas.conventions import Conventions
from schemas.core import PAYMENTS, PLAN_ACCOUNTS, PLANS, TERMS
from schemas.options import Options, OutcomeRules
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.calendars.closed_days import Calendar
from transforms.conformance.judge import expect, judge, with_nominal_dates
from transforms.delinquency.pauses import NO_PAUSES
from transforms.judging import Judging
from transforms.location.locate import locate
from transforms.positions import compute

AS_OF = date(2026, 6, 1)
BY_RULE = (date(2026, 4, 25), date(2026, 5, 26), date(2026, 6, 25))
MEANS = {"conventions": {"p": Conventions()}, "calendars": {"p": Calendar("US")}}


def rows(table, *given):
    empty = dict.fromkeys(table.columns)
    return pl.DataFrame([empty | row for row in given], schema=dict(table.dtypes))


def plan(number, **changed):
    return {
        "plan_no": number, "provider": "p", "tenant_id": "t", "plan_id": f"P{number}", "account_no": number,
        "account_id": f"A{number}", "currency": "USD", "basis": "PAYMENTS", "created_on": date(2026, 4, 1),
        "is_active": True, "cadence": "MONTHLY", "anchor_day": 25,
    } | changed  # fmt: skip


def rule(number, **changed):
    return {
        "plan_no": number, "convention_set": "p", "calendar": "p", "currency": "USD", "arrangement": "NUMBER",
        "frequency": "MONTHLY", "pattern": "DAY", "first_due_date": date(2026, 4, 25), "first_day": 25, "term_count": 3,
        "total_minor": 30_000, "weekend_shift": 0, "holiday_shift": 1,
    } | changed  # fmt: skip


def terms(number, days, amounts=(10_000, 10_000, 10_000)):
    return [
        {"plan_no": number, "term_id": f"T{place}", "due_date": day, "amount_minor": amount}
        for place, (day, amount) in enumerate(zip(days, amounts, strict=True), 1)
    ]


def judged(plans, rules, given):
    frame = rows(TERMS, *given)
    options = {"p": Options(calendar="US")}
    located = locate(rows(PLANS, *plans), PAYMENTS.empty(), PLAN_ACCOUNTS.empty(), as_of=AS_OF, options=options)
    found = expect(frame, rows(PLAN_RULES, *rules), CUSTOM_TERMS.empty(), as_of=AS_OF, **MEANS)
    dated = with_nominal_dates(frame, found)
    positions = compute(located.plans, dated, located.payments, Judging(AS_OF, options, NO_PAUSES, OutcomeRules()))
    return judge(positions.plans, positions.terms, found, **MEANS)


def test_a_plan_that_keeps_its_rule_conforms_and_shows_both_dates():
    found = judged([plan(0)], [rule(0)], terms(0, BY_RULE))
    assert found.plans["conformance"].to_list() == ["CONFORMS"]
    assert found.terms["nominal_due_date"].to_list() == [date(2026, 4, 25), date(2026, 5, 25), date(2026, 6, 25)]
    assert found.terms["expected_due_date"].to_list() == list(BY_RULE)
    assert found.terms["expected_amount_minor"].to_list() == [10_000, 10_000, 10_000]
    assert found.differences.is_empty()


@pytest.mark.fault(31)
def test_a_forgotten_holiday_is_one_difference_with_its_reason():
    shown = (BY_RULE[0], date(2026, 5, 25), BY_RULE[2])
    found = judged([plan(0)], [rule(0)], terms(0, shown))
    assert found.plans["conformance"].to_list() == ["DIFFERS"]
    [difference] = found.differences.to_dicts()
    assert (difference["code"], difference["reason"], difference["difference_days"]) == (
        "DUE_DATE_DIFF", "HOLIDAY_SHIFT", -1,
    )  # fmt: skip


def test_without_the_total_only_the_dates_are_judged():
    found = judged([plan(0)], [rule(0, total_minor=None)], terms(0, BY_RULE, (1, 2, 3)))
    assert found.plans["conformance"].to_list() == ["DATES_ONLY"]
    assert found.terms["expected_amount_minor"].null_count() == 3


@pytest.mark.parametrize("missing", ["first_due_date", "term_count", "frequency"])
def test_a_missing_input_is_never_a_break(missing):
    found = judged([plan(0)], [rule(0, **{missing: None})], terms(0, BY_RULE))
    assert found.plans.select("conformance", "missing_input").rows() == [("NOT_REGENERABLE", missing)]
    assert found.differences.is_empty()


def test_a_plan_without_rules_or_not_in_force_is_not_judged():
    ended = plan(1, is_active=False, ended_on=date(2026, 5, 1))
    found = judged([plan(0), ended], [rule(1)], [*terms(0, BY_RULE), *terms(1, BY_RULE[:1], (10_000,))])
    assert found.plans["conformance"].to_list() == ["NOT_APPLICABLE", "NOT_APPLICABLE"]
    assert found.differences.is_empty()
    assert found.terms["nominal_due_date"].to_list() == [None, None, None, date(2026, 4, 25)]
    assert found.terms["expected_due_date"].to_list() == [None] * 4


def test_a_plan_that_one_other_convention_gives_whole_shows_its_terms_by_that_convention():
    # Daily from Friday 1 May; the provider moves weekends two days on, so the terms of Saturday and Sunday fall on
    # Monday and Tuesday, and Monday has the term of Saturday before its own.
    daily = rule(0, frequency="DAYS", days_in_period=1, first_due_date=date(2026, 5, 1), first_day=None, term_count=4)
    shown = (date(2026, 5, 1), date(2026, 5, 4), date(2026, 5, 4), date(2026, 5, 5))
    found = judged([plan(0)], [daily | {"total_minor": 40_000}], terms(0, shown, (10_000,) * 4))
    assert set(found.differences["reason"]) == {"WEEKEND_SHIFT"}
    assert [day.day for day in found.terms["expected_due_date"]] == [1, 2, 4, 3]


def test_a_missing_term_and_an_extra_one_keep_the_others_paired():
    shown = (BY_RULE[0], BY_RULE[1], BY_RULE[2], date(2026, 8, 20))
    found = judged([plan(0), plan(1)], [rule(0), rule(1)], [
        *terms(0, shown, (10_000, 10_000, 10_000, 5_000)), *terms(1, BY_RULE[:2], (10_000, 10_000)),
    ])  # fmt: skip
    codes = found.differences.select("plan_no", "code").sort("plan_no").rows()
    assert codes == [(0, "TERM_EXTRA"), (1, "TERM_MISSING")]
    assert found.terms.filter(pl.col("plan_no") == 0)["expected_due_date"].to_list() == [*BY_RULE, None]
