"""The terms that a create call is meant to bring about: those its body lists, or those its rule gives."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from flows.settings import Settings
from providers import PROVIDERS
from providers.writing import Before, Monthly, Order
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.schedules.derive import monthly_terms
from transforms.schedules.regenerate import regenerate
from writes.agreement import Agreement
from writes.intents import AgreedTerm


def agree(order: Order, before: Before, settings: Settings) -> Agreement:
    """Return currency and terms of an order; a remark where the terms cannot be known before the provider makes them."""
    section = settings.providers.configured()[order.provider]
    currency = before.currency or section.symbols().get(before.symbol, section.currency or "")
    agreement = Agreement(currency)
    if order.operation != "create":
        return agreement
    if order.terms:
        return _listed(agreement, order)
    desk, zone = PROVIDERS[order.provider].desk, ZoneInfo(section.timezone or "UTC")
    if desk is None or desk.rule is None:
        return replace(agreement, remark="the terms are the provider's to make")
    rule = desk.rule(order, before, section.assumed, zone)
    if isinstance(rule, Monthly):
        return _monthly(agreement, rule, before, zone)
    return _ruled(agreement, {"convention_set": order.provider, "calendar": order.provider, **rule}, settings)


def _listed(agreement: Agreement, order: Order) -> Agreement:
    terms = [(term.due_date, agreement.minor(term.amount)) for term in order.terms]
    unfit = [due for due, minor in terms if minor is None]
    if unfit:
        remark = f"the amount due {unfit[0]} has more decimal places than {agreement.currency or 'the currency'} has"
        return replace(agreement, remark=remark)
    kept = tuple(AgreedTerm(due, minor) for due, minor in sorted(terms) if minor is not None)
    return replace(agreement, terms=kept)


def _ruled(agreement: Agreement, rule: Mapping[str, Any], settings: Settings) -> Agreement:
    row: dict[str, Any] = {**dict.fromkeys(PLAN_RULES.columns), "plan_no": 0, "currency": agreement.currency, **rule}
    total, amount = row.pop("total"), row.pop("amount")
    row["total_minor"] = None if total is None else agreement.minor(total)
    row["term_amount_minor"] = None if amount is None else agreement.minor(amount)
    schedule = regenerate(
        pl.DataFrame([row], schema=dict(PLAN_RULES.dtypes)),
        CUSTOM_TERMS.empty(),
        conventions=settings.conventions(),
        calendars=settings.calendars(),
        with_trace=False,
    )
    if schedule.missing.height or schedule.terms["expected_amount_minor"].null_count():
        missing = schedule.missing["missing_input"][0] if schedule.missing.height else "total_minor"
        remark = f"the terms are the provider's to make: {missing} is not known before"
        return replace(agreement, remark=remark)
    terms = schedule.terms.select("expected_due_date", "expected_amount_minor").sort("expected_due_date").rows()
    return replace(agreement, terms=tuple(AgreedTerm(due, minor) for due, minor in terms))


def _monthly(agreement: Agreement, rule: Monthly, before: Before, zone: ZoneInfo) -> Agreement:
    """Return one term a month until the balance is used up: as the run works out the terms of such a plan."""
    row = {
        "plan_id": "",
        "starts_on": rule.starts_on or before.clock.astimezone(zone).date(),
        "anchor_day": rule.day,
        "total_minor": None if before.total is None else agreement.minor(before.total),
        "each_minor": None if rule.each is None else agreement.minor(rule.each),
    }
    if None in row.values():
        remark = "the terms are the provider's to make: balance or amount of a payment is not known before"
        return replace(agreement, remark=remark)
    terms = monthly_terms(pl.DataFrame([row])).select("due_date", "amount_minor").rows()
    return replace(agreement, terms=tuple(AgreedTerm(due, minor) for due, minor in terms))
