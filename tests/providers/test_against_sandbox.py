"""The real clients over real HTTP, against the sandboxed providers and what goes wrong with them."""

import json
import random
import re
import socket
import time
from collections import Counter

import pytest
from storm import faults

from providers import PROVIDERS
from providers.base import AccountRef, Connection, SweepRequest
from providers.errors import (
    Misdirected,
    NotPermitted,
    RateLimited,
    Refused,
    TooLarge,
    Truncated,
    Unreachable,
    Unreadable,
)
from sandbox.server import serve
from sandbox.world import Verbatim
from sandbox.worlds import scenarios

FAST = {"requests_per_second": 500.0, "connect_timeout": 2.0, "read_timeout": 2.0, "deadline": 5.0}


@pytest.fixture
def sandbox():
    with serve(scenarios.golden(), rate_limit=None) as running:
        yield running


def opened(sandbox, name, clock, *, without=(), **settings):
    given = {key: value for key, value in sandbox.credentials[name].items() if key not in without}
    if name == "payiq":
        given["accounts"] = tuple(AccountRef(*key) for key in sandbox.world.payiq.setups)
    return PROVIDERS[name].connect(Connection(sandbox.urls[name], **{**given, **FAST, **settings}), clock=clock)


def tenant(sandbox, name):
    return str(sandbox.world.payt.administrations[0]["id"]) if name == "payt" else name


def everything(sandbox, name, client):
    """Rows per received table, and all rejects, of one tenant's whole pull."""
    rows, rejects = Counter(), []
    for sweep in client.sweeps(tenant(sandbox, name), {}):
        for page in client.pull(sweep):
            decoded = PROVIDERS[name].decode(page.entity, page.body, page.context)
            rejects += decoded.rejects
            rows.update({table: len(columns["position"]) for table, columns in decoded.tables.items()})
    return rows, rejects


FIRST = {
    "payt": SweepRequest("payment_plans", ""),
    "totality": SweepRequest("payment_plans", "totality"),
    "payiq": SweepRequest("portfolio", "payiq"),
}
LIST = {"payt": r"GET /v1/payment_plans\?", "totality": r"GET /api/payment-plans", "payiq": r"GET /PayIQ/Api/Payment\?"}


def first_sweep(sandbox, name):
    return SweepRequest(FIRST[name].name, tenant(sandbox, name))


def pulled(sandbox, name, clock, **settings):
    with opened(sandbox, name, clock, **settings) as client:
        return list(client.pull(first_sweep(sandbox, name)))


def test_everything_payt_holds_is_read_and_nothing_else(sandbox, clock):
    with opened(sandbox, "payt", clock) as client:
        rows, rejects = everything(sandbox, "payt", client)
    mine = tenant(sandbox, "payt")
    held = {
        kind: [row for row in getattr(sandbox.world.payt, kind) if str(row["administration_id"]) == mine]
        for kind in ("payment_plans", "payments", "psp_transactions", "invoices", "credit_cases", "debtors")
    }
    assert rejects == []
    assert {kind: rows[f"payt__{kind}"] for kind in held} == {kind: len(list_) for kind, list_ in held.items()}
    assert rows["payt__payment_terms"] == sum(len(plan["payment_terms"]) for plan in held["payment_plans"])


def test_everything_totality_holds_is_read_and_nothing_else(sandbox, clock):
    with opened(sandbox, "totality", clock) as client:
        rows, rejects = everything(sandbox, "totality", client)
    lists = ("loans", "payment_plans", "scheduled_payments", "payments")
    assert rejects == []
    assert {kind: rows[f"totality__{kind}"] for kind in lists} == {
        kind: len(getattr(sandbox.world.totality, kind)) for kind in lists
    }


def test_everything_payiq_holds_is_read_and_nothing_else(sandbox, clock):
    with opened(sandbox, "payiq", clock) as client:
        rows, rejects = everything(sandbox, "payiq", client)
    world = sandbox.world.payiq
    assert rejects == []
    assert rows["payiq__setups"] == len(world.setups)
    assert rows["payiq__payments"] == sum(map(len, world.payments.values()))
    assert rows["payiq__plans"] >= 1


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("name", "without"), [("payt", ("token", "refresh_token")), ("totality", ("token",)), ("payiq", ())]
)
def test_a_token_revoked_on_the_way_is_renewed_and_the_page_read_again(sandbox, clock, name, without):
    sandbox.faults.add(faults.before(sandbox.tokens[name].live.clear), provider=name, match=LIST[name])
    assert pulled(sandbox, name, clock, without=without)
    tokens = [
        request
        for request in sandbox.requests[name]
        if "oauth" in request.path.lower() or "auth" in request.path.lower()
    ]
    assert len(tokens) == 2


