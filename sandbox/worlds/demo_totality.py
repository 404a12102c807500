"""Totality's awkward cases of the demo.

Every case is a loan of its own, so that one disagreement never hides another.
"""

import random
from datetime import date
from typing import Any

from sandbox.world import Row, World
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.generate_habits import uuid
from sandbox.worlds.generate_payt import stamp

CREATED = date(2026, 3, 5)
BALANCED_AT = "2026-06-29T22:00:00.000Z"
"""The loans' balances are of the day before the run: what they were when the plans were made was never seen."""
DUES = (date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1))


class _Cases:
    def __init__(self, world: World, draw: random.Random) -> None:
        self.book, self.draw = world.totality, draw

    def plan(self, dues: tuple[date, ...] = DUES, amount: int = 10_000, **changed: Any) -> Row:
        """Add a loan with a monthly plan of equal terms made on 5 March."""
        loan = changed.pop("loan", None)
        created = changed.pop("created", CREATED)
        if loan is None:
            loan = uuid(self.draw)
            made = totality.loan(loan, uuid(self.draw), amount * len(dues), date(2025, 9, 1), updatedAt=BALANCED_AT)
            self.book.loans.append(made)
        row = totality.plan(uuid(self.draw), loan, dues[0] if dues else DUES[0], created, **changed)
        row["numberOfPayments"] = max(1, len(dues))
        self.book.payment_plans.append(row)
        for due in dues:
            self.term(row, amount, due)
        return row

    def term(self, plan: Row, amount: int, due: date, **changed: Any) -> Row:
        """Add one scheduled payment."""
        row = totality.scheduled(uuid(self.draw), plan, amount, due, **changed)
        self.book.scheduled_payments.append(row)
        return row

    def terms(self, plan: Row) -> list[Row]:
        """Return the scheduled payments of a plan, in the order they were added."""
        return [row for row in self.book.scheduled_payments if row["paymentPlanUuid"] == plan["uuid"]]

    def pay(self, plan: Row, amount: int, day: date, **changed: Any) -> Row:
        """Add one completed payment on the plan's loan."""
        row = totality.payment(uuid(self.draw), plan["loanUuid"], amount, day, **changed)
        self.book.payments.append(row)
        return row

    def wait(self, plan: Row, amount: int, day: date, **changed: Any) -> Row:
        """Add one pending payment on the plan's loan."""
        row = totality.pending(uuid(self.draw), plan["loanUuid"], amount, day, **changed)
        self.book.payments.append(row)
        return row


def add_totality_cases(world: World, draw: random.Random) -> None:
    """Add every Totality case to `world`."""
    cases = _Cases(world, draw)
    _replaced(cases)
    _ended(cases)
    _returned(cases)
    _pending(cases)
    _doubles(cases)
    _links(cases)
    _totals(cases)
    _moments(cases)
    _orphans(cases)
    _refused(cases)
    _shifts(cases)


def _replaced(cases: _Cases) -> None:
    """A plan replaced by deletion, one replaced with its terms kept, and two that both claim to be active."""
    replaced = stamp(date(2026, 5, 12))
    old = cases.plan(isActive=False, updatedAt=replaced)
    paid = cases.pay(old, 10_000, date(2026, 4, 1))
    first, *others = cases.terms(old)
    first["paymentUuid"] = paid["uuid"]
    cases.book.scheduled_payments = [row for row in cases.book.scheduled_payments if row not in others]
    cases.plan((date(2026, 6, 12), date(2026, 7, 12)), 15_000, loan=old["loanUuid"], created=date(2026, 5, 12))
    cases.pay(old, 15_000, date(2026, 6, 12))
    kept = cases.plan(isActive=False, updatedAt=replaced)
    cases.pay(kept, 6_000, date(2026, 4, 20))
    cases.plan((date(2026, 6, 12), date(2026, 7, 12)), 17_000, loan=kept["loanUuid"], created=date(2026, 5, 12))
    cases.pay(kept, 4_000, date(2026, 5, 12))
    twice = cases.plan()
    cases.pay(twice, 10_000, date(2026, 4, 1))
    cases.plan((date(2026, 6, 20), date(2026, 7, 20)), 15_000, loan=twice["loanUuid"], created=date(2026, 6, 5))
    cases.pay(twice, 15_000, date(2026, 6, 20))


