"""What the CSV and Parquet files hold, typed by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from reports.errors import LayoutError
from reports.files.tables import TableWriter
from schemas.columns import COLUMNS
from schemas.reports import REPORTS

AS_OF = date(2026, 6, 30)
BOTH = ("csv", "parquet")


def write(folder, name, *frames, in_order=False):
    table = TableWriter(REPORTS[name], folder, as_of=AS_OF, formats=BOTH, in_order=in_order)
    try:
        for part in frames:
            table.add(part)
        table.close()
    finally:
        table.abandon()
    return (folder / f"{name}.csv").read_text("utf-8")


def test_money_has_as_many_places_as_its_currency(tmp_path, frame):
    terms = frame(
        "terms",
        {
            "plan_id": "A",
            "term_id": "1",
            "term_no": 1,
            "currency": "EUR",
            "amount_minor": 3334,
            "due_date": date(2026, 7, 1),
        },
        {
            "plan_id": "B",
            "term_id": "1",
            "term_no": 1,
            "currency": "JPY",
            "amount_minor": 500,
            "provider_outstanding_minor": 0,
        },
        {"plan_id": "C", "term_id": "1", "term_no": 1, "currency": "KWD", "amount_minor": 1250, "satisfied_on": AS_OF},
    )
    assert write(tmp_path, "terms", terms) == (
        "as_of,provider,tenant_id,plan_id,term_id,term_no,flags,nominal_due_date,due_date,currency,amount,waived,received,"
        "outstanding,pending,provider_outstanding,state,satisfied_on,days_late,expected_due_date,expected_amount\n"
        '2026-06-30,"payt","a1","A","1",1,"",,2026-07-01,"EUR",33.34,0.00,0.00,0.00,0.00,,"VOID",,,,\n'
        '2026-06-30,"payt","a1","B","1",1,"",,2026-06-30,"JPY",500,0,0,0,0,0,"VOID",,,,\n'
        '2026-06-30,"payt","a1","C","1",1,"",,2026-06-30,"KWD",1.250,0.000,0.000,0.000,0.000,,"VOID",2026-06-30,,,\n'
    )
    stored = pl.read_parquet(tmp_path / "terms.parquet")
    assert stored["amount"].to_list() == [Decimal("33.34"), Decimal(500), Decimal("1.25")]
    assert stored.schema["amount"] == pl.Decimal(20, 4)
    assert stored["provider_outstanding"].to_list() == [None, Decimal(0), None]


def test_many_rows_that_are_partly_alike_are_each_written_whole(tmp_path, frame):
    """Six terms of a plan are paid on days of their own; the same amounts go on where the currency has other places."""
    money = ("amount_minor", "outstanding_minor", "expected_amount_minor")
    rows, expected = [], []
    for plan in range(600):
        currency, amount = ("EUR", "5.00") if plan < 300 else ("JPY", "500")
        nothing = amount.replace("5", "0") if plan < 300 else "0"
        customer_says = "" if plan % 3 else 'say "hi"'
        for term in range(1, 13):
            is_paid = term <= 6
            due = date(2026, 1 + plan % 12, term)
            row = dict.fromkeys(money, 500) | {"received_minor": 500 if is_paid else 0, "flags": customer_says}
            row |= {"plan_id": f"P{plan:03}", "term_id": f"{plan}={term}", "term_no": term, "currency": currency}
            row |= {
                "due_date": due,
                "state": "SATISFIED" if is_paid else "DUE",
                "satisfied_on": due if is_paid else None,
            }
            rows.append(row)
            says, paid_on = customer_says.replace('"', '""'), due if is_paid else ""
            received = amount if is_paid else nothing
            expected.append(
                f'2026-06-30,"payt","a1","P{plan:03}","{plan}={term}",{term},"{says}",,{due},"{currency}",{amount},{nothing},'
                f'{received},{amount},{nothing},,"{row["state"]}",{paid_on},,,{amount}'
            )
    assert write(tmp_path, "terms", frame("terms", *rows)).splitlines()[1:] == expected


def test_one_currency_alone_keeps_its_places(tmp_path, frame):
    payments = frame(
        "payments",
        {
            "payment_id": "p9",
            "currency": "KWD",
            "amount_minor": -5,
            "class": "reversed",
            "reversed_on": AS_OF,
            "reversed_amount_minor": 5,
            "plan_id": None,
            "account_id": "loan-1",
        },
    )
    assert write(tmp_path, "payments", payments).splitlines()[1] == (
        '2026-06-30,"payt","a1","p9",,"loan-1","KWD",-0.005,2026-06-30,"reversed",,2026-06-30,0.005,,'
        "2026-06-30,2026-06-30,true,true,,true"
    )


def test_breaks_show_their_state_and_currency_and_an_unknown_difference_stays_empty(tmp_path, frame):
    breaks = frame(
        "breaks",
        {
            "plan_id": "P2",
            "code": "STALE_PENDING",
            "fingerprint": "ff",
            "explanation": 'He said "soon".',
            "break_state": "ONGOING",
            "age_days": 3,
        },
        {
            "plan_id": "P1",
            "code": "TOTAL_DIFF",
            "fingerprint": "aa",
            "expected": "100.00",
            "actual": "90.00",
            "difference_minor": -1000,
            "break_currency": "EUR",
            "severity": "high",
            "explanation": "x",
        },
    )
    assert write(tmp_path, "breaks", breaks) == (
        "as_of,provider,tenant_id,plan_id,term_id,payment_id,account_id,code,reason,side,kind,severity,state,expected,actual,"
        "difference,difference_days,currency,first_seen,age_days,fingerprint,explanation,reference,owner,accepted_because,expires_on,maximum\n"
        '2026-06-30,"payt","a1","P1",,,,"TOTAL_DIFF","","provider","timing","high","NEW","100.00","90.00",-10.00,,"EUR",'
        '2026-06-30,0,"aa","x",,,,,\n'
        '2026-06-30,"payt","a1","P2",,,,"STALE_PENDING","","provider","timing","low","ONGOING",,,,,,2026-06-30,3,"ff",'
        '"He said ""soon"".",,,,,\n'
    )


def test_aging_stands_in_the_order_of_its_days(tmp_path, frame):
    zeros = {
        "plans": 1,
        "terms": 0,
        "amount_due_minor": 0,
        "overdue_minor": 0,
        "outstanding_minor": 700,
        "currency": "JPY",
    }
    aging = frame("aging", *({"bucket": bucket, **zeros} for bucket in ("366+", "0", "121-150", "1-30", "31-60")))
    assert write(tmp_path, "aging", aging) == (
        "as_of,provider,tenant_id,currency,bucket,plans,terms,amount_due,overdue,outstanding,bucket_no\n"
        '2026-06-30,"payt","a1","JPY","0",1,0,0,0,700,0\n'
        '2026-06-30,"payt","a1","JPY","1-30",1,0,0,0,700,1\n'
        '2026-06-30,"payt","a1","JPY","31-60",1,0,0,0,700,2\n'
        '2026-06-30,"payt","a1","JPY","121-150",1,0,0,0,700,5\n'
        '2026-06-30,"payt","a1","JPY","366+",1,0,0,0,700,8\n'
    )


def test_timestamps_are_utc_and_booleans_are_words(tmp_path, frame):
    integrity = frame(
        "integrity",
        {
            "entity": "plans",
            "fetched": 3,
            "accepted": 3,
            "complete": False,
            "fresh_at": datetime(2026, 6, 29, 22, 0, 1, 500_000, tzinfo=UTC),
        },
        {
            "entity": "terms",
            "break_currency": "EUR",
            "amount_fetched_minor": 12,
            "fresh_at": datetime(2026, 6, 30, tzinfo=UTC),
        },
    )
    assert write(tmp_path, "integrity", integrity) == (
        "as_of,provider,tenant_id,entity,currency,fetched,accepted,quarantined,deduplicated,amount_fetched,amount_accepted,"
        "amount_quarantined,complete,fresh_at,unreadable,amount_deduplicated\n"
        '2026-06-30,"payt","a1","plans",,3,3,0,0,,,,false,2026-06-29T22:00:01.500Z,0,\n'
        '2026-06-30,"payt","a1","terms","EUR",0,0,0,0,0.12,,,true,2026-06-30T00:00:00Z,0,\n'
    )


def test_coverage_is_a_fraction_with_six_places_and_unknown_is_empty(tmp_path, frame):
    plans = frame("plans", {"plan_id": "A", "coverage_ppm": 333_333}, {"plan_id": "B"})
    write(tmp_path, "plans", plans)
    cells = pl.read_csv(tmp_path / "plans.csv", infer_schema=False)
    assert cells["coverage"].to_list() == ["0.333333", None]
    assert pl.read_parquet(tmp_path / "plans.parquet")["coverage"].to_list() == [Decimal("0.333333"), None]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (
            "cash",
            "as_of,provider,tenant_id,currency,horizon_days,scheduled,arrears,pending_covered,risk_adjusted,rate,rate_from,rate_terms,backtest_as_of,backtest_forecast,backtest_received,backtest_error",
        ),
        (
            "kept",
            (
                "as_of,provider,tenant_id,currency,window_days,evaluated,kept,partly_kept,broken,"
                "kept_rate_count,kept_rate_amount,firm_kept,firm_kept_rate_count,firm_kept_rate_amount"
            ),
        ),
        (
            "roll",
            (
                "as_of,provider,tenant_id,currency,from_as_of,from_bucket,to_bucket,plans,opening,from_bucket_no,to_bucket_no,"
                "roll_rate_count,roll_rate_amount,cure_rate_count,cure_rate_amount"
            ),
        ),
        ("exposure", "as_of,provider,tenant_id,currency,metric,plans,amount,share"),
    ],
)
def test_a_report_without_rows_has_its_header_and_its_types(tmp_path, name, header):
    assert write(tmp_path, name) == header + "\n"
    stored = pl.read_parquet(tmp_path / f"{name}.parquet")
    assert ",".join(stored.columns) == header
    assert stored.is_empty()
    assert stored.schema["currency"] == pl.String


def test_types_of_empty_money_and_rates_are_decimal(tmp_path):
    write(tmp_path, "kept")
    write(tmp_path, "cash")
    assert pl.read_parquet_schema(tmp_path / "kept.parquet")["kept_rate_count"] == pl.Decimal(20, 6)
    assert pl.read_parquet_schema(tmp_path / "cash.parquet")["scheduled"] == pl.Decimal(20, 4)


def test_plans_begin_with_the_columns_readers_rely_on():
    promised = (
        "as_of,provider,tenant_id,plan_id,account_id,customer_id,currency,status,flags,outcome,basis,terms,terms_satisfied,"
        "missed_terms,delinquent_terms,amount,received,outstanding,amount_due,overdue,overdue_past_grace,due_today,not_due,"
        "unapplied,pending,coverage,days_past_due,days_past_due_business,shadow_days_past_due,mba_months,ots_months,bucket,"
        "oldest_unpaid_due_date,next_due_date,next_due_amount,provider_amount_due,conformance"
    )
    assert ",".join(REPORTS["plans"].names).startswith(promised)


def test_tiers_of_a_policy_are_money_too(tmp_path):
    tier = {"minimum_minor": 1, "maximum_minor": 50_000, "payment_count": 3, "restricted_minimum_minor": None}
    policies = pl.DataFrame(
        {
            "provider": ["payiq"],
            "tenant_id": ["payiq"],
            "account_id": ["7"],
            "currency": ["USD"],
            "allow_due_day": [True],
            "enforce_due_date": [None],
            "day_due": [5],
            "plan_type": ["Fixed"],
            "default_monthly_minor": [2500],
            "initial_balance_minor": [None],
            "maximum_term": [12],
            "restricted_override_minimum_minor": [None],
            "tiers": [[tier]],
            "updated_on": [AS_OF],
        },
        schema_overrides={"tiers": COLUMNS["tiers"].dtype},
    )
    table = TableWriter(REPORTS["policies"], tmp_path, as_of=AS_OF, formats=BOTH)
    table.add(policies)
    table.close()
    assert not (tmp_path / "policies.csv").exists()
    stored = pl.read_parquet(tmp_path / "policies.parquet")
    assert stored["tiers"].to_list() == [
        [{"minimum": Decimal("0.01"), "maximum": Decimal(500), "payment_count": 3, "restricted_minimum": None}]
    ]
    assert stored["default_monthly"].to_list() == [Decimal(25)]


def test_a_missing_column_is_named(tmp_path, frame):
    with pytest.raises(LayoutError, match="no column overdue_minor"):
        write(tmp_path, "plans", frame("plans", {}).drop("overdue_minor"))


def test_money_that_is_not_whole_minor_units_is_refused(tmp_path, frame):
    with pytest.raises(LayoutError, match=r"'overdue_minor' is Float64"):
        write(tmp_path, "plans", frame("plans", {}).cast({"overdue_minor": pl.Float64}))


def test_an_amount_without_a_currency_is_refused(tmp_path, frame):
    breaks = frame("breaks", {"difference_minor": 5, "fingerprint": "a"})
    with pytest.raises(LayoutError, match="rows without a currency"):
        write(tmp_path, "breaks", breaks)


def test_a_currency_nobody_knows_the_places_of_is_refused(tmp_path, frame):
    with pytest.raises(LayoutError, match="'ZZZ'"):
        write(tmp_path, "plans", frame("plans", {"currency": "ZZZ"}))


def test_the_largest_amounts_stay_exact(tmp_path, frame):
    most = 10**15 - 1  # a number of which a float would lose digits beside the places of a file
    rows = [
        {"plan_id": c, "currency": c, "amount_minor": most, "outstanding_minor": -most} for c in ("EUR", "JPY", "KWD")
    ]
    write(tmp_path, "plans", frame("plans", *rows))
    stored = pl.read_csv(tmp_path / "plans.csv", infer_schema=False)
    assert stored["amount"].to_list() == ["9999999999999.99", "999999999999999", "999999999999.999"]
    whole = pl.read_parquet(tmp_path / "plans.parquet")
    assert whole["outstanding"].to_list() == [-Decimal(most).scaleb(-places) for places in (2, 0, 3)]
