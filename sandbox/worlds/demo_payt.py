"""Payt's awkward cases of the demo, one named function each where a case needs more than a changed field.

Every case is a plan of its own with its own debtor and invoice, so that one
disagreement never hides another.
"""

from datetime import date
from typing import Any

from sandbox.world import Row, World
from sandbox.worlds.generate_habits import Ids, Story
from sandbox.worlds.generate_payt import Administration, add_plan, stamp

CREATED = date(2026, 3, 5)
DUES = (date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1))
HUNDRED = tuple((due, 10_000) for due in DUES)
TWO_PAID = ((date(2026, 4, 1), 10_000), (date(2026, 5, 1), 10_000))
ALL_PAID = (*TWO_PAID, (date(2026, 6, 1), 20_000))


class _Cases:
    def __init__(self, world: World, office: Administration, ids: Ids) -> None:
        self.world, self.office, self.ids = world, office, ids

    def plan(
        self,
        terms: tuple[tuple[date, int], ...] = HUNDRED,
        paid: tuple[tuple[date, int], ...] = (),
        pending: tuple[tuple[date, int], ...] = (),
        **changed: Any,
    ) -> Row:
        """Add a plan made on 5 March with one invoice, then change its own row; `draw` 3 keeps it plain."""
        created = changed.pop("created", CREATED)
        story = Story(created, list(terms), list(paid), list(pending), draw=changed.pop("draw", 3))
        row = add_plan(self.world, self.office, self.ids, story)
        row |= changed
        return row

    @property
    def invoice(self) -> Row:
        """The newest invoice."""
        return self.world.payt.invoices[-1]

    def unlink(self) -> None:
        """Take the newest invoice off its plan, as the provider does once a plan is not active."""
        self.invoice["active_payment_plan_id"] = None

    def pay(self, amount: int, day: date, **changed: Any) -> Row:
        """Book a payment on the newest invoice that no term's balance shows."""
        row = self.office.payment(self.ids.next(), self.invoice["id"], amount, day, **changed)
        self.world.payt.payments.append(row)
        return row

    def wait(self, amount: int, day: date, **changed: Any) -> Row:
        """Start a payment-service transaction on the newest invoice."""
        invoice = self.invoice
        row = self.office.transaction(self.ids.next(), invoice["debtor_id"], [invoice["id"]], amount, day, **changed)
        self.world.payt.psp_transactions.append(row)
        return row


def add_payt_cases(world: World, euro: Administration, yen: Administration, ids: Ids) -> None:
    """Add every Payt case to `world`."""
    cases = _Cases(world, euro, ids)
    _stages(cases)
    _contradictions(cases)
    _terms(cases)
    _drifts(cases)
    _pending(cases)
    _texts_and_moments(cases)
    _refused(cases)
    _deleted(world, euro)
    _yen(_Cases(world, yen, ids))


def _stages(cases: _Cases) -> None:
    """Proposed, rejected, deactivated and finished plans."""
    cases.plan(active=False, approved_at=None, proposed_at=stamp(CREATED), reason="=2+5 more weeks")
    cases.unlink()
    rejected: Row = {"proposed_at": stamp(CREATED), "rejected_at": stamp(date(2026, 3, 9)), "approved_at": None}
    cases.plan(active=False, updated_at=stamp(date(2026, 3, 9)), **rejected)
    cases.unlink()
    ended = stamp(date(2026, 5, 20))
    cases.plan(paid=TWO_PAID[:1], active=False, deactivated_at=ended, updated_at=ended)
    cases.unlink()
    cases.plan(paid=ALL_PAID)
    later: Row = {"proposed_at": stamp(CREATED), "approved_at": stamp(date(2026, 3, 27))}
    cases.plan(paid=TWO_PAID, **later)


def _contradictions(cases: _Cases) -> None:
    """Stamps that clash, and plans whose end the provider missed."""
    cases.plan(rejected_at=stamp(date(2026, 3, 12)))
    cases.unlink()
    cases.plan(active=False, rejected_at=stamp(date(2026, 3, 12)))
    cases.unlink()
    cases.plan(paid=TWO_PAID, deactivated_at=stamp(date(2026, 5, 4)))
    cases.plan(paid=TWO_PAID, active=False)
    cases.unlink()
    row = cases.plan(paid=ALL_PAID, active=True)
    cases.invoice["active_payment_plan_id"] = row["id"]
    just_now = (*TWO_PAID, (date(2026, 6, 26), 20_000))
    row = cases.plan(paid=just_now, active=True)
    cases.invoice["active_payment_plan_id"] = row["id"]


