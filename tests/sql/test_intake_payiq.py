"""PayIQ from received rows to images: a portfolio asked account by account, terms worked out, money in symbols."""

from datetime import date

import polars as pl
import pytest

from sql.core import images

DAY = date(2026, 6, 30)


def setup(reference: str = "R1", position: int = 0, **fields: object) -> dict[str, object]:
    return {
        "reference_number": reference,
        "other_data": "",
        "position": position,
        "allow_due_day": True,
        "day_due": 15,
        "default_monthly_payment": "3.0",
        "initial_balance": "250.0",
        "maximum_term": 6,
        "plan_type": "Fixed",
    } | fields


def account(number: str = "1", reference: str = "R1", position: int = 0, **fields: object) -> dict[str, object]:
    return {
        "reference_number": reference,
        "other_data": "",
        "position": position,
        "account_id": number,
        "account_number": reference,
        "amount_due": "120.50",
        "currency_symbol": "$",
        "due_date": "2026-07-15T00:00:00Z",
        "existing_payment_plan_id": "7",
        "stopped": False,
        "update_date": "2026-06-30T02:00:00Z",
    } | fields


def plan(number: str = "7", **fields: object) -> dict[str, object]:
    return {
        "payment_plan_id": number,
        "customer_id": "42",
        "create_date": "2026-01-31T03:00:00.0626866Z",
        "date_to_start": "2026-01-31T00:00:00Z",
        "currency_symbol": "$",
        "day_type": "DayOfMonth",
        "day_to_pay": 31,
        "initial_balance": "250.0",
        "payment_amount": "100",
        "reference_number": "R1",
        "other_data": "",
    } | fields


def payment(number: str = "900", status: str = "Paid", total: str = "30.00", **fields: object) -> dict[str, object]:
    return {
        "id": number,
        "status": status,
        "create_date": "2026-03-02T12:00:00Z",
        "payment_date": "2026-03-03T00:00:00Z",
        "total": total,
        "currency_symbol": "$",
        "reference_number": "R1",
        "other_data": "",
    } | fields


def pending(
    number: str = "500", status: str = "Initiated", share: str = "20.00", **fields: object
) -> dict[str, object]:
    return {
        "account_id": "1",
        "transaction_id": number,
        "status": status,
        "create_date": "2026-06-28T12:00:00Z",
        "total": "55.00",
        "account_total": share,
        "currency_symbol": "$",
        "position": 0,
    } | fields


BASE = {"setups": [setup()], "setup_accounts": [account()], "plans": [plan()]}


def terms_of(intake, known: int, number: int = 0) -> list[tuple]:
    found = images.terms(intake.con, known, pl.Series([number]))
    return found.select("term_id", "term_sequence", "due_date", "nominal_due_date", "amount_minor", "removed_on").rows()


def test_a_rule_becomes_terms_from_the_start_until_the_balance_is_used_up(intake):
    report = intake.fetch("payiq", BASE, day=DAY, tenant="payiq")
    days = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert terms_of(intake, 1) == [
        (f"7-00{n}", n, day, day, amount, None)
        for n, day, amount in zip((1, 2, 3), days, (10000, 10000, 5000), strict=True)
    ]
    found = images.plans(intake.con, 1).row(0, named=True)
    expected = {
        "plan_id": "7",
        "account_id": "1",
        "customer_id": "42",
        "currency": "USD",
        "created_on": date(2026, 1, 30),
        "is_active": True,
        "stated_total_minor": 25000,
        "provider_amount_due_minor": 12050,
        "cadence": "MONTHLY",
        "anchor_day": 31,
    }
    assert {name: found[name] for name in expected} == expected
    counts = {row["entity"]: (row["fetched"], row["accepted"]) for row in report.counts.iter_rows(named=True)}
    assert counts == {"plans": (1, 1), "terms": (3, 3), "payments": (0, 0), "accounts": (1, 1), "policies": (1, 1)}


def test_own_payments_stand_for_the_rule_in_order_of_date(intake):
    own = [
        {"payment_plan_id": "7", "date": "2026-05-01T00:00:00Z", "amount": "150", "position": 0, "ordinal": 0},
        {"payment_plan_id": "7", "date": "2026-04-01T00:00:00Z", "amount": "100.00", "position": 0, "ordinal": 1},
    ]
    intake.fetch("payiq", BASE | {"plan_payments": own}, day=DAY)
    assert [row[:3] + row[4:5] for row in terms_of(intake, 1)] == [
        ("7-001", 1, date(2026, 4, 1), 10000),
        ("7-002", 2, date(2026, 5, 1), 15000),
    ]
    assert images.plans(intake.con, 1).select("cadence", "anchor_day").rows() == [("OTHER", None)]


