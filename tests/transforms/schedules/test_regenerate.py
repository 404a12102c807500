"""Schedules worked out by hand: counts, splits, dates, shifts, cascades and collisions."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from schemas.conventions import Conventions
from schemas.schedules import CUSTOM_TERMS, EXPECTED_TERMS, NOT_REGENERABLE, PLAN_RULES
from transforms.calendars.closed_days import Calendar, own_days
from transforms.schedules.derive import monthly_terms
from transforms.schedules.frequencies import FREQUENCIES, Frequency, reach_days
from transforms.schedules.inputs import MissingConventionsError
from transforms.schedules.regenerate import Regenerated, regenerate
from transforms.schedules.shifts import MissingCalendarError

JULY_3 = Calendar(own_days=((date(2026, 7, 3), "Independence Day (observed)"),))
PLAIN = {
    "convention_set": "p", "calendar": "jul3", "currency": "USD", "arrangement": "NUMBER", "frequency": "MONTHLY",
    "first_due_date": date(2026, 7, 4), "term_count": 1, "total_minor": 100_00, "weekend_shift": 0, "holiday_shift": 0,
}  # fmt: skip


def rules(*plans: dict[str, Any]) -> pl.DataFrame:
    full = [PLAIN | {"plan_no": number} | plan for number, plan in enumerate(plans)]
    rows = [{name: plan.get(name) for name in PLAN_RULES.columns} for plan in full]
    return PLAN_RULES.gate(pl.DataFrame(rows, schema=dict(PLAN_RULES.dtypes), orient="row"))


def made(*plans: dict[str, Any], custom: pl.DataFrame | None = None, **conventions: Any) -> Regenerated:
    found = regenerate(rules(*plans), custom, conventions={"p": Conventions(**conventions)}, calendars={"jul3": JULY_3})
    EXPECTED_TERMS.gate(found.terms)
    NOT_REGENERABLE.gate(found.missing)
    return found


def dates(plan: dict[str, Any], **conventions: Any) -> str:
    terms = made(plan, **conventions).terms
    return " ".join(day.strftime("%Y-%m-%d") for day in terms["expected_due_date"])


def amounts(plan: dict[str, Any], **conventions: Any) -> list[int | None]:
    return made(plan, **conventions).terms["expected_amount_minor"].to_list()


# --- counts and amounts -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "count", "remainder", "expected"),
    [
        (100_00, 3, "LAST", [33_33, 33_33, 33_34]),
        (100_00, 3, "FIRST", [33_34, 33_33, 33_33]),
        (30_02, 3, "LAST", [10_00, 10_00, 10_02]),
        (30_02, 3, "SPREAD", [10_01, 10_01, 10_00]),
        (100_00, 7, "LAST", [14_28] * 6 + [14_32]),
        (100_00, 1, "FIRST", [100_00]),
        (0, 2, "LAST", [0, 0]),
        (2, 3, "SPREAD", [1, 1, 0]),
    ],
)
def test_a_number_of_terms_shares_the_total_and_convention_places_the_remainder(
    total: int, count: int, remainder: str, expected: list[int]
) -> None:
    assert amounts({"total_minor": total, "term_count": count}, remainder=remainder) == expected


@pytest.mark.parametrize(
    ("total", "each", "expected"),
    [
        (1000_00, 300_00, [300_00, 300_00, 300_00, 100_00]),
        (900_00, 300_00, [300_00, 300_00, 300_00]),
        (100, 300_00, [100]),
        (0, 300_00, []),
    ],
)
@pytest.mark.parametrize("remainder", ["LAST", "FIRST", "SPREAD"])
def test_an_amount_per_term_gives_as_many_as_it_takes_and_never_a_zero_term(
    total: int, each: int, expected: list[int], remainder: str
) -> None:
    plan = {"arrangement": "AMOUNT", "total_minor": total, "term_amount_minor": each, "term_count": 99}
    assert amounts(plan, remainder=remainder) == expected


def test_without_a_total_the_dates_are_made_and_the_amounts_left_open() -> None:
    plan = {"arrangement": "AMOUNT", "total_minor": None, "term_amount_minor": 5, "term_count": 3}
    assert amounts(plan) == [None, None, None]
    assert amounts({"total_minor": None, "term_count": 2}) == [None, None]


# --- nominal dates ------------------------------------------------------------------------

TWICE = {"frequency": "SEMIMONTHLY", "first_due_date": date(2023, 1, 5)}
FIFTH_FRIDAY = {"pattern": "WEEKDAY", "first_week": 5, "first_weekday": 5, "first_due_date": date(2025, 1, 1)}


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("plan", "conventions", "expected"),
    [
        (
            {"first_due_date": date(2025, 1, 31), "term_count": 5},
            {},
            "2025-01-31 2025-02-28 2025-03-31 2025-04-30 2025-05-31",
        ),
        ({"first_due_date": date(2025, 1, 31), "term_count": 3}, {"drift": True}, "2025-01-31 2025-02-28 2025-03-28"),
        (
            {"first_due_date": date(2025, 1, 30), "term_count": 3},
            {"short_month": "OVERFLOW"},
            "2025-01-30 2025-03-01 2025-03-30",
        ),
        (
            {"first_due_date": date(2025, 1, 5), "first_day": 31, "term_count": 3},
            {"short_month": "OVERFLOW"},
            "2025-01-31 2025-02-28 2025-03-31",
        ),
        (
            {"first_due_date": date(2025, 1, 5), "first_day": 31, "term_count": 3},
            {"short_month": "OVERFLOW_31"},
            "2025-01-31 2025-03-01 2025-03-31",
        ),
        ({"first_due_date": date(2024, 1, 30), "term_count": 2}, {}, "2024-01-30 2024-02-29"),
        ({"first_due_date": date(2025, 1, 20), "first_day": 15, "term_count": 2}, {}, "2025-02-15 2025-03-15"),
        (
            TWICE | {"first_day": 15, "second_day": 31, "term_count": 8},
            {},
            "2023-01-15 2023-01-31 2023-02-15 2023-02-28 2023-03-15 2023-03-31 2023-04-15 2023-04-30",
        ),
        (
            TWICE | {"first_day": 1, "second_day": 25, "term_count": 6},
            {},
            "2023-01-25 2023-02-01 2023-02-25 2023-03-01 2023-03-25 2023-04-01",
        ),
        (FIFTH_FRIDAY | {"term_count": 5}, {}, "2025-01-31 2025-02-28 2025-03-28 2025-04-25 2025-05-30"),
        (FIFTH_FRIDAY | {"term_count": 3}, {"fifth_week": "SKIP"}, "2025-01-31 2025-05-30 2025-08-29"),
        (FIFTH_FRIDAY | {"term_count": 3}, {"fifth_week": "NEXT"}, "2025-01-31 2025-03-07 2025-04-04"),
        (
            TWICE
            | {"pattern": "WEEKDAY", "first_week": 1, "first_weekday": 1, "second_week": 3, "second_weekday": 4}
            | {"term_count": 4},
            {},
            "2023-01-19 2023-02-06 2023-02-16 2023-03-06",
        ),
        (
            {"frequency": "DAYS", "days_in_period": 10, "first_due_date": date(2024, 2, 20), "term_count": 3},
            {},
            "2024-02-20 2024-03-01 2024-03-11",
        ),
        (
            {"frequency": "BIWEEKLY", "first_due_date": date(2026, 6, 26), "term_count": 3},
            {},
            "2026-06-26 2026-07-10 2026-07-24",
        ),
        # A weekday that contradicts the first date: the date leads.
        (
            {"frequency": "WEEKLY", "first_due_date": date(2026, 6, 26), "first_weekday": 1, "term_count": 2},
            {},
            "2026-06-26 2026-07-03",
        ),
    ],
)
def test_every_nominal_date_is_counted_from_the_anchor(
    plan: dict[str, Any], conventions: dict[str, Any], expected: str
) -> None:
    assert dates(plan, **conventions) == expected


LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LEAP_YEARS = (2020, 2024, 2028)


@pytest.mark.fault(31)
@pytest.mark.parametrize("anchor", [28, 29, 30, 31])
def test_ten_years_of_month_ends_keep_to_the_anchor(anchor: int) -> None:
    """A shorter month has its last day, and the month after it the anchor day again."""
    lengths = [
        (year, month, days + (month == 2 and year in LEAP_YEARS))
        for year in range(2020, 2030)
        for month, days in enumerate(LENGTHS, 1)
    ]
    expected = " ".join(f"{year}-{month:02}-{min(anchor, days)}" for year, month, days in lengths)
    assert dates({"first_due_date": date(2020, 1, anchor), "term_count": 120}) == expected
    derived = monthly_terms(
        pl.DataFrame(
            {
                "plan_id": ["P"],
                "starts_on": [date(2020, 1, 1)],
                "anchor_day": [anchor],
                "total_minor": [120],
                "each_minor": [1],
            }
        )
    )
    assert " ".join(map(str, derived["due_date"])) == expected


def test_a_frequency_more_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every four weeks from Saturday 6 June 2026, shifts and amounts as for any other."""
    monkeypatch.setitem(FREQUENCIES, "FOURWEEKLY", Frequency(step=28, period_days=28))
    plan = {"frequency": "FOURWEEKLY", "first_due_date": date(2026, 6, 6), "term_count": 3, "weekend_shift": 2}
    assert dates(plan) == "2026-06-08 2026-07-06 2026-08-03"
    assert amounts(plan) == [33_33, 33_33, 33_34]
    assert rules(plan).select(reach_days()).item() == 7


