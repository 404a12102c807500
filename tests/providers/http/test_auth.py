"""Tokens: fetched, shared, renewed once, rotated, never shown."""

import base64
import hashlib
import hmac
import json
import logging
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs

import httpx
import pytest

from providers.base import AccountRef, Connection, SweepRequest
from providers.errors import Misdirected, NotConfigured, NotKept, NotPermitted, Unreadable
from providers.http.auth import Grant, Tokens
from providers.http.redaction import LIVE, MASK, Redactor
from providers.payiq.reading import PROVIDER as PAYIQ
from providers.payt.reading import PROVIDER as PAYT
from providers.totality.reading import PROVIDER as TOTALITY

BASE = "https://api.example.test"
PLANS = SweepRequest("deleted_payment_plans", "7")
EMPTY = {"data": []}


def bearer(request):
    return request.headers["authorization"].removeprefix("Bearer ")


def pull(provider, connection, clock, network, sweep=PLANS):
    with provider.connect(connection, clock=clock, wire=network.transport) as client:
        return list(client.pull(sweep))


def test_a_static_token_is_sent_as_it_is(wire, clock):
    network = wire(lambda _: httpx.Response(200, json=EMPTY))
    pull(PAYT, Connection(BASE, token="static-token"), clock, network)
    assert bearer(network.requests[0]) == "static-token"


def test_a_refused_static_token_cannot_be_renewed_and_says_so(wire, clock):
    network = wire(lambda _: httpx.Response(401, json={"code": "unauthorized", "message": "x"}))
    with pytest.raises(NotPermitted, match="cannot be renewed"):
        pull(PAYT, Connection(BASE, token="static-token"), clock, network)
    assert len(network.requests) == 1


def test_client_credentials_are_sent_by_basic_authentication_as_json_to_payt(wire, clock):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "fresh-token-1", "token_type": "Bearer"})
        return httpx.Response(200, json=EMPTY)

    network = wire(answer)
    pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)
    asked = network.requests[0]
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"me:canary-secret").decode()
    assert json.loads(asked.content) == {"grant_type": "client_credentials"}
    assert bearer(network.requests[1]) == "fresh-token-1"


def test_client_credentials_go_to_the_origin_as_a_form_for_totality(wire, clock):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "fresh-token-2", "expires_in": 3600})
        return httpx.Response(200, json=[])

    network = wire(answer)
    connection = Connection(f"{BASE}/api", client_id="me", client_secret="canary-secret")
    pull(TOTALITY, connection, clock, network, SweepRequest("loans", "t"))
    asked = network.requests[0]
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"]}
    assert network.requests[1].url.path == "/api/loans"
    assert network.requests[1].headers["accept"] == "application/vnd.totality.v1+json"


@pytest.mark.fault(23)
def test_a_token_that_ends_on_the_way_is_renewed_once_and_the_same_page_asked_again(wire, clock):
    issued = iter(["first-token", "second-token"])

    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": next(issued)})
        return httpx.Response(200, json=EMPTY) if bearer(request) == "second-token" else httpx.Response(401)

    network = wire(answer)
    pages = pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)
    assert len(pages) == 1
    assert network.lines() == [
        "POST /oauth/token",
        "GET /v1/payment_plans/deleted",
        "POST /oauth/token",
        "GET /v1/payment_plans/deleted",
    ]


@pytest.mark.fault(23)
def test_a_second_401_stops_with_a_question_of_permission(wire, clock):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "another-token"})
        return httpx.Response(401)

    network = wire(answer)
    with pytest.raises(NotPermitted) as caught:
        pull(
            PAYT, Connection(BASE, client_id="me", client_secret="canary-secret", token="static-token"), clock, network
        )
    assert caught.value.code == "not_permitted"
    assert len(network.requests) == 3


class Drawer:
    """Where a token lies between runs; remembers in which order it is used."""

    def __init__(self, events, *, is_shut=False):
        self.events, self.is_shut, self.token = events, is_shut, None

    @contextmanager
    def held(self):
        if self.is_shut:
            raise NotKept("shut")
        self.events.append("held")
        yield
        self.events.append("left")

    def newest(self):
        return self.token

    def keep(self, token):
        self.token = token
        self.events.append(token)