def _terms(cases: _Cases) -> None:
    """Terms without their date, with one too many, doubled, of nothing, and alone."""
    cases.plan(paid=TWO_PAID)["payment_terms"][0]["payment_date"] = None
    cases.plan(paid=TWO_PAID)["payment_terms"][2]["payment_date"] = "2026-06-02"
    cases.plan(terms=(*HUNDRED[:2], HUNDRED[1], *HUNDRED[2:]), paid=TWO_PAID[:1])
    cases.plan(terms=(HUNDRED[0], (DUES[1], 4_000), (DUES[1], 6_000)), paid=TWO_PAID[:1])
    cases.plan(terms=(HUNDRED[0], (DUES[1], 0), HUNDRED[2]), paid=TWO_PAID[:1])
    cases.plan(terms=HUNDRED[3:])
    cases.plan(paid=(*TWO_PAID, (date(2026, 6, 20), 4_000)))
    ends = tuple((day, 5_000) for day in (date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)))
    cases.plan(terms=ends, paid=((date(2026, 2, 28), 5_000),), created=date(2026, 2, 1))


def _drifts(cases: _Cases) -> None:
    """Balances that do not follow from the payments: for good, for a day, by a double, in another currency."""
    cases.plan(paid=TWO_PAID)
    cases.pay(2_500, date(2026, 5, 18))
    cases.plan(paid=TWO_PAID)
    cases.pay(10_000, date(2026, 6, 30))
    cases.plan(paid=(TWO_PAID[0], (date(2026, 4, 30), 10_000), (date(2026, 5, 2), 10_000)))
    cases.plan(paid=TWO_PAID)
    cases.invoice["currency_code"] = "USD"
    cases.plan(paid=TWO_PAID, draw=9)
    orphan = cases.office.payment(cases.ids.next(), "999999901", 7_700, date(2026, 6, 3))
    cases.world.payt.payments.append(orphan)


def _pending(cases: _Cases) -> None:
    """Transactions that wait, wait too long, are too much, span two invoices or came back."""
    cases.plan(paid=TWO_PAID)
    cases.wait(6_000, date(2026, 6, 29))
    cases.wait(1_000, date(2026, 6, 29), status="processing")
    cases.plan(paid=TWO_PAID)
    cases.wait(10_000, date(2026, 6, 12))
    cases.plan(paid=TWO_PAID)
    cases.wait(25_000, date(2026, 6, 30))
    cases.plan(paid=TWO_PAID, draw=5, pending=((date(2026, 6, 29), 10_000),))
    cases.plan(paid=TWO_PAID)
    for status in ("failed", "cancelled", "charged_back", "refunded"):
        cases.wait(1_500, date(2026, 6, 15), status=status)
    foreign = cases.wait(5_000, date(2026, 6, 29))
    foreign |= {"currency_code": "USD", "amount": "54.00"}


def _texts_and_moments(cases: _Cases) -> None:
    """Ids and words that a spreadsheet would run, and moments that are another day in the office's zone."""
    cases.plan(paid=TWO_PAID, debtor_id='=HYPERLINK("http://example.com","pay")')
    cases.wait(2_000, date(2026, 6, 29), status="@on-hold")
    cases.plan(terms=HUNDRED[1:], created_at="2026-03-31T22:30:00Z", approved_at="2026-03-31T22:30:00Z")
    cases.wait(3_000, date(2026, 6, 29), updated_at="2026-06-29T22:15:00Z")


def _refused(cases: _Cases) -> None:
    """Rows nobody can read: a plan with a local number, payments with one, a day that does not exist."""
    cases.plan()["payment_terms"][1]["total_amount"] = "1.234,50"
    cases.plan(paid=TWO_PAID)
    cases.pay(100, date(2026, 6, 10), total_amount="1,00", total_book_amount="1,00")
    cases.pay(100, date(2026, 6, 10), payment_date="2026-06-31")


def _deleted(world: World, office: Administration) -> None:
    """Tombstones of rows that a first fetch never saw."""
    gone: Row = {"administration_id": office.id, "deleted_at": "2026-06-12T10:00:00Z"}
    world.payt.deleted["payment_plans"].append(gone | {"id": "2600001", "debtor_id": "2600009"})
    world.payt.deleted["payments"].append(gone | {"id": "2600002", "invoice_id": "2600008", "origin_identifier": None})
    world.payt.deleted["invoices"].append(gone | {"id": "2600003", "debtor_id": "2600009"})


def _yen(cases: _Cases) -> None:
    """A currency without places, written with two zeros."""
    terms = tuple((due, 12_000) for due in DUES)
    cases.plan(terms=terms, paid=((date(2026, 4, 1), 12_000), (date(2026, 5, 3), 500)))
    cases.wait(7_001, date(2026, 6, 30))
