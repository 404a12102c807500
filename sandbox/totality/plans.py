"""Totality's changes: create, update and delete a plan, and post one scheduled payment."""

import json
import uuid
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from sandbox.exchange import reply
from sandbox.site import Site
from sandbox.totality.lists import InvalidError
from sandbox.totality.schedule import parsed, schedule, validate
from sandbox.world import Row

PLAN_FIELDS = (
    "collectorUserId",
    "contactMethod",
    "firstPaymentDay",
    "firstPaymentDate",
    "isPartialPaymentPlan",
    "paymentArrangementType",
    "paymentFrequency",
    "schedule",
    "scheduleType",
    "secondPaymentDay",
    "totalPlanAmount",
    "weekdayOfFirstPayment",
    "weekdayOfSecondPayment",
    "weekOfFirstPayment",
    "weekOfSecondPayment",
)
CONTACT_METHODS = ("Automation", "Email", "Phone", "SMS", "Self-Service Portal", "Webchat", "Other")
CHANGEABLE = ("collectorUserId", "contactMethod", "isActive")
NAMES = uuid.UUID("8a6c1e52-55f0-4bb1-9a52-2f0a4f7f6d10")


class MissingError(Exception):
    """A resource that does not exist."""


class PlanConflictError(Exception):
    """A plan refused because of another one; the status is assumed."""

    def __init__(self, status: int) -> None:
        super().__init__("The loan has an active payment plan and the lender allows only one")
        self.status = status


@dataclass(slots=True)
class Plans:
    """The calls that change plans. A repeated create makes a second plan unless the lender allows only one."""

    site: Site
    made: int = 0

    def create(self, request: Request, body: bytes) -> Response:
        """Make a plan with its scheduled payments in place of the loan's unprocessed ones; answer 201 with it."""
        loan = self._find("loans", request.path_params["uuid"])
        asked = _object(body)
        today = self.site.world.now().date()
        self._check(loan, asked, today)
        total = asked["totalPlanAmount"] if asked.get("isPartialPaymentPlan") else loan["balance"]
        holidays = {date.fromisoformat(day) for day in self.site.world.totality.holidays}
        dated = schedule(asked, total=total, holidays=holidays, assumed=self.site.assumed)
        with self.site.world.changing() as world:
            plan = self._stamped() | {"loanUuid": loan["uuid"], "isActive": True}
            plan |= {name: asked.get(name) for name in sorted((*PLAN_FIELDS, *self.site.assumed.totality_plan_fields))}
            self._unschedule("loanUuid", loan["uuid"])
            world.totality.payment_plans.append(plan)
            world.totality.scheduled_payments += [self._term(plan, day, cents) for day, cents in dated]
            loan |= {"isAutoScheduled": False, "updatedAt": self._now()}
        return reply(plan, 201)

    def _check(self, loan: Row, asked: Row, today: date) -> None:
        validate(asked, today=today, balance=loan["balance"])
        if asked.get("contactMethod") not in {None, *CONTACT_METHODS}:
            raise InvalidError("contactMethod", f"must be one of {', '.join(CONTACT_METHODS)}")
        if loan["status"] not in self.site.assumed.totality_active_statuses:
            raise InvalidError("loanUuid", "the loan is not active")
        world = self.site.world.totality
        active = any(plan["isActive"] and plan["loanUuid"] == loan["uuid"] for plan in world.payment_plans)
        if active and world.allow_only_single_payment_plan:
            raise PlanConflictError(self.site.assumed.totality_second_plan_status)

    def _term(self, plan: Row, day: date, cents: int) -> Row:
        return self._stamped() | {
            "loanUuid": plan["loanUuid"],
            "paymentPlanUuid": plan["uuid"],
            "amount": cents,
            "paymentDate": day.isoformat(),
            "isECheck": False,
            "paymentUuid": None,
        }

    def update(self, request: Request, body: bytes) -> Response:
        """Change collector, contact method or state of a plan, nothing else; 204 without a body."""
        plan = self._find("payment_plans", request.path_params["uuid"])
        asked = _object(body)
        for name in asked:
            if name not in CHANGEABLE:
                raise InvalidError(name, "cannot be changed")
        if asked.get("contactMethod") not in {None, *CONTACT_METHODS}:
            raise InvalidError("contactMethod", f"must be one of {', '.join(CONTACT_METHODS)}")
        if not isinstance(asked.get("isActive", True), bool):
            raise InvalidError("isActive", "must be true or false")
        with self.site.world.changing():
            plan |= asked | {"updatedAt": self._now()}
        return Response(status_code=204)

    def delete(self, request: Request, _body: bytes) -> Response:
        """Deactivate a plan and remove its unprocessed scheduled payments; the record stays; 204."""
        plan = self._find("payment_plans", request.path_params["uuid"])
        with self.site.world.changing():
            plan |= {"isActive": False, "updatedAt": self._now()}
            self._unschedule("paymentPlanUuid", plan["uuid"])
        return Response(status_code=204)

    def schedule_one(self, _request: Request, body: bytes) -> Response:
        """Add one scheduled payment to a loan, and to a plan of it if one is named; answer 201 with it."""
        asked = _object(body)
        loan = self._find("loans", str(asked.get("loanUuid")))
        if asked.get("paymentPlanUuid") is not None:
            self._find("payment_plans", str(asked["paymentPlanUuid"]))
        if type(asked.get("amount")) is not int or asked["amount"] <= 0:
            raise InvalidError("amount", "must be a positive integer")
        if not isinstance(asked.get("isECheck"), bool):
            raise InvalidError("isECheck", "must be true or false")
        day = parsed(asked.get("paymentDate"), "paymentDate")
        plan = {"loanUuid": loan["uuid"], "uuid": asked.get("paymentPlanUuid")}
        with self.site.world.changing() as world:
            term = self._term(plan, day, asked["amount"]) | {"isECheck": asked["isECheck"]}
            world.totality.scheduled_payments.append(term)
        return reply(term, 201)

    def _unschedule(self, column: str, value: str) -> None:
        kept = self.site.world.totality.scheduled_payments
        kept[:] = [row for row in kept if row[column] != value or row["paymentUuid"] is not None]

    def _stamped(self) -> Row:
        self.made += 1
        now = self._now()
        return {"uuid": str(uuid.uuid5(NAMES, f"{now} {self.made}")), "createdAt": now, "updatedAt": now}

    def _find(self, name: str, identifier: str) -> Row:
        rows: list[Row] = getattr(self.site.world.totality, name)
        for row in rows:
            if row["uuid"] == identifier:
                return row
        raise MissingError("Resource not found")

    def _now(self) -> str:
        return self.site.world.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _object(body: bytes) -> Row:
    try:
        parsed_body = json.loads(body)
    except ValueError:
        parsed_body = None
    if not isinstance(parsed_body, dict):
        raise InvalidError("body", "must be a JSON object")
    return parsed_body
