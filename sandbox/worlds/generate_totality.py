"""Totality's rows as Totality writes them, and healthy plans made of them.

Amounts are integer cents throughout. Schedules follow the provider's own rules:
nominal dates from the anchor, one weekend shift, the remainder on the last.
"""

import random
from datetime import date, timedelta
from typing import Any

from sandbox.world import Row, World
from sandbox.worlds.generate_habits import Story, live, month_after, oldest_first, split, uuid
from sandbox.worlds.generate_payt import stamp


def loan(loan_uuid: str, customer: str, balance: int, day: date, **changed: Any) -> Row:
    """Return one funded loan."""
    row: Row = {
        "uuid": loan_uuid,
        "customerUuid": customer,
        "externalId": None,
        "status": "Funded",
        "balance": balance,
        "isAutoScheduled": False,
        "createdAt": stamp(day),
        "updatedAt": stamp(day),
    }
    return row | changed


def plan(plan_uuid: str, loan_uuid: str, first: date, created: date, **changed: Any) -> Row:
    """Return one active monthly plan on the day of its first payment, unless `changed` says otherwise."""
    row: Row = {
        "uuid": plan_uuid,
        "loanUuid": loan_uuid,
        "isActive": True,
        "createdAt": stamp(created),
        "updatedAt": stamp(created),
        "collectorUserId": 17,
        "contactMethod": "Phone",
        "daysInPeriod": None,
        "firstPaymentDay": None,
        "firstPaymentDate": first.isoformat(),
        "isPartialPaymentPlan": False,
        "movePaymentOnHolidayDays": 0,
        "movePaymentOnWeekendDays": 0,
        "numberOfPayments": None,
        "paymentAmount": None,
        "paymentArrangementType": "Payment Number Based",
        "paymentFrequency": "monthly",
        "schedule": None,
        "scheduleType": "Day-Based",
        "secondPaymentDay": None,
        "totalPlanAmount": None,
        "weekdayOfFirstPayment": None,
        "weekdayOfSecondPayment": None,
        "weekOfFirstPayment": None,
        "weekOfSecondPayment": None,
    }
    return row | changed


def scheduled(
    term_uuid: str, plan_row: Row, amount: int, due: date, *, payment: str | None = None, **changed: Any
) -> Row:
    """Return one scheduled payment of a plan; `payment` is the one that processed it."""
    row: Row = {
        "uuid": term_uuid,
        "loanUuid": plan_row["loanUuid"],
        "paymentPlanUuid": plan_row["uuid"],
        "amount": amount,
        "paymentDate": due.isoformat(),
        "isECheck": False,
        "paymentUuid": payment,
        "createdAt": plan_row["createdAt"],
        "updatedAt": plan_row["createdAt"],
    }
    return row | changed


def payment(payment_uuid: str, loan_uuid: str, amount: int, day: date, **changed: Any) -> Row:
    """Return one completed payment on a loan."""
    row: Row = {
        "uuid": payment_uuid,
        "loanUuid": loan_uuid,
        "amount": amount,
        "status": "Completed",
        "paymentType": "Debit Card",
        "isPromise": False,
        "isPrenote": False,
        "processedAt": stamp(day),
        "postedAt": stamp(day + timedelta(days=1)),
        "settledOn": None,
        "failedAt": None,
        "returnedAt": None,
        "externalId": None,
        "failedPaymentUuid": None,
        "createdAt": stamp(day),
        "updatedAt": stamp(day),
    }
    return row | changed


def pending(payment_uuid: str, loan_uuid: str, amount: int, day: date, **changed: Any) -> Row:
    """Return one payment that was initiated and has not settled."""
    waiting = {"status": "Pending", "processedAt": None, "postedAt": None}
    return payment(payment_uuid, loan_uuid, amount, day) | waiting | changed


