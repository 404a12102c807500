"""What Payt's rows say."""

from datetime import date
from typing import Any

from oracles.model import (
    Account,
    Facts,
    Orphan,
    Payment,
    Plan,
    Term,
    UnusableError,
    civil,
    instant,
    must,
    to_minor,
)

from sandbox.world import PaytWorld

PSP_CLASSES = {
    "paid": "received",
    "pending": "pending",
    "processing": "pending",
    "failed": "failed",
    "cancelled": "void",
    "charged_back": "reversed",
    "refunded": "reversed",
}


def read_payt(world: PaytWorld, facts: Facts) -> None:
    """Add the plans, payments and accounts of every administration to `facts`."""
    for row in world.administrations:
        _Administration(world, str(row["id"]), row["currency_code"], row["timezone"]).read(facts)


class _Administration:
    """One administration: its currency is that of its plans, its zone makes days of timestamps."""

    def __init__(self, world: PaytWorld, tenant: str, currency: str, zone: str) -> None:
        self.world, self.tenant, self.currency, self.zone = world, tenant, currency, zone

    def read(self, facts: Facts) -> None:
        self.accounts(facts)
        for row in self.mine(self.world.payment_plans):
            terms = row.get("payment_terms") or []
            facts.count("payt", "plans")
            facts.count("payt", "terms", len(terms))
            try:
                facts.plans.append(self.plan(row, terms))
            except (UnusableError, KeyError):
                facts.refuse("payt", "plans")
                facts.refuse("payt", "terms", len(terms))
        for row in self.mine(self.world.payments):
            self.add(facts, row, self.payment)
        for row in self.mine(self.world.psp_transactions):
            self.add(facts, row, self.transaction)

    def mine(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if str(row["administration_id"]) == self.tenant]

    def add(self, facts: Facts, row: dict[str, Any], read: Any) -> None:
        facts.count("payt", "payments")
        try:
            payment: Payment = read(row)
        except (UnusableError, KeyError):
            facts.refuse("payt", "payments")
            return
        facts.payments.append(payment)
        account = payment.account_id
        if account is not None and ("payt", self.tenant, account) not in facts.accounts:
            facts.orphans.append(Orphan("payt", self.tenant, payment_id=payment.payment_id, account_id=account))

    def accounts(self, facts: Facts) -> None:
        for kind, rows in (("invoice", self.world.invoices), ("case", self.world.credit_cases)):
            for row in self.mine(rows):
                facts.count("payt", "accounts")
                account = f"{kind}:{row['id']}"
                try:
                    to_minor(row["total_amount"], row["currency_code"])
                    owed = to_minor(row["open_amount"], row["currency_code"])
                except (UnusableError, KeyError):
                    facts.refuse("payt", "accounts")
                    continue
                facts.accounts["payt", self.tenant, account] = Account(
                    "payt",
                    self.tenant,
                    account,
                    row["currency_code"],
                    owed=owed,
                    names=_text(row.get("active_payment_plan_id")),
                    case=_text(row.get("active_credit_case_id")),
                    updated=civil(row.get("updated_at"), self.zone),
                )

    def plan(self, row: dict[str, Any], terms: list[dict[str, Any]]) -> Plan:
        accounts = self.covered(str(row["id"]))
        plan = Plan(
            provider="payt",
            tenant=self.tenant,
            plan_id=str(row["id"]),
            currency=self.currency,
            basis="PROVIDER_BALANCE",
            created=must(civil(row["created_at"], self.zone)),
            created_at=instant(row["created_at"]),
            updated=must(civil(row["updated_at"], self.zone)),
            paused=self.paused_since(str(row["debtor_id"]), accounts),
            account_ids=accounts,
            account_id=accounts[0] if accounts else None,
            customer_id=str(row["debtor_id"]),
            active=bool(row.get("active")),
            proposed=civil(row.get("proposed_at"), self.zone),
            approved=civil(row.get("approved_at"), self.zone),
            rejected=civil(row.get("rejected_at"), self.zone),
            deactivated=civil(row.get("deactivated_at"), self.zone),
        )
        plan.terms = [self.term(term) for term in terms]
        return plan

    def term(self, row: dict[str, Any]) -> Term:
        return Term(
            term_id=str(row["id"]),
            due=must(civil(row["due_date"], self.zone)),
            amount=to_minor(row["total_amount"], self.currency),
            owed=to_minor(row["amount_due"], self.currency),
            paid_on=civil(row.get("payment_date"), self.zone),
        )

    def covered(self, plan_id: str) -> list[str]:
        """Name the plan's accounts: cases before invoices, then by id as a number."""
        cases = [str(row["id"]) for row in self.mine(self.world.credit_cases) if _names(row, plan_id)]
        invoices = [
            str(row["id"])
            for row in self.mine(self.world.invoices)
            if _names(row, plan_id) or str(row.get("active_credit_case_id")) in cases
        ]
        return [f"case:{item}" for item in sorted(cases, key=int)] + [
            f"invoice:{item}" for item in sorted(invoices, key=int)
        ]

    def paused_since(self, debtor: str, accounts: list[str]) -> date | None:
        """Return the first day on which the debtor, or an invoice or case of the plan, is paused; none is lifted."""
        rows = [row for row in self.mine(self.world.debtors) if str(row["id"]) == debtor]
        for kind, listed in (("invoice", self.world.invoices), ("case", self.world.credit_cases)):
            rows += [row for row in self.mine(listed) if f"{kind}:{row['id']}" in accounts]
        days = [civil(row.get("paused_at"), self.zone) for row in rows]
        return min((day for day in days if day is not None), default=None)

    def payment(self, row: dict[str, Any]) -> Payment:
        """Read money booked on an invoice; balances contain it already, so it serves comparison only."""
        day = must(civil(row["payment_date"], self.zone))
        kind, is_principal = row.get("transaction_type"), row.get("cost_type") in {None, "", "principal"}
        word = {"write_off": "written_off", "reversal": "reversed"}.get(kind or "")
        if word is None:
            word = "cost" if not is_principal else "credit" if kind == "credit" else "received"
        return Payment(
            provider="payt",
            tenant=self.tenant,
            payment_id=str(row["id"]),
            account_id=f"invoice:{row['invoice_id']}",
            currency=self.currency,
            amount=to_minor(row["total_book_amount"], self.currency),
            effective=day,
            created=day,
            word=word,
            status=kind,
            is_transaction=False,
            is_principal=is_principal,
        )

    def transaction(self, row: dict[str, Any]) -> Payment:
        """Read a payment-service transaction; the administration's currency decides which amount counts."""
        own = row["currency_code"] == self.currency
        updated = must(civil(row["updated_at"], self.zone))
        paid = civil(row.get("paid_at"), self.zone)
        word = PSP_CLASSES.get(row["status"], "unknown")
        amount = to_minor(row["amount"] if own else row["book_amount"], self.currency)
        invoices = sorted((str(item) for item in row.get("invoice_ids") or []), key=int)
        return Payment(
            provider="payt",
            tenant=self.tenant,
            payment_id=f"psp:{row['id']}",
            account_id=f"invoice:{invoices[0]}" if invoices else None,
            accounts=[f"invoice:{item}" for item in invoices],
            currency=self.currency,
            amount=amount,
            effective=paid or updated,
            effective_at=instant(row["paid_at"] if paid else row["updated_at"]),
            created=updated,
            word=word,
            status=row["status"],
            reversed_at=instant(row["updated_at"]) if word == "reversed" else None,
            reversed_on=updated if word == "reversed" else None,
            reversed_amount=amount if word == "reversed" else None,
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _names(row: dict[str, Any], plan_id: str) -> bool:
    named = row.get("active_payment_plan_id")
    return named is not None and str(named) == plan_id
