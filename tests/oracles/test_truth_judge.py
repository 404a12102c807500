"""Single rules of the slow answer, on plans small enough to work out by head."""

import ast
from datetime import date
from pathlib import Path

import holidays
import pytest
from oracles.model import Options, business_days, civil, dutch_holidays, to_minor, to_text
from oracles.truth import differences, truth, write_truth

from sandbox.world import World
from sandbox.worlds import generate_totality as totality
from sandbox.worlds.generate_habits import month_after

CREATED = date(2025, 1, 2)
LOAN, PLAN = "loan-1", "plan-1"


def world(terms, paid, **changed):
    made = World()
    row = totality.plan(PLAN, LOAN, terms[0][0], CREATED, **changed)
    made.totality.loans.append(totality.loan(LOAN, "customer-1", 0, CREATED))
    made.totality.payment_plans.append(row)
    for number, (due, amount) in enumerate(terms):
        made.totality.scheduled_payments.append(totality.scheduled(f"t{number}", row, amount, due))
    for number, (day, amount) in enumerate(paid):
        made.totality.payments.append(totality.payment(f"p{number}", LOAN, amount, day))
    return made


def states(made, day, **options):
    return [row["state"] for row in truth(made, day, Options(**options))["terms"]]


def months(first, anchor, count=4):
    return [(month_after(first, step, anchor), 10_000) for step in range(count)]


@pytest.mark.parametrize(
    ("oldest", "anchor", "day", "ots", "mba"),
    [
        (date(2025, 3, 10), 10, date(2025, 4, 9), 0, 1),
        (date(2025, 3, 10), 10, date(2025, 4, 10), 1, 1),
        (date(2025, 3, 10), 10, date(2025, 5, 9), 1, 2),
        (date(2025, 3, 10), 10, date(2025, 5, 10), 2, 2),
        (date(2025, 4, 1), 1, date(2025, 4, 30), 0, 1),
        (date(2025, 4, 1), 1, date(2025, 5, 1), 1, 1),
        (date(2025, 4, 1), 1, date(2025, 5, 31), 1, 2),
        (date(2025, 1, 31), 31, date(2025, 2, 27), 0, 1),
        (date(2025, 1, 31), 31, date(2025, 2, 28), 1, 1),
        (date(2025, 1, 31), 31, date(2025, 3, 30), 1, 2),
        (date(2025, 1, 31), 31, date(2025, 3, 31), 2, 2),
    ],
)
def test_months_past_due_follow_the_anchor(oldest, anchor, day, ots, mba):
    made = world(months(oldest, anchor), [], firstPaymentDay=anchor)
    [plan] = truth(made, day)["plans"]
    assert (plan["ots_months"], plan["mba_months"]) == (ots, mba)


@pytest.mark.parametrize(
    ("paid", "tolerance", "state"),
    [
        (9000, "FFIEC90", "PAID_ON_TIME"),
        (9000, "EXACT", "PARTIAL_OVERDUE"),
        (8999, "FFIEC90", "PARTIAL_OVERDUE"),
        (9700, "MAX:5.00,2", "PAID_ON_TIME"),
        (9700, "MIN:5.00,2", "PARTIAL_OVERDUE"),
        (9999, "CENT", "PAID_ON_TIME"),
    ],
)
def test_tolerance_changes_the_state_and_never_the_balance(paid, tolerance, state):
    due = date(2025, 3, 3)
    made = world([(due, 10_000)], [(due, paid)])
    [term] = truth(made, date(2025, 4, 1), Options(tolerance=tolerance))["terms"]
    assert term["state"] == state
    assert term["outstanding"] == to_text(10_000 - paid, "USD")


@pytest.mark.parametrize(("residual", "left"), [("FILL", ["0.00", "60.00"]), ("SKIP", ["10.00", "50.00"])])
def test_the_rest_of_a_satisfied_term_is_filled_or_skipped(residual, left):
    terms = [(date(2025, 3, 3), 10_000), (date(2025, 4, 3), 10_000)]
    made = world(terms, [(date(2025, 3, 3), 9_000), (date(2025, 4, 3), 5_000)])
    rows = truth(made, date(2025, 4, 20), Options(tolerance="FFIEC90", residual=residual))["terms"]
    assert [row["outstanding"] for row in rows] == left