def test_a_plan_that_pays_nothing_or_in_an_unknown_symbol_is_quarantined(intake):
    plans = [plan(), plan("8", payment_amount="0"), plan("9", currency_symbol="£"), plan("10", day_to_pay=32)]
    intake.fetch("payiq", BASE | {"plans": plans}, day=DAY)
    assert images.plans(intake.con, 1)["plan_id"].to_list() == ["7"]
    reasons = intake.con.sql("SELECT row_key, code, column_name FROM meta.quarantine ORDER BY ALL").fetchall()
    assert reasons == [
        ("10", "OUT_OF_RANGE", "anchor_day"),
        ("8", "NO_SCHEDULE", "each_payment"),
        ("9", "UNKNOWN_CURRENCY", "currency"),
    ]


@pytest.mark.fault(29)
def test_a_due_date_at_midnight_utc_is_a_plain_date_and_another_hour_is_converted(intake):
    accounts = [account(), account("2", due_date="2026-07-15T01:00:00Z")]
    intake.fetch("payiq", {"setups": [setup()], "setup_accounts": accounts}, day=DAY)
    assert images.accounts(intake.con, 1)["account_due_date"].to_list() == [date(2026, 7, 15), date(2026, 7, 14)]


def test_the_policy_holds_for_its_account_with_its_tiers_in_order(intake):
    tiers = [
        {
            "reference_number": "R1",
            "position": 0,
            "ordinal": 0,
            "minimum": "0",
            "maximum": "500.00",
            "payment_count": 5,
            "restricted_minimum": "10",
        },
        {
            "reference_number": "R1",
            "position": 0,
            "ordinal": 1,
            "minimum": "500.01",
            "maximum": "900",
            "payment_count": 9,
            "restricted_minimum": None,
        },
    ]
    intake.fetch("payiq", BASE | {"setup_tiers": tiers}, day=DAY)
    policy = images.policies(intake.con, 1).row(0, named=True)
    assert (
        policy["account_id"],
        policy["initial_balance_minor"],
        policy["default_monthly_minor"],
        policy["maximum_term"],
    ) == ("1", 25000, 300, 6)
    assert [tuple(tier.values()) for tier in policy["tiers"]] == [(0, 50000, 5, 1000), (50001, 90000, 9, None)]
    intake.fetch("payiq", BASE | {"setup_tiers": tiers}, day=date(2026, 7, 1))
    assert intake.rows("core.policy_versions") == 1
    intake.fetch("payiq", BASE | {"setup_tiers": tiers[:1]}, day=date(2026, 7, 2))
    assert len(images.policies(intake.con, 3)["tiers"][0]) == 1


@pytest.mark.fault(35)
def test_pending_money_counts_once_per_transaction_and_account_with_the_accounts_share(intake):
    shown = [pending(), pending(ordinal=1), pending("501", "Waiting", "5.00", ordinal=2)]
    report = intake.fetch("payiq", BASE | {"pending_payments": shown}, day=DAY)
    found = images.payments(intake.con, 1).select("payment_id", "class", "amount_minor", "is_money", "created_on")
    assert found.rows() == [
        ("500", "pending", 2000, True, date(2026, 6, 28)),
        ("501", "pending", 500, True, date(2026, 6, 28)),
    ]
    assert report.counts.filter(pl.col("entity") == "payments").select(
        "fetched", "accepted", "deduplicated"
    ).rows() == [(3, 2, 1)]


def test_a_listed_payment_replaces_the_pending_one_once_it_is_settled(intake):
    both = BASE | {
        "pending_payments": [pending("900")],
        "payments": [payment("900"), payment("901", "Pending", position=1)],
    }
    intake.fetch("payiq", both, day=DAY)
    found = (
        images.payments(intake.con, 1)
        .select("payment_id", "class", "amount_minor", "is_money", "effective_date")
        .rows()
    )
    assert found == [
        ("900", "received", 3000, True, date(2026, 3, 3)),
        ("901", "pending", 3000, False, date(2026, 3, 3)),
    ]


@pytest.mark.fault(35)
def test_a_payment_over_several_accounts_counts_on_each_with_its_share(intake):
    parts = [
        {"payment_id": "900", "reference_number": reference, "amount": amount, "position": position}
        for position in (0, 1)
        for reference, amount in (("R1", "10.00"), ("R2", "15.00"), ("R1", "5.00"))
    ]
    tables = {
        "setups": [setup(), setup("R2", 1)],
        "setup_accounts": [account(), account("2", "R2", 1, existing_payment_plan_id=None)],
        "payments": [payment(has_multiple_accounts=True), payment(has_multiple_accounts=True, reference_number="R2")],
        "invoice_payments": parts,
    }
    intake.fetch("payiq", tables, day=DAY)
    assert images.payments(intake.con, 1).select("payment_id", "account_id", "amount_minor").rows() == [
        ("900", "1", 1500),
        ("900", "2", 1500),
    ]


