"""What may be made of an answer before its body is looked into: its status, its headers, what it repeats."""

from datetime import UTC, datetime

import httpx
import pytest

from providers.base import AccountRef, Connection, SweepRequest
from providers.errors import NotPermitted, ProviderError, Unreadable
from providers.http.answers import http_date, retry_after
from providers.payiq.reading import PROVIDER as PAYIQ
from providers.payt.reading import PROVIDER as PAYT
from providers.totality.reading import PROVIDER as TOTALITY

BASE = "https://api.example.test"
MARK = b"\xef\xbb\xbf"
PAYIQ_EMPTY = {"Success": True, "ErrorCode": "None", "Result": []}
LISTS = {
    "payt": (PAYT, SweepRequest("payments", "7"), {"data": []}),
    "totality": (TOTALITY, SweepRequest("loans", "lender"), []),
    "payiq": (PAYIQ, SweepRequest("portfolio", "payiq"), PAYIQ_EMPTY),
}


@pytest.fixture
def ask(wire, clock):
    """Pull one list of a provider whose every answer to a list is the given one."""

    def asked(name, answer):
        provider, sweep, _ = LISTS[name]
        credentials = {"token": "canary-static-token"}
        if name == "payiq":
            account = AccountRef("canary-customer-token", "R1")
            credentials |= {"api_key": "canary-api-key", "signing_secret": "canary-signing", "accounts": (account,)}
        network = wire(lambda _: answer())
        connection = Connection(BASE, attempts=1, **credentials)
        with provider.connect(connection, clock=clock, wire=network.transport) as client:
            return list(client.pull(sweep))

    return asked


EVERY = pytest.mark.parametrize("name", list(LISTS))


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Sun, 31 Dec 1899 23:59:59 GMT",
        "Wed, 99 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 2026 00:00:00 +999999999999",
        "",
        ",",
    ],
)
def test_a_header_at_the_edge_of_the_calendar_names_no_time(text):
    assert http_date(text) is None
    assert retry_after(text, datetime(2026, 1, 1, tzinfo=UTC)) is None


@EVERY
def test_a_date_no_clock_can_show_ends_no_fetch(ask, name):
    headers = {"date": "Fri, 31 Dec 9999 23:59:59 -0100"}
    pages = ask(name, lambda: httpx.Response(200, json=LISTS[name][2], headers=headers))
    assert pages
    assert {page.provider_clock for page in pages} == {None}


@pytest.mark.fault(20)
@EVERY
def test_a_byte_order_mark_before_json_is_skipped_and_kept_among_the_bytes_as_received(ask, name):
    body = MARK + httpx.Response(200, json=LISTS[name][2]).content
    pages = ask(name, lambda: httpx.Response(200, content=body, headers={"content-type": "application/json"}))
    assert {page.body for page in pages} == {body}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (202, "accepted"),
        (203, "changed on its way"),
        (204, "is empty"),
        (206, "only a part"),
        (299, "not documented"),
        (304, "nothing changed"),
    ],
)
@EVERY
def test_only_200_is_a_whole_list_and_every_other_success_is_named(ask, name, status, words):
    with pytest.raises(Unreadable, match=words) as caught:
        ask(name, lambda: httpx.Response(status, json=LISTS[name][2]))
    assert caught.value.code == "provider_protocol"
    assert caught.value.status == status


@pytest.mark.fault(20)
@pytest.mark.parametrize(
    ("encoding", "words"), [("br", "'br'"), ("gzip, deflate", "'deflate'"), ("Ärger <b>", "without a proper name")]
)
@EVERY
def test_an_encoding_nobody_asked_for_is_refused_by_its_name(ask, name, encoding, words):
    headers = [(b"content-encoding", encoding.encode()), (b"content-type", b"application/json")]

    def answer():
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"{}"))

    with pytest.raises(Unreadable, match="not asked for") as caught:
        ask(name, answer)
    assert words in str(caught.value)


@pytest.mark.parametrize("header", ["x-request-id", "location"])
@EVERY
def test_a_secret_that_a_provider_repeats_in_a_header_is_in_no_error(ask, name, header):
    secret = "canary-customer-token" if name == "payiq" else "canary-static-token"
    value = f"https://{secret.upper()}.example.test/" if header == "location" else secret
    status = 302 if header == "location" else 400
    with pytest.raises(ProviderError) as caught:
        ask(name, lambda: httpx.Response(status, headers={header: value}))
    said = f"{caught.value} {caught.value.what} {caught.value.request_id} {caught.value.next_step}".lower()
    assert secret not in said


@pytest.mark.parametrize(
    "body",
    [
        {"code": "forbidden", "message": "Missing permission: payments:read"},
        {"message": "Missing permission: payments:read"},
        {"error": {"message": "Missing permission: payments:read"}},
    ],
)
def test_a_missing_scope_is_read_from_every_form_of_an_error(ask, body):
    with pytest.raises(NotPermitted, match="Grant the scope payments:read"):
        ask("payt", lambda: httpx.Response(403, json=body))
