"""The PayIQ sandbox signs in, wraps and pages as the help pages say; the assumed reads are there too."""

from collections.abc import Callable

import httpx
import pytest

from sandbox.server import Sandbox

Signed = Callable[..., dict[str, object]]
MISSING = "00000000-0000-0000-0000-000000000000"


def setup(client: httpx.Client, **named: object) -> httpx.Response:
    return client.post("Api/PaymentPlan/Setup", json=named)


@pytest.mark.parametrize("path", ["Api/Auth", "Api/Auth/AccessToken"])
def test_both_token_calls_give_a_bearer_token_without_an_expiry(
    sandbox: Sandbox, signed: Signed, anyone: httpx.Client, path: str
) -> None:
    answer = anyone.post(sandbox.urls["payiq"] + path, json=signed(Role="APIEBPPBillerCSR"))
    assert set(answer.json()) == {"access_token", "token_type"}
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "changed",
    [
        {"grant_type": "password"},
        {"APIKey": "not-a-guid"},
        {"Role": "Customer"},
        {"CreationDate": None},
        {"Signature": ""},
    ],
)
def test_a_malformed_token_request_is_a_validation_error(
    sandbox: Sandbox, signed: Signed, anyone: httpx.Client, changed: dict
) -> None:
    answer = anyone.post(sandbox.urls["payiq"] + "Api/Auth", json=signed(**changed))
    assert (answer.json()["ErrorCode"], answer.json()["ErrorNum"], answer.json()["Success"]) == ("Validation", 2, False)


@pytest.mark.parametrize("changed", [{"Signature": "0" * 64}, {"APIKey": MISSING}, {"CreationDate": "2026-07-01"}])
def test_a_wrong_key_or_signature_is_401(sandbox: Sandbox, signed: Signed, anyone: httpx.Client, changed: dict) -> None:
    assert anyone.post(sandbox.urls["payiq"] + "Api/Auth", json=signed(**changed)).status_code == 401


def test_a_token_lives_an_hour(sandbox: Sandbox, payiq: httpx.Client) -> None:
    assert setup(payiq, CustomerToken="token-1").status_code == 200
    sandbox.tokens["payiq"].advance(3601)
    assert setup(payiq, CustomerToken="token-1").status_code == 401


def test_a_call_without_a_token_is_401(sandbox: Sandbox, anyone: httpx.Client) -> None:
    assert (
        anyone.post(sandbox.urls["payiq"] + "Api/PaymentPlan/Setup", json={"CustomerToken": "token-1"}).status_code
        == 401
    )


def test_the_envelope_wraps_a_setup_with_exact_decimals_and_seven_digits(payiq: httpx.Client) -> None:
    answer = setup(payiq, CustomerToken="token-1", ReferenceNumber="REF-1", OtherData="")
    assert set(answer.json()) == {"ErrorCode", "ErrorCodeDetail", "ErrorID", "ErrorNum", "Errors", "Result", "Success"}
    assert (answer.json()["Success"], answer.json()["ErrorCode"], answer.json()["ErrorNum"]) == (True, "None", 0)
    assert '"InitialBalance":5.10,' in answer.text
    assert '"AmountDue":3.0,' in answer.text
    assert '"UpdateDate":"2025-05-21T06:35:33.0626866Z"' in answer.text


def test_paths_and_parameters_are_found_in_any_case(payiq: httpx.Client) -> None:
    assert payiq.post("api/paymentplan/setup", json={"customertoken": "token-1"}).json()["Success"]
    answer = payiq.get("Api/PaymentPlan", params={"CUSTOMERTOKEN": "token-1", "PaymentPlanId": 91})
    assert answer.json()["Result"]["PaymentPlanID"] == 91


def test_a_business_error_comes_with_200_and_success_false(payiq: httpx.Client) -> None:
    unknown = setup(payiq, CustomerToken="nobody")
    assert unknown.status_code == 200
    assert (unknown.json()["Success"], unknown.json()["ErrorCode"], unknown.json()["ErrorNum"]) == (
        False,
        "DataNotFound",
        3,
    )
    assert unknown.json()["Result"] is None
    assert unknown.json()["Errors"]
    assert setup(payiq).json()["ErrorCode"] == "Validation"
    assert setup(payiq, CustomerToken="token-1", ReferenceNumber="REF-2").json()["ErrorCode"] == "DataNotFound"


