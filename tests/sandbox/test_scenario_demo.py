"""The demo holds every awkward case, and little enough of what nobody can read."""

from collections import Counter
from datetime import date

import pytest
from oracles.model import Options
from oracles.read import read
from oracles.truth import truth

from sandbox.world import World
from sandbox.worlds.scenarios import DEMO_AS_OF, demo

EXPECTED = {
    ("BALANCE_DRIFT", ""): 2,
    ("CURRENCY_DIFF", "ACCOUNT"): 1,
    ("DUPLICATE_PAYMENT", "NEAR"): 3,
    ("DUPLICATE_TERM", ""): 2,
    ("ORPHAN_PAYMENT", "ACCOUNT"): 2,
    ("ORPHAN_PAYMENT", "PLAN"): 1,
    ("OVER_COVERED", ""): 4,
    ("POLICY_VIOLATION", "STOPPED_ACCOUNT"): 1,
    ("POLICY_VIOLATION", "TWO_ACTIVE_PLANS"): 2,
    ("STALE_PENDING", ""): 3,
    ("STATUS_CONTRADICTION", "ACTIVE_ALL_SATISFIED"): 3,
    ("STATUS_CONTRADICTION", "ACTIVE_AND_DEACTIVATED"): 1,
    ("STATUS_CONTRADICTION", "ACTIVE_AND_REJECTED"): 1,
    ("STATUS_CONTRADICTION", "APPROVED_AND_REJECTED"): 2,
    ("STATUS_CONTRADICTION", "APPROVED_NOT_ACTIVE"): 1,
    ("STATUS_CONTRADICTION", "DATE_WITH_MONEY_DUE"): 1,
    ("STATUS_CONTRADICTION", "PAID_WITHOUT_DATE"): 1,
    ("STATUS_CONTRADICTION", "REVERSAL_AMOUNT_UNKNOWN"): 1,
    ("TOTAL_DIFF", ""): 2,
}


@pytest.fixture(scope="module")
def answer():
    return truth(demo(), DEMO_AS_OF)


def test_about_a_hundred_plans_stand_at_three_providers_in_three_currencies(answer):
    assert 80 <= len(answer["plans"]) <= 130
    assert {row["provider"] for row in answer["plans"]} == {"payt", "totality", "payiq"}
    assert {row["currency"] for row in answer["plans"]} == {"EUR", "JPY", "USD"}


def test_every_disagreement_is_there_and_none_that_was_not_meant(answer):
    assert Counter((row["code"], row["reason"]) for row in answer["breaks"]) == EXPECTED


def test_one_drift_is_only_a_matter_of_days(answer):
    drifts = [(row["kind"], row["difference"]) for row in answer["breaks"] if row["code"] == "BALANCE_DRIFT"]
    assert sorted(drifts) == [("real", "25.00"), ("timing", "100.00")]


def test_every_status_and_every_state_occurs(answer):
    """But WAIVED: no provider tells a part of a term that is no longer owed, and a term of zero was never owed."""
    statuses = {"PROPOSED", "ACTIVE", "REJECTED", "DEACTIVATED", "FINISHED", "SUPERSEDED", "UNKNOWN"}
    assert {row["status"] for row in answer["plans"]} == statuses
    states = {row["state"] for row in answer["terms"]}
    in_grace = {row["state"] for row in truth(demo(), date(2026, 6, 3), Options(grace_days=5))["terms"]}
    assert states | in_grace == {
        *("VOID", "SUPERSEDED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE"),
        *("NOT_DUE", "PREPAID_PART", "DUE_TODAY", "IN_GRACE", "MISSED", "PARTIAL_OVERDUE"),
    }
    classes = {"received", "pending", "failed", "void", "reversed", "partly_reversed", "unknown"}
    assert {row["class"] for row in answer["payments"]} == classes


def test_less_than_five_in_a_hundred_rows_of_an_entity_cannot_be_read():
    facts = read(demo(), Options())
    refused = Counter(facts.quarantined)
    assert {provider for provider, _ in refused} == {"payt", "totality", "payiq"}
    assert all(refused[key] * 20 < rows for key, rows in facts.rows.items())


def test_some_text_would_run_in_a_spreadsheet(answer):
    columns = ("customer_id", "provider_status")
    texts = [str(row[name]) for rows in answer.values() for row in rows for name in columns if row.get(name)]
    assert {text[0] for text in texts if text[0] in "=+-@"} == {"=", "+", "-", "@"}


def test_a_transaction_shown_three_times_counts_once(answer):
    shown = [row for row in answer["payments"] if row["provider"] == "payiq" and row["class"] == "pending"]
    assert len({(row["payment_id"], row["account_id"]) for row in shown}) == len(shown)
    shared = Counter(row["payment_id"] for row in shown)
    assert sorted(shared.values())[-2:] == [1, 2]


def test_the_demo_is_the_same_every_time_and_survives_a_file():
    assert demo().to_json() == demo().to_json()
    assert World.from_json(demo().to_json()) == demo()


def test_nothing_in_the_demo_is_newer_than_its_clock():
    clock = demo().clock
    assert clock is not None
    for rows in (demo().payt.payment_plans, demo().payt.payments, demo().payt.psp_transactions, demo().payt.invoices):
        assert max(row["updated_at"] for row in rows) <= clock
    for rows in (demo().totality.payments, demo().totality.payment_plans):
        assert max(row["updatedAt"] for row in rows) <= clock
