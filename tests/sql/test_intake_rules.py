"""Schedule rules from received rows to images: our words, versions, the balance a plan was made from."""

from datetime import date

import polars as pl
import pytest

from schemas.conventions import Conventions
from sql.core import images
from transforms.schedules.regenerate import regenerate

DAY = date(2026, 6, 30)
CREATED = "2026-05-10T16:00:00Z"
RULE = {
    "is_partial_payment_plan": False,
    "payment_arrangement_type": "Payment Number Based",
    "number_of_payments": 3,
    "payment_frequency": "monthly",
    "first_payment_date": "2026-06-15",
    "move_payment_on_weekend_days": 1,
    "move_payment_on_holiday_days": -1,
}


def plan(number: str = "p1", **fields: object) -> dict[str, object]:
    return {
        "uuid": number,
        "loan_uuid": "loan1",
        "is_active": True,
        "created_at": CREATED,
        "updated_at": CREATED,
        **RULE,
    } | fields


def loan(
    balance: int | None = 30000, changed: str | None = "2026-05-09T16:00:00Z", **fields: object
) -> dict[str, object]:
    return {"uuid": "loan1", "status": "Funded", "balance": balance, "updated_at": changed} | fields


def entry(day: str | None, amount: int | None, *, place: int = 0, of: int = 0) -> dict[str, object]:
    return {"plan_uuid": "p1", "date": day, "amount": amount, "position": of, "ordinal": place}


def rule(intake, known: int = 1) -> dict[str, object]:
    found = images.plan_rules(intake.con, known)
    assert found.height == 1
    return found.row(0, named=True)


def missing(intake, known: int = 1) -> list[tuple[int, str]]:
    """Plans of which no schedule can be made, and why."""
    rules, custom = (
        images.plan_rules(intake.con, known),
        images.custom_terms(intake.con, known),
    )
    return regenerate(rules, custom, conventions={"totality": Conventions()}, calendars={}).missing.rows()


def test_a_rule_comes_in_our_words(intake):
    intake.fetch("totality", {"loans": [loan()], "payment_plans": [plan()]}, day=DAY)
    assert rule(intake) == {
        "plan_no": 0,
        "convention_set": "totality",
        "calendar": None,
        "currency": "USD",
        "arrangement": "NUMBER",
        "frequency": "MONTHLY",
        "pattern": None,
        "days_in_period": None,
        "first_due_date": date(2026, 6, 15),
        "first_day": None,
        "second_day": None,
        "first_weekday": None,
        "second_weekday": None,
        "first_week": None,
        "second_week": None,
        "term_count": 3,
        "term_amount_minor": None,
        "total_minor": 30000,
        "weekend_shift": 1,
        "holiday_shift": -1,
        "missing_input": None,
    }
    found = regenerate(images.plan_rules(intake.con, 1), conventions={"totality": Conventions()}, calendars={}).terms
    # 15 August 2026 is a Saturday and moves by one day
    assert found.select("expected_due_date", "expected_amount_minor").rows() == [
        (date(2026, 6, 15), 10000),
        (date(2026, 7, 15), 10000),
        (date(2026, 8, 16), 10000),
    ]


def test_plans_whose_provider_gives_no_rule_have_none(intake):
    intake.fetch(
        "payt", {"payment_plans": [{"id": "1", "active": True, "created_at": "2026-05-01T10:00:00Z"}]}, day=DAY
    )
    assert images.plans(intake.con, 1).height == 1
    assert images.plan_rules(intake.con, 1).is_empty()
    assert images.custom_terms(intake.con, 1).is_empty()


def test_a_changed_rule_is_a_new_version_and_the_older_load_keeps_the_older_one(intake):
    base = {"loans": [loan()], "payment_plans": [plan()]}
    intake.fetch("totality", base, day=DAY)
    first = images.plan_rules(intake.con, 1)
    # the provider does not even say that the plan changed
    changed = base | {"payment_plans": [plan(number_of_payments=5)]}
    report = intake.fetch("totality", changed, day=date(2026, 7, 1))
    again = intake.fetch("totality", changed, day=date(2026, 7, 2))
    assert report.counts.filter(pl.col("entity") == "plans")["accepted"].to_list() == [1]
    assert again.counts.filter(pl.col("entity") == "plans")["deduplicated"].to_list() == [1]
    assert intake.rows("core.plan_versions") == 2
    assert [rule(intake, known)["term_count"] for known in (1, 2, 3)] == [3, 5, 5]
    assert images.plan_rules(intake.con, 1).equals(first)


def test_a_changed_list_of_own_terms_is_a_new_version(intake):
    own = plan(payment_arrangement_type="Custom Payment Schedule")
    one = [entry("2026-06-01", 4000), entry("2026-07-01", 6000, place=1)]
    two = [entry("2026-06-01", 4000), entry("2026-07-02", 6000, place=1)]
    for number, entries in enumerate((one, one, two)):
        intake.fetch("totality", {"payment_plans": [own], "plan_schedule": entries}, day=date(2026, 7, 1 + number))
    assert intake.rows("core.plan_versions") == 2
    assert images.custom_terms(intake.con, 2).rows() == [
        (0, 1, date(2026, 6, 1), 4000),
        (0, 2, date(2026, 7, 1), 6000),
    ]
    assert images.custom_terms(intake.con, 3)["due_date"].to_list() == [date(2026, 6, 1), date(2026, 7, 2)]
    assert missing(intake, 3) == []


