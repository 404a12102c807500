"""What Totality's rows say."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from oracles.model import (
    Account,
    Facts,
    Options,
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

from sandbox.world import TotalityWorld

CLASSES = {
    "Completed": "received",
    "Posted": "received",
    "Settled": "received",
    "Pending": "pending",
    "Processing": "pending",
    "Held": "pending",
    "Failed": "failed",
    "Rejected": "failed",
    "Voided": "void",
    "Returned": "reversed",
}


def read_totality(world: TotalityWorld, facts: Facts, options: Options) -> None:
    """Add Totality's plans, payments and loans to `facts`."""
    _Lender(world, facts, options).read()


class _Lender:
    def __init__(self, world: TotalityWorld, facts: Facts, options: Options) -> None:
        self.world, self.facts, self.parts = world, facts, options.allocates == "PRINCIPAL_INTEREST"
        self.tenant, self.zone, self.currency = (
            options.totality_tenant,
            options.totality_timezone,
            options.totality_currency,
        )

    def read(self) -> None:
        customers = {row["uuid"]: row.get("customerUuid") for row in self.world.loans}
        for row in self.world.loans:
            self.facts.count("totality", "accounts")
            key = ("totality", self.tenant, row["uuid"])
            self.facts.accounts[key] = Account("totality", self.tenant, row["uuid"], self.currency)
        scheduled = self.scheduled()
        for row in self.world.payment_plans:
            terms = scheduled.get(row["uuid"], [])
            self.facts.count("totality", "plans")
            try:
                self.facts.plans.append(self.plan(row, terms, customers.get(row["loanUuid"])))
            except (UnusableError, KeyError):
                self.facts.refuse("totality", "plans")
                self.facts.refuse("totality", "terms", len(terms))
        for row in self.world.payments:
            self.payment(row)

    def scheduled(self) -> dict[str, list[dict[str, Any]]]:
        """Group scheduled payments by plan; those of no plan are no terms."""
        plans = {row["uuid"] for row in self.world.payment_plans}
        grouped: dict[str, list[dict[str, Any]]] = {}
        for row in self.world.scheduled_payments:
            self.facts.count("totality", "terms")
            named = row.get("paymentPlanUuid")
            if named is None:
                continue
            if named in plans:
                grouped.setdefault(named, []).append(row)
            else:
                orphan = Orphan("totality", self.tenant, term_id=row["uuid"], plan_id=named)
                self.facts.orphans.append(orphan)
        return grouped

    def day(self, value: object) -> date | None:
        return civil(value, self.zone)

    def plan(self, row: dict[str, Any], terms: list[dict[str, Any]], customer: str | None) -> Plan:
        updated = must(self.day(row["updatedAt"]))
        first = self.day(row.get("firstPaymentDate"))
        day_based = row.get("paymentFrequency") == "monthly" and row.get("scheduleType") in {None, "Day-Based"}
        total = row.get("totalPlanAmount")
        plan = Plan(
            provider="totality",
            tenant=self.tenant,
            plan_id=row["uuid"],
            currency=self.currency,
            basis="PAYMENTS",
            created=must(self.day(row["createdAt"])),
            created_at=instant(row["createdAt"]),
            updated=updated,
            account_id=row["loanUuid"],
            account_ids=[row["loanUuid"]],
            customer_id=customer,
            active=bool(row["isActive"]),
            ended=None if row["isActive"] else updated,
            ended_at=None if row["isActive"] else instant(row["updatedAt"]),
            stated_total=None if total is None else self.cents(total),
            monthly=day_based,
            anchor=(row.get("firstPaymentDay") or (first.day if first else None)) if day_based else None,
        )
        plan.terms = [self.term(term) for term in terms]
        if day_based and plan.anchor and first:
            self.undo_shifts(plan.terms, plan.anchor, first, row)
        return plan

    def undo_shifts(self, terms: list[Term], anchor: int, first: date, row: dict[str, Any]) -> None:
        """Date each term of a monthly plan as it was before a weekend or holiday moved it."""
        reach = max(abs(row.get(f"movePaymentOn{kind}Days") or 0) for kind in ("Weekend", "Holiday"))
        for term in terms:
            for step in range(-2 * reach, 2 * reach + 1):
                day = term.due - timedelta(days=step)
                if day >= first and day.day == min(anchor, monthrange(day.year, day.month)[1]):
                    term.nominal = day

    def cents(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise UnusableError(f"amount {value!r} is not integer cents")
        return to_minor(f"{value}.0", "JPY")

    def term(self, row: dict[str, Any]) -> Term:
        return Term(
            term_id=row["uuid"],
            due=must(self.day(row["paymentDate"])),
            amount=self.cents(row["amount"]),
            linked=row.get("paymentUuid"),
        )

    def payment(self, row: dict[str, Any]) -> None:
        self.facts.count("totality", "payments")
        try:
            payment = self.payment_facts(row)
        except (UnusableError, KeyError):
            self.facts.refuse("totality", "payments")
            return
        self.facts.payments.append(payment)
        if ("totality", self.tenant, row["loanUuid"]) not in self.facts.accounts:
            orphan = Orphan("totality", self.tenant, payment_id=row["uuid"], account_id=row["loanUuid"])
            self.facts.orphans.append(orphan)

    def payment_facts(self, row: dict[str, Any]) -> Payment:
        created = must(self.day(row["createdAt"]))
        stamps = [row.get(name) for name in ("processedAt", "postedAt", "settledOn", "createdAt")]
        received = next(stamp for stamp in stamps if self.day(stamp))
        word = CLASSES.get(row["status"], "unknown")
        amount = self.cents(row["amount"])
        returned = row["returnedAt"] if self.day(row.get("returnedAt")) else row["updatedAt"]
        return Payment(
            provider="totality",
            tenant=self.tenant,
            payment_id=row["uuid"],
            account_id=row["loanUuid"],
            currency=self.currency,
            amount=amount,
            effective=must(self.day(received)),
            effective_at=instant(received),
            created=created,
            planned=self.day(row.get("toBePostedAt")),
            fees=max(0, min(row.get("fees") or 0, amount)) if self.parts else 0,
            word=word,
            status=row["status"],
            reversed_on=self.day(returned) if word == "reversed" else None,
            reversed_at=instant(returned) if word == "reversed" else None,
            reversed_amount=amount if word == "reversed" else None,
            is_money=not (row.get("isPromise") or row.get("isPrenote")),
        )
