"""Payt's rows as Payt writes them, and healthy plans made of them.

Amounts go in as minor units and come out as decimal text with two places, the
way the provider writes every currency. Nothing here is random by itself: the
caller's generator decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.world import Row, World
from sandbox.worlds.generate_habits import Ids, Story, oldest_first

MAKERS_DAY = "T09:30:00Z"
"""A moment that falls on the same civil day in every zone scenarios use."""


def stamp(day: date | None) -> str | None:
    """Return noon-ish UTC of a day; None stays None."""
    return None if day is None else day.isoformat() + MAKERS_DAY


def money(minor: int, places: int = 2) -> str:
    """Return decimal text with two places; of currencies with three places, three."""
    if places == 0:
        return f"{minor}.00"
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


@dataclass(frozen=True, slots=True)
class Administration:
    """One Payt administration that rows are made for."""

    id: str
    currency: str = "EUR"
    timezone: str = "Europe/Amsterdam"
    places: int = 2

    def row(self, name: str) -> Row:
        """Return the administration's own row."""
        return {
            "id": self.id,
            "name": name,
            "internal_name": name,
            "status": "active",
            "email_address": "receivables@example.com",
            "contact_name": "Receivables",
            "country_code": "NL",
            "city": "Utrecht",
            "house_number": "1",
            "street_name": "Dorpsstraat",
            "postal_code": "3511AA",
            "commercial_registration_number": "00000000",
            "timezone": self.timezone,
            "currency_code": self.currency,
            "administration_url": f"https://app.example.com/{self.id}",
        }

    def money(self, minor: int) -> str:
        """Return an amount of this administration as text."""
        return money(minor, self.places)

    def term(self, term_id: str, amount: int, owed: int, due: date, paid_on: date | None = None) -> Row:
        """Return one term."""
        return {
            "id": term_id,
            "total_amount": self.money(amount),
            "amount_due": self.money(owed),
            "due_date": due.isoformat(),
            "payment_date": paid_on.isoformat() if paid_on else None,
        }

    def plan(self, plan_id: str, debtor: str, terms: list[Row], created: date, **changed: Any) -> Row:
        """Return one plan: approved and active since `created` unless `changed` says otherwise."""
        row: Row = {
            "id": plan_id,
            "administration_id": self.id,
            "debtor_id": debtor,
            "payment_terms": terms,
            "active": True,
            "auto_activated": False,
            "reason": None,
            "rejected_by_user": None,
            "created_at": stamp(created),
            "updated_at": stamp(created),
            "proposed_at": None,
            "approved_at": stamp(created),
            "rejected_at": None,
            "deactivated_at": None,
        }
        return row | changed

    def invoice(self, invoice_id: str, debtor: str, total: int, owed: int, issued: date, **changed: Any) -> Row:
        """Return one invoice."""
        row: Row = {
            "id": invoice_id,
            "administration_id": self.id,
            "debtor_id": debtor,
            "invoice_number": f"F{invoice_id}",
            "currency_code": self.currency,
            "payment_method": "bank_transfer",
            "invoice_date": issued.isoformat(),
            "due_date": (issued + timedelta(days=30)).isoformat(),
            "total_amount": self.money(total),
            "open_amount": self.money(owed),
            "book_total_amount": self.money(total),
            "book_open_amount": self.money(owed),
            "administration_costs_total": "0.00",
            "administration_costs_open": "0.00",
            "updated_at": stamp(issued),
            "active_payment_plan_id": None,
            "active_credit_case_id": None,
            "paused_at": None,
        }
        return row | changed

    def case(self, case_id: str, debtor: str, total: int, owed: int, started: date, **changed: Any) -> Row:
        """Return one credit case."""
        row: Row = {
            "id": case_id,
            "administration_id": self.id,
            "debtor_id": debtor,
            "case_number": case_id,
            "credit_case_number": f"C{case_id}",
            "currency_code": self.currency,
            "total_amount": self.money(total),
            "open_amount": self.money(owed),
            "debt_collection_costs": "0.00",
            "interest_costs": "0.00",
            "started_at": stamp(started),
            "deactivated_at": None,
            "updated_at": stamp(started),
            "active_payment_plan_id": None,
        }
        return row | changed

    def payment(self, payment_id: str, invoice: str, amount: int, day: date, **changed: Any) -> Row:
        """Return one payment booked on an invoice."""
        row: Row = {
            "id": payment_id,
            "administration_id": self.id,
            "invoice_id": invoice,
            "total_amount": self.money(amount),
            "total_book_amount": self.money(amount),
            "payment_date": day.isoformat(),
            "updated_at": stamp(day),
            "transaction_type": "payment",
            "cost_type": "principal",
            "reversal_code": None,
            "payment_method": "bank_transfer",
        }
        return row | changed

    def transaction(self, psp_id: str, debtor: str, invoices: list[str], amount: int, day: date, **changed: Any) -> Row:
        """Return one payment-service transaction, pending unless `changed` says otherwise."""
        row: Row = {
            "id": psp_id,
            "administration_id": self.id,
            "debtor_id": debtor,
            "invoice_ids": invoices,
            "currency_code": self.currency,
            "payment_method": "ideal",
            "status": "pending",
            "amount": self.money(amount),
            "book_amount": self.money(amount),
            "updated_at": stamp(day),
            "paid_at": None,
            "reversal_code": None,
        }
        return row | changed

    def debtor(self, debtor_id: str, day: date) -> Row:
        """Return one debtor without a person's data."""
        return {
            "id": debtor_id,
            "administration_id": self.id,
            "debtor_number": f"D{debtor_id}",
            "debtor_identifier": f"D{debtor_id}",
            "name": f"Debtor {debtor_id}",
            "postal_address": {"city": "Utrecht", "country_code": "NL"},
            "paused_at": None,
            "updated_at": stamp(day),
        }


