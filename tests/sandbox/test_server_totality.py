"""The Totality sandbox keeps the documented headers, paging words and filters, and the assumed lists."""

import httpx
import pytest

from sandbox.credentials import CREDENTIALS
from sandbox.server import Sandbox

KNOWN = CREDENTIALS["totality"]
CLIENT = (KNOWN["client_id"], KNOWN["client_secret"])


def uuids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["uuid"].removeprefix("payment-") for row in answer.json()]


def test_a_call_without_a_token_is_401(sandbox: Sandbox, totality: httpx.Client) -> None:
    assert totality.get("/loans", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_vendor_media_type_is_required(totality: httpx.Client) -> None:
    assert totality.get("/loans", headers={"Accept": "application/json"}).status_code == 406
    assert totality.get("/loans", headers={"Content-Type": "text/plain"}).status_code == 415


def test_the_token_call_lies_at_the_origin_and_takes_basic_and_a_form(
    sandbox: Sandbox, totality: httpx.Client, anyone: httpx.Client
) -> None:
    url = sandbox.urls["totality"].removesuffix("/api") + "/oauth/token"
    assert anyone.post(url, data={"grant_type": "client_credentials"}).status_code == 401
    assert anyone.post(url, data={"grant_type": "password"}, auth=CLIENT).status_code == 422
    body = anyone.post(url, data={"grant_type": "client_credentials"}, auth=CLIENT).json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert totality.get("/loans", headers=bearer).status_code == 200
    sandbox.tokens["totality"].advance(3601)
    assert totality.get("/loans", headers=bearer).status_code == 401


def test_pages_are_numbered_from_one_and_end_with_an_empty_one(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.assumed.totality_page_size = 2
    pages = [uuids(totality.get("/payments", params={"page": number})) for number in (1, 2, 3, 4)]
    assert pages == [["1", "2"], ["3", "4"], ["5"], []]
    assert uuids(totality.get("/payments")) == ["1", "2"]
    assert totality.get("/payments", params={"page": 0}).status_code == 422
    assert totality.get("/payments", params={"page": "two"}).status_code == 422


def test_a_list_can_lie_under_data(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.assumed.totality_list_shape = "data"
    body = totality.get("/loans").json()
    assert [row["uuid"] for row in body["data"]] == ["loan-1"]


def test_money_is_integer_cents(totality: httpx.Client) -> None:
    assert '"balance":100000,' in totality.get("/loans").text


@pytest.mark.parametrize("sort", ["-createdAt", "-updatedAt", "-amount"])
def test_a_minus_sorts_descending(totality: httpx.Client, sort: str) -> None:
    assert uuids(totality.get("/payments", params={"sort": sort})) == ["5", "4", "3", "2", "1"]


def test_a_plus_sorts_ascending_and_ties_keep_their_order(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.world.totality.payments.reverse()
    assert uuids(totality.get("/payments?sort=+createdAt")) == ["1", "2", "3", "4", "5"]
    assert uuids(totality.get("/payments", params={"sort": "status"})) == ["4", "2", "5", "3", "1"]
    assert totality.get("/payments", params={"sort": "nothing"}).status_code == 422


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[status][eq]=Pending", ["2", "4"]),
        ("status=eq:Pending", ["2", "4"]),
        ("filter[status][ne]=Pending", ["1", "3", "5"]),
        ("filter[status][in]=Pending,Settled", ["1", "2", "3", "4", "5"]),
        ("filter[status][nin]=Settled", ["2", "4"]),
        ("filter[status][sw]=Pen", ["2", "4"]),
        ("filter[updatedAt][gte]=2026-06-04T12:00:00Z", ["4", "5"]),
        ("filter[updatedAt][gt]=2026-06-04T12:00:00Z", ["5"]),
        ("filter[updatedAt][lt]=2026-06-02T12:00:00Z", ["1"]),
        ("filter[updatedAt][lte]=2026-06-02T14:00:00+02:00", ["1", "2"]),
        ("createdAt=eq:2026-06-03", ["3"]),
        ("filter[returnedAt][null]=", ["1", "2", "3", "4", "5"]),
        ("filter[returnedAt][nn]=", []),
        ("filter[amount][gte]=400", ["4", "5"]),
        ("filter[isPromise][eq]=true", ["5"]),
        ("filter[loanUuid][eq]=loan-2", []),
        ("filter[amount][gte]=200&filter[status][eq]=Pending&sort=-amount", ["4", "2"]),
    ],
)
def test_filters_keep_the_rows_they_describe(totality: httpx.Client, query: str, expected: list[str]) -> None:
    assert uuids(totality.get(f"/payments?{query.replace('+', '%2B')}")) == expected


@pytest.mark.parametrize(
    "query",
    ["filter[updatedAt][sw]=2026", "filter[loanUuid][gt]=a", "filter[status][like]=a", "filter[updatedAt][gte]=soon"],
)
def test_an_operator_the_field_does_not_take_is_422_and_named(totality: httpx.Client, query: str) -> None:
    answer = totality.get(f"/payments?{query}")
    assert answer.status_code == 422
    assert list(answer.json()) == ["message", "errors"]
    assert list(answer.json()["errors"]) == [query.split("][", maxsplit=1)[0] + "]"]


def test_one_row_can_be_read_and_an_unknown_one_is_404(totality: httpx.Client) -> None:
    assert totality.get("/payments/payment-3").json()["amount"] == 300
    assert totality.get("/payments/payment-9").status_code == 404
    assert totality.get("/nothing").status_code == 404


def test_the_answer_is_dated_by_the_providers_clock(totality: httpx.Client) -> None:
    assert totality.get("/loans").headers["date"] == "Wed, 01 Jul 2026 06:00:00 GMT"
