"""Totality from received rows to images: terms that come in a sweep of their own, money in cents, loans."""

from datetime import UTC, date, datetime

import polars as pl

from sql.core import images

DAY = date(2026, 6, 30)


def plan(number: str = "p1", **fields: object) -> dict[str, object]:
    return {
        "uuid": number,
        "loan_uuid": "loan1",
        "is_active": True,
        "created_at": "2026-01-05T03:00:00Z",
        "updated_at": "2026-01-05T03:00:00Z",
        "payment_frequency": "monthly",
        "first_payment_date": "2026-02-15",
        "total_plan_amount": 20000,
    } | fields


def term(number: str, due: str, amount: int = 10000, **fields: object) -> dict[str, object]:
    return {
        "uuid": number,
        "loan_uuid": "loan1",
        "payment_plan_uuid": "p1",
        "amount": amount,
        "payment_date": due,
        "updated_at": "2026-01-05T03:00:00Z",
    } | fields


def payment(number: str = "m1", **fields: object) -> dict[str, object]:
    return {
        "uuid": number,
        "loan_uuid": "loan1",
        "amount": 5000,
        "status": "Posted",
        "created_at": "2026-02-16T12:00:00Z",
        "updated_at": "2026-02-18T12:00:00Z",
        "processed_at": "2026-02-16T04:30:00Z",
    } | fields


LOAN = {
    "uuid": "loan1",
    "customer_uuid": "c1",
    "status": "Funded",
    "balance": 30000,
    "updated_at": "2026-01-05T03:00:00Z",
}
BASE = {
    "loans": [LOAN],
    "payment_plans": [plan()],
    "scheduled_payments": [term("t1", "2026-02-15"), term("t2", "2026-03-15")],
}


def only(frame: pl.DataFrame) -> dict[str, object]:
    assert frame.height == 1
    return frame.row(0, named=True)


def test_a_plan_belongs_to_its_loan_and_keeps_its_rule(intake):
    intake.fetch("totality", BASE, day=DAY)
    found = only(images.plans(intake.con, 1))
    # 03:00 UTC on 5 January is still the 4th in New York
    expected = {
        "account_id": "loan1",
        "customer_id": "c1",
        "currency": "USD",
        "basis": "PAYMENTS",
        "created_on": date(2026, 1, 4),
        "stated_total_minor": 20000,
        "cadence": "MONTHLY",
        "anchor_day": 15,
        "is_active": True,
        "ended_on": None,
        "provider_amount_due_minor": None,
    }
    assert {name: found[name] for name in expected} == expected
    terms = images.terms(intake.con, 1, pl.Series([0]))
    assert terms.select("term_id", "due_date", "amount_minor", "provider_outstanding_minor").rows() == [
        ("t1", date(2026, 2, 15), 10000, None),
        ("t2", date(2026, 3, 15), 10000, None),
    ]
    assert images.plan_accounts(intake.con, 1).height == 1
    assert only(images.accounts(intake.con, 1))["balance_minor"] == 30000


def test_weekday_based_and_custom_plans_are_not_monthly(intake):
    plans = [
        plan("a", schedule_type="Weekday-Based"),
        plan("b", payment_frequency="weekly"),
        plan("c", schedule_type="Day-Based", first_payment_day=31),
    ]
    intake.fetch("totality", {"payment_plans": plans}, day=DAY)
    assert images.plans(intake.con, 1).select("cadence", "anchor_day").rows() == [
        ("OTHER", None),
        ("OTHER", None),
        ("MONTHLY", 31),
    ]


