"""Breaks with one probable cause are told in one line, each break once."""

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.schedules import CLUSTERS
from transforms.breaks.clusters import clusters

JULY_3 = date(2026, 7, 3)
SCHEMA = {
    "provider": pl.String, "tenant_id": pl.String, "code": pl.String, "reason": pl.String,
    "calendar_date": pl.Date, "created_on": pl.Date,
}  # fmt: skip


def breaks(count: int, **row: Any) -> list[dict[str, Any]]:
    plain = {
        "provider": "p",
        "tenant_id": "t",
        "code": "DUE_DATE_DIFF",
        "reason": "",
        "calendar_date": None,
        "created_on": None,
    }
    return [plain | row] * count


def told(rows: list[dict[str, Any]]) -> list[str]:
    return CLUSTERS.gate(clusters(pl.DataFrame(rows, schema=SCHEMA)))["explanation"].to_list()


def test_a_holiday_behind_most_date_breaks_is_named() -> None:
    rows = breaks(212, reason="HOLIDAY_SHIFT", calendar_date=JULY_3)
    rows += [
        row | {"calendar_date": date(2026, 1, 1) + timedelta(days=number)}
        for number, row in enumerate(breaks(18, reason="UNEXPLAINED"))
    ]
    assert told(rows) == [
        "212 of 230 due-date differences on 2026-07-03: the holiday is not avoided as agreed",
        "18 of 230 due-date differences: no cause found",
    ]


def test_plans_of_one_creation_week_are_a_group_of_their_own() -> None:
    rows = breaks(3, code="AMOUNT_DIFF", reason="ROUNDING", created_on=date(2026, 3, 5))
    rows += breaks(1, code="AMOUNT_DIFF", reason="ROUNDING", created_on=date(2026, 5, 1))
    assert told(rows) == [
        "3 of 4 amount differences in plans created in the week of 2026-03-02: amounts are rounded in another way",
        "1 of 4 amount differences: amounts are rounded in another way",
    ]


def test_sets_and_ties_are_told_in_words_and_other_codes_by_their_name() -> None:
    assert told(breaks(1, reason="CASCADED|HOLIDAY_SHIFT+ROUNDING")) == [
        "1 of 1 due-date differences: later terms follow a moved date, or do not, or the holiday is not avoided as agreed and amounts are rounded in another way"
    ]
    assert told(breaks(2, code="STALE_PENDING")) == ["2 of 2 STALE_PENDING"]
    assert told([]) == []


days = st.none() | st.sampled_from([JULY_3, date(2026, 7, 4), date(2026, 8, 1)])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "provider": st.sampled_from(["p", "q"]),
            "tenant_id": st.just("t"),
            "code": st.sampled_from(["DUE_DATE_DIFF", "AMOUNT_DIFF"]),
            "reason": st.sampled_from(["", "ROUNDING"]),
            "calendar_date": days,
            "created_on": days,
        }
    ),
    max_size=25,
)


@settings(max_examples=80, deadline=None)
@given(rows)
def test_every_break_is_in_exactly_one_group(found: list[dict[str, Any]]) -> None:
    groups = CLUSTERS.gate(clusters(pl.DataFrame(found, schema=SCHEMA)))
    assert groups["breaks"].sum() == len(found)
    sums = groups.group_by("provider", "tenant_id", "code").agg(pl.col("breaks").sum(), pl.col("of_breaks").max())
    assert (sums["breaks"] == sums["of_breaks"]).all()