# --- shifts -------------------------------------------------------------------------------

SATURDAY, SUNDAY = date(2026, 7, 4), date(2026, 7, 5)


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("first", "weekend", "holiday", "mode", "expected"),
    [
        (SATURDAY, 2, 0, "ONCE", "2026-07-06"),
        (SATURDAY, 1, 0, "ONCE", "2026-07-05"),
        (SATURDAY, 1, 0, "REPEAT", "2026-07-06"),
        (SATURDAY, -1, 0, "ONCE", "2026-07-03"),
        (SATURDAY, -1, -1, "ONCE", "2026-07-02"),
        (SUNDAY, 2, 0, "ONCE", "2026-07-07"),
        (SUNDAY, 1, 0, "ONCE", "2026-07-06"),
        (SATURDAY, 0, 5, "ONCE", "2026-07-04"),
    ],
)
def test_a_date_on_a_closed_day_moves_by_the_signed_shifts(
    first: date, weekend: int, holiday: int, mode: str, expected: str
) -> None:
    plan = {"first_due_date": first, "weekend_shift": weekend, "holiday_shift": holiday}
    assert dates(plan, shift_mode=mode) == expected


@pytest.mark.parametrize(("weekend", "holiday"), [(-1, 1), (7, 0)])
def test_shifts_that_never_end_keep_the_nominal_date_and_say_so(weekend: int, holiday: int) -> None:
    plan = {"first_due_date": SATURDAY, "weekend_shift": weekend, "holiday_shift": holiday}
    term = made(plan, shift_mode="REPEAT").terms.row(0, named=True)
    assert term["expected_due_date"] == SATURDAY
    assert term["notes"] == "SHIFT_CYCLE"
    assert term["trace"].endswith("the shifts never end, so it stays on 2026-07-04 (Sat)")


