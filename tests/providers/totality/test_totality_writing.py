"""Changes of plans at Totality: what is sent, what is refused before sending, what a look tells."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from storm import faults

from providers.errors import ProviderError, Refused, Unreadable
from providers.writing import Impossible, Outcome, Term, UnknownPlan, Wanted

VENDOR = "application/vnd.totality.v1+json"
BY_NUMBER = {
    "firstPaymentDate": "2026-07-31",
    "movePaymentOnHolidayDays": 0,
    "movePaymentOnWeekendDays": -1,
    "numberOfPayments": 4,
    "paymentArrangementType": "Payment Number Based",
    "paymentFrequency": "monthly",
}
SCHEDULE = [{"date": "2026-07-31", "amount": 40000}, {"date": "2026-08-31", "amount": 60001}]
CUSTOM = {"paymentArrangementType": "Custom Payment Schedule", "numberOfPayments": ..., "schedule": SCHEDULE}


@pytest.fixture
def totality(town):
    with town.writer("totality") as writer:
        yield writer


def body(**changed):
    given = {"loanUuid": "loan-1", **BY_NUMBER, **changed}
    return {name: value for name, value in given.items() if value is not ...}


def ordered(writer, operation="create", plan_id=None, **given):
    return writer.order(writer.locate(Wanted(operation, "totality", plan_id, given.get("body", {}))))


# What is sent


def test_a_create_is_one_post_below_its_loan_in_the_providers_media_types(town, totality):
    everything = body(
        collectorUserId=7,
        contactMethod="Self-Service Portal",
        isPartialPaymentPlan=True,
        totalPlanAmount=50000,
        scheduleType="Day-Based",
        firstPaymentDay=31,
        secondPaymentDay=None,
    )
    order = ordered(totality, body=everything)
    answer = totality.send(order)
    (request,) = town.mutations("totality")
    assert (request.method, request.path, request.query) == ("POST", "/api/loans/loan-1/payment-plans", "")
    assert request.headers["accept"] == VENDOR
    assert request.headers["content-type"] == "application/json"
    sent = {name: value for name, value in everything.items() if name != "loanUuid"}
    assert json.loads(request.body) == sent
    assert (answer.outcome, answer.status) == (Outcome.DONE, 201)
    assert answer.plan_id == town.sandbox.world.totality.payment_plans[-1]["uuid"]
    assert (order.owner, order.terms, order.tenant_id) == ("loan-1", (), "totality")


def test_a_schedule_of_ones_own_gives_the_terms_in_major_units(town, totality):
    order = ordered(totality, body=body(**CUSTOM))
    assert order.terms == (Term(date(2026, 7, 31), Decimal("400.00")), Term(date(2026, 8, 31), Decimal("600.01")))
    assert totality.send(order).outcome is Outcome.DONE
    assert json.loads(town.mutations("totality")[0].body)["schedule"] == SCHEDULE


@pytest.mark.parametrize("often", ["semi-monthly", "monthly", "weekly"])
@pytest.mark.parametrize("kind", [..., None, "Day-Based", "Weekday-Based"])
def test_a_schedule_of_ones_own_needs_no_rule(town, totality, often, kind):
    order = ordered(totality, body=body(**CUSTOM, paymentFrequency=often, scheduleType=kind))
    assert totality.send(order).outcome is Outcome.DONE


def test_a_null_is_sent_only_where_the_page_allows_one_and_else_left_out(town, totality):
    free = (
        "collectorUserId",
        "contactMethod",
        "daysInPeriod",
        "firstPaymentDay",
        "isPartialPaymentPlan",
        "paymentAmount",
    )
    free += ("scheduleType", "secondPaymentDay", "totalPlanAmount", "weekdayOfFirstPayment", "weekdayOfSecondPayment")
    free += ("weekOfFirstPayment", "weekOfSecondPayment")
    order = ordered(totality, body=body(schedule=None, **dict.fromkeys(free)))
    assert totality.send(order).outcome is Outcome.DONE
    assert json.loads(town.mutations("totality")[0].body) == BY_NUMBER | dict.fromkeys(free)


def test_an_update_is_one_patch_of_what_may_change(town, totality):
    answer = totality.send(ordered(totality, "update", "plan-1", body={"contactMethod": None, "collectorUserId": 9}))
    (request,) = town.mutations("totality")
    assert (request.method, request.path) == ("PATCH", "/api/payment-plans/plan-1")
    assert json.loads(request.body) == {"contactMethod": None, "collectorUserId": 9}
    assert request.headers["content-type"] == "application/json"
    assert (answer.outcome, answer.status, answer.plan_id) == (Outcome.DONE, 204, None)


def test_a_deactivation_is_one_delete_without_a_body(town, totality):
    answer = totality.send(ordered(totality, "deactivate", "plan-1"))
    (request,) = town.mutations("totality")
    assert (request.method, request.path, request.query, request.body) == (
        "DELETE",
        "/api/payment-plans/plan-1",
        "",
        b"",
    )
    assert request.headers["accept"] == VENDOR
    assert (answer.outcome, answer.status) == (Outcome.DONE, 204)
    assert town.sandbox.world.totality.payment_plans[0]["isActive"] is False


def test_ids_are_one_segment_of_the_path(totality):
    assert ordered(totality, body=body(loanUuid="a/b")).path == "/loans/a%2Fb/payment-plans"
    assert ordered(totality, "deactivate", "../x").path == "/payment-plans/..%2Fx"
    with pytest.raises(Impossible, match="loanUuid cannot be put into an address"):
        ordered(totality, body=body(loanUuid=".."))


# What is refused before anything is sent


@pytest.mark.parametrize(
    "name",
    [
        "loanUuid",
        "firstPaymentDate",
        "movePaymentOnHolidayDays",
        "movePaymentOnWeekendDays",
        "paymentArrangementType",
        "paymentFrequency",
    ],
)
def test_required_fields_must_be_there_and_not_be_null(town, totality, name):
    for value in (..., None):
        with pytest.raises(Impossible, match=f"{name} is missing"):
            totality.order(Wanted("create", body=body(**{name: value})))
    assert town.sandbox.requests["totality"] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"numberOfPayments": ...},
            "numberOfPayments is needed because paymentArrangementType is Payment Number Based",
        ),
        (
            {"numberOfPayments": None},
            "numberOfPayments is needed because paymentArrangementType is Payment Number Based",
        ),
        ({"paymentFrequency": "days"}, "daysInPeriod is needed because paymentFrequency is days"),
        (CUSTOM | {"schedule": ...}, "schedule is needed because paymentArrangementType is Custom Payment Schedule"),
        ({"isPartialPaymentPlan": True}, "totalPlanAmount is needed because isPartialPaymentPlan is true"),
        ({"paymentFrequency": "semi-monthly"}, "secondPaymentDay is needed because paymentFrequency is semi-monthly"),
        ({"scheduleType": "Weekday-Based"}, "weekOfFirstPayment is needed because scheduleType is Weekday-Based"),
        ({"scheduleType": "Weekday-Based"}, "weekdayOfFirstPayment is needed because scheduleType is Weekday-Based"),
        (
            {"scheduleType": "Weekday-Based", "paymentFrequency": "semi-monthly"},
            "weekdayOfSecondPayment is needed because scheduleType is Weekday-Based",
        ),
    ],
)
def test_a_field_is_needed_because_of_another(totality, changed, told):
    with pytest.raises(Impossible, match=told):
        totality.order(Wanted("create", body=body(**changed)))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"firstPaymentDate": "31-07-2026"}, "firstPaymentDate must be a date"),
        ({"paymentArrangementType": "By Hand"}, "paymentArrangementType must be one of Payment Amount Based"),
        ({"paymentFrequency": "yearly"}, "paymentFrequency must be one of days, weekly, bi-weekly"),
        ({"scheduleType": "Moon-Based"}, "scheduleType must be one of Day-Based, Weekday-Based"),
        ({"contactMethod": "Fax"}, "contactMethod must be one of Automation, Email, Phone, SMS"),
        ({"weekdayOfFirstPayment": "monday"}, "weekdayOfFirstPayment must be one of Monday"),
        ({"firstPaymentDay": 0}, "firstPaymentDay must be between 1 and 31"),
        ({"secondPaymentDay": 32}, "secondPaymentDay must be between 1 and 31"),
        ({"weekOfFirstPayment": 6}, "weekOfFirstPayment must be between 1 and 5"),
        ({"weekOfSecondPayment": 0}, "weekOfSecondPayment must be between 1 and 5"),
        ({"numberOfPayments": 0}, "numberOfPayments must be at least 1"),
        ({"numberOfPayments": "4"}, "numberOfPayments must be a whole number"),
        ({"daysInPeriod": -1}, "daysInPeriod must be between 1 and"),
        ({"paymentAmount": 0}, "paymentAmount must be at least 1"),
        ({"paymentAmount": Decimal("10.50")}, "paymentAmount must be a whole number"),
        ({"paymentAmount": 10.0}, "paymentAmount must be a whole number"),
        ({"totalPlanAmount": 2**31}, "totalPlanAmount must be between 1 and 2147483647"),
        ({"movePaymentOnHolidayDays": "1"}, "movePaymentOnHolidayDays must be a whole number"),
        ({"isPartialPaymentPlan": "yes"}, "isPartialPaymentPlan must be true or false"),
        ({"collectorUserId": True}, "collectorUserId must be a whole number"),
        (CUSTOM | {"schedule": []}, "schedule must be a list of at least one object"),
        (CUSTOM | {"schedule": [{"date": "2026-08-01"}]}, r"schedule\[0\].amount is missing"),
        (CUSTOM | {"schedule": [{"date": "soon", "amount": 1}]}, r"schedule\[0\].date must be a date"),
        (CUSTOM | {"schedule": [SCHEDULE[0] | {"amount": -5}]}, r"schedule\[0\].amount must be at least 1"),
        (CUSTOM | {"schedule": [SCHEDULE[0] | {"day": 1}]}, r"schedule\[0\].'day' is not a field of this call"),
        ({"firstPaymentdate": "x"}, "'firstPaymentdate' is not a field of this call; the nearest is firstPaymentDate"),
        ({"isActive": True}, "'isActive' is not a field of this call"),
    ],
)
def test_a_field_that_is_not_as_documented_is_refused_by_its_name(totality, changed, told):
    with pytest.raises(Impossible, match=told):
        totality.order(Wanted("create", body=body(**changed)))


def test_everything_wrong_is_told_at_once_and_no_value_with_it(totality):
    with pytest.raises(Impossible) as caught:
        totality.order(Wanted("create", body={"contactMethod": "canary-1", "firstPaymentDate": "canary-2"}))
    told = str(caught.value)
    assert all(name in told for name in ("loanUuid", "contactMethod", "firstPaymentDate", "paymentFrequency"))
    assert "canary" not in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "one of collectorUserId, contactMethod, isActive is needed"),
        ({"paymentAmount": 5}, "'paymentAmount' is not a field of this call"),
        ({"isActive": None}, "one of collectorUserId, contactMethod, isActive is needed"),
        ({"isActive": "no"}, "isActive must be true or false"),
        ({"contactMethod": "Fax"}, "contactMethod must be one of"),
        ({"collectorUserId": "x"}, "collectorUserId must be a whole number"),
    ],
)
def test_an_update_may_change_three_fields_only(totality, given, told):
    with pytest.raises(Impossible, match=told):
        ordered(totality, "update", "plan-1", body=given)


def test_totality_neither_approves_nor_rejects(totality):
    for operation in ("approve", "reject"):
        with pytest.raises(Impossible, match=f"no call to {operation} a plan"):
            ordered(totality, operation, "plan-1")
    with pytest.raises(Impossible, match="takes no body"):
        ordered(totality, "deactivate", "plan-1", body={"isActive": False})


def test_names_that_a_live_system_calls_otherwise_are_taken_from_the_overrides(town):
    renamed = {"payment_plans.paymentAmount": "amountOfPayment", "write.schedule_amount": "cents"}
    with town.writer("totality", overrides=renamed) as writer:
        by_amount = {"paymentArrangementType": "Payment Amount Based", "numberOfPayments": ..., "amountOfPayment": 500}
        assert writer.order(Wanted("create", body=body(**by_amount))).body["amountOfPayment"] == 500
        with pytest.raises(Impossible, match="'paymentAmount' is not a field of this call"):
            writer.order(Wanted("create", body=body(paymentAmount=500)))
        custom = CUSTOM | {"schedule": [{"date": "2026-07-31", "cents": 1}]}
        assert writer.order(Wanted("create", body=body(**custom))).terms[0].amount == Decimal("0.01")


# What is there before


def test_before_a_create_the_loan_its_plans_and_the_terms_that_would_go_are_known(totality):
    before = totality.before(ordered(totality, body=body()))
    assert before.clock == datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
    assert (before.owner, before.plan_ids, before.currency) == ("loan-1", ("plan-1",), None)
    assert before.removes == (Term(date(2026, 7, 15), Decimal("12.50")), Term(date(2026, 8, 1), Decimal("25.00")))
    assert before.total == Decimal("1000.00")
    assert before.facts == {"balance": Decimal("1000.00"), "isAutoScheduled": True}
    assert before.objections == ()
    assert before.remarks == ("the loan has an active plan; the provider may allow only one",)


@pytest.mark.parametrize(
    ("changed", "objections"),
    [
        ({"isPartialPaymentPlan": True, "totalPlanAmount": 100000}, ()),
        (
            {"isPartialPaymentPlan": True, "totalPlanAmount": 100001},
            ("totalPlanAmount is more than the loan's balance",),
        ),
        ({"firstPaymentDate": "2026-07-01"}, ()),
        ({"firstPaymentDate": "2026-06-30"}, ()),
        ({"firstPaymentDate": "2026-06-29"}, ("firstPaymentDate has passed",)),
        ({"loanUuid": "loan-2"}, ("the loan is not active",)),
    ],
)
def test_what_the_page_rules_out_is_an_objection(totality, changed, objections):
    assert totality.before(ordered(totality, body=body(**changed))).objections == objections


def test_a_first_day_has_not_passed_because_the_provider_says_it_is_next_year(town, totality):
    next_year = faults.headed({"date": "Thu, 01 Jul 2027 06:00:00 GMT"})
    town.sandbox.faults.add(next_year, provider="totality", times=faults.FOREVER)
    assert totality.before(ordered(totality, body=body())).objections == ()


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"firstPaymentDate": "2026-06-30"}, "firstPaymentDate was yesterday in UTC"),
        (CUSTOM, "the schedule adds up to 1000.01, to be paid is 1000.00"),
        (
            {"paymentArrangementType": "Payment Amount Based", "numberOfPayments": ...},
            "paymentAmount is left out: the provider takes the loan's first amortization amount",
        ),
    ],
)
def test_what_is_odd_is_a_remark(totality, changed, remark):
    before = totality.before(ordered(totality, body=body(**changed)))
    assert before.objections == ()
    assert any(one.startswith(remark) for one in before.remarks)


def test_a_partial_plan_adds_up_to_its_own_amount(totality):
    partial = body(isPartialPaymentPlan=True, totalPlanAmount=12345)
    assert totality.before(ordered(totality, body=partial)).total == Decimal("123.45")


def test_before_a_deactivation_only_the_plans_own_unprocessed_terms_would_go(totality):
    before = totality.before(ordered(totality, "deactivate", "plan-1"))
    assert before.removes == (Term(date(2026, 8, 1), Decimal("25.00")),)
    assert (before.plan.status, before.owner, before.plan_ids) == ("ACTIVE", "loan-1", ("plan-1",))
    assert before.plan.terms == (Term(date(2026, 6, 1), Decimal("25.00")), Term(date(2026, 8, 1), Decimal("25.00")))
    assert before.plan.fields == {"isActive": True, "contactMethod": "Phone", "collectorUserId": 7}
    assert (before.objections, before.total) == ((), None)


def test_before_an_update_nothing_would_go(totality):
    before = totality.before(ordered(totality, "update", "plan-1", body={"contactMethod": "SMS"}))
    assert (before.removes, before.plan.plan_id) == ((), "plan-1")


@pytest.mark.parametrize(
    ("operation", "plan_id", "given"),
    [
        ("create", None, body(loanUuid="loan-9")),
        ("update", "plan-9", {"isActive": False}),
        ("deactivate", "plan-9", {}),
    ],
)
def test_a_loan_or_plan_that_does_not_exist_is_unknown(totality, operation, plan_id, given):
    with pytest.raises(UnknownPlan):
        totality.before(ordered(totality, operation, plan_id, body=given))


def test_a_loan_is_asked_for_by_filter_and_compared_here_all_the_same(town, totality):
    totality.before(ordered(totality, body=body()))
    lines = [one.line for one in town.sandbox.requests["totality"]]
    assert any(line.startswith("GET /api/loans?filter[uuid][eq]=loan-1&") for line in lines)
    assert any("scheduled-payments?filter[loanUuid][eq]=loan-1&" in line for line in lines)
    with town.writer("totality", overrides={"write.filter": ""}) as writer:
        town.sandbox.forget()
        town.sandbox.assumed.totality_page_size = 1
        before = writer.before(ordered(writer, body=body()))
    assert "filter[uuid]" not in "".join(one.line for one in town.sandbox.requests["totality"])
    assert (before.plan_ids, len(before.removes)) == (("plan-1",), 2)


def test_a_row_of_another_loan_that_cannot_be_read_harms_nobody(town):
    town.sandbox.world.totality.payment_plans.append({"uuid": "broken", "loanUuid": "loan-2", "isActive": "maybe"})
    with town.writer("totality", overrides={"write.filter": ""}) as writer:
        assert writer.before(ordered(writer, body=body())).plan_ids == ("plan-1",)
        with pytest.raises(Unreadable, match=r"row broken .*isActive"):
            writer.before(ordered(writer, body=body(loanUuid="loan-2")))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("paymentDate", "soon", "its paymentDate is 'soon'"),
        ("paymentDate", None, "its paymentDate is null"),
        ("amount", "12.50", 'its amount is "12.50"'),
        ("amount", ..., "its amount is missing"),
    ],
)
def test_a_scheduled_payment_that_cannot_be_read_is_named_with_its_value_and_stops_nothing(
    town, totality, name, value, told
):
    rows = town.sandbox.world.totality.scheduled_payments
    row = next(row for row in rows if row["loanUuid"] == "loan-1" and not row.get("paymentUuid"))
    sound = totality.before(ordered(totality, body=body())).removes
    row.pop(name) if value is ... else row.update({name: value})
    before = totality.before(ordered(totality, body=body()))
    assert [one for one in before.remarks if f"scheduled payment {row['uuid']} cannot be read, {told}" in one]
    assert len(before.removes) == len(sound) - 1
    assert before.objections == ()


# What a look tells


def test_a_look_finds_the_new_plan_of_the_loan_with_its_terms(town, totality):
    order = ordered(totality, body=body(contactMethod="SMS", secondPaymentDay=None))
    before = totality.before(order)
    assert totality.look(order, before).plans == ()
    answer = totality.send(order)
    (plan,) = totality.look(order, before).plans
    assert (plan.plan_id, plan.owner, plan.status) == (answer.plan_id, "loan-1", "ACTIVE")
    assert plan.terms == (
        Term(date(2026, 7, 31), Decimal("250.00")),
        Term(date(2026, 8, 31), Decimal("250.00")),
        Term(date(2026, 9, 30), Decimal("250.00")),
        # 31 October 2026 is a Saturday, and the plan moves such payments one day earlier.
        Term(date(2026, 10, 30), Decimal("250.00")),
    )
    assert totality.read("totality", answer.plan_id, "loan-1") == plan


@pytest.mark.parametrize(
    ("changed", "ours"),
    [
        ({}, True),
        ({"collectorUserId": 3}, True),
        ({"firstPaymentDate": "2026-07-31T00:00:00Z"}, True),
        ({"contactMethod": None}, True),
        ({"firstPaymentDate": "2026-08-01"}, False),
        ({"numberOfPayments": 5}, False),
        ({"numberOfPayments": None}, False),
        ({"movePaymentOnWeekendDays": 1}, False),
        ({"paymentFrequency": "weekly"}, False),
    ],
)
def test_only_a_new_plan_with_every_field_as_asked_for_is_the_effect(town, totality, changed, ours):
    order = ordered(totality, body=body(contactMethod=None))
    before = totality.before(order)
    row = {
        "uuid": "plan-7",
        "loanUuid": "loan-1",
        "isActive": True,
        "createdAt": None,
        "updatedAt": "2026-07-01T06:00:00Z",
    }
    town.sandbox.world.totality.payment_plans.append(row | BY_NUMBER | changed)
    found = totality.look(order, before)
    assert (len(found.plans), len(found.others)) == ((1, 0) if ours else (0, 1))


@pytest.mark.parametrize(("schedule", "ours"), [(SCHEDULE, True), (SCHEDULE[:1], False), (None, False)])
def test_a_schedule_is_compared_entry_by_entry(town, totality, schedule, ours):
    order = ordered(totality, body=body(**CUSTOM))
    before = totality.before(order)
    row = {"uuid": "plan-7", "loanUuid": "loan-1", "isActive": True, "updatedAt": "2026-07-01T06:00:00Z"}
    town.sandbox.world.totality.payment_plans.append(row | body(**CUSTOM) | {"schedule": schedule})
    assert bool(totality.look(order, before).plans) is ours


def test_a_plan_of_another_loan_or_from_before_is_not_the_effect(town, totality):
    order = ordered(totality, body=body())
    before = totality.before(order)
    plans = town.sandbox.world.totality.payment_plans
    plans[0] |= BY_NUMBER
    plans.append(
        {"uuid": "plan-8", "loanUuid": "loan-2", "isActive": True, "updatedAt": "2026-07-01T06:00:00Z"} | BY_NUMBER
    )
    found = totality.look(order, before)
    assert (found.plans, found.others) == ((), ())


def test_a_look_at_an_update_finds_the_plan_once_the_fields_are_as_wanted(town, totality):
    order = ordered(totality, "update", "plan-1", body={"contactMethod": None, "isActive": False})
    before = totality.before(order)
    assert totality.look(order, before).plans == ()
    totality.send(order)
    (plan,) = totality.look(order, before).plans
    assert (plan.plan_id, plan.status) == ("plan-1", "DEACTIVATED")


def test_a_look_at_a_deactivation_finds_the_inactive_plan(town, totality):
    order = ordered(totality, "deactivate", "plan-1")
    before = totality.before(order)
    assert totality.look(order, before).plans == ()
    totality.send(order)
    found = totality.look(order, before)
    assert [(plan.plan_id, plan.status, plan.terms) for plan in found.plans] == [
        ("plan-1", "DEACTIVATED", (Term(date(2026, 6, 1), Decimal("25.00")),))
    ]
    town.sandbox.world.totality.payment_plans.clear()
    assert totality.look(order, before).contradicts == "Totality no longer shows the plan"
    with pytest.raises(UnknownPlan):
        totality.read("totality", "plan-1")


def test_a_list_that_cannot_be_read_to_its_end_is_no_empty_list(town, totality):
    order = ordered(totality, body=body())
    before = totality.before(order)
    town.sandbox.faults.add(faults.status(503), provider="totality", match="page=2", times=faults.FOREVER)
    with pytest.raises(ProviderError):
        totality.look(order, before)


# What an answer must show to be believed


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"loanUuid": "loan-2"}, Outcome.UNKNOWN),
        ({"numberOfPayments": 5}, Outcome.UNKNOWN),
        ({"firstPaymentDate": "2026-08-01"}, Outcome.UNKNOWN),
        ({"uuid": None}, Outcome.UNKNOWN),
        ({"surprise": 1, "firstPaymentDate": "2026-07-31T00:00:00Z"}, Outcome.DONE),
    ],
)
def test_a_created_plan_is_believed_if_it_is_the_loans_and_as_asked_for(town, totality, change, outcome):
    town.sandbox.faults.add(
        faults.rewrite(lambda plan: {**plan, **change}), provider="totality", match="POST /api/loans"
    )
    answer = totality.send(ordered(totality, body=body()))
    assert answer.outcome is outcome
    assert "2026" not in answer.reason


def test_the_lenders_limit_of_one_plan_is_a_refusal_that_clashes(town, totality):
    town.sandbox.world.totality.allow_only_single_payment_plan = True
    answer = totality.send(ordered(totality, body=body()))
    assert (answer.outcome, answer.status, answer.clashes) == (Outcome.REFUSED, 409, True)


def test_a_validation_error_names_the_fields_it_is_about(totality):
    answer = totality.send(ordered(totality, body=body(firstPaymentDate="2026-06-01")))
    assert (answer.outcome, answer.clashes) == (Outcome.REFUSED, False)
    assert answer.reason == "Totality refused it with status 422, about firstPaymentDate"


def test_lists_that_are_refused_are_no_empty_lists(town, totality):
    town.sandbox.faults.add(faults.status(422), provider="totality", match="GET", times=faults.FOREVER)
    with pytest.raises(Refused):
        totality.before(ordered(totality, body=body()))
