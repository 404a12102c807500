"""PayIQ: accounts from a file, failures inside a 200, numbers with every digit."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

import httpx
import pytest

from providers.base import AccountRef, Connection, SweepRequest
from providers.errors import NotConfigured, NotPermitted, ProviderError, Refused, Unreachable, Unreadable
from providers.payiq.reading import PROVIDER, decode
from providers.payiq.rows import account_key

BASE = "https://biller.example.test/PayIQ/"
SWEEP = SweepRequest("portfolio", "payiq")
SEED_SETUP = {
    "Accounts": [
        {
            "AccountID": 1,
            "AccountNumber": "A-1",
            "AmountDue": 3.0,
            "CurrencySymbol": "$",
            "DueDate": "2025-05-21T06:35:33.0626866Z",
            "ExistingPaymentPlanID": 4,
            "PendingPayment": {
                "AccountTotal": 1.0,
                "CreateDate": "2025-05-21T06:35:33Z",
                "Status": "Initiated",
                "Total": 2.0,
                "TransactionID": 9,
            },
            "PendingPayments": [
                {
                    "AccountTotal": 1.0,
                    "CreateDate": "2025-05-21T06:35:33Z",
                    "Status": "Initiated",
                    "Total": 2.0,
                    "TransactionID": 9,
                },
                {
                    "AccountTotal": 0.5,
                    "CreateDate": "2025-05-22T06:35:33Z",
                    "Status": "Initiated",
                    "Total": 0.5,
                    "TransactionID": 10,
                },
            ],
            "RoleMaskedAccount": "**1",
            "Stopped": True,
            "UpdateDate": "0001-01-01T00:00:00",
        },
        {
            "AccountID": 2,
            "AccountNumber": "A-2",
            "AmountDue": None,
            "ExistingPaymentPlanID": 0,
            "PendingPayments": None,
        },
    ],
    "AllowDueDay": True,
    "EnforceDueDate": False,
    "DayDue": 2,
    "DefaultMonthlyPayment": 3.0,
    "InitialBalance": 5.0,
    "MaximumTerm": 6,
    "Message": "canary",
    "PlanType": "Fixed",
    "RestrictedOverrideMinimum": None,
    "Tiers": [{"Minimum": 1.0, "Maximum": 2.0, "PaymentCount": 3, "RestrictedMinimum": 4.0}],
}
ASKED = {"reference_number": "R1", "other_data": "", "account_key": account_key("canary-customer-1")}


def envelope(result, **changes):
    return {
        "ErrorCode": "None",
        "ErrorID": None,
        "ErrorNum": 0,
        "Errors": [],
        "Result": result,
        "Success": True,
        **changes,
    }


def failure(code):
    return envelope(None, Success=False, ErrorCode=code, ErrorNum=3, ErrorID="err-1", Errors=["canary-person"])


class Biller:
    """Answers by path; `setups` by reference, lists by reference and page."""

    def __init__(self, setups, **lists):
        self.setups, self.lists = setups, lists

    def __call__(self, request):
        path = request.url.path.removeprefix("/PayIQ/Api/")
        if path == "Auth":
            return httpx.Response(200, json={"access_token": "canary-bearer", "token_type": "Bearer"})
        if path == "PaymentPlan/Setup":
            answer = self.setups[json.loads(request.content)["ReferenceNumber"]]
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        asked = dict(request.url.params)
        if path == "PaymentPlan":
            return httpx.Response(
                200, json=envelope({"PaymentPlanID": int(asked["paymentPlanID"]), "CreateDate": "2026-01-01"})
            )
        pages = self.lists.get(path, {}).get(asked["ReferenceNumber"], [])
        number = int(asked["Page"]) - 1
        return httpx.Response(200, json=envelope(pages[number] if number < len(pages) else []))


def accounts(*references):
    return tuple(AccountRef(f"canary-customer-{n}", ref) for n, ref in enumerate(references, 1))


def client(network, clock, refs, **settings):
    connection = Connection(BASE, **{"api_key": "key", "signing_secret": "secret-9", "accounts": refs, **settings})
    return PROVIDER.connect(connection, clock=clock, wire=network.transport)


def setup(plan_id=None):
    return envelope({"Accounts": [{"AccountID": 1, "ExistingPaymentPlanID": plan_id}]})


def test_each_account_is_asked_for_setup_plans_payments_and_bills(wire, clock):
    biller = Biller({"R1": envelope(SEED_SETUP)}, Payment={"R1": [[{"ID": 1}], [{"ID": 2}]]})
    network = wire(biller)
    with client(network, clock, accounts("R1"), page_size=50) as payiq:
        pages = list(payiq.pull(SWEEP))
    assert [page.entity for page in pages] == ["setup", "plan", "payments", "payments", "payments", "invoices"]
    assert network.lines()[1:3] == ["POST /PayIQ/Api/PaymentPlan/Setup", "GET /PayIQ/Api/PaymentPlan"]
    assert dict(network.requests[2].url.params) == {"customerToken": "canary-customer-1", "paymentPlanID": "4"}
    assert dict(network.requests[3].url.params) == {
        "CustomerToken": "canary-customer-1",
        "ReferenceNumber": "R1",
        "OtherData": "",
        "Page": "1",
        "PageSize": "50",
    }


def test_pages_come_in_the_order_of_the_accounts_and_never_hold_the_customers_token(wire, clock):
    references = [f"R{n}" for n in range(40)]
    network = wire(Biller({reference: setup() for reference in references}))
    with client(network, clock, accounts(*references), workers=4) as payiq:
        pages = list(payiq.pull(SWEEP))
    assert [page.context["reference_number"] for page in pages if page.entity == "setup"] == references
    assert "canary-customer" not in repr(pages)
    assert "canary-customer" not in repr([page.context for page in pages])
    assert pages[0].context["account_key"] == account_key("canary-customer-1")
    assert len(pages[0].context["account_key"]) == 16


def test_an_account_nobody_knows_costs_itself_and_the_sweep_is_not_complete(wire, clock, drained):
    network = wire(Biller({"R1": setup(), "R2": failure("DataNotFound"), "R3": setup()}))
    with client(network, clock, accounts("R1", "R2", "R3")) as payiq:
        pages, error = drained(payiq.pull(SWEEP))
    assert isinstance(error, Refused)
    assert [page.context["reference_number"] for page in pages if page.entity == "setup"] == ["R1", "R2", "R3"]
    assert "DataNotFound" in str(error)
    assert "err-1" in str(error)
    assert "canary" not in str(error)
    evidence = next(page for page in pages if page.context["reference_number"] == "R2")
    reject = decode("setup", evidence.body, evidence.context).rejects[0]
    assert (reject.position, reject.code, reject.key) == (-1, "ENVELOPE_ERROR", "R2")


def test_a_failure_that_may_pass_is_tried_again(wire, clock):
    answers = iter([failure("ServiceUnavailable"), failure("SystemError"), setup()])
    biller = Biller({})

    def answer(request):
        if request.url.path.endswith("Setup"):
            return httpx.Response(200, json=next(answers))
        return biller(request)

    with client(wire(answer), clock, accounts("R1")) as payiq:
        assert [page.entity for page in payiq.pull(SWEEP)] == ["setup", "payments", "invoices"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure("UserLocked"), NotPermitted),
        (failure("ServiceUnavailable"), Unreachable),
        (failure("SomethingNew"), Refused),
        (envelope({}, ErrorCode="Validation"), Refused),
        ({"Result": {}}, Unreadable),
        (httpx.Response(500), Unreachable),
    ],
)
def test_what_an_envelope_says_decides_and_not_the_status(wire, clock, answer, error):
    network = wire(Biller({"R1": answer}))
    with client(network, clock, accounts("R1"), attempts=2) as payiq, pytest.raises(error) as caught:
        list(payiq.pull(SWEEP))
    assert isinstance(caught.value, ProviderError)
    assert "SomethingNew" not in str(caught.value)


@pytest.mark.fault(15)
def test_a_list_that_ignores_the_page_number_is_an_error_and_not_an_end(wire, clock):
    network = wire(Biller({"R1": setup()}, Payment={"R1": [[{"ID": 1}]] * 50}))
    with client(network, clock, accounts("R1")) as payiq, pytest.raises(Unreadable, match="circle"):
        list(payiq.pull(SWEEP))


def test_a_setup_in_the_shape_of_the_sample_becomes_policy_accounts_tiers_and_pending_payments():
    decoded = decode("setup", json.dumps(envelope(SEED_SETUP)).encode(), ASKED)
    assert (decoded.rejects, decoded.unknown_fields, decoded.rows) == ([], {}, 1)
    policy = {name: values[0] for name, values in decoded.tables["payiq__setups"].items()}
    assert policy["reference_number"] == "R1"
    assert (policy["default_monthly_payment"], policy["initial_balance"]) == ("3.0", "5.0")
    assert (policy["maximum_term"], policy["restricted_override_minimum"]) == (6, None)
    held = decoded.tables["payiq__setup_accounts"]
    assert held["account_id"] == ["1", "2"]
    assert held["existing_payment_plan_id"] == ["4", None]
    assert held["amount_due"] == ["3.0", None]
    assert held["due_date"] == ["2025-05-21T06:35:33.0626866Z", None]
    assert held["update_date"] == [None, None]
    assert held["stopped"] == [True, None]
    pending = decoded.tables["payiq__pending_payments"]
    assert pending["transaction_id"] == ["9", "9", "10"]
    assert pending["account_id"] == ["1", "1", "1"]
    assert pending["account_total"] == ["1.0", "1.0", "0.5"]
    assert pending["currency_symbol"] == ["$", "$", "$"]
    assert decoded.tables["payiq__setup_tiers"]["payment_count"] == [3]
    assert "canary-customer" not in repr(decoded.tables)


def test_a_plan_keeps_every_digit_and_its_own_payments():
    body = (
        b'{"Success":true,"ErrorCode":"None","Result":{"PaymentPlanID":4,"CreateDate":"2026-01-01T00:00:00Z","DayToPay":31,'
        b'"InitialBalance":1234567890123456.78,"PaymentAmount":1E+2,"LastPaymentDate":"0001-01-01T00:00:00",'
        b'"BillingAccounts":[{"AccountID":1,"AmountDue":1.0},{"AccountID":2}],'
        b'"Payments":[{"Date":"2026-02-01","Amount":0.10},{"Date":"2026-03-01","Amount":99999999999999.99}]}}'
    )
    decoded = decode("plan", body, ASKED)
    assert decoded.rejects == []
    plan = {name: values[0] for name, values in decoded.tables["payiq__plans"].items()}
    assert (plan["payment_plan_id"], plan["initial_balance"], plan["payment_amount"]) == (
        "4",
        "1234567890123456.78",
        "100",
    )
    assert plan["last_payment_date"] is None
    assert decoded.tables["payiq__plan_payments"]["amount"] == ["0.10", "99999999999999.99"]
    assert decoded.tables["payiq__plan_accounts"]["account_id"] == ["1", "2"]


@pytest.mark.parametrize(
    ("entity", "bad", "code", "column"),
    [
        ("payments", '"Total":"3.0"', "WRONG_TYPE", "Total"),
        ("payments", '"Total":null', "MISSING_FIELD", "Total"),
        ("payments", '"Total":1e400', "OUT_OF_RANGE", "Total"),
        ("payments", '"Total":1,"CreateDate":null', "MISSING_FIELD", "PaymentDate"),
        ("payments", '"Total":1,"Status":7', "WRONG_TYPE", "Status"),
        ("payments", '"Total":1,"InvoicePayments":[{"Amount":"1"}]', "WRONG_TYPE", "InvoicePayments.Amount"),
        ("payments", '"Total":1,"CustomerToken":"somebody-else"', "FOREIGN_TENANT", "CustomerToken"),
        ("invoices", '"AmountDue":true', "WRONG_TYPE", "AmountDue"),
    ],
)
def test_a_row_with_a_bad_field_is_rejected_alone(entity, bad, code, column):
    # A later key would be a doubled one, so each bad field takes the place of the good one.
    good = {
        "ID": '"ID":1',
        "BillID": '"BillID":1',
        "Status": '"Status":"Paid"',
        "CreateDate": '"CreateDate":"2026-01-01"',
    }
    kept = [text for name, text in good.items() if f'"{name}"' not in bad]
    body = f'{{"Success":true,"Result":[{{{",".join([*kept, bad])}}},{{"ID":2,"BillID":2,"Status":"Paid","CreateDate":"2026-01-01","Total":5}}]}}'
    decoded = decode(entity, body.encode(), ASKED)
    assert [(reject.position, reject.code, reject.column) for reject in decoded.rejects] == [(0, code, column)]
    assert "somebody" not in repr(decoded.rejects)


def test_payments_and_their_parts_keep_what_they_say():
    body = json.dumps(
        envelope(
            [
                {
                    "ID": 12345678901,
                    "Status": "Paid",
                    "Total": 33.34,
                    "CreateDate": "2026-03-01T00:00:00Z",
                    "CurrencySymbol": "$",
                    "CustomerToken": "canary-customer-1",
                    "CustomerName": "canary",
                    "InvoicePayments": [{"ReferenceNumber": "R1", "Amount": 33.34, "ReversalAmount": None, "ID": 7}],
                },
            ]
        )
    ).encode()
    decoded = decode("payments", body, ASKED)
    assert (decoded.rejects, decoded.unknown_fields) == ([], {})
    assert decoded.tables["payiq__payments"]["id"] == ["12345678901"]
    assert decoded.tables["payiq__payments"]["total"] == ["33.34"]
    parts = decoded.tables["payiq__invoice_payments"]
    assert (parts["payment_id"], parts["amount"], parts["reversal_amount"]) == (["12345678901"], ["33.34"], [None])
    assert "canary" not in repr(decoded.tables)


@pytest.mark.fault(19)
def test_an_envelope_that_says_no_or_holds_nothing_is_a_page_refused_and_never_an_empty_one():
    for body in (failure("SystemError"), envelope(None)):
        decoded = decode("setup", json.dumps(body).encode(), ASKED)
        assert [reject.position for reject in decoded.rejects] == [-1]
        assert "canary" not in repr(decoded.rejects)
    assert decode("payments", json.dumps(failure("DataNotFound")).encode(), ASKED).rejects[0].code == "ENVELOPE_ERROR"
    assert decode("payments", json.dumps(envelope(None)).encode(), ASKED).rejects == []


@dataclass(frozen=True)
class Shown:
    """A page of an earlier fetch."""

    entity: str
    sha256: str
    context: dict


def before(pages):
    """All pages of each account, as the next fetch is told of them."""
    found = {}
    for page in pages:
        shown = Shown(page.entity, sha256(page.body).hexdigest(), dict(page.context))
        found.setdefault(PROVIDER.ties(page.context)[0], []).append(shown)
    return found


def test_where_the_setup_is_as_it_was_nothing_else_is_asked_for(wire, clock):
    biller = Biller({"R1": envelope(SEED_SETUP), "R2": setup(7)}, Payment={"R1": [[{"ID": 1}]]})
    refs = accounts("R1", "R2", "R3")
    biller.setups["R3"] = setup()
    with client(wire(biller), clock, refs) as payiq:
        first = list(payiq.pull(SWEEP))
    known = before(page for page in first if page.context["reference_number"] != "R3")
    biller.setups["R2"] = setup(8)

    def asked(known, moving=(), **settings):
        network = wire(biller)
        with client(network, clock, refs, **settings) as payiq:
            pages = list(payiq.pull(replace(SWEEP, before=known, moving=frozenset(moving))))
        return [(page.context["reference_number"], page.entity, page.speaks_for) for page in pages], network

    rest = [(name, entity, ()) for name in ("R2", "R3") for entity in ("setup", "plan", "payments", "invoices")]
    whole = [page for page in rest if page[:2] != ("R3", "plan")]
    pages, network = asked(known)
    assert pages == [("R1", "setup", ("plan", "payments", "invoices")), *whole]
    assert len(network.requests) == 1 + 1 + 4 + 3, "a token, one setup, two whole accounts"
    pages, network = asked(known, moving=known)
    some = [("R1", "setup", ("plan",)), ("R1", "payments", ()), ("R1", "payments", ("invoices",))]
    assert pages == [*some, *whole]
    assert len(network.requests) == 1 + 3 + 4 + 3
    for no_longer in ({"setup_tells": "no"}, {"payments.Total": "Amount"}):
        assert not any(speaks for *_, speaks in asked(known, overrides=no_longer)[0])
    with pytest.raises(NotConfigured, match="yes or no"):
        asked(known, overrides={"setup_tells": "maybe"})


def test_an_error_names_the_accounts_that_did_not_come_in_whole(wire, clock, drained):
    network = wire(Biller({"R1": failure("DataNotFound"), "R2": setup(), "R3": failure("Validation")}))
    with client(network, clock, accounts("R1", "R2", "R3")) as payiq:
        _, error = drained(payiq.pull(SWEEP))
    assert [context["reference_number"] for context in error.unread] == ["R1", "R3"]
