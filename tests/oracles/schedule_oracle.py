"""A second schedule, one plan and one term at a time, in plain Python, written from the definitions alone.

Shares nothing with the product: dictionaries go in, a list of terms comes out. Slow on purpose.
"""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

Row = dict[str, Any]

DEFAULTS = {
    "remainder": "LAST", "short_month": "LAST_DAY", "fifth_week": "LAST", "shift_order": "WEEKEND_FIRST",
    "shift_mode": "ONCE", "cascade": False, "collision": "KEEP", "drift": False,
}  # fmt: skip


def schedule(plan: Row, *, holidays: set[date], weekend: tuple[int, ...] = (6, 7), **changed: Any) -> list[Row]:
    """Return sequence, nominal, expected, amount and notes of each term."""
    how = DEFAULTS | changed
    if plan["arrangement"] == "CUSTOM":
        # As given, by date; two of one day in the order of the list. No shift touches them.
        by_day = sorted(plan["listed"], key=lambda term: term[0])
        dates, amounts = [(day, day, False) for day, _ in by_day], [amount for _, amount in by_day]
    else:
        amounts = split(plan, how)
        dates = list(dated(plan, len(amounts), how, holidays, weekend))
    terms: list[Row] = []
    for number, (nominal, expected, cycles) in enumerate(dates, 1):
        notes = ["SHIFT_CYCLE"] if cycles else []
        terms.append(
            {
                "sequence": number,
                "nominal": nominal,
                "expected": expected,
                "amount": amounts[number - 1],
                "notes": notes,
            }
        )
    terms = collide(terms, how["collision"])
    for before, after in pairwise(terms):
        if after["expected"] < before["expected"]:
            after["notes"].append("INVERSION")
    return terms


# --- amounts ------------------------------------------------------------------------------


def split(plan: Row, how: Row) -> list[int | None]:
    total = plan["total_minor"]
    if plan["arrangement"] == "AMOUNT" and total is not None:
        left, amounts = total, []
        while left > 0:
            amounts.append(min(left, plan["term_amount_minor"]))
            left -= amounts[-1]
        return amounts
    count = plan["term_count"]
    if total is None:
        return [None] * count
    base, rest = divmod(total, count)
    amounts = [base] * count
    if how["remainder"] == "LAST":
        amounts[-1] += rest
    elif how["remainder"] == "FIRST":
        amounts[0] += rest
    else:
        for place in range(rest):
            amounts[place] += 1
    return amounts


# --- nominal dates ------------------------------------------------------------------------


def dated(
    plan: Row, count: int, how: Row, holidays: set[date], weekend: tuple[int, ...]
) -> Iterator[tuple[date, date, bool]]:
    def moved(day: date) -> tuple[date, bool]:
        return shift(day, plan, how, holidays, weekend)

    if how["cascade"]:
        yield from chained(plan, count, how, moved)
        return
    source = drifting(plan, count, how) if how["drift"] else islice(nominal_dates(plan, how), count)
    for day in source:
        yield (day, *moved(day))


