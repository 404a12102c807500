"""A row that a full fetch shows and nobody can read is not absent: what was known of it stands, whatever entity it is of.

The same row left out of the next full fetch is gone, so that silence is seen to mean something here.
"""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import polars as pl
import pytest

from sql.core import absence
from sql.core.loads import Load, Sweep

DAYS = [date(2026, 6, day) for day in (27, 28, 29, 30)]
AT = "2026-01-05T12:00:00Z"
OWN = {"administration_id": "1", "updated_at": AT}
PAYT = {
    "payment_plans": [
        OWN | {"id": number, "active": True, "created_at": AT, "approved_at": AT} for number in ("10", "11")
    ],
    "payment_terms": [
        {
            "id": f"{plan}0",
            "plan_id": plan,
            "position": at,
            "total_amount": "5.00",
            "amount_due": "5.00",
            "due_date": "2026-07-01",
        }
        for at, plan in enumerate(("10", "11"))
    ],
    "payments": [
        OWN | {"id": number, "invoice_id": "70", "total_amount": "5.00", "payment_date": "2026-02-01"}
        for number in ("20", "21")
    ],
    "psp_transactions": [
        OWN | {"id": f"3{at}", "position": 5 + at, "status": "pending", "amount": "5.00", "currency_code": "EUR"}
        for at in range(2)
    ],
    "invoices": [OWN | {"id": number, "total_amount": "5.00", "open_amount": "5.00"} for number in ("70", "71")],
    "credit_cases": [OWN | {"id": number, "total_amount": "5.00", "open_amount": "5.00"} for number in ("80", "81")],
}
LOAN = {"loan_uuid": "l0", "updated_at": AT, "created_at": AT}
TOTALITY = {
    "loans": [{"uuid": number, "balance": 500, "updated_at": AT} for number in ("l0", "l1")],
    "payment_plans": [LOAN | {"uuid": number, "is_active": True, "total_plan_amount": 500} for number in ("p0", "p1")],
    "scheduled_payments": [
        LOAN | {"uuid": number, "payment_plan_uuid": "p0", "amount": 500, "payment_date": "2026-07-01"}
        for number in ("t0", "t1")
    ],
    "payments": [
        LOAN | {"uuid": number, "amount": 500, "status": "Posted", "processed_at": AT} for number in ("m0", "m1")
    ],
}
ASKED = {"reference_number": "R1", "other_data": ""}
PAYIQ = {
    "setups": [ASKED | {"initial_balance": "5.00"}],
    "setup_accounts": [
        ASKED | {"account_id": "1", "account_number": "R1", "currency_symbol": "$", "existing_payment_plan_id": "7"}
    ],
    "plans": [
        ASKED
        | {"payment_plan_id": "7", "create_date": AT, "currency_symbol": "$", "day_to_pay": 1}
        | {"initial_balance": "5.00", "payment_amount": "5.00"}
    ],
    "payments": [
        ASKED | {"id": number, "status": "Paid", "payment_date": AT, "total": "1.00", "currency_symbol": "$"}
        for number in ("900", "901")
    ],
}
CASES = {
    "payt": (
        PAYT,
        [
            ("payment_plans", "11", {"created_at": "soon"}, "plan", "11"),
            ("payments", "21", {"total_amount": "x"}, "payment", "21"),
            ("psp_transactions", "31", {"amount": "x"}, "payment", "psp:31"),
            ("invoices", "71", {"open_amount": "x"}, "account", "invoice:71"),
            ("credit_cases", "81", {"open_amount": "x"}, "account", "case:81"),
        ],
    ),
    "totality": (
        TOTALITY,
        [
            ("payment_plans", "p1", {"created_at": "soon"}, "plan", "p1"),
            ("scheduled_payments", "t1", {"payment_date": "soon"}, "term", "t1"),
            ("payments", "m1", {"processed_at": "soon"}, "payment", "m1"),
            ("loans", "l1", {"updated_at": "soon"}, "account", "l1"),
        ],
    ),
    "payiq": (PAYIQ, [("payments", "901", {"payment_date": "soon"}, "payment", "901")]),
}
"""By provider what it shows, and of each of its tables a row, what makes it unreadable, and its kind and key with us."""
PAGE = {"setup_accounts": "setup", "plans": "plan"}


def key_of(row):
    return row.get("id") or row.get("uuid")


def is_gone(intake, kind, key):
    """Whether the newest version of the row says that the provider no longer shows it."""
    if kind == "term":
        query = "SELECT t.removed_on FROM core.term_versions AS t WHERE t.term_id = $key ORDER BY row_no DESC LIMIT 1"
    else:
        query = f"""
            SELECT v.removed_on FROM core.{kind}_versions AS v INNER JOIN core.{kind}_keys AS k USING ({kind}_no)
            WHERE k.{kind}_id = $key ORDER BY row_no DESC LIMIT 1
        """
    [(removed_on,)] = intake.con.sql(query, params={"key": key}).fetchall()
    return removed_on is not None


