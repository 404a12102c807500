"""The one door to the network: budgets, deadlines, retries, and what never leaves."""

import gzip
import logging
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from providers.base import Connection
from providers.errors import (
    Misdirected,
    NotConfigured,
    NotPermitted,
    ProviderError,
    RateLimited,
    Refused,
    TooLarge,
    Truncated,
    Unreachable,
)
from providers.http.addresses import origin, segment
from providers.http.answers import retry_after
from providers.http.auth import Tokens
from providers.http.pace import pace
from providers.http.transport import CIRCUIT, Call, Transport

TOKEN = "canary-token-4711"
LIST = Call("GET", "/v1/plans", "/v1/plans", (("debtor", "canary-debtor"),))


def door(wire, clock, **settings):
    connection = Connection(base_url="https://api.example.test", token=TOKEN, **settings)
    tokens = Tokens("payt", first=TOKEN, obtain=None, monotonic=time.monotonic)
    return Transport("payt", connection, clock=clock, tokens=tokens, rate=None, wire=wire.transport)


@contextmanager
def real(url, clock, **settings):
    """A door without a stand-in for the network."""
    tokens = Tokens("payt", first=TOKEN, obtain=None, monotonic=time.monotonic)
    with closing(
        Transport("payt", Connection(base_url=url, **settings), clock=clock, tokens=tokens, rate=None)
    ) as door:
        yield door


def body_of(reply):
    return reply.body


@pytest.mark.fault(8)
def test_a_server_error_that_passes_is_not_seen_by_the_caller(wire, clock):
    network = wire([httpx.Response(503), httpx.Response(500), httpx.Response(200, content=b"[]")])
    transport = door(network, clock)
    assert transport.read(LIST, body_of) == b"[]"
    assert transport.traffic().requests == 3
    assert transport.traffic().retries == 2


@pytest.mark.fault(1, 8)
def test_a_server_error_that_stays_ends_after_bounded_attempts(wire, clock):
    network = wire(lambda _: httpx.Response(502))
    with pytest.raises(Unreachable) as caught:
        door(network, clock, attempts=4).read(LIST, body_of)
    assert len(network.requests) == 4
    assert caught.value.code == "provider_unreachable"
    assert caught.value.status == 502


@pytest.mark.fault(8)
def test_after_three_requests_that_failed_for_good_the_client_stops_asking(wire, clock):
    network = wire(lambda _: httpx.Response(500))
    transport = door(network, clock, attempts=2)
    for _ in range(CIRCUIT + 2):
        with pytest.raises(Unreachable):
            transport.read(LIST, body_of)
    assert len(network.requests) == 2 * CIRCUIT


@pytest.mark.fault(2)
@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset")])
def test_a_broken_connection_is_tried_again(wire, clock, error):
    answers = iter([error, httpx.Response(200, content=b"[]")])

    def answer(_request):
        item = next(answers)
        if isinstance(item, Exception):
            raise item
        return item

    assert door(wire(answer), clock).read(LIST, body_of) == b"[]"


def test_a_body_shorter_than_its_stated_length_is_read_again(wire, clock):
    cut = httpx.Response(200, stream=Stream(b"[1,"), headers={"content-length": "10"})
    network = wire([cut, httpx.Response(200, content=b"[1,2,3,4]")])
    assert door(network, clock).read(LIST, body_of) == b"[1,2,3,4]"


def test_a_connection_that_ends_inside_the_answer_is_truncated(wire, clock):
    def answer(_request):
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    with pytest.raises(Truncated):
        door(wire(answer), clock).read(LIST, body_of)


class Stream(httpx.SyncByteStream):
    def __init__(self, *chunks, pause=0.0):
        self.chunks, self.pause = chunks, pause

    def __iter__(self):
        for chunk in self.chunks:
            time.sleep(self.pause)
            yield chunk


