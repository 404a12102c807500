"""Expected cash: what falls into which horizon, and at which rate it is taken to come."""

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.results import FORECASTS, PLAN_POSITIONS, TERM_POSITIONS
from transforms.outlook.cash import HORIZONS, cash, coming
from transforms.outlook.shares import part_of, share_ppm

AS_OF = date(2026, 3, 20)
WHO = {"provider": "p", "tenant_id": "t", "currency": "EUR"}
SUMS = ("evaluated", "payable_minor", "paid_minor")
NOTHING_KEPT = pl.DataFrame(schema=dict.fromkeys(WHO, pl.String) | dict.fromkeys(SUMS, pl.Int64))


def _plans(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [WHO | {"plan_no": number, "is_in_force": True, "overdue_minor": 0} | row for number, row in enumerate(rows)]
    return pl.DataFrame(
        [{name: row.get(name) for name in PLAN_POSITIONS.columns} for row in full], schema=dict(PLAN_POSITIONS.dtypes)
    )


def _terms(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [WHO | {"plan_no": 0, "fresh_pending_minor": 0} | row for row in rows]
    return pl.DataFrame(
        [{name: row.get(name) for name in TERM_POSITIONS.columns} for row in full], schema=dict(TERM_POSITIONS.dtypes)
    )


def _term(days: int, outstanding: int, **more: Any) -> dict[str, Any]:
    return {"due_date": AS_OF + timedelta(days=days), "outstanding_minor": outstanding} | more


def _kept(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([WHO | row for row in rows], schema=NOTHING_KEPT.schema)


def _cash(
    terms: pl.DataFrame,
    plans: pl.DataFrame,
    kept: pl.DataFrame = NOTHING_KEPT,
    forecasts: tuple[dict[str, Any], ...] = (),
    came: tuple[dict[str, Any], ...] = (),
) -> pl.DataFrame:
    made = pl.DataFrame([WHO | row for row in forecasts], schema=dict(FORECASTS.dtypes))
    kinds = dict.fromkeys(WHO, pl.String) | {"horizon_days": pl.Int64, "backtest_received_minor": pl.Int64}
    received = pl.DataFrame([WHO | row for row in came], schema=kinds)
    return cash(coming(terms, plans, as_of=AS_OF), plans, kept, forecasts=made, came=received)


def test_each_term_counts_from_the_first_horizon_that_reaches_it_and_today_stays_alone() -> None:
    days = [-3, 0, 1, 7, 8, 14, 15, 30, 31, 60, 61, 90, 91]
    found = _cash(_terms(*(_term(day, 10**at) for at, day in enumerate(days))), _plans({"overdue_minor": 1}))
    assert dict(found.select("horizon_days", "scheduled_minor").iter_rows()) == {
        0: 10, 7: 1100, 14: 111100, 30: 11111100, 60: 1111111100, 90: 111111111100,
    }  # fmt: skip
    assert found["arrears_minor"].to_list() == [1] * 6


def test_pending_money_covers_no_more_of_a_term_than_is_open() -> None:
    terms = _terms(_term(0, 50, fresh_pending_minor=20), _term(5, 30, fresh_pending_minor=40))
    found = _cash(terms, _plans({}))
    assert found["pending_covered_minor"].to_list() == [20, 30, 30, 30, 30, 30]


def test_plans_that_are_not_in_force_bring_nothing_and_have_no_rows() -> None:
    assert _cash(_terms(_term(3, 100)), _plans({"is_in_force": False, "overdue_minor": 7})).is_empty()


def test_a_segment_with_thirty_evaluated_terms_has_its_own_rate_and_another_that_of_its_currency() -> None:
    plans = _plans({}, {"tenant_id": "u"}, {"tenant_id": "v", "currency": "USD"})
    segments = [("t", "EUR"), ("u", "EUR"), ("v", "USD")]
    terms = _terms(*(_term(3, 1000, plan_no=at, tenant_id=t, currency=c) for at, (t, c) in enumerate(segments)))
    kept = _kept(
        {"evaluated": 30, "payable_minor": 3000, "paid_minor": 1500},
        {"tenant_id": "u", "evaluated": 29, "payable_minor": 1000, "paid_minor": 1000},
    )
    found = _cash(terms, plans, kept).filter(pl.col("horizon_days") == 7)
    shown = found.select("tenant_id", "rate_from", "rate_ppm", "rate_terms", "risk_adjusted_minor").rows()
    assert shown == [
        ("t", "SEGMENT", 500_000, 30, 500),
        ("u", "PORTFOLIO", 625_000, 59, 625),
        ("v", "NONE", None, 0, None),
    ]


def test_an_earlier_forecast_stands_beside_what_came_and_an_unknown_one_has_no_error() -> None:
    day = AS_OF - timedelta(30)
    made = [(7, 500), (14, 500), (30, None)]
    forecasts = ({"horizon_days": h, "backtest_as_of": day, "backtest_forecast_minor": f} for h, f in made)
    came = ({"horizon_days": 7, "backtest_received_minor": 450}, {"horizon_days": 30, "backtest_received_minor": 9})
    found = _cash(_terms(), _plans({}), forecasts=tuple(forecasts), came=came)
    assert found.select("horizon_days", pl.col("^backtest.*$")).rows() == [
        (0, None, None, None, None),
        (7, day, 500, 450, -50),
        (14, day, 500, 0, -500),
        (30, day, None, 9, None),
        (60, None, None, None, None),
        (90, None, None, None, None),
    ]


def test_a_figure_is_rounded_half_to_even_and_once() -> None:
    frame = pl.DataFrame({"money": [1, 3, 5, 7, 10**15], "share": [500_000] * 4 + [999_999]})
    assert frame.select(part_of(pl.col("money"), pl.col("share"))).to_series().to_list() == [
        0,
        2,
        2,
        4,
        999_999 * 10**9,
    ]


def test_a_share_of_nothing_is_unknown() -> None:
    frame = pl.DataFrame({"part": [0, 1, 2 * 10**15], "whole": [0, 3, 3 * 10**15]})
    assert frame.select(share_ppm(pl.col("part"), pl.col("whole"))).to_series().to_list() == [None, 333_333, 666_667]


@settings(max_examples=60, deadline=None)
@given(
    terms=st.lists(st.tuples(st.integers(-5, 95), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=12),
    paid=st.integers(0, 1000),
)
def test_horizons_never_fall_from_the_second_on_and_no_more_is_expected_than_is_scheduled(
    terms: list[tuple[int, int, int]], paid: int
) -> None:
    rows = [_term(day, outstanding, fresh_pending_minor=pending) for day, outstanding, pending in terms]
    found = _cash(_terms(*rows), _plans({}), _kept({"evaluated": 1, "payable_minor": 1000, "paid_minor": paid}))
    assert found["horizon_days"].to_list() == list(HORIZONS)
    assert found["scheduled_minor"][1:].is_sorted()
    assert (found["risk_adjusted_minor"] <= found["scheduled_minor"]).all()
    assert (found["pending_covered_minor"] <= found["scheduled_minor"]).all()
    assert found["scheduled_minor"][-1] == sum(amount for day, amount, _ in terms if 0 < day <= 90)
