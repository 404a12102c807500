"""The terms that a create call is meant to bring about: as its body lists them, or as the engine makes them of its rule."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from flows.commands.schedule import FREQUENCIES
from flows.settings import PayiqSettings, ProviderSettings, Settings
from providers.writing import Before, Order
from schemas.currencies import EXPONENTS
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.calendars.business_days import WEEKDAYS
from transforms.schedules.derive import monthly_terms
from transforms.schedules.regenerate import regenerate
from writes.agreement import Agreement
from writes.intents import AgreedTerm

ARRANGEMENTS = {"Payment Amount Based": "AMOUNT", "Payment Number Based": "NUMBER"}
BY_WEEKDAY = "Weekday-Based"


def agree(order: Order, before: Before, settings: Settings) -> Agreement:
    """Return currency and terms of an order; a remark where the terms cannot be known before the provider makes them."""
    section = settings.providers.configured()[order.provider]
    currency = before.currency or _currency(section, before)
    agreement = Agreement(currency, EXPONENTS.get(currency, 2))
    if order.operation != "create":
        return agreement
    if order.terms:
        return _listed(agreement, order)
    if isinstance(section, PayiqSettings):
        return _monthly(agreement, order, before, section.timezone or "UTC")
    return _ruled(agreement, _loan_rule(order, before, section), settings)


def _currency(section: ProviderSettings, before: Before) -> str:
    if isinstance(section, PayiqSettings):
        symbol = str(before.facts.get("CurrencySymbol") or "")
        return section.currency_symbols.get(symbol, section.currency or "")
    return section.currency or ""


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
    found = regenerate(
        pl.DataFrame([row], schema=dict(PLAN_RULES.dtypes)),
        CUSTOM_TERMS.empty(),
        conventions=settings.conventions(),
        calendars=settings.calendars(),
        with_trace=False,
    )
    if found.missing.height or found.terms["expected_amount_minor"].null_count():
        missing = found.missing["missing_input"][0] if found.missing.height else "total_minor"
        remark = f"the terms are the provider's to make: {missing} is not known before"
        return replace(agreement, remark=remark)
    terms = found.terms.select("expected_due_date", "expected_amount_minor").sort("expected_due_date").rows()
    return replace(agreement, terms=tuple(AgreedTerm(due, minor) for due, minor in terms))


def _loan_rule(order: Order, before: Before, section: ProviderSettings) -> dict[str, Any]:
    """Return the rule that the body of a loan's plan gives; names that were corrected by configuration are followed."""

    def told(name: str) -> Any:
        return order.body.get(section.assumed.get(f"payment_plans.{name}", name))

    by_weekday = told("scheduleType") == BY_WEEKDAY
    amount = told("paymentAmount")
    return {
        "convention_set": order.provider,
        "calendar": order.provider,
        "arrangement": ARRANGEMENTS[told("paymentArrangementType")],
        "frequency": FREQUENCIES[told("paymentFrequency")],
        "pattern": "WEEKDAY" if by_weekday else "DAY",
        "days_in_period": told("daysInPeriod"),
        "first_due_date": date.fromisoformat(told("firstPaymentDate")),
        "first_day": told("firstPaymentDay"),
        "second_day": told("secondPaymentDay"),
        "first_weekday": _weekday(told("weekdayOfFirstPayment")),
        "second_weekday": _weekday(told("weekdayOfSecondPayment")),
        "first_week": told("weekOfFirstPayment"),
        "second_week": told("weekOfSecondPayment"),
        "term_count": told("numberOfPayments"),
        "amount": None if amount is None else Decimal(amount).scaleb(-2),
        "total": before.total,
        "weekend_shift": told("movePaymentOnWeekendDays"),
        "holiday_shift": told("movePaymentOnHolidayDays"),
    }


def _monthly(agreement: Agreement, order: Order, before: Before, zone: str) -> Agreement:
    """Return one term a month until the balance is used up: as the run works out the terms of such a plan."""
    start, each, total = order.body.get("DateToStart"), order.body.get("PaymentAmount"), before.total
    today = before.clock.astimezone(ZoneInfo(zone)).date()
    row = {
        "plan_id": "",
        "starts_on": _civil(str(start), zone) if start else today,
        "anchor_day": order.body.get("DayToPay"),
        "total_minor": None if total is None else agreement.minor(total),
        "each_minor": None if each is None else agreement.minor(Decimal(each)),
    }
    if None in row.values():
        remark = "the terms are the provider's to make: balance or amount of a payment is not known before"
        return replace(agreement, remark=remark)
    terms = monthly_terms(pl.DataFrame([row])).select("due_date", "amount_minor").rows()
    return replace(agreement, terms=tuple(AgreedTerm(due, minor) for due, minor in terms))


def _civil(written: str, zone: str) -> date:
    """Return the day that a date or time names there, as the run reads it: midnight in UTC is a plain date."""
    moment = datetime.fromisoformat(written)
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.date() if utc.time() == time.min else utc.astimezone(ZoneInfo(zone)).date()


def _weekday(name: object) -> int | None:
    """Return the number of a weekday, Monday first; null where no name is given or none is meant."""
    found = [number for number, full in enumerate(WEEKDAYS, 1) if full == str(name).strip().lower()]
    return found[0] if found else None