def test_a_refresh_token_is_replaced_at_each_use_and_handed_on_before_the_new_token_is_used(wire, clock):
    events = []

    def answer(request):
        if request.url.path == "/oauth/token":
            asked = json.loads(request.content)
            assert asked["grant_type"] == "refresh_token"
            number = int(asked["refresh_token"].rpartition("-")[2]) + 1
            return httpx.Response(
                200, json={"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 7200}
            )
        events.append(bearer(request))
        return httpx.Response(401) if bearer(request) == "access-1" else httpx.Response(200, json=EMPTY)

    kept = Drawer(events)
    connection = Connection(BASE, client_id="me", client_secret="canary-secret", refresh_token="refresh-0", kept=kept)
    pull(PAYT, connection, clock, wire(answer))
    assert events == ["held", "refresh-1", "left", "access-1", "held", "refresh-2", "left", "access-2"]


def test_a_token_whose_place_cannot_be_written_is_not_spent(wire, clock):
    network = wire(lambda _: httpx.Response(200, json=EMPTY))
    connection = Connection(
        BASE, client_id="me", client_secret="canary-secret", refresh_token="refresh-0", kept=Drawer([], is_shut=True)
    )
    with pytest.raises(NotKept) as caught:
        pull(PAYT, connection, clock, network)
    assert caught.value.code == "cannot_write"
    assert network.requests == []


def test_after_a_refusal_the_kept_token_is_read_once_more_and_only_once(wire, clock):
    spent, drawer = [], Drawer([])

    def answer(request):
        if request.url.path == "/oauth/token":
            spent.append(json.loads(request.content)["refresh_token"])
            drawer.token = "refresh-by-another"
            if spent[-1] != "refresh-by-another":
                return httpx.Response(401, json={"code": "invalid_grant", "message": "used before"})
            return httpx.Response(200, json={"access_token": "access-9", "refresh_token": "refresh-9"})
        return httpx.Response(200, json=EMPTY)

    connection = Connection(BASE, client_id="me", client_secret="canary-secret", refresh_token="refresh-0", kept=drawer)
    pull(PAYT, connection, clock, wire(answer))
    assert spent == ["refresh-0", "refresh-by-another"]
    assert drawer.token == "refresh-9"

    spent.clear()
    drawer.token = "refresh-of-nobody"
    with pytest.raises(NotPermitted):
        pull(PAYT, connection, clock, wire(lambda _: spent.append("asked") or httpx.Response(401)))
    assert spent == ["asked"], "what is still the same is not tried again"


def test_refused_credentials_are_a_question_of_permission_and_not_tried_again(wire, clock):
    network = wire(lambda _: httpx.Response(401, json={"error": "invalid_client"}))
    with pytest.raises(NotPermitted, match="refused the credentials"):
        pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)
    assert len(network.requests) == 1


def test_a_token_call_that_fails_for_a_moment_is_tried_again(wire, clock):
    answers = iter(
        [httpx.Response(503), httpx.Response(200, json={"access_token": "late-token"}), httpx.Response(200, json=EMPTY)]
    )
    network = wire(lambda _: next(answers))
    assert len(pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)) == 1


def test_an_answer_without_a_token_is_unreadable(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"token": "x"}))
    with pytest.raises(Unreadable, match="no access_token"):
        pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)


SIGNING_IN = {
    "payt": (PAYT, PLANS, {"client_id": "me", "client_secret": "canary-secret"}),
    "totality": (TOTALITY, SweepRequest("loans", "lender"), {"client_id": "me", "client_secret": "canary-secret"}),
    "payiq": (
        PAYIQ,
        SweepRequest("portfolio", "payiq"),
        {"api_key": "canary-key", "signing_secret": "canary-signing", "accounts": (AccountRef("canary-c", "R"),)},
    ),
}
SIGN_IN = pytest.mark.parametrize("name", list(SIGNING_IN))


@SIGN_IN
@pytest.mark.parametrize("token", ["canary\u2013token", "canary\r\nX-Other: token", "canary\ud800token", "canary\x00"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(wire, clock, name, token):
    provider, sweep, credentials = SIGNING_IN[name]
    network = wire(lambda _: httpx.Response(200, content=json.dumps({"access_token": token}).encode()))
    with pytest.raises(Unreadable, match="cannot be sent") as caught:
        pull(provider, Connection(BASE, attempts=1, **credentials), clock, network, sweep)
    assert "canary" not in str(caught.value)
    assert len(network.requests) == 1


@SIGN_IN
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "redirected to evil.test"),
        (307, "redirected to evil.test"),
        (304, "nothing changed"),
        (204, "no access_token"),
        (200, "no access_token"),
    ],
)
def test_what_is_no_answer_to_a_sign_in_is_named_and_nothing_is_sent_elsewhere(wire, clock, name, status, said):
    provider, sweep, credentials = SIGNING_IN[name]
    headers = {"location": "https://evil.test/token"}
    network = wire(lambda _: httpx.Response(status, html="<html>canary maintenance</html>", headers=headers))
    with pytest.raises((Misdirected, Unreadable), match=said) as caught:
        pull(provider, Connection(BASE, attempts=1, **credentials), clock, network, sweep)
    assert "canary" not in str(caught.value)
    assert {request.url.host for request in network.requests} == {"api.example.test"}


def test_the_life_of_a_token_may_be_written_as_text(wire, clock):
    answers = iter(
        [
            httpx.Response(200, json={"access_token": "fresh-token", "expires_in": "3600"}),
            httpx.Response(200, json=EMPTY),
        ]
    )
    network = wire(lambda _: next(answers))
    assert len(pull(PAYT, Connection(BASE, client_id="me", client_secret="canary-secret"), clock, network)) == 1
    assert bearer(network.requests[-1]) == "fresh-token"


