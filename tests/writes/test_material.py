"""What is kept to send a change again or to look for it, and what tells two wishes, requests and states apart."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from providers.writing import Before, Order, PlanNow, Term, Wanted
from writes.material import key_of, pack, preview_sha256, request_sha256, state_sha256, unpack

BODY = {
    "administration_id": "1001",
    "terms": [{"amount": Decimal("100.10"), "due_date": "2026-12-01"}, {"amount": 200, "due_date": "2027-01-01"}],
    "invoice_numbers": ["F0", "F1"],
}
TERM = Term(date(2026, 12, 1), Decimal("100.10"))
PLAN = PlanNow("7", "50", "PROPOSED", "2026-11-01T00:00:00Z", (TERM,), {"collectorUserId": 7})
BEFORE = Before(
    datetime(2026, 11, 20, 20, 0, tzinfo=UTC), PLAN, "50", ("7", "8"), (TERM,), "EUR", "", Decimal("300.10"),
    {"balance": Decimal("0.10"), "timezone": None}, ("no",), ("worth reading",),
)  # fmt: skip


def order(operation="create", **changed):
    fields = {"body": BODY, "plan_id": None if operation == "create" else "7", "terms": (TERM,)} | changed
    return replace(Order("payt", operation, "1001", None, "50", "POST", "/plans", "/plans"), **fields)


def test_what_is_kept_is_read_as_it_was_to_the_last_digit():
    wanted = Wanted("create", "1001", None, BODY)
    again, before = unpack(pack(wanted, BEFORE))
    assert again == wanted
    assert [str(term["amount"]) for term in again.body["terms"]] == ["100.10", "200"]
    assert before == BEFORE
    assert (str(before.total), str(before.removes[0].amount), str(before.facts["balance"])) == (
        "300.10",
        "100.10",
        "0.10",
    )
    assert pack(again, before) == pack(wanted, BEFORE)


@pytest.mark.parametrize("amount", ["0.1", "12345678901234567890.12", "1E+2", "0.00"])
def test_an_amount_is_kept_exactly(amount):
    wanted = Wanted("create", body={"amount": Decimal(amount)})
    assert unpack(pack(wanted, BEFORE))[0].body["amount"] == Decimal(amount)


SAME = {
    "fields in another order": dict(reversed(BODY.items())),
    "more zeros": BODY
    | {"terms": [BODY["terms"][0] | {"amount": Decimal("100.100")}, BODY["terms"][1] | {"amount": Decimal("2E+2")}]},
    "terms in another order": BODY | {"terms": BODY["terms"][::-1]},
    "numbers in another order": BODY | {"invoice_numbers": ["F1", "F0"]},
    "an empty field": BODY | {"cc_email_address": None},
}
OTHER = {
    "an amount": BODY | {"terms": [BODY["terms"][0] | {"amount": Decimal("100.11")}, BODY["terms"][1]]},
    "a date": BODY | {"terms": [BODY["terms"][0] | {"due_date": "2026-12-02"}, BODY["terms"][1]]},
    "a term twice": BODY | {"terms": [*BODY["terms"], BODY["terms"][0]]},
    "amounts that changed places": BODY
    | {"terms": [{"amount": 200, "due_date": "2026-12-01"}, {"amount": Decimal("100.10"), "due_date": "2027-01-01"}]},
    "a number less": BODY | {"invoice_numbers": ["F0"]},
    "a text instead of a number": BODY | {"invoice_numbers": ["F0", 1]},
    "one more field": BODY | {"cc_email_address": "a@b.example"},
}


@pytest.mark.parametrize("name", list(SAME))
def test_the_same_wish_written_otherwise_is_the_same_wish(name):
    assert key_of(order(body=SAME[name])) == key_of(order())


@pytest.mark.parametrize("name", list(OTHER))
def test_another_wish_is_another_one(name):
    assert key_of(order(body=OTHER[name])) != key_of(order())
    assert request_sha256(order(body=OTHER[name])) != request_sha256(order())


def test_an_empty_field_takes_something_away_in_an_update_and_says_nothing_in_a_create():
    with_null, without = {"collectorUserId": 9, "contactMethod": None}, {"collectorUserId": 9}
    assert key_of(order("update", body=with_null)) != key_of(order("update", body=without))
    assert key_of(order("create", body=with_null)) == key_of(order("create", body=without))


def test_true_is_no_one():
    assert key_of(order("update", body={"isActive": True})) != key_of(order("update", body={"isActive": 1}))


@pytest.mark.parametrize("operation", ["approve", "reject", "deactivate"])
def test_a_change_of_state_is_the_same_for_one_plan_of_one_tenant(operation):
    one = order(operation)
    assert key_of(replace(one, body={"fields": "other"}, terms=())) == key_of(one)
    for other in (replace(one, plan_id="8"), replace(one, tenant_id="1002"), replace(one, provider="payiq")):
        assert key_of(other) != key_of(one)


def test_the_same_body_for_another_loan_is_another_wish():
    assert key_of(order(path="/loans/a/payment-plans")) != key_of(order(path="/loans/b/payment-plans"))


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/other"},
        {"query": (("a", "b"),)},
        {"media": "form"},
        {"tenant_id": "1002"},
        {"body": {}},
    ],
)
def test_the_hash_of_a_request_changes_with_everything_that_is_sent(changed):
    assert request_sha256(order(**changed)) != request_sha256(order())


def test_the_hash_of_what_a_provider_shows_leaves_out_its_clock_and_what_is_only_worth_reading():
    later = replace(BEFORE, clock=datetime(2026, 12, 1, tzinfo=UTC), remarks=(), facts={})
    assert state_sha256(later) == state_sha256(BEFORE)
    for changed in (
        {"plan": replace(PLAN, status="ACTIVE")},
        {"plan": replace(PLAN, terms=())},
        {"owner": "51"},
        {"plan_ids": ("7", "8", "9")},
        {"plan_ids": ("7",)},
        {"removes": ()},
        {"total": Decimal("300.11")},
        {"objections": ()},
    ):
        assert state_sha256(replace(BEFORE, **changed)) != state_sha256(BEFORE)
        assert preview_sha256(order(), replace(BEFORE, **changed)) != preview_sha256(order(), BEFORE)


def test_plans_of_our_own_surprise_nobody():
    assert state_sha256(replace(BEFORE, plan_ids=("7", "8", "9")), frozenset({"9"})) == state_sha256(
        BEFORE, frozenset({"9"})
    )
