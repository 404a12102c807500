"""When a list counts as read: its rows settle, its paging ends, its length is believable."""

import json
import logging

import httpx
import pytest

from providers.base import AccountRef, Connection, SweepRequest
from providers.errors import Endless, Unstable
from providers.payiq.reading import PROVIDER as PAYIQ
from providers.payt.reading import PROVIDER as PAYT
from providers.totality.reading import PROVIDER as TOTALITY

BASE = "https://api.example.test"
LOANS = SweepRequest("loans", "lender")
SIZE = 10


def rows(count):
    return [{"uuid": f"loan-{number}", "balance": number} for number in range(count)]


def pull(wire, clock, answer, sweep=LOANS, **settings):
    connection = Connection(BASE, token="canary-token", attempts=1, **settings)
    network = wire(answer)
    with TOTALITY.connect(connection, clock=clock, wire=network.transport) as client:
        return list(client.pull(sweep)), network


def uuids(pages):
    return {row["uuid"] for page in pages for row in as_rows(json.loads(page.body))}


def as_rows(body):
    return body if isinstance(body, list) else body["data"]


def overlapping(have, *, stated=None):
    """Pages by number; every second request for a page begins with the last three rows of the page before."""
    asked = []

    def answer(request):
        number = int(request.url.params["page"])
        asked.append(number)
        start = (number - 1) * SIZE
        shown = have[start : start + SIZE]
        if shown and number > 1 and len(asked) % 2 == 0:
            shown = have[start - 3 : start] + shown
        body = shown if stated is None else {"data": shown, "total": stated}
        return httpx.Response(200, json=body)

    return answer


@pytest.mark.parametrize("stated", [None, 45])
def test_pages_that_overlap_are_whole_once_two_passes_show_the_same_rows(wire, clock, stated):
    pages, network = pull(wire, clock, overlapping(rows(45), stated=stated))
    assert uuids(pages) == {row["uuid"] for row in rows(45)}
    assert len(network.requests) == 2 * 6, "two passes of five pages and the empty one"


@pytest.mark.fault(4, 18)
@pytest.mark.parametrize("count", [4, 45])
def test_a_list_with_fewer_rows_than_it_says_it_has_is_not_whole(wire, clock, count):
    with pytest.raises(Unstable, match=f"says that it has 99 rows and shows {count}"):
        pull(wire, clock, overlapping(rows(count), stated=99))


def test_a_stated_length_is_not_looked_at_where_it_is_said_to_mean_something_else(wire, clock):
    pages, _ = pull(wire, clock, overlapping(rows(45), stated=99), overrides={"total": ""})
    assert uuids(pages) == {row["uuid"] for row in rows(45)}


def test_a_row_that_changes_between_two_pages_counts_once_and_its_newest_content_comes_last(wire, clock):
    old, changed = {"uuid": "loan-0", "balance": 0}, {"uuid": "loan-0", "balance": 7}
    have = [old, *rows(25)[1:]]

    def answer(request):
        number = int(request.url.params["page"])
        if number == 2 and have[0] is old:
            del have[0]
            have.append(changed)
        return httpx.Response(200, json=have[(number - 1) * SIZE : number * SIZE])

    pages, _ = pull(wire, clock, answer)
    assert uuids(pages) == {row["uuid"] for row in rows(25)}
    shown = [row["balance"] for page in pages for row in as_rows(json.loads(page.body)) if row["uuid"] == "loan-0"]
    assert (shown[0], shown[-1]) == (0, 7)


def test_a_list_that_comes_in_another_order_at_every_pass_is_whole_all_the_same(wire, clock):
    have = rows(25)

    def answer(request):
        number = int(request.url.params["page"])
        if number == 1:
            have.append(have.pop(0))
        return httpx.Response(200, json=have[(number - 1) * SIZE : number * SIZE])

    pages, network = pull(wire, clock, answer)
    assert uuids(pages) == {row["uuid"] for row in rows(25)}
    assert len(network.requests) == 2 * 4


def test_a_list_that_shrinks_while_it_is_read_loses_no_row_that_stays(wire, clock):
    """At each of the first passes a row of the first page goes while the second is asked for."""
    have, going = rows(35), ["loan-0", "loan-1"]

    def answer(request):
        number = int(request.url.params["page"])
        if number == 2 and going:
            gone = going.pop()
            have[:] = [row for row in have if row["uuid"] != gone]
        return httpx.Response(200, json={"data": have[(number - 1) * SIZE : number * SIZE], "total": len(have)})

    pages, _ = pull(wire, clock, answer)
    assert {row["uuid"] for row in have} <= uuids(pages)


@pytest.mark.fault(18)
@pytest.mark.parametrize(("count", "at", "last"), [(35, 3, 0), (35, 2, 5), (20, 2, 4)])
def test_a_numbered_page_that_is_empty_once_hides_nothing_behind_it(wire, clock, count, at, last):
    """Where the second page is empty, only the length of the last whole fetch tells that there must be more."""
    have, slips = rows(count), [at]

    def answer(request):
        number = int(request.url.params["page"])
        is_look = "filter[updatedAt][gte]" in request.url.params  # nothing has changed
        if is_look or number in slips:
            slips.clear()
            return httpx.Response(200, json=[])
        return httpx.Response(200, json=have[(number - 1) * SIZE : number * SIZE])

    pages, _ = pull(wire, clock, answer, SweepRequest("loans", "lender", last_pages=last))
    assert uuids(pages) == {row["uuid"] for row in have}