def test_the_order_of_the_shifts_decides_which_one_sees_the_nominal_date() -> None:
    friday = {"first_due_date": date(2026, 7, 3), "weekend_shift": 2, "holiday_shift": 1}
    assert dates(friday, shift_order="WEEKEND_FIRST") == "2026-07-04"
    assert dates(friday, shift_order="HOLIDAY_FIRST") == "2026-07-06"


def test_a_weekend_of_ones_own_is_respected() -> None:
    plan = rules({"first_due_date": date(2026, 7, 10), "weekend_shift": 2})
    calendars = {"jul3": Calendar(weekend=(5, 6))}
    found = regenerate(plan, conventions={"p": Conventions()}, calendars=calendars).terms
    assert found["expected_due_date"].to_list() == [date(2026, 7, 12)]


def test_a_named_calendar_gives_its_holidays_by_name_and_version() -> None:
    plan = rules({"first_due_date": date(2026, 7, 3), "holiday_shift": 3, "calendar": "US"})
    found = regenerate(plan, conventions={"p": Conventions()}, calendars={"US": Calendar("US")}).terms
    assert found["trace"].to_list() == [
        "2026-07-03 (Fri): holiday Independence Day (observed), +3 days to 2026-07-06 (Mon); calendar US (holidays 0.109)"
    ]


