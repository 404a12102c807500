"""Which changes a provider must show by now, and which term is the first that is not as agreed.

Unless a test says otherwise: one plan P1 of 300.00 in three terms on the first of May, June and July 2026, created
through us on 20 April at 10:00, fetched whole an hour later, looked at on 30 June.
"""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from schemas.core import PLANS
from schemas.results import PLAN_POSITIONS, TERM_POSITIONS
from schemas.writes import AGREED_TERMS, WRITES
from transforms.breaks.write_backs import agreements, shown_by_now

DONE = datetime(2026, 4, 20, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FETCHED, LOADED = DONE + HOUR, DONE + 2 * HOUR
MONTHS = (date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1))
AS_OF = date(2026, 6, 30)


def rows(table, given):
    plain = {pl.Boolean(): False, pl.Int64(): 0, pl.Date(): date(2026, 1, 1), pl.String(): ""}
    base = {name: None if table.is_nullable(name) else plain.get(dtype) for name, dtype in table.dtypes.items()}
    return pl.DataFrame([base | row for row in given], schema=dict(table.dtypes))


def intent(name="a", **changed):
    return {
        "intent_id": name, "provider": "p", "tenant_id": "t", "operation": "create", "plan_id": "P1",
        "write_state": "done", "currency": "EUR", "planned_at": DONE - HOUR, "ended_at": DONE,
    } | changed  # fmt: skip


def plan(number=1, **changed):
    return {
        "plan_no": number, "provider": "p", "tenant_id": "t", "plan_id": f"P{number}", "currency": "EUR",
        "created_on": date(2026, 4, 20), "status": "ACTIVE", "account_id": f"L{number}", "basis": "PAYMENTS",
    } | changed  # fmt: skip


def fetched(at=FETCHED, *, plans=True, terms=True):
    entities = {"plans": at if plans else None, "terms": at if terms else None, "payments": None}
    who = [{"provider": "p", "tenant_id": "t", "entity": name, "fresh_at": fresh} for name, fresh in entities.items()]
    return pl.DataFrame(who, schema_overrides={"fresh_at": pl.Datetime("us", "UTC")})


def clocks(at=None):
    return pl.DataFrame(
        {"provider": ["p"], "tenant_id": ["t"], "clock": [at]}, schema_overrides={"clock": pl.Datetime("us", "UTC")}
    )


def due(*writes, plans=({},), fresh=None, clock=None, as_of=AS_OF, known_at=LOADED, zone="UTC"):
    """The ids of the intents that must be shown by now."""
    known = rows(PLANS, [{k: v for k, v in plan(**one).items() if k in PLANS.columns} for one in plans])
    found = shown_by_now(
        rows(WRITES, writes),
        known,
        fetched() if fresh is None else fresh,
        clocks(clock),
        as_of=as_of,
        known_at=known_at,
        zone=zone,
    )
    return sorted(found["intent_id"].to_list())


def compared(terms, *, agreed=MONTHS, amounts=(10_000, 10_000, 10_000), status="ACTIVE", **changed):
    """The one row of agreements for terms (due date, amount, state) of plan P1."""
    changes = rows(WRITES, [intent(**changed)]).with_columns(plan_no=pl.lit(1, pl.Int64))
    wanted = [
        {"intent_id": "a", "sequence": number, "due_date": day, "amount_minor": amount}
        for number, (day, amount) in enumerate(zip(agreed, amounts, strict=False), 1)
    ]
    shown = [
        {"plan_no": 1, "term_no": number, "due_date": day, "amount_minor": amount, "state": state}
        for number, (day, amount, state) in enumerate(terms, 1)
    ]
    positions = rows(PLAN_POSITIONS, [
        {k: v for k, v in one.items() if k in PLAN_POSITIONS.columns} for one in (plan(status=status), plan(2))
    ])  # fmt: skip
    found = agreements(changes, rows(AGREED_TERMS, wanted), positions, rows(TERM_POSITIONS, shown))
    return found.row(0, named=True)


def as_agreed(state="NOT_DUE"):
    return [(day, 10_000, state) for day in MONTHS]


# which changes


def test_a_change_counts_once_a_complete_fetch_began_after_it_was_done():
    assert due(intent()) == ["a"]
    assert due(intent(), fresh=fetched(DONE)) == ["a"]
    assert due(intent(), fresh=fetched(DONE - timedelta(microseconds=1))) == []


