"""Changes payment plans at Payt: create, approve, reject, deactivate; and looks for what came of it.

A repeated create makes a second plan, and nothing Payt documents prevents it: what was there before
is read and kept, and afterwards the new plans of the same debtor are looked for, by their terms.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from providers.base import Clock, Connection, assumed
from providers.checking import Field, moment_of, plan_segment
from providers.errors import ProviderError
from providers.http.addresses import segment
from providers.http.answers import FORBIDDEN, Reply, missing_scope
from providers.http.transport import Call
from providers.pages import iso, parsed
from providers.payt.assumed import WRITES as ASSUMED
from providers.payt.coverage import Coverage, coverage
from providers.payt.orders import CREATE, order_of, with_tenant
from providers.payt.reading import ASSUMED as READS
from providers.payt.reading import NAME, PaytClient, connect
from providers.payt.rows import Administration, Plan
from providers.payt.shown import plan_now, reached, same_terms, status
from providers.reader import Reader
from providers.sending import (
    CREATED,
    NOT_FOUND,
    OK,
    UNPROCESSABLE,
    NotProvenError,
    Refusal,
    complaint,
    expect_status,
    known_words,
    sent,
    typed,
)
from providers.writing import Answer, Before, Desk, Found, Impossible, Order, PlanNow, UnknownPlan, Wanted

T = TypeVar("T")
PLANS = "/v1/payment_plans"
OVERLAP = timedelta(minutes=15)
"""How far before the change new plans are looked for: clocks differ, and a lost try may be older than its repetition."""
_FIRST = {"approve": "PROPOSED", "reject": "PROPOSED", "deactivate": "ACTIVE"}


@dataclass(frozen=True, slots=True)
class PaytWriter(Reader):
    """Changes plans of one Payt account."""

    lists: PaytClient
    administrations: tuple[str, ...]
    changed_after: str
    links_required: bool

    def locate(self, wanted: Wanted) -> Wanted:
        """Return the same change with its administration; if none is named, the one that has the plan."""
        placed = with_tenant(wanted, self.administrations)
        if placed.tenant_id or placed.operation not in _FIRST:
            return placed
        plan_id, _ = plan_segment(NAME, wanted)
        having = [each for each in self._administrations() if self._plan(each, plan_id) is not None]
        if len(having) > 1:
            message = f"administrations {', '.join(having)} each have a plan with this id"
            raise Impossible(message, provider=NAME, next_step="Name one with --tenant.")
        if not having:
            raise _no_plan(plan_id)
        return replace(placed, tenant_id=having[0])

    def fields(self, operation: str) -> Mapping[str, Field]:
        """Return the fields that a body may have."""
        return CREATE if operation == "create" else {}

    def order(self, wanted: Wanted) -> Order:
        """Return the call that makes the change."""
        return order_of(wanted, self.administrations, links_required=self.links_required)

    def before(self, order: Order) -> Before:
        """Return what Payt shows now: what a new plan would cover, or the plan that is to change."""
        tenant = self._administration(order.tenant_id)
        zone = tenant.timezone if isinstance(tenant.timezone, str) else None
        currency = tenant.currency_code if isinstance(tenant.currency_code, str) else None
        if order.operation == "create":
            return self._before_create(order, currency, zone)
        plan = self._known_plan(order.tenant_id, order.plan_id or "")
        is_so, _ = reached(plan, order.operation)
        wrong = () if is_so or status(plan) == _FIRST[order.operation] else (_not_from_here(plan, order.operation),)
        now = plan_now(plan, zone)
        return Before(
            clock=self.transport.until_now(),
            plan=now,
            owner=now.owner,
            plan_ids=(now.plan_id,),
            currency=currency,
            facts={"timezone": zone},
            objections=wrong,
        )

    def _before_create(self, order: Order, currency: str | None, zone: str | None) -> Before:
        clock = self.transport.until_now()
        found: Coverage = coverage(self.transport, self.lists, order, currency)
        theirs: list[Plan] = []
        for debtor, number in found.debtors.items():
            extra = (("debtor_numbers", number),) if number and "," not in number else ()
            theirs += self._plans_of(order.tenant_id, debtor, extra)
        return Before(
            clock=clock,
            owner=next(iter(found.debtors)) if len(found.debtors) == 1 else "",
            plan_ids=tuple(sorted({str(plan.id) for plan in theirs})),
            currency=currency,
            total=found.total,
            facts={"timezone": zone, **found.facts},
            objections=found.objections,
            remarks=found.remarks,
        )

    def send(self, order: Order) -> Answer:
        """Send the call, once, and tell what its answer proves."""
        form = tuple((name, str(value)) for name, value in order.body.items()) if order.media == "form" else ()
        body = order.body if order.media == "json" else None
        call = Call(order.method, order.path, order.route, order.query, json=body, form=form)
        return sent(self.transport, call, form=partial(_refusal, order=order), proof=partial(_proof, order=order))

    def look(self, order: Order, before: Before) -> Found:
        """Return what Payt shows of the effect: the plan in its new state, or new plans of the debtor."""
        zone = before.facts.get("timezone")
        if order.operation != "create":
            plan = self._plan(order.tenant_id, order.plan_id or "")
            if plan is None:
                return Found(contradicts="Payt no longer shows the plan")
            is_so, why = reached(plan, order.operation)
            return Found(plans=(plan_now(plan, zone),)) if is_so else Found(contradicts=why)
        since = ((self.changed_after, iso(before.clock - OVERLAP)),)
        new = [
            plan
            for plan in self._plans_of(order.tenant_id, before.owner, since)
            if str(plan.id) not in before.plan_ids and _is_since(plan, before.clock - OVERLAP)
        ]
        shown = [(plan, plan_now(plan, zone)) for plan in new]
        ours = tuple(now for plan, now in shown if _is_approved(plan) and same_terms(now.terms, order.terms))
        return Found(plans=ours, others=tuple(now for _, now in shown if now not in ours))

    def read(self, tenant_id: str, plan_id: str, owner: str = "") -> PlanNow:  # noqa: ARG002  the id says it all here
        """Return one plan as Payt shows it now."""
        tenant = self._administration(tenant_id)
        return plan_now(
            self._known_plan(tenant_id, plan_id), tenant.timezone if isinstance(tenant.timezone, str) else None
        )

    def _administrations(self) -> list[str]:
        if "*" not in self.administrations:
            return list(self.administrations)
        return [str(row.id) for row in self._rows("administrations", "", Administration) if row.status != "deleted"]

    def _administration(self, tenant_id: str) -> Administration:
        for row in self._rows("administrations", "", Administration):
            if str(row.id) == tenant_id:
                return row
        message = f"these credentials show no administration {tenant_id}"
        raise UnknownPlan(message, provider=NAME)

    def _plans_of(self, tenant_id: str, debtor: str, extra: tuple[tuple[str, str], ...]) -> list[Plan]:
        """Return the debtor's plans; rows of others are not read, so their faults do no harm."""
        place = f"GET {PLANS}"
        plans: dict[str, Plan] = {}
        for raw in self.lists.rows("payment_plans", tenant_id, extra):
            belongs = typed(raw, _Belongs, provider=NAME, place=place)
            if (not debtor or belongs.debtor_id in {None, debtor}) and belongs.administration_id in {None, tenant_id}:
                plan = typed(raw, Plan, provider=NAME, place=place)
                plans[str(plan.id)] = plan
        return list(plans.values())

    def _rows(self, name: str, tenant_id: str, kind: type[T]) -> Iterator[T]:
        for raw in self.lists.rows(name, tenant_id):
            yield typed(raw, kind, provider=NAME, place=f"GET /v1/{name}")

    def _known_plan(self, tenant_id: str, plan_id: str) -> Plan:
        plan = self._plan(tenant_id, plan_id)
        if plan is None:
            raise _no_plan(plan_id)
        return plan

    def _plan(self, tenant_id: str, plan_id: str) -> Plan | None:
        place = f"GET {PLANS}/{{id}}"
        call = Call("GET", f"{PLANS}/{segment(plan_id)}", f"{PLANS}/{{id}}", (("administration_id", tenant_id),))
        try:
            plan = self.transport.read(call, lambda reply: parsed(reply, _read_plan, provider=NAME, place=place))
        except ProviderError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return plan if (str(plan.id), str(plan.administration_id)) == (plan_id, tenant_id) else None


