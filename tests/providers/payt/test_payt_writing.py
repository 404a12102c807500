"""Changes of plans at Payt: what is sent, what is refused before sending, what a look tells."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from urllib.parse import parse_qs

import pytest
from storm import faults

from providers.errors import NotConfigured, ProviderError, Unreadable
from providers.http.bodies import encoded
from providers.writing import Impossible, Outcome, Term, UnknownPlan, Wanted

TERMS = [
    {"amount": Decimal("10.50"), "due_date": "2026-08-01"},
    {"amount": Decimal("19.50"), "due_date": "2026-09-01"},
]
BODY = {"administration_id": "11", "terms": TERMS, "invoice_numbers": ["F-1", "F-2"]}
AUGUST, SEPTEMBER = Term(date(2026, 8, 1), Decimal("10.50")), Term(date(2026, 9, 1), Decimal("19.50"))


@pytest.fixture
def payt(town):
    with town.writer("payt") as writer:
        yield writer


def body(**changed):
    return {name: value for name, value in {**BODY, **changed}.items() if value is not ...}


def ordered(writer, operation="create", plan_id=None, tenant="", **given):
    return writer.order(writer.locate(Wanted(operation, tenant, plan_id, given.get("body", {}))))


# What is sent


def test_a_create_is_one_post_of_json_with_amounts_as_numbers(town, payt):
    order = ordered(payt, body=body(cc_email_address="canary@example.test"))
    answer = payt.send(order)
    (request,) = town.mutations("payt")
    assert (request.method, request.path, request.query) == ("POST", "/v1/payment_plans", "")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert b'"amount":10.50' in request.body
    assert json.loads(request.body, parse_float=Decimal) == {**BODY, "cc_email_address": "canary@example.test"}
    assert (answer.outcome, answer.status) == (Outcome.DONE, 201)
    assert town.sandbox.world.payt.invoices[0]["active_payment_plan_id"] == answer.plan_id
    assert (order.terms, order.tenant_id, order.plan_id, order.owner) == ((AUGUST, SEPTEMBER), "11", None, "")


def test_a_null_is_left_out_because_no_field_of_a_create_may_be_null(town, payt):
    order = ordered(payt, body=body(cc_email_address=None, credit_case_numbers=None))
    assert payt.send(order).outcome is Outcome.DONE
    assert json.loads(town.mutations("payt")[0].body, parse_float=Decimal) == BODY


@pytest.mark.parametrize(
    ("operation", "plan_id", "stamp"),
    [("approve", "1001", "approved_at"), ("reject", "1001", "rejected_at"), ("deactivate", "1002", "deactivated_at")],
)
def test_a_change_of_state_is_one_patch_of_a_form_that_asks_for_the_plan_back(town, payt, operation, plan_id, stamp):
    answer = payt.send(ordered(payt, operation, plan_id, "11"))
    (request,) = town.mutations("payt")
    assert (request.method, request.path, request.query) == ("PATCH", f"/v1/payment_plans/{plan_id}/{operation}", "")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(request.body.decode())
    assert form["administration_id"] == ["11"]
    asked = json.loads(form["fields"][0])
    assert set(asked) == {"only"}
    assert {"id", "administration_id", "debtor_id", stamp} <= {name for name in asked["only"] if isinstance(name, str)}
    assert "reason" not in asked["only"]
    assert (answer.outcome, answer.status, answer.plan_id) == (Outcome.DONE, 200, plan_id)
    plan = next(row for row in town.sandbox.world.payt.payment_plans if row["id"] == plan_id)
    assert plan[stamp] == "2026-07-01T06:00:00Z"


def test_the_same_change_always_gives_the_same_order(payt):
    first, again = (ordered(payt, body=body()) for _ in range(2))
    assert first == again
    large = body(terms=[{"amount": Decimal("1E+2"), "due_date": "2026-08-01"}])
    assert str(ordered(payt, body=large).body["terms"][0]["amount"]) == "100"


def test_an_id_is_one_segment_of_the_path(payt):
    assert ordered(payt, "reject", "a/b?c", "11").path == "/v1/payment_plans/a%2Fb%3Fc/reject"
    with pytest.raises(Impossible, match="cannot be put into an address"):
        ordered(payt, "reject", "..", "11")
    with pytest.raises(Impossible, match="id is missing"):
        ordered(payt, "reject", "", "11")


def test_orders_and_answers_print_nothing_of_the_body(payt):
    order = ordered(payt, body=body(cc_email_address="canary@example.test"))
    assert "canary" not in repr(order)
    assert "F-1" not in repr((order, payt.before(order), payt.send(order)))


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"terms": ...}, "terms is missing"),
        ({"terms": None}, "terms is missing"),
        ({"terms": []}, "terms must be a list of at least one object"),
        ({"terms": ["x"]}, r"terms\[0\] must be an object"),
        ({"terms": [{"due_date": "2026-08-01"}]}, r"terms\[0\].amount is missing"),
        ({"terms": [TERMS[0], {"amount": Decimal(1)}]}, r"terms\[1\].due_date is missing"),
        ({"terms": [TERMS[0] | {"amount": "10.50"}]}, r"terms\[0\].amount must be an exact number"),
        ({"terms": [TERMS[0] | {"amount": 10.5}]}, r"terms\[0\].amount must be an exact number"),
        ({"terms": [TERMS[0] | {"amount": True}]}, r"terms\[0\].amount must be an exact number"),
        ({"terms": [TERMS[0] | {"amount": Decimal("NaN")}]}, r"terms\[0\].amount must be an exact number"),
        ({"terms": [TERMS[0] | {"amount": Decimal("10.505")}]}, r"terms\[0\].amount must have at most 2 decimals"),
        ({"terms": [TERMS[0] | {"amount": Decimal(0)}]}, r"terms\[0\].amount must be above 0"),
        ({"terms": [TERMS[0] | {"amount": -1}]}, r"terms\[0\].amount must be above 0"),
        ({"terms": [TERMS[0] | {"amount": 10**13}]}, r"terms\[0\].amount must be above 0 and below 10000000000000"),
        ({"terms": [TERMS[0] | {"due_date": "2026-02-30"}]}, r"terms\[0\].due_date must be a date"),
        ({"terms": [TERMS[0] | {"due_date": "2026-W01-1"}]}, r"terms\[0\].due_date must be a date"),
        ({"terms": [TERMS[0] | {"due_date": "2026-08-01T00:00:00Z"}]}, r"terms\[0\].due_date must be a date"),
        (
            {"terms": [TERMS[0] | {"duedate": 1}]},
            r"terms\[0\].'duedate' is not a field of this call; the nearest is due_date",
        ),
        ({"invoice_number": ["F-1"]}, "'invoice_number' is not a field of this call; the nearest is invoice_numbers"),
        ({"zzzz": 1}, "'zzzz' is not a field of this call$"),
        ({"administration_id": 11}, "administration_id must be a text"),
        ({"cc_email_address": 5}, "cc_email_address must be a text"),
        ({"cc_email_address": "nobody"}, "cc_email_address must be an e-mail address"),
        ({"invoice_numbers": "F-1"}, "invoice_numbers must be a list of texts"),
        ({"invoice_numbers": ["F-1", 5]}, r"invoice_numbers\[1\] must be a text"),
        ({"invoice_numbers": ["F-1", "F-1"]}, r"invoice_numbers\[1\] stands there twice"),
        ({"invoice_numbers": []}, "one of invoice_numbers, invoice_identifiers, credit_case_numbers is needed"),
        ({"invoice_numbers": ...}, "one of invoice_numbers, invoice_identifiers, credit_case_numbers is needed"),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused_by_the_fields_name(town, payt, changed, told):
    with pytest.raises(Impossible, match=told.removesuffix("$")) as caught:
        payt.order(Wanted("create", "11", body=body(**changed)))
    assert "nothing was sent" in str(caught.value)
    assert town.sandbox.requests["payt"] == []


def test_everything_wrong_is_told_at_once_and_no_value_with_it(payt):
    wrong = body(
        terms=[{"amount": "canary-1", "due_date": "canary-2"}],
        cc_email_address="canary-3",
        invoice_numbers=[["canary-4"]],
    )
    with pytest.raises(Impossible) as caught:
        payt.order(Wanted("create", "11", body=wrong))
    told = str(caught.value)
    assert all(
        name in told for name in ("terms[0].amount", "terms[0].due_date", "cc_email_address", "invoice_numbers[0]")
    )
    assert "canary" not in told


def test_payt_cannot_update_a_plan_and_takes_no_body_for_a_change_of_state(payt):
    with pytest.raises(Impossible, match="no call to update a plan"):
        ordered(payt, "update", "1002", "11", body={"x": 1})
    with pytest.raises(Impossible, match="takes no body"):
        ordered(payt, "reject", "1001", "11", body={"x": 1})


def test_links_may_be_left_out_where_the_configuration_says_so(town):
    with town.writer("payt", overrides={"write.links": "optional"}) as writer:
        assert writer.order(Wanted("create", "11", body=body(invoice_numbers=...))).terms == (AUGUST, SEPTEMBER)
    with pytest.raises(NotConfigured, match=r"write\.link"):
        town.writer("payt", overrides={"write.link": "optional"})


# Which administration


def test_the_administration_may_stand_in_the_body_or_beside_it_and_must_agree(payt):
    stated = payt.order(Wanted("create", "", body=body()))
    given = payt.order(Wanted("create", "11", body=body(administration_id=...)))
    assert stated == given
    assert stated.body["administration_id"] == "11"
    with pytest.raises(Impossible, match="not the administration asked for"):
        payt.order(Wanted("create", "12", body=body()))


def test_without_any_the_only_configured_one_is_meant_and_others_are_refused(town, payt):
    with pytest.raises(Impossible, match="no administration is named"):
        payt.order(Wanted("create", "", body=body(administration_id=...)))
    with town.writer("payt", administrations=("11",)) as writer:
        assert writer.order(Wanted("create", "", body=body(administration_id=...))).tenant_id == "11"
        assert writer.order(Wanted("reject", "", "1001")).tenant_id == "11"
        with pytest.raises(Impossible, match="12 is not among the configured administrations"):
            writer.order(Wanted("reject", "12", "1001"))


def test_a_plan_is_located_in_the_administration_that_has_it(town, payt):
    town.sandbox.world.payt.payment_plans[4]["administration_id"] = "12"
    assert payt.locate(Wanted("deactivate", "", "1005")).tenant_id == "12"
    assert payt.locate(Wanted("deactivate", "", "1002")).tenant_id == "11"
    assert payt.locate(Wanted("create", "", body=body())).tenant_id == "11"
    with pytest.raises(UnknownPlan):
        payt.locate(Wanted("deactivate", "", "9999"))
    assert town.mutations("payt") == []


def test_a_plan_id_that_two_administrations_have_is_ambiguous(town, payt):
    twin = {**town.sandbox.world.payt.payment_plans[1], "administration_id": "12"}
    town.sandbox.world.payt.payment_plans.append(twin)
    with pytest.raises(Impossible, match="administrations 11, 12 each have a plan"):
        payt.locate(Wanted("deactivate", "", "1002"))
    assert payt.locate(Wanted("deactivate", "12", "1002")).tenant_id == "12"


def test_an_administration_these_credentials_do_not_show_is_unknown(payt):
    with pytest.raises(UnknownPlan, match="no administration 13"):
        payt.before(ordered(payt, body=body(administration_id="13")))


# What is there before


def test_before_a_create_the_debtor_the_open_amounts_and_all_their_plans_are_known(payt):
    before = payt.before(ordered(payt, body=body()))
    assert before.clock == datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
    assert (before.owner, before.currency, before.total) == ("501", "EUR", Decimal("30.00"))
    assert before.plan_ids == ("1001", "1002", "1003", "1004")
    assert (before.objections, before.remarks, before.plan, before.removes) == ((), (), None, ())
    assert before.facts == {"timezone": "Europe/Amsterdam", "invoices": 2, "credit_cases": 0}


@pytest.mark.parametrize(
    ("links", "total"),
    [
        ({"invoice_identifiers": ["I-1", "I-2"]}, "30.00"),
        ({"invoice_numbers": ["F-1"], "invoice_identifiers": ["I-2"]}, "30.00"),
        ({"invoice_numbers": ["F-1"], "invoice_identifiers": ["I-1"]}, "10.50"),
        ({"invoice_numbers": ["F,5"]}, "1.00"),
        ({"credit_case_numbers": ["C-1"]}, "8.00"),
        ({"credit_case_numbers": ["C-1"], "invoice_numbers": ["F-6", "F-1"]}, "18.50"),
        ({"invoice_numbers": ["F-7"]}, "8.10"),
    ],
)
def test_what_is_covered_is_found_by_every_kind_of_name_and_counted_once(payt, links, total):
    before = payt.before(ordered(payt, body=body(**{"invoice_numbers": ..., **links})))
    assert before.objections == ()
    assert before.total == Decimal(total)


@pytest.mark.parametrize(
    ("links", "objection"),
    [
        ({"invoice_numbers": ["F-1", "F-99"]}, "invoice_numbers[1] 'F-99' is unknown in this administration"),
        ({"invoice_numbers": ["F,99"]}, "invoice_numbers[0] 'F,99' is unknown in this administration"),
        ({"credit_case_numbers": ["C-9"]}, "credit_case_numbers[0] 'C-9' is unknown in this administration"),
        ({"invoice_numbers": ["F-1", "F-3"]}, "the invoices and cases belong to 2 debtors; a plan is for one"),
        ({"invoice_numbers": ["F-4"]}, "invoice_numbers[0] 'F-4': the invoice is in active plan 1002 already"),
    ],
)
def test_what_payt_would_refuse_or_what_would_be_wrong_is_an_objection(payt, links, objection):
    before = payt.before(ordered(payt, body=body(**links)))
    assert before.objections == (objection,)


def test_terms_that_do_not_add_up_are_worth_a_remark_and_no_objection(payt):
    before = payt.before(ordered(payt, body=body(invoice_numbers=["F-1"])))
    assert before.objections == ()
    assert before.remarks == ("the terms add up to 30.00, open is 10.50",)


def test_every_page_of_a_list_is_read(town):
    rows = town.sandbox.world.payt
    rows.payment_plans += [{**rows.payment_plans[2], "id": str(2000 + number)} for number in range(25)]
    with town.writer("payt", page_size=3) as writer:
        before = writer.before(ordered(writer, body=body(credit_case_numbers=["C-1"])))
    assert len(before.plan_ids) == 4 + 25


def test_a_row_of_another_debtor_that_cannot_be_read_harms_nobody_and_one_of_theirs_stops_it(town, payt):
    order = ordered(payt, body=body())
    town.sandbox.world.payt.payment_plans[4]["payment_terms"] = "broken"
    town.sandbox.world.payt.credit_cases.append({"id": "6002", "administration_id": "11", "open_amount": 5})
    assert len(payt.before(order).plan_ids) == 4
    assert payt.before(ordered(payt, body=body(credit_case_numbers=["C-1"]))).total == Decimal("38.00")
    town.sandbox.world.payt.payment_plans[2]["payment_terms"] = "broken"
    with pytest.raises(Unreadable, match=r"row 1003 .*payment_terms"):
        payt.before(order)


@pytest.mark.parametrize(
    ("operation", "plan_id", "told"),
    [
        ("approve", "1001", None),
        ("reject", "1001", None),
        ("deactivate", "1002", None),
        ("approve", "1002", None),
        ("reject", "1004", None),
        ("deactivate", "1003", None),
        ("approve", "1003", "the plan is DEACTIVATED; approve needs a plan that is PROPOSED"),
        ("reject", "1002", "the plan is ACTIVE; reject needs a plan that is PROPOSED"),
        ("deactivate", "1001", "the plan is PROPOSED; deactivate needs a plan that is ACTIVE"),
        ("deactivate", "1004", "the plan is REJECTED; deactivate needs a plan that is ACTIVE"),
    ],
)
def test_a_state_that_does_not_allow_the_change_is_an_objection_unless_it_is_the_wanted_one(
    payt, operation, plan_id, told
):
    before = payt.before(ordered(payt, operation, plan_id, "11"))
    assert before.objections == (() if told is None else (told,))
    assert (before.owner, before.plan_ids, before.currency) == ("501", (plan_id,), "EUR")
    assert before.plan.terms == (Term(date(2026, 8, 1), Decimal("30.00")),)


def test_before_a_change_of_a_plan_that_does_not_exist_says_so(payt):
    with pytest.raises(UnknownPlan):
        payt.before(ordered(payt, "reject", "9999", "11"))
    with pytest.raises(UnknownPlan):
        payt.before(ordered(payt, "reject", "1001", "12"))


# What a look tells


def test_a_look_finds_the_new_plan_by_debtor_time_and_terms(town, payt):
    order = ordered(payt, body=body())
    before = payt.before(order)
    assert payt.look(order, before).plans == ()
    answer = payt.send(order)
    (plan,) = payt.look(order, before).plans
    assert (plan.plan_id, plan.owner, plan.status, plan.terms) == (answer.plan_id, "501", "ACTIVE", (AUGUST, SEPTEMBER))
    assert payt.read("11", answer.plan_id) == plan


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=365), timedelta(days=-365)])
def test_a_plan_is_found_whatever_day_the_provider_says_it_is(town, payt, ahead):
    said = format_datetime(datetime(2026, 7, 1, 6, 0, tzinfo=UTC) + ahead, usegmt=True)
    town.sandbox.faults.add(faults.headed({"date": said}), provider="payt", times=faults.FOREVER)
    order = ordered(payt, body=body())
    before = payt.before(order)
    answer = payt.send(order)
    assert [plan.plan_id for plan in payt.look(order, before).plans] == [answer.plan_id]


def new_plan(**changed):
    terms = [("10.50", "2026-08-01"), ("19.50", "2026-09-01")]
    row = {
        "id": "7001",
        "administration_id": "11",
        "debtor_id": "501",
        "active": True,
        "created_at": "2026-07-01T06:00:00Z",
        "updated_at": "2026-07-01T06:00:00Z",
        "approved_at": "2026-07-01T06:00:00Z",
        "payment_terms": [
            {"id": f"7001{n}", "total_amount": amount, "amount_due": amount, "due_date": due, "payment_date": None}
            for n, (amount, due) in enumerate(terms)
        ],
    }
    return row | changed


@pytest.mark.parametrize(
    ("changed", "ours", "others"),
    [
        ({}, 1, 0),
        ({"created_at": "2026-07-01T05:46:00Z"}, 1, 0),
        ({"debtor_id": "502"}, 0, 0),
        ({"administration_id": "12"}, 0, 0),
        ({"approved_at": None, "proposed_at": "2026-07-01T06:00:00Z", "active": False}, 0, 1),
        ({"created_at": "2026-07-01T05:44:00Z"}, 0, 0),
        ({"updated_at": "2026-07-01T05:44:00Z"}, 0, 0),
        ({"id": "1001"}, 0, 0),
    ],
)
def test_only_a_new_approved_plan_of_the_debtor_is_the_effect(town, payt, changed, ours, others):
    order = ordered(payt, body=body())
    before = payt.before(order)
    town.sandbox.world.payt.payment_plans.append(new_plan(**changed))
    found = payt.look(order, before)
    assert (len(found.plans), len(found.others)) == (ours, others)


@pytest.mark.parametrize(
    ("name", "value", "ours"),
    [
        ("total_amount", "10.5", 1),
        ("total_amount", "10.51", 0),
        ("due_date", "2026-08-02", 0),
        ("due_date", "2026-07-31T22:00:00Z", 1),
        ("due_date", "2026-08-01T22:00:00Z", 0),
    ],
)
def test_terms_are_compared_to_the_cent_and_the_day_in_the_administrations_zone(town, payt, name, value, ours):
    order = ordered(payt, body=body())
    before = payt.before(order)
    plan = new_plan()
    plan["payment_terms"][0][name] = value
    town.sandbox.world.payt.payment_plans.append(plan)
    found = payt.look(order, before)
    assert (len(found.plans), len(found.others)) == (ours, 1 - ours)


def test_two_plans_with_the_same_terms_are_both_shown(town, payt):
    order = ordered(payt, body=body())
    before = payt.before(order)
    town.sandbox.world.payt.payment_plans += [new_plan(), new_plan(id="7002")]
    assert {plan.plan_id for plan in payt.look(order, before).plans} == {"7001", "7002"}


def test_a_list_that_cannot_be_read_to_its_end_is_no_empty_list(town, payt):
    order = ordered(payt, body=body())
    before = payt.before(order)
    town.sandbox.faults.add(faults.status(503), provider="payt", match=r"GET /v1/payment_plans\?", times=faults.FOREVER)
    with pytest.raises(ProviderError):
        payt.look(order, before)


@pytest.mark.parametrize(
    ("operation", "plan_id", "found", "contradicts"),
    [
        ("approve", "1001", False, ""),
        ("approve", "1002", True, ""),
        ("approve", "1003", False, "the plan is deactivated and cannot be approved"),
        ("approve", "1004", False, "the plan is rejected and cannot be approved"),
        ("reject", "1001", False, ""),
        ("reject", "1004", True, ""),
        ("reject", "1002", False, "the plan was approved meanwhile; it is active"),
        ("reject", "1003", False, "the plan was approved meanwhile; it is deactivated"),
        ("deactivate", "1001", False, ""),
        ("deactivate", "1002", False, ""),
        ("deactivate", "1003", True, ""),
        ("deactivate", "1004", False, "the plan is rejected and cannot be deactivated"),
    ],
)
def test_a_look_at_a_plan_tells_whether_it_is_as_wanted_or_can_no_longer_be(
    payt, operation, plan_id, found, contradicts
):
    order = ordered(payt, operation, plan_id, "11")
    seen = payt.look(order, payt.before(order))
    assert ([plan.plan_id for plan in seen.plans], seen.contradicts) == ([plan_id] if found else [], contradicts)


def test_a_finished_plan_contradicts_its_deactivation(town, payt):
    order = ordered(payt, "deactivate", "1002", "11")
    before = payt.before(order)
    plan = town.sandbox.world.payt.payment_plans[1]
    plan["active"] = False
    plan["payment_terms"][0] |= {"amount_due": "0.00", "payment_date": "2026-07-01"}
    assert payt.look(order, before).contradicts == "the plan is finished and cannot be deactivated"
    assert payt.read("11", "1002").status == "FINISHED"


def test_a_plan_that_is_gone_contradicts_and_cannot_be_read(town, payt):
    order = ordered(payt, "deactivate", "1002", "11")
    before = payt.before(order)
    del town.sandbox.world.payt.payment_plans[1]
    assert payt.look(order, before).contradicts == "Payt no longer shows the plan"
    with pytest.raises(UnknownPlan):
        payt.read("11", "1002")


# What an answer must show to be believed


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda plan: {**plan, "administration_id": "12"}, Outcome.UNKNOWN),
        (lambda plan: {**plan, "approved_at": None}, Outcome.UNKNOWN),
        (lambda plan: {**plan, "payment_terms": []}, Outcome.UNKNOWN),
        (lambda plan: {**plan, "payment_terms": [{"id": "1"}]}, Outcome.UNKNOWN),
        (lambda plan: {name: value for name, value in plan.items() if name != "id"}, Outcome.UNKNOWN),
        (lambda plan: {"data": [plan]}, Outcome.UNKNOWN),
        (lambda plan: {**plan, "id": int(plan["id"]), "surprise": 1}, Outcome.DONE),
        (lambda plan: {**plan, "payment_terms": plan["payment_terms"][:1]}, Outcome.DONE),
    ],
)
def test_a_created_plan_is_believed_if_it_is_ours_and_approved_whatever_its_terms(town, payt, change, outcome):
    town.sandbox.faults.add(faults.rewrite(change), provider="payt", match="POST /v1/payment_plans")
    assert payt.send(ordered(payt, body=body())).outcome is outcome


@pytest.mark.parametrize(
    "change", [{"id": "1003"}, {"active": True, "deactivated_at": None}, {"administration_id": "12"}]
)
def test_a_changed_plan_is_believed_if_it_is_that_plan_in_the_wanted_state(town, payt, change):
    town.sandbox.faults.add(faults.rewrite(lambda plan: {**plan, **change}), provider="payt", match="PATCH")
    assert payt.send(ordered(payt, "deactivate", "1002", "11")).outcome is Outcome.UNKNOWN


def test_integer_ids_are_the_same_ids(town, payt):
    town.sandbox.assumed.payt_integer_ids = True
    order = ordered(payt, body=body())
    before = payt.before(order)
    answer = payt.send(order)
    assert (answer.outcome, before.owner) == (Outcome.DONE, "501")
    assert [plan.plan_id for plan in payt.look(order, before).plans] == [answer.plan_id]
    assert payt.send(ordered(payt, "deactivate", answer.plan_id)).outcome is Outcome.DONE


def test_an_order_kept_and_read_again_sends_the_same_bytes(town, payt):
    order = ordered(payt, body=body())
    written, _ = encoded(order.body, ())
    payt.send(order)
    payt.send(replace(order, body=json.loads(written, parse_float=Decimal)))
    first, second = town.mutations("payt")
    assert first.body == second.body
