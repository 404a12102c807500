"""Plans drawn by seed over every frequency, pattern, arrangement, convention and calendar.

What the engine and the second schedule are both given, in plain values: it imports nothing of either.
"""

import itertools
import random
from datetime import date, timedelta
from typing import Any

import holidays

Row = dict[str, Any]

CONVENTIONS: dict[str, tuple[str, ...]] = {
    "remainder": ("LAST", "FIRST", "SPREAD"),
    "short_month": ("LAST_DAY", "OVERFLOW", "OVERFLOW_31"),
    "fifth_week": ("LAST", "SKIP", "NEXT"),
    "shift_order": ("WEEKEND_FIRST", "HOLIDAY_FIRST"),
    "shift_mode": ("ONCE", "REPEAT"),
    "collision": ("KEEP", "MERGE", "NEXT_DAY"),
}
CHAINS: tuple[Row, ...] = ({}, {"cascade": True}, {"drift": True})

CALENDARS: dict[str, Row] = {
    "US": {"country": "US"},
    "NL": {"country": "NL"},
    "friday": {"country": "GB", "weekend": (5, 6)},
    "own": {"days": (date(2025, 3, 3), date(2025, 3, 4), date(2026, 7, 3))},
}
"""By name: a country of the holidays library, weekend days other than Saturday and Sunday, days of one's own."""


def sets() -> dict[str, Row]:
    """Every combination of conventions, by a name of its own."""
    parts = itertools.product(*CONVENTIONS.values(), CHAINS)
    return {
        f"c{number}": dict(zip(CONVENTIONS, part[:-1], strict=True)) | part[-1] for number, part in enumerate(parts)
    }


def holidays_of(name: str) -> set[date]:
    """The closed days of a calendar, its weekends left out, over every year a drawn plan can reach."""
    described = CALENDARS[name]
    own = set(described.get("days", ()))
    if "country" not in described:
        return own
    return own | set(holidays.country_holidays(described["country"], years=range(2023, 2060)))


def drawn(number: int, draw: random.Random, names: list[str]) -> Row:
    """One plan: the columns of a plan's rules, and `listed` (date, amount) where it lists its own terms."""
    frequency = draw.choice(["DAYS", "WEEKLY", "BIWEEKLY", "SEMIMONTHLY", "MONTHLY", "MONTHLY"])
    by_weekday = frequency in {"MONTHLY", "SEMIMONTHLY"} and draw.random() < 0.4
    by_amount = draw.random() < 0.4
    total = None if draw.random() < 0.1 else draw.choice([draw.randint(1, 500), draw.randint(1, 900_000)])
    count = draw.choice([1, 2, 3, draw.randint(1, 30)])
    end_of_month = draw.choice([28, 29, 30, 31])
    plan = {
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
    return plan | given(plan, draw) if draw.random() < 0.05 else plan | {"listed": None}


def given(plan: Row, draw: random.Random) -> Row:
    """What a plan has that lists its own terms: a few dates, some of them twice, in any order."""
    days = [plan["first_due_date"] + timedelta(days=draw.choice([0, 1, 7, 30, 31])) for _ in range(draw.randint(1, 6))]
    listed = [(day, draw.randint(0, 90_000)) for day in days]
    return {"arrangement": "CUSTOM", "listed": listed, "total_minor": sum(amount for _, amount in listed)}
