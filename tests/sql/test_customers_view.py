"""What views show beside their reports, so that questions need no join: the customer's figures, and whose a row is."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from sql.views import refresh_views
from sql.warehouse import Warehouse

D = date
PLANS = [
    # provider, plan, customer, currency, in force, overdue, days, bucket, bucket_no, next date, next amount, own customer
    ("payt", "P1", "C1", "EUR", True, "10.00", 4, "1-30", 1, D(2026, 7, 5), "5.00", "anna"),
    ("payt", "P2", "C1", "EUR", True, "100.00", 40, "31-60", 2, D(2026, 7, 3), "7.00", "anna"),
    ("payt", "P3", "C1", "EUR", False, "900.00", 300, "181-365", 6, D(2026, 7, 1), "9.00", "anna"),
    ("payt", "P4", "C1", "JPY", True, "0", 0, "0", 0, D(2026, 7, 3), "500", "anna"),
    ("payt", "P5", None, "EUR", False, "1.00", 1, "1-30", 1, None, None, None),
    ("payiq", "P1", "C1", "USD", True, "0", 0, "0", 0, D(2026, 7, 3), "8.00", "anna"),
    ("payiq", "P9", "C9", "USD", False, "0", 0, "0", 0, None, None, "bert"),
]
COLUMNS = [
    "provider",
    "plan_id",
    "customer_id",
    "currency",
    "is_in_force",
    "overdue",
    "days_past_due",
    "bucket",
    "bucket_no",
    "next_due_date",
    "next_due_amount",
    "own_customer",
]
WHO = {"as_of": D(2026, 6, 30), "provider": "payt", "tenant_id": "17"}


def plan(row):
    cells = dict(zip(COLUMNS, row, strict=True))
    money = {name: cells[name] and Decimal(cells[name]) for name in ("overdue", "next_due_amount")}
    return {
        **WHO,
        **cells,
        **money,
        "reference": f"F-{cells['plan_id']}",
        "missed_terms": 1,
        "last_receipt_date": D(2026, 6, int(cells["plan_id"][1])),
    }


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    places = {"overdue": pl.Decimal(20, 4), "next_due_amount": pl.Decimal(20, 4)}
    pl.DataFrame([plan(row) for row in PLANS], schema_overrides=places).write_parquet(folder / "plans.parquet")
    terms = [{**WHO, "plan_id": name, "term_no": 1} for name in ("P1", "P3")]
    pl.DataFrame(terms).write_parquet(folder / "terms.parquet")
    accounts = [{**WHO, "account_id": "A1", "customer_id": "C7", "reference": "F-7"}]
    pl.DataFrame(accounts).write_parquet(folder / "accounts.parquet")
    payments = [("Y1", "A1", None), ("Y2", "A2", "P3"), ("Y3", "A2", None)]
    rows = [{**WHO, "payment_id": name, "account_id": account, "plan_id": of} for name, account, of in payments]
    pl.DataFrame(rows).write_parquet(folder / "payments.parquet")
    with Warehouse.open(folder / "planrecon.duckdb", state_dir=folder / "state", folders=[folder]) as warehouse:
        refresh_views(warehouse.con, folder)
        yield lambda query: warehouse.con.sql(query).fetchall()


def test_a_customer_owes_what_its_plans_in_force_do_per_currency(ask):
    query = "SELECT provider, customer_id, currency, plans, plans_in_force, overdue, missed_terms FROM v_customers"
    assert ask(f"{query} ORDER BY ALL") == [
        ("payiq", "C1", "USD", 1, 1, Decimal(0), 1),
        ("payiq", "C9", "USD", 1, 0, Decimal(0), 0),
        ("payt", "C1", "EUR", 3, 2, Decimal("110.00"), 2),
        ("payt", "C1", "JPY", 1, 1, Decimal(0), 1),
        ("payt", None, "EUR", 1, 0, Decimal(0), 0),
    ]


def test_a_customer_is_as_far_behind_as_the_plan_in_force_that_is_furthest(ask):
    query = "SELECT days_past_due, bucket, bucket_no, next_due_date, next_due_amount FROM v_customers"
    [row] = ask(f"{query} WHERE provider = 'payt' AND customer_id = 'C1' AND currency = 'EUR'")
    assert row == (40, "31-60", 2, D(2026, 7, 3), Decimal("7.00"))
    [row] = ask(f"{query} WHERE customer_id IS NULL")
    assert row == (0, None, None, None, None)


def test_the_last_receipt_of_a_customer_may_be_on_a_plan_that_is_over(ask):
    query = "SELECT last_receipt_date FROM v_customers WHERE provider = 'payt' AND customer_id = 'C1' ORDER BY currency"
    assert ask(query) == [(D(2026, 6, 3),), (D(2026, 6, 4),)]


def test_a_customer_of_ones_own_is_told_with_the_number_of_providers_it_has_plans_in_force_at(ask):
    assert ask("SELECT DISTINCT own_customer, providers FROM v_customers ORDER BY ALL") == [
        ("anna", 2),
        ("bert", 0),
        (None, None),
    ]


def test_a_term_tells_whose_it_is_and_whether_its_plan_is_in_force(ask):
    query = "SELECT plan_id, customer_id, reference, is_in_force FROM v_terms ORDER BY plan_id"
    assert ask(query) == [("P1", "C1", "F-P1", True), ("P3", "C1", "F-P3", False)]


def test_a_payment_is_of_the_customer_of_its_account_and_else_of_its_plan(ask):
    query = "SELECT payment_id, customer_id, reference, is_in_force FROM v_payments ORDER BY payment_id"
    assert ask(query) == [("Y1", "C7", "F-7", None), ("Y2", "C1", "F-P3", False), ("Y3", None, None, None)]
