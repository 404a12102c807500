"""Changes of plans at PayIQ: what is sent, what is refused before sending, what a look tells."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from storm import faults

from providers.base import AccountRef
from providers.errors import ProviderError, Unreadable
from providers.http.bodies import encoded
from providers.payiq.rows import account_key
from providers.writing import Impossible, Outcome, Term, UnknownPlan, Wanted

TOKEN, OTHER = "canary-customer-token-0815", "canary-customer-token-4711"
KEY, OTHER_KEY = account_key(TOKEN), account_key(OTHER)
PATH = "/PayIQ/Api/PaymentPlan"
BODY = {
    "CustomerToken": TOKEN,
    "ReferenceNumber": "REF-1",
    "OtherData": "X",
    "PaymentName": "Catch up",
    "DayType": "DayOfMonth",
    "DayToPay": 15,
    "DateToStart": "2026-07-10T00:00:00Z",
    "PaymentAmount": Decimal("30.10"),
}
OWN = [{"Date": "2026-07-15", "Amount": Decimal("40.00")}, {"Date": "2026-08-20T00:00:00Z", "Amount": Decimal("50.00")}]
REVISED = {"PaymentName": "New", "DayType": "DayOfMonth", "DayToPay": 20, "PaymentAmount": Decimal("45.00")}


@pytest.fixture
def payiq(town):
    with town.writer("payiq") as writer:
        yield writer


def body(**changed):
    return {name: value for name, value in {**BODY, **changed}.items() if value is not ...}


def ordered(writer, operation="create", plan_id=None, **given):
    return writer.order(writer.locate(Wanted(operation, "payiq", plan_id, given.get("body", {}))))


def setup_of(town, *key):
    return town.sandbox.world.payiq.setups[key or (TOKEN, "REF-1", "X")]


# What is sent


def test_a_create_is_one_put_with_exact_amounts_and_the_real_token(town, payiq):
    order = ordered(payiq, body=body(FeeWaived=True))
    answer = payiq.send(order)
    (request,) = town.mutations("payiq")
    assert (request.method, request.path, request.query) == ("PUT", PATH, "")
    assert request.headers["content-type"] == "application/json"
    assert b'"PaymentAmount":30.10' in request.body
    assert json.loads(request.body, parse_float=Decimal) == {**BODY, "FeeWaived": True}
    assert (answer.outcome, answer.status, answer.plan_id) == (Outcome.DONE, 200, "92")
    assert (order.owner, order.plan_id, order.terms) == (KEY, None, ())


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2026-07-15", "2026-07-15T00:00:00Z"),
        ("20260715", "2026-07-15T00:00:00Z"),
        ("2026-07-15T00:00:00", "2026-07-15T00:00:00Z"),
        ("2026-07-15 08:30+02:00", "2026-07-15T08:30:00+02:00"),
        ("2026-07-15t08:30:00z", "2026-07-15T08:30:00+00:00"),
        ("2026-07-15T00:00:00.0626866Z", "2026-07-15T00:00:00.0626866Z"),
    ],
)
def test_a_date_is_sent_as_the_date_time_that_the_page_asks_for(town, payiq, written, sent):
    order = ordered(payiq, body=body(DateToStart=written, Payments=[OWN[0] | {"Date": written}]))
    assert order.terms == (Term(date(2026, 7, 15), Decimal("40.00")),)
    assert payiq.send(order).outcome is Outcome.DONE
    (request,) = town.mutations("payiq")
    told = json.loads(request.body)
    assert (told["DateToStart"], told["Payments"][0]["Date"]) == (sent, sent)


def test_a_null_is_sent_only_where_the_type_has_a_question_mark_and_else_left_out(town, payiq):
    free = ("MonthlyAmount", "PaymentAccount", "PaymentAccountToken", "SelectedAccounts", "FeeWaived", "PPD")
    order = ordered(payiq, body=body(**dict.fromkeys((*free, "Payments")), DateToStart=None, OriginalPlanID=None))
    assert payiq.send(order).outcome is Outcome.DONE
    asked = BODY | {"DateToStart": None, "OriginalPlanID": None}
    assert json.loads(town.mutations("payiq")[0].body, parse_float=Decimal) == asked
    own = ordered(payiq, "update", "91", body=REVISED | {"PaymentAmount": None, "Payments": OWN, "OtherData": None})
    assert {"PaymentAmount", "OtherData"}.isdisjoint(own.body)


def test_an_update_is_one_post_with_the_plans_number(town, payiq):
    answer = payiq.send(ordered(payiq, "update", "91", body=REVISED))
    (request,) = town.mutations("payiq")
    assert (request.method, request.path) == ("POST", PATH)
    named = {"CustomerToken": OTHER, "ReferenceNumber": "REF-3", "PaymentPlanID": 91}
    assert json.loads(request.body, parse_float=Decimal) == named | REVISED
    assert (answer.outcome, answer.plan_id) == (Outcome.DONE, "91")
    assert town.sandbox.world.payiq.plans[91]["DayToPay"] == 20


def test_a_deactivation_is_one_delete_with_token_and_number_in_the_query(town, payiq):
    order = ordered(payiq, "deactivate", "91")
    answer = payiq.send(order)
    (request,) = town.mutations("payiq")
    assert (request.method, request.path, request.body) == ("DELETE", PATH, b"")
    assert parse_qs(request.query) == {"customerToken": [OTHER], "paymentPlanID": ["91"]}
    assert "content-type" not in request.headers
    assert (answer.outcome, answer.plan_id) == (Outcome.DONE, "91")
    assert town.sandbox.world.payiq.plans == {}


def test_ones_own_payments_are_the_terms(town, payiq):
    order = ordered(payiq, body=body(PaymentAmount=..., Payments=OWN))
    assert order.terms == (Term(date(2026, 7, 15), Decimal("40.00")), Term(date(2026, 8, 20), Decimal("50.00")))
    assert payiq.send(order).outcome is Outcome.DONE
    assert b'"Amount":40.00' in town.mutations("payiq")[0].body


def test_an_order_kept_and_read_again_sends_the_same_bytes(town, payiq):
    wanted = payiq.locate(Wanted("create", "payiq", None, body()))
    written, _ = encoded(wanted.body, ())
    again = payiq.order(replace(wanted, body=json.loads(written, parse_float=Decimal)))
    payiq.send(payiq.order(wanted))
    payiq.send(again)
    first, second = town.mutations("payiq")
    assert first.body == second.body


# The customer's token


@pytest.mark.parametrize(
    ("operation", "plan_id", "given"),
    [
        ("create", None, BODY),
        ("update", "91", REVISED | {"CustomerToken": OTHER, "ReferenceNumber": "REF-3"}),
        ("deactivate", "91", {}),
    ],
)
def test_no_order_location_or_state_holds_the_token_or_prints_it(payiq, caplog, operation, plan_id, given):
    caplog.set_level("DEBUG")
    wanted = payiq.locate(Wanted(operation, "payiq", plan_id, given))
    order = payiq.order(wanted)
    before = payiq.before(order)
    answer = payiq.send(order)
    found = payiq.look(order, before)
    kept = [asdict(one) for one in (wanted, order, before, answer, found)]
    assert "canary" not in repr(kept) + repr((wanted, order, before, answer, found, payiq)) + caplog.text
    assert wanted.body["CustomerToken"] in {KEY, OTHER_KEY}


def test_a_body_may_name_the_account_by_its_key(town, payiq):
    by_key = ordered(payiq, body=body(CustomerToken=KEY))
    assert by_key == ordered(payiq, body=body())
    payiq.send(by_key)
    assert json.loads(town.mutations("payiq")[0].body)["CustomerToken"] == TOKEN


def test_a_token_outside_the_accounts_file_is_refused_without_being_repeated(town, payiq):
    for call in (payiq.order, payiq.locate):
        with pytest.raises(Impossible, match="accounts_file") as caught:
            call(Wanted("create", "payiq", None, body(CustomerToken="canary-unknown-token")))
        assert "canary" not in str(caught.value)
    with pytest.raises(Impossible, match="not one of this customer's"):
        ordered(payiq, body=body(ReferenceNumber="canary-reference"))
    assert town.sandbox.requests["payiq"] == []


def test_a_customer_with_several_accounts_must_name_one(payiq):
    several = body(CustomerToken=OTHER, ReferenceNumber=..., OtherData=...)
    with pytest.raises(Impossible, match="the customer has 2 accounts in accounts_file"):
        ordered(payiq, body=several)
    assert ordered(payiq, body=several | {"ReferenceNumber": "REF-2"}).owner == OTHER_KEY


@pytest.mark.parametrize(
    ("name", "value"), [("PaymentAccount", {"Holder": "canary-account"}), ("PaymentAccountToken", "canary-account")]
)
def test_a_payment_account_is_sent_as_written_and_shows_in_no_repr(town, payiq, name, value):
    order = ordered(payiq, body=body(**{name: value}))
    assert payiq.send(order).outcome is Outcome.DONE
    (request,) = town.mutations("payiq")
    assert json.loads(request.body)[name] == value
    assert "canary" not in repr(order)


def test_an_account_that_left_the_file_meanwhile_is_not_sent_to(town, payiq):
    order = ordered(payiq, body=body())
    with town.writer("payiq", accounts=(AccountRef(OTHER, "REF-2"),)) as writer:
        answer = writer.send(order)
        with pytest.raises(Impossible, match="accounts_file"):
            writer.before(order)
    assert (answer.outcome, answer.status) == (Outcome.NOT_EXECUTED, None)
    assert answer.reason == "the account of this change is no longer in accounts_file"
    assert town.mutations("payiq") == []


# Finding the account of a plan


def test_a_plan_is_located_through_the_setups_until_one_names_it(town, payiq):
    located = payiq.locate(Wanted("deactivate", "payiq", "91"))
    assert located.body == {"CustomerToken": OTHER_KEY, "ReferenceNumber": "REF-3"}
    asked = [json.loads(one.body)["ReferenceNumber"] for one in town.sandbox.requests["payiq"] if "Setup" in one.path]
    assert asked == ["REF-1", "REF-2", "REF-3"]
    assert payiq.locate(located) == located
    assert (
        payiq.locate(Wanted("update", "payiq", None, REVISED | {"PaymentPlanID": 91})).body["ReferenceNumber"]
        == "REF-3"
    )


def test_a_plan_no_account_names_is_unknown_and_an_account_that_cannot_be_asked_may_have_it(town, payiq):
    with pytest.raises(UnknownPlan):
        payiq.locate(Wanted("deactivate", "payiq", "99"))
    failed = b'{"Success":false,"ErrorCode":"DataNotFound","ErrorNum":3,"Errors":[],"Result":null}'
    town.sandbox.faults.add(faults.status(200, body=failed), provider="payiq", match="Setup", times=2)
    assert payiq.locate(Wanted("deactivate", "payiq", "91")).body["ReferenceNumber"] == "REF-3"
    town.sandbox.faults.add(faults.status(200, body=failed), provider="payiq", match="Setup")
    with pytest.raises(ProviderError, match="DataNotFound"):
        payiq.locate(Wanted("deactivate", "payiq", "99"))


@pytest.mark.parametrize(
    ("plan_id", "given", "told"),
    [
        ("x1", REVISED, "not a number"),
        ("", REVISED, "not a number"),
        ("0", REVISED, "not a number"),
        ("92", REVISED | {"PaymentPlanID": 91}, "PaymentPlanID in the body is not the plan asked for"),
    ],
)
def test_the_plans_number_must_be_one_and_agree(town, payiq, plan_id, given, told):
    with pytest.raises(Impossible, match=told):
        ordered(payiq, "update", plan_id, body=given)
    assert town.sandbox.requests["payiq"] == []


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"CustomerToken": ...}, "CustomerToken is missing"),
        ({"PaymentName": ...}, "PaymentName is missing"),
        ({"PaymentName": ""}, "PaymentName must have 1 to 255 characters"),
        ({"DayType": ...}, "DayType is missing"),
        ({"DayType": "Weekly"}, "DayType must be one of DueDate, DayOfMonth"),
        ({"DayToPay": None}, "DayToPay is missing"),
        ({"DayToPay": 0}, "DayToPay must be between 1 and 31"),
        ({"DayToPay": 32}, "DayToPay must be between 1 and 31"),
        ({"DayToPay": "15"}, "DayToPay must be a whole number"),
        ({"DateToStart": "soon"}, "DateToStart must be a date or an ISO 8601 date-time"),
        ({"PaymentAmount": ...}, "PaymentAmount or Payments is needed"),
        ({"PaymentAmount": None}, "PaymentAmount or Payments is needed"),
        ({"PaymentAmount": 0}, "PaymentAmount must be above 0"),
        ({"PaymentAmount": Decimal(-1)}, "PaymentAmount must be above 0"),
        ({"PaymentAmount": "30"}, "PaymentAmount must be an exact number"),
        ({"PaymentAmount": 30.1}, "PaymentAmount must be an exact number"),
        ({"PaymentAmount": Decimal("30.105")}, "PaymentAmount must have at most 2 decimals"),
        ({"Payments": []}, "Payments must be a list of at least one object"),
        ({"Payments": [{"Date": "2026-07-15"}]}, r"Payments\[0\].Amount is missing"),
        ({"Payments": [OWN[0] | {"Date": "soon"}]}, r"Payments\[0\].Date must be a date"),
        ({"Payments": [OWN[0] | {"Amount": 0}]}, r"Payments\[0\].Amount must be above 0"),
        (
            {"Payments": [OWN[0] | {"amount": 1}]},
            r"Payments\[0\].'amount' is not a field of this call; the nearest is Amount",
        ),
        ({"ReferenceNumber": "R" * 101}, "ReferenceNumber must have 0 to 100 characters"),
        ({"OtherData": 5}, "OtherData must be a text"),
        ({"FeeWaived": "yes"}, "FeeWaived must be true or false"),
        ({"OriginalPlanID": "5"}, "OriginalPlanID must be a whole number"),
        ({"paymentname": "x"}, "'paymentname' is not a field of this call; the nearest is PaymentName"),
        ({"PaymentPlanID": 5}, "PaymentPlanID belongs to an update"),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused_by_the_fields_name(town, payiq, changed, told):
    with pytest.raises(Impossible, match=told):
        payiq.order(Wanted("create", "payiq", None, body(**changed)))
    assert town.sandbox.requests["payiq"] == []


def test_everything_wrong_is_told_at_once_and_no_value_with_it(payiq):
    with pytest.raises(Impossible) as caught:
        payiq.order(
            Wanted("create", "payiq", None, {"CustomerToken": TOKEN, "DayType": "canary-1", "DayToPay": "canary-2"})
        )
    told = str(caught.value)
    assert all(name in told for name in ("PaymentName", "DayType", "DayToPay", "PaymentAmount"))
    assert "canary" not in told


def test_payiq_neither_approves_nor_rejects_and_a_deactivation_takes_no_fields(payiq):
    for operation in ("approve", "reject"):
        with pytest.raises(Impossible, match=f"no call to {operation} a plan"):
            ordered(payiq, operation, "91")
    with pytest.raises(Impossible, match="'PaymentName' is not a field of this call"):
        ordered(payiq, "deactivate", "91", body={"PaymentName": "x"})
    with pytest.raises(Impossible, match="account is not named"):
        payiq.order(Wanted("deactivate", "payiq", "91"))


# What is there before


def test_before_a_create_the_accounts_policy_balance_and_plans_are_known(payiq):
    before = payiq.before(ordered(payiq, body=body()))
    assert before.clock == datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
    assert (before.owner, before.plan_ids, before.currency, before.total) == (KEY, (), None, Decimal("90.00"))
    assert (before.objections, before.remarks, before.plan) == ((), (), None)
    assert before.facts == {
        "InitialBalance": Decimal("90.00"),
        "MaximumTerm": 6,
        "DayDue": 2,
        "AllowDueDay": True,
        "EnforceDueDate": False,
        "PlanType": "Fixed",
        "CurrencySymbol": "$",
    }


def tier(low, high, count, least):
    return {
        "Minimum": Decimal(low),
        "Maximum": Decimal(high),
        "PaymentCount": count,
        "RestrictedMinimum": Decimal(least),
    }


@pytest.mark.parametrize(
    ("policy", "changed", "objection"),
    [
        # 90.00 in payments of 30.00 takes three, of 29.99 four.
        ({"MaximumTerm": 3}, {"PaymentAmount": 30}, None),
        ({"MaximumTerm": 3}, {"PaymentAmount": Decimal("29.99")}, "it would take 4 payments; MaximumTerm is 3"),
        ({"MaximumTerm": 1}, {"PaymentAmount": ..., "Payments": OWN}, "it would take 2 payments; MaximumTerm is 1"),
        ({"MaximumTerm": 1}, {"PaymentAmount": 500}, None),
        ({"Tiers": [tier("0", "90", 2, "0")]}, {}, "it would take 3 payments; the tier's PaymentCount is 2"),
        ({"Tiers": [tier("90.01", "100", 2, "0")]}, {}, None),
        ({"Tiers": [tier("0", "89.99", 2, "0")]}, {}, None),
        (
            {"Tiers": [tier("0", "90", 9, "30.11")]},
            {},
            "a payment would be below the tier's RestrictedMinimum of 30.11",
        ),
        ({"Tiers": [tier("0", "90", 9, "30.10")]}, {}, None),
        ({"EnforceDueDate": True}, {}, "the setup enforces the due day: DayType must be DueDate"),
        ({"EnforceDueDate": True}, {}, "the setup enforces the due day: DayToPay must be 2"),
        ({"EnforceDueDate": True}, {"DayType": "DueDate", "DayToPay": 2}, None),
        ({"AllowDueDay": False}, {"DayType": "DueDate"}, "the setup does not allow DayType DueDate"),
        ({"AllowDueDay": False}, {}, None),
    ],
)
def test_what_the_setup_does_not_allow_is_an_objection(town, payiq, policy, changed, objection):
    setup_of(town).update(policy)
    before = payiq.before(ordered(payiq, body=body(**changed)))
    assert (objection in before.objections) if objection else (before.objections == ())


def test_a_stopped_account_and_one_in_a_plan_already_are_objections(town, payiq):
    setup_of(town)["Accounts"][0]["Stopped"] = True
    assert payiq.before(ordered(payiq, body=body())).objections == ("payments on the account are stopped",)
    planned = body(CustomerToken=OTHER, ReferenceNumber="REF-3", OtherData=...)
    before = payiq.before(ordered(payiq, body=planned))
    assert (before.objections, before.plan_ids) == (("the account is in a payment plan already",), ("91",))


@pytest.mark.parametrize(
    ("policy", "changed", "remark"),
    [
        ({"Tiers": [tier("50", "10", 3, "0")]}, {}, "the setup's tiers contradict each other"),
        (
            {"Tiers": [tier("0", "60", 9, "0"), tier("50", "100", 9, "0")]},
            {},
            "the setup's tiers contradict each other",
        ),
        ({}, {"DayType": "DueDate"}, "the plan fires on the due day of the bill, 2, whatever DayToPay says"),
        ({}, {"PaymentAmount": ..., "Payments": OWN[:1]}, "Payments add up to 40.00, InitialBalance is 90.00"),
        ({}, {"MonthlyAmount": 30}, "MonthlyAmount is obsolete"),
    ],
)
def test_what_is_odd_is_a_remark(town, payiq, policy, changed, remark):
    setup_of(town).update(policy)
    before = payiq.before(ordered(payiq, body=body(**changed)))
    assert (before.objections, before.remarks) == ((), (remark,))


def test_tiers_that_touch_do_not_contradict(town, payiq):
    setup_of(town)["Tiers"] = [tier("0", "50", 9, "0"), tier("50", "100", 9, "0")]
    assert payiq.before(ordered(payiq, body=body())).remarks == ()


def test_before_a_change_the_plan_is_known_and_its_own_account_is_no_objection(town, payiq):
    for operation, given in (("update", REVISED), ("deactivate", {})):
        before = payiq.before(ordered(payiq, operation, "91", body=given))
        assert before.objections == ()
        assert (before.plan.plan_id, before.plan.status, before.plan.owner) == ("91", "ACTIVE", OTHER_KEY)
        assert before.plan.fields == {
            "PaymentName": "Old",
            "DayType": "DayOfMonth",
            "DayToPay": 5,
            "PaymentAmount": Decimal("30.00"),
        }
        assert before.plan_ids == ("91",)
    order = ordered(payiq, "deactivate", "91")
    del town.sandbox.world.payiq.plans[91]
    with pytest.raises(UnknownPlan):
        payiq.before(order)


def test_a_setup_or_plan_that_is_not_as_documented_is_not_used(town, payiq):
    order = ordered(payiq, body=body())
    setup_of(town)["MaximumTerm"] = "six"
    with pytest.raises(Unreadable, match="MaximumTerm"):
        payiq.before(order)


# What a look tells


def test_a_look_finds_the_new_plan_through_its_account(town, payiq):
    order = ordered(payiq, body=body())
    before = payiq.before(order)
    assert payiq.look(order, before).plans == ()
    payiq.send(order)
    (plan,) = payiq.look(order, before).plans
    assert (plan.plan_id, plan.owner, plan.status) == ("92", KEY, "ACTIVE")
    assert plan.fields["PaymentAmount"] == Decimal("30.10")
    assert payiq.read("payiq", "92", KEY) == plan
    assert payiq.read("payiq", "92") == plan


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"PaymentAmount": Decimal("30.1")}, True),
        ({"DateToStart": "2026-07-10T00:00:00.1234567Z"}, True),
        ({"DateToStart": "2026-07-11T00:00:00Z"}, False),
        ({"DateToStart": None}, False),
        ({"PaymentName": "Another"}, False),
        ({"DayType": "DueDate"}, False),
        ({"DayToPay": 16}, False),
        ({"PaymentAmount": Decimal("30.11")}, False),
        ({"PaymentAmount": None}, False),
    ],
)
def test_only_a_new_plan_with_every_field_as_asked_for_is_the_effect(town, payiq, changed, ours):
    order = ordered(payiq, body=body())
    before = payiq.before(order)
    payiq.send(order)
    town.sandbox.world.payiq.plans[92] |= changed
    found = payiq.look(order, before)
    assert (len(found.plans), len(found.others)) == ((1, 0) if ours else (0, 1))


@pytest.mark.parametrize(
    ("shown", "ours"),
    [
        (list(reversed(OWN)), True),
        ([OWN[0], OWN[1] | {"Amount": Decimal(50)}], True),
        (OWN[:1], False),
        ([OWN[0], OWN[1] | {"Date": "2026-08-21"}], False),
        (None, False),
    ],
)
def test_ones_own_payments_are_compared_day_by_day(town, payiq, shown, ours):
    order = ordered(payiq, body=body(PaymentAmount=..., Payments=OWN))
    before = payiq.before(order)
    payiq.send(order)
    town.sandbox.world.payiq.plans[92]["Payments"] = shown
    assert bool(payiq.look(order, before).plans) is ours


def test_the_plan_an_account_was_in_before_is_not_the_effect(town, payiq):
    order = ordered(payiq, body=body(CustomerToken=OTHER, ReferenceNumber="REF-3", OtherData=...))
    before = payiq.before(order)
    town.sandbox.world.payiq.plans[91] |= {"PaymentName": "Catch up", "DayToPay": 15, "PaymentAmount": Decimal("30.10")}
    found = payiq.look(order, before)
    assert (found.plans, found.others) == ((), ())


def test_a_look_at_an_update_finds_the_plan_once_it_is_as_wanted(town, payiq):
    order = ordered(payiq, "update", "91", body=REVISED)
    before = payiq.before(order)
    assert payiq.look(order, before).plans == ()
    payiq.send(order)
    assert [plan.plan_id for plan in payiq.look(order, before).plans] == ["91"]
    del town.sandbox.world.payiq.plans[91]
    assert payiq.look(order, before).contradicts == "PayIQ no longer shows the plan"


def test_a_look_at_a_deactivation_needs_setup_and_plan_to_be_without_it(town, payiq):
    order = ordered(payiq, "deactivate", "91")
    before = payiq.before(order)
    assert payiq.look(order, before).plans == ()
    account = setup_of(town, OTHER, "REF-3", "")["Accounts"][0]
    account["ExistingPaymentPlanID"] = None
    assert payiq.look(order, before).plans == ()
    with town.writer("payiq", overrides={"write.ended": "shown"}) as writer:
        assert [plan.status for plan in writer.look(order, before).plans] == ["DEACTIVATED"]
    account["ExistingPaymentPlanID"] = 91
    payiq.send(order)
    assert [(plan.plan_id, plan.status) for plan in payiq.look(order, before).plans] == [("91", "DEACTIVATED")]
    with pytest.raises(UnknownPlan):
        payiq.read("payiq", "91", OTHER_KEY)


def test_a_setup_that_fails_is_no_account_without_a_plan(town, payiq):
    order = ordered(payiq, body=body())
    before = payiq.before(order)
    failed = b'{"Success":false,"ErrorCode":"SystemError","ErrorNum":1,"Errors":[],"Result":null}'
    town.sandbox.faults.add(faults.status(200, body=failed), provider="payiq", match="Setup", times=faults.FOREVER)
    with pytest.raises(ProviderError):
        payiq.look(order, before)


# What an answer must show to be believed


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"PaymentAmount": Decimal("30.11")}, Outcome.UNKNOWN),
        ({"DayToPay": 16}, Outcome.UNKNOWN),
        ({"PaymentPlanID": None}, Outcome.UNKNOWN),
        ({"DisplayDescription": "x", "PaymentAmount": Decimal("30.1000")}, Outcome.DONE),
    ],
)
def test_a_created_plan_is_believed_if_it_is_as_asked_for(town, payiq, change, outcome):
    def changed(envelope):
        return envelope | {"Result": envelope["Result"] | change}

    town.sandbox.faults.add(faults.rewrite(changed), provider="payiq", match="^PUT")
    answer = payiq.send(ordered(payiq, body=body()))
    assert answer.outcome is outcome
    assert "30.1" not in answer.reason


@pytest.mark.parametrize("result", [None, {"PaymentPlanID": 90}, {}])
def test_an_ended_plan_is_believed_if_it_is_that_plan(town, payiq, result):
    fault = faults.rewrite(lambda envelope: envelope | {"Result": result})
    town.sandbox.faults.add(fault, provider="payiq", match="^DELETE")
    assert payiq.send(ordered(payiq, "deactivate", "91")).outcome is Outcome.UNKNOWN


def test_payiq_itself_refuses_what_its_setup_forbids(town, payiq):
    setup_of(town)["Accounts"][0]["Stopped"] = True
    answer = payiq.send(ordered(payiq, body=body()))
    assert (answer.outcome, answer.status, answer.clashes) == (Outcome.REFUSED, 200, False)
    assert answer.reason == "PayIQ refused it: Validation"


def test_words_that_a_live_system_says_otherwise_are_taken_from_the_overrides(town):
    said = {"write.create": "POST", "write.day_of_month": "GivenDay", "write.payment_amount": "Sum"}
    with town.writer("payiq", overrides=said) as writer:
        own = [{"Date": "2026-07-15", "Sum": Decimal(40)}]
        order = ordered(writer, body=body(DayType="GivenDay", PaymentAmount=..., Payments=own))
        assert (order.method, order.terms) == ("POST", (Term(date(2026, 7, 15), Decimal(40)),))
