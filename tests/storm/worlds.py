"""Small worlds for changes at the providers, and every kind of change: its commands, and the effects it must have.

Each world holds as many accounts, and where the change needs them as many plans, as there are changes.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.world import World

CHANGES = 3
CLOCK = "2026-11-20T20:00:00Z"
THEN = "2026-10-01T09:30:00Z"


def payt_world() -> World:
    world = World(clock=CLOCK)
    world.payt.administrations.append(
        {"id": "1001", "name": "One", "status": "active", "timezone": "Europe/Amsterdam", "currency_code": "EUR"}
        | dict.fromkeys(
            (
                "internal_name", "email_address", "contact_name", "country_code", "city", "house_number", "street_name",
                "postal_code", "commercial_registration_number", "administration_url",
            ),
            "x",
        )
    )  # fmt: skip
    for number in range(CHANGES):
        world.payt.invoices.append(_invoice(number))
        world.payt.payment_plans.append(_plan(100 + number, number, proposed=True))
        world.payt.payment_plans.append(_plan(200 + number, number, proposed=False))
    return world


def _invoice(number: int) -> dict[str, Any]:
    return {
        "id": str(900 + number),
        "administration_id": "1001",
        "debtor_id": f"5{number}",
        "invoice_number": f"F{number}",
        "currency_code": "EUR",
        "payment_method": "bank_transfer",
        "invoice_date": "2026-09-01",
        "due_date": "2026-10-01",
        "total_amount": "300.00",
        "open_amount": "300.00",
        "book_total_amount": "300.00",
        "book_open_amount": "300.00",
        "administration_costs_total": "0.00",
        "administration_costs_open": "0.00",
        "updated_at": THEN,
        "active_payment_plan_id": None,
    }


def _plan(identifier: int, number: int, *, proposed: bool) -> dict[str, Any]:
    return {
        "id": str(identifier),
        "administration_id": "1001",
        "debtor_id": f"5{number}",
        "payment_terms": [
            {
                "id": f"{identifier}1",
                "total_amount": "50.00",
                "amount_due": "50.00",
                "due_date": "2026-12-01",
                "payment_date": None,
            }
        ],
        "active": not proposed,
        "auto_activated": False,
        "created_at": THEN,
        "updated_at": THEN,
        "proposed_at": THEN if proposed else None,
        "approved_at": None if proposed else THEN,
    }


def totality_world() -> World:
    world = World(clock=CLOCK)
    for number in range(CHANGES):
        loan = f"00000000-0000-4000-8000-00000000000{number}"
        world.totality.loans.append(
            {
                "uuid": loan,
                "customerUuid": loan,
                "externalId": None,
                "status": "Funded",
                "balance": 60000,
                "isAutoScheduled": True,
                "createdAt": THEN,
                "updatedAt": THEN,
            }
        )
        plan = f"00000000-0000-4000-9000-00000000000{number}"
        world.totality.payment_plans.append(
            loan_body()
            | {"uuid": plan, "loanUuid": loan, "isActive": True, "createdAt": THEN, "updatedAt": THEN}
            | {"firstPaymentDate": "2026-10-05"}
        )
        world.totality.scheduled_payments.append(
            {
                "uuid": f"00000000-0000-4000-a000-00000000000{number}",
                "loanUuid": loan,
                "paymentPlanUuid": plan,
                "amount": 20000,
                "paymentDate": "2026-12-05",
                "isECheck": False,
                "paymentUuid": None,
                "createdAt": THEN,
                "updatedAt": THEN,
            }
        )
    return world


def loan_body() -> dict[str, Any]:
    return {
        "collectorUserId": 7,
        "contactMethod": "Phone",
        "firstPaymentDate": "2026-12-01",
        "paymentArrangementType": "Payment Number Based",
        "paymentFrequency": "monthly",
        "numberOfPayments": 3,
        "movePaymentOnHolidayDays": 0,
        "movePaymentOnWeekendDays": 0,
    }


def payiq_world(*, with_plans: bool) -> World:
    world = World(clock=CLOCK)
    for number in range(CHANGES):
        account = 51000 + number
        key = (f"customer-token-{number}", f"REF-{number}", "")
        world.payiq.setups[key] = {
            "Accounts": [
                {
                    "AccountID": account,
                    "AccountNumber": f"REF-{number}",
                    "AmountDue": Decimal("100.00"),
                    "CurrencySymbol": "$",
                    "DueDate": "2026-12-05T00:00:00Z",
                    "ExistingPaymentPlanID": 700 + number if with_plans else None,
                    "PendingPayment": None,
                    "PendingPayments": [],
                    "RoleMaskedAccount": "***",
                    "Stopped": False,
                    "UpdateDate": THEN,
                }
            ],
            "AllowDueDay": True,
            "DayDue": 5,
            "DefaultMonthlyPayment": Decimal("50.00"),
            "EnforceDueDate": False,
            "InitialBalance": Decimal("300.00"),
            "MaximumTerm": 36,
            "Message": "",
            "PlanType": "Fixed",
            "RestrictedOverrideMinimum": None,
            "Tiers": [],
        }
        if with_plans:
            world.payiq.plans[700 + number] = {
                "PaymentPlanID": 700 + number,
                "PaymentName": "before",
                "PaymentPlanType": "Fixed",
                "BillingAccounts": [{"AccountID": account, "AccountNumber": f"REF-{number}"}],
                "CanEdit": True,
                "CreateDate": THEN,
                "DateToStart": None,
                "CurrencySymbol": "$",
                "DayType": "DayOfMonth",
                "DayToPay": 1,
                "InitialBalance": Decimal("300.00"),
                "PaymentAmount": Decimal("50.00"),
                "PaymentCount": 0,
            }
    return world


# --- what is asked for, and what must be there afterwards


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of change: the world it happens in, its commands, the request that does it, its effects."""

    name: str
    provider: str
    world: Callable[[], World]
    route: str
    bodies: Callable[[], list[dict[str, Any]]]
    plans: tuple[str, ...]
    effects: Callable[[World], dict[str, int]]
    """For each change asked for, how often its effect is there."""
    must: bool = True

    def commands(self, folder: Path) -> list[list[str]]:
        """Return the command lines that ask for all changes."""
        common = ["--provider", self.provider, "--yes", "--config", str(folder / "planrecon.toml")]
        if self.name == "create":
            file = folder / "bodies.json"
            file.write_text(json.dumps(self.bodies()))
            return [["plan", "create", "--file", str(file), *common]]
        if self.name == "update":
            commands = []
            for plan_id, body in zip(self.plans, self.bodies(), strict=True):
                file = folder / f"{plan_id}.json"
                file.write_text(json.dumps(body))
                commands.append(["plan", "update", plan_id, "--file", str(file), *common])
            return commands
        return [["plan", self.name, *self.plans, *common]]