def add_plan(world: World, created: date, as_of: date, draw: random.Random) -> Row:
    """Add one healthy plan with its loan, scheduled payments, payments and pending money; return its row."""
    rhythm = draw.choice(("monthly",) * 6 + ("bi-weekly",) * 2 + ("weekly", "days"))
    step = {"monthly": 28, "bi-weekly": 14, "weekly": 7, "days": 10}[rhythm]
    count = draw.randint(3, 12)
    total = count * draw.randint(20, 400) * 100 + draw.choice((0, 0, 1, 50))
    first = created + timedelta(days=draw.randint(3, 30))
    shift = draw.choice((0, 0, 0, 2)) if rhythm == "monthly" else 0
    anchor = draw.choice((first.day, first.day, 31))
    partial = draw.random() < 0.5
    dues = _dues(rhythm, first, anchor, count, step)
    terms = [(_shifted(due, shift), part) for due, part in zip(dues, split(total, count), strict=True)]
    story = live(Story(created, terms), as_of, draw, gap=step)
    loan_uuid = uuid(draw)
    row = plan(
        uuid(draw),
        loan_uuid,
        first,
        created,
        paymentFrequency=rhythm,
        numberOfPayments=count,
        firstPaymentDay=anchor if rhythm == "monthly" else None,
        scheduleType="Day-Based" if rhythm == "monthly" else None,
        daysInPeriod=step if rhythm == "days" else None,
        movePaymentOnWeekendDays=shift,
        isPartialPaymentPlan=partial,
        totalPlanAmount=total if partial else None,
    )
    left = total - sum(amount for _, amount in story.paid)
    moved = max((day for day, _ in story.paid), default=created - timedelta(days=200))
    opened = created - timedelta(days=200)
    world.totality.loans.append(loan(loan_uuid, uuid(draw), left, opened, updatedAt=stamp(moved)))
    world.totality.payment_plans.append(row)
    write(world, row, story, draw)
    return row


def _dues(rhythm: str, first: date, anchor: int, count: int, step: int) -> list[date]:
    if rhythm != "monthly":
        return [first + timedelta(days=step * number) for number in range(count)]
    return [month_after(first, number, anchor) for number in range(count)]


def _shifted(due: date, days: int) -> date:
    return due + timedelta(days=days) if due.isoweekday() > 5 else due


def write(world: World, row: Row, story: Story, draw: random.Random) -> None:
    """Add the story's scheduled payments, payments and pending money to a plan.

    A plan that is paid off is no longer active. Payments that match a term to the
    cent are named by it in most plans.
    """
    given, _ = oldest_first(story)
    paid = [payment(uuid(draw), row["loanUuid"], amount, day) for day, amount in story.paid]
    exact = len(paid) <= len(story.terms) and all(
        pay["amount"] == amount for pay, (_, amount) in zip(paid, story.terms, strict=False)
    )
    links = [pay["uuid"] for pay in paid] if exact and story.draw % 3 else []
    for number, (due, amount) in enumerate(story.terms):
        link = links[number] if number < len(links) else None
        world.totality.scheduled_payments.append(scheduled(uuid(draw), row, amount, due, payment=link))
    world.totality.payments.extend(paid)
    for day, amount in story.pending:
        world.totality.payments.append(pending(uuid(draw), row["loanUuid"], amount, day))
    if sum(given) == sum(amount for _, amount in story.terms) and paid:
        row |= {"isActive": False, "updatedAt": paid[-1]["updatedAt"]}


def replace_plan(world: World, row: Row, as_of: date, draw: random.Random) -> Row | None:
    """Put a new plan over what the newest one left and return it; None where nothing is left to plan.

    As the provider does it: the old plan is switched off and its scheduled payments
    without a processed payment are gone.
    """
    book, loan_uuid = world.totality, row["loanUuid"]
    paid = [item for item in book.payments[-40:] if item["loanUuid"] == loan_uuid]
    last = max([row["createdAt"], *(item["updatedAt"] for item in paid)])
    made = date.fromisoformat(last[:10]) + timedelta(days=5)
    left: int = book.loans[-1]["balance"]
    if not row["isActive"] or made >= as_of or left < 1000 or book.loans[-1]["uuid"] != loan_uuid:
        return None
    while book.scheduled_payments and book.scheduled_payments[-1]["paymentPlanUuid"] == row["uuid"]:
        if book.scheduled_payments[-1]["paymentUuid"] is not None:
            break
        book.scheduled_payments.pop()
    row |= {"isActive": False, "updatedAt": stamp(made)}
    first = made + timedelta(days=10)
    new = plan(uuid(draw), loan_uuid, first, made, numberOfPayments=3, firstPaymentDay=first.day)
    book.payment_plans.append(new)
    for number, part in enumerate(split(left, 3)):
        book.scheduled_payments.append(scheduled(uuid(draw), new, part, month_after(first, number, first.day)))
    return new