def test_payiq_signs_key_and_creation_date(wire, clock):
    def answer(request):
        if request.url.path.endswith("/Api/Auth"):
            return httpx.Response(200, json={"access_token": "signed-token", "token_type": "Bearer"})
        return httpx.Response(200, json={"Success": True, "ErrorCode": "None", "Result": []})

    network = wire(answer)
    connection = Connection(
        f"{BASE}/PayIQ/",
        api_key="key-guid-1",
        signing_secret="canary-signing",
        role="APICustomer",
        accounts=(AccountRef("canary-customer", "R1"),),
    )
    pull(PAYIQ, connection, clock, network, SweepRequest("portfolio", "payiq"))
    asked = json.loads(network.requests[0].content)
    expected = hmac.new(b"canary-signing", b"key-guid-12026-06-30T12:00:00Z", hashlib.sha256).hexdigest()
    assert network.requests[0].url.path == "/PayIQ/Api/Auth"
    assert asked == {
        "APIKey": "key-guid-1",
        "CreationDate": "2026-06-30T12:00:00Z",
        "grant_type": "client_credentials",
        "Signature": expected,
        "Role": "APICustomer",
    }
    assert bearer(network.requests[1]) == "signed-token"


@pytest.mark.parametrize(
    ("provider", "connection"),
    [
        (PAYT, Connection(BASE)),
        (PAYT, Connection(BASE, client_id="me")),
        (TOTALITY, Connection(BASE, client_secret="canary-secret")),
        (PAYIQ, Connection(BASE, api_key="k", accounts=(AccountRef("c", "r"),))),
        (PAYIQ, Connection(BASE, api_key="k", signing_secret="s")),
        (PAYT, Connection(BASE, token="static-token", overrides={"no_such_assumption": "x"})),
        (PAYT, Connection("http://api.example.test", token="static-token")),
    ],
)
def test_a_connection_that_lacks_something_is_refused_before_anything_is_sent(wire, clock, provider, connection):
    network = wire(lambda _: httpx.Response(200, json=[]))
    with pytest.raises(NotConfigured) as caught:
        provider.connect(connection, clock=clock, wire=network.transport)
    assert caught.value.code == "configuration"
    assert network.requests == []


def test_a_token_address_that_is_not_safe_is_refused(wire, clock):
    network = wire(lambda _: httpx.Response(200, json=EMPTY))
    connection = Connection(BASE, client_id="me", client_secret="canary-secret", token_url="http://evil.test/token")
    with pytest.raises(NotConfigured):
        pull(PAYT, connection, clock, network)
    assert network.requests == []


def test_a_token_is_renewed_shortly_before_it_ends():
    now, issued = [0.0], iter(["one-token", "two-token"])
    tokens = Tokens("p", first=None, obtain=lambda _exchange: Grant(next(issued), 3600.0), monotonic=lambda: now[0])
    assert tokens.current(bytes) == "one-token"
    now[0] = 3500.0
    assert tokens.current(bytes) == "one-token"
    now[0] = 3541.0
    assert tokens.current(bytes) == "two-token"


def test_threads_that_see_the_same_stale_token_renew_it_once():
    count, gate = [], threading.Barrier(4)

    def obtain(_exchange):
        count.append(1)
        return Grant(f"token-number-{len(count)}")

    tokens = Tokens("p", first="stale-token", obtain=obtain, monotonic=lambda: 0.0)
    got = []

    def work():
        gate.wait()
        got.append(tokens.renew("stale-token", bytes))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["token-number-1"] * 4


def test_every_token_in_use_is_masked_in_logs(wire, clock, caplog):
    def answer(request):
        if request.url.path == "/oauth/token":
            return httpx.Response(
                200, json={"access_token": "canary-access-token", "refresh_token": "canary-refresh-2"}
            )
        return httpx.Response(200, json=EMPTY)

    connection = Connection(BASE, client_id="me", client_secret="canary-secret-9", refresh_token="canary-refresh-1")
    caplog.set_level(logging.DEBUG)
    pull(PAYT, connection, clock, wire(answer))
    for secret in ("canary-access-token", "canary-refresh-1", "canary-refresh-2", "canary-secret-9"):
        assert secret not in caplog.text
        assert LIVE.redact(f"a {secret} b") == f"a {MASK} b"


def test_the_redactor_masks_arguments_tracebacks_and_overlapping_secrets():
    redactor = Redactor()
    redactor.learn("secret-long-one", "secret", "x", None)
    error = ValueError("holds secret-long-one inside")
    trace = (ValueError, error, None)
    record = logging.LogRecord("n", logging.INFO, __file__, 1, "see %s", ("secret-long-one",), trace)
    assert redactor.filter(record)
    assert record.getMessage() == f"see {MASK}"
    assert "secret" not in logging.Formatter().format(record).replace(MASK, "")


@pytest.mark.parametrize("written", ["Canary-Secret", "canary-secret", "CANARY-SECRET", "https://CANARY-secret.test/"])
def test_a_secret_is_masked_in_upper_and_lower_case(written):
    redactor = Redactor()
    redactor.learn("Canary-Secret")
    assert "canary" not in redactor.redact(f"read {written} again").lower()
