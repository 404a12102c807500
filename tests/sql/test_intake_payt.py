"""Payt from received rows to images: plans inside which terms stand, accounts that name them, payments beside them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from sql.conservation import ConservationError
from sql.core import images, ledger
from sql.core.loads import Load, Sweep
from sql.core.versions import commit_load

DAY = date(2026, 6, 30)


def plan(number: str = "10", **fields: object) -> dict[str, object]:
    return {
        "id": number,
        "administration_id": "1",
        "debtor_id": "77",
        "active": True,
        "created_at": "2026-01-31T23:30:00Z",
        "updated_at": "2026-06-01T08:00:00Z",
        "approved_at": "2026-02-01T08:00:00Z",
    } | fields


def term(
    number: str,
    due: str,
    *,
    plan: str = "10",
    position: int = 0,
    total: str = "100.00",
    owed: str = "100.00",
    **fields: object,
) -> dict[str, object]:
    return {
        "plan_id": plan,
        "id": number,
        "position": position,
        "total_amount": total,
        "amount_due": owed,
        "due_date": due,
    } | fields


def terms_of(intake, known: int) -> list[tuple]:
    plans = images.plans(intake.con, known)
    found = images.terms(intake.con, known, plans["plan_no"])
    return found.select(
        "term_id", "due_date", "amount_minor", "provider_outstanding_minor", "provider_paid_on", "removed_on"
    ).rows()


TWO_TERMS = [
    term("9", "2026-03-01", owed="0.00", payment_date="2026-03-02"),
    term("10", "2026-03-01", owed="40.10"),
]


def test_a_plan_and_its_terms_arrive_in_minor_units_and_civil_dates(intake):
    intake.fetch("payt", {"payment_plans": [plan()], "payment_terms": TWO_TERMS}, day=DAY)
    found = images.plans(intake.con, 1).to_dicts()
    assert len(found) == 1
    # 31 January 23:30 UTC is already 1 February in Amsterdam
    expected = {
        "plan_no": 0,
        "provider": "payt",
        "tenant_id": "1",
        "plan_id": "10",
        "customer_id": "77",
        "currency": "EUR",
        "basis": "PROVIDER_BALANCE",
        "created_on": date(2026, 2, 1),
        "updated_on": date(2026, 6, 1),
        "approved_on": date(2026, 2, 1),
        "deactivated_on": None,
        "is_active": True,
        "stated_total_minor": None,
        "cadence": "BY_DATES",
        "account_id": None,
    }
    assert {name: found[0][name] for name in expected} == expected
    # ids that are numbers are ordered as numbers on the same day
    assert terms_of(intake, 1) == [
        ("9", date(2026, 3, 1), 10000, 0, date(2026, 3, 2), None),
        ("10", date(2026, 3, 1), 10000, 4010, None, None),
    ]


def test_the_administrations_own_currency_and_zone_win_over_the_options(intake):
    yen = {"id": "1", "currency_code": "JPY", "timezone": "UTC", "name": "A", "status": "active"}
    tables = {
        "administrations": [yen],
        "payment_plans": [plan()],
        "payment_terms": [term("1", "2026-03-01", total="500.00", owed="500")],
    }
    intake.fetch("payt", tables, day=DAY)
    found = images.plans(intake.con, 1)
    assert found["currency"].to_list() == ["JPY"]
    assert found["created_on"].to_list() == [date(2026, 1, 31)]
    assert terms_of(intake, 1) == [("1", date(2026, 3, 1), 500, 500, None, None)]


def test_one_bad_term_keeps_its_plan_and_all_its_terms_out_and_everything_is_counted(intake):
    tables = {
        "payment_plans": [plan(), plan("11")],
        "payment_terms": [
            *TWO_TERMS,
            term("20", "2026-03-01", plan="11", position=1, total="33.333", owed="1.00"),
            term("21", "2026-04-01", plan="11", position=1, total="50.00"),
        ],
    }
    report = intake.fetch("payt", tables, day=DAY)
    counts = {row["entity"]: row for row in report.counts.iter_rows(named=True)}
    assert (counts["plans"]["fetched"], counts["plans"]["accepted"], counts["plans"]["quarantined"]) == (2, 1, 1)
    of_terms = counts["terms"]
    assert [of_terms[name] for name in ("fetched", "accepted", "quarantined", "deduplicated", "unreadable")] == [
        4,
        2,
        2,
        0,
        1,
    ]
    # the unreadable 33.333 is in no sum
    assert (
        of_terms["amount_fetched_minor"],
        of_terms["amount_accepted_minor"],
        of_terms["amount_quarantined_minor"],
    ) == (25000, 20000, 5000)
    kept_out = intake.con.sql(
        'SELECT entity, code, column_name, row_key, "rows", amount_minor FROM meta.quarantine ORDER BY ALL'
    ).fetchall()
    assert kept_out == [
        ("plans", "TERM_QUARANTINED", "plan_id", "11", 1, None),
        ("terms", "FRACTION_OF_MINOR_UNIT", "amount", "20", 1, None),
        ("terms", "PLAN_QUARANTINED", "plan_id", "11", 1, 5000),
    ]
    assert images.plans(intake.con, 1)["plan_id"].to_list() == ["10"]


def test_three_errors_in_one_row_are_three_reasons_and_one_row(intake):
    bad = term("20", "2026-02-30", total="1,50", owed="1e2")
    report = intake.fetch("payt", {"payment_plans": [plan()], "payment_terms": [bad]}, day=DAY)
    reasons = intake.con.sql(
        "SELECT code, column_name, \"rows\" FROM meta.quarantine WHERE entity = 'terms' ORDER BY ALL"
    ).fetchall()
    assert sorted(reason[:2] for reason in reasons) == [
        ("BAD_DATE", "due_date"),
        ("NOT_A_DECIMAL", "amount"),
        ("NOT_A_DECIMAL", "provider_outstanding"),
    ]
    assert sum(reason[2] for reason in reasons) == 1
    assert report.counts.filter(pl.col("entity") == "terms")["quarantined"].to_list() == [1]


def test_the_same_load_again_changes_nothing(intake):
    tables = {"payment_plans": [plan()], "payment_terms": TWO_TERMS}
    first = intake.fetch("payt", tables, day=DAY, load_id="once")
    again = intake.fetch("payt", tables, day=DAY, load_id="once")
    assert (first.is_new, again.is_new, again.load_no) == (True, False, 1)
    assert again.counts.drop("fresh_at").equals(first.counts.drop("fresh_at"))
    assert (intake.rows("meta.loads"), intake.rows("core.term_versions"), intake.rows("raw.pages")) == (1, 2, 1)


def test_the_same_content_in_another_load_is_deduplicated(intake):
    tables = {"payment_plans": [plan()], "payment_terms": TWO_TERMS}
    intake.fetch("payt", tables, day=DAY)
    report = intake.fetch("payt", tables, day=date(2026, 7, 1))
    assert report.counts.filter(pl.col("entity") == "terms").select("fetched", "accepted", "deduplicated").rows() == [
        (2, 0, 2)
    ]
    assert (
        intake.rows("core.plan_versions"),
        intake.rows("core.term_versions"),
        intake.rows("core.term_closures"),
    ) == (1, 2, 0)


def test_a_change_is_a_new_version_and_the_older_load_still_shows_the_old_one(intake):
    intake.fetch("payt", {"payment_plans": [plan()], "payment_terms": TWO_TERMS}, day=DAY)
    paid = [TWO_TERMS[0], term("10", "2026-03-01", owed="0.00", payment_date="2026-07-01")]
    report = intake.fetch(
        "payt",
        {"payment_plans": [plan(updated_at="2026-07-01T09:00:00Z")], "payment_terms": paid},
        day=date(2026, 7, 1),
        changes=True,
    )
    assert report.counts.filter(pl.col("entity") == "terms")["accepted"].to_list() == [1]
    assert terms_of(intake, 1)[1] == ("10", date(2026, 3, 1), 10000, 4010, None, None)
    assert terms_of(intake, 2)[1] == ("10", date(2026, 3, 1), 10000, 0, date(2026, 7, 1), None)
    # the unchanged term keeps its version; the day of change is its plan's
    updated = images.terms(intake.con, 2, pl.Series([0]))["updated_on"].to_list()
    assert updated == [date(2026, 7, 1)] * 2
    assert images.terms(intake.con, 1, pl.Series([0]))["updated_on"].to_list() == [date(2026, 6, 1)] * 2
    assert [images.plans(intake.con, known)["updated_on"].to_list() for known in (1, 2)] == [
        [date(2026, 6, 1)],
        [date(2026, 7, 1)],
    ]


def test_a_term_that_left_its_plan_is_removed_on_the_day_the_plan_changed(intake):
    intake.fetch("payt", {"payment_plans": [plan()], "payment_terms": TWO_TERMS}, day=DAY)
    intake.fetch(
        "payt",
        {"payment_plans": [plan(updated_at="2026-07-03T09:00:00Z")], "payment_terms": TWO_TERMS[:1]},
        day=date(2026, 7, 5),
        changes=True,
    )
    assert [row[5] for row in terms_of(intake, 2)] == [None, date(2026, 7, 3)]
    assert [row[5] for row in terms_of(intake, 1)] == [None, None]


@pytest.mark.fault(21)
def test_a_plan_missing_from_a_full_fetch_is_removed_and_from_a_fetch_of_changes_it_is_not(intake):
    tables = {"payment_plans": [plan(), plan("11")], "payment_terms": []}
    rest = {"payment_plans": [plan()], "payment_terms": []}
    intake.fetch("payt", tables, day=DAY)
    intake.fetch("payt", rest, day=date(2026, 7, 1), changes=True)
    intake.fetch("payt", rest, day=date(2026, 7, 2), incomplete=("payment_plans",))
    assert images.plans(intake.con, 3)["removed_on"].to_list() == [None, None]
    intake.fetch("payt", rest, day=date(2026, 7, 3))
    assert images.plans(intake.con, 4)["removed_on"].to_list() == [None, date(2026, 7, 3)]
    intake.fetch("payt", rest, day=date(2026, 7, 4))
    assert images.plans(intake.con, 5)["removed_on"].to_list() == [None, date(2026, 7, 3)]
    intake.fetch("payt", tables, day=date(2026, 7, 5))
    assert images.plans(intake.con, 6)["removed_on"].to_list() == [None, None]


def test_a_plan_that_was_shown_but_refused_is_not_taken_for_vanished(intake):
    intake.fetch("payt", {"payment_plans": [plan(), plan("11")], "payment_terms": []}, day=DAY)
    refused = {
        "page_entity": "payment_plans",
        "position": 1,
        "code": "WRONG_TYPE",
        "column": "active",
        "reason": "",
        "key": "11",
        "rows": 3,
    }
    report = intake.fetch(
        "payt", {"payment_plans": [plan()], "payment_terms": []}, day=date(2026, 7, 1), rejects=[refused]
    )
    assert images.plans(intake.con, 2)["removed_on"].to_list() == [None, None]
    counts = {row["entity"]: row for row in report.counts.iter_rows(named=True)}
    assert (counts["plans"]["quarantined"], counts["terms"]["quarantined"]) == (1, 3)


@pytest.mark.fault(21)
def test_deletions_are_dated_by_the_provider(intake):
    payment = {
        "id": "5",
        "invoice_id": "3",
        "total_amount": "10.00",
        "total_book_amount": "10.00",
        "payment_date": "2026-05-05",
    }
    invoice = {"id": "3", "debtor_id": "77", "currency_code": "EUR", "total_amount": "10.00", "open_amount": "0.00"}
    intake.fetch("payt", {"payment_plans": [plan()], "payments": [payment], "invoices": [invoice]}, day=DAY)
    deleted = [
        {"kind": kind, "id": number, "administration_id": "1", "deleted_at": "2026-07-01T22:30:00Z"}
        for kind, number in (("payment_plans", "10"), ("payments", "5"), ("invoices", "3"), ("payments", "unknown"))
    ]
    intake.fetch("payt", {"deleted": deleted}, day=date(2026, 7, 2), changes=True)
    day = date(2026, 7, 2)  # 22:30 UTC is half past midnight in Amsterdam
    assert images.plans(intake.con, 2).select("deleted_on", "removed_on").rows() == [(day, None)]
    assert images.payments(intake.con, 2)["removed_on"].to_list() == [day]
    assert images.accounts(intake.con, 2)["removed_on"].to_list() == [day]
    # listed again for 90 days, and absent from the next full fetch: nothing new is said
    intake.fetch("payt", {"deleted": deleted}, day=date(2026, 7, 3))
    assert intake.rows("core.plan_versions") == 2
    assert images.plans(intake.con, 1).select("deleted_on", "removed_on").rows() == [(None, None)]


def test_accounts_link_plans_cases_first_and_links_outlive_the_naming(intake):
    def invoice(number: str, **fields: object) -> dict[str, object]:
        return {
            "id": number,
            "debtor_id": "77",
            "currency_code": "EUR",
            "total_amount": "10.00",
            "open_amount": "10.00",
        } | fields

    case = {
        "id": "100",
        "debtor_id": "77",
        "currency_code": "EUR",
        "total_amount": "30.00",
        "open_amount": "30.00",
        "active_payment_plan_id": "10",
    }
    tables = {
        "payment_plans": [plan()],
        "invoices": [
            invoice("20", active_payment_plan_id="10"),
            invoice("9", active_credit_case_id="100"),
            invoice("8"),
        ],
        "credit_cases": [case],
    }
    intake.fetch("payt", tables, day=DAY)
    named = "SELECT account_id FROM core.plan_links JOIN core.account_keys USING (account_no) ORDER BY 1"
    assert [row[0] for row in intake.con.sql(named).fetchall()] == ["case:100", "invoice:20", "invoice:9"]
    assert images.plans(intake.con, 1)["account_id"].to_list() == ["case:100"]
    over = tables | {
        "invoices": [invoice("20"), invoice("9", active_credit_case_id="100"), invoice("8")],
        "credit_cases": [case | {"active_payment_plan_id": None}],
    }
    intake.fetch("payt", over, day=date(2026, 7, 1))
    assert images.plan_accounts(intake.con, 2)["linked_on"].to_list() == [DAY] * 3
    assert images.accounts(intake.con, 2)["active_plan_no"].null_count() == 4


def test_an_invoice_that_joins_a_known_case_is_linked_although_the_case_did_not_change(intake):
    case = {
        "id": "100",
        "currency_code": "EUR",
        "total_amount": "1.00",
        "open_amount": "1.00",
        "active_payment_plan_id": "10",
    }
    intake.fetch("payt", {"payment_plans": [plan()], "credit_cases": [case]}, day=DAY)
    late = {
        "id": "9",
        "currency_code": "EUR",
        "total_amount": "1.00",
        "open_amount": "1.00",
        "active_credit_case_id": "100",
    }
    intake.fetch("payt", {"invoices": [late]}, day=date(2026, 7, 1), changes=True)
    assert images.plan_accounts(intake.con, 2).height == 2


def transaction(**fields: object) -> dict[str, object]:
    return {
        "id": "4",
        "currency_code": "USD",
        "amount": "12.00",
        "book_amount": "10.00",
        "status": "pending",
        "updated_at": "2026-06-20T10:00:00Z",
    } | fields


def test_a_transaction_counts_in_the_administrations_currency_from_the_day_it_was_first_seen(intake):
    on = [{"psp_id": "4", "invoice_id": number, "position": 0} for number in ("30", "4")]
    intake.fetch("payt", {"psp_transactions": [transaction()], "psp_invoices": on}, day=DAY)
    intake.fetch(
        "payt",
        {"psp_transactions": [transaction(status="processing", updated_at="2026-07-02T10:00:00Z")], "psp_invoices": on},
        day=date(2026, 7, 2),
        changes=True,
    )
    intake.fetch(
        "payt",
        {"psp_transactions": [transaction(status="teleported", updated_at="2026-07-03T10:00:00Z")], "psp_invoices": on},
        day=date(2026, 7, 3),
        changes=True,
    )
    shown = images.payments(intake.con, 2).to_dicts()[0]
    assert (shown["payment_id"], shown["account_id"], shown["amount_minor"]) == ("psp:4", "invoice:4", 1000)
    assert (shown["class"], shown["created_on"], shown["is_money"]) == ("pending", date(2026, 6, 20), True)
    unknown = images.payments(intake.con, 3).to_dicts()[0]
    assert (unknown["class"], unknown["provider_status"], unknown["is_money"]) == ("unknown", "teleported", False)
    drift = intake.con.sql('SELECT load_no, kind, name, value, "rows" FROM meta.drift').fetchall()
    assert drift == [(3, "UNKNOWN_VALUE", "status", "teleported", 1)]


@pytest.mark.fault(17)
def test_an_older_copy_of_a_plan_in_one_fetch_is_a_repeat_and_the_newest_wins(intake):
    old = plan(updated_at="2026-05-01T08:00:00.5Z", active=False) | {"position": 1}
    tables = {
        "payment_plans": [plan(), old],
        "payment_terms": [*TWO_TERMS, *[row | {"position": 1, "amount_due": "100.00"} for row in TWO_TERMS]],
    }
    report = intake.fetch("payt", tables, day=DAY)
    assert report.counts.filter(pl.col("entity").is_in(["plans", "terms"])).select(
        "entity", "fetched", "accepted", "deduplicated"
    ).rows() == [
        ("plans", 2, 1, 1),
        ("terms", 4, 2, 2),
    ]
    assert images.plans(intake.con, 1)["is_active"].to_list() == [True]
    assert [row[3] for row in terms_of(intake, 1)] == [0, 4010]


def test_a_term_id_twice_in_a_plan_is_a_repeat_if_alike_and_keeps_the_plan_out_if_not(intake):
    alike = {"payment_plans": [plan()], "payment_terms": [TWO_TERMS[0], TWO_TERMS[0] | {"ordinal": 1}]}
    report = intake.fetch("payt", alike, day=DAY)
    assert report.counts.filter(pl.col("entity") == "terms").select("fetched", "accepted", "deduplicated").rows() == [
        (2, 1, 1)
    ]
    unlike = {
        "payment_plans": [plan("11")],
        "payment_terms": [term("1", "2026-03-01", plan="11"), term("1", "2026-04-01", plan="11", ordinal=1)],
    }
    report = intake.fetch("payt", unlike, day=DAY, changes=True)
    assert report.counts.filter(pl.col("entity") == "terms").select("fetched", "quarantined").rows() == [(2, 2)]


def test_a_payment_on_an_unknown_invoice_is_an_orphan_only_once_invoices_were_fetched_completely(intake):
    payment = {
        "id": "5",
        "invoice_id": "404",
        "total_amount": "10.00",
        "total_book_amount": "10.00",
        "payment_date": "2026-05-05",
    }
    intake.fetch("payt", {"payments": [payment]}, day=DAY, incomplete=("invoices",))
    assert images.orphans(intake.con, 1).is_empty()
    intake.fetch("payt", {"payments": [payment]}, day=date(2026, 7, 1))
    assert images.orphans(intake.con, 2).select(
        "payment_id", "account_id", "names", "currency", "amount_minor"
    ).rows() == [("5", "invoice:404", "account", "EUR", 1000)]
    assert images.orphans(intake.con, 1).is_empty()


def test_tenants_are_kept_apart(intake):
    intake.fetch("payt", {"payment_plans": [plan()]}, day=DAY, tenant="1")
    intake.fetch("payt", {"payment_plans": [plan()]}, day=DAY, tenant="2")
    intake.fetch("payt", {"payment_plans": []}, day=date(2026, 7, 1), tenant="2")
    assert images.plans(intake.con, 3).select("plan_no", "tenant_id", "removed_on").rows() == [
        (0, "1", None),
        (1, "2", date(2026, 7, 1)),
    ]


@pytest.mark.fault(13, 14)
def test_the_next_fetch_starts_before_this_one_began_and_an_incomplete_sweep_moves_nothing(intake):
    intake.fetch("payt", {}, day=DAY)
    intake.fetch("payt", {}, day=date(2026, 7, 1), changes=True, incomplete=("payments",))
    marks = ledger.watermarks(intake.con, "payt", "1")
    assert [(since.isoformat(), full.isoformat()) for since, full in (marks["payments"], marks["invoices"])] == [
        ("2026-06-30T05:45:00+00:00", "2026-06-30T06:00:00+00:00"),
        ("2026-07-01T05:45:00+00:00", "2026-06-30T06:00:00+00:00"),
    ]
    fresh = {
        row["entity"]: (row["complete"], row["fresh_at"].day)
        for row in images.completeness(intake.con, 2).iter_rows(named=True)
    }
    assert (fresh["payments"], fresh["accounts"]) == ((False, 30), (True, 1))


def test_a_row_lost_between_admission_and_the_tables_stops_the_load_and_keeps_nothing(intake):
    admitted, staged = intake.admitted("payt", {"payment_plans": [plan()], "payment_terms": TWO_TERMS}, day=DAY)
    lost = replace(admitted, accepted={**admitted.accepted, "terms": admitted.accepted["terms"].head(1)})
    at = datetime(2026, 6, 30, tzinfo=UTC)
    load = Load(
        "x", "payt", "1", "s", at, DAY, at, (Sweep("payment_plans", None, True, "", 1, 1, at),), schema_version=1
    )
    pages = pl.DataFrame(
        schema={"page_no": pl.Int64, "sweep": pl.String, "entity": pl.String, "sha256": pl.String, "rows": pl.Int64}
    )
    with pytest.raises(ConservationError, match="terms in EUR do not add up: fetched 2"):
        commit_load(intake.con, load, lost, pages=pages, rows=staged["rows"])
    assert [intake.rows(f"{table}") for table in ("meta.loads", "core.plan_keys", "core.plan_versions")] == [0, 0, 0]


def test_a_row_refused_again_keeps_the_time_it_was_first_seen(intake):
    bad = {"payment_plans": [plan()], "payment_terms": [term("20", "2026-03-01", total="1.005")]}
    intake.fetch("payt", bad, day=DAY)
    intake.fetch("payt", bad, day=date(2026, 7, 4))
    seen = "SELECT load_no, first_seen::DATE, last_seen::DATE, page_sha256 FROM meta.quarantine WHERE row_key = '20' ORDER BY 1"
    assert intake.con.sql(seen).fetchall() == [
        (1, DAY, DAY, "f" * 64),
        (2, DAY, date(2026, 7, 4), "f" * 64),
    ]


def test_rows_that_stay_out_are_remembered_by_their_place_and_hash(intake):
    refused = plan("11", row_hash="ff" * 32) | {"created_at": "no date"}
    intake.fetch("payt", {"payment_plans": [plan(), refused]}, day=DAY)
    assert intake.con.sql("SELECT page_no, position, row_hash FROM raw.rows").fetchall() == [(0, 1, 2**64 - 1)]
    kept = intake.con.sql("SELECT entity, row_key, code, column_name FROM meta.quarantine").fetchall()
    assert kept == [("plans", "11", "BAD_DATE", "created_on")]
