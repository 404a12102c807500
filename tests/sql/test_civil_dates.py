"""On which day an instant falls: forty instants in five zones, around midnight on the days the clocks change.

The days follow by hand from the published rules of 2026: Amsterdam changes on 29 March and 25 October at 01:00 UTC, New York
on 8 March and 1 November at 02:00 its own time, Auckland on 5 April and 27 September at 03:00 and 02:00 its own; Kolkata is
five and a half hours ahead all year. Python's zone data, which DuckDB does not use, says the same.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from providers.payiq.rule import monthly
from providers.payt.shown import due_day
from providers.writing import Order
from sql.connection import connect
from sql.scripts import statements

ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
TABLE = """
# Amsterdam: the days on which the clock goes forward and back begin at 23:00 and 22:00 UTC, the days after them at 22:00 and 23:00.
2026-03-28T22:59:59Z             2026-03-28 2026-03-28 2026-03-28 2026-03-29 2026-03-29
2026-03-28T23:00:00Z             2026-03-28 2026-03-29 2026-03-28 2026-03-29 2026-03-29
2026-03-29T21:59:59Z             2026-03-29 2026-03-29 2026-03-29 2026-03-30 2026-03-30
2026-03-29T22:00:00Z             2026-03-29 2026-03-30 2026-03-29 2026-03-30 2026-03-30
2026-10-24T21:59:59Z             2026-10-24 2026-10-24 2026-10-24 2026-10-25 2026-10-25
2026-10-24T22:00:00Z             2026-10-24 2026-10-25 2026-10-24 2026-10-25 2026-10-25
2026-10-25T22:59:59Z             2026-10-25 2026-10-25 2026-10-25 2026-10-26 2026-10-26
2026-10-25T23:00:00Z             2026-10-25 2026-10-26 2026-10-25 2026-10-26 2026-10-26
# New York: 05:00 and 04:00, then 04:00 and 05:00.
2026-03-08T04:59:59Z             2026-03-08 2026-03-08 2026-03-07 2026-03-08 2026-03-08
2026-03-08T05:00:00Z             2026-03-08 2026-03-08 2026-03-08 2026-03-08 2026-03-08
2026-03-09T03:59:59Z             2026-03-09 2026-03-09 2026-03-08 2026-03-09 2026-03-09
2026-03-09T04:00:00Z             2026-03-09 2026-03-09 2026-03-09 2026-03-09 2026-03-09
2026-11-01T03:59:59Z             2026-11-01 2026-11-01 2026-10-31 2026-11-01 2026-11-01
2026-11-01T04:00:00Z             2026-11-01 2026-11-01 2026-11-01 2026-11-01 2026-11-01
2026-11-02T04:59:59Z             2026-11-02 2026-11-02 2026-11-01 2026-11-02 2026-11-02
2026-11-02T05:00:00Z             2026-11-02 2026-11-02 2026-11-02 2026-11-02 2026-11-02
# Auckland, where it is summer in January: 11:00 and 12:00, then 12:00 and 11:00.
2026-04-04T10:59:59Z             2026-04-04 2026-04-04 2026-04-04 2026-04-04 2026-04-04
2026-04-04T11:00:00Z             2026-04-04 2026-04-04 2026-04-04 2026-04-04 2026-04-05
2026-04-05T11:59:59Z             2026-04-05 2026-04-05 2026-04-05 2026-04-05 2026-04-05
2026-04-05T12:00:00Z             2026-04-05 2026-04-05 2026-04-05 2026-04-05 2026-04-06
2026-09-26T11:59:59Z             2026-09-26 2026-09-26 2026-09-26 2026-09-26 2026-09-26
2026-09-26T12:00:00Z             2026-09-26 2026-09-26 2026-09-26 2026-09-26 2026-09-27
2026-09-27T10:59:59Z             2026-09-27 2026-09-27 2026-09-27 2026-09-27 2026-09-27
2026-09-27T11:00:00Z             2026-09-27 2026-09-27 2026-09-27 2026-09-27 2026-09-28
# Kolkata: half past six in the evening, all year.
2026-06-30T18:29:59Z             2026-06-30 2026-06-30 2026-06-30 2026-06-30 2026-07-01
2026-06-30T18:30:00Z             2026-06-30 2026-06-30 2026-06-30 2026-07-01 2026-07-01
# Ends of years and of February.
2025-12-31T23:59:59Z             2025-12-31 2026-01-01 2025-12-31 2026-01-01 2026-01-01
2026-01-01T00:00:00Z             2026-01-01 2026-01-01 2025-12-31 2026-01-01 2026-01-01
2024-02-28T23:59:59Z             2024-02-28 2024-02-29 2024-02-28 2024-02-29 2024-02-29
2024-02-29T00:00:00Z             2024-02-29 2024-02-29 2024-02-28 2024-02-29 2024-02-29
2024-02-29T12:00:00Z             2024-02-29 2024-02-29 2024-02-29 2024-02-29 2024-03-01
2024-03-01T04:59:59Z             2024-03-01 2024-03-01 2024-02-29 2024-03-01 2024-03-01
# Local times that do not exist, or exist twice; offsets in the text; the last microsecond of a day.
2026-03-29T02:30:00+01:00        2026-03-29 2026-03-29 2026-03-28 2026-03-29 2026-03-29
2026-10-25T02:30:00+02:00        2026-10-25 2026-10-25 2026-10-24 2026-10-25 2026-10-25
2026-10-25T02:30:00+01:00        2026-10-25 2026-10-25 2026-10-24 2026-10-25 2026-10-25
2026-03-08T02:30:00-05:00        2026-03-08 2026-03-08 2026-03-08 2026-03-08 2026-03-08
2026-11-01T01:30:00-04:00        2026-11-01 2026-11-01 2026-11-01 2026-11-01 2026-11-01
2026-11-01T01:30:00-05:00        2026-11-01 2026-11-01 2026-11-01 2026-11-01 2026-11-01
2026-06-30T00:00:00+02:00        2026-06-29 2026-06-30 2026-06-29 2026-06-30 2026-06-30
2026-06-30T23:59:59.999999-04:00 2026-07-01 2026-07-01 2026-06-30 2026-07-01 2026-07-01
"""
INSTANTS = {
    instant: dict(zip(ZONES, map(date.fromisoformat, days), strict=True))
    for instant, *days in (line.split() for line in TABLE.splitlines() if line[:1].isdigit())
}


def moment(instant):
    return datetime.fromisoformat(instant).astimezone(UTC)


def wanted(instant, zone, *, midnight_is_plain):
    """The day of the table; a provider that writes plain dates as midnight in UTC means the date it writes."""
    is_plain = midnight_is_plain and moment(instant).time() == time.min
    return INSTANTS[instant]["UTC" if is_plain else zone]


def test_the_table_has_forty_instants_and_agrees_with_another_source_of_zones():
    assert len(INSTANTS) == 40
    for instant, days in INSTANTS.items():
        assert days == {zone: moment(instant).astimezone(ZoneInfo(zone)).date() for zone in ZONES}, instant


@pytest.mark.fault(30)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("macro", "midnight_is_plain"), [("civil", False), ("civil_or_midnight", True)])
def test_a_received_instant_is_the_day_of_the_providers_zone(zone, macro, midnight_is_plain):
    with connect(None) as con:
        con.execute("SET VARIABLE timezone = $zone", {"zone": zone})
        con.execute(statements("stg/macros.sql"))
        query = f"SELECT i, {macro}(i), {macro}(left(i, 10)) FROM unnest($instants) AS t (i)"
        found = con.sql(query, params={"instants": list(INSTANTS)}).fetchall()
    expected = {
        (instant, wanted(instant, zone, midnight_is_plain=midnight_is_plain), date.fromisoformat(instant[:10]))
        for instant in INSTANTS
    }
    assert set(found) == expected


@pytest.mark.fault(30)
@pytest.mark.parametrize("zone", ZONES)
def test_a_day_in_a_change_at_a_provider_is_read_as_a_received_one(zone):
    for instant in INSTANTS:
        order = Order("payiq", "create", "biller", None, "account", "POST", "/", "/", body={"DateToStart": instant})
        assert due_day(instant, zone) == wanted(instant, zone, midnight_is_plain=False)
        assert monthly(order, None, {}, ZoneInfo(zone)).starts_on == wanted(instant, zone, midnight_is_plain=True)
        assert due_day(instant[:10], zone) == date.fromisoformat(instant[:10])
