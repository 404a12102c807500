"""How people pay: the story of one plan before any provider writes it down.

A story is terms, settled payments and pending money, in minor units and civil
dates. Providers' rows are made from it elsewhere.
"""

import calendar
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

HABITS = ("punctual",) * 11 + ("late",) * 3 + ("ahead",) * 2 + ("parts",) * 2 + ("stopped",) * 2


class Ids:
    """Provider ids in ascending order, as text."""

    def __init__(self, first: int) -> None:
        self.last = first

    def next(self) -> str:
        """Return the next id."""
        self.last += 1
        return str(self.last)


@dataclass(slots=True)
class Story:
    """One plan's terms and money. `draw` is a random number for small choices further on."""

    created: date
    terms: list[tuple[date, int]]
    paid: list[tuple[date, int]] = field(default_factory=list)
    pending: list[tuple[date, int]] = field(default_factory=list)
    draw: int = 0
    anchor: int = 1
    habit: str = "punctual"


def last_day(year: int, month: int) -> int:
    """Return the number of the month's last day."""
    return calendar.monthrange(year, month)[1]


def month_after(day: date, months: int, anchor: int) -> date:
    """Return the anchor day, or the month's last, `months` months after the month of `day`."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(anchor, last_day(year, month)))


def monthly(first: date, anchor: int, amounts: Sequence[int]) -> list[tuple[date, int]]:
    """Return terms one anchored month apart from the month of `first` on."""
    return [(month_after(first, step, anchor), amount) for step, amount in enumerate(amounts)]


def split(total: int, count: int) -> list[int]:
    """Return `count` equal parts, the remainder on the last."""
    part = total // count
    return [part] * (count - 1) + [total - part * (count - 1)]


def uuid(draw: random.Random) -> str:
    """Return a random-looking version 4 UUID."""
    text = f"{draw.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def live(story: Story, as_of: date, draw: random.Random, *, gap: int = 28) -> Story:
    """Let somebody pay the story's terms up to `as_of`; `gap` is the least distance between two terms.

    Two payments of one amount are never closer than four days, so that nothing
    looks like a double.
    """
    story.habit = draw.choice(HABITS)
    story.draw = draw.getrandbits(30)
    due = [(day, amount) for day, amount in story.terms if day <= as_of]
    if story.habit == "stopped":
        due = due[: draw.randint(0, max(0, len(due) - 1))]
    for number, (day, amount) in enumerate(due):
        _pay(story, day, amount, draw, gap=gap, is_last=number == len(due) - 1)
    story.paid = sorted((day, amount) for day, amount in story.paid if day <= as_of)
    if draw.random() < 0.08:
        _wait(story, as_of, draw)
    return story


def _pay(story: Story, day: date, amount: int, draw: random.Random, *, gap: int, is_last: bool) -> None:
    late = draw.randint(3, 21) if story.habit == "late" and gap > 14 else draw.randint(-1, 1)
    when = max(story.created, day + timedelta(days=late))
    if story.habit == "parts" and amount > 10:
        first = amount * draw.randint(3, 8) // 10
        story.paid.append((when, first))
        if draw.random() < 0.7 and gap > 14:
            story.paid.append((when + timedelta(days=draw.randint(4, 9)), amount - first))
        return
    if story.habit == "ahead" and is_last:
        left = sum(value for _, value in story.terms) - sum(value for _, value in story.paid) - amount
        amount += min(left, amount // 2)
    story.paid.append((when, amount))


def _wait(story: Story, as_of: date, draw: random.Random) -> None:
    """Start a payment that has not settled: the next term's amount, or what is left."""
    left = sum(amount for _, amount in story.terms) - sum(amount for _, amount in story.paid)
    day = as_of - timedelta(days=draw.randint(0, 3))
    if left > 0 and day >= story.created:
        story.pending.append((day, min(left, story.terms[0][1])))


def oldest_first(story: Story) -> tuple[list[int], list[date | None]]:
    """Return what each term got, oldest due first, and the day it was full; None while it is not."""
    given, paid_on = [0] * len(story.terms), [None] * len(story.terms)  # type: tuple[list[int], list[date | None]]
    for day, amount in sorted(story.paid):
        left = amount
        for index, (_, needed) in enumerate(story.terms):
            part = min(left, needed - given[index])
            given[index] += part
            left -= part
            if part and given[index] == needed:
                paid_on[index] = day
    return given, paid_on
