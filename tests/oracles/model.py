"""The words the slow answer uses: options, facts, dates and money.

`truth` computes every figure a second time, plan by plan and day by day, in
plain Python. It shares no code with the product, so that agreement between the
two means something. No provider fields and no formulas of terms here.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

PLACES = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "JPY": 0, "KWD": 3, "BHD": 3}
"""Decimal places of the currencies that scenarios use (ISO 4217)."""


class UnusableError(ValueError):
    """A provider's row that must end in quarantine."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is left to configuration, with their defaults; `told` is the day of the fetch, the world's own if None.

    `holidays` gives each provider's calendar; a provider that is not named has the
    Dutch one.
    """

    grace_days: int = 0
    tolerance: str = "EXACT"
    residual: str = "FILL"
    grace_mode: str = "NONE"
    day_basis: str = "CALENDAR"
    settlement_days: int = 2
    stale_pending_days: int = 5
    bucket_set: str = "AR"
    pauses: str = "FLAG"
    allocates: str = "AMOUNT"
    told: date | None = None
    own_buckets: tuple[tuple[int, int | None], ...] = ()
    holidays: Mapping[str, frozenset[date]] = field(default_factory=dict)
    weekend: tuple[int, ...] = (6, 7)
    currency_symbols: Mapping[str, str] = field(default_factory=lambda: {"$": "USD"})
    totality_currency: str = "USD"
    totality_timezone: str = "America/New_York"
    totality_tenant: str = "127.0.0.1"
    payiq_timezone: str = "America/New_York"
    payiq_tenant: str = "payiq"


@dataclass(slots=True)
class Term:
    """One term as the provider gives it; `owed` and `paid_on` only where the provider keeps balances.

    `updated` is the day of its newest version, the plan's own if None; `removed` the day it was no longer shown.
    """

    term_id: str
    due: date
    amount: int
    sequence: int | None = None
    owed: int | None = None
    paid_on: date | None = None
    linked: str | None = None
    nominal: date | None = None
    updated: date | None = None
    removed: date | None = None


@dataclass(slots=True)
class Plan:
    """One plan as the provider gives it, dates in the provider's zone, money in minor units.

    `deleted` is the day the provider stamped it so, `removed` the day it was no longer shown.
    """

    provider: str
    tenant: str
    plan_id: str
    currency: str
    basis: str
    created: date
    created_at: datetime | None = None
    updated: date | None = None
    paused: date | None = None
    account_id: str | None = None
    account_ids: list[str] = field(default_factory=list)
    customer_id: str | None = None
    active: bool | None = False
    proposed: date | None = None
    approved: date | None = None
    rejected: date | None = None
    deactivated: date | None = None
    ended: date | None = None
    ended_at: datetime | None = None
    deleted: date | None = None
    removed: date | None = None
    stated_total: int | None = None
    account_due: int | None = None
    monthly: bool | None = None
    anchor: int | None = None
    terms: list[Term] = field(default_factory=list)

    def agreed(self, day: date) -> bool:
        """Tell whether the plan was agreed by the close of `day`; one without any stamp was from the start."""
        if self.approved is not None:
            return self.approved <= day
        return bool(self.active) or (self.proposed is None and self.rejected is None)


@dataclass(slots=True)
class Payment:
    """One payment's share of one account. `word` is the class at the newest version.

    `told` is the day of the fetch that told it, that of all facts if None; `removed` the day it was no longer shown.
    """

    provider: str
    tenant: str
    payment_id: str
    account_id: str | None
    currency: str
    amount: int
    effective: date
    created: date
    word: str
    status: str | None
    effective_at: datetime | None = None
    planned: date | None = None
    fees: int = 0
    reversed_on: date | None = None
    reversed_at: datetime | None = None
    reversed_amount: int | None = None
    is_money: bool = True
    is_transaction: bool = True
    is_principal: bool = True
    accounts: list[str] = field(default_factory=list)
    reversal_unknown: bool = False
    told: date | None = None
    removed: date | None = None


@dataclass(slots=True)
class Account:
    """One account that a plan may cover."""

    provider: str
    tenant: str
    account_id: str
    currency: str
    stopped: bool | None = None
    owed: int | None = None
    names: str | None = None
    case: str | None = None
    updated: date | None = None


@dataclass(slots=True)
class Orphan:
    """A payment or term that names something that does not exist."""

    provider: str
    tenant: str
    payment_id: str | None = None
    term_id: str | None = None
    plan_id: str | None = None
    account_id: str | None = None


@dataclass(slots=True)
class Facts:
    """Everything usable in a world, and how many rows were not."""

    plans: list[Plan] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    accounts: dict[tuple[str, str, str], Account] = field(default_factory=dict)
    orphans: list[Orphan] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    told: date = date.max

    def count(self, provider: str, entity: str, rows: int = 1) -> None:
        """Note `rows` more rows received."""
        key = (provider, entity)
        self.rows[key] = self.rows.get(key, 0) + rows

    def refuse(self, provider: str, entity: str, rows: int = 1) -> None:
        """Note `rows` more rows that end in quarantine."""
        self.quarantined.extend([(provider, entity)] * rows)


def to_minor(value: object, currency: str) -> int:
    """Return an amount in minor units, or refuse what is not a plain decimal of that currency."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool | float) or not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]+)?", text):
        raise UnusableError(f"amount {text!r} is not a plain decimal")
    if currency not in PLACES:
        raise UnusableError(f"currency {currency!r} is not known")
    whole, _, fraction = text.partition(".")
    places = PLACES[currency]
    kept, rest = fraction[:places].ljust(places, "0"), fraction[places:]
    if rest.strip("0"):
        raise UnusableError(f"amount {text!r} has a fraction of a minor unit")
    return int(whole + kept)


