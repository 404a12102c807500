"""Twenty thousand plans against a second schedule written from the definitions alone, and what holds for all of them."""

import random
from datetime import date, timedelta
from functools import cache
from typing import Any

import polars as pl
import pytest
from dateutil import rrule as rules_of_dateutil
from oracles import schedule_oracle, schedule_plans

from schemas.conventions import CHOICES, Conventions
from schemas.schedules import ARRANGEMENTS, CUSTOM_TERMS, EXPECTED_TERMS, PLAN_RULES
from transforms.calendars.closed_days import Calendar
from transforms.schedules.frequencies import FREQUENCIES
from transforms.schedules.regenerate import regenerate

PLANS = 20_000
PART = 2_000
"""So many of them, and one of every set of conventions, are made again where only the order or the trace differs."""
Row = dict[str, Any]


CALENDARS = {
    name: Calendar(
        each.get("country", ""), each.get("weekend", (6, 7)), tuple((day, "Fair") for day in each.get("days", ()))
    )
    for name, each in schedule_plans.CALENDARS.items()
}


def frame(plans: list[Row]) -> pl.DataFrame:
    rows = [tuple(plan[name] for name in PLAN_RULES.columns) for plan in plans]
    return PLAN_RULES.gate(pl.DataFrame(rows, schema=dict(PLAN_RULES.dtypes), orient="row"))


def listed(plans: list[Row]) -> pl.DataFrame:
    """The terms that plans list themselves, in the order of their lists."""
    rows = [(plan["plan_no"], number, *term) for plan in plans for number, term in enumerate(plan["listed"] or (), 1)]
    return CUSTOM_TERMS.gate(pl.DataFrame(rows, schema=dict(CUSTOM_TERMS.dtypes), orient="row"))


@cache
def portfolio() -> tuple[list[Row], pl.DataFrame]:
    draw = random.Random(20260630)
    named = schedule_plans.sets()
    plans = [schedule_plans.drawn(number, draw, list(named)) for number in range(PLANS)]
    conventions = {name: Conventions(**each) for name, each in named.items()}
    found = regenerate(frame(plans), listed(plans), conventions=conventions, calendars=CALENDARS)
    assert found.missing.is_empty()
    return plans, EXPECTED_TERMS.gate(found.terms)


def part() -> tuple[list[Row], pl.DataFrame]:
    plans, terms = portfolio()
    one_of_each = {plan["convention_set"]: plan["plan_no"] for plan in plans}
    numbers = {*range(PART), *one_of_each.values()}
    chosen = [plan for plan in plans if plan["plan_no"] in numbers]
    return chosen, terms.filter(pl.col("plan_no").is_in(numbers))


@pytest.mark.slow
def test_every_convention_that_can_be_chosen_is_drawn() -> None:
    chosen = schedule_plans.CONVENTIONS
    assert chosen == CHOICES
    chained = {name for chain in schedule_plans.CHAINS for name in chain}
    assert {*chosen, *chained} == set(Conventions.__dataclass_fields__)
    plans, _ = portfolio()
    assert {plan["frequency"] for plan in plans} == set(FREQUENCIES)
    assert {plan["arrangement"] for plan in plans} == set(ARRANGEMENTS)
    assert {plan["pattern"] or "DAY" for plan in plans} == {"DAY", "WEEKDAY"}


@pytest.mark.slow
@pytest.mark.fault(31)
def test_both_schedules_agree_on_every_term_of_twenty_thousand_plans_over_all_conventions() -> None:
    plans, terms = portfolio()
    named, closed = schedule_plans.sets(), {name: schedule_plans.holidays_of(name) for name in CALENDARS}
    expected = []
    for plan in plans:
        name = plan["calendar"]
        rows = schedule_oracle.schedule(
            plan | {"pattern": plan["pattern"] or "DAY"}, holidays=closed[name], weekend=CALENDARS[name].weekend,
            **named[plan["convention_set"]],
        )  # fmt: skip
        expected += [
            (plan["plan_no"], row["sequence"], row["nominal"], row["expected"], row["amount"], ";".join(row["notes"]))
            for row in rows
        ]
    actual = terms.drop("trace").rows()
    wrong = [(ours, theirs) for ours, theirs in zip(actual, expected, strict=False) if ours != theirs]
    assert not wrong, (len(wrong), wrong[0], next(plan for plan in plans if plan["plan_no"] == wrong[0][0][0]))
    assert len(actual) == len(expected) > 8 * PLANS


def test_the_amounts_of_every_plan_add_up_to_its_total() -> None:
    plans, terms = portfolio()
    sums = dict(
        terms.filter(pl.col("expected_amount_minor").is_not_null())
        .group_by("plan_no")
        .agg(pl.col("expected_amount_minor").sum())
        .rows()
    )
    assert sums == {plan["plan_no"]: plan["total_minor"] for plan in plans if plan["total_minor"] is not None}
    assert terms["expected_amount_minor"].drop_nulls().min() >= 0


def test_dates_never_decrease_unless_a_note_says_so_and_no_shift_is_silent() -> None:
    _, terms = portfolio()
    behind = (pl.col("expected_due_date").diff() < pl.duration(days=0)) & (pl.col("plan_no").diff() == 0)
    assert terms.filter(behind & ~pl.col("notes").str.contains("INVERSION")).is_empty()
    twice = terms.filter(pl.struct("plan_no", "expected_due_date").is_duplicated() & (pl.col("notes") == ""))
    assert twice.is_empty()
    moved = terms.filter(pl.col("nominal_due_date") != pl.col("expected_due_date"))
    assert moved.height > 1000
    last = pl.col("expected_due_date").dt.to_string("%Y-%m-%d")
    assert moved.filter(~pl.col("trace").str.contains(pl.concat_str(pl.lit(" to "), last), literal=True)).is_empty()