def test_a_reversal_ends_the_spell_and_a_later_payment_starts_a_new_one():
    due = date(2025, 3, 3)
    made = world([(due, 10_000)], [(due, 10_000), (date(2025, 3, 28), 10_000)])
    made.totality.payments[0] |= {"status": "Returned", "returnedAt": "2025-03-10"}
    [term] = truth(made, date(2025, 3, 9))["terms"]
    assert term["state"] == "PAID_ON_TIME"
    [term] = truth(made, date(2025, 3, 20))["terms"]
    assert (term["state"], term["satisfied_on"]) == ("MISSED", None)
    [term] = truth(made, date(2025, 3, 31))["terms"]
    assert (term["state"], term["satisfied_on"], term["days_late"]) == ("PAID_LATE", "2025-03-28", 25)


def test_a_named_payment_pays_its_own_term_first_and_the_rest_goes_to_the_oldest():
    made = world(months(date(2025, 2, 3), 3), [(date(2025, 3, 3), 12_500)])
    made.totality.scheduled_payments[1]["paymentUuid"] = "p0"
    rows = truth(made, date(2025, 3, 10))["terms"]
    assert [row["outstanding"] for row in rows] == ["75.00", "0.00", "100.00", "100.00"]
    assert [row["state"] for row in rows] == ["PARTIAL_OVERDUE", "PAID_ON_TIME", "NOT_DUE", "NOT_DUE"]


def test_a_switched_off_plan_voids_later_terms_and_keeps_what_they_had_received():
    made = world(months(date(2025, 2, 3), 3), [(date(2025, 2, 3), 25_000)], isActive=False)
    made.totality.payment_plans[0]["updatedAt"] = "2025-03-10T15:00:00Z"
    assert states(made, date(2025, 3, 9)) == ["PAID_ON_TIME", "PAID_EARLY", "PREPAID_PART", "NOT_DUE"]
    answer = truth(made, date(2025, 3, 10))
    assert [row["state"] for row in answer["terms"]] == ["PAID_ON_TIME", "PAID_EARLY", "VOID", "VOID"]
    assert [row["waived"] for row in answer["terms"]] == ["0.00", "0.00", "50.00", "100.00"]
    [plan] = answer["plans"]
    assert (plan["status"], plan["outstanding"], plan["received"]) == ("DEACTIVATED", "0.00", "250.00")
    assert answer["aging"] == []


def test_a_newer_plan_supersedes_later_terms_of_one_that_ended_with_it():
    made = world(months(date(2025, 2, 3), 3), [(date(2025, 3, 20), 5_000)], isActive=False)
    made.totality.payment_plans[0]["updatedAt"] = "2025-03-10T15:00:00Z"
    new = totality.plan("plan-2", LOAN, date(2025, 4, 10), date(2025, 3, 10))
    made.totality.payment_plans.append(new)
    made.totality.scheduled_payments.append(totality.scheduled("n1", new, 40_000, date(2025, 4, 10)))
    answer = truth(made, date(2025, 3, 31))
    assert [row["state"] for row in answer["terms"]] == ["MISSED", "MISSED", "SUPERSEDED", "SUPERSEDED", "PREPAID_PART"]
    assert [row["status"] for row in answer["plans"]] == ["SUPERSEDED", "ACTIVE"]
    assert [row["plan_id"] for row in answer["payments"]] == ["plan-2"]


def test_stale_pending_money_stays_pending_and_covers_nothing():
    made = world(months(date(2025, 2, 3), 3), [])
    made.totality.payments.append(totality.pending("old", LOAN, 10_000, date(2025, 2, 14)))
    made.totality.payments.append(totality.pending("new", LOAN, 2_500, date(2025, 2, 21)))
    answer = truth(made, date(2025, 2, 24))
    [plan] = answer["plans"]
    assert (plan["pending"], plan["coverage"], plan["shadow_days_past_due"]) == ("125.00", "0.250000", 21)
    assert [(row["code"], row["payment_id"]) for row in answer["breaks"]] == [("STALE_PENDING", "old")]