def to_text(minor: int | None, currency: str) -> str | None:
    """Return minor units as a plain decimal with the currency's places; None stays None."""
    if minor is None:
        return None
    places = PLACES[currency]
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    return sign + (digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}")


def civil(value: object, zone: str, *, midnight_is_plain: bool = False) -> date | None:
    """Return the civil date of a provider's date or timestamp in `zone`; None for nothing.

    With `midnight_is_plain` a timestamp at exactly 00:00:00 UTC is a date in disguise.
    """
    if value is None or value == "" or str(value).startswith("0001-01-01"):
        return None
    text = str(value)
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        # RFC 3339 allows small letters and a sixtieth second, which belongs to the minute it ends.
        short = re.sub(r"(\.\d{1,6})\d*", r"\1", text.upper()).replace("Z", "+00:00")
        short = re.sub(r"^(.{16}):60", r"\1:59", short)
        moment = datetime.fromisoformat(short)
    except ValueError as error:
        raise UnusableError(f"{text!r} is not a date") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if midnight_is_plain and (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return moment.date()
    return moment.astimezone(ZoneInfo(zone)).date()


def instant(value: object, *, midnight_is_plain: bool = False) -> datetime | None:
    """Return the moment a timestamp tells; None for nothing and for a plain date."""
    if civil(value, "UTC") is None or len(str(value)) == 10:
        return None
    text = re.sub(r"(\.\d{1,6})\d*", r"\1", str(value)).upper().replace("Z", "+00:00")
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if midnight_is_plain and (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return None
    return moment


def comes_before(day: date, moment: datetime | None, other: date, other_moment: datetime | None) -> bool:
    """Tell whether one event lies before another: by the moment where both have one, else by the day."""
    if moment is not None and other_moment is not None:
        return moment < other_moment
    return day < other


def happened(event: date | None, day: date) -> bool:
    """Tell whether an event has a date and lies not after the close of `day`."""
    return event is not None and event <= day


def must(value: date | None) -> date:
    """Return a date that a row cannot do without."""
    if value is None:
        raise UnusableError("a date is missing")
    return value


@functools.cache
def dutch_holidays(year: int) -> frozenset[date]:
    """Return the Dutch holidays of a year, Good Friday among them, from Easter and the royal birthday."""
    easter = _easter(year)
    king = date(year, 4, 27)
    if king.isoweekday() == 7:
        king -= timedelta(days=1)
    days = {date(year, 1, 1), king, date(year, 12, 25), date(year, 12, 26)}
    days |= {easter + timedelta(days=days_after) for days_after in (-2, 0, 1, 39, 49, 50)}
    if year % 5 == 0:
        days.add(date(year, 5, 5))
    return frozenset(days)


def _easter(year: int) -> date:
    golden, century = year % 19, year // 100
    skipped, corrected = century - century // 4, (8 * century + 13) // 25
    epact = (skipped - corrected + 19 * golden + 15) % 30
    epact -= (epact // 28) * (1 - (epact // 28) * (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - skipped) % 7
    offset = epact - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def is_business(day: date, provider: str, options: Options) -> bool:
    """Tell whether `day` is neither weekend nor holiday in the provider's calendar."""
    closed = options.holidays.get(provider, dutch_holidays(day.year))
    return day.isoweekday() not in options.weekend and day not in closed


def business_days(after: date, until: date, provider: str, options: Options) -> int:
    """Return the number of the provider's business days in (after, until]."""
    days = (after + timedelta(days=step) for step in range(1, (until - after).days + 1))
    return sum(1 for day in days if is_business(day, provider, options))