def nominal_dates(plan: Row, how: Row) -> Iterator[date]:
    """Every nominal date from the anchor on, without end."""
    first, step = plan["first_due_date"], step_of(plan)
    if step:
        day = first
        while True:
            yield day
            day += timedelta(days=step)
    for month in range(first.year * 12 + first.month - 1, 9999 * 12):
        yield from (day for day in sorted(month_dates(plan, how, month // 12, month % 12 + 1)) if day >= first)


def step_of(plan: Row) -> int | None:
    return {"DAYS": plan["days_in_period"], "WEEKLY": 7, "BIWEEKLY": 14}.get(plan["frequency"])


def month_dates(plan: Row, how: Row, year: int, month: int) -> list[date]:
    which = ["first", "second"] if plan["frequency"] == "SEMIMONTHLY" else ["first"]
    if plan["pattern"] == "WEEKDAY":
        days = [nth(year, month, plan[f"{name}_week"], plan[f"{name}_weekday"], how["fifth_week"]) for name in which]
        return [day for day in days if day is not None]
    return [month_day(year, month, *day_rule(plan, name, how)) for name in which]


def day_rule(plan: Row, name: str, how: Row) -> tuple[int, int]:
    """The day of the month, and by how many days it runs over into the next month where a month lacks it."""
    stated = plan[f"{name}_day"]
    day = stated or plan["first_due_date"].day
    overflows = how["short_month"] == "OVERFLOW_31" or (how["short_month"] == "OVERFLOW" and stated != 31)
    return day, int(overflows)


def month_day(year: int, month: int, day: int, runs_over: int) -> date:
    length = calendar.monthrange(year, month)[1]
    if day <= length:
        return date(year, month, day)
    return date(year, month, length) + timedelta(days=runs_over)


def nth(year: int, month: int, week: int, weekday: int, fifth: str) -> date | None:
    days = [
        day
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
        if date(year, month, day).isoweekday() == weekday
    ]
    if week <= len(days):
        return date(year, month, days[week - 1])
    last = date(year, month, days[-1])
    return {"LAST": last, "SKIP": None, "NEXT": last + timedelta(days=7)}[fifth]


def drifting(plan: Row, count: int, how: Row) -> list[date]:
    per_month = {"MONTHLY": 1, "SEMIMONTHLY": 2}.get(plan["frequency"], 0)
    plain = list(islice(nominal_dates(plan, how), count))
    if per_month == 0 or plan["pattern"] == "WEEKDAY":
        return plain
    days = plain[:per_month]
    while len(days) < count:
        back = days[-per_month]
        following = back.year * 12 + back.month
        days.append(month_day(following // 12, following % 12 + 1, back.day, int(how["short_month"] != "LAST_DAY")))
    return days[:count]


def chained(plan: Row, count: int, how: Row, moved: Any) -> Iterator[tuple[date, date, bool]]:
    step = step_of(plan)
    if step:
        day = plan["first_due_date"]
        for _ in range(count):
            expected, cycles = moved(day)
            yield day, expected, cycles
            day = expected + timedelta(days=step)
    elif plan["frequency"] == "MONTHLY" and plan["pattern"] == "DAY":
        rule, (day, month) = day_rule(plan, "first", how), first_month(plan, how)
        for _ in range(count):
            expected, cycles = moved(day)
            yield day, expected, cycles
            if expected != day:
                rule, month = (
                    (expected.day, int(how["short_month"] != "LAST_DAY")),
                    expected.year * 12 + expected.month - 1,
                )
            month += 1
            day = month_day(month // 12, month % 12 + 1, *rule)
    else:
        after = date.min
        dates = nominal_dates(plan, how)
        for _ in range(count):
            # Two dates of a rule may fall on one day; only a shift makes the plan skip what it passed.
            day = next(dates)
            while day <= after:
                day = next(dates)
            expected, cycles = moved(day)
            yield day, expected, cycles
            after = max(day, expected) if expected != day else date.min


def first_month(plan: Row, how: Row) -> tuple[date, int]:
    """The first date of a monthly plan, and the month whose date it is."""
    first = plan["first_due_date"]
    month = first.year * 12 + first.month - 1
    while (day := month_day(month // 12, month % 12 + 1, *day_rule(plan, "first", how))) < first:
        month += 1
    return day, month


# --- shifts -------------------------------------------------------------------------------


def shift(day: date, plan: Row, how: Row, holidays: set[date], weekend: tuple[int, ...]) -> tuple[date, bool]:
    steps = [
        (plan["weekend_shift"], lambda day: day.isoweekday() in weekend),
        (plan["holiday_shift"], lambda day: day in holidays),
    ]
    if how["shift_order"] == "HOLIDAY_FIRST":
        steps.reverse()
    nominal, seen, moves = day, {day}, 0
    while True:
        for by, falls in steps:
            if by and falls(day):
                day += timedelta(days=by)
                if how["shift_mode"] == "REPEAT" and day in seen:
                    return nominal, True
                seen.add(day)
        moves += 1
        if how["shift_mode"] == "ONCE" or not any(by and falls(day) for by, falls in steps):
            return day, False
        if moves >= 40:
            return nominal, True


# --- two terms on one day -----------------------------------------------------------------


def collide(terms: list[Row], convention: str) -> list[Row]:
    if convention == "NEXT_DAY":
        taken: set[date] = set()
        for term in terms:
            if term["expected"] in taken:
                term["notes"].append("COLLISION")
            while term["expected"] in taken:
                term["expected"] += timedelta(days=1)
            taken.add(term["expected"])
        return terms
    kept: list[Row] = []
    for term in terms:
        same = next((other for other in kept if other["expected"] == term["expected"]), None)
        others = [other for other in terms if other["expected"] == term["expected"]]
        if len(others) > 1 and "COLLISION" not in term["notes"]:
            term["notes"].append("COLLISION")
        if convention == "MERGE" and same is not None:
            if same["amount"] is not None:
                same["amount"] += term["amount"]
            continue
        kept.append(term)
    return kept