def _ended(cases: _Cases) -> None:
    """Plans that were switched off, deleted, left without terms, or paid and never closed."""
    off = cases.plan(isActive=False, updatedAt=stamp(date(2026, 5, 20)))
    cases.pay(off, 13_000, date(2026, 4, 2))
    cases.plan((), isActive=False, updatedAt=stamp(date(2026, 4, 2)))
    again = cases.plan(isActive=False, updatedAt=stamp(date(2026, 4, 20)))
    cases.plan((date(2026, 6, 15), date(2026, 7, 15)), 9_000, loan=again["loanUuid"], created=date(2026, 6, 1))
    open_long = cases.plan(DUES[:3])
    for due in DUES[:3]:
        cases.pay(open_long, 10_000, due)
    just_paid = cases.plan(DUES[:3])
    cases.pay(just_paid, 30_000, date(2026, 6, 26))


def _returned(cases: _Cases) -> None:
    """Money that went back: at a moment, on a plain day, on the day of the update, and then again."""
    moment = cases.plan()
    cases.pay(moment, 10_000, date(2026, 4, 1), status="Returned", returnedAt="2026-04-07T14:00:00Z")
    cases.pay(moment, 10_000, date(2026, 4, 24))
    day = cases.plan()
    cases.pay(day, 10_000, date(2026, 4, 1))
    cases.pay(day, 20_000, date(2026, 5, 1), status="Returned", returnedAt="2026-06-29")
    unsaid = cases.plan()
    cases.pay(unsaid, 10_000, date(2026, 4, 1), status="Returned", updatedAt=stamp(date(2026, 6, 22)))


def _pending(cases: _Cases) -> None:
    """Money on its way in every form, promises and pre-notes, some too old, some too much."""
    waiting = cases.plan()
    cases.pay(waiting, 10_000, date(2026, 4, 1))
    cases.wait(waiting, 4_000, date(2026, 6, 29))
    cases.wait(waiting, 3_000, date(2026, 6, 26), status="Processing")
    cases.wait(waiting, 2_000, date(2026, 6, 25), status="Held")
    cases.wait(waiting, 10_000, date(2026, 6, 29), isPromise=True)
    cases.wait(waiting, 100, date(2026, 6, 29), isPrenote=True)
    cases.pay(waiting, 10_000, date(2026, 5, 29), isPromise=True)
    stale = cases.plan()
    cases.wait(stale, 10_000, date(2026, 6, 12))
    excess = cases.plan()
    cases.pay(excess, 30_000, date(2026, 4, 1))
    cases.wait(excess, 12_500, date(2026, 6, 30))
    gone = cases.plan()
    failed = cases.pay(gone, 10_000, date(2026, 4, 1), status="Failed", failedAt="2026-04-02T10:00:00Z")
    cases.pay(gone, 10_000, date(2026, 4, 4), failedPaymentUuid=failed["uuid"])
    cases.pay(gone, 10_000, date(2026, 5, 1), status="Voided")
    cases.pay(gone, 10_000, date(2026, 5, 1), status="Rejected")
    cases.pay(gone, 10_000, date(2026, 6, 1), status="-Reviewing")


def _doubles(cases: _Cases) -> None:
    """The same payment made twice, two like payments that two due terms explain, and a term listed twice."""
    twice = cases.plan()
    cases.pay(twice, 10_000, date(2026, 4, 1))
    cases.pay(twice, 10_000, date(2026, 4, 3))
    explained = cases.plan()
    cases.pay(explained, 10_000, date(2026, 5, 4))
    cases.pay(explained, 10_000, date(2026, 5, 5))
    doubled = cases.plan()
    cases.term(doubled, 10_000, DUES[1])
    cases.pay(doubled, 10_000, date(2026, 4, 1))


