"""The terms of one plan at the close of every day: what each had received, and since when it was satisfied.

Which terms count, and whose money it is, is read as of the last day: what a provider took back was
never asked for. On each day the money that had come by then, less what had gone back, is laid on the
terms anew. Where the provider keeps the balance, a term it gives no day for was paid on the day of its version.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from oracles.judge import Standing, TermView, allocate
from oracles.model import Options


@dataclass(frozen=True, slots=True)
class Rules:
    """When a plan is broken and cured; 0 is off. `share` is in millionths of the plan."""

    consecutive: int = 2
    total: int = 0
    days: int = 0
    share: int = 0
    deactivated: bool = False
    probation: int = 0
    return_days: int = 2


@dataclass(slots=True)
class Day:
    """The terms of a plan that count at the close of one day: what each has received, and since when it is satisfied."""

    on: date
    views: list[TermView]
    given: dict[int, int]
    since: dict[int, date | None]

    def is_satisfied(self, view: TermView) -> bool:
        """Tell whether no more than the tolerance is open."""
        return self.since[view.number] is not None

    def past_due(self, grace: int = 0) -> list[TermView]:
        """Return the terms that are open after their due date and the days of grace."""
        return [view for view in self.views if not self.is_satisfied(view) and (self.on - view.term.due).days > grace]


def replayed(standing: Standing, options: Options) -> Iterable[Day]:
    """Yield every day from the plan's creation to the standing's own."""
    plan, copy = standing.plan, replace(standing)
    views = [view for view in standing.terms if not view.over]
    since: dict[int, date | None] = dict.fromkeys((view.number for view in views), None)
    moves = {day for payment in standing.money for day in (payment.effective, payment.reversed_on)}
    given: dict[int, int] = {}
    day = plan.created
    while day <= standing.on:
        if day == plan.created or day in moves or plan.basis == "PROVIDER_BALANCE":
            given = received(copy, day, options)
        for view in views:
            if view.payable - given[view.number] > view.limit:
                since[view.number] = None
            elif since[view.number] is None:
                since[view.number] = day
        yield Day(day, views, dict(given), dict(since))
        day += timedelta(days=1)


def received(standing: Standing, day: date, options: Options) -> dict[int, int]:
    """Return what each term had received at the close of `day`, by its number."""
    if standing.plan.basis == "PAYMENTS":
        return allocate(replace(standing), day, options)
    return {view.number: _stated(standing, view, day) for view in standing.terms}


def _stated(standing: Standing, view: TermView, day: date) -> int:
    """Return what the provider's balance says had come; nothing of a satisfied term before it was paid."""
    if view.satisfied and day < paid_on(standing, view):
        return 0
    return view.received


def paid_on(standing: Standing, view: TermView) -> date:
    """Return the day on which a term is taken to be paid whose balance the provider keeps."""
    told = view.term.updated or standing.plan.updated or standing.on
    return view.satisfied_on or min(told, standing.on)
