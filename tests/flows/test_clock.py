"""Which day it is: by the configured zone, whatever the machine's own is."""

import time
from zoneinfo import ZoneInfo

import pytest
import time_machine

from flows import clock


@pytest.mark.fault(64)
@pytest.mark.parametrize("host", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati", "nonsense"])
def test_the_zone_of_the_machine_moves_neither_the_day_nor_the_moment(host, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", host)
        time.tzset()
        with time_machine.travel("2026-06-30T22:30:00Z", tick=False):
            days = [str(clock.today(ZoneInfo(zone))) for zone in ("Europe/Amsterdam", "America/New_York")]
            now = clock.now()
    time.tzset()
    assert days == ["2026-07-01", "2026-06-30"]
    assert now.isoformat() == "2026-06-30T22:30:00+00:00"
