"""What is at risk, who owes the most, and money that stands nowhere."""

from typing import Any

import polars as pl

from schemas.core import ORPHANS
from schemas.results import PLAN_POSITIONS
from transforms.outlook.exposure import exposure

PLAIN = {
    "provider": "p", "tenant_id": "t", "currency": "EUR", "is_in_force": True, "flags": "", "days_past_due": 0,
    "outstanding_minor": 0, "unapplied_minor": 0,
}  # fmt: skip


def _plans(*rows: dict[str, Any]) -> pl.DataFrame:
    full = [PLAIN | {"plan_no": number, "plan_id": f"P{number}"} | row for number, row in enumerate(rows)]
    return pl.DataFrame(
        [{name: row.get(name) for name in PLAN_POSITIONS.columns} for row in full], schema=dict(PLAN_POSITIONS.dtypes)
    )


def _found(plans: pl.DataFrame, orphans: pl.DataFrame | None = None) -> dict[str, tuple[int, int, int | None]]:
    rows = exposure(plans, ORPHANS.empty() if orphans is None else orphans)
    return {metric: rest for metric, *rest in rows.select("metric", "plans", "amount_minor", "share_ppm").iter_rows()}


def test_the_whole_of_a_late_plan_is_at_risk_and_its_share_is_of_plans_in_force() -> None:
    late = [(0, 100), (1, 20), (30, 30), (31, 50), (90, 100), (91, 200)]
    plans = _plans(
        *({"days_past_due": days, "outstanding_minor": money} for days, money in late),
        {"days_past_due": 400, "outstanding_minor": 900, "is_in_force": False},
    )
    found = _found(plans)
    assert found["PAR>0"] == [5, 400, 800_000]
    assert found["PAR>30"] == [3, 350, 700_000]
    assert found["PAR>60"] == [2, 300, 600_000]
    assert found["PAR>90"] == [1, 200, 400_000]


def test_the_ten_largest_are_debtors_with_all_their_plans() -> None:
    two = [{"customer_id": "c", "outstanding_minor": 60}, {"customer_id": "c", "outstanding_minor": 50}]
    others = [{"account_id": f"A{at}", "outstanding_minor": 100 - at} for at in range(11)]
    assert _found(_plans(*two, *others))["LARGEST_10"] == [
        11,
        110 + sum(100 - at for at in range(9)),
        843_290,
    ]  # of 110 + 1045


def test_an_account_named_like_a_customer_is_another_debtor() -> None:
    rows = [{"customer_id": "1", "outstanding_minor": 5}, *({"account_id": "1", "outstanding_minor": 5},) * 2]
    rows += [{"account_id": f"B{at}", "outstanding_minor": 9} for at in range(9)]
    assert _found(_plans(*rows))["LARGEST_10"][1] == 9 * 9 + 10


def test_a_share_is_unknown_where_nothing_is_outstanding() -> None:
    assert _found(_plans({}))["PAR>0"] == [0, 0, None]


def test_unapplied_money_counts_also_of_ended_plans_and_not_where_balances_hide_it() -> None:
    plans = _plans(
        {"unapplied_minor": 7, "is_in_force": False},
        {"unapplied_minor": 5, "flags": "PAUSED;VANISHED"},
        {"unapplied_minor": None},
        {"unapplied_minor": 0},
    )
    assert _found(plans)["UNAPPLIED"] == [1, 7, None]
    assert "UNAPPLIED" not in _found(_plans({"unapplied_minor": None}))


def test_orphans_are_payments_of_one_currency_terms_left_out() -> None:
    who = {"provider": "q", "tenant_id": "t", "names": "account", "amount_minor": 40}
    rows = [
        who | {"payment_id": "M1", "account_id": "A", "currency": "USD"},
        who | {"payment_id": "M2", "account_id": "A", "currency": "USD"},
        who | {"term_id": "T", "plan_id": "P", "names": "plan"},
    ]
    orphans = ORPHANS.gate(
        pl.DataFrame([{n: row.get(n) for n in ORPHANS.columns} for row in rows], schema=dict(ORPHANS.dtypes))
    )
    assert _found(_plans(), orphans) == {"ORPHANS": [2, 80, None]}