def test_own_terms_of_a_plan_that_follows_a_rule_are_not_its_terms(intake):
    intake.fetch("totality", {"payment_plans": [plan()], "plan_schedule": [entry("2026-06-01", 4000)]}, day=DAY)
    assert images.custom_terms(intake.con, 1).is_empty()


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry("2026-06-01", 4000), entry(None, 6000, place=1)],
        [entry("2026-06-01", 4000), entry("2026-07-01", None, place=1)],
        [entry("2026-06-01", 4000), entry("31 July", 6000, place=1)],
        [entry("2026-06-01", 4000), entry("2026-07-01", -1, place=1)],
        [entry("2026-06-01", 4000), entry("2026-07-01", 10**15, place=1)],
        [entry("2026-06-01", 4000), entry("9026-07-01", 6000, place=1)],
    ],
    ids=["none", "no day", "no amount", "bad day", "less than nothing", "too much", "far away"],
)
def test_a_list_with_an_entry_that_cannot_be_a_term_is_a_missing_input_and_keeps_nothing_out(intake, entries):
    own = plan(payment_arrangement_type="Custom Payment Schedule")
    report = intake.fetch("totality", {"payment_plans": [own], "plan_schedule": entries}, day=DAY)
    assert report.counts["quarantined"].sum() == 0
    assert images.custom_terms(intake.con, 1).is_empty()
    assert missing(intake) == [(0, "custom_terms")]


def test_the_total_is_the_balance_of_the_version_valid_when_the_plan_was_created(intake):
    old, at_creation, later = (
        loan(50000, "2026-04-01T16:00:00Z"),
        loan(30000, "2026-05-10T15:00:00Z"),
        loan(20000, "2026-06-20T16:00:00Z"),
    )
    intake.fetch("totality", {"loans": [old]}, day=date(2026, 5, 1))
    intake.fetch("totality", {"loans": [at_creation]}, day=date(2026, 5, 10))
    intake.fetch("totality", {"loans": [later], "payment_plans": [plan()]}, day=DAY)
    assert rule(intake, 3)["total_minor"] == 30000
    assert images.plan_facts(intake.con, 3)["balance_at_creation_minor"].to_list() == [30000]


def test_a_total_that_was_never_seen_is_empty_even_when_an_older_load_is_asked(intake):
    late = loan(20000, "2026-06-20T16:00:00Z")
    intake.fetch("totality", {"loans": [late], "payment_plans": [plan()]}, day=DAY)
    # the provider goes back on what it said about the loan: only the load that saw it knows
    intake.fetch("totality", {"loans": [loan()], "payment_plans": [plan()]}, day=date(2026, 7, 1))
    assert [rule(intake, known)["total_minor"] for known in (1, 2)] == [None, 30000]
    assert missing(intake) == []


def test_a_loan_that_does_not_say_when_it_changed_counts_from_the_day_it_was_fetched(intake):
    intake.fetch("totality", {"loans": [loan(40000, None)]}, day=date(2026, 5, 9))
    intake.fetch("totality", {"loans": [loan(20000, None)], "payment_plans": [plan()]}, day=DAY)
    assert rule(intake, 2)["total_minor"] == 40000


def test_a_valid_version_without_a_balance_hides_the_one_before(intake):
    intake.fetch("totality", {"loans": [loan(50000, "2026-04-01T16:00:00Z")]}, day=date(2026, 5, 1))
    intake.fetch("totality", {"loans": [loan(None)], "payment_plans": [plan()]}, day=DAY)
    assert rule(intake, 2)["total_minor"] is None


def test_a_partial_plan_adds_up_to_its_own_total_and_the_balance_stays_known(intake):
    plans = [
        plan("p1", is_partial_payment_plan=True, total_plan_amount=12000),
        plan("p2", is_partial_payment_plan=True),
        plan("p3", is_partial_payment_plan=None, total_plan_amount=12000),
    ]
    intake.fetch("totality", {"loans": [loan()], "payment_plans": plans}, day=DAY)
    assert images.plan_rules(intake.con, 1)["total_minor"].to_list() == [12000, None, 30000]
    assert missing(intake) == [(1, "total_minor")]
    facts = images.plan_facts(intake.con, 1)
    assert facts.select("plan_no", "is_partial", "balance_at_creation_minor").rows() == [
        (0, True, 30000),
        (1, True, 30000),
        (2, False, 30000),
    ]


