"""Every scripted fault reaches the wire as described, on the requests it was meant for and on no other."""

import ssl
import time
from collections.abc import Iterator

import httpx
import pytest
from storm import faults

from sandbox.server import Sandbox
from sandbox.world import Verbatim

ASKED = {"administration_id": "11"}
PLANS = "/v1/payment_plans"


@pytest.fixture
def raw(payt: httpx.Client, plain: ssl.SSLContext) -> Iterator[httpx.Client]:
    """Give a Payt client whose connections are not reused, so that no fault touches a second request."""
    limits = httpx.Limits(max_keepalive_connections=0)
    headers = {"Authorization": payt.headers["Authorization"]}
    transport = httpx.HTTPTransport(verify=plain, limits=limits, trust_env=False)
    with httpx.Client(base_url=payt.base_url, headers=headers, transport=transport) as client:
        yield client


def test_the_next_matching_requests_fail_after_those_let_through(sandbox: Sandbox, raw: httpx.Client) -> None:
    rule = sandbox.faults.add(faults.status(503), match=r"^GET /v1/payment_plans\?", times=2, after=1)
    statuses = [raw.get(PLANS, params=ASKED).status_code for _ in range(4)]
    other = raw.get("/v1/administrations").status_code
    assert (statuses, other, rule.fired) == ([200, 503, 503, 200], 200, 2)


def test_a_fault_can_be_meant_for_one_provider(sandbox: Sandbox, raw: httpx.Client, totality: httpx.Client) -> None:
    sandbox.faults.add(faults.status(500), provider="totality", times=faults.FOREVER)
    assert raw.get("/v1/administrations").status_code == 200
    assert totality.get("/loans").status_code == 500
    sandbox.faults.clear()
    assert totality.get("/loans").status_code == 200


@pytest.mark.parametrize("value", [3, "Wed, 01 Jul 2026 06:00:05 GMT", "soon"])
def test_too_many_requests_carries_any_retry_after(sandbox: Sandbox, raw: httpx.Client, value: str) -> None:
    sandbox.faults.add(faults.status(429, retry_after=value))
    answer = raw.get(PLANS, params=ASKED)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(value))


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_a_body_cut_short_of_its_framing_is_a_protocol_error(sandbox: Sandbox, raw: httpx.Client, how: str) -> None:
    sandbox.faults.add(faults.cut(how))
    with pytest.raises(httpx.RemoteProtocolError):
        raw.get(PLANS, params=ASKED)
    assert raw.get(PLANS, params=ASKED).status_code == 200


def test_a_body_cut_without_framing_looks_whole_but_is_half(sandbox: Sandbox, raw: httpx.Client) -> None:
    whole = raw.get(PLANS, params=ASKED).content
    sandbox.faults.add(faults.cut("close"))
    answer = raw.get(PLANS, params=ASKED)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]
    assert {"content-length", "transfer-encoding"}.isdisjoint(answer.headers)


def test_a_body_can_be_cut_where_it_is_still_json(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.cut_at(b',{"id":"1007"', b"]}"))
    assert [row["id"] for row in raw.get(PLANS, params=ASKED).json()["data"]][-1] == "1006"


def test_a_drip_comes_byte_by_byte(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.drip(seconds=0.05))
    began = time.monotonic()
    with raw.stream("GET", PLANS, params=ASKED) as answer:
        pieces = [next(answer.iter_raw()) for _ in range(1)]
    assert len(pieces[0]) < 10
    assert time.monotonic() - began < 5


def test_a_hang_says_nothing_until_the_client_gives_up(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.hang())
    with pytest.raises(httpx.ReadTimeout):
        raw.get(PLANS, params=ASKED, timeout=0.2)
    assert sandbox.requests["payt"][-1].status == 0


def test_a_dropped_connection_gives_no_answer(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.drop())
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        raw.get(PLANS, params=ASKED)


