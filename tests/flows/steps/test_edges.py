"""What a run decides by a limit, each at its edge: whether it is held, asks for everything, or ends with 1."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import time_machine

from flows import clock
from flows.settings import GateSettings, Settings
from flows.steps import fetch, gates, loading, publish, settle
from reports.pruning import Pruned
from schemas.core import INTEGRITY
from sql.connection import connect
from sql.storage.landing import SnapshotFacts
from sql.storage.seals import Seal

NOW = datetime(2026, 6, 30, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GATES = GateSettings()


def integrity(*rows):
    plain = {"provider": "p", "tenant_id": "t", "entity": "plans", "complete": True, "fresh_at": NOW}
    plain |= dict.fromkeys(("fetched", "accepted", "quarantined", "deduplicated", "unreadable"), 0)
    return pl.DataFrame([dict.fromkeys(INTEGRITY.columns) | plain | row for row in rows], schema=dict(INTEGRITY.dtypes))


def completeness(*rows):
    names = {"provider": pl.String, "tenant_id": pl.String, "entity": pl.String, "complete": pl.Boolean}
    return pl.DataFrame(rows, schema=names | {"fresh_at": pl.Datetime("us", "UTC")}, orient="row")


@pytest.mark.fault(38)
@pytest.mark.parametrize(("refused", "is_held"), [(5, False), (6, True)])
def test_one_row_in_twenty_may_be_refused_and_no_more(refused, is_held):
    rows = integrity({"fetched": 100, "accepted": 100 - refused, "quarantined": refused})
    told = gates._quarantine(GATES, rows, frozenset({("p", "t")}))
    assert told == [f"p plans: {refused} of 100 rows are quarantined, more than 5%; see v_quarantine"] * is_held
    assert gates._quarantine(GATES, rows, frozenset({("p", "another")})) == []  # it was judged when it was loaded


@pytest.mark.parametrize(
    ("row", "is_held"),
    [
        ({"fetched": 3, "accepted": 1, "quarantined": 1, "deduplicated": 1}, False),
        ({"fetched": 3, "accepted": 1, "quarantined": 1}, True),
        ({"amount_fetched_minor": 100_00, "amount_accepted_minor": 99_99, "amount_quarantined_minor": 1}, False),
        ({"amount_fetched_minor": 100_00, "amount_accepted_minor": 99_99}, True),
        ({"amount_accepted_minor": 1}, True),
    ],
)
def test_rows_and_money_that_do_not_add_up_hold_the_run(row, is_held):
    assert bool(gates._conservation(integrity(row))) is is_held


@pytest.mark.parametrize(
    ("fresh_at", "is_held"), [(NOW - 36 * HOUR, False), (NOW - 36 * HOUR - timedelta(seconds=1), True), (None, True)]
)
def test_a_provider_is_as_fresh_as_the_oldest_of_its_lists(fresh_at, is_held):
    lists = completeness(("p", "t", "plans", True, NOW), ("p", "t", "terms", fresh_at is not None, fresh_at))
    assert bool(gates._freshness(GATES, NOW, ["p"], lists)) is is_held
    assert gates._freshness(GATES, NOW, ["never asked"], lists) == [
        "never asked: never fetched completely; see v_fetches for what stopped it"
    ]


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("rows", "complete", "pulled", "is_held"),
    [
        (70, True, {"p"}, False),
        (69, True, {"p"}, True),
        (130, True, {"p"}, False),
        (131, True, {"p"}, True),
        (69, False, {"p"}, False),
        (69, True, set(), False),
    ],
)
def test_three_rows_in_ten_may_come_or_go_and_only_a_whole_list_tells(rows, complete, pulled, is_held):
    before = SimpleNamespace(summary={"current_rows": {"p plans": 100}})
    inputs = SimpleNamespace(completeness=completeness(("p", "t", "plans", complete, NOW)), rows={("p", "plans"): rows})
    assert [provider for provider, _ in gates._changes(GATES, before, inputs, pulled)] == ["p"] * is_held


@pytest.mark.parametrize(
    ("since", "full_at", "start"),
    [
        (NOW - DAY, NOW - 7 * DAY + HOUR, NOW - DAY),
        (NOW - DAY, NOW - 7 * DAY, None),
        (NOW - 60 * DAY + HOUR, NOW - DAY, NOW - 60 * DAY + HOUR),
        (NOW - 60 * DAY, NOW - DAY, None),
        (NOW + HOUR, NOW - DAY, None),
        (NOW - DAY, NOW + HOUR, None),
        (None, NOW - DAY, None),
        (NOW - DAY, None, None),
    ],
)
def test_a_list_is_asked_for_changes_unless_too_much_may_have_gone_unseen(since, full_at, start):
    this = SimpleNamespace(started_at=NOW, settings=Settings())
    assert fetch._start(this, since, full_at) == start


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({}, 1),
        ({"severity": "critical"}, 1),
        ({"severity": "medium"}, 0),
        ({"kind": "timing"}, 0),
        ({"break_state": "ACCEPTED"}, 0),
        ({"break_state": "RESOLVED"}, 0),
        ({"break_state": "NOT_EVALUATED"}, 1),
    ],
)
def test_a_run_ends_with_1_where_a_real_break_is_open_from_the_bar_on(row, code):
    living = pl.DataFrame([{"severity": "high", "kind": "real", "break_state": "ONGOING"} | row])

    def ended(fail_on):
        this = SimpleNamespace(request=SimpleNamespace(fail_on=fail_on), settings=Settings())
        return publish._exit_code(living, this)

    assert (ended(None), ended("high"), ended("never")) == (code, code, 0)


@time_machine.travel(datetime(2026, 6, 30, 22, 30, tzinfo=UTC), tick=False)
def test_today_is_a_day_of_the_zone():
    assert clock.today(ZoneInfo("Europe/Amsterdam")) == date(2026, 7, 1)
    assert clock.today(ZoneInfo("America/New_York")) == date(2026, 6, 30)


@pytest.mark.parametrize(("zone", "day"), [("Europe/Amsterdam", 1), ("UTC", 30), (None, 30)])
def test_what_is_told_without_a_day_is_told_on_the_day_of_the_fetch_in_the_tenants_zone(tmp_path, zone, day):
    facts = SnapshotFacts("s", "totality", "t", datetime(2026, 6, 30, 22, 30, tzinfo=UTC), "d", tmp_path)
    section = SimpleNamespace(timezone=zone, currency="EUR", symbols=dict)
    unread = "nothing is read"
    with (
        connect(None) as con,
        loading.staged_rows(None, con, facts, section, loading.Reading(), unread=unread) as given,
    ):
        _, options = given
    assert options.fetched_on.day == day


def test_a_sweep_with_a_page_that_cannot_be_read_is_not_complete():
    seal = Seal(
        name="plans", tenant_id="t", since=None, complete=True, reason="", started_clock=None, pack="p", pages=()
    )

    def told(reading, unread=""):
        return [(sweep.complete, sweep.reason) for sweep in loading._sweeps({"plans": seal}, reading, unread)]

    assert told(loading.Reading()) == [(True, "")]
    assert told(loading.Reading(unreadable={"plans"})) == [(False, "a page could not be read; see the quarantine")]
    assert told(loading.Reading(), "set aside") == [(False, "set aside")]


@pytest.mark.parametrize(("keep_days", "since"), [(2, datetime(2026, 6, 28, 22, tzinfo=UTC)), (0, None)])
def test_reports_are_kept_by_days_of_the_zone(monkeypatch, tmp_path, keep_days, since):
    asked = []
    monkeypatch.setattr(settle, "prune", lambda _folder, *, before: asked.append(before) or Pruned())
    settings = Settings.model_validate({"reports": {"keep_days": keep_days}})
    late_on_the_last_of_june = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # the first of July in Amsterdam
    settle.prune_reports(SimpleNamespace(settings=settings, started_at=late_on_the_last_of_june, reports_dir=tmp_path))
    assert asked == [since] * bool(keep_days)