@pytest.mark.fault(7)
@pytest.mark.parametrize("name", ["payt", "totality", "payiq"])
@pytest.mark.parametrize("retry_after", [None, "0", "Tue, 30 Jun 2026 12:00:00 GMT", "soon"])
def test_429_is_waited_out(sandbox, clock, name, retry_after):
    sandbox.faults.add(faults.status(429, retry_after=retry_after), provider=name, match=LIST[name], times=2)
    assert pulled(sandbox, name, clock)


@pytest.mark.fault(7)
def test_429_without_end_is_given_up_after_a_bounded_number_of_requests(sandbox, clock):
    sandbox.faults.add(faults.status(429), provider="payt", times=faults.FOREVER)
    with pytest.raises(RateLimited):
        pulled(sandbox, "payt", clock, attempts=3)
    assert len(sandbox.requests["payt"]) == 3


@pytest.mark.fault(7)
def test_the_documented_limit_of_payt_is_never_reached(clock):
    with serve(scenarios.golden(), rate_limit=10) as running:
        given = {"token": running.credentials["payt"]["token"]}
        with PROVIDERS["payt"].connect(Connection(running.urls["payt"], **given), clock=clock) as client:
            for _ in range(3):
                list(client.pull(SweepRequest("payment_plans", tenant(running, "payt"))))
            assert client.traffic().retries == 0


@pytest.mark.fault(3, 4)
@pytest.mark.parametrize("name", ["payt", "totality", "payiq"])
@pytest.mark.parametrize("how", ["length", "chunked", "close"])
def test_a_cut_body_is_read_again_and_never_given_out(sandbox, clock, name, how):
    whole = [page.body for page in pulled(sandbox, name, clock)]
    sandbox.faults.add(faults.cut(how), provider=name, match=LIST[name], times=2)
    assert [page.body for page in pulled(sandbox, name, clock)] == whole


@pytest.mark.fault(3, 4)
def test_a_body_that_stays_cut_ends_the_sweep(sandbox, clock):
    sandbox.faults.add(faults.cut("close"), provider="totality", match=LIST["totality"], times=faults.FOREVER)
    with pytest.raises(Truncated):
        pulled(sandbox, "totality", clock, attempts=2)


@pytest.mark.parametrize("name", ["payt", "totality", "payiq"])
def test_a_malformed_row_costs_itself_alone(sandbox, clock, name):
    before = [page for page in pulled(sandbox, name, clock) if page.entity in {"payment_plans", "payments"}]
    sandbox.faults.add(faults.bad_row({"surprise": True}), provider=name, match=LIST[name])
    page = next(page for page in pulled(sandbox, name, clock) if page.entity in {"payment_plans", "payments"})
    decode = PROVIDERS[name].decode
    clean, hurt = (decode(item.entity, item.body, item.context) for item in (before[0], page))
    assert [(reject.position, reject.code) for reject in hurt.rejects] == [(0, "MISSING_FIELD")]
    table = next(iter(clean.tables))
    assert hurt.tables[table]["row_hash"] == clean.tables[table]["row_hash"]


def test_a_row_with_a_doubled_key_costs_itself_alone(sandbox, clock):
    sandbox.faults.add(
        faults.bad_row(Verbatim('{"uuid":"a","uuid":"b","loanUuid":"l","isActive":true}')),
        provider="totality",
        match=LIST["totality"],
    )
    page = pulled(sandbox, "totality", clock)[0]
    rejects = PROVIDERS["totality"].decode(page.entity, page.body, page.context).rejects
    assert [(reject.position, reject.code) for reject in rejects] == [(0, "DUPLICATE_KEY")]


@pytest.mark.fault(15)
def test_a_repeated_cursor_is_an_error_and_not_an_end(clock):
    with serve(scenarios.demo(), rate_limit=None) as running:
        running.faults.add(faults.same_cursor(), provider="payt", after=1, times=faults.FOREVER)
        with pytest.raises(Unreadable, match="circle"):
            pulled(running, "payt", clock, page_size=2)
        assert len(running.requests["payt"]) == 2


