"""Payt's changes of payment plans: create (approved at once), approve, reject, deactivate."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.exchange import reply
from sandbox.payt.desk import Desk, Handler, RefusedError
from sandbox.payt.lists import LISTINGS, only, shown
from sandbox.payt.oauth import fields_of
from sandbox.site import Site
from sandbox.world import Row

SCOPE = "payment_plans:write"
FORM = "application/x-www-form-urlencoded"
CENT = Decimal("0.01")
MOST = Decimal(10**13)
LINKS = {
    "invoice_numbers": ("invoices", "invoice_number"),
    "invoice_identifiers": ("invoices", "invoice_identifier"),
    "credit_case_numbers": ("credit_cases", "credit_case_number"),
}


@dataclass(slots=True)
class Plans:
    """The calls that change plans. A repeated create makes a second plan: nothing makes it safe."""

    site: Site
    desk: Desk

    def routes(self) -> list[Route]:
        """Return the four calls."""
        states = {"approve": self.approve, "reject": self.reject, "deactivate": self.deactivate}
        return [
            Route("/v1/payment_plans", self.desk.guarded(SCOPE, self.create), methods=["POST"]),
            *(
                Route(
                    f"/v1/payment_plans/{{id}}/{name}", self.desk.guarded(SCOPE, self._changing(act)), methods=["PATCH"]
                )
                for name, act in states.items()
            ),
        ]

    def create(self, _request: Request, body: bytes) -> Response:
        """Make an approved plan over the invoices and cases named, and answer 201 with it."""
        asked = _object(body)
        administration = self.desk.administration(_text(asked.get("administration_id")))
        terms = [_term(item) for item in _list(asked, "terms")]
        if not terms:
            raise _unprocessable("terms is missing")
        covered = self._covered(administration, asked)
        debtors = {str(row["debtor_id"]) for row in covered}
        if len(debtors) > 1 or (not covered and self.site.assumed.payt_links_required):
            raise _unprocessable("name at least one invoice or credit case, all of one debtor")
        total = sum((Decimal(row["open_amount"]) for row in covered), Decimal(0))
        if self.site.assumed.payt_sum_must_match and total != sum(amount for amount, _ in terms):
            raise _unprocessable("the terms do not add up to the open amounts")
        plan = self._made(administration, next(iter(debtors), ""), terms)
        for row in covered:
            row |= {"active_payment_plan_id": plan["id"], "updated_at": plan["updated_at"]}
        return reply(self.desk.spelt(shown(plan, LISTINGS["payment_plans"], None)), 201)

    def _covered(self, administration: str, asked: Row) -> list[Row]:
        covered = []
        for name, (kind, column) in LINKS.items():
            rows = [
                row for row in getattr(self.site.world.payt, kind) if str(row["administration_id"]) == administration
            ]
            for value in _list(asked, name):
                found = [row for row in rows if row.get(column) == value]
                if not found:
                    raise _unprocessable(f"{name}: {value} is unknown")
                covered += found
        return covered

    def _made(self, administration: str, debtor: str, terms: list[tuple[Decimal, str]]) -> Row:
        with self.site.world.changing():
            plans = self.site.world.payt.payment_plans
            number = 1 + max((int(row["id"]) for row in plans if str(row["id"]).isdigit()), default=0)
            now = self._now()
            plan: Row = {
                "id": str(number),
                "administration_id": administration,
                "debtor_id": debtor,
                "active": True,
                "auto_activated": False,
                "created_at": now,
                "updated_at": now,
                "approved_at": now,
                "payment_terms": [
                    {
                        "id": f"{number}{ordinal:03d}",
                        "total_amount": str(amount),
                        "amount_due": str(amount),
                        "due_date": due,
                        "payment_date": None,
                    }
                    for ordinal, (amount, due) in enumerate(terms, start=1)
                ],
            }
            plans.append(plan)
        return plan

    def _changing(self, act: Any) -> Handler:
        def handler(request: Request, body: bytes) -> Response:
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
                raise _unprocessable("this call takes a form body")
            asked = fields_of(request, body)
            wanted = only(asked.get("fields"))
            administration = self.desk.administration(asked.get("administration_id"))
            plan = self._plan(administration, request.path_params["id"])
            with self.site.world.changing():
                act(plan, self._now())
            return reply(self.desk.spelt(shown(plan, LISTINGS["payment_plans"], wanted)))

        return handler

    def approve(self, plan: Row, now: str) -> None:
        """Make a proposed plan active."""
        self._require_proposed(plan)
        plan |= {"approved_at": now, "active": True, "updated_at": now}

    def reject(self, plan: Row, now: str) -> None:
        """Refuse a proposed plan for good."""
        self._require_proposed(plan)
        plan |= {"rejected_at": now, "active": False, "updated_at": now}

    def deactivate(self, plan: Row, now: str) -> None:
        """End an active plan; its invoices and cases no longer name it."""
        if not plan.get("active"):
            raise self._illegal("only an active plan can be deactivated")
        plan |= {"deactivated_at": now, "active": False, "updated_at": now}
        for row in (*self.site.world.payt.invoices, *self.site.world.payt.credit_cases):
            if str(row.get("active_payment_plan_id")) == str(plan["id"]):
                row |= {"active_payment_plan_id": None, "updated_at": now}

    def _require_proposed(self, plan: Row) -> None:
        ended = any(plan.get(name) for name in ("approved_at", "rejected_at", "deactivated_at"))
        if not plan.get("proposed_at") or ended:
            raise self._illegal("the plan is not a proposal")

    def _illegal(self, message: str) -> RefusedError:
        return RefusedError(self.site.assumed.payt_illegal_state_status, "unprocessable_entity", message)

    def _plan(self, administration: str, identifier: str) -> Row:
        for row in self.site.world.payt.payment_plans:
            if str(row["id"]) == identifier and str(row["administration_id"]) == administration:
                return row
        raise self.desk.unknown("payment_plans", identifier)

    def _now(self) -> str:
        return self.site.world.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _unprocessable(message: str) -> RefusedError:
    return RefusedError(422, "unprocessable_entity", message)


def _object(body: bytes) -> Row:
    try:
        parsed = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise _unprocessable("the body is not a JSON object")
    return parsed


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | Decimal) else None


def _list(asked: Row, name: str) -> list[Any]:
    value = asked.get(name) or []
    if not isinstance(value, list):
        raise _unprocessable(f"{name} is not a list")
    return value


def _term(item: Any) -> tuple[Decimal, str]:
    if not isinstance(item, dict) or not isinstance(item.get("amount"), Decimal):
        raise _unprocessable("terms: amount must be a number")
    amount = item["amount"]
    if not 0 < amount < MOST or amount != amount.quantize(CENT):
        raise _unprocessable("terms: amount must be positive, in whole cents")
    try:
        due = date.fromisoformat(item.get("due_date", ""))
    except (ValueError, TypeError):
        raise _unprocessable("terms: due_date must be a date") from None
    return amount.quantize(CENT), due.isoformat()
