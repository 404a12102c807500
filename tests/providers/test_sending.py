"""What each kind of answer to a change proves, at every provider, over real HTTP."""

import json
import socket
import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from storm import faults

from providers import PROVIDERS
from providers.base import Connection
from providers.http.answers import Reply
from providers.http.transport import Call
from providers.sending import answered, known_words
from providers.writing import Outcome, Wanted

NAMES = ("payt", "totality", "payiq")
MAKES = {
    "payt": "POST /v1/payment_plans",
    "totality": "POST /api/loans/loan-1/payment-plans",
    "payiq": "PUT /PayIQ/Api/PaymentPlan",
}
TOKENS = {"payt": "POST /oauth/token", "totality": "POST /oauth/token", "payiq": "POST /PayIQ/Api/Auth"}
STATIC = ("token", "refresh_token")
BODIES = {
    "payt": {
        "administration_id": "11",
        "terms": [
            {"amount": Decimal("10.50"), "due_date": "2026-08-01"},
            {"amount": Decimal("19.50"), "due_date": "2026-09-01"},
        ],
        "invoice_numbers": ["F-1", "F-2"],
    },
    "totality": {
        "loanUuid": "loan-1",
        "firstPaymentDate": "2026-07-31",
        "movePaymentOnHolidayDays": 0,
        "movePaymentOnWeekendDays": 0,
        "numberOfPayments": 4,
        "paymentArrangementType": "Payment Number Based",
        "paymentFrequency": "monthly",
    },
    "payiq": {
        "CustomerToken": "canary-customer-token-0815",
        "PaymentName": "Catch up",
        "DayType": "DayOfMonth",
        "DayToPay": 15,
        "PaymentAmount": Decimal("30.00"),
    },
}
OWN_FORM = {
    "payt": b'{"code":"unprocessable_entity","message":"terms: canary-message"}',
    "totality": b'{"message":"canary-message","errors":{"firstPaymentDate":["canary-message"]}}',
    "payiq": b'{"Success":false,"ErrorCode":"Declined","ErrorNum":6,"Errors":["canary-message"],"Result":null}',
}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def sending(town, name):
    """Send the create of a small plan under a fault; returns the answer, and how many plans it made."""

    def send(fault=None, *, match=None, times=1, **settings):
        with town.writer(name, **settings) as writer:
            order = writer.order(writer.locate(Wanted("create", body=BODIES[name])))
            before = writer.before(order)
            held = town.plans(name)
            if fault is not None:
                town.sandbox.faults.add(fault, provider=name, match=match or MAKES[name], times=times)
            answer = writer.send(order)
            town.sandbox.faults.clear()
            return answer, town.plans(name) - held, writer.look(order, before)

    return send


def test_a_plan_the_answer_shows_as_asked_for_is_done(town, name, sending):
    answer, made, found = sending()
    assert (answer.outcome, made, len(town.mutations(name))) == (Outcome.DONE, 1, 1)
    assert answer.plan_id
    assert [plan.plan_id for plan in found.plans] == [answer.plan_id]


@pytest.mark.fault(51)
def test_429_proves_that_nothing_was_executed_and_keeps_the_time_named(town, name, sending):
    answer, made, found = sending(faults.status(429, retry_after=7))
    assert (answer.outcome, answer.status, answer.retry_after) == (Outcome.NOT_EXECUTED, 429, 7.0)
    assert (made, found.plans, len(town.mutations(name))) == (0, (), 1)


@pytest.mark.fault(51)
def test_a_refused_connection_proves_that_nothing_was_executed(town, name):
    with town.writer(name) as writer:
        order = writer.order(writer.locate(Wanted("create", body=BODIES[name])))
    closed = {"base_url": "http://127.0.0.1:9/api", "token": "static-token"}
    with town.writer(name, **closed) as writer:
        answer = writer.send(order)
    assert (answer.outcome, answer.status) == (Outcome.NOT_EXECUTED, None)
    assert "ConnectError" in answer.reason


@pytest.mark.parametrize("fault", [faults.status(503), faults.garbage(), faults.drop(), faults.status(401)])
def test_a_change_for_which_no_token_was_had_is_not_executed(town, name, sending, fault):
    with town.writer(name) as writer:
        order = writer.order(writer.locate(Wanted("create", body=BODIES[name])))
    town.sandbox.faults.add(fault, provider=name, match=TOKENS[name], times=faults.FOREVER)
    with town.writer(name, without=STATIC) as writer:
        answer = writer.send(order)
    assert answer.outcome is Outcome.NOT_EXECUTED
    assert town.mutations(name) == []


