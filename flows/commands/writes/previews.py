"""Show a change before it is sent: in plain words, with its terms, its request and what the provider would say."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from providers import PROVIDERS
from providers.writing import Order, Term
from schemas.currencies import in_major
from writes.agreement import Agreement
from writes.engine import Prepared
from writes.intents import DONE, PARKED
from writes.material import exact_json

_MOST_NAMED = 5
VERBS = {
    "create": "create a plan",
    "update": "change plan",
    "approve": "approve plan",
    "reject": "reject plan",
    "deactivate": "end plan",
}


def words(order: Order, agreement: Agreement) -> str:
    """Return a change in a few words, without personal data."""
    what = VERBS[order.operation] + (f" {order.plan_id}" if order.plan_id else "")
    place = f"{order.provider}/{order.tenant_id}" if order.tenant_id else order.provider
    return f"{what} at {place}{_span(agreement)}"


def _span(agreement: Agreement) -> str:
    if not agreement.terms or agreement.amount_minor is None:
        return ""
    days = [term.due_date for term in agreement.terms]
    count = f"{len(days)} term{'s' if len(days) > 1 else ''}"
    span = f"{min(days)} to {max(days)}" if len(days) > 1 else f"{days[0]}"
    return f": {count}, {agreement.plain(agreement.amount_minor)}, {span}"


def preview(number: int, count: int, prepared: Prepared, place: str = "") -> str:
    """Return everything a person should see before approving one change; `place` is where it was written."""
    where = f"  ({place})" if place else ""
    return "\n".join([f"{number} of {count}  {prepared.summary}{where}", *(f"    {line}" for line in _lines(prepared))])


def _lines(prepared: Prepared) -> Iterator[str]:
    order, before, agreement = prepared.order, prepared.before, prepared.agreement
    if before.owner or order.owner:
        yield f"for {before.owner or order.owner}"
    for place, term in enumerate(agreement.terms, 1):
        yield f"{place:>3}  {term.due_date}  {agreement.plain(term.amount_minor)}"
    yield from (f"note: {note}" for note in _oddities(agreement, before.clock.date()))
    if before.plan is not None:
        yield f"the plan is {before.plan.status} with {len(before.plan.terms)} terms, {_sum(before.plan.terms)} {agreement.currency}"
    if before.removes:
        yield f"removes {len(before.removes)} scheduled payments, {_sum(before.removes)} {agreement.currency}:"
        yield from (f"     {term.due_date}  {term.amount:f}" for term in before.removes)
    yield from (f"note: {remark}" for remark in before.remarks)
    if prepared.standing is not None:
        yield f"it is so already: plan {prepared.standing.plan_id} is {prepared.standing.status}; nothing to send"
    elif prepared.known is not None and order.operation == "create":
        yield _known(prepared)
    else:
        yield from (f"cannot be done: {objection}" for objection in before.objections)
        yield f"{order.method} {order.path}"
        if order.query:
            yield "&".join(f"{name}={value}" for name, value in order.query)
        if order.body:
            desk = PROVIDERS[order.provider].desk
            yield exact_json(shown_body(order.body, desk.hidden if desk else ()))
        yield f"request {prepared.request_sha256}"


def _oddities(agreement: Agreement, today: date) -> Iterator[str]:
    """Yield what deserves a second look at terms before they are agreed."""
    if agreement.remark:
        yield agreement.remark
    days = [term.due_date for term in agreement.terms]
    past = [f"term {place} of {due}" for place, due in enumerate(days, 1) if due < today]
    if past:
        yield f"{_some(past)} {'is' if len(past) == 1 else 'are'} due before today, {today}"
    for due, count in Counter(days).items():
        if count > 1:
            yield f"{count} terms are due on {due}: terms {_some([str(n) for n, day in enumerate(days, 1) if day == due])}"


def _some(names: Sequence[str]) -> str:
    """Return the names, or the first of many and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMED])} and {more} more"


def _known(prepared: Prepared) -> str:
    known = prepared.known
    if known is None:
        return ""
    if known.state == DONE:
        return f"it was done as intent {known.intent_id}, plan {known.plan_id}; give --again with a reason to do it once more"
    if known.state == PARKED:
        return f"it is intent {known.intent_id}, left to a person; look at the provider, then `planrecon plan resume {known.intent_id}`"
    return f"it is intent {known.intent_id} already, which is {known.state}; --yes goes on with it"


def shown_body(body: Any, hidden: Collection[str]) -> Any:
    """Return a body without the values of its hidden fields."""
    if isinstance(body, dict):
        return {name: "[hidden]" if name in hidden else shown_body(value, hidden) for name, value in body.items()}
    return [shown_body(item, hidden) for item in body] if isinstance(body, list) else body


def _sum(terms: Sequence[Term]) -> str:
    return f"{sum((term.amount for term in terms), Decimal(0)):f}"


def totals(prepared: Sequence[Prepared]) -> dict[str, Decimal]:
    """Return what the created plans add up to, by currency, in major units."""
    sums: dict[str, Decimal] = {}
    for one in prepared:
        agreement = one.agreement
        if one.order.operation != "create":
            continue
        minor = agreement.amount_minor
        amount = in_major(minor, agreement.currency) if minor is not None else one.before.total or Decimal(0)
        sums[agreement.currency] = sums.get(agreement.currency, Decimal(0)) + amount
    return sums
