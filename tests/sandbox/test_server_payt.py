"""The Payt sandbox answers as Payt's OpenAPI file and pages say: tokens, scopes, pages, filters, limits."""

import base64
import json
from itertools import pairwise

import httpx
import pytest

from sandbox.credentials import CREDENTIALS
from sandbox.server import Sandbox

KNOWN = CREDENTIALS["payt"]
BASIC = {
    "Authorization": "Basic " + base64.b64encode(f"{KNOWN['client_id']}:{KNOWN['client_secret']}".encode()).decode()
}
PLANS = "/v1/payment_plans"


def walk(client: httpx.Client, path: str, **params: object) -> list[list[dict]]:
    """Return the rows of every page, following the cursor until there is none."""
    pages, cursor = [], None
    while True:
        answer = client.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["data"])
        cursor = (answer.json().get("pagination") or {}).get("cursor")
        if not cursor:
            return pages


def ids(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows]


def test_a_call_without_a_token_is_401_with_code_and_message(sandbox: Sandbox, anyone: httpx.Client) -> None:
    answer = anyone.get(sandbox.urls["payt"] + PLANS, params={"administration_id": "11"})
    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "message"}


def test_a_missing_scope_is_403_and_named(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.payt.scopes.remove("invoices:read")
    answer = payt.get("/v1/invoices", params={"administration_id": "11"})
    assert answer.status_code == 403
    assert answer.json() == {"code": "forbidden", "message": "Missing permission: invoices:read"}


def test_an_administration_that_is_not_granted_is_403(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.payt.administrations = {"12"}
    assert payt.get(PLANS, params={"administration_id": "11"}).status_code == 403
    assert ids(payt.get("/v1/administrations").json()["data"]) == ["12"]


def test_a_missing_administration_is_422(payt: httpx.Client) -> None:
    assert payt.get(PLANS).status_code == 422


def test_pages_follow_the_cursor_and_the_last_one_has_no_pagination(payt: httpx.Client) -> None:
    first = payt.get(PLANS, params={"administration_id": "11", "per_page": 3})
    assert len(first.json()["data"]) == 3
    assert isinstance(first.json()["pagination"]["cursor"], str)
    pages = walk(payt, PLANS, administration_id="11", per_page=3)
    assert [ids(page) for page in pages] == [["1001", "1002", "1003"], ["1004", "1005", "1006"], ["1007"]]
    assert "pagination" not in payt.get(PLANS, params={"administration_id": "11"}).json()


@pytest.mark.parametrize(("how", "last"), [("null", {"cursor": None}), ("empty", {"cursor": ""})])
def test_the_last_page_can_carry_an_empty_cursor_instead(
    sandbox: Sandbox, payt: httpx.Client, how: str, last: dict
) -> None:
    sandbox.assumed.payt_last_page = how
    assert payt.get(PLANS, params={"administration_id": "11"}).json()["pagination"] == last


def test_the_list_can_end_with_an_empty_page(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.assumed.payt_last_page = "empty_page"
    assert [len(page) for page in walk(payt, PLANS, administration_id="11", per_page=4)] == [4, 3, 0]


@pytest.mark.parametrize("per_page", ["0", "501", "-1", "ten", "1.5"])
def test_per_page_outside_1_to_500_is_422(payt: httpx.Client, per_page: str) -> None:
    assert payt.get(PLANS, params={"administration_id": "11", "per_page": per_page}).status_code == 422


def test_a_page_holds_100_rows_when_nothing_is_asked(sandbox: Sandbox, payt: httpx.Client) -> None:
    with sandbox.world.changing() as world:
        world.payt.payment_plans += [dict(world.payt.payment_plans[0], id=str(number)) for number in range(5000, 5200)]
    assert [len(page) for page in walk(payt, PLANS, administration_id="11")] == [100, 100, 7]
    assert [len(page) for page in walk(payt, PLANS, administration_id="11", per_page=500)] == [207]


def test_a_cursor_that_was_never_given_is_422(payt: httpx.Client) -> None:
    assert payt.get(PLANS, params={"administration_id": "11", "cursor": "nonsense"}).status_code == 422


def test_ids_and_cursors_can_be_integers(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.assumed.payt_integer_ids = True
    page = payt.get(PLANS, params={"administration_id": "11", "per_page": 2}).json()
    row = page["data"][0]
    assert (row["id"], row["administration_id"], row["debtor_id"]) == (1001, 11, 501)
    assert row["payment_terms"][0]["id"] == 10011
    assert page["pagination"]["cursor"] == 1002
    assert row["payment_terms"][0]["total_amount"] == "5182.00"
    assert len(walk(payt, PLANS, administration_id="11", per_page=2)) == 4


def test_amounts_are_text_with_two_decimals(payt: httpx.Client) -> None:
    answer = payt.get(PLANS, params={"administration_id": "11", "per_page": 1})
    assert '"total_amount":"5182.00"' in answer.text
    assert answer.headers["content-type"] == "application/json"


def test_updated_after_returns_only_later_rows(sandbox: Sandbox, payt: httpx.Client) -> None:
    sandbox.world.payt.payment_plans[2]["updated_at"] = "2026-06-02T00:00:00Z"
    exact = {"administration_id": "11", "updated_after": "2026-06-01T10:00:00Z"}
    assert ids(payt.get(PLANS, params=exact).json()["data"]) == ["1003"]
    sandbox.assumed.payt_updated_after_inclusive = True
    assert len(payt.get(PLANS, params=exact).json()["data"]) == 7
    assert payt.get(PLANS, params=exact | {"updated_after": "yesterday"}).status_code == 422


def test_deletions_need_deleted_after_and_reach_back_90_days(sandbox: Sandbox, payt: httpx.Client) -> None:
    rows = sandbox.world.payt.deleted["payment_plans"]
    for number, when in enumerate(("2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-06-20T00:00:00Z")):
        rows.append({"id": str(number), "administration_id": "11", "debtor_id": "501", "deleted_at": when})
    path = PLANS + "/deleted"
    assert payt.get(path, params={"administration_id": "11"}).status_code == 422
    asked = {"administration_id": "11", "deleted_after": "2026-01-01T00:00:00Z"}
    assert ids(payt.get(path, params=asked).json()["data"]) == ["1", "2"]
    assert ids(payt.get(path, params=asked | {"deleted_after": "2026-06-01T00:00:00Z"}).json()["data"]) == ["2"]
    assert ids(payt.get(path, params=asked | {"deleted_before": "2026-06-01T00:00:00Z"}).json()["data"]) == ["1"]
    assert payt.get(path, params=asked | {"administration_id": "12"}).json()["data"] == []


def test_every_documented_deleted_list_is_there(payt: httpx.Client) -> None:
    for kind in ("payment_plans", "payments", "invoices", "credit_cases"):
        answer = payt.get(
            f"/v1/{kind}/deleted", params={"administration_id": "11", "deleted_after": "2026-06-01T00:00:00Z"}
        )
        assert answer.json() == {"data": []}


def test_hidden_fields_come_only_when_asked_for(payt: httpx.Client) -> None:
    plain = payt.get(PLANS, params={"administration_id": "11", "per_page": 1}).json()["data"][0]
    assert "public_url" not in plain
    fields = json.dumps({"only": ["id", "public_url", {"payment_terms": ["amount_due"]}]})
    asked = payt.get(PLANS, params={"administration_id": "11", "per_page": 1, "fields": fields}).json()["data"][0]
    assert asked == {
        "id": "1001",
        "public_url": "https://debtor.example/plan",
        "payment_terms": [{"amount_due": "182.00"}],
    }
    assert payt.get(PLANS, params={"administration_id": "11", "fields": "id"}).status_code == 422


def test_psp_transactions_are_filtered_by_status(payt: httpx.Client) -> None:
    asked = {"administration_id": "11", "statuses": "pending,processing"}
    assert ids(payt.get("/v1/psp_transactions", params=asked).json()["data"]) == ["4001", "4002"]


def test_plans_are_filtered_by_ids_and_by_debtor(payt: httpx.Client) -> None:
    assert ids(payt.get(PLANS, params={"administration_id": "11", "ids": "1002,1005,9"}).json()["data"]) == [
        "1002",
        "1005",
    ]
    assert len(payt.get(PLANS, params={"administration_id": "11", "debtor_numbers": "D-501"}).json()["data"]) == 7
    assert payt.get(PLANS, params={"administration_id": "11", "debtor_numbers": "D-1"}).json()["data"] == []


def test_one_plan_can_be_read_and_an_unknown_one_is_404(payt: httpx.Client) -> None:
    assert payt.get(PLANS + "/1003", params={"administration_id": "11"}).json()["id"] == "1003"
    assert payt.get(PLANS + "/2001", params={"administration_id": "11"}).status_code == 404
    assert payt.get(PLANS + "/1003").status_code == 422


def test_the_eleventh_request_within_a_second_is_429(sandbox: Sandbox, payt: httpx.Client) -> None:
    answers = [payt.get("/v1/administrations") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "retry-after" not in answers[-1].headers
    assert answers[-1].content == b""
    sandbox.assumed.payt_retry_after = "2"
    assert payt.get("/v1/administrations").headers["retry-after"] == "2"


def test_the_rate_is_counted_per_token(sandbox: Sandbox, payt: httpx.Client, anyone: httpx.Client) -> None:
    other = anyone.post(sandbox.urls["payt"] + "/oauth/token", headers=BASIC, json={"grant_type": "client_credentials"})
    for _ in range(10):
        payt.get("/v1/administrations")
    bearer = {"Authorization": f"Bearer {other.json()['access_token']}"}
    assert payt.get("/v1/administrations", headers=bearer).status_code == 200


def test_posting_a_payment_is_405(payt: httpx.Client) -> None:
    assert payt.post("/v1/payments", json={}).status_code == 405


def test_client_credentials_give_a_token_that_never_expires(sandbox: Sandbox, anyone: httpx.Client) -> None:
    answer = anyone.post(
        sandbox.urls["payt"] + "/oauth/token", headers=BASIC, json={"grant_type": "client_credentials"}
    )
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert {"expires_in", "refresh_token"}.isdisjoint(body)
    sandbox.tokens["payt"].advance(10 * 365 * 86400)
    assert _reads(sandbox, anyone, body["access_token"]) == 200


def test_a_refresh_token_is_rotated_and_the_access_token_lives_two_hours(
    sandbox: Sandbox, anyone: httpx.Client
) -> None:
    first = _refreshed(sandbox, anyone, KNOWN["refresh_token"])
    assert first.json()["expires_in"] == 7200
    assert _refreshed(sandbox, anyone, KNOWN["refresh_token"]).status_code == 401
    second = _refreshed(sandbox, anyone, first.json()["refresh_token"])
    assert second.status_code == 200
    assert _reads(sandbox, anyone, second.json()["access_token"]) == 200
    sandbox.tokens["payt"].advance(7201)
    assert _reads(sandbox, anyone, second.json()["access_token"]) == 401
    sandbox.tokens["payt"].advance(91 * 86400)
    assert _refreshed(sandbox, anyone, second.json()["refresh_token"]).status_code == 401


def test_an_authorization_code_is_good_once_for_ten_minutes(sandbox: Sandbox, anyone: httpx.Client) -> None:
    asked = {
        "client_id": KNOWN["client_id"],
        "redirect_uri": "http://127.0.0.1/back",
        "response_type": "code",
        "state": "s",
    }
    codes = []
    for _ in range(2):
        sent = anyone.get(sandbox.urls["payt"] + "/oauth/authorize", params=asked, follow_redirects=False)
        back = httpx.URL(sent.headers["location"])
        assert (sent.status_code, back.path, back.params["state"]) == (302, "/back", "s")
        codes.append(back.params["code"])
    body = {"grant_type": "authorization_code", "redirect_uri": "http://127.0.0.1/back"}
    statuses = []
    for code in (codes[0], codes[0]):
        sent = anyone.post(sandbox.urls["payt"] + "/oauth/token", headers=BASIC, json=body | {"code": code})
        statuses.append(sent.status_code)
    sandbox.tokens["payt"].advance(601)
    sent = anyone.post(sandbox.urls["payt"] + "/oauth/token", headers=BASIC, json=body | {"code": codes[1]})
    assert [*statuses, sent.status_code] == [200, 401, 401]


def test_the_token_call_needs_the_client_in_basic(sandbox: Sandbox, anyone: httpx.Client) -> None:
    assert (
        anyone.post(sandbox.urls["payt"] + "/oauth/token", json={"grant_type": "client_credentials"}).status_code == 401
    )


def test_rows_changed_between_two_pages_show_on_the_second(sandbox: Sandbox, payt: httpx.Client) -> None:
    first = payt.get(PLANS, params={"administration_id": "11", "per_page": 5}).json()
    with sandbox.world.changing() as world:
        del world.payt.payment_plans[0]
        world.payt.payment_plans[5]["updated_at"] = "2026-06-30T00:00:00Z"
    cursor = first["pagination"]["cursor"]
    second = payt.get(PLANS, params={"administration_id": "11", "per_page": 5, "cursor": cursor}).json()
    assert ids(second["data"]) == ["1006", "1007"]
    assert second["data"][1]["updated_at"] == "2026-06-30T00:00:00Z"


def test_a_sweep_never_serves_a_row_twice(payt: httpx.Client) -> None:
    rows = [row["id"] for page in walk(payt, PLANS, administration_id="11", per_page=2) for row in page]
    assert all(before < after for before, after in pairwise(rows))


def _refreshed(sandbox: Sandbox, anyone: httpx.Client, text: str) -> httpx.Response:
    body = {"grant_type": "refresh_token", "refresh_token": text}
    return anyone.post(sandbox.urls["payt"] + "/oauth/token", headers=BASIC, json=body)


def _reads(sandbox: Sandbox, anyone: httpx.Client, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return anyone.get(sandbox.urls["payt"] + "/v1/administrations", headers=headers).status_code