def test_a_reversal_happened_when_it_was_first_seen_and_a_first_fetch_takes_the_payments_own_date(intake):
    intake.fetch("payiq", BASE | {"payments": [payment(), payment("901", "ReturnedDebit")]}, day=DAY)
    intake.fetch(
        "payiq",
        BASE | {"payments": [payment(status="ACHCredit"), payment("901", "ReturnedDebit")]},
        day=date(2026, 7, 4),
    )
    intake.fetch(
        "payiq",
        BASE | {"payments": [payment(status="ReturnedDebit"), payment("901", "ReturnedDebit")]},
        day=date(2026, 7, 9),
    )
    dates = [images.payments(intake.con, known)["reversed_on"].to_list() for known in (1, 2, 3)]
    assert dates == [
        [None, date(2026, 3, 3)],
        [date(2026, 7, 4), date(2026, 3, 3)],
        [date(2026, 7, 4), date(2026, 3, 3)],
    ]


def test_a_partial_reversal_is_what_its_invoices_say_or_unknown(intake):
    parts = [
        {"payment_id": "900", "reference_number": "R1", "amount": "30.00", "reversal_amount": "12.50", "position": 0},
        {"payment_id": "901", "reference_number": "R1", "amount": "30.00", "reversal_amount": None, "position": 1},
    ]
    intake.fetch(
        "payiq",
        BASE | {"payments": [payment(status="Refund"), payment("901", "PartialACHCredit")], "invoice_payments": parts},
        day=DAY,
    )
    found = images.payments(intake.con, 1)
    assert found.select("class", "reversed_amount_minor", "is_reversal_amount_known", "reversed_on").rows() == [
        ("partly_reversed", 1250, True, date(2026, 3, 3)),
        ("partly_reversed", None, False, None),
    ]


def test_a_plan_no_account_names_any_more_ends_on_the_day_of_the_fetch(intake):
    intake.fetch("payiq", BASE, day=DAY)
    unnamed = {"setups": [setup()], "setup_accounts": [account(existing_payment_plan_id=None)]}
    intake.fetch("payiq", unnamed, day=date(2026, 7, 1), incomplete=("portfolio",))
    assert images.plans(intake.con, 2)["is_active"].to_list() == [True]
    intake.fetch("payiq", unnamed, day=date(2026, 7, 2))
    assert images.plans(intake.con, 3).select("is_active", "ended_on", "removed_on").rows() == [
        (False, date(2026, 7, 2), None)
    ]
    intake.fetch("payiq", BASE, day=date(2026, 7, 3))
    assert images.plans(intake.con, 4).select("is_active", "ended_on").rows() == [(True, None)]
    assert images.plans(intake.con, 1)["is_active"].to_list() == [True]


def test_an_account_that_was_not_asked_for_says_nothing_about_its_plan_and_payments(intake):
    intake.fetch("payiq", BASE | {"payments": [payment()]}, day=DAY)
    other = {"setups": [setup("R2")], "setup_accounts": [account("2", "R2", existing_payment_plan_id=None)]}
    intake.fetch("payiq", other, day=date(2026, 7, 1))
    assert images.plans(intake.con, 2)["is_active"].to_list() == [True]
    assert images.payments(intake.con, 2)["removed_on"].to_list() == [None]
    asked = {"setups": [setup()], "setup_accounts": [account()], "plans": [plan()]}
    intake.fetch("payiq", asked, day=date(2026, 7, 2))
    assert images.payments(intake.con, 3)["removed_on"].to_list() == [date(2026, 7, 2)]


def test_a_revised_plan_has_new_terms_and_loses_the_rest(intake):
    intake.fetch("payiq", BASE, day=DAY)
    intake.fetch("payiq", BASE | {"plans": [plan(payment_amount="125.00")]}, day=date(2026, 7, 1))
    assert [(row[0], row[4], row[5]) for row in terms_of(intake, 2)] == [
        ("7-001", 12500, None),
        ("7-002", 12500, None),
        ("7-003", 5000, date(2026, 7, 1)),
    ]
    assert [row[4] for row in terms_of(intake, 1)] == [10000, 10000, 5000]


@pytest.mark.fault(24)
def test_a_payment_of_a_reference_nobody_set_up_is_quarantined(intake):
    intake.fetch("payiq", BASE | {"payments": [payment(reference_number="R9")]}, day=DAY)
    assert intake.con.sql("SELECT entity, code, column_name FROM meta.quarantine").fetchall() == [
        ("payments", "UNKNOWN_ACCOUNT", "account_id")
    ]


def test_yen_have_no_places(intake):
    yen = {
        "setups": [setup(initial_balance="250")],
        "setup_accounts": [account(currency_symbol="¥", amount_due="500.00")],
        "plans": [plan(currency_symbol="¥")],
    }
    intake.fetch("payiq", yen | {"setups": [setup(initial_balance="250", default_monthly_payment="3")]}, day=DAY)
    assert images.accounts(intake.con, 1).select("currency", "account_amount_due_minor").rows() == [("JPY", 500)]
    assert [row[4] for row in terms_of(intake, 1)] == [100, 100, 50]