@pytest.mark.parametrize(
    ("plan", "trace"),
    [
        ({"first_due_date": date(2026, 7, 2)}, "2026-07-02 (Thu)"),
        ({"first_due_date": SATURDAY}, "2026-07-04 (Sat): weekend, stays"),
        ({"first_due_date": date(2026, 7, 3)}, "2026-07-03 (Fri): holiday Independence Day (observed), stays"),
        (
            {"first_due_date": SATURDAY, "weekend_shift": -1, "holiday_shift": -1},
            "2026-07-04 (Sat): weekend, -1 day to 2026-07-03 (Fri): holiday Independence Day (observed), -1 day to 2026-07-02 (Thu); calendar 1 own closed day",
        ),
    ],
)
def test_the_trace_tells_nominal_date_and_every_shift(plan: dict[str, Any], trace: str) -> None:
    assert made(plan).terms["trace"].to_list() == [trace]


def test_a_closed_day_without_a_name_is_told_as_one_and_no_calendar_leaves_only_weekends() -> None:
    plan = rules({"first_due_date": date(2026, 12, 24), "weekend_shift": 1, "holiday_shift": 2})
    own = Calendar("NL", own_days=own_days(["2026-12-24"]))
    none = Calendar()
    traces = [
        regenerate(plan, conventions={"p": Conventions()}, calendars={"jul3": each}).terms["trace"][0]
        for each in (own, none)
    ]
    assert traces == [
        f"2026-12-24 (Thu): closed day, +2 days to 2026-12-26 (Sat); calendar {own.label}",
        "2026-12-24 (Thu)",
    ]
    saturday = rules({"first_due_date": SATURDAY, "weekend_shift": 2})
    moved = regenerate(saturday, conventions={"p": Conventions()}, calendars={"jul3": none}).terms["trace"]
    assert moved.to_list() == ["2026-07-04 (Sat): weekend, +2 days to 2026-07-06 (Mon)"]


# --- cascades and collisions --------------------------------------------------------------

FRIDAYS = {"frequency": "WEEKLY", "first_due_date": date(2026, 6, 26), "holiday_shift": 3, "term_count": 4}
DAILY = {
    "frequency": "DAYS", "days_in_period": 1, "first_due_date": date(2026, 6, 26), "weekend_shift": 2,
    "term_count": 4, "total_minor": 100_01,
}  # fmt: skip


def test_a_moved_date_moves_later_ones_only_under_cascade() -> None:
    assert dates(FRIDAYS) == "2026-06-26 2026-07-06 2026-07-10 2026-07-17"
    assert dates(FRIDAYS, cascade=True) == "2026-06-26 2026-07-06 2026-07-13 2026-07-20"


def test_under_cascade_a_monthly_plan_goes_on_from_the_moved_day_and_an_unmoved_one_loses_no_day() -> None:
    moved = {"first_due_date": date(2026, 7, 3), "holiday_shift": 3, "term_count": 3}
    assert dates(moved, cascade=True) == "2026-07-06 2026-08-06 2026-09-06"
    unmoved = {"first_due_date": date(2025, 1, 31), "term_count": 3}
    assert dates(unmoved, cascade=True) == dates(unmoved) == "2025-01-31 2025-02-28 2025-03-31"


def test_two_terms_on_one_day_are_noted_and_stay_by_default() -> None:
    terms = made(DAILY).terms
    assert [str(day)[5:] for day in terms["expected_due_date"]] == ["06-26", "06-29", "06-30", "06-29"]
    assert terms["notes"].to_list() == ["", "COLLISION", "", "COLLISION;INVERSION"]


def test_merging_makes_one_term_of_a_day_with_the_sum() -> None:
    terms = made(DAILY, collision="MERGE").terms
    assert [str(day)[5:] for day in terms["expected_due_date"]] == ["06-26", "06-29", "06-30"]
    assert terms["sequence"].to_list() == [1, 2, 3]
    assert terms["expected_amount_minor"].to_list() == [25_00, 25_00 + 25_01, 25_00]
    assert terms["notes"].to_list() == ["", "COLLISION", ""]
    assert terms["trace"][1].endswith("; one with term 4")


def test_the_later_term_moves_on_to_the_next_free_day() -> None:
    terms = made(DAILY, collision="NEXT_DAY").terms
    assert [str(day)[5:] for day in terms["expected_due_date"]] == ["06-26", "06-29", "06-30", "07-01"]
    assert terms["notes"].to_list() == ["", "", "", "COLLISION"]