def test_the_providers_count_stands_in_where_an_amount_based_total_was_never_seen(intake):
    by_amount = {"payment_arrangement_type": "Payment Amount Based", "payment_amount": 8000, "number_of_payments": None}
    terms = [
        {"uuid": f"t{at}", "payment_plan_uuid": "p1", "amount": 8000, "payment_date": f"2026-0{at}-15"} for at in (6, 7)
    ]
    unseen = {"payment_plans": [plan(**by_amount), plan("p2", **by_amount)], "scheduled_payments": terms}
    intake.fetch("totality", unseen, day=DAY)
    assert images.plan_rules(intake.con, 1).select("term_count", "term_amount_minor", "total_minor").rows() == [
        (2, 8000, None),
        (None, 8000, None),
    ]
    assert missing(intake) == [(1, "total_minor")]
    fewer = unseen | {"scheduled_payments": terms[:1]}
    intake.fetch("totality", fewer, day=date(2026, 7, 1))
    assert images.plan_rules(intake.con, 2)["term_count"].to_list() == [1, None]
    intake.fetch("totality", {"loans": [loan()], **unseen}, day=date(2026, 7, 2))
    assert images.plan_rules(intake.con, 3)["total_minor"].to_list() == [30000, 30000]


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("fields", "field", "word", "expected"),
    [
        ({"payment_arrangement_type": "On A Whim"}, "paymentArrangementType", "On A Whim", "arrangement"),
        ({"payment_frequency": "hourly"}, "paymentFrequency", "hourly", "frequency"),
        ({"schedule_type": "Moon-Based"}, "scheduleType", "Moon-Based", "pattern"),
        (
            {"schedule_type": "Weekday-Based", "week_of_first_payment": 1, "weekday_of_first_payment": "Someday"},
            "weekdayOfFirstPayment",
            "Someday",
            "first_weekday",
        ),
        ({"payment_frequency": "weekly", "schedule_type": "Moon-Based"}, "scheduleType", "Moon-Based", None),
    ],
)
def test_an_unknown_word_is_a_missing_input_only_where_it_is_needed_and_always_drift(
    intake, fields, field, word, expected
):
    report = intake.fetch("totality", {"loans": [loan()], "payment_plans": [plan(**fields)]}, day=DAY)
    assert report.counts["quarantined"].sum() == 0
    assert missing(intake) == ([(0, expected)] if expected else [])
    drift = intake.con.sql('SELECT entity, kind, name, value, "rows" FROM meta.drift').fetchall()
    assert drift == [("plans", "UNKNOWN_VALUE", field, word, 1)]


def test_an_amount_beyond_fifteen_digits_is_a_missing_input(intake):
    fields = {"payment_arrangement_type": "Payment Amount Based", "payment_amount": 10**15}
    intake.fetch("totality", {"loans": [loan()], "payment_plans": [plan(**fields)]}, day=DAY)
    assert missing(intake) == [(0, "term_amount_minor")]


def test_a_newer_copy_in_one_fetch_brings_its_own_rule_and_list(intake):
    copies = [
        plan(payment_arrangement_type="Custom Payment Schedule", updated_at="2026-05-11T16:00:00Z"),
        plan(),
    ]
    entries = [entry("2026-06-01", 4000, of=0), entry("2026-06-01", 9999, of=1)]
    intake.fetch("totality", {"payment_plans": copies, "plan_schedule": entries}, day=DAY)
    assert rule(intake)["arrangement"] == "CUSTOM"
    assert images.custom_terms(intake.con, 1)["amount_minor"].to_list() == [4000]


def test_whether_a_plan_fires_on_the_bills_due_day_is_known_beside_its_own_day(intake):
    def fixed(number: str, **fields: object) -> dict[str, object]:
        return {
            "payment_plan_id": number,
            "payment_plan_type": "Fixed",
            "create_date": "2026-05-10T00:00:00Z",
            "currency_symbol": "$",
            "day_to_pay": 5,
            "initial_balance": "100.00",
            "payment_amount": "50.00",
        } | fields

    plans = [
        fixed("1", day_type="DueDate"),
        fixed("2", day_type="DayOfMonth"),
        fixed("3"),
        fixed("4", day_type="Never"),
    ]
    intake.fetch("payiq", {"plans": plans}, day=DAY)
    facts = images.plan_facts(intake.con, 1)
    assert facts.select("plan_type", "fires_on_due_day", "is_partial").rows() == [
        ("Fixed", True, None),
        ("Fixed", False, None),
        ("Fixed", None, None),
        ("Fixed", None, None),
    ]
    assert images.plans(intake.con, 1)["anchor_day"].to_list() == [5, 5, 5, 5]
    assert images.plan_rules(intake.con, 1).is_empty()
    assert intake.con.sql("SELECT name, value FROM meta.drift").fetchall() == [("DayType", "Never")]


def test_what_an_invoice_was_worth_stays_known_beside_what_is_open(intake):
    invoices = [
        {"id": "7", "currency_code": "EUR", "total_amount": "120.00", "open_amount": "20.00"},
        {"id": "8", "currency_code": "EUR", "total_amount": None, "open_amount": "20.00"},
    ]
    intake.fetch("payt", {"invoices": invoices}, day=DAY)
    assert images.accounts(intake.con, 1)["account_total_minor"].to_list() == [12000, None]