@pytest.mark.parametrize("missing", ["plans", "terms"])
def test_nothing_is_claimed_where_plans_or_terms_were_never_fetched_completely(missing):
    assert due(intent(), fresh=fetched(**{missing: False})) == []


def test_nothing_is_claimed_of_a_tenant_that_is_not_fetched():
    assert due(intent(tenant_id="another")) == []


@pytest.mark.parametrize("state", ["planned", "approved", "sending", "unknown", "parked", "refused"])
def test_only_what_is_done_counts(state):
    ended = DONE if state == "refused" else None
    assert due(intent(write_state=state, ended_at=ended)) == []


def test_a_create_whose_plan_has_no_id_is_left_out():
    assert due(intent(plan_id=None)) == []


def test_the_newest_change_of_a_plan_counts_alone():
    later = intent("b", operation="deactivate", ended_at=DONE + HOUR / 2)
    assert due(intent(), later) == ["b"]
    assert due(later, intent()) == ["b"]


def test_a_later_update_ends_the_comparison():
    assert due(intent(), intent("b", operation="update", ended_at=DONE + HOUR / 2)) == []


def test_a_later_refusal_changes_nothing():
    refused = intent("b", operation="deactivate", write_state="refused", ended_at=DONE + HOUR / 2)
    assert due(intent(), refused) == ["a"]


@pytest.mark.parametrize("ended_at", [None, FETCHED + HOUR / 2, FETCHED + 90 * HOUR])
def test_a_plan_is_left_alone_while_another_change_of_it_was_under_way_during_the_fetch(ended_at):
    other = intent("b", operation="deactivate", planned_at=FETCHED, ended_at=ended_at)
    state = "done" if ended_at else "unknown"
    assert due(intent(), other | {"write_state": state}) == []


def test_a_change_planned_after_the_load_does_not_touch_what_was_known_by_it():
    assert due(intent(), intent("b", operation="deactivate", planned_at=LOADED + HOUR, ended_at=None)) == ["a"]
    assert due(intent(), intent("b", planned_at=LOADED + HOUR, ended_at=LOADED + 2 * HOUR)) == ["a"]


def test_a_change_of_another_tenants_plan_of_the_same_id_is_another_plan():
    assert due(intent(), intent("b", tenant_id="u", operation="update", ended_at=DONE + HOUR / 2)) == ["a"]


def test_a_change_done_after_the_as_of_date_has_not_happened():
    assert due(intent(), as_of=date(2026, 4, 20)) == ["a"]
    assert due(intent(), as_of=date(2026, 4, 19), plans=[{"created_on": date(2026, 4, 19)}]) == []


def test_the_reporting_zone_decides_on_which_day_a_change_was_done():
    late = intent(ended_at=datetime(2026, 4, 20, 22, 30, tzinfo=UTC))
    known = {"fresh": fetched(DONE + 24 * HOUR), "as_of": date(2026, 4, 20)}
    assert due(late, **known, zone="UTC") == ["a"]
    assert due(late, **known, zone="Europe/Amsterdam") == []


def test_where_the_providers_clock_stands_still_its_day_is_the_day():
    before = datetime(2025, 6, 7, 20, 0, tzinfo=UTC)
    old = {"plans": [{"created_on": date(2025, 6, 7)}], "as_of": date(2025, 6, 7)}
    assert due(intent(), **old, clock=before) == ["a"]
    assert due(intent(), **old) == []


@pytest.mark.parametrize(
    "stamp", ["created_on", "approved_on", "deactivated_on", "deleted_on", "ended_on", "removed_on"]
)
def test_a_plan_to_which_something_happened_after_the_as_of_date_is_compared_on_that_later_date(stamp):
    assert due(intent(), plans=[{stamp: AS_OF + timedelta(days=1)}]) == []
    assert due(intent(), plans=[{stamp: AS_OF}]) == ["a"]


def test_a_plan_that_no_fetch_showed_must_be_shown_too():
    assert due(intent(plan_id="P9")) == ["a"]


