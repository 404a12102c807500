"""Closed days: of a named calendar in its edition, and of one's own."""

from datetime import date, datetime
from importlib.metadata import version

import pytest

from transforms.calendars.closed_days import Calendar, own_days

EVE = date(2026, 12, 24)
"""A Thursday that the Netherlands do not close."""


def test_own_days_are_read_with_their_names_and_put_in_order() -> None:
    found = own_days(["2026-12-31", " 2026-12-24  Christmas   Eve ", date(2026, 5, 1)])
    assert found == ((date(2026, 5, 1), "closed day"), (EVE, "Christmas Eve"), (date(2026, 12, 31), "closed day"))


@pytest.mark.parametrize("given", ["", "Christmas", "24-12-2026", "2026-02-29", datetime(2026, 12, 24, 8)])  # noqa: DTZ001
def test_what_is_no_date_is_refused_with_an_example(given) -> None:
    with pytest.raises(ValueError, match="2026-12-24 Christmas Eve"):
        own_days([given])


def test_a_day_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-12-24 is given twice"):
        own_days(["2026-12-24", "2026-12-24 Christmas Eve"])


def test_the_label_tells_name_version_and_own_days() -> None:
    edition = f"US (holidays {version('holidays')})"
    two = own_days(["2026-12-24", "2026-12-31"])
    assert Calendar("US").label == edition
    assert Calendar("US", own_days=two[:1]).label == f"{edition} + 1 own closed day"
    assert Calendar(own_days=two).label == "2 own closed days"
    assert Calendar().label == "no holidays"


def test_an_own_day_joins_the_holidays_and_its_name_wins() -> None:
    own = own_days(["2026-12-24 Christmas Eve", "2026-12-25 Works outing"])
    found = dict(Calendar("NL", own_days=own).holidays(2026, 2026).rows())
    assert (found[EVE], found[date(2026, 12, 25)]) == ("Christmas Eve", "Works outing")
    assert date(2026, 12, 26) in found, "the library's own days stay"
    assert EVE not in dict(Calendar("NL", own_days=own).holidays(2027, 2027).rows())