def test_a_token_call_that_asks_to_wait_passes_the_time_on(town, name):
    with town.writer(name) as writer:
        order = writer.order(writer.locate(Wanted("create", body=BODIES[name])))
    fault = faults.status(429, retry_after=11)
    town.sandbox.faults.add(fault, provider=name, match=TOKENS[name], times=faults.FOREVER)
    with town.writer(name, without=STATIC) as writer:
        answer = writer.send(order)
    assert (answer.outcome, answer.retry_after) == (Outcome.NOT_EXECUTED, 11.0)
    assert town.mutations(name) == []


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 422])
def test_an_error_in_the_providers_own_form_is_refused_and_none_of_its_text_repeated(town, name, sending, status):
    answer, made, _ = sending(faults.status(status, body=OWN_FORM[name]))
    assert (answer.outcome, answer.status, made) == (Outcome.REFUSED, status, 0)
    assert "canary" not in answer.reason
    assert len(town.mutations(name)) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b""),
        (401, b"<html>no</html>"),
        (403, b'{"error":"x"}'),
        (404, b"[1]"),
        (409, b'{"mess'),
        (422, b'{"code":5}'),
    ],
)
def test_an_error_in_a_foreign_form_proves_nothing(name, sending, status, body):
    answer, _, _ = sending(faults.status(status, body=body), times=2)
    assert (answer.outcome, answer.status) == (Outcome.UNKNOWN, status)


@pytest.mark.fault(51)
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_body_says(town, name, sending, status):
    answer, _, _ = sending(faults.status(status, body=OWN_FORM[name]))
    assert (answer.outcome, answer.status) == (Outcome.UNKNOWN, status)
    assert len(town.mutations(name)) == 1


@pytest.mark.parametrize("fault", [faults.executed_but(500), faults.executed_but(504), faults.drop(execute=True)])
def test_an_effect_whose_answer_was_lost_is_unknown_and_then_found(town, name, sending, fault):
    answer, made, found = sending(fault)
    assert (answer.outcome, made, len(town.mutations(name))) == (Outcome.UNKNOWN, 1, 1)
    assert len(found.plans) == 1
    assert found.others == ()


def test_a_connection_dropped_before_any_effect_is_unknown_and_nothing_is_found(town, name, sending):
    answer, made, found = sending(faults.drop())
    assert (answer.outcome, answer.status, made) == (Outcome.UNKNOWN, None, 0)
    assert (found.plans, len(town.mutations(name))) == ((), 1)


@pytest.mark.fault(51)
@pytest.mark.parametrize(
    "fault",
    [
        faults.garbage(),
        faults.garbage(b"{}", content_type="application/json", code=201),
        faults.garbage(b"null", content_type="application/json"),
        faults.executed_but(202),
        faults.executed_but(200, body=b'{"half":'),
        faults.cut("length"),
        faults.cut("chunked"),
        faults.cut("close"),
        faults.rewrite_bytes(lambda _: b"\xff\xfe"),
    ],
)
def test_a_success_that_cannot_be_read_proves_nothing(town, name, sending, fault):
    answer, _, _ = sending(fault)
    assert answer.outcome is Outcome.UNKNOWN
    assert len(town.mutations(name)) == 1


def test_an_answer_beyond_the_byte_budget_proves_nothing(town, name, sending):
    answer, _, _ = sending(faults.bomb(1 << 20), byte_budget=1 << 16)
    assert (answer.outcome, len(town.mutations(name))) == (Outcome.UNKNOWN, 1)


@pytest.mark.fault(9)
@pytest.mark.parametrize("code", [301, 302, 307])
def test_a_redirect_is_not_followed_and_proves_nothing(town, name, sending, code):
    other = "payt" if name != "payt" else "payiq"
    answer, made, _ = sending(faults.redirect(town.sandbox.urls[other] + "/elsewhere", code))
    assert (answer.outcome, answer.status, made) == (Outcome.UNKNOWN, code, 0)
    assert town.sandbox.requests[other] == []
    assert len(town.mutations(name)) == 1


@pytest.mark.parametrize("fault", [faults.delay(1.5), faults.hang(5), faults.drip(seconds=0.2)])
def test_an_answer_after_the_deadline_is_unknown(town, name, sending, fault):
    started = time.monotonic()
    answer, _, _ = sending(fault, deadline=0.8, read_timeout=0.8)
    assert (answer.outcome, len(town.mutations(name))) == (Outcome.UNKNOWN, 1)
    assert time.monotonic() - started < 6