class _Belongs(msgspec.Struct):
    """Whose row it is; an id is compared as text, and null where the row does not say."""

    administration_id: str | int | None = None
    debtor_id: str | int | None = None

    def __post_init__(self) -> None:
        self.administration_id = None if self.administration_id is None else str(self.administration_id)
        self.debtor_id = None if self.debtor_id is None else str(self.debtor_id)


def _read_plan(body: bytes) -> Plan:
    return msgspec.json.decode(body, type=Plan)


def _no_plan(plan_id: str) -> UnknownPlan:
    return UnknownPlan(f"there is no plan {plan_id} in this administration", provider=NAME)


def _not_from_here(plan: Plan, operation: str) -> str:
    return f"the plan is {status(plan)}; {operation} needs a plan that is {_FIRST[operation]}"


def _is_approved(plan: Plan) -> bool:
    return status(plan) != "REJECTED" and isinstance(plan.approved_at, str)


def _is_since(plan: Plan, since: datetime) -> bool:
    """Tell whether the plan may have been made since then; an unreadable time may be any."""
    made = moment_of(plan.created_at)
    return made is None or made.tzinfo is None or made >= since


def _proof(reply: Reply, order: Order) -> str:
    """Return the plan's id, if the answer shows the plan in the administration and state asked for.

    Other terms than asked for do not make the plan another one: the caller compares them.
    """
    expect_status(reply, OK, CREATED)
    plan = parsed(reply, _read_plan, provider=NAME, place=f"{order.method} {order.route}")
    plan_id = str(plan.id)
    if str(plan.administration_id) != order.tenant_id or order.plan_id not in {None, plan_id}:
        raise NotProvenError("the answer shows another plan than the one that was to change", plan_id)
    if order.operation == "create" and not (_is_approved(plan) and plan.payment_terms):
        raise NotProvenError("the plan in the answer is not approved, or without terms", plan_id)
    if order.operation != "create" and not reached(plan, order.operation)[0]:
        raise NotProvenError("the plan in the answer is not in the wanted state", plan_id)
    plan_now(plan, None)
    return plan_id


def _refusal(reply: Reply, order: Order) -> Refusal | None:
    """Return Payt's refusal: 4xx with a JSON object that holds a message, itself or below `error`, perhaps a code."""
    said_no = complaint(reply)
    if said_no is None:
        return None
    about = known_words([said_no[0]], CREATE) if order.operation == "create" else ""
    scope = missing_scope(reply.body) if reply.status == FORBIDDEN else None
    said = f"Payt refused it with status {reply.status}{about}"
    clashes = reply.status == UNPROCESSABLE and order.operation != "create"
    return Refusal(f"{said}. {scope}" if scope else said, clashes=clashes)


def compose(connection: Connection, *, clock: Clock, wire: object = None) -> PaytWriter:
    """Return a writer that has sent nothing yet."""
    words = assumed(NAME, {**READS, **ASSUMED}, connection.overrides)
    lists = connect(connection, clock=clock, wire=wire)
    return PaytWriter(
        transport=lists.transport,
        lists=lists,
        administrations=connection.administrations,
        changed_after=words["updated_after"],
        links_required=words["write.links"] == "required",
    )


DESK = Desk(NAME, ASSUMED, compose)