def test_no_changes_are_no_rows():
    assert due() == []
    empty = agreements(
        shown_by_now(WRITES.empty(), PLANS.empty(), fetched(), clocks(), as_of=AS_OF, known_at=LOADED, zone="UTC"),
        AGREED_TERMS.empty(),
        PLAN_POSITIONS.empty(),
        TERM_POSITIONS.empty(),
    )
    assert empty.is_empty()


# which term


def test_terms_as_agreed_differ_nowhere():
    row = compared(as_agreed())
    assert (row["sequence"], row["agreed_count"], row["shown_count"]) == (None, 3, 3)
    assert (row["agreed_minor"], row["shown_minor"]) == (30_000, 30_000)
    assert (row["account_id"], row["status"], row["currency"]) == ("L1", "ACTIVE", "EUR")


def test_the_order_of_the_terms_does_not_matter():
    row = compared(as_agreed(), agreed=MONTHS[::-1])
    assert row["sequence"] is None


def test_the_first_term_that_differs_is_named_with_both_sides():
    terms = as_agreed()
    terms[1] = (date(2026, 6, 2), 10_000, "NOT_DUE")
    terms[2] = (date(2026, 7, 1), 9_999, "NOT_DUE")
    row = compared(terms)
    assert (row["sequence"], row["agreed_due_date"], row["due_date"]) == (2, date(2026, 6, 1), date(2026, 6, 2))
    assert (row["agreed_amount_minor"], row["amount_minor"]) == (10_000, 10_000)
    assert row["shown_minor"] == 29_999


def test_a_term_that_is_not_there_has_one_side_only():
    row = compared(as_agreed()[:2])
    assert (row["sequence"], row["agreed_due_date"], row["due_date"], row["amount_minor"]) == (3, MONTHS[2], None, None)
    row = compared([*as_agreed(), (date(2026, 8, 1), 10_000, "NOT_DUE")])
    assert (row["sequence"], row["agreed_due_date"], row["due_date"]) == (4, None, date(2026, 8, 1))


@pytest.mark.parametrize("state", ["VOID", "SUPERSEDED"])
def test_terms_that_no_longer_count_are_not_compared(state):
    assert compared([*as_agreed("PAID_LATE"), (date(2026, 8, 1), 5, state)])["sequence"] is None
    assert compared([*as_agreed()[:2], (MONTHS[2], 10_000, state)])["sequence"] == 3


def test_two_terms_of_one_day_are_compared_by_amount():
    days = (MONTHS[0],) * 2
    row = compared([(MONTHS[0], 200, "DUE_TODAY"), (MONTHS[0], 100, "MISSED")], agreed=days, amounts=(100, 200))
    assert row["sequence"] is None


def test_no_terms_agreed_are_none_to_compare():
    row = compared(as_agreed(), agreed=())
    assert (row["agreed_count"], row["agreed_minor"], row["sequence"]) == (0, 0, None)


@pytest.mark.parametrize("status", ["DEACTIVATED", "DELETED", "REJECTED", "SUPERSEDED", "PROPOSED"])
def test_terms_of_a_plan_that_is_not_in_force_are_not_compared(status):
    row = compared([], status=status)
    assert (row["sequence"], row["shown_count"], row["shown_minor"]) == (None, None, None)


def test_terms_of_a_plan_that_was_ended_through_us_are_not_compared():
    assert compared(as_agreed()[:1], operation="deactivate")["sequence"] is None
    assert compared(as_agreed()[:1], operation="approve")["sequence"] == 2


def test_amounts_of_another_currency_are_not_as_agreed():
    row = compared(as_agreed(), currency="USD")
    assert (row["sequence"], row["agreed_currency"], row["currency"]) == (1, "USD", "EUR")
    assert compared(as_agreed(), currency=None)["sequence"] is None


def test_a_plan_that_was_never_shown_has_no_status():
    changes = rows(WRITES, [intent()]).with_columns(plan_no=pl.lit(None, pl.Int64))
    agreed = rows(AGREED_TERMS, [{"intent_id": "a", "sequence": 1, "due_date": MONTHS[0], "amount_minor": 5}])
    row = agreements(changes, agreed, PLAN_POSITIONS.empty(), TERM_POSITIONS.empty()).row(0, named=True)
    assert (row["status"], row["account_id"], row["currency"], row["sequence"]) == (None, None, "EUR", None)
    assert (row["agreed_count"], row["agreed_minor"], row["shown_count"]) == (1, 5, None)