def _payt_bodies() -> list[dict[str, Any]]:
    return [
        {
            "administration_id": "1001",
            "terms": [{"amount": 100, "due_date": f"2026-12-1{number}"}, {"amount": 200, "due_date": "2027-01-11"}],
            "invoice_numbers": [f"F{number}"],
        }
        for number in range(CHANGES)
    ]


def _payt_made(world: World) -> dict[str, int]:
    made = Counter(
        (plan["payment_terms"][0]["due_date"], plan["debtor_id"])
        for plan in world.payt.payment_plans
        if int(plan["id"]) >= 203
    )
    return {f"create {n}": made[(f"2026-12-1{n}", f"5{n}")] for n in range(CHANGES)} | {
        "others": sum(made.values()) - sum(made[(f"2026-12-1{n}", f"5{n}")] for n in range(CHANGES))
    }


def _payt_state(first: int, column: str, others: tuple[str, ...]) -> Callable[[World], dict[str, int]]:
    def effects(world: World) -> dict[str, int]:
        rows = {plan["id"]: plan for plan in world.payt.payment_plans}
        mine = [rows[str(first + number)] for number in range(CHANGES)]
        wrong = sum(bool(row.get(name)) for row in mine for name in others)
        return {str(row["id"]): int(bool(row.get(column))) for row in mine} | {"others": wrong}

    return effects


def _loan(number: int) -> str:
    return f"00000000-0000-4000-8000-00000000000{number}"


def _totality_plans() -> tuple[str, ...]:
    return tuple(f"00000000-0000-4000-9000-00000000000{number}" for number in range(CHANGES))