def add_plan(world: World, office: Administration, ids: Ids, story: Story) -> Row:
    """Add one healthy plan with its debtor, invoices, payments and pending money; return its row.

    The terms' balances are what the story's payments leave, oldest due first; the
    plan that is paid off is no longer active and names no invoice.
    """
    payt, debtor, plan_id = world.payt, ids.next(), ids.next()
    given, paid_on = oldest_first(story)
    terms = [
        office.term(ids.next(), amount, amount - part, due, day)
        for (due, amount), part, day in zip(story.terms, given, paid_on, strict=True)
    ]
    total, received = sum(amount for _, amount in story.terms), sum(given)
    done = received == total
    last = max([story.created, *(day for day, _ in story.paid)])
    payt.payment_plans.append(
        office.plan(plan_id, debtor, terms, story.created, active=not done, updated_at=stamp(last))
    )
    payt.debtors.append(office.debtor(debtor, story.created))
    invoices = _invoices(world, office, ids, story, debtor=debtor, link=None if done else plan_id)
    _payments(world, office, ids, story, debtor=debtor, invoices=invoices)
    return payt.payment_plans[-1]


def _invoices(
    world: World, office: Administration, ids: Ids, story: Story, *, debtor: str, link: str | None
) -> list[tuple[str, int]]:
    """Add one or two invoices, or a case over them, that the plan covers; return ids and totals."""
    total, issued = sum(amount for _, amount in story.terms), story.created - timedelta(days=45)
    shares = [total - total // 3, total // 3] if story.draw % 5 == 0 and total > 3 else [total]
    left, case, made = sum(amount for _, amount in story.paid), None, []
    if story.draw % 9 == 0:
        case = ids.next()
        changed = {"active_payment_plan_id": link}
        world.payt.credit_cases.append(office.case(case, debtor, total, max(0, total - left), issued, **changed))
    for share in shares:
        invoice, paid = ids.next(), min(share, left)
        left -= paid
        links = {"active_credit_case_id": case} if case else {"active_payment_plan_id": link}
        updated = stamp(max([issued, *(day for day, _ in story.paid)]))
        world.payt.invoices.append(
            office.invoice(invoice, debtor, share, share - paid, issued, updated_at=updated, **links)
        )
        made.append((invoice, share))
    return made


def _payments(
    world: World,
    office: Administration,
    ids: Ids,
    story: Story,
    *,
    debtor: str,
    invoices: Sequence[tuple[str, int]],
) -> None:
    """Book the story's payments, first invoice first; add transactions for some and for pending money."""
    names, room = [name for name, _ in invoices], [share for _, share in invoices]
    for number, (day, amount) in enumerate(story.paid):
        left = amount
        for index, name in enumerate(names):
            part = min(left, room[index])
            if part:
                world.payt.payments.append(office.payment(ids.next(), name, part, day))
            room[index] -= part
            left -= part
        if (story.draw + number) % 4 == 0:
            changed = {"status": "paid", "paid_at": stamp(day)}
            world.payt.psp_transactions.append(office.transaction(ids.next(), debtor, names, amount, day, **changed))
    for day, amount in story.pending:
        world.payt.psp_transactions.append(office.transaction(ids.next(), debtor, names, amount, day))