def test_a_refused_token_is_renewed_and_the_change_sent_exactly_once_more(town, name, sending):
    revoke = faults.before(town.sandbox.tokens[name].live.clear)
    answer, made, _ = sending(revoke, without=STATIC)
    assert (answer.outcome, made) == (Outcome.DONE, 1)
    assert [one.status for one in town.mutations(name)] == [401, 200 if name == "payiq" else 201]


def test_a_token_refused_again_after_its_renewal_is_refused_and_not_sent_a_third_time(town, name, sending):
    answer, made, _ = sending(faults.status(401, body=OWN_FORM[name]), times=faults.FOREVER, without=STATIC)
    assert (answer.outcome, answer.status, made) == (Outcome.REFUSED, 401, 0)
    assert len(town.mutations(name)) == 2


@pytest.mark.parametrize("name", ["payt", "totality"])
def test_a_token_that_cannot_be_renewed_leaves_the_change_not_executed(town, name, sending):
    answer, made, _ = sending(faults.status(401, body=OWN_FORM[name]), without=("client_id", "refresh_token"))
    assert (answer.outcome, answer.status, made) == (Outcome.NOT_EXECUTED, 401, 0)
    assert len(town.mutations(name)) == 1


def test_a_request_given_up_before_it_was_sent_is_not_sent_later(town, name, monkeypatch):
    with town.writer(name) as writer:
        order = writer.order(writer.locate(Wanted("create", body=BODIES[name])))
    released, look_up = threading.Event(), socket.getaddrinfo

    def slow(*args, **kwargs):
        released.wait(5)
        return look_up(*args, **kwargs)

    with town.writer(name, deadline=0.3, token="static-token") as writer:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        answer = writer.send(order)
        released.set()
        time.sleep(0.5)
    assert answer.outcome is Outcome.UNKNOWN
    assert town.mutations(name) == []


# What a provider's own refusal means


def payiq_says(code, *, success=False):
    return json.dumps({"Success": success, "ErrorCode": code, "ErrorNum": 1, "Errors": [], "Result": None}).encode()


@pytest.mark.parametrize(
    "code", ["Validation", "DataNotFound", "DuplicatePayment", "PreAuthError", "Declined", "UserLocked"]
)
@pytest.mark.parametrize("status", [200, 400])
def test_payiq_codes_that_say_no_are_refused_also_inside_a_200(town, code, status):
    outcome, clashes = payiq_outcome(town, payiq_says(code), status)
    assert (outcome, clashes) == (Outcome.REFUSED, code == "DuplicatePayment")


@pytest.mark.parametrize(
    ("number", "clashes"), [(2, False), (3, False), (4, True), ("5", False), (6, False), (8, False)]
)
def test_payiq_codes_are_read_as_numbers_too(town, number, clashes):
    assert payiq_outcome(town, payiq_says(number)) == (Outcome.REFUSED, clashes)


@pytest.mark.parametrize("code", ["SystemError", "ServiceUnavailable", 1, 7, "None", 0, None, "SomethingNew", 99])
def test_payiq_codes_that_say_nothing_of_what_was_executed_are_unknown(town, code):
    assert payiq_outcome(town, payiq_says(code))[0] is Outcome.UNKNOWN


def test_a_payiq_success_with_an_error_code_contradicts_itself_and_is_unknown(town):
    assert payiq_outcome(town, payiq_says("Declined", success=True))[0] is Outcome.UNKNOWN


def payiq_outcome(town, body, status=200):
    town.sandbox.faults.add(faults.status(status, body=body), provider="payiq", match=MAKES["payiq"])
    with town.writer("payiq") as writer:
        answer = writer.send(writer.order(writer.locate(Wanted("create", body=BODIES["payiq"]))))
    return answer.outcome, answer.clashes


CHANGES = {
    "payt": (Wanted("deactivate", "11", "1002"), "PATCH"),
    "totality": (Wanted("deactivate", plan_id="plan-1"), "DELETE"),
    "payiq": (Wanted("deactivate", plan_id="91"), "DELETE"),
}