def _totality_made(world: World) -> dict[str, int]:
    new = [plan for plan in world.totality.payment_plans if plan["uuid"] not in _totality_plans()]
    made = Counter(plan["loanUuid"] for plan in new)
    whole = sum(
        sorted(row["amount"] for row in world.totality.scheduled_payments if row["paymentPlanUuid"] == plan["uuid"])
        != [20000, 20000, 20000]
        for plan in new
        if made[plan["loanUuid"]] == 1
    )
    return {_loan(number): made[_loan(number)] for number in range(CHANGES)} | {"others": whole}


def _totality_state(test: Callable[[dict[str, Any]], bool]) -> Callable[[World], dict[str, int]]:
    def effects(world: World) -> dict[str, int]:
        rows = {plan["uuid"]: plan for plan in world.totality.payment_plans}
        return {name: int(test(rows[name])) for name in _totality_plans()} | {"others": len(rows) - CHANGES}

    return effects


def _payiq_bodies() -> list[dict[str, Any]]:
    return [
        {
            "CustomerToken": f"customer-token-{number}",
            "ReferenceNumber": f"REF-{number}",
            "PaymentName": f"after {number}",
            "DayType": "DayOfMonth",
            "DayToPay": 5,
            "PaymentAmount": 100,
        }
        for number in range(CHANGES)
    ]


def _payiq_made(world: World) -> dict[str, int]:
    made = Counter(plan["PaymentName"] for plan in world.payiq.plans.values())
    return {f"after {number}": made[f"after {number}"] for number in range(CHANGES)} | {"others": len(made) - CHANGES}


def _payiq_named(world: World) -> dict[str, int]:
    return {
        str(700 + number): int(world.payiq.plans[700 + number]["PaymentName"] == f"after {number}")
        for number in range(CHANGES)
    } | {"others": len(world.payiq.plans) - CHANGES}


def _payiq_gone(world: World) -> dict[str, int]:
    return {str(700 + number): int(700 + number not in world.payiq.plans) for number in range(CHANGES)} | {"others": 0}


def _none() -> list[dict[str, Any]]:
    return []


PAYT_PLANS = tuple(str(100 + number) for number in range(CHANGES))
ACTIVE_PLANS = tuple(str(200 + number) for number in range(CHANGES))
BILL_PLANS = tuple(str(700 + number) for number in range(CHANGES))

ACTS = (
    Act("create", "payt", payt_world, r"POST /v1/payment_plans$", _payt_bodies, (), _payt_made),
    Act("approve", "payt", payt_world, r"PATCH .*/approve", _none, PAYT_PLANS,
        _payt_state(100, "approved_at", ("rejected_at", "deactivated_at"))),
    Act("reject", "payt", payt_world, r"PATCH .*/reject", _none, PAYT_PLANS,
        _payt_state(100, "rejected_at", ("approved_at", "deactivated_at"))),
    Act("deactivate", "payt", payt_world, r"PATCH .*/deactivate", _none, ACTIVE_PLANS,
        _payt_state(200, "deactivated_at", ("rejected_at",))),
    Act("create", "totality", totality_world, r"POST /api/loans/",
        lambda: [loan_body() | {"loanUuid": _loan(number)} for number in range(CHANGES)], (), _totality_made),
    Act("update", "totality", totality_world, r"PATCH /api/payment-plans/",
        lambda: [{"collectorUserId": 9, "contactMethod": None} for _ in range(CHANGES)], _totality_plans(),
        _totality_state(lambda row: row["collectorUserId"] == 9 and row["contactMethod"] is None)),
    Act("deactivate", "totality", totality_world, r"DELETE /api/payment-plans/", _none, _totality_plans(),
        _totality_state(lambda row: row["isActive"] is False)),
    Act("create", "payiq", lambda: payiq_world(with_plans=False), r"PUT /PayIQ/Api/PaymentPlan", _payiq_bodies, (), _payiq_made),
    Act("update", "payiq", lambda: payiq_world(with_plans=True), r"POST /PayIQ/Api/PaymentPlan$", _payiq_bodies, BILL_PLANS,
        _payiq_named),
    Act("deactivate", "payiq", lambda: payiq_world(with_plans=True), r"DELETE /PayIQ/Api/PaymentPlan", _none, BILL_PLANS,
        _payiq_gone),
)  # fmt: skip