def test_no_date_drifts_from_its_anchor_unless_the_convention_chains_dates() -> None:
    plans, terms = portfolio()
    named = schedule_plans.sets()
    plain = {
        plan["plan_no"]: plan["days_in_period"]
        for plan in plans
        if plan["frequency"] == "DAYS"
        and plan["arrangement"] != "CUSTOM"
        and not ({"cascade", "drift"} & set(named[plan["convention_set"]]))
    }
    firsts = {plan["plan_no"]: plan["first_due_date"] for plan in plans}
    for number, sequence, nominal in terms.select("plan_no", "sequence", "nominal_due_date").iter_rows():
        if number in plain:
            assert nominal == firsts[number] + timedelta(days=plain[number] * (sequence - 1))


def test_the_same_rules_give_the_same_bytes_in_any_order_of_rows_and_alone() -> None:
    plans, terms = part()
    conventions = {name: Conventions(**each) for name, each in schedule_plans.sets().items()}
    backwards = regenerate(frame(plans[::-1]), listed(plans), conventions=conventions, calendars=CALENDARS).terms
    assert backwards.equals(terms)
    for plan in plans[:25]:
        alone = regenerate(frame([plan]), listed([plan]), conventions=conventions, calendars=CALENDARS).terms
        assert alone.equals(terms.filter(plan_no=plan["plan_no"]))


def test_without_a_trace_everything_else_is_the_same() -> None:
    plans, terms = part()
    conventions = {name: Conventions(**each) for name, each in schedule_plans.sets().items()}
    bare = regenerate(frame(plans), listed(plans), conventions=conventions, calendars=CALENDARS, with_trace=False).terms
    assert bare.drop("trace").equals(terms.drop("trace"))
    assert set(bare["trace"]) == {""}


def test_repeated_shifts_that_lead_far_never_run_out_of_dates() -> None:
    """Sundays moved a week on until a holiday ends it, then on from there: one of a million drawn plans found it."""
    plan = schedule_plans.drawn(0, random.Random(1), ["far"]) | {
        "plan_no": 0, "calendar": "NL", "arrangement": "NUMBER", "frequency": "SEMIMONTHLY", "pattern": "WEEKDAY",
        "first_due_date": date(2026, 6, 10), "first_weekday": 7, "second_weekday": 7, "first_week": 5, "second_week": 5,
        "term_count": 12, "term_amount_minor": None, "total_minor": 126, "weekend_shift": 7, "holiday_shift": 4,
    }  # fmt: skip
    how: Row = {"cascade": True, "shift_mode": "REPEAT", "shift_order": "HOLIDAY_FIRST"}
    means: Row = {"conventions": {"far": Conventions(**how)}, "calendars": CALENDARS}
    found = regenerate(frame([plan]), **means).terms
    other = schedule_oracle.schedule(plan, holidays=schedule_plans.holidays_of("NL"), **how)
    assert found["expected_due_date"].to_list() == [row["expected"] for row in other]
    assert (max(found["expected_due_date"]) - plan["first_due_date"]).days > 1000


# --- a third opinion ----------------------------------------------------------------------

WEEKDAYS = (
    rules_of_dateutil.MO, rules_of_dateutil.TU, rules_of_dateutil.WE, rules_of_dateutil.TH, rules_of_dateutil.FR,
    rules_of_dateutil.SA, rules_of_dateutil.SU,
)  # fmt: skip


def by_dateutil(plan: Row) -> list[date]:
    """The nominal dates by dateutil, under the default conventions."""
    start, count = plan["first_due_date"], plan["term_count"]
    common: Row = {"dtstart": start, "count": count}
    if plan["frequency"] in {"DAYS", "WEEKLY", "BIWEEKLY"}:
        step = {"DAYS": plan["days_in_period"], "WEEKLY": 7, "BIWEEKLY": 14}[plan["frequency"]]
        found = rules_of_dateutil.rrule(rules_of_dateutil.DAILY, interval=step, **common)
        return [moment.date() for moment in found]
    which = ["first", "second"] if plan["frequency"] == "SEMIMONTHLY" else ["first"]
    single = [month_rule(plan, name) for name in which]
    return sorted(moment.date() for rule in single for moment in rule)[:count]


def month_rule(plan: Row, name: str) -> rules_of_dateutil.rrule:
    common: Row = {"freq": rules_of_dateutil.MONTHLY, "dtstart": plan["first_due_date"], "count": plan["term_count"]}
    if plan["pattern"] == "WEEKDAY":
        week = plan[f"{name}_week"]
        weekday = WEEKDAYS[plan[f"{name}_weekday"] - 1](-1 if week == 5 else week)
        return rules_of_dateutil.rrule(byweekday=weekday, **common)
    day = plan[f"{name}_day"] or plan["first_due_date"].day
    # Days a month may lack: the last one there is of 28 to the day itself.
    days = {"bymonthday": range(28, day + 1), "bysetpos": -1} if day > 28 else {"bymonthday": day}
    return rules_of_dateutil.rrule(**common, **days)


@pytest.mark.parametrize("seed", [1, 2])
def test_dateutil_gives_the_same_nominal_dates_where_it_can_express_the_rule(seed: int) -> None:
    draw = random.Random(seed)
    plans = [
        schedule_plans.drawn(number, draw, ["p"]) | {"arrangement": "NUMBER", "total_minor": 100}
        for number in range(1000)
    ]
    found = regenerate(frame(plans), conventions={"p": Conventions()}, calendars=CALENDARS).terms
    dates = found.group_by("plan_no", maintain_order=True).agg("nominal_due_date")["nominal_due_date"].to_list()
    assert dates == [by_dateutil(plan) for plan in plans]