@contextmanager
def speaking(*said: bytes, pause: float = 0.05):
    """A server that takes one request, says these bytes with pauses between them, and remembers what it heard and when it was left."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        left, heard = threading.Event(), []

        def speak():
            connection, _ = listening.accept()
            with connection:
                heard.append(connection.recv(65536))
                with suppress(OSError):
                    for some in said:
                        connection.sendall(some)
                        time.sleep(pause)
                    connection.settimeout(5)
                    if not connection.recv(65536):
                        left.set()

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", left, heard
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n"


@pytest.mark.fault(5, 6)
@pytest.mark.parametrize(
    "said",
    [(), (HEAD, *[b"X-A: b\r\n"] * 100), (HEAD + b"\r\n", *[b" "] * 100)],
    ids=["nothing", "headers drop by drop", "a body drop by drop"],
)
def test_what_is_not_answered_whole_by_the_deadline_is_left_and_the_connection_closed(clock, said):
    with speaking(*said) as (url, left, _):
        started = time.monotonic()
        with real(url, clock, deadline=0.3, attempts=1) as transport:
            with pytest.raises(Unreachable, match=r"no whole answer within 0\.3 s"):
                transport.read(LIST, body_of)
            assert said or left.wait(5)
        assert time.monotonic() - started < 1.3


def test_a_look_up_that_never_ends_is_left_at_the_deadline_and_nothing_is_sent(monkeypatch, clock):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_named: released.wait(5))
    started = time.monotonic()
    over = pytest.raises(Unreachable, match=r"no whole answer within 0\.2 s")
    with real("http://localhost:1", clock, deadline=0.2, attempts=1) as transport, over:
        transport.read(LIST, body_of)
    assert time.monotonic() - started < 1.2
    released.set()


@pytest.mark.parametrize("query", [(), (("a", ""), ("b c", "é&=%2F+~")), (("customerToken", "x/y z"),)])
def test_a_query_reaches_the_provider_as_the_library_would_write_it(wire, clock, query):
    network = wire(lambda _: httpx.Response(200, content=b"[]"))
    door(network, clock).read(Call("GET", "/v1/a%20b/c", "/v1/{id}/c", query), body_of)
    plain = httpx.URL("https://api.example.test/v1/a%20b/c", **({"params": query} if query else {}))
    assert network.requests[0].url == plain
    assert network.requests[0].url.raw_path == plain.raw_path


def test_a_cookie_that_a_provider_sets_is_not_sent_back(wire, clock):
    network = wire(lambda _: httpx.Response(200, content=b"[]", headers={"set-cookie": "session=1"}))
    transport = door(network, clock)
    transport.read(LIST, body_of)
    transport.read(LIST, body_of)
    assert "cookie" not in network.requests[1].headers


@pytest.mark.fault(10)
def test_a_decompression_bomb_stops_at_the_byte_budget_and_is_not_tried_again(wire, clock):
    bomb = gzip.compress(bytes(8 * 1024 * 1024))
    network = wire(lambda _: httpx.Response(200, stream=Stream(bomb), headers={"content-encoding": "gzip"}))
    with pytest.raises(TooLarge, match="larger than 100000 bytes"):
        door(network, clock, byte_budget=100_000).read(LIST, body_of)
    assert len(network.requests) == 1


@pytest.mark.fault(9)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_names_both_hosts(wire, clock, status):
    network = wire(lambda _: httpx.Response(status, headers={"location": "https://evil.test/steal?x=1"}))
    with pytest.raises(Misdirected, match=r"api\.example\.test redirected to evil\.test"):
        door(network, clock).read(LIST, body_of)
    assert [request.url.host for request in network.requests] == ["api.example.test"]


@pytest.mark.parametrize("location", [b"//[bad", b"https://[::1", "https://e\u202evil.test/".encode(), b"/next", b""])
def test_a_redirect_to_what_is_no_address_is_refused_as_well(wire, clock, location):
    network = wire(lambda _: httpx.Response(302, headers=[(b"location", location)]))
    with pytest.raises(Misdirected, match=r"api\.example\.test redirected to an address of its own, which"):
        door(network, clock).read(LIST, body_of)


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/next",
        "http://api.example.test/next",
        "https://api.example.test:8443/next",
        "https://user:pw@api.example.test/next",
        "https://api.example.test\\@evil.test/next",
        "//evil.test/next",
    ],
)
def test_an_address_of_another_origin_is_refused_before_anything_is_sent(wire, clock, address):
    network = wire(lambda _: httpx.Response(200))
    with pytest.raises(Misdirected):
        door(network, clock).read(Call("GET", address, "/next"), body_of)
    assert network.requests == []


def test_an_absolute_address_of_the_same_origin_is_followed(wire, clock):
    network = wire(lambda _: httpx.Response(200, content=b"[]"))
    assert door(network, clock).read(Call("GET", "https://api.example.test/v1/next", "/next"), body_of) == b"[]"


def test_429_is_tried_again_after_what_the_provider_asks_for(wire, clock):
    network = wire([httpx.Response(429, headers={"retry-after": "3"}), httpx.Response(200, content=b"[]")])
    transport = door(network, clock)
    assert transport.read(LIST, body_of) == b"[]"
    assert 3.0 <= transport._wait(RateLimited("slow down", retry_after=3.0)) < 4.0


@pytest.mark.fault(7)
def test_an_absurd_retry_after_is_capped_and_none_falls_back_to_growing_waits(wire, clock):
    transport = door(wire([]), clock, retry_after_cap=30.0)
    assert transport._wait(RateLimited("slow down", retry_after=10.0**9)) < 31.0
    assert transport._wait(RateLimited("slow down")) is True
    assert transport._wait(Refused("no")) is False
    assert transport._wait(ValueError("a bug")) is False


def test_429_that_stays_is_said_as_such_with_a_bounded_number_of_requests(wire, clock):
    network = wire(lambda _: httpx.Response(429))
    with pytest.raises(RateLimited, match="requests_per_second"):
        door(network, clock, attempts=3).read(LIST, body_of)
    assert len(network.requests) == 3


@pytest.mark.fault(7)
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-4", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        (None, None),
        ("Tue, 30 Jun 2026 12:00:07 GMT", 7.0),
        ("Tue, 30 Jun 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text, seconds):
    assert retry_after(text, datetime(2026, 6, 30, 12, tzinfo=UTC)) == seconds


def test_a_refusal_is_not_tried_again_and_repeats_nothing_of_the_body(wire, clock):
    network = wire(lambda _: httpx.Response(422, json={"code": "invalid", "message": "canary-person lives here"}))
    with pytest.raises(Refused) as caught:
        door(network, clock).read(LIST, body_of)
    assert len(network.requests) == 1
    assert "canary-person" not in str(caught.value)


def test_a_missing_scope_is_named(wire, clock):
    network = wire(
        lambda _: httpx.Response(403, json={"code": "forbidden", "message": "Missing permission: invoices:read"})
    )
    with pytest.raises(NotPermitted, match="Grant the scope invoices:read") as caught:
        door(network, clock).read(LIST, body_of)
    assert caught.value.code == "not_permitted"


def test_a_403_with_personal_words_repeats_none_of_them(wire, clock):
    network = wire(lambda _: httpx.Response(403, json={"message": "Missing permission: canary person, 3 Main St"}))
    with pytest.raises(NotPermitted) as caught:
        door(network, clock).read(LIST, body_of)
    assert "canary" not in str(caught.value)


def test_errors_logs_and_reprs_hold_neither_token_nor_query(wire, clock, caplog):
    caplog.set_level(logging.DEBUG)
    network = wire(lambda _: httpx.Response(500, headers={"x-request-id": "req-7"}))
    with pytest.raises(ProviderError) as caught:
        door(network, clock, attempts=2).read(LIST, body_of)
    everything = caplog.text + str(caught.value) + repr(caught.value) + repr(LIST)
    assert TOKEN not in everything
    assert "canary-debtor" not in everything
    assert "request id req-7" in str(caught.value)
    assert "GET /v1/plans" in str(caught.value)
    assert TOKEN not in repr(Connection(base_url="https://x.test", token=TOKEN))


def test_a_hostile_request_id_is_left_out(wire, clock):
    network = wire(lambda _: httpx.Response(400, headers={"x-request-id": "<script>alert(1)</script>"}))
    with pytest.raises(Refused) as caught:
        door(network, clock).read(LIST, body_of)
    assert "script" not in str(caught.value)


@pytest.mark.fault(70)
@pytest.mark.parametrize("hostile", ["a/../../admin", "x?y=1", "x#y", "%2f", "a b", "é", "..%2f.."])
def test_an_id_stays_one_path_segment_whatever_is_in_it(wire, clock, hostile):
    network = wire(lambda _: httpx.Response(200, content=b"{}"))
    path = f"/v1/plans/{segment(hostile)}/end"
    door(network, clock).read(Call("GET", path, "/v1/plans/{id}/end"), body_of)
    raw = network.requests[0].url.raw_path.decode()
    assert raw.startswith("/v1/plans/")
    assert raw.endswith("/end")
    assert raw.count("/") == 4
    assert "?" not in raw
    assert "#" not in raw


@pytest.mark.fault(70)
@pytest.mark.parametrize("hostile", ["", ".", ".."])
def test_a_dot_segment_is_refused_as_an_id(hostile):
    with pytest.raises(Refused):
        segment(hostile)


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.test",
        "ftp://api.example.test",
        "https://",
        "api.example.test",
        "https://u:p@api.example.test",
        "https://api.example.test/?x=1",
        "https://api.example.test/#x",
        "https://api.example.test:port/",
        "",
    ],
)
def test_a_base_address_that_is_not_safe_is_refused(url):
    with pytest.raises(NotConfigured):
        origin(url, provider="payt", name="base_url")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:1/x", "http://localhost/x", "https://api.example.test/x"]
)
def test_https_and_loopback_are_accepted(url):
    assert origin(url, provider="payt", name="base_url")


@pytest.mark.fault(12)
def test_proxies_certificates_and_passwords_of_the_environment_are_ignored(monkeypatch, tmp_path, clock):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary-user password canary-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    monkeypatch.setenv("NO_PROXY", "")
    with speaking(HEAD.replace(b"400", b"2") + b"\r\n[]") as (url, _, heard), real(url, clock) as transport:
        assert transport.read(LIST, body_of) == b"[]"
    assert f"Authorization: Bearer {TOKEN}".lower().encode() in heard[0].lower()


def test_the_pace_never_lets_more_through_in_a_second_than_allowed():
    limiter = pace(9)
    started = time.monotonic()
    taken = []
    while time.monotonic() - started < 1.2:
        limiter.try_acquire("x")
        taken.append(time.monotonic())
    assert all(sum(at <= moment < at + 0.95 for moment in taken) <= 9 for at in taken)
    assert len(taken) >= 9


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pace_that_is_no_pace_is_refused(bad):
    with pytest.raises(NotConfigured):
        pace(bad)


@pytest.mark.parametrize("rate", [0.5, 1, 2.5, 3, 4, 7, 9, 10, 50, 333])
def test_every_sane_pace_can_be_kept(rate):
    assert pace(rate).try_acquire("x")


@pytest.mark.fault(2, 48)
@pytest.mark.parametrize(
    "happens", [500, 503, 408, 429, httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_a_call_with_an_effect_is_sent_once_whatever_happens(wire, clock, happens):
    def answer(request):
        if isinstance(happens, int):
            return httpx.Response(happens)
        raise happens("broken", request=request)

    network = wire(answer)
    with pytest.raises((Unreachable, RateLimited, Truncated)):
        door(network, clock).send(Call("POST", "/v1/plans", "/v1/plans", json={"a": 1}))
    assert len(network.requests) == 1


@pytest.mark.fault(14, 64)
@pytest.mark.parametrize("ahead", [-3600, 0, 3600, None])
def test_changes_are_looked_for_from_the_earlier_of_both_clocks(wire, clock, ahead):
    said = {} if ahead is None else {"Date": format_datetime(clock() + timedelta(seconds=ahead), usegmt=True)}
    transport = door(wire([httpx.Response(200, content=b"[]", headers=said)]), clock)
    transport.read(LIST, body_of)
    assert transport.until_now() == clock() + timedelta(seconds=min(ahead or 0, 0))