def test_a_term_of_nothing_was_paid_the_day_the_plan_was_made():
    made = world([(date(2025, 2, 3), 0), (date(2025, 3, 3), 5_000)], [])
    assert states(made, date(2025, 2, 10)) == ["PAID_EARLY", "NOT_DUE"]


def test_dutch_holidays_are_those_of_the_library():
    for year in range(2015, 2036):
        assert dutch_holidays(year) == set(holidays.country_holidays("NL", years=year))


def test_business_days_leave_out_weekends_good_friday_and_easter_monday():
    assert business_days(date(2026, 4, 2), date(2026, 4, 7), "payt", Options()) == 1
    assert business_days(date(2026, 4, 2), date(2026, 4, 7), "payt", Options(holidays={"payt": frozenset()})) == 3


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("500.00", "JPY", 500), ("1.250", "KWD", 1250), ("33.34", "EUR", 3334), ("-2.5", "EUR", -250), ("7", "USD", 700)],
)
def test_plain_decimals_become_minor_units(text, currency, minor):
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize("text", ["1.234,50", "1,00", "12.345", "1e2", "", " 1", "NaN"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="amount"):
        to_minor(text, "EUR")


@pytest.mark.parametrize(
    ("moment", "plain", "day"),
    [
        ("2026-04-01T00:00:00Z", True, date(2026, 4, 1)),
        ("2026-04-01T00:00:00Z", False, date(2026, 3, 31)),
        ("2026-04-01T00:00:01Z", True, date(2026, 3, 31)),
        ("2026-04-01T03:59:59.1234567Z", True, date(2026, 3, 31)),
        ("2026-04-01T04:00:00Z", True, date(2026, 4, 1)),
        ("0001-01-01T00:00:00", True, None),
    ],
)
def test_moments_become_days_of_the_zone(moment, plain, day):
    assert civil(moment, "America/New_York", midnight_is_plain=plain) == day


def test_differences_name_the_missing_row_the_extra_row_and_the_cell():
    expected = [{"provider": "p", "tenant_id": "t", "plan_id": name, "overdue": "1.00"} for name in "ab"]
    actual = [{"provider": "p", "tenant_id": "t", "plan_id": name, "overdue": "2.00"} for name in "bc"]
    found = {line.split(": ", 1)[1] for line in differences("plans", expected, actual)}
    assert found == {"missing", "not expected", "overdue is '2.00', should be '1.00'"}


def test_differences_see_through_the_apostrophe_that_guards_a_spreadsheet():
    expected = [{"provider": "p", "tenant_id": "t", "plan_id": "=1", "customer_id": "@a", "overdue": None}]
    actual = [{"provider": "p", "tenant_id": "t", "plan_id": "'=1", "customer_id": "'@a", "overdue": ""}]
    assert differences("plans", expected, actual) == []


def test_the_file_holds_every_day_and_is_the_same_twice(tmp_path):
    made = world(months(date(2025, 2, 3), 3), [])
    days = [date(2025, 2, 3), date(2025, 2, 4)]
    first = write_truth(made, days, tmp_path / "a.json").read_bytes()
    assert first == write_truth(made, days, tmp_path / "b.json").read_bytes()
    assert b'"2025-02-04"' in first


def test_the_slow_answer_shares_no_code_with_the_product():
    allowed = {"oracles", "sandbox", "datetime", "calendar", "functools", "re", "collections", "dataclasses", "decimal"}
    allowed |= {"zoneinfo", "itertools", "json", "pathlib", "typing"}
    answers = [
        path
        for path in Path(__file__).parent.glob("*.py")
        if not path.name.startswith(("test_", "schedule_", "random_"))
    ]
    assert len(answers) > 1
    for path in answers:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path.name
