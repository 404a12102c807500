"""What PayIQ's answers say; its terms are worked out here."""

from datetime import date
from typing import Any

from oracles.model import (
    Account,
    Facts,
    Options,
    Payment,
    Plan,
    Term,
    UnusableError,
    civil,
    instant,
    must,
    to_minor,
)

from sandbox.world import AccountKey, PayIQWorld
from sandbox.worlds.generate_habits import last_day, month_after

CLASSES = {
    "Paid": "received",
    **dict.fromkeys(("Initiated", "Pending", "Processing", "PendingCancellation", "Waiting", "Submitting"), "pending"),
    **dict.fromkeys(("Declined", "DeclinedCVV", "DeclinedAVS", "DeclinedProc", "Failed"), "failed"),
    "Canceled": "void",
    **dict.fromkeys(("ReturnedDebit", "ReturnedCredit", "ACHCredit"), "reversed"),
    **dict.fromkeys(("Refund", "PartialACHCredit", "RefundProcessing"), "partly_reversed"),
}


def read_payiq(world: PayIQWorld, facts: Facts, options: Options) -> None:
    """Add PayIQ's plans, payments and accounts to `facts`."""
    _Biller(world, facts, options).read()


class _Biller:
    def __init__(self, world: PayIQWorld, facts: Facts, options: Options) -> None:
        self.world, self.facts, self.symbols = world, facts, options.currency_symbols
        self.tenant, self.zone = options.payiq_tenant, options.payiq_timezone
        self.rows: dict[str, dict[str, Any]] = {}
        self.covers: dict[int, list[dict[str, Any]]] = {}

    def read(self) -> None:
        for setup in self.world.setups.values():
            self.facts.count("payiq", "policies")
            for account in setup["Accounts"]:
                self.account(account)
        for number, accounts in sorted(self.covers.items()):
            self.facts.count("payiq", "plans")
            try:
                plan = self.plan(self.world.plans[number], accounts)
            except (UnusableError, KeyError):
                self.facts.refuse("payiq", "plans")
                continue
            self.facts.count("payiq", "terms", len(plan.terms))
            self.facts.plans.append(plan)
        self.payments()

    def account(self, row: dict[str, Any]) -> None:
        self.facts.count("payiq", "accounts")
        account = str(row["AccountID"])
        try:
            currency = self.iso(row["CurrencySymbol"])
        except UnusableError:
            self.facts.refuse("payiq", "accounts")
            return
        self.rows[account] = row
        known = Account("payiq", self.tenant, account, currency, stopped=bool(row.get("Stopped")))
        self.facts.accounts["payiq", self.tenant, account] = known
        if row.get("ExistingPaymentPlanID") is not None:
            self.covers.setdefault(row["ExistingPaymentPlanID"], []).append(row)

    def iso(self, symbol: str) -> str:
        if symbol not in self.symbols:
            raise UnusableError(f"currency symbol {symbol!r} is not mapped")
        return self.symbols[symbol]

    def day(self, value: object) -> date | None:
        return civil(value, self.zone, midnight_is_plain=True)

    def plan(self, row: dict[str, Any], accounts: list[dict[str, Any]]) -> Plan:
        currency = self.iso(row["CurrencySymbol"])
        numbers = {item["AccountID"] for item in accounts}
        numbers |= {item["AccountID"] for item in row.get("BillingAccounts") or []}
        ids = [str(number) for number in sorted(numbers)]
        due = self.rows.get(ids[0], {}).get("AmountDue")
        own = row.get("Payments")
        customer = row.get("CustomerID")
        plan = Plan(
            provider="payiq",
            tenant=self.tenant,
            plan_id=str(row["PaymentPlanID"]),
            currency=currency,
            basis="PAYMENTS",
            created=must(self.day(row["CreateDate"])),
            created_at=instant(row["CreateDate"], midnight_is_plain=True),
            account_ids=ids,
            account_id=ids[0],
            customer_id=None if customer is None else str(customer),
            active=True,
            stated_total=to_minor(row["InitialBalance"], currency),
            account_due=None if due is None else to_minor(due, currency),
            monthly=not own,
            anchor=None if own else row["DayToPay"],
        )
        schedule = self.own_schedule(own, currency) if own else self.schedule(row, plan)
        plan.terms = [
            Term(f"{plan.plan_id}-{number:03d}", due_on, amount, sequence=number, nominal=due_on)
            for number, (due_on, amount) in enumerate(schedule, start=1)
        ]
        return plan

    def own_schedule(self, rows: list[dict[str, Any]], currency: str) -> list[tuple[date, int]]:
        return [(must(self.day(item["Date"])), to_minor(item["Amount"], currency)) for item in rows]

    def schedule(self, row: dict[str, Any], plan: Plan) -> list[tuple[date, int]]:
        """Fire monthly on the day to pay, from the start on, until the initial balance is used up."""
        start, day = self.day(row.get("DateToStart")) or plan.created, row["DayToPay"]
        each, left = to_minor(row["PaymentAmount"], plan.currency), to_minor(row["InitialBalance"], plan.currency)
        if each <= 0:
            raise UnusableError("a plan that pays nothing has no terms")
        fires, found = date(start.year, start.month, min(day, last_day(start.year, start.month))), []
        if fires < start:
            fires = month_after(fires, 1, day)
        while left > 0:
            found.append((fires, min(each, left)))
            left -= each
            fires = month_after(fires, 1, day)
        return found

    def payments(self) -> None:
        listed: dict[tuple[str, str], Payment] = {}
        for key, rows in self.world.payments.items():
            for row in rows:
                self.listed(key, row, listed)
        initiated = self.initiated()
        for identity, payment in listed.items():
            if payment.word == "pending":
                for (number, _), waiting in initiated.items():
                    if number == payment.payment_id and payment.planned:
                        waiting.planned = max(waiting.planned or payment.planned, payment.planned)
                if identity in initiated:
                    continue
                payment.is_money = False
            else:
                initiated.pop(identity, None)
            self.facts.payments.append(payment)
        self.facts.payments.extend(initiated.values())

    def listed(self, key: AccountKey, row: dict[str, Any], into: dict[tuple[str, str], Payment]) -> None:
        """Read one row of the payment list: its share of the account it was asked for."""
        account = self.account_of(key)
        self.facts.count("payiq", "payments")
        try:
            payment = self.share(row, str(account["AccountID"]), key[1])
        except (UnusableError, KeyError):
            self.facts.refuse("payiq", "payments")
            return
        into[payment.payment_id, str(payment.account_id)] = payment

    def account_of(self, key: AccountKey) -> dict[str, Any]:
        accounts: list[dict[str, Any]] = self.world.setups[key]["Accounts"]
        return next((item for item in accounts if item["AccountNumber"] == key[1]), accounts[0])

    def share(self, row: dict[str, Any], account: str, reference: str) -> Payment:
        currency, word = self.iso(row["CurrencySymbol"]), CLASSES.get(row["Status"], "unknown")
        parts = [item for item in row.get("InvoicePayments") or [] if item.get("ReferenceNumber") == reference]
        total = to_minor(row["Total"], currency)
        amount = sum(to_minor(item["Amount"], currency) for item in parts) if parts else total
        backs = [to_minor(item["ReversalAmount"], currency) for item in parts if item.get("ReversalAmount")]
        created = must(self.day(row["CreateDate"]))
        paid = row["PaymentDate"] if self.day(row.get("PaymentDate")) else row["CreateDate"]
        effective = must(self.day(paid))
        # Whatever part of the payment names an amount, on whichever account, tells how much went back.
        told = any(item.get("ReversalAmount") for item in row.get("InvoicePayments") or [])
        back = None
        if word in {"reversed", "partly_reversed"} and told:
            back = sum(backs)
        elif word == "reversed":
            back = amount
        return Payment(
            provider="payiq",
            tenant=self.tenant,
            payment_id=str(row["ID"]),
            account_id=account,
            currency=currency,
            amount=amount,
            effective=effective,
            effective_at=instant(paid, midnight_is_plain=True),
            planned=effective if word == "pending" and row.get("PaymentDate") else None,
            created=created,
            word=word,
            status=row["Status"],
            reversed_on=None if back is None else effective,
            reversed_amount=back,
            reversal_unknown=word == "partly_reversed" and not told,
        )

    def initiated(self) -> dict[tuple[str, str], Payment]:
        """Read what accounts show as pending, each transaction once per account."""
        found: dict[tuple[str, str], Payment] = {}
        for setup in self.world.setups.values():
            for account in setup["Accounts"]:
                one = account.get("PendingPayment")
                for row in [*([one] if one else []), *(account.get("PendingPayments") or [])]:
                    payment = self.pending(row, account)
                    found.setdefault((payment.payment_id, str(payment.account_id)), payment)
        self.facts.count("payiq", "payments", len(found))
        return found

    def pending(self, row: dict[str, Any], account: dict[str, Any]) -> Payment:
        currency, created = self.iso(account["CurrencySymbol"]), must(self.day(row["CreateDate"]))
        return Payment(
            provider="payiq",
            tenant=self.tenant,
            payment_id=str(row["TransactionID"]),
            account_id=str(account["AccountID"]),
            currency=currency,
            amount=to_minor(row["AccountTotal"], currency),
            effective=created,
            effective_at=instant(row["CreateDate"], midnight_is_plain=True),
            created=created,
            word=CLASSES.get(row["Status"], "unknown"),
            status=row["Status"],
        )