def test_pages_of_every_size_hold_the_same_rows(clock):
    def hashes(running, name, **settings):
        decode = PROVIDERS[name].decode
        pages = pulled(running, name, clock, **settings)
        decoded = [decode(page.entity, page.body, page.context) for page in pages]
        return sorted(item for one in decoded for table in one.tables.values() for item in table.get("row_hash", ()))

    with serve(scenarios.demo(), rate_limit=None) as running:
        assert hashes(running, "payt", page_size=3) == hashes(running, "payt")
        assert hashes(running, "payiq", page_size=1) == hashes(running, "payiq")
        whole = hashes(running, "totality")
        running.assumed.totality_page_size = 7
        assert hashes(running, "totality") == whole


@pytest.mark.fault(5, 6)
def test_a_drip_and_a_hang_end_in_time(sandbox, clock):
    for fault in (faults.drip(seconds=0.2), faults.hang(30)):
        sandbox.faults.clear()
        sandbox.faults.add(fault, provider="totality", times=faults.FOREVER)
        started = time.monotonic()
        with pytest.raises(Unreachable):
            pulled(sandbox, "totality", clock, attempts=1, deadline=1.0)
        assert time.monotonic() - started < 2.5


@pytest.mark.fault(9, 10)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.redirect("http://127.0.0.1:9/elsewhere"), Misdirected),
        (faults.bomb(1 << 28), TooLarge),
        (faults.garbage(), Unreadable),
        (faults.many_headers(), Truncated),
        (
            faults.status(403, body=b'{"code":"forbidden","message":"Missing permission: payment_plans:read"}'),
            NotPermitted,
        ),
        (faults.status(422, body=b'{"code":"x","message":"y"}'), Refused),
        (faults.status(503), Unreachable),
    ],
)
def test_each_way_to_fail_has_its_own_error(sandbox, clock, fault, error):
    sandbox.faults.add(fault, provider="payt", times=faults.FOREVER)
    with pytest.raises(error):
        pulled(sandbox, "payt", clock, attempts=2)


@pytest.mark.fault(1)
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://no.such.host.invalid"])
def test_a_connection_that_is_refused_or_leads_to_no_host_is_unreachable_after_bounded_tries(clock, monkeypatch, url):
    look_up = socket.getaddrinfo

    def no_such_host(host, *given, **named):
        if host == "no.such.host.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    connection = Connection(url, token="static-token", attempts=2)
    with PROVIDERS["payt"].connect(connection, clock=clock) as client:
        with pytest.raises(Unreachable, match="ConnectError"):
            list(client.pull(SweepRequest("payments", "7")))
        assert client.traffic().requests == 2


@pytest.mark.fault(19)
def test_a_business_failure_inside_a_200_is_never_an_empty_portfolio(sandbox, clock, drained):
    failed = b'{"Success":false,"ErrorCode":"DataNotFound","ErrorNum":3,"Errors":["x"],"Result":null}'
    sandbox.faults.add(faults.status(200, body=failed), provider="payiq", match="Setup")
    with opened(sandbox, "payiq", clock) as client:
        pages, error = drained(client.pull(first_sweep(sandbox, "payiq")))
    assert isinstance(error, Refused)
    assert sum(page.entity == "setup" for page in pages) == len(sandbox.world.payiq.setups)


@pytest.mark.fault(13)
@pytest.mark.parametrize("seed", range(8))
def test_rows_that_change_and_go_while_pages_are_read_hide_no_other_row(clock, seed):
    draw = random.Random(seed)

    def churn(world):
        rows = world.totality.scheduled_payments
        del rows[draw.randrange(len(rows))]
        changed = draw.choice(rows)
        changed["amount"] += 1
        changed["updatedAt"] = world.now().isoformat().replace("+00:00", "Z")

    with serve(scenarios.demo(), rate_limit=None) as running:
        running.assumed.totality_page_size = 20
        running.faults.add(
            faults.hook(churn), provider="totality", match="scheduled", times=3, after=draw.randrange(1, 10)
        )
        with opened(running, "totality", clock) as client:
            pages = list(client.pull(SweepRequest("scheduled_payments", "totality")))
        read = {row for page in pages for row in re.findall(r'"uuid":"([^"]+)"', page.body.decode())}
        assert {row["uuid"] for row in running.world.totality.scheduled_payments} <= read
        amounts = {row["uuid"]: row["amount"] for page in pages for row in json.loads(page.body)}
        assert {
            row["uuid"]: row["amount"] for row in running.world.totality.scheduled_payments
        }.items() <= amounts.items()
