"""PayIQ's awkward cases of the demo.

Every case has an account of its own, except where several accounts are the
point. Terms are 1 April to 1 July, 100.00 each, unless a case says otherwise.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.world import AccountKey, Row, World
from sandbox.worlds import generate_payiq as payiq
from sandbox.worlds.generate_habits import Ids
from sandbox.worlds.generate_payt import stamp

AS_OF = date(2026, 6, 30)
CREATED = date(2026, 3, 5)
APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


class _Cases:
    def __init__(self, world: World, ids: Ids) -> None:
        self.book, self.ids = world.payiq, ids

    def number(self) -> int:
        """Return the next id."""
        return int(self.ids.next())

    def account(self, reference: str | None = None, other: str = "", **changed: Any) -> tuple[AccountKey, Row]:
        """Add one account with its setup and no plan."""
        number = self.number()
        key = payiq.key(number, other)
        key = (key[0], reference or key[1], other)
        row = payiq.account(number, key[1], 10_000, AS_OF, **changed)
        self.book.setups[key] = payiq.setup([row], 40_000)
        self.book.payments[key] = []
        return key, row

    def plan(self, *rows: Row, **changed: Any) -> Row:
        """Add one plan of four terms on these accounts; each account names it."""
        row = payiq.plan(self.number(), 40_000, 10_000, 1, changed.pop("created", CREATED)) | changed
        row["BillingAccounts"] = [{"AccountID": it["AccountID"], "AccountNumber": it["AccountNumber"]} for it in rows]
        for account in rows:
            account["ExistingPaymentPlanID"] = row["PaymentPlanID"]
        self.book.plans[row["PaymentPlanID"]] = row
        return row

    def planned(self, **changed: Any) -> tuple[AccountKey, Row]:
        """Add an account with a plan; returns the account."""
        key, account = self.account()
        self.plan(account, **changed)
        return key, account

    def pay(self, key: AccountKey, amount: int, day: date, **changed: Any) -> Row:
        """Add one paid payment on an account."""
        row = payiq.payment(self.number() * 10, key, amount, day, **changed)
        self.book.payments[key].append(row)
        return row


def add_payiq_cases(world: World, ids: Ids) -> None:
    """Add every PayIQ case to `world`."""
    cases = _Cases(world, ids)
    _policies(cases)
    _several_accounts(cases)
    _pending(cases)
    _repeated_pending(cases)
    _reversals(cases)
    _schedules(cases)
    _payments(cases)
    _moments(cases)
    _refused(cases)


def _policies(cases: _Cases) -> None:
    """A stopped account, tiers that contradict themselves, a plan longer than allowed, a plan never closed."""
    _, stopped = cases.planned()
    stopped["Stopped"] = True
    key, _ = cases.planned()
    tiers = [payiq.tier(50_000, 10_000, 3), payiq.tier(20_000, 60_000, 2)]
    cases.book.setups[key] |= {"MaximumTerm": 3, "Tiers": tiers}
    key, _ = cases.planned(InitialBalance=Decimal("300.00"))
    cases.pay(key, 30_000, date(2026, 6, 3))


def _several_accounts(cases: _Cases) -> None:
    """One plan over two accounts with a transaction over both, and an account that two plans claim."""
    (first_key, first), (second_key, second) = cases.account(), cases.account()
    cases.plan(first, second)
    shared = cases.number()
    first["PendingPayments"] = [payiq.pending(shared, 6_000, date(2026, 6, 29), total=10_000)]
    second["PendingPayments"] = [payiq.pending(shared, 4_000, date(2026, 6, 29), total=10_000)]
    both = payiq.payment(cases.number() * 10, first_key, 10_000, APRIL, HasMultipleAccounts=True)
    parts = [(first_key[1], 7_000), (second_key[1], 3_000)]
    both["InvoicePayments"] = [payiq.invoice_payment(cases.number() * 10, ref, part) for ref, part in parts]
    for key in (first_key, second_key):
        cases.book.payments[key].append(both)
    (_, claimed), (_, own) = cases.account(), cases.account()
    cases.plan(claimed, created=date(2026, 5, 4))
    cases.plan(own)["BillingAccounts"].append(
        {"AccountID": claimed["AccountID"], "AccountNumber": claimed["AccountNumber"]}
    )


def _pending(cases: _Cases) -> None:
    """Money on its way that is fresh, too old or too much."""
    key, fresh = cases.planned()
    cases.pay(key, 10_000, APRIL)
    fresh["PendingPayments"] = [
        payiq.pending(cases.number(), 5_000, date(2026, 6, 29), status="Processing"),
        payiq.pending(cases.number(), 2_500, date(2026, 6, 24), status="Waiting"),
    ]
    _, stale = cases.planned()
    stale["PendingPayments"] = [payiq.pending(cases.number(), 10_000, date(2026, 6, 12))]
    key, excess = cases.planned()
    cases.pay(key, 35_000, APRIL)
    excess["PendingPayments"] = [payiq.pending(cases.number(), 10_000, AS_OF)]


def _repeated_pending(cases: _Cases) -> None:
    """The same transaction shown three times, in the payment list too, settled meanwhile, or only there."""
    key, account = cases.planned()
    cases.pay(key, 10_000, APRIL)
    shown = payiq.pending(cases.number() * 10, 10_000, date(2026, 6, 29))
    account |= {"PendingPayment": dict(shown), "PendingPayments": [shown, dict(shown)]}
    listed = payiq.payment(shown["TransactionID"], key, 10_000, date(2026, 6, 29), Status="Pending")
    cases.book.payments[key].append(listed)
    key, account = cases.planned()
    settled = payiq.pending(cases.number() * 10, 10_000, date(2026, 6, 26))
    account["PendingPayments"] = [settled]
    cases.book.payments[key].append(payiq.payment(settled["TransactionID"], key, 10_000, date(2026, 6, 26)))
    key, _ = cases.planned()
    cases.pay(key, 10_000, date(2026, 6, 29), Status="Submitting")


def _reversals(cases: _Cases) -> None:
    """Money that went back in whole, in part, and by an amount nobody says."""
    key, _ = cases.planned()
    cases.pay(key, 10_000, APRIL, Status="ReturnedDebit")
    cases.pay(key, 10_000, date(2026, 4, 14))
    key, _ = cases.planned()
    part = cases.pay(key, 10_000, APRIL, Status="Refund")
    part["InvoicePayments"] = [payiq.invoice_payment(part["ID"] + 1, key[1], 10_000, 2_550)]
    two = cases.pay(key, 10_000, MAY, Status="PartialACHCredit")
    two["InvoicePayments"] = [
        payiq.invoice_payment(two["ID"] + 1, key[1], 6_000, 1_000),
        payiq.invoice_payment(two["ID"] + 2, key[1], 4_000, 500),
    ]
    key, _ = cases.planned()
    cases.pay(key, 10_000, APRIL, Status="RefundProcessing")
    cases.pay(key, 10_000, MAY, Status="ACHCredit")
    cases.pay(key, 10_000, date(2026, 6, 1), Status="ReturnedCredit")


def _schedules(cases: _Cases) -> None:
    """The last day of the month, a smaller last term, own payments, own payments that miss the balance."""
    key, _ = cases.planned(DayToPay=31, DateToStart=payiq.midnight(date(2026, 1, 31)), created=date(2026, 1, 20))
    cases.pay(key, 10_000, date(2026, 2, 28))
    cases.planned(InitialBalance=Decimal("250.01"))
    own = [{"Date": payiq.midnight(day), "Amount": Decimal("150.00")} for day in (APRIL, date(2026, 6, 15))]
    key, _ = cases.planned(Payments=own, InitialBalance=Decimal("300.00"))
    cases.pay(key, 15_000, date(2026, 4, 6))
    cases.planned(Payments=own, InitialBalance=Decimal("320.00"))
    key, _ = cases.planned(DateToStart=None, CustomerID=None)
    cases.pay(key, 10_000, APRIL)


def _payments(cases: _Cases) -> None:
    """The same payment twice, payments that came to nothing, an unknown word, an account without a plan."""
    key, _ = cases.planned()
    cases.pay(key, 10_000, APRIL)
    cases.pay(key, 10_000, date(2026, 4, 2))
    key, _ = cases.planned()
    for status in ("Declined", "DeclinedCVV", "Failed", "Canceled", "+Odd"):
        cases.pay(key, 10_000, APRIL, Status=status)
    key, _ = cases.account("=SUM(1;2)", "@other")
    cases.pay(key, 5_000, date(2026, 6, 9))


def _moments(cases: _Cases) -> None:
    """Exact midnight is a plain date; one second later it is the evening before in the biller's zone."""
    key, _ = cases.planned()
    cases.pay(key, 10_000, APRIL, PaymentDate="2026-04-01T00:00:00Z")
    cases.pay(key, 10_000, MAY, PaymentDate="2026-05-01T00:00:01Z")
    cases.pay(key, 5_000, date(2026, 6, 1), PaymentDate=None, CreateDate="2026-06-02T03:59:59.1234567Z")


def _refused(cases: _Cases) -> None:
    """A plan in an unknown currency and a payment with a fraction of a cent."""
    cases.planned(CurrencySymbol="\u00a4")
    key, _ = cases.planned(LastEvaluatedDate=stamp(AS_OF))
    cases.pay(key, 1_200, APRIL, Total=Decimal("12.345"), InvoicePayments=[])