def biller(have, going=()):
    """One account's payments by number; at each of the first requests for page 2 a row of page 1 goes first."""
    going = list(going)

    def answer(request):
        result = {"Accounts": []}
        if not request.url.path.endswith("Setup"):
            number = int(request.url.params["Page"])
            if number == 2 and going:
                have.remove(going.pop())
            start = (number - 1) * SIZE
            result = have[start : start + SIZE] if request.url.path.endswith("Payment") else []
        return httpx.Response(200, json={"Success": True, "ErrorCode": "None", "Result": result})

    return answer


def pull_account(wire, clock, answer):
    provider, sweep, credentials = ENDLESS["payiq"]
    connection = Connection(BASE, **({"token": "canary-token", "page_size": SIZE} | credentials))
    network = wire(answer)
    with provider.connect(connection, clock=clock, wire=network.transport) as client:
        pages = [json.loads(page.body)["Result"] for page in client.pull(sweep) if page.entity == "payments"]
    asked = [request for request in network.requests if request.url.path.endswith("Payment")]
    return [row["ID"] for page in pages for row in page], len(asked)


@pytest.mark.fault(13)
def test_payments_of_an_account_that_lose_a_row_while_they_are_paged_lose_no_other(wire, clock):
    have = [{"ID": number} for number in range(25)]
    found, _ = pull_account(wire, clock, biller(have, going=[have[0], have[1]]))
    assert {row["ID"] for row in have} <= set(found)


@pytest.mark.fault(18)
def test_a_full_page_of_an_accounts_payments_is_not_believed_to_be_all_of_them(wire, clock):
    have, slips = [{"ID": number} for number in range(25)], [2]
    usual = biller(have)

    def answer(request):
        if request.url.path.endswith("Payment") and int(request.url.params["Page"]) in slips:
            slips.clear()
            return httpx.Response(200, json={"Success": True, "ErrorCode": "None", "Result": []})
        return usual(request)

    found, _ = pull_account(wire, clock, answer)
    assert set(found) == set(range(25))


def test_payments_of_an_account_that_fit_one_page_are_asked_for_once(wire, clock):
    found, asked = pull_account(wire, clock, biller([{"ID": number} for number in range(7)]))
    assert (found, asked) == (list(range(7)), 2)  # the second answer, an empty page, is the end of the list


def test_payments_of_an_account_on_several_pages_are_read_until_two_passes_agree(wire, clock):
    found, asked = pull_account(wire, clock, biller([{"ID": number} for number in range(25)]))
    assert (found, asked) == (list(range(25)), 2 * 4)


ENDLESS = {
    "payt": (PAYT, SweepRequest("payments", "7", last_pages=1), {}),
    "totality": (TOTALITY, SweepRequest("loans", "lender", last_pages=1), {}),
    "payiq": (
        PAYIQ,
        SweepRequest("portfolio", "payiq"),
        {"api_key": "canary-api-key", "signing_secret": "canary-signing", "accounts": (AccountRef("canary-c", "R"),)},
    ),
}


def endless(name):
    """A list whose every page is new."""
    numbers = iter(range(10**9))

    def answer(request):
        number = next(numbers)
        if name == "payt":
            row = {"id": str(number), "administration_id": "7"}
            return httpx.Response(200, json={"data": [row], "pagination": {"cursor": number}})
        if name == "totality":
            return httpx.Response(200, json=[{"uuid": str(number)}])
        is_list = not request.url.path.endswith("Setup")
        result = [{"PaymentID": number}] if is_list else {"Accounts": []}
        return httpx.Response(200, json={"Success": True, "ErrorCode": "None", "Result": result})

    return answer


def pull_endless(wire, clock, name, **settings):
    provider, sweep, credentials = ENDLESS[name]
    network = wire(endless(name))
    connection = Connection(BASE, **({"token": "canary-token", "requests_per_second": 9999.0} | credentials | settings))
    client = provider.connect(connection, clock=clock, wire=network.transport)
    with client, pytest.raises(Endless) as caught:
        list(client.pull(sweep))
    assert caught.value.code == "provider_protocol"
    return str(caught.value), len(network.requests)


@pytest.mark.parametrize("name", ["payt", "totality"])
def test_a_list_is_stopped_at_many_times_its_last_length_and_tells_how_far_it_is(wire, clock, name, caplog):
    with caplog.at_level(logging.INFO, logger="planrecon.providers"):
        said, requests = pull_endless(wire, clock, name)
    assert "has not ended after 110 pages (the last whole fetch had 1)" in said
    assert "planrecon run --full" in said
    assert requests <= 112
    assert "100 pages so far" in caplog.text


@pytest.mark.parametrize("name", list(ENDLESS))
def test_a_list_is_stopped_when_the_time_for_it_is_over(wire, clock, name):
    said, requests = pull_endless(wire, clock, name, sweep_seconds=0.0)
    assert "the time for one list is over" in said
    assert requests <= 4


@pytest.mark.fault(15)
@pytest.mark.parametrize("name", list(ENDLESS))
def test_a_list_never_has_more_pages_than_any_list_may_have(wire, clock, name):
    said, _ = pull_endless(wire, clock, name, page_cap=20)
    assert "has not ended after 20 pages" in said
