"""What the body of a new plan says of its schedule: one payment a month until the balance is used up."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from providers.writing import Before, Monthly, Order


def monthly(order: Order, before: Before, overrides: Mapping[str, str], zone: ZoneInfo) -> Monthly:
    """Return start, day and amount as the body gives them."""
    del before, overrides
    start, each = order.body.get("DateToStart"), order.body.get("PaymentAmount")
    return Monthly(
        starts_on=_civil(str(start), zone) if start else None,
        day=order.body.get("DayToPay"),
        each=None if each is None else Decimal(each),
    )


def _civil(written: str, zone: ZoneInfo) -> date:
    """Return the day that a date or time names there, as the run reads it: midnight in UTC is a plain date."""
    moment = datetime.fromisoformat(written)
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.date() if utc.time() == time.min else utc.astimezone(zone).date()