@pytest.mark.parametrize("provider", CASES)
def test_what_is_shown_and_cannot_be_read_is_not_gone(intake, provider):
    """First the rows cannot be decoded, then they are refused; then they are not shown."""
    tables, cases = CASES[provider]
    chosen = {(name, key): fault for name, key, fault, *_ in cases}

    def gone():
        return [name for name, _, _, kind, natural in cases if is_gone(intake, kind, natural)]

    rest = {
        table: [
            row
            for row in rows
            if (table, key_of(row)) not in chosen and ("payment_plans", row.get("plan_id")) not in chosen
        ]
        for table, rows in tables.items()
    }
    intake.fetch(provider, tables, day=DAYS[0])
    assert gone() == []
    unread = {"code": "WRONG_TYPE", "column": "x", "reason": ""}
    rejects = [
        unread | {"page_entity": PAGE.get(name, name), "key": key, "position": 9 + at}
        for at, (name, key) in enumerate(chosen)
    ]
    intake.fetch(provider, rest, day=DAYS[1], rejects=rejects)
    assert gone() == [], "a row that was there and could not be decoded was taken for absent"
    bad = {
        table: [
            row | chosen.get((table, key_of(row)), {})
            for row in rows
            if ("payment_plans", row.get("plan_id")) not in chosen
        ]
        for table, rows in tables.items()
    }
    intake.fetch(provider, bad, day=DAYS[2])
    assert gone() == [], "a row that was there and could not be read was taken for absent"
    refused = intake.con.sql(
        "SELECT load_no, count(DISTINCT (entity, row_key)) FROM meta.quarantine GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    # a term that cannot be read keeps its plan and that plan's other terms out as well
    assert [load_no for load_no, rows in refused if rows >= len(cases)] == [2, 3]
    intake.fetch(provider, rest, day=DAYS[3])
    assert gone() == [name for name, *_ in cases]


def test_a_payiq_plan_that_cannot_be_read_does_not_end_and_neither_does_that_of_an_account_that_cannot(intake):
    def active():
        return intake.con.sql("SELECT is_active FROM core.plan_versions ORDER BY row_no DESC LIMIT 1").fetchall()

    intake.fetch("payiq", PAYIQ, day=DAYS[0])
    unread = {"page_entity": "setup", "code": "WRONG_TYPE", "column": "x", "reason": "", "key": None, "position": 0}
    intake.fetch("payiq", {}, day=DAYS[1], rejects=[unread])
    assert active() == [(True,)]
    assert not is_gone(intake, "payment", "900")
    intake.fetch("payiq", PAYIQ | {"plans": [PAYIQ["plans"][0] | {"create_date": "soon"}]}, day=DAYS[2])
    assert active() == [(True,)]
    assert not is_gone(intake, "payment", "900")
    unnamed = [PAYIQ["setup_accounts"][0] | {"existing_payment_plan_id": None}]
    intake.fetch("payiq", PAYIQ | {"plans": [], "setup_accounts": unnamed}, day=DAYS[3])
    assert active() == [(False,)]


def fetched(*sweeps):
    at = datetime(2026, 6, 30, 6, tzinfo=UTC)
    of_all = tuple(Sweep(name, None, True, "", 1, 1, at) for name in sweeps)
    return Load("l", "payt", "1", "s", at, at.date(), at, of_all, schema_version=1)


def test_a_sweep_with_a_row_whose_key_cannot_be_read_tells_nothing_of_rows_it_does_not_show():
    seen = pl.DataFrame(
        [("plans", "one", "10"), ("plans", "one", None), ("plans", "other", "20"), ("terms", "other", None)],
        schema={"entity": pl.String, "source": pl.String, "key": pl.String},
        orient="row",
    )
    stored = pl.DataFrame(
        {"source": ["one", "one", "other", "other", "not asked"], "plan_id": ["10", "11", "20", "21", "30"]}
    )
    told = absence.absent(
        stored, SimpleNamespace(seen=seen), fetched("one", "other"), entity="plans", natural="plan_id"
    )
    assert told.filter("is_absent")["plan_id"].to_list() == ["21"]


def test_a_plan_of_accounts_ends_where_one_of_them_was_asked_and_none_names_it():
    plans = pl.DataFrame({"plan_no": [1, 2, 3]}).with_columns(
        source=pl.lit(absence.BY_ACCOUNT), is_absent=pl.lit(value=True), is_active=pl.lit(value=True)
    )
    over = absence.ended(plans, fetched("portfolio"), named=pl.Series([2]), asked=pl.Series([1, 2]))
    assert over.select("plan_no", "is_active", "ended_on").rows() == [(1, False, date(2026, 6, 30))]