def test_the_status_of_a_business_error_can_be_switched(sandbox: Sandbox, payiq: httpx.Client) -> None:
    sandbox.assumed.payiq_business_error_status = 400
    assert setup(payiq).status_code == 400


def test_a_plan_is_read_only_by_its_customer(payiq: httpx.Client) -> None:
    asked = {"customerToken": "token-1", "paymentPlanID": 91}
    assert '"PaymentAmount":1.70' in payiq.get("Api/PaymentPlan", params=asked).text
    for wrong in ({"customerToken": "token-2"}, {"paymentPlanID": 92}):
        assert payiq.get("Api/PaymentPlan", params=asked | wrong).json()["ErrorCode"] == "DataNotFound"
    assert payiq.get("Api/PaymentPlan", params={"customerToken": "token-1"}).json()["ErrorCode"] == "Validation"


def test_payments_are_paged_until_an_empty_list(payiq: httpx.Client) -> None:
    asked = {"CustomerToken": "token-1", "ReferenceNumber": "REF-1", "OtherData": "", "PageSize": 2}
    pages = [payiq.get("Api/Payment", params=asked | {"Page": page}).json()["Result"] for page in (1, 2, 3, 4)]
    assert [[row["ID"] for row in page] for page in pages] == [[1, 2], [3, 4], [5], []]
    assert len(payiq.get("Api/Payment", params={"CustomerToken": "token-1"}).json()["Result"]) == 5
    assert payiq.get("Api/Payment", params=asked | {"Page": 0, "PageSize": -1}).json()["ErrorCode"] == "Validation"


def test_a_larger_page_is_cut_to_the_largest(sandbox: Sandbox, payiq: httpx.Client) -> None:
    sandbox.assumed.payiq_max_page_size = 3
    assert len(payiq.get("Api/Payment", params={"CustomerToken": "token-1", "PageSize": 100}).json()["Result"]) == 3


def test_payments_can_look_back_to_a_date(payiq: httpx.Client) -> None:
    asked = {"CustomerToken": "token-1", "LookbackDate": "2026-04-02T00:00:00Z"}
    assert [row["ID"] for row in payiq.get("Api/Payment", params=asked).json()["Result"]] == [4, 5]


def test_an_account_without_payments_has_an_empty_list(payiq: httpx.Client) -> None:
    assert payiq.get("Api/Payment", params={"CustomerToken": "token-2"}).json()["Result"] == []


def test_bills_are_paged_and_filtered_by_due_date(payiq: httpx.Client) -> None:
    bills = payiq.get("Api/Invoice", params={"CustomerToken": "token-1", "Page": 1, "PageSize": 2})
    assert '"AmountDue":3.00' in bills.text
    assert [row["BillID"] for row in bills.json()["Result"]] == [1, 2]
    asked = {"CustomerToken": "token-1", "DueDateFrom": "2026-02-01T00:00:00Z", "DueDateTo": "2026-02-28T00:00:00Z"}
    assert [row["BillID"] for row in payiq.get("Api/Invoice", params=asked).json()["Result"]] == [2]


def test_only_a_csr_may_search_an_account_without_a_customer(
    sandbox: Sandbox, payiq: httpx.Client, signed: Signed, anyone: httpx.Client
) -> None:
    assert payiq.get("Api/BillingAccount", params={"ReferenceNumber": "REF-2"}).json()["ErrorCode"] == "Validation"
    token = anyone.post(sandbox.urls["payiq"] + "Api/Auth", json=signed(Role="APIEBPPBillerCSR")).json()["access_token"]
    found = payiq.get(
        "Api/BillingAccount", params={"ReferenceNumber": "REF-2"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert found.json()["Result"] == {"ReferenceNumber": "REF-2", "OtherData": "X"}


def test_a_body_that_is_not_json_is_refused(payiq: httpx.Client) -> None:
    answer = payiq.post("Api/PaymentPlan/Setup", content=b"CustomerToken=x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    answer = payiq.post("Api/PaymentPlan/Setup", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.json()["ErrorCode"] == "Validation"