def test_payments_take_their_receipt_day_and_promises_are_no_money(intake):
    payments = [
        payment(),
        payment("m2", processed_at=None, posted_at="2026-03-01T17:00:00Z", is_promise=True),
        payment("m3", processed_at=None, settled_on="2026-03-02", is_prenote=True),
        payment("m4", processed_at=None, status="Returned", returned_at="2026-03-05T12:00:00Z"),
        payment("m5", processed_at=None, status="Returned"),
    ]
    intake.fetch("totality", BASE | {"payments": payments}, day=DAY)
    found = images.payments(intake.con, 1)
    assert found.select(
        "payment_id", "effective_date", "class", "is_money", "reversed_on", "reversed_amount_minor"
    ).rows() == [
        ("m1", date(2026, 2, 15), "received", True, None, None),
        ("m2", date(2026, 3, 1), "received", False, None, None),
        ("m3", date(2026, 3, 2), "received", False, None, None),
        ("m4", date(2026, 2, 16), "reversed", True, date(2026, 3, 5), 5000),
        ("m5", date(2026, 2, 16), "reversed", True, date(2026, 2, 18), 5000),
    ]


def test_a_term_names_the_payment_that_paid_it_even_before_that_payment_is_shown(intake):
    paid = BASE | {"scheduled_payments": [term("t1", "2026-02-15", payment_uuid="m1")]}
    intake.fetch("totality", paid, day=DAY)
    named = images.terms(intake.con, 1, pl.Series([0]))["linked_payment_no"].to_list()
    assert images.payments(intake.con, 1).is_empty()
    intake.fetch("totality", {"payments": [payment()]}, day=date(2026, 7, 1), changes=True)
    assert images.payments(intake.con, 2)["payment_no"].to_list() == named == [0]


def test_a_plan_ends_on_the_day_it_was_first_seen_inactive(intake):
    intake.fetch("totality", BASE, day=DAY)
    inactive = plan(is_active=False, updated_at="2026-07-02T12:00:00Z")
    intake.fetch("totality", BASE | {"payment_plans": [inactive]}, day=date(2026, 7, 3))
    later = inactive | {"updated_at": "2026-07-10T12:00:00Z"}
    intake.fetch("totality", BASE | {"payment_plans": [later]}, day=date(2026, 7, 11))
    ends = [only(images.plans(intake.con, known)) for known in (1, 2, 3)]
    assert [row["ended_on"] for row in ends] == [None, date(2026, 7, 2), date(2026, 7, 2)]
    moment = datetime(2026, 7, 2, 12, tzinfo=UTC)
    assert [row["inactive_at"] for row in ends] == [None, moment, moment]


def test_a_row_that_says_the_same_later_was_told_when_it_was_said_first(intake):
    ahead = payment(processed_at="2090-03-09T12:00:00Z")
    intake.fetch("totality", BASE | {"payments": [ahead]}, day=DAY)
    intake.fetch("totality", BASE | {"payments": [ahead]}, day=date(2026, 7, 3))
    assert only(images.payments(intake.con, 2))["told_on"] == DAY
    assert images.terms(intake.con, 2, pl.Series([0]))["told_on"].unique().to_list() == [DAY]


def test_terms_that_a_full_fetch_no_longer_shows_are_removed_on_its_day(intake):
    intake.fetch("totality", BASE, day=DAY)
    fewer = BASE | {"scheduled_payments": [term("t1", "2026-02-15")]}
    intake.fetch("totality", fewer, day=date(2026, 7, 1), changes=True)
    assert images.terms(intake.con, 2, pl.Series([0]))["removed_on"].to_list() == [None, None]
    intake.fetch("totality", fewer, day=date(2026, 7, 2))
    assert images.terms(intake.con, 3, pl.Series([0]))["removed_on"].to_list() == [None, date(2026, 7, 2)]
    assert images.terms(intake.con, 1, pl.Series([0]))["removed_on"].to_list() == [None, None]


