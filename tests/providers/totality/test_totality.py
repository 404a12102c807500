"""Totality: numbered pages that shift, cents, and names that a live system may call otherwise."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from providers.base import Connection, SweepRequest
from providers.errors import NotConfigured, Unreadable, Unstable
from providers.totality.reading import ASSUMED, PROVIDER, decode

BASE = "https://lender.example.test/api"
LOANS = SweepRequest("loans", "lender")
RECORD = {"uuid": "u1", "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-02-01T00:00:00Z"}


def client(network, clock, **settings):
    connection = Connection(BASE, **{"token": "static-token", **settings})
    return PROVIDER.connect(connection, clock=clock, wire=network.transport)


def query(request):
    return dict(request.url.params)


def loan(number, **more):
    return {**RECORD, "uuid": f"u{number}", **more}


def numbered(pages, *, changed=()):
    looks = iter(changed)

    def answer(request):
        asked = query(request)
        number = int(asked["page"]) - 1
        if "filter[updatedAt][gte]" in asked:
            return httpx.Response(200, json=next(looks, []) if number == 0 else [])
        return httpx.Response(200, json=pages[number] if number < len(pages) else [])

    return answer


def test_pages_are_numbered_from_one_and_end_with_an_empty_one(wire, clock):
    network = wire(numbered([[loan(1), loan(2)], [loan(3)]]))
    with client(network, clock) as totality:
        pages = list(totality.pull(LOANS))
    assert [row["uuid"] for page in pages for row in json.loads(page.body)] == ["u1", "u2", "u3"]
    assert [query(request) for request in network.requests] == [
        {"sort": "updatedAt", "page": "1"},
        {"sort": "updatedAt", "page": "2"},
        {"sort": "updatedAt", "page": "3"},
    ] * 2
    assert all(request.headers["accept"] == "application/vnd.totality.v1+json" for request in network.requests)
    assert all(request.headers["content-type"] == "application/json" for request in network.requests)


def test_rows_under_data_are_read_as_well(wire, clock):
    network = wire(
        lambda request: httpx.Response(
            200, json={"data": [loan(1)] if query(request) == {"sort": "updatedAt", "page": "1"} else [], "total": 1}
        )
    )
    with client(network, clock) as totality:
        pages = list(totality.pull(LOANS))
    decoded = [decode(page.entity, page.body, page.context) for page in pages]
    assert [len(item.tables["totality__loans"]["uuid"]) for item in decoded] == [1, 0]


@pytest.mark.fault(15)
def test_the_same_page_again_is_an_error_and_not_an_end(wire, clock):
    network = wire(lambda _: httpx.Response(200, json=[loan(1)]))
    with client(network, clock) as totality, pytest.raises(Unreadable, match="circle"):
        list(totality.pull(LOANS))
    assert len(network.requests) == 2


def test_an_object_without_the_list_is_an_error_and_never_an_empty_list(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"message": "canary", "errors": {}}))
    with client(network, clock) as totality, pytest.raises(Unreadable) as caught:
        list(totality.pull(LOANS))
    assert "canary" not in str(caught.value)


def test_a_list_of_one_page_costs_one_look_at_what_changed_since_the_sweep_began(wire, clock):
    network = wire(numbered([[loan(1)]]))
    with client(network, clock) as totality:
        assert len(list(totality.pull(LOANS))) == 2
    assert [query(request) for request in network.requests[2:]] == [
        {"sort": "updatedAt", "filter[updatedAt][gte]": "2026-06-30T11:59:59Z", "page": "1"},
    ]


def test_a_change_in_a_list_of_one_page_is_given_out_and_the_list_read_again(wire, clock):
    change = [[loan(1, status="Paid")], [loan(1, status="Paid")]]
    network = wire(numbered([[loan(1)]], changed=change))
    with client(network, clock) as totality:
        pages = list(totality.pull(LOANS))
    assert sum("Paid" in page.body.decode() for page in pages) == 1
    assert [query(request)["page"] for request in network.requests if len(query(request)) == 2] == ["1", "2", "1", "2"]


def shifting(*states):
    """A list two rows to a page; each state holds for the given number of requests, the last for ever."""
    left = [state for state, requests in states for _ in range(requests)]

    def answer(request):
        rows = left.pop(0) if len(left) > 1 else left[0]
        number = int(query(request)["page"])
        return httpx.Response(200, json=[loan(n) for n in rows[2 * number - 2 : 2 * number]])

    return answer


@pytest.mark.fault(13)
def test_a_row_that_slips_past_the_reader_when_another_is_deleted_is_found(wire, clock):
    network = wire(shifting(([1, 2, 3, 4, 5], 1), ([2, 3, 4, 5], 1)))
    with client(network, clock) as totality:
        pages = list(totality.pull(LOANS))
    assert {row["uuid"] for page in pages for row in json.loads(page.body)} == {"u1", "u2", "u3", "u4", "u5"}
    assert len(network.requests) == 9


def test_a_list_no_two_passes_of_which_agree_is_unstable(wire, clock):
    network = wire(shifting(*[(list(range(n, n + 4)), 2) for n in range(40)]))
    with client(network, clock) as totality, pytest.raises(Unstable, match="showed the same rows"):
        list(totality.pull(LOANS))


def test_a_list_that_changes_at_every_look_is_unstable(wire, clock):
    change = [[loan(1, balance=number)] for number in range(10)]
    network = wire(numbered([[loan(1)]], changed=change))
    with client(network, clock) as totality, pytest.raises(Unstable):
        list(totality.pull(LOANS))


def test_an_incremental_sweep_filters_by_date_of_change(wire, clock):
    network = wire(lambda _: httpx.Response(200, json=[]))
    with client(network, clock) as totality:
        list(totality.pull(SweepRequest("scheduled_payments", "lender", datetime(2026, 6, 1, tzinfo=UTC))))
    assert network.requests[0].url.path == "/api/scheduled-payments"
    assert query(network.requests[0])["filter[updatedAt][gte]"] == "2026-06-01T00:00:00Z"


def test_assumed_paths_parameters_and_fields_can_be_overridden(wire, clock):
    overrides = {
        "path.loans": "/v2/loans",
        "page": "pageNumber",
        "page_size": "pageSize",
        "sort": "",
        "list": "items",
        "updated_after": "changedSince",
        "loans.balance": "outstandingBalance",
    }
    network = wire(
        lambda request: httpx.Response(
            200,
            json={
                "items": [{**RECORD, "outstandingBalance": 5}]
                if query(request).get("changedSince") is None and query(request)["pageNumber"] == "1"
                else []
            },
        )
    )
    with client(network, clock, overrides=overrides, page_size=50) as totality:
        pages = list(totality.pull(LOANS))
    assert network.requests[0].url.path == "/api/v2/loans"
    assert query(network.requests[0]) == {"pageSize": "50", "pageNumber": "1"}
    assert pages[0].context == {"name.balance": "outstandingBalance", "list": "items"}
    decoded = decode("loans", pages[0].body, pages[0].context)
    assert decoded.tables["totality__loans"]["balance"] == [5]
    assert decoded.unknown_fields == {}


def test_every_field_of_a_list_is_marked_as_assumed():
    assert {"payment_plans.daysInPeriod", "scheduled_payments.isECheck", "payments.processedAt", "token_path"} <= set(
        ASSUMED
    )


def test_a_base_address_must_be_safe(clock):
    with pytest.raises(NotConfigured):
        PROVIDER.connect(Connection("http://lender.example.test/api", token="static-token"), clock=clock)


def one(entity, table, **fields):
    decoded = decode(entity, json.dumps([{**RECORD, **fields}]).encode(), {})
    assert (decoded.rejects, decoded.unknown_fields) == ([], {}), (decoded.rejects, decoded.unknown_fields)
    return {name: values[0] for name, values in decoded.tables[table].items() if values}


def test_records_keep_what_they_say():
    account = one("loans", "totality__loans", customerUuid="c1", status="Funded", balance=100_000, isAutoScheduled=True)
    assert (account["customer_uuid"], account["balance"], account["is_auto_scheduled"]) == ("c1", 100_000, True)
    term = one(
        "scheduled_payments",
        "totality__scheduled_payments",
        loanUuid="l1",
        paymentPlanUuid="p1",
        amount=3334,
        paymentDate="2026-03-01",
        isECheck=False,
        paymentUuid=None,
    )
    assert (term["amount"], term["is_echeck"], term["payment_uuid"]) == (3334, False, None)
    paid = one(
        "payments",
        "totality__payments",
        loanUuid="l1",
        amount=-5,
        status="Returned",
        isPromise=False,
        processedAt=None,
        postedAt="2026-03-02T10:00:00Z",
        returnDescription="canary",
    )
    assert (paid["amount"], paid["status"], paid["is_promise"], paid["is_prenote"]) == (-5, "Returned", False, None)
    assert "canary" not in repr(paid)


def test_a_plan_with_a_schedule_of_its_own_becomes_a_plan_and_entries():
    decoded = decode(
        "payment_plans",
        json.dumps(
            [
                {
                    **RECORD,
                    "loanUuid": "l1",
                    "isActive": True,
                    "paymentFrequency": "monthly",
                    "firstPaymentDay": 31,
                    "paymentArrangementType": "Custom Payment Schedule",
                    "movePaymentOnWeekendDays": -1,
                    "schedule": [{"date": "2026-01-31", "amount": 3333}, {"date": "2026-02-28", "amount": 3334}],
                }
            ]
        ).encode(),
        {},
    )
    plan = {name: values[0] for name, values in decoded.tables["totality__payment_plans"].items()}
    assert (plan["first_payment_day"], plan["move_payment_on_weekend_days"], plan["days_in_period"]) == (31, -1, None)
    entries = decoded.tables["totality__plan_schedule"]
    assert entries["plan_uuid"] == ["u1", "u1"]
    assert entries["date"] == ["2026-01-31", "2026-02-28"]
    assert entries["amount"] == [3333, 3334]


@pytest.mark.fault(27)
@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("1.5", "WRONG_TYPE"),
        ("1e2", "WRONG_TYPE"),
        ('"5"', "WRONG_TYPE"),
        ("true", "WRONG_TYPE"),
        ("null", "MISSING_FIELD"),
        ("9223372036854775808", "OUT_OF_RANGE"),
        ("1" * 40, "OUT_OF_RANGE"),
        ("5.0", "WRONG_TYPE"),
    ],
)
def test_cents_are_whole_numbers_of_sane_size_or_the_row_is_rejected(amount, code):
    whole = {**RECORD, "uuid": "bad", "loanUuid": "l1", "paymentDate": "2026-01-01", "amount": 987654321}
    good = json.dumps({**whole, "uuid": "good"})
    body = f"[{good},{json.dumps(whole).replace('987654321', amount)}]".encode()
    decoded = decode("scheduled_payments", body, {})
    assert [(reject.code, reject.column, reject.key) for reject in decoded.rejects] == [(code, "amount", "bad")]
    assert decoded.tables["totality__scheduled_payments"]["uuid"] == ["good"]


def test_a_payment_without_any_date_is_rejected():
    body = json.dumps([{"uuid": "x", "loanUuid": "l1", "amount": 5, "status": "Posted"}]).encode()
    assert [reject.code for reject in decode("payments", body, {}).rejects] == ["MISSING_FIELD"]
