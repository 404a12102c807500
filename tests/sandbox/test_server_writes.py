"""The calls that change plans do what the pages say, refuse what they must, and are as unsafe to repeat."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from sandbox.server import Sandbox

FORM = {"administration_id": "11"}
TERMS = [{"amount": 10.5, "due_date": "2026-08-01"}, {"amount": 19.5, "due_date": "2026-09-01"}]
PLAN = {
    "firstPaymentDate": "2026-07-31",
    "movePaymentOnHolidayDays": 0,
    "movePaymentOnWeekendDays": 0,
    "numberOfPayments": 3,
    "paymentArrangementType": "Payment Number Based",
    "paymentFrequency": "monthly",
}
PAYIQ = {
    "CustomerToken": "token-2",
    "ReferenceNumber": "REF-2",
    "OtherData": "X",
    "PaymentName": "Catch up",
    "DayType": "DayOfMonth",
    "DayToPay": 15,
    "PaymentAmount": 30.00,
}


# Payt


def test_payt_creates_an_approved_plan_and_links_what_it_covers(sandbox: Sandbox, payt: httpx.Client) -> None:
    body = {"administration_id": "11", "invoice_numbers": ["F-1"], "terms": TERMS}
    answer = payt.post("/v1/payment_plans", json=body)
    plan = answer.json()
    assert answer.status_code == 201
    assert (plan["active"], plan["debtor_id"], plan["approved_at"]) == (True, "501", "2026-07-01T06:00:00Z")
    assert [(term["total_amount"], term["amount_due"], term["due_date"]) for term in plan["payment_terms"]] == [
        ("10.50", "10.50", "2026-08-01"),
        ("19.50", "19.50", "2026-09-01"),
    ]
    assert sandbox.world.payt.invoices[0]["active_payment_plan_id"] == plan["id"]
    assert payt.get(f"/v1/payment_plans/{plan['id']}", params=FORM).json() == plan


def test_payt_makes_a_second_plan_when_a_create_is_repeated(sandbox: Sandbox, payt: httpx.Client) -> None:
    body = {"administration_id": "11", "invoice_numbers": ["F-1"], "terms": TERMS}
    first, second = (payt.post("/v1/payment_plans", json=body).json()["id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    "changed",
    [
        {"terms": []},
        {"terms": [{"amount": "10.00", "due_date": "2026-08-01"}]},
        {"terms": [{"amount": 10.005, "due_date": "2026-08-01"}]},
        {"terms": [{"amount": 1e300, "due_date": "2026-08-01"}]},
        {"terms": [{"amount": -1, "due_date": "2026-08-01"}]},
        {"terms": [{"amount": 10, "due_date": "2026-02-30"}]},
        {"terms": [{"amount": 10}]},
        {"invoice_numbers": ["F-9"]},
        {"invoice_numbers": []},
        {"administration_id": None},
    ],
)
def test_payt_refuses_a_malformed_plan_with_422(sandbox: Sandbox, payt: httpx.Client, changed: dict) -> None:
    body = {"administration_id": "11", "invoice_numbers": ["F-1"], "terms": TERMS} | changed
    before = len(sandbox.world.payt.payment_plans)
    answer = payt.post("/v1/payment_plans", json=body)
    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "message"}
    assert len(sandbox.world.payt.payment_plans) == before


def test_payt_needs_the_write_scope_to_change_a_plan(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.payt.scopes.remove("payment_plans:write")
    answer = payt.patch("/v1/payment_plans/1001/deactivate", data=FORM)
    assert (answer.status_code, answer.json()["message"]) == (403, "Missing permission: payment_plans:write")


@pytest.mark.parametrize(
    ("call", "stamp", "active"), [("approve", "approved_at", True), ("reject", "rejected_at", False)]
)
def test_payt_decides_on_a_proposal_once(
    sandbox: Sandbox, payt: httpx.Client, call: str, stamp: str, *, active: bool
) -> None:
    sandbox.world.payt.payment_plans[0] |= {"active": False, "proposed_at": "2026-06-01T10:00:00Z"}
    plan = payt.patch(f"/v1/payment_plans/1001/{call}", data=FORM).json()
    assert (plan[stamp], plan["active"], plan["updated_at"]) == ("2026-07-01T06:00:00Z", active, "2026-07-01T06:00:00Z")
    assert payt.patch(f"/v1/payment_plans/1001/{call}", data=FORM).status_code == 422


def test_payt_deactivates_an_active_plan_and_drops_its_links(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.world.payt.invoices[0]["active_payment_plan_id"] = "1001"
    plan = payt.patch("/v1/payment_plans/1001/deactivate", data=FORM).json()
    assert (plan["active"], plan["deactivated_at"]) == (False, "2026-07-01T06:00:00Z")
    assert sandbox.world.payt.invoices[0]["active_payment_plan_id"] is None
    assert payt.patch("/v1/payment_plans/1001/deactivate", data=FORM).status_code == 422


def test_payt_takes_only_forms_for_state_changes_and_404s_an_unknown_plan(payt: httpx.Client) -> None:
    assert payt.patch("/v1/payment_plans/1001/deactivate", json=FORM).status_code == 422
    assert payt.patch("/v1/payment_plans/9/deactivate", data=FORM).status_code == 404
    assert payt.patch("/v1/payment_plans/1001/deactivate", data={}).status_code == 422


# Totality


def made(client: httpx.Client, **changed: object) -> list[tuple[str, int]]:
    """Create a plan and return date and cents of its scheduled payments."""
    answer = client.post("/loans/loan-1/payment-plans", json=PLAN | changed)
    assert answer.status_code == 201, answer.text
    rows = client.get("/scheduled-payments", params={"filter[paymentPlanUuid][eq]": answer.json()["uuid"]}).json()
    return [(row["paymentDate"], row["amount"]) for row in rows]


def test_totality_replaces_unprocessed_terms_and_stops_auto_scheduling(
    sandbox: Sandbox, totality: httpx.Client
) -> None:
    for number, payment in ((1, None), (2, "payment-1")):
        old = {"uuid": f"old-{number}", "loanUuid": "loan-1", "paymentPlanUuid": "plan-0", "paymentUuid": payment}
        sandbox.world.totality.scheduled_payments.append(old)
    assert made(totality) == [("2026-07-31", 33333), ("2026-08-31", 33333), ("2026-09-30", 33334)]
    uuids = [row["uuid"] for row in sandbox.world.totality.scheduled_payments]
    assert "old-2" in uuids
    assert "old-1" not in uuids
    loan = totality.get("/loans/loan-1").json()
    assert (loan["isAutoScheduled"], loan["updatedAt"]) == (False, "2026-07-01T06:00:00Z")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"paymentArrangementType": "Payment Amount Based", "paymentAmount": 30000, "numberOfPayments": None},
            [("2026-07-31", 30000), ("2026-08-31", 30000), ("2026-09-30", 30000), ("2026-10-31", 10000)],
        ),
        (
            {"isPartialPaymentPlan": True, "totalPlanAmount": 10000, "paymentFrequency": "days", "daysInPeriod": 10},
            [("2026-07-31", 3333), ("2026-08-10", 3333), ("2026-08-20", 3334)],
        ),
        (
            {"paymentFrequency": "bi-weekly", "firstPaymentDate": "2026-07-03", "weekdayOfFirstPayment": "Friday"},
            [("2026-07-03", 33333), ("2026-07-17", 33333), ("2026-07-31", 33334)],
        ),
        (
            {
                "paymentFrequency": "semi-monthly",
                "scheduleType": "Day-Based",
                "firstPaymentDay": 15,
                "secondPaymentDay": 31,
            }
            | {"firstPaymentDate": "2026-09-05"},
            [("2026-09-15", 33333), ("2026-09-30", 33333), ("2026-10-15", 33334)],
        ),
        (
            {"scheduleType": "Weekday-Based", "weekOfFirstPayment": 5, "weekdayOfFirstPayment": "Friday"},
            [("2026-07-31", 33333), ("2026-08-28", 33333), ("2026-09-25", 33334)],
        ),
        (
            {"paymentArrangementType": "Custom Payment Schedule", "numberOfPayments": None}
            | {"schedule": [{"date": "2026-08-05", "amount": 1}, {"date": "2026-08-09", "amount": 99}]},
            [("2026-08-05", 1), ("2026-08-09", 99)],
        ),
        (
            {"paymentFrequency": "weekly", "firstPaymentDate": "2026-07-04", "movePaymentOnWeekendDays": -1},
            [("2026-07-03", 33333), ("2026-07-10", 33333), ("2026-07-17", 33334)],
        ),
    ],
)
def test_totality_schedules_by_the_documented_rules(totality: httpx.Client, changed: dict, expected: list) -> None:
    assert made(totality, **changed) == expected


def test_totality_shifts_for_the_weekend_first_and_then_for_a_holiday(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.world.totality.holidays.append("2026-07-03")
    shifts = {"movePaymentOnWeekendDays": -1, "movePaymentOnHolidayDays": -1}
    assert made(totality, firstPaymentDate="2026-07-04", numberOfPayments=1, **shifts) == [("2026-07-02", 100000)]
    sandbox.assumed.totality_shift_order = "holiday_first"
    assert made(totality, firstPaymentDate="2026-07-04", numberOfPayments=1, **shifts) == [("2026-07-03", 100000)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"firstPaymentDate": "2026-06-30"}, "firstPaymentDate"),
        ({"firstPaymentDate": None}, "firstPaymentDate"),
        ({"numberOfPayments": None}, "numberOfPayments"),
        ({"numberOfPayments": 0}, "numberOfPayments"),
        ({"paymentFrequency": "yearly"}, "paymentFrequency"),
        ({"paymentFrequency": "days"}, "daysInPeriod"),
        ({"movePaymentOnWeekendDays": None}, "movePaymentOnWeekendDays"),
        ({"isPartialPaymentPlan": True}, "totalPlanAmount"),
        ({"isPartialPaymentPlan": True, "totalPlanAmount": 100001}, "totalPlanAmount"),
        ({"paymentArrangementType": "Custom Payment Schedule"}, "schedule"),
        ({"firstPaymentDay": 32}, "firstPaymentDay"),
        ({"contactMethod": "Fax"}, "contactMethod"),
    ],
)
def test_totality_names_the_field_it_refuses(totality: httpx.Client, changed: dict, field: str) -> None:
    answer = totality.post("/loans/loan-1/payment-plans", json=PLAN | changed)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_totality_refuses_a_second_active_plan_where_only_one_is_allowed(
    sandbox: Sandbox, totality: httpx.Client
) -> None:
    sandbox.world.totality.allow_only_single_payment_plan = True
    made(totality)
    assert totality.post("/loans/loan-1/payment-plans", json=PLAN).status_code == 409
    assert totality.post("/loans/loan-9/payment-plans", json=PLAN).status_code == 404


def test_totality_changes_three_fields_of_a_plan_and_answers_nothing(sandbox: Sandbox, totality: httpx.Client) -> None:
    made(totality)
    path = f"/payment-plans/{sandbox.world.totality.payment_plans[0]['uuid']}"
    answer = totality.patch(path, json={"isActive": False, "contactMethod": "Phone", "collectorUserId": 7})
    assert (answer.status_code, answer.content) == (204, b"")
    plan = totality.get(path).json()
    assert (plan["isActive"], plan["contactMethod"], plan["collectorUserId"]) == (False, "Phone", 7)
    assert totality.patch(path, json={"paymentAmount": 5}).status_code == 422


def test_totality_deletes_by_deactivating_and_keeps_processed_terms(sandbox: Sandbox, totality: httpx.Client) -> None:
    made(totality)
    sandbox.world.totality.scheduled_payments[0]["paymentUuid"] = "payment-1"
    path = f"/payment-plans/{sandbox.world.totality.payment_plans[0]['uuid']}"
    assert totality.delete(path).status_code == 204
    assert totality.get(path).json()["isActive"] is False
    assert len(sandbox.world.totality.scheduled_payments) == 1
    assert totality.delete("/payment-plans/none").status_code == 404


def test_totality_takes_a_single_scheduled_payment(totality: httpx.Client) -> None:
    body = {"amount": 500, "isECheck": True, "loanUuid": "loan-1", "paymentDate": "2026-08-01"}
    answer = totality.post("/scheduled-payments", json=body)
    assert answer.status_code == 201
    assert body.items() <= answer.json().items()
    assert totality.post("/scheduled-payments", json=body | {"amount": 5.5}).status_code == 422


# PayIQ


def test_payiq_put_creates_a_plan_its_account_then_names(sandbox: Sandbox, payiq: httpx.Client) -> None:
    plan = payiq.put("Api/PaymentPlan", json=PAYIQ).json()["Result"]
    assert plan["PaymentPlanID"] == 92
    asked = {"customerToken": "token-2", "paymentPlanID": 92}
    assert payiq.get("Api/PaymentPlan", params=asked).json()["Result"]["DayToPay"] == 15
    setup = payiq.post("Api/PaymentPlan/Setup", json={"CustomerToken": "token-2"}).json()["Result"]
    assert setup["Accounts"][0]["ExistingPaymentPlanID"] == 92
    assert sandbox.world.payiq.plans[92]["InitialBalance"] == Decimal("90.00")


def test_payiq_post_revises_and_delete_ends_a_plan(payiq: httpx.Client) -> None:
    payiq.put("Api/PaymentPlan", json=PAYIQ)
    revised = payiq.post("Api/PaymentPlan", json=PAYIQ | {"PaymentPlanID": 92, "DayToPay": 20}).json()
    assert revised["Result"]["DayToPay"] == 20
    asked = {"customerToken": "token-2", "paymentPlanID": 92}
    assert payiq.delete("Api/PaymentPlan", params=asked).json()["Result"]["PaymentPlanID"] == 92
    assert payiq.get("Api/PaymentPlan", params=asked).json()["ErrorCode"] == "DataNotFound"
    setup = payiq.post("Api/PaymentPlan/Setup", json={"CustomerToken": "token-2"}).json()["Result"]
    assert setup["Accounts"][0]["ExistingPaymentPlanID"] is None


@pytest.mark.parametrize(
    "changed",
    [
        {"PaymentName": ""},
        {"DayType": "Weekly"},
        {"DayToPay": 32},
        {"PaymentAmount": None},
        {"PaymentAmount": 10.00},
        {"DayType": "DueDate"},
        {"CustomerToken": None},
    ],
)
def test_payiq_refuses_a_plan_outside_its_setup(sandbox: Sandbox, payiq: httpx.Client, changed: dict) -> None:
    answer = payiq.put("Api/PaymentPlan", json=PAYIQ | changed)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (200, "Validation")
    assert list(sandbox.world.payiq.plans) == [91]


@pytest.mark.parametrize(("each", "most", "allowed"), [("30.00", 3, True), ("29.99", 3, False), ("29.99", 4, True)])
def test_payiq_counts_the_smaller_last_payment_too(
    sandbox: Sandbox, payiq: httpx.Client, each: str, most: int, *, allowed: bool
) -> None:
    sandbox.world.payiq.setups["token-2", "REF-2", "X"]["MaximumTerm"] = most
    answer = payiq.put("Api/PaymentPlan", json=PAYIQ | {"PaymentAmount": float(each)})
    assert answer.json()["Success"] is allowed


@pytest.mark.parametrize(
    "change",
    [
        lambda setup: setup["Accounts"][0].update(Stopped=True),
        lambda setup: setup.update(EnforceDueDate=True),
        lambda setup: setup["Tiers"].append({"Minimum": 0, "Maximum": 100, "PaymentCount": 2, "RestrictedMinimum": 0}),
        lambda setup: setup["Tiers"].append({"Minimum": 0, "Maximum": 100, "PaymentCount": 9, "RestrictedMinimum": 31}),
        lambda setup: setup["Accounts"][0].update(ExistingPaymentPlanID=5),
    ],
)
def test_payiq_obeys_stops_due_days_tiers_and_existing_plans(
    sandbox: Sandbox, payiq: httpx.Client, change: Callable[[dict], object]
) -> None:
    change(sandbox.world.payiq.setups["token-2", "REF-2", "X"])
    assert payiq.put("Api/PaymentPlan", json=PAYIQ).json()["ErrorCode"] == "Validation"
