"""On which civil day of a zone a moment falls, by a second answer: the standard library's own zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sql.connection import connect
from sql.scripts import statements

ZONES = ("Europe/Amsterdam", "America/New_York", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata")
DAYS = (
    *("2024-02-29", "2025-12-31", "2026-01-01", "2026-06-30"),  # leap day, turn of the year, end of a month
    *("2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25"),  # clocks change in the United States and in Europe
)
TIMES = ("00:00:00", "00:59:59.9999999", "07:00:00", "10:00:00", "23:30:00")
INSTANTS = [f"{day}T{time}Z" for day in DAYS for time in TIMES]


def civil_days(zone: str, written: list[str]) -> list[object]:
    with connect(None) as con:
        con.execute("SET VARIABLE timezone = $zone", {"zone": zone})
        con.execute(statements("stg/macros.sql"))
        rows = con.execute("SELECT civil(text) FROM (SELECT unnest($texts) AS text)", {"texts": written}).fetchall()
    return [day for (day,) in rows]


@pytest.mark.fault(30)
@pytest.mark.parametrize("zone", ZONES)
def test_a_moment_falls_on_the_civil_day_of_its_zone_and_a_plain_date_stays(zone):
    second_answer = [
        datetime.fromisoformat(instant[:19]).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        for instant in INSTANTS
    ]
    assert civil_days(zone, INSTANTS) == second_answer
    assert [str(day) for day in civil_days(zone, list(DAYS))] == list(DAYS)


@pytest.mark.fault(30)
@pytest.mark.parametrize(
    ("zone", "turn"), [("Europe/Amsterdam", "2026-10-24T22:00:00"), ("America/New_York", "2026-03-08T05:00:00")]
)
def test_a_day_of_changing_clocks_begins_at_its_own_midnight(zone, turn):
    """The day with 25 hours, and the one with 23, from its first moment; written out by hand."""
    first = datetime.fromisoformat(turn)
    moments = [f"{moment:%Y-%m-%dT%H:%M:%S}Z" for moment in (first - timedelta(seconds=1), first)]
    hours = 25 if zone.startswith("Europe") else 23
    last = [f"{first + timedelta(hours=hours, seconds=second):%Y-%m-%dT%H:%M:%S}Z" for second in (-1, 0)]
    days = [str(day) for day in civil_days(zone, moments + last)]
    day = "2026-10-25" if zone.startswith("Europe") else "2026-03-08"
    assert days[1:3] == [day, day]
    assert days[0] < day < days[3]
