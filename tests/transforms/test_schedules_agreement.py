"""Twenty thousand plans against a second schedule written from the definitions alone, and what holds for all of them."""

import importlib.util
import itertools
import random
import sys
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import holidays
import polars as pl
import pytest
from dateutil import rrule as rules_of_dateutil

from schemas.conventions import (
    COLLISIONS,
    FIFTH_WEEKS,
    REMAINDERS,
    SHIFT_MODES,
    SHIFT_ORDERS,
    SHORT_MONTHS,
    Conventions,
)
from schemas.schedules import EXPECTED_TERMS, PLAN_RULES
from transforms.closed_days import Calendar
from transforms.schedules import regenerate

PLANS = 20_000
Row = dict[str, Any]

CALENDARS = {
    "US": Calendar("US"),
    "NL": Calendar("NL"),
    "friday": Calendar("GB", weekend=(5, 6)),
    "own": Calendar(own_days=((date(2025, 3, 3), "Fair"), (date(2025, 3, 4), "Fair"), (date(2026, 7, 3), "Parade"))),
}


@cache
def oracle() -> ModuleType:
    path = Path(__file__).parents[1] / "oracles" / "schedule_oracle.py"
    spec = importlib.util.spec_from_file_location("schedule_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["schedule_oracle"] = module
    spec.loader.exec_module(module)
    return module


def sets() -> dict[str, Row]:
    """Every combination of conventions, by a name of its own."""
    chains = [{}, {"cascade": True}, {"drift": True}]
    parts = itertools.product(REMAINDERS, SHORT_MONTHS, FIFTH_WEEKS, SHIFT_ORDERS, SHIFT_MODES, COLLISIONS, chains)
    names = ("remainder", "short_month", "fifth_week", "shift_order", "shift_mode", "collision")
    return {f"c{n}": dict(zip(names, part[:6], strict=True)) | part[6] for n, part in enumerate(parts)}


def holidays_of(name: str) -> set[date]:
    years = range(2023, 2060)
    library = {"US": "US", "NL": "NL", "friday": "GB"}
    if name in library:
        return set(holidays.country_holidays(library[name], years=years))
    return {date(2025, 3, 3), date(2025, 3, 4), date(2026, 7, 3)}


def drawn(number: int, draw: random.Random, names: list[str]) -> Row:
    frequency = draw.choice(["DAYS", "WEEKLY", "BIWEEKLY", "SEMIMONTHLY", "MONTHLY", "MONTHLY"])
    by_weekday = frequency in {"MONTHLY", "SEMIMONTHLY"} and draw.random() < 0.4
    by_amount = draw.random() < 0.4
    total = None if draw.random() < 0.1 else draw.choice([draw.randint(1, 500), draw.randint(1, 900_000)])
    count = draw.choice([1, 2, 3, draw.randint(1, 30)])
    end_of_month = draw.choice([28, 29, 30, 31])
    return {
        "plan_no": number * 3,
        "convention_set": draw.choice(names),
        "calendar": draw.choice(list(CALENDARS)),
        "currency": "EUR",
        "arrangement": "AMOUNT" if by_amount else "NUMBER",
        "frequency": frequency,
        "pattern": "WEEKDAY" if by_weekday else draw.choice(["DAY", None]),
        "days_in_period": draw.choice([1, 2, 3, draw.randint(1, 90)]) if frequency == "DAYS" else None,
        "first_due_date": date(2024, 1, 1) + timedelta(days=draw.randint(0, 1000)),
        "first_day": None if draw.random() < 0.4 else draw.choice([draw.randint(1, 31), end_of_month]),
        "second_day": draw.choice([draw.randint(1, 31), end_of_month]),
        "first_weekday": draw.randint(1, 7),
        "second_weekday": draw.randint(1, 7),
        "first_week": draw.choice([5, draw.randint(1, 5)]),
        "second_week": draw.choice([5, draw.randint(1, 5)]),
        "term_count": count,
        "term_amount_minor": max(1, (total or 5) // draw.randint(1, 30)) if by_amount else None,
        "total_minor": total,
        "weekend_shift": draw.choice([0, 1, -1, 2, -2, draw.randint(-9, 9)]),
        "holiday_shift": draw.choice([0, 1, -1, draw.randint(-9, 9)]),
        "missing_input": None,
    }


def frame(plans: list[Row]) -> pl.DataFrame:
    return PLAN_RULES.gate(pl.DataFrame(plans, schema=dict(PLAN_RULES.dtypes), orient="row"))


@cache
def portfolio() -> tuple[list[Row], pl.DataFrame]:
    draw = random.Random(20260630)
    named = sets()
    plans = [drawn(number, draw, list(named)) for number in range(PLANS)]
    conventions = {name: Conventions(**each) for name, each in named.items()}
    found = regenerate(frame(plans), conventions=conventions, calendars=CALENDARS)
    assert found.missing.is_empty()
    return plans, EXPECTED_TERMS.gate(found.terms)


def test_both_schedules_agree_on_every_term_of_twenty_thousand_plans_over_all_conventions() -> None:
    plans, terms = portfolio()
    named, closed = sets(), {name: holidays_of(name) for name in CALENDARS}
    expected = []
    for plan in plans:
        name = plan["calendar"]
        rows = oracle().schedule(
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
    named = sets()
    plain = {
        plan["plan_no"]: plan["days_in_period"]
        for plan in plans
        if plan["frequency"] == "DAYS" and not ({"cascade", "drift"} & set(named[plan["convention_set"]]))
    }
    firsts = {plan["plan_no"]: plan["first_due_date"] for plan in plans}
    for number, sequence, nominal in terms.select("plan_no", "sequence", "nominal_due_date").iter_rows():
        if number in plain:
            assert nominal == firsts[number] + timedelta(days=plain[number] * (sequence - 1))


def test_the_same_rules_give_the_same_bytes_in_any_order_of_rows_and_alone() -> None:
    plans, terms = portfolio()
    conventions = {name: Conventions(**each) for name, each in sets().items()}
    backwards = regenerate(frame(plans[::-1]), conventions=conventions, calendars=CALENDARS).terms
    assert backwards.equals(terms)
    for plan in plans[:50]:
        alone = regenerate(frame([plan]), conventions=conventions, calendars=CALENDARS).terms
        assert alone.equals(terms.filter(plan_no=plan["plan_no"]))


def test_without_a_trace_everything_else_is_the_same() -> None:
    plans, terms = portfolio()
    conventions = {name: Conventions(**each) for name, each in sets().items()}
    bare = regenerate(frame(plans), conventions=conventions, calendars=CALENDARS, with_trace=False).terms
    assert bare.drop("trace").equals(terms.drop("trace"))
    assert set(bare["trace"]) == {""}


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
    plans = [drawn(number, draw, ["p"]) | {"arrangement": "NUMBER", "total_minor": 100} for number in range(1000)]
    found = regenerate(frame(plans), conventions={"p": Conventions()}, calendars=CALENDARS).terms
    dates = found.group_by("plan_no", maintain_order=True).agg("nominal_due_date")["nominal_due_date"].to_list()
    assert dates == [by_dateutil(plan) for plan in plans]