def test_two_terms_are_the_same_only_within_half_a_period_and_a_week() -> None:
    frequencies = ["DAYS", "WEEKLY", "BIWEEKLY", "SEMIMONTHLY", "MONTHLY"]
    plans = rules(*({"frequency": name, "days_in_period": 5} for name in frequencies), {"arrangement": "CUSTOM"})
    assert plans.select(reach_days()).to_series().to_list() == [2, 3, 7, 7, 7, 7]


# --- given terms and missing inputs -------------------------------------------------------


def listed(*terms: tuple[int, int, date, int]) -> pl.DataFrame:
    return CUSTOM_TERMS.gate(pl.DataFrame(terms, schema=dict(CUSTOM_TERMS.dtypes), orient="row"))


def test_a_custom_plan_keeps_its_own_terms_on_their_own_days() -> None:
    plan = {"arrangement": "CUSTOM", "frequency": None, "first_due_date": None, "weekend_shift": 1, "term_count": None}
    custom = listed((1, 1, SUNDAY, 60_00), (1, 2, SATURDAY, 40_00), (7, 1, SATURDAY, 1))
    terms = made({"term_count": 1}, plan, {}, custom=custom).terms.filter(plan_no=1)
    assert terms["expected_due_date"].to_list() == [SATURDAY, SUNDAY]
    assert terms["expected_amount_minor"].to_list() == [40_00, 60_00]
    assert terms["trace"].to_list() == ["2026-07-04 (Sat): as given", "2026-07-05 (Sun): as given"]


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        ({"arrangement": None}, "arrangement"),
        ({"arrangement": "CUSTOM"}, "custom_terms"),
        ({"frequency": "QUARTERLY"}, "frequency"),
        ({"first_due_date": None}, "first_due_date"),
        ({"first_due_date": date(1, 1, 1)}, "first_due_date"),
        ({"frequency": "DAYS"}, "days_in_period"),
        ({"frequency": "DAYS", "days_in_period": 0}, "days_in_period"),
        ({"first_day": 32}, "first_day"),
        ({"frequency": "SEMIMONTHLY"}, "second_day"),
        ({"pattern": "WEEKDAY", "first_weekday": 1}, "first_week"),
        ({"pattern": "WEEKDAY", "first_week": 1}, "first_weekday"),
        ({"weekend_shift": None}, "weekend_shift"),
        ({"holiday_shift": 5000}, "holiday_shift"),
        ({"arrangement": "AMOUNT"}, "term_amount_minor"),
        ({"arrangement": "AMOUNT", "term_amount_minor": 1, "total_minor": None, "term_count": None}, "total_minor"),
        ({"term_count": None}, "term_count"),
        ({"term_count": 0}, "term_count"),
        ({"arrangement": "AMOUNT", "term_amount_minor": 1, "total_minor": 10**12}, "term_count"),
        ({"missing_input": "paymentAmount"}, "paymentAmount"),
    ],
)
def test_a_plan_without_a_needed_input_is_listed_with_its_name_and_stops_no_other(
    plan: dict[str, Any], name: str
) -> None:
    found = made({}, plan, {})
    assert found.missing.rows() == [(1, name)]
    assert found.terms["plan_no"].to_list() == [0, 2]


def test_no_plans_give_no_terms() -> None:
    found = regenerate(PLAN_RULES.empty(), conventions={}, calendars={})
    assert (found.terms.height, found.missing.height) == (0, 0)


def test_an_unknown_calendar_or_set_of_conventions_is_refused_by_name() -> None:
    with pytest.raises(MissingCalendarError, match="jul3"):
        regenerate(rules({}), conventions={"p": Conventions()}, calendars={})
    with pytest.raises(MissingConventionsError, match="p"):
        regenerate(rules({}), conventions={}, calendars={"jul3": JULY_3})


def test_a_convention_that_does_not_exist_is_refused_with_the_ones_that_do() -> None:
    with pytest.raises(ValueError, match="LAST, FIRST, SPREAD"):
        Conventions(remainder="MIDDLE")
    with pytest.raises(ValueError, match="exclude"):
        Conventions(cascade=True, drift=True)
