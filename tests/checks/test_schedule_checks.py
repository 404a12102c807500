"""Checks on schedules beyond the single row: whose terms are known, missing terms apart, zones tenant by tenant."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from checks.base import CheckError, discover, run
from checks.compared import zones
from schemas.results import PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES
from schemas.table import Table
from transforms.breaks.life import identified

DAY = date(2026, 6, 30)
SCHEDULES = [
    check
    for check in discover()
    if check.name in {"due_date_diff", "due_date_zone", "amount_diff", "term_missing", "term_extra", "ambiguous_pair"}
]


def rows(table: Table, *given: dict[str, Any]) -> pl.DataFrame:
    plain: dict[Any, Any] = {pl.Boolean: False, pl.Int64: 0, pl.Date: DAY, pl.String: ""}
    base = {name: None if table.is_nullable(name) else plain[dtype.base_type()] for name, dtype in table.dtypes.items()}
    return pl.DataFrame([base | row for row in given], schema=dict(table.dtypes))


def plan(no: int, *, tenant: str = "t", terms: int = 2, provider: str = "one") -> dict[str, Any]:
    who = {"provider": provider, "tenant_id": tenant, "plan_id": f"P{no}", "account_id": f"L{no}"}
    return {"plan_no": no, **who, "is_in_force": True, "terms": terms, "conformance": "DIFFERS", "currency": "EUR"}


def off(no: int, term_no: int, days: int, reason: str = "UNEXPLAINED") -> dict[str, Any]:
    here = {"plan_no": no, "term_no": term_no, "sequence": term_no, "difference_days": days}
    dates = {"expected_due_date": date(2026, 7, 10), "due_date": date(2026, 7, 10 + days)}
    return {**here, **dates, "code": "DUE_DATE_DIFF", "reason": reason, "explanation": "Said."}


def given(plans: list[dict[str, Any]], differences: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    terms = [
        {"plan_no": each["plan_no"], "term_no": term_no, "term_id": f"T{term_no}"}
        for each in plans
        for term_no in range(1, each["terms"] + 1)
    ]
    tenants = sorted({(each["provider"], each["tenant_id"]) for each in plans})
    complete = [
        {"provider": provider, "tenant_id": tenant, "entity": entity, "complete": True}
        for provider, tenant in tenants
        for entity in ("plans", "terms", "accounts")
    ]
    return {
        "plan_positions": rows(PLAN_POSITIONS, *plans),
        "term_positions": rows(TERM_POSITIONS, *terms),
        "differences": rows(DIFFERENCES, *differences),
        "completeness": pl.DataFrame(complete),
    }


def test_two_missing_terms_of_a_plan_are_two_breaks() -> None:
    missing = [
        {"plan_no": 0, "sequence": place, "code": "TERM_MISSING", "expected_amount_minor": 5, "explanation": "Gone."}
        for place in (2, 3)
    ]
    breaks, _ = run(SCHEDULES, given([plan(0)], missing), as_of=DAY)
    assert breaks["term_id"].to_list() == ["expected:2", "expected:3"]
    assert identified(breaks).height == 2


def test_a_difference_of_a_plan_that_does_not_exist_yet_is_no_break() -> None:
    frames = given([plan(0)], [off(7, 1, 2)])
    breaks, results = run(SCHEDULES, frames, as_of=DAY)
    assert breaks.is_empty()
    assert results["breaks"].sum() == 0


def test_a_difference_whose_term_was_not_given_is_an_error_and_not_a_nameless_break() -> None:
    frames = given([plan(0)], [off(0, 2, 2)])
    frames["term_positions"] = frames["term_positions"].filter(pl.col("term_no") == 1)
    with pytest.raises(CheckError, match=r"1 differences name terms .* first term 2 of plan_no 0; pass the terms"):
        run(SCHEDULES, frames, as_of=DAY)


def test_a_zone_that_is_off_is_one_break_instead_of_hundreds() -> None:
    plans = [plan(no, terms=6) for no in range(50)]
    frames = given(plans, [off(no, term, 1) for no in range(50) for term in range(1, 7)])
    breaks, _ = run(SCHEDULES, frames, as_of=DAY)
    assert breaks.select("code", "reason", "difference_days").rows() == [("DUE_DATE_DIFF", "TIMEZONE", 1)]
    assert "All 300 terms of 50 plans fall due one day later" in breaks["explanation"].item()


def test_one_term_on_its_right_day_brings_the_single_breaks_back() -> None:
    plans = [plan(no, terms=6) for no in range(50)]
    differences = [off(no, term, 1) for no in range(50) for term in range(1, 7)][:-1]
    breaks, _ = run(SCHEDULES, given(plans, differences), as_of=DAY)
    assert breaks["reason"].unique().to_list() == ["UNEXPLAINED"]
    assert breaks.height == 299


def test_each_tenant_has_a_zone_of_its_own() -> None:
    plans = [plan(0), plan(1, tenant="u"), plan(2, tenant="v"), plan(3, provider="two")]
    differences = [off(no, term, days) for no, days in ((0, 1), (1, -1), (3, 3)) for term in (1, 2)] + [off(2, 1, 1)]
    found = zones(given(plans, differences))
    assert found.select("provider", "tenant_id", "zone_days").rows() == [
        ("one", "t", 1),
        ("one", "u", -1),
        ("one", "v", None),
        ("two", "t", None),
    ]
    breaks, _ = run(SCHEDULES, given(plans, differences), as_of=DAY)
    told = breaks.group_by("tenant_id", "reason").len().sort("tenant_id", "reason").rows()
    assert told == [("t", "TIMEZONE", 1), ("t", "UNEXPLAINED", 2), ("u", "TIMEZONE", 1), ("v", "UNEXPLAINED", 1)]


def test_a_plan_that_conforms_is_no_part_of_a_zone_that_is_off() -> None:
    conforming = plan(1) | {"conformance": "CONFORMS"}
    frames = given([plan(0), conforming], [off(0, 1, 1), off(0, 2, 1)])
    assert zones(frames)["zone_days"].to_list() == [None]
    unregenerable = plan(1) | {"conformance": "NOT_REGENERABLE"}
    assert zones(given([plan(0), unregenerable], [off(0, 1, 1), off(0, 2, 1)]))["zone_days"].to_list() == [1]


def test_no_differences_at_all_are_no_breaks() -> None:
    breaks, results = run(SCHEDULES, given([plan(0) | {"conformance": "CONFORMS"}], []), as_of=DAY)
    assert breaks.is_empty()
    assert results["is_evaluated"].all()