def _links(cases: _Cases) -> None:
    """Payments that terms name: out of order, more than the term, one for two terms, and taken back."""
    skipped = cases.plan()
    second = cases.pay(skipped, 10_000, date(2026, 5, 1))
    cases.terms(skipped)[1]["paymentUuid"] = second["uuid"]
    larger = cases.plan()
    third = cases.pay(larger, 12_500, date(2026, 6, 2))
    cases.terms(larger)[2]["paymentUuid"] = third["uuid"]
    shared = cases.plan()
    both = cases.pay(shared, 20_000, date(2026, 5, 6))
    for term in cases.terms(shared)[:2]:
        term["paymentUuid"] = both["uuid"]
    back = cases.plan()
    first = cases.pay(back, 10_000, date(2026, 4, 1), status="Returned", returnedAt="2026-04-09T10:00:00Z")
    cases.terms(back)[0]["paymentUuid"] = first["uuid"]
    cases.pay(back, 10_000, date(2026, 5, 8))


def _totals(cases: _Cases) -> None:
    """Terms that miss the stated total, a term of nothing, two terms on one day, and money beyond the last."""
    cases.plan(isPartialPaymentPlan=True, totalPlanAmount=40_050)
    nothing = cases.plan(DUES[:2])
    cases.term(nothing, 0, date(2026, 5, 15))
    custom = cases.plan((), paymentArrangementType="Custom Payment Schedule")
    custom["schedule"] = [{"date": "2026-05-01", "amount": 4_000}, {"date": "2026-05-01", "amount": 6_000}]
    for entry in custom["schedule"]:
        cases.term(custom, entry["amount"], date.fromisoformat(entry["date"]))
    cases.pay(custom, 4_000, date(2026, 5, 2))
    beyond = cases.plan()
    cases.pay(beyond, 41_000, date(2026, 6, 25))


def _moments(cases: _Cases) -> None:
    """Month ends, moments around midnight in the lender's zone, dates given elsewhere, money before the plan."""
    ends = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31))
    month_end = cases.plan(ends, created=date(2026, 1, 10), firstPaymentDay=31)
    cases.pay(month_end, 20_000, date(2026, 2, 28), processedAt="2026-03-01T04:59:59Z")
    night = cases.plan(createdAt="2026-04-01T03:30:00Z", updatedAt="2026-04-01T03:30:00Z")
    cases.pay(night, 10_000, date(2026, 4, 1), processedAt="2026-04-01T03:30:00Z")
    cases.pay(night, 10_000, date(2026, 5, 1), processedAt=None, postedAt="2026-05-02T04:00:00Z")
    cases.pay(night, 5_000, date(2026, 6, 1), processedAt=None, postedAt=None, settledOn="2026-06-03")
    before = cases.plan()
    cases.pay(before, 9_000, date(2026, 3, 4))
    cases.pay(before, 10_000, date(2026, 3, 5))


def _orphans(cases: _Cases) -> None:
    """A payment on a loan and a scheduled payment of a plan that do not exist, and one of no plan at all."""
    nowhere = {"loanUuid": uuid(cases.draw), "uuid": uuid(cases.draw), "createdAt": stamp(CREATED)}
    cases.pay(nowhere, 2_500, date(2026, 6, 9))
    healthy = cases.plan(DUES[3:])
    cases.book.loans[-1] |= {"externalId": "=1+1", "customerUuid": "@SUM(A1:A9)"}
    cases.term(nowhere | {"loanUuid": healthy["loanUuid"]}, 5_000, date(2026, 6, 15))
    cases.term(healthy, 5_000, date(2026, 6, 15), paymentPlanUuid=None)


def _refused(cases: _Cases) -> None:
    """A plan with a term on a day that does not exist, and a payment whose amount is text."""
    bad = cases.plan()
    cases.terms(bad)[1]["paymentDate"] = "2026-02-30"
    fine = cases.plan()
    cases.pay(fine, 0, date(2026, 4, 1))["amount"] = "12,50"


def _shifts(cases: _Cases) -> None:
    """Three plans that step off holidays by their rules: Memorial Day was forgotten twice and once put a day early."""
    rule = {"movePaymentOnHolidayDays": 1, "firstPaymentDay": 25}
    dues = (date(2026, 4, 25), date(2026, 5, 25), date(2026, 6, 25), date(2026, 7, 25))
    cases.plan(dues, **rule)
    cases.plan(dues, **rule)
    cases.plan((dues[0], date(2026, 5, 24), *dues[2:]), **rule)