def test_a_term_that_moves_to_another_plan_leaves_the_first(intake):
    intake.fetch("totality", BASE | {"payment_plans": [plan(), plan("p2")]}, day=DAY)
    intake.fetch(
        "totality",
        {"scheduled_payments": [term("t2", "2026-03-15", payment_plan_uuid="p2")]},
        day=date(2026, 7, 1),
        changes=True,
    )
    both = pl.Series([0, 1])
    assert images.terms(intake.con, 1, both).select("plan_no", "term_id").rows() == [(0, "t1"), (0, "t2")]
    assert images.terms(intake.con, 2, both).select("plan_no", "term_id").rows() == [(0, "t1"), (1, "t2")]


def test_a_scheduled_payment_of_no_plan_is_counted_kept_and_no_term_of_a_plan(intake):
    loose = term("t9", "2026-02-15", payment_plan_uuid=None)
    report = intake.fetch("totality", BASE | {"scheduled_payments": [*BASE["scheduled_payments"], loose]}, day=DAY)
    assert report.counts.filter(pl.col("entity") == "terms").select(
        "fetched", "accepted", "amount_accepted_minor"
    ).rows() == [(3, 3, 30000)]
    assert images.terms(intake.con, 1, images.plans(intake.con, 1)["plan_no"]).height == 2
    assert images.orphans(intake.con, 1).is_empty()
    again = intake.fetch(
        "totality", BASE | {"scheduled_payments": [*BASE["scheduled_payments"], loose]}, day=date(2026, 7, 1)
    )
    assert again.counts.filter(pl.col("entity") == "terms")["deduplicated"].to_list() == [3]


def test_a_term_of_an_unknown_plan_is_kept_and_shows_as_an_orphan_once_plans_were_fetched_completely(intake):
    lost = BASE | {"scheduled_payments": [term("t1", "2026-02-15", payment_plan_uuid="nowhere")]}
    intake.fetch("totality", lost, day=DAY, incomplete=("payment_plans",))
    assert images.orphans(intake.con, 1).is_empty()
    intake.fetch("totality", lost, day=date(2026, 7, 1))
    assert images.orphans(intake.con, 2).select("term_id", "plan_id", "names", "amount_minor").rows() == [
        ("t1", "nowhere", "plan", 10000)
    ]


def test_a_bad_scheduled_payment_keeps_its_plan_and_the_plans_terms_out(intake):
    bad = BASE | {"scheduled_payments": [term("t1", "2026-02-15"), term("t2", "31-02-2026")]}
    report = intake.fetch("totality", bad, day=DAY)
    counts = {row["entity"]: (row["fetched"], row["quarantined"]) for row in report.counts.iter_rows(named=True)}
    assert (counts["plans"], counts["terms"], counts["accounts"]) == ((1, 1), (2, 2), (1, 0))
    # the plan was shown, so nothing hangs in the air
    assert images.orphans(intake.con, 1).is_empty()
    repaired = intake.fetch("totality", BASE, day=date(2026, 7, 1))
    assert repaired.counts.filter(pl.col("entity") == "terms")["accepted"].to_list() == [2]


def test_an_amount_beyond_fifteen_digits_is_refused_whole(intake):
    report = intake.fetch(
        "totality", BASE | {"payments": [payment(amount=10**15), payment("m2", amount=10**15 - 1)]}, day=DAY
    )
    row = report.counts.filter(pl.col("entity") == "payments").row(0, named=True)
    assert (row["accepted"], row["quarantined"], row["unreadable"], row["amount_fetched_minor"]) == (
        1,
        1,
        1,
        10**15 - 1,
    )
    assert intake.con.sql("SELECT code FROM meta.quarantine").fetchall() == [("TOO_LARGE",)]


def test_a_payment_that_vanishes_from_a_full_fetch_is_removed(intake):
    intake.fetch("totality", BASE | {"payments": [payment(), payment("m2")]}, day=DAY)
    intake.fetch("totality", BASE | {"payments": [payment()]}, day=date(2026, 7, 1))
    assert images.payments(intake.con, 2)["removed_on"].to_list() == [None, date(2026, 7, 1)]
    assert images.payments(intake.con, 1)["removed_on"].to_list() == [None, None]
