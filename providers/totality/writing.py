"""Changes payment plans at Totality: create, update, deactivate; and looks for what came of it.

A new plan takes away every scheduled payment of its loan that has no processed payment. What is
there before is read for that, and so that a new plan can be told from older ones of the loan.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

import msgspec

from providers.base import Clock, Connection, assumed
from providers.checking import Field, day_of
from providers.errors import Unreadable
from providers.http.answers import Reply
from providers.http.transport import Call
from providers.pages import parsed
from providers.reader import Reader
from providers.rows import UNREADABLE, fault_of, renamed
from providers.sending import (
    CONFLICT,
    CREATED,
    OK,
    NotProvenError,
    Refusal,
    as_fields,
    complaint,
    expect_status,
    known_words,
    name_of,
    nothing_more,
    sent,
    typed,
)
from providers.totality.assumed import WRITES as ASSUMED
from providers.totality.orders import BY_AMOUNT, BY_SCHEDULE, Names, major, order_of
from providers.totality.reading import ASSUMED as READS
from providers.totality.reading import NAME, TotalityClient, connect
from providers.totality.rows import Loan, Plan, Record, ScheduledPayment
from providers.totality.rule import BODY, rule_of
from providers.totality.shown import differing, is_processed, misread, plan_now, settings, terms_of
from providers.writing import Answer, Before, Desk, Found, Order, PlanNow, UnknownPlan, Wanted

R = TypeVar("R", bound=Record)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TotalityWriter(Reader):
    """Changes plans of one lender."""

    lists: TotalityClient
    words: Mapping[str, str]
    names: Names

    def locate(self, wanted: Wanted) -> Wanted:
        """Return the change as it is: a host is one lender, and a body holds no secret."""
        return wanted

    def fields(self, operation: str) -> Mapping[str, Field]:
        """Return the fields that a body may have, a create's loan among them."""
        known = {"create": self.names.create, "update": self.names.update}
        return known[operation]() if operation in known else {}

    def order(self, wanted: Wanted) -> Order:
        """Return the call that makes the change."""
        return order_of(wanted, self.names)

    def before(self, order: Order) -> Before:
        """Return what Totality shows now: the loan, its plans, and the scheduled payments that would go."""
        plan = None if order.operation == "create" else self._known_plan(order.plan_id or "")
        loan_uuid = order.owner if plan is None else plan.loan_uuid
        loan = self._loan(loan_uuid)
        if loan is None and plan is None:
            raise UnknownPlan(f"there is no loan {loan_uuid}", provider=NAME)
        plans = self._plans(loan_uuid)
        scheduled, unread = self._readable(loan_uuid)
        going = [one for one in scheduled if not is_processed(one)]
        if order.operation == "update":
            going = []
        elif plan is not None:
            going = [one for one in going if one.payment_plan_uuid == plan.uuid]
        objections, remarks = self._said(order, loan, plans) if loan and plan is None else ((), ())
        return Before(
            clock=self.transport.until_now(),
            plan=None if plan is None else plan_now(plan, scheduled, self.names),
            owner=loan_uuid,
            plan_ids=tuple(sorted(one.uuid for one in plans)),
            removes=terms_of(going),
            total=_total(self.names.ours(order.body), loan) if plan is None else None,
            facts={} if loan is None else _facts(loan),
            objections=tuple(objections),
            remarks=(*remarks, *(f"{one}: it is not among the terms shown here" for one in unread)),
        )

    def _said(self, order: Order, loan: Loan, plans: Iterable[Plan]) -> tuple[list[str], list[str]]:
        """Return objections to a new plan, and remarks on it."""
        body = self.names.ours(order.body)
        objections, remarks = [], []
        if loan.status not in self.words["write.active_loan"].split(","):
            objections.append("the loan is not active")
        balance = loan.balance if isinstance(loan.balance, int) else None
        if body.get("isPartialPaymentPlan") and balance is not None and body["totalPlanAmount"] > balance:
            objections.append("totalPlanAmount is more than the loan's balance")
        today, first = self.transport.until_now().date(), day_of(body["firstPaymentDate"])
        if first is not None and first < today - DAY:
            objections.append("firstPaymentDate has passed")
        elif first is not None and first < today:
            remarks.append("firstPaymentDate was yesterday in UTC, and may have passed in the provider's time zone too")
        if any(one.is_active for one in plans):
            remarks.append("the loan has an active plan; the provider may allow only one")
        if body["paymentArrangementType"] == BY_AMOUNT and body.get("paymentAmount") is None:
            remarks.append("paymentAmount is left out: the provider takes the loan's first amortization amount")
        total = _total(body, loan)
        asked = sum((term.amount for term in order.terms), Decimal(0))
        if body["paymentArrangementType"] == BY_SCHEDULE and total is not None and asked != total:
            remarks.append(f"the schedule adds up to {asked:f}, to be paid is {total:f}")
        return objections, remarks

    def send(self, order: Order) -> Answer:
        """Send the call, once, and tell what its answer proves."""
        call = Call(order.method, order.path, order.route, order.query, json=order.body if order.media else None)
        proof = partial(self._created, order=order) if order.operation == "create" else nothing_more
        return sent(self.transport, call, form=partial(_refusal, names=self.names), proof=proof)

    def look(self, order: Order, before: Before) -> Found:
        """Return what Totality shows of the effect: the plan as asked for, or new plans of the loan."""
        if order.operation != "create":
            plan = self._plan(order.plan_id or "")
            if plan is None:
                return Found(contradicts="Totality no longer shows the plan")
            wanted = order.body if order.operation == "update" else {self.names.of("isActive"): False}
            is_so = not differing(wanted, settings(plan, self.names))
            return Found(plans=(self._shown(plan),)) if is_so else Found()
        new = [plan for plan in self._plans(order.owner) if plan.uuid not in before.plan_ids]
        shown = [self._shown(plan) for plan in new]
        ours = tuple(one for one in shown if not differing(order.body, one.fields))
        return Found(plans=ours, others=tuple(one for one in shown if one not in ours))

    def read(self, tenant_id: str, plan_id: str, owner: str = "") -> PlanNow:  # noqa: ARG002  a uuid says it all
        """Return one plan as Totality shows it now, its scheduled payments as terms."""
        return self._shown(self._known_plan(plan_id))

    def _shown(self, plan: Plan) -> PlanNow:
        return plan_now(plan, self._scheduled("paymentPlanUuid", plan.uuid), self.names)

    def _loan(self, uuid: str) -> Loan | None:
        return next((one for one in self._rows("loans", "uuid", uuid, Loan) if one.uuid == uuid), None)

    def _plans(self, loan_uuid: str) -> list[Plan]:
        return self._rows("payment_plans", "loanUuid", loan_uuid, Plan)

    def _plan(self, uuid: str) -> Plan | None:
        return next(iter(self._rows("payment_plans", "uuid", uuid, Plan)), None)

    def _known_plan(self, uuid: str) -> Plan:
        plan = self._plan(uuid)
        if plan is None:
            raise UnknownPlan(f"there is no plan {uuid}", provider=NAME)
        return plan

    def _scheduled(self, field: str, value: str) -> list[ScheduledPayment]:
        return self._rows("scheduled_payments", field, value, ScheduledPayment)

    def _readable(self, loan_uuid: str) -> tuple[list[ScheduledPayment], list[str]]:
        """Return the loan's scheduled payments that can be read, and what is wrong with the others."""
        unread: list[str] = []
        rows = self._rows("scheduled_payments", "loanUuid", loan_uuid, ScheduledPayment, unread)
        named = self.words.get("scheduled_payments.paymentDate", "paymentDate")
        undated = [one for one in rows if day_of(one.payment_date) is None]
        unread += [misread(one.uuid, named, repr(one.payment_date)) for one in undated]
        return [one for one in rows if one not in undated], unread

    def _rows(self, entity: str, field: str, value: str, kind: type[R], unread: list[str] | None = None) -> list[R]:
        """Return the rows whose field has this value, each once and in its newest version.

        The filter is only a help: every row is compared here, and rows of others are not looked into. One that cannot
        be read raises, unless there is a list to tell it in.
        """
        called = self.words.get(f"{entity}.{field}", field)
        parameter = self.words["write.filter"].replace("{}", called)
        extra = ((parameter, value),) if parameter else ()
        names = tuple(
            sorted(
                (item.encode_name, word)
                for item in msgspec.structs.fields(kind)
                if (word := self.words.get(f"{entity}.{item.encode_name}", item.encode_name)) != item.encode_name
            )
        )
        shape, place = renamed(kind, names), f"GET {self.words[f'path.{entity}']}"
        found: dict[str, R] = {}
        for raw in self.lists.rows(entity, extra):
            if _names_it(raw, called, value):
                try:
                    row = typed(raw, shape, provider=NAME, place=place)
                except Unreadable:
                    if unread is None:
                        raise
                    unread.append(_fault_in(raw, shape))
                    continue
                found[row.uuid] = row
        return list(found.values())

    def _created(self, reply: Reply, order: Order) -> str:
        """Return the new plan's uuid, if the answer shows a plan of the loan as it was asked for."""
        expect_status(reply, CREATED, OK)
        plan = parsed(reply, self._read_plan, provider=NAME, place=f"{order.method} {order.route}")
        if plan.loan_uuid != order.owner:
            raise NotProvenError("the answer shows a plan of another loan", plan.uuid)
        wrong = differing(order.body, settings(plan, self.names))
        if wrong:
            raise NotProvenError(f"the plan in the answer differs in {', '.join(wrong)}", plan.uuid)
        return plan.uuid

    def _read_plan(self, body: bytes) -> Plan:
        mine = "payment_plans."
        given = ((name[len(mine) :], word) for name, word in self.words.items() if name.startswith(mine))
        names = tuple(sorted((name, word) for name, word in given if name != word))
        shape: type[Plan] = renamed(Plan, names)
        return msgspec.json.decode(body, type=shape)


