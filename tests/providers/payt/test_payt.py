"""Payt: cursor pages of one administration, deletions, and the columns its rows become."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from providers.base import Connection, SweepRequest
from providers.errors import ProviderError, Truncated, Unreadable, Unstable
from providers.payt.reading import PROVIDER, decode

BASE = "https://api.example.test"
PLANS = SweepRequest("payment_plans", "7")


def client(network, clock, **settings):
    connection = Connection(BASE, **{"token": "static-token", "requests_per_second": 1000.0, **settings})
    return PROVIDER.connect(connection, clock=clock, wire=network.transport)


def query(request):
    """What is asked for, but for the names of the fields."""
    return {name: value for name, value in request.url.params.items() if name != "fields"}


def pages_by_cursor(pages):
    """Answers a list by cursor; a look for changes finds nothing."""

    def answer(request):
        asked = query(request)
        if "updated_after" in asked:
            return httpx.Response(200, json={"data": []})
        return httpx.Response(200, json=pages[asked.get("cursor", "")])

    return answer


def bodies(pages):
    return [json.loads(page.body) for page in pages]


def test_a_list_is_read_to_its_end_by_cursor(wire, clock):
    network = wire(
        pages_by_cursor(
            {
                "": {"data": [{"id": "1"}], "pagination": {"cursor": "a"}},
                "a": {"data": [{"id": "2"}], "pagination": {"cursor": 2603755}},
                "2603755": {"data": [{"id": "3"}]},
            }
        )
    )
    with client(network, clock) as payt:
        pages = list(payt.pull(PLANS))
    assert [row["id"] for body in bodies(pages) for row in body["data"]] == ["1", "2", "3"]
    assert query(network.requests[0]) == {"administration_id": "7", "per_page": "500"}
    assert pages[0].context == {"administration_id": "7"}
    assert pages[0].provider_clock == datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "last",
    [
        {"data": [{"id": "1"}]},
        {"data": [{"id": "1"}], "pagination": None},
        {"data": [{"id": "1"}], "pagination": {}},
        {"data": [{"id": "1"}], "pagination": {"cursor": None}},
        {"data": [{"id": "1"}], "pagination": {"cursor": ""}},
    ],
)
def test_every_documented_or_assumed_end_of_a_list_ends_it(wire, clock, last):
    network = wire(pages_by_cursor({"": last}))
    with client(network, clock) as payt:
        assert len(list(payt.pull(PLANS))) == 1


@pytest.mark.fault(18)
def test_an_empty_page_in_the_middle_is_no_end_but_one_that_leads_to_itself_is(wire, clock):
    network = wire(
        pages_by_cursor(
            {
                "": {"data": [{"id": "1"}], "pagination": {"cursor": "a"}},
                "a": {"data": [], "pagination": {"cursor": "b"}},
                "b": {"data": [{"id": "2"}], "pagination": {"cursor": "c"}},
                "c": {"data": [], "pagination": {"cursor": "c"}},
            }
        )
    )
    with client(network, clock) as payt:
        pages = list(payt.pull(PLANS))
    assert [row["id"] for body in bodies(pages) for row in body["data"]] == ["1", "2"]
    assert len(network.requests) == 4 + 1, "four pages and a look at what changed"


@pytest.mark.fault(15)
def test_a_cursor_seen_before_is_an_error_and_not_an_end(wire, clock):
    network = wire(
        pages_by_cursor(
            {
                "": {"data": [{"id": "1"}], "pagination": {"cursor": "a"}},
                "a": {"data": [{"id": "2"}], "pagination": {"cursor": "b"}},
                "b": {"data": [{"id": "3"}], "pagination": {"cursor": "a"}},
            }
        )
    )
    with client(network, clock) as payt, pytest.raises(Unreadable, match="circle"):
        list(payt.pull(PLANS))
    assert len(network.requests) == 3


def test_a_list_that_never_ends_is_cut_off(wire, clock):
    numbers = iter(range(10**6))
    network = wire(lambda _: httpx.Response(200, json={"data": [{"id": "1"}], "pagination": {"cursor": next(numbers)}}))
    with client(network, clock, page_cap=20) as payt, pytest.raises(Unreadable, match="not ended after 20 pages"):
        list(payt.pull(PLANS))


def test_pages_are_fetched_only_as_they_are_taken(wire, clock):
    network = wire(
        pages_by_cursor(
            {
                "": {"data": [{"id": "1"}], "pagination": {"cursor": "a"}},
                "a": {"data": [{"id": "2"}]},
            }
        )
    )
    with client(network, clock) as payt:
        next(payt.pull(PLANS))
    assert len(network.requests) == 1


def test_the_quiet_case_costs_one_look_at_what_changed_since_the_sweep_began(wire, clock):
    network = wire(pages_by_cursor({"": {"data": [{"id": "1"}]}}))
    with client(network, clock) as payt:
        list(payt.pull(PLANS))
    assert len(network.requests) == 2
    assert query(network.requests[1])["updated_after"] == "2026-06-30T11:59:59Z"


@pytest.mark.fault(13)
def test_a_row_that_changed_during_the_sweep_is_given_out_too(wire, clock):
    looks = iter([[{"id": "1", "v": 2}], [{"id": "1", "v": 2}]])

    def answer(request):
        changed = "updated_after" in query(request)
        return httpx.Response(200, json={"data": next(looks) if changed else [{"id": "1", "v": 1}]})

    network = wire(answer)
    with client(network, clock) as payt:
        pages = list(payt.pull(PLANS))
    assert [row for body in bodies(pages) for row in body["data"]] == [{"id": "1", "v": 1}, {"id": "1", "v": 2}]
    assert len(network.requests) == 3


@pytest.mark.fault(13)
def test_rows_that_never_stop_changing_are_unstable(wire, clock):
    versions = iter(range(100))
    network = wire(lambda _: httpx.Response(200, json={"data": [{"id": "1", "v": next(versions)}]}))
    with client(network, clock) as payt, pytest.raises(Unstable):
        list(payt.pull(PLANS))
    assert len(network.requests) == 4


def test_an_incremental_sweep_sends_the_watermark_in_utc(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"data": []}))
    since = datetime.fromisoformat("2026-06-01T02:30:00.999+02:00")
    with client(network, clock, page_size=100) as payt:
        list(payt.pull(SweepRequest("invoices", "7", since)))
    assert query(network.requests[0]) == {
        "administration_id": "7",
        "updated_after": "2026-06-01T00:30:00Z",
        "per_page": "100",
    }


@pytest.mark.fault(21)
@pytest.mark.parametrize(
    ("since", "sent"),
    [
        (None, "2026-04-01T13:00:00Z"),
        (datetime(2026, 6, 20, tzinfo=UTC), "2026-06-20T00:00:00Z"),
        (datetime(2025, 1, 1, tzinfo=UTC), "2026-04-01T13:00:00Z"),
    ],
)
def test_deletions_are_asked_for_as_far_back_as_the_provider_keeps_them(wire, clock, since, sent):
    network = wire(lambda _: httpx.Response(200, json={"data": []}))
    with client(network, clock) as payt:
        pages = list(payt.pull(SweepRequest("deleted_payments", "7", since)))
    assert network.lines() == ["GET /v1/payments/deleted"]
    assert query(network.requests[0])["deleted_after"] == sent
    assert pages[0].entity == "deleted_payments"


def test_the_sweeps_of_an_administration_end_with_its_deletions(wire, clock):
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    with client(wire([]), clock) as payt:
        sweeps = payt.sweeps("7", {"payments": moment})
    assert [sweep.name for sweep in sweeps] == [
        "payment_plans",
        "payments",
        "psp_transactions",
        "invoices",
        "credit_cases",
        "debtors",
        "deleted_payment_plans",
        "deleted_payments",
        "deleted_invoices",
        "deleted_credit_cases",
    ]
    assert {sweep.name: sweep.since for sweep in sweeps if sweep.since} == {"payments": moment}


def test_a_body_cut_without_a_length_is_read_again(wire, clock):
    whole = b'{"data":[{"id":"1"}]}'
    answers = iter([whole[:12], whole, b'{"data":[]}'])
    network = wire(lambda _: httpx.Response(200, content=next(answers)))
    with client(network, clock) as payt:
        assert [page.body for page in payt.pull(PLANS)] == [whole]


@pytest.mark.fault(4)
def test_a_body_that_stays_cut_is_never_given_out(wire, clock):
    network = wire(lambda _: httpx.Response(200, content=b'{"data":[{"id":"1"}'))
    given = []
    with client(network, clock, attempts=2) as payt, pytest.raises(Truncated):
        given.extend(payt.pull(PLANS))
    assert given == []
    assert len(network.requests) == 2


@pytest.mark.fault(20)
def test_a_maintenance_page_is_tried_again_and_then_kept_as_evidence(wire, clock, drained):
    html = httpx.Response(200, content=b"<html>canary</html>", headers={"content-type": "text/html"})
    network = wire(lambda _: httpx.Response(200, content=html.content, headers=html.headers))
    with client(network, clock, attempts=3) as payt:
        given, error = drained(payt.pull(PLANS))
    assert isinstance(error, Unreadable)
    assert len(network.requests) == 3
    assert [page.body for page in given] == [b"<html>canary</html>"]
    assert "canary" not in str(error) + repr(error.evidence)
    assert decode(given[0].entity, given[0].body, given[0].context).rejects[0].code == "MALFORMED_JSON"


@pytest.mark.fault(19)
def test_an_error_object_in_a_200_is_an_error_and_never_an_empty_list(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"success": True, "errors": {"not_found": ["1"]}}))
    with client(network, clock) as payt, pytest.raises(ProviderError, match="required and absent"):
        list(payt.pull(PLANS))


def test_tenants_are_the_administrations_that_are_not_deleted(wire, clock):
    rows = [{"id": 7, "status": "active"}, {"id": "8", "status": "deleted"}, {"id": "9"}]
    network = wire(pages_by_cursor({"": {"data": rows[:2], "pagination": {"cursor": "n"}}, "n": {"data": rows[2:]}}))
    with client(network, clock) as payt:
        assert PROVIDER.tenant_ids(payt.tenants()) == ["7", "9"]
    assert query(network.requests[0]) == {"per_page": "500"}


def row(entity, columns_of, **fields):
    body = json.dumps({"data": [{"id": "1", "administration_id": "7", **fields}]}).encode()
    decoded = decode(entity, body, {"administration_id": "7"})
    assert decoded.rejects == [], decoded.rejects
    return {name: values[0] for name, values in decoded.tables[columns_of].items() if values}


def test_a_plan_in_the_shape_of_the_documentation_becomes_a_plan_and_its_terms():
    sample = {
        "payment_terms": [
            {
                "id": "11",
                "total_amount": "5182.00",
                "amount_due": "0.00",
                "due_date": "2026-02-28",
                "payment_date": "2026-03-01",
            },
            {"id": "12", "total_amount": "5182.01", "amount_due": None, "due_date": "2026-03-31", "payment_date": None},
        ],
        "active": True,
        "auto_activated": True,
        "reason": "short of cash",
        "rejected_by_user": {"id": "3", "name": "canary", "email_address": "canary@example.test"},
        "administration_id": 7,
        "debtor_id": 543239,
        "id": 2603746,
        "approved_at": "2023-11-07T05:31:56Z",
        "created_at": "2023-11-07T05:31:55Z",
        "deactivated_at": None,
        "updated_at": "2023-11-07T05:31:57Z",
        "proposed_at": "2023-11-07T05:31:54Z",
        "public_url": "https://x.test",
    }
    decoded = decode("payment_plans", json.dumps({"data": [sample]}).encode(), {"administration_id": "7"})
    assert (decoded.rejects, decoded.unknown_fields, decoded.rows) == ([], {}, 1)
    plan = {name: values[0] for name, values in decoded.tables["payt__payment_plans"].items()}
    assert plan.pop("row_hash")
    assert plan == {
        "id": "2603746",
        "administration_id": "7",
        "debtor_id": "543239",
        "active": True,
        "auto_activated": True,
        "created_at": "2023-11-07T05:31:55Z",
        "updated_at": "2023-11-07T05:31:57Z",
        "proposed_at": "2023-11-07T05:31:54Z",
        "approved_at": "2023-11-07T05:31:56Z",
        "rejected_at": None,
        "deactivated_at": None,
        "position": 0,
        "ordinal": 0,
    }
    terms = decoded.tables["payt__payment_terms"]
    assert terms["plan_id"] == ["2603746", "2603746"]
    assert terms["id"] == ["11", "12"]
    assert terms["total_amount"] == ["5182.00", "5182.01"]
    assert terms["amount_due"] == ["0.00", None]
    assert terms["payment_date"] == ["2026-03-01", None]
    assert (terms["position"], terms["ordinal"]) == ([0, 0], [0, 1])
    assert "canary" not in repr(decoded.tables)


def test_payments_transactions_accounts_and_deletions_keep_what_they_say():
    payment = row("payments", "payt__payments", invoice_id=5, total_amount="10.00", payment_date="2026-01-02")
    assert (payment["invoice_id"], payment["total_amount"], payment["updated_at"]) == ("5", "10.00", None)
    psp = row(
        "psp_transactions",
        "payt__psp_transactions",
        status="pending",
        amount="9.99",
        updated_at="2026-01-01T00:00:00Z",
        invoice_ids=[5, "6"],
        bank_account_name="canary",
    )
    assert (psp["status"], psp["amount"], psp["paid_at"]) == ("pending", "9.99", None)
    invoice = row("invoices", "payt__invoices", currency_code="EUR", active_payment_plan_id=88, paused_at=None)
    assert (invoice["active_payment_plan_id"], invoice["active_credit_case_id"]) == ("88", None)
    case = row("credit_cases", "payt__credit_cases", credit_case_number="C1", case_number="C1")
    assert (case["credit_case_number"], case["open_amount"]) == ("C1", None)
    debtor = row("debtors", "payt__debtors", debtor_number="D1", name="canary", postal_address={"city": "x"})
    assert "canary" not in repr(debtor)
    gone = row("deleted_credit_cases", "payt__deleted", deleted_at="2026-01-01T00:00:00Z")
    assert (gone["kind"], gone["id"], gone["deleted_at"]) == ("credit_cases", "1", "2026-01-01T00:00:00Z")


def test_a_transaction_on_several_invoices_names_each_of_them_once_per_row():
    body = {
        "data": [
            {
                "id": "1",
                "administration_id": "7",
                "status": "paid",
                "amount": "1.00",
                "updated_at": "t",
                "invoice_ids": [5, 6],
            },
            {
                "id": "2",
                "administration_id": "7",
                "status": "paid",
                "amount": "1.00",
                "updated_at": "t",
                "invoice_ids": None,
            },
            {
                "id": "3",
                "administration_id": "7",
                "status": "paid",
                "amount": "1.00",
                "updated_at": "t",
                "invoice_ids": ["9"],
            },
        ]
    }
    links = decode("psp_transactions", json.dumps(body).encode(), {}).tables["payt__psp_invoices"]
    assert list(zip(links["psp_id"], links["invoice_id"], links["ordinal"], strict=True)) == [
        ("1", "5", 0),
        ("1", "6", 1),
        ("3", "9", 0),
    ]


@pytest.mark.parametrize(
    ("entity", "missing"),
    [
        ("payments", "payment_date"),
        ("payments", "total_amount"),
        ("payments", "invoice_id"),
        ("psp_transactions", "status"),
        ("psp_transactions", "amount"),
        ("psp_transactions", "invoice_ids"),
        ("deleted_payments", "deleted_at"),
    ],
)
def test_what_a_computation_cannot_do_without_is_required(entity, missing):
    whole = {
        "id": "1",
        "administration_id": "7",
        "invoice_id": "5",
        "total_amount": "1.00",
        "payment_date": "2026-01-01",
        "status": "paid",
        "amount": "1.00",
        "invoice_ids": [],
        "updated_at": "2026-01-01T00:00:00Z",
        "deleted_at": "2026-01-01T00:00:00Z",
    }
    without = {name: value for name, value in whole.items() if name != missing}
    decoded = decode(entity, json.dumps({"data": [without, whole]}).encode(), {"administration_id": "7"})
    assert [(reject.position, reject.code, reject.column) for reject in decoded.rejects] == [
        (0, "MISSING_FIELD", missing)
    ]


def test_lists_ask_for_the_fields_that_are_read_and_for_nothing_else(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"data": []}))
    with client(network, clock) as payt:
        for sweep in payt.sweeps("7", {}):
            list(payt.pull(sweep))
    asked = {
        request.url.path: json.loads(request.url.params["fields"])["only"]
        for request in network.requests
        if not request.url.path.endswith("/deleted")
    }
    assert [one for one in asked["/v1/payment_plans"] if isinstance(one, dict)] == [
        {"payment_terms": ["id", "total_amount", "amount_due", "due_date", "payment_date"]}
    ]
    assert {"id", "administration_id", "active", "created_at"} <= {str(one) for one in asked["/v1/payment_plans"]}
    assert {"id", "open_amount", "active_payment_plan_id"} <= set(asked["/v1/invoices"])
    told = json.dumps(asked)
    for personal in ("bank_account", "email", "name", "address", "reason", "rejected_by_user", "description", "phone"):
        assert personal not in told, personal
    assert all(
        "fields" not in request.url.params for request in network.requests if request.url.path.endswith("/deleted")
    )


def test_fields_can_be_left_to_the_provider(wire, clock):
    network = wire(lambda _: httpx.Response(200, json={"data": []}))
    with client(network, clock, fields=False) as payt:
        list(payt.pull(PLANS))
    assert all("fields" not in request.url.params for request in network.requests)