@pytest.mark.parametrize(
    ("name", "status", "body", "clashes"),
    [
        ("payt", 422, OWN_FORM["payt"], True),
        ("payt", 404, OWN_FORM["payt"], False),
        ("totality", 409, OWN_FORM["totality"], True),
        ("totality", 422, OWN_FORM["totality"], False),
        ("payiq", 200, payiq_says("Validation"), True),
        ("payiq", 200, payiq_says("DataNotFound"), True),
        ("payiq", 200, payiq_says("Declined"), False),
    ],
)
def test_a_refusal_that_an_earlier_try_may_have_caused_clashes(town, name, status, body, clashes):
    wanted, method = CHANGES[name]
    with town.writer(name) as writer:
        order = writer.order(writer.locate(wanted))
        town.sandbox.faults.add(faults.status(status, body=body), provider=name, match=f"^{method}")
        answer = writer.send(order)
    assert (answer.outcome, answer.clashes) == (Outcome.REFUSED, clashes)


BELOW_ERROR = b'{"error":{"message":"firstPaymentDate and terms: canary-message"}}'


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
@pytest.mark.parametrize(("name", "about"), [("payt", "terms"), ("totality", "firstPaymentDate")])
def test_an_error_below_error_and_without_a_code_is_refused_too(town, name, about, sending, status):
    answer, made, _ = sending(faults.status(status, body=BELOW_ERROR))
    assert (answer.outcome, answer.status, made) == (Outcome.REFUSED, status, 0)
    assert answer.reason.endswith(f"refused it with status {status}, about {about}")
    assert len(town.mutations(name)) == 1


@pytest.mark.parametrize(("name", "status"), [("payt", 422), ("totality", 409)])
def test_an_error_below_error_may_be_due_to_an_earlier_try_as_any_other(town, name, status):
    wanted, method = CHANGES[name]
    with town.writer(name) as writer:
        order = writer.order(writer.locate(wanted))
        town.sandbox.faults.add(faults.status(status, body=BELOW_ERROR), provider=name, match=f"^{method}")
        answer = writer.send(order)
    assert (answer.outcome, answer.clashes) == (Outcome.REFUSED, True)


def test_an_error_below_error_is_not_payiqs_envelope_and_proves_nothing_there(town):
    assert payiq_outcome(town, BELOW_ERROR, 400) == (Outcome.UNKNOWN, False)


def test_a_missing_scope_is_named_below_error_too(town):
    body = b'{"error":{"message":"Missing permission: payment_plans:write"}}'
    town.sandbox.faults.add(faults.status(403, body=body), provider="payt", match=MAKES["payt"])
    with town.writer("payt") as writer:
        answer = writer.send(writer.order(Wanted("create", body=BODIES["payt"])))
    assert answer.outcome is Outcome.REFUSED
    assert "payment_plans:write" in answer.reason


def test_a_missing_scope_is_named(town):
    town.sandbox.payt.scopes.remove("payment_plans:write")
    with town.writer("payt") as writer:
        answer = writer.send(writer.order(Wanted("create", body=BODIES["payt"])))
    assert answer.outcome is Outcome.REFUSED
    assert "payment_plans:write" in answer.reason


@pytest.mark.parametrize("changed", [{"status": 200}, {"status": 206}, {"status": 299}])
def test_a_success_nobody_documented_is_unknown(changed):
    from providers.sending import nothing_more

    reply = Reply(204, b"", "", None, None, None)
    assert answered(reply, form=lambda _: None, proof=nothing_more).outcome is Outcome.DONE
    assert answered(replace(reply, **changed), form=lambda _: None, proof=nothing_more).outcome is Outcome.UNKNOWN


def test_only_documented_names_of_a_refusals_text_are_repeated():
    texts = ["terms: the amount of Mrs Canary", "cc_email_address is a.b@example.test"]
    assert known_words(texts, ("terms", "cc_email_address", "invoice_numbers")) == ", about terms, cc_email_address"
    assert known_words(["Mrs Canary"], ("terms",)) == ""


def test_decimals_leave_digit_for_digit_and_a_form_as_a_form(wire, clock):
    import httpx

    network = wire(lambda _: httpx.Response(204))
    connection = Connection("https://api.example.test", token="static-token")
    with PROVIDERS["payt"].desk.compose(connection, clock=clock, wire=network.transport) as writer:
        body = {"amount": Decimal("1234567890123.10"), "tiny": Decimal("0.10"), "whole": 3}
        writer.transport.deliver(Call("POST", "/x", "/x", json=body))
        writer.transport.deliver(Call("PATCH", "/x", "/x", form=(("a", "1 & 2"), ("b", "ü"))))
    assert network.requests[0].content == b'{"amount":1234567890123.10,"tiny":0.10,"whole":3}'
    assert network.requests[0].headers["content-type"] == "application/json"
    assert network.requests[1].content == b"a=1+%26+2&b=%C3%BC"
    assert network.requests[1].headers["content-type"] == "application/x-www-form-urlencoded"