def _fault_in(raw: msgspec.Raw, shape: type[Record]) -> str:
    """Return which field of a row cannot be read, and its value."""
    try:
        msgspec.json.decode(raw, type=shape)
    except UNREADABLE as error:
        column = fault_of(error).column or ""
        fields = as_fields(raw)
        return misread(name_of(raw), column, bytes(fields[column]).decode() if column in fields else "missing")
    return name_of(raw)


def _names_it(raw: msgspec.Raw, field: str, value: str) -> bool:
    """Tell whether the row may be the one: its field has the value, or cannot be read."""
    try:
        shown = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(field, msgspec.Raw(b"null"))
        return bool(msgspec.json.decode(shown, type=str | None) == value)
    except UNREADABLE:
        return True


def _facts(loan: Loan) -> dict[str, object]:
    facts: dict[str, object] = {}
    if isinstance(loan.balance, int):
        facts["balance"] = major(loan.balance)
    if isinstance(loan.is_auto_scheduled, bool):
        facts["isAutoScheduled"] = loan.is_auto_scheduled
    return facts


def _total(body: Mapping[str, object], loan: Loan | None) -> Decimal | None:
    """Return what the terms add up to, by our names: the part planned, else the loan's balance."""
    part = body.get("totalPlanAmount") if body.get("isPartialPaymentPlan") else None
    cents = part if part is not None or loan is None else loan.balance
    return major(cents) if isinstance(cents, int) else None


def _refusal(reply: Reply, names: Names) -> Refusal | None:
    """Return Totality's refusal: 4xx with a JSON object that holds a message, itself or below `error` (assumed)."""
    said_no = complaint(reply)
    if said_no is None:
        return None
    message, fields = said_no
    about = known_words([message, *_blamed(fields)], names.create())
    return Refusal(f"Totality refused it with status {reply.status}{about}", clashes=reply.status == CONFLICT)


def _blamed(fields: Mapping[str, msgspec.Raw]) -> Iterator[str]:
    """Yield the names of the fields that a validation error lists."""
    try:
        yield from msgspec.json.decode(fields.get("errors", msgspec.Raw(b"{}")), type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return


def compose(connection: Connection, *, clock: Clock, wire: object = None) -> TotalityWriter:
    """Return a writer that has sent nothing yet."""
    words = assumed(NAME, {**READS, **ASSUMED}, connection.overrides)
    lists = connect(connection, clock=clock, wire=wire)
    return TotalityWriter(transport=lists.transport, lists=lists, words=words, names=Names(words))


DESK = Desk(NAME, ASSUMED, compose, rule=rule_of, body=BODY)