def test_a_delay_only_delays(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.delay(0.2))
    began = time.monotonic()
    assert raw.get(PLANS, params=ASKED).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_redirect_names_another_place(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.redirect("http://127.0.0.1:9/elsewhere", 307))
    answer = raw.get(PLANS, params=ASKED, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:9/elsewhere")


def test_garbage_is_a_maintenance_page_with_200(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.garbage())
    answer = raw.get(PLANS, params=ASKED)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Back soon" in answer.text


def test_a_bomb_is_small_on_the_wire_and_large_when_unpacked(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.bomb(32 << 20))
    with raw.stream("GET", PLANS, params=ASKED) as answer:
        assert int(answer.headers["content-length"]) < 100_000
        assert sum(len(piece) for piece in answer.iter_bytes()) == 32 << 20


def test_a_cursor_can_come_back(sandbox: Sandbox, raw: httpx.Client) -> None:
    first = raw.get(PLANS, params={**ASKED, "per_page": 2}).json()["pagination"]["cursor"]
    sandbox.faults.add(faults.same_cursor())
    again = raw.get(PLANS, params={**ASKED, "per_page": 2, "cursor": first}).json()
    assert again["pagination"]["cursor"] == first


def test_a_bad_row_stands_among_good_ones(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.bad_row({"id": None}, at=1))
    rows = raw.get(PLANS, params=ASKED).json()["data"]
    assert (len(rows), rows[1]) == (8, {"id": None})
    sandbox.faults.add(faults.bad_row(Verbatim('{"id":"x","id":"y"}')))
    assert '"data":[{"id":"x","id":"y"},{"id":"1001"' in raw.get(PLANS, params=ASKED).text


def test_a_bad_row_works_for_every_shape_of_list(sandbox: Sandbox, totality: httpx.Client, payiq: httpx.Client) -> None:
    for _ in range(3):
        sandbox.faults.add(faults.bad_row({"bad": True}))
    assert totality.get("/loans").json()[0] == {"bad": True}
    sandbox.assumed.totality_list_shape = "data"
    assert totality.get("/loans").json()["data"][0] == {"bad": True}
    answer = payiq.get("Api/Payment", params={"CustomerToken": "token-1"})
    assert answer.json()["Result"][0] == {"bad": True}
    assert '"Total":1.70' in answer.text


def test_a_page_can_be_empty_in_the_middle(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.no_rows())
    page = raw.get(PLANS, params={**ASKED, "per_page": 2}).json()
    assert page["data"] == []
    assert page["pagination"]["cursor"]


def test_the_world_can_change_between_two_pages(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.assumed.totality_page_size = 2
    sandbox.faults.add(faults.hook(lambda world: world.totality.payments.pop(0)), match="page=2")
    first = [row["amount"] for row in totality.get("/payments", params={"page": 1}).json()]
    second = [row["amount"] for row in totality.get("/payments", params={"page": 2}).json()]
    assert (first, second) == ([100, 200], [400, 500])


def test_tokens_can_end_after_some_requests(sandbox: Sandbox, payiq: httpx.Client) -> None:
    sandbox.faults.add(faults.before(sandbox.tokens["payiq"].live.clear), match="Setup", after=2)
    statuses = [payiq.post("Api/PaymentPlan/Setup", json={"CustomerToken": "token-1"}).status_code for _ in range(4)]
    assert statuses == [200, 200, 401, 401]


def test_any_answer_can_be_rewritten(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.rewrite(lambda page: page | {"data": "none"}))
    assert raw.get(PLANS, params=ASKED).json()["data"] == "none"
    sandbox.faults.add(faults.rewrite_bytes(lambda body: b"\xef\xbb\xbf" + body))
    assert raw.get(PLANS, params=ASKED).content.startswith(b"\xef\xbb\xbf{")


def test_five_thousand_headers_can_be_sent(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.many_headers(50))
    assert len(raw.get(PLANS, params=ASKED).headers) > 50


def test_a_change_can_take_effect_and_its_answer_be_lost(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.world.totality.payment_plans.append({"uuid": "plan-1", "loanUuid": "loan-1", "isActive": True})
    sandbox.faults.add(faults.drop(execute=True), match="^DELETE")
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        totality.delete("/payment-plans/plan-1")
    assert sandbox.world.totality.payment_plans[0]["isActive"] is False


def test_a_change_can_take_effect_and_answer_an_error(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.world.totality.payment_plans.append({"uuid": "plan-1", "loanUuid": "loan-1", "isActive": True})
    sandbox.faults.add(faults.executed_but(504), match="^DELETE")
    assert totality.delete("/payment-plans/plan-1").status_code == 504
    assert sandbox.world.totality.payment_plans[0]["isActive"] is False


def test_a_change_can_take_effect_late(sandbox: Sandbox, totality: httpx.Client) -> None:
    sandbox.world.totality.payment_plans.append({"uuid": "plan-1", "loanUuid": "loan-1", "isActive": True})
    sandbox.faults.add(faults.late(0.2), match="^DELETE")
    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
        totality.delete("/payment-plans/plan-1")
    assert sandbox.world.totality.payment_plans[0]["isActive"] is True
    time.sleep(0.4)
    assert sandbox.world.totality.payment_plans[0]["isActive"] is False


def test_every_request_is_recorded_with_its_answer(sandbox: Sandbox, raw: httpx.Client) -> None:
    sandbox.faults.add(faults.status(503))
    raw.get(PLANS, params={**ASKED, "updated_after": "2026-06-01T00:00:00Z"}, headers={"X-Canary": "7"})
    raw.post("/v1/payments", content=b"{}")
    first, second = sandbox.requests["payt"]
    assert (first.method, first.path, first.status, first.fault) == ("GET", PLANS, 503, "status")
    assert first.line == "GET /v1/payment_plans?administration_id=11&updated_after=2026-06-01T00:00:00Z"
    assert first.headers["x-canary"] == "7"
    assert (second.method, second.body, second.status, second.fault) == ("POST", b"{}", 405, "")
    sandbox.forget()
    assert sandbox.requests["payt"] == []
