"""One change from wish to end: what an answer is taken for, when somebody looks, when it is sent again, when it is left.

The provider is played by hand: it executes or not, answers or not, at once or late. Time is its own; waiting moves it.
"""

import errno
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from providers.errors import Unreachable
from providers.writing import Answer, Before, Found, Order, Outcome, PlanNow, Term, UnknownPlan, Wanted
from sql.errors import CannotWrite
from writes.agreement import Agreement
from writes.engine import Engine, Patience
from writes.errors import Underway
from writes.intents import APPROVED, DONE, PARKED, REFUSED, SENDING, UNKNOWN, AgreedTerm
from writes.ledger import Ledger

START = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
TERMS = (Term(date(2026, 12, 1), Decimal("100.00")), Term(date(2027, 1, 1), Decimal("200.00")))
OTHER_TERMS = (TERMS[0], Term(date(2027, 1, 4), Decimal("200.00")))
BODY = {"invoice": "F1"}
BOUND = 30.0
LOOKS = (0.0, 1.0, 2.0, 4.0)

NO_ANSWER = Answer(Outcome.UNKNOWN, None, "the connection was lost")
BUSY = Answer(Outcome.NOT_EXECUTED, 429, "too many requests", retry_after=7)
NO_LINE = Answer(Outcome.NOT_EXECUTED, None, "the connection was refused")
NO = Answer(Outcome.REFUSED, 422, "the provider refused it")
CLASH = Answer(Outcome.REFUSED, 409, "something like it is there", clashes=True)


@dataclass
class Time:
    at: datetime = START
    pauses: list = field(default_factory=list)
    due: list = field(default_factory=list)

    def now(self):
        return self.at

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)
        while self.due and self.due[0][0] <= self.at:
            self.due.pop(0)[1]()

    def later(self, seconds, act):
        self.due.append((self.at + timedelta(seconds=seconds), act))


class Provider:
    """A provider that makes and changes plans of owner 50; `script` says how it treats the next calls.

    Each entry is called with what would execute the call, and returns the answer.
    """

    def __init__(self, time):
        self.time, self.script, self.sends, self.looks = time, [], [], []
        self.plans = {"1": PlanNow("1", "50", "PROPOSED", "2026-11-01T00:00:00Z", TERMS)}
        self.extra, self.dead_looks, self.dead_reads, self.removes = {}, 0, 0, ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def locate(self, wanted):
        return replace(wanted, tenant_id="1001")

    def order(self, wanted):
        create = wanted.operation == "create"
        return Order(
            "payt", wanted.operation, wanted.tenant_id, wanted.plan_id, "", "POST" if create else "PATCH",
            "/plans", "/plans", body=wanted.body, terms=TERMS if create else (),
        )  # fmt: skip

    def before(self, order):
        plan = None
        if order.plan_id is not None:
            plan = self.plans.get(order.plan_id)
            if plan is None:
                raise UnknownPlan("there is no such plan", provider="payt")
        ids = tuple(sorted(self.plans))
        return Before(self.time.at, plan, "50", ids, self.removes, "EUR", objections=self.extra.get("objections", ()))

    def send(self, order):
        self.sends.append(self.time.at)
        act = self.script.pop(0) if self.script else answered
        return act(self, order)

    def execute(self, order):
        if order.operation == "create":
            plan_id = str(1 + max(map(int, self.plans), default=0))
            self.plans[plan_id] = PlanNow(plan_id, "50", "ACTIVE", "2026-11-20T20:00:00Z", order.terms)
            return plan_id
        if order.operation == "deactivate":
            self.plans.pop(order.plan_id, None)
        else:
            status = {"approve": "ACTIVE", "reject": "REJECTED"}[order.operation]
            self.plans[order.plan_id] = replace(self.plans[order.plan_id], status=status)
        return order.plan_id

    def look(self, order, before):
        self.looks.append(self.time.at)
        if self.dead_looks:
            self.dead_looks -= 1
            raise Unreachable("no answer", provider="payt")
        if order.operation == "create":
            new = [plan for name, plan in self.plans.items() if name not in before.plan_ids]
            ours = tuple(plan for plan in new if plan.terms == order.terms)
            return Found(plans=ours, others=tuple(plan for plan in new if plan not in ours))
        plan = self.plans.get(order.plan_id)
        if order.operation == "deactivate":
            return Found() if plan else Found(plans=(replace(before.plan, status="DEACTIVATED"),))
        wanted, gone = {"approve": ("ACTIVE", "REJECTED"), "reject": ("REJECTED", "ACTIVE")}[order.operation]
        if plan.status == wanted:
            return Found(plans=(plan,))
        return Found(contradicts=f"the plan is {plan.status}") if plan.status == gone else Found()

    def read(self, tenant_id, plan_id, owner=""):
        if self.dead_reads:
            self.dead_reads -= 1
            raise Unreachable("no answer", provider="payt")
        if plan_id not in self.plans:
            raise UnknownPlan("the plan is not shown", provider="payt")
        return self.plans[plan_id]


# How one call may go


def answered(provider, order):
    return Answer(Outcome.DONE, 201, "", provider.execute(order))


def lost_after(provider, order):
    provider.execute(order)
    return NO_ANSWER


def lost_before(_provider, _order):
    return NO_ANSWER


def late(seconds):
    def act(provider, order):
        provider.time.later(seconds, lambda: provider.execute(order))
        return NO_ANSWER

    return act


def saying(answer):
    return lambda _provider, _order: answer


def doubled(provider, order):
    """The network delivers the request twice; the answer is that of the first."""
    first = answered(provider, order)
    provider.execute(order)
    return first


def doubled_and_lost(provider, order):
    doubled(provider, order)
    return NO_ANSWER


def other_terms(answer=None):
    def act(provider, order):
        plan_id = provider.execute(replace(order, terms=OTHER_TERMS))
        return answer or Answer(Outcome.DONE, 201, "", plan_id)

    return act


def killed(*, executed):
    def act(provider, order):
        if executed:
            provider.execute(order)
        raise KeyboardInterrupt

    return act


def agreed(order, _before):
    terms = tuple(AgreedTerm(term.due_date, int(term.amount * 100)) for term in order.terms)
    return Agreement("EUR", terms)


@pytest.fixture
def desk(tmp_path):
    """One engine at one played provider."""

    class Desk:
        def __init__(self):
            self.time = Time()
            self.provider = Provider(self.time)
            self.ledger = Ledger(tmp_path / "state")
            self.patience = Patience(worst_delay=BOUND, looks=LOOKS)

        def engine(self, **patience):
            return Engine(
                name="payt",
                ledger=Ledger(tmp_path / "state"),
                writer=self.provider,
                clock=self.time.now,
                pause=self.time.pause,
                who="anna@desk",
                agree=agreed,
                summarise=lambda order, _agreement: order.operation,
                patience=replace(self.patience, **patience),
            )

        def wanted(self, operation="create", **body):
            if operation == "create":
                return Wanted(operation, body=body or BODY)
            return Wanted(operation, plan_id="1")

        def apply(self, operation="create", *script, again="", patience=None, **wanted):
            self.provider.script = list(script)
            engine = self.engine(**patience or {})
            return engine.apply(engine.prepare(self.wanted(operation, **wanted)), again=again)

        def resume(self, intent, *script, may_send=True, **patience):
            self.provider.script = list(script)
            return self.engine(**patience).drive(self.ledger.get(intent.intent_id), may_send=may_send)

        @property
        def made(self):
            return sorted(set(self.provider.plans) - {"1"})

        def states(self, intent):
            return [line.facts["state"] for line in self.ledger.history(intent) if line.kind == "step"]

    return Desk()


def seconds(moments):
    return [(moment - START).total_seconds() for moment in moments]


# What an answer is taken for


def test_a_proven_effect_is_done_with_its_plan_and_read_back(desk):
    intent = desk.apply()
    assert (intent.state, intent.plan_id, intent.found, intent.answer_status) == (DONE, "2", False, 201)
    assert (intent.is_read_back, intent.differences, intent.attempts) == (True, (), 1)
    assert desk.states(intent) == [APPROVED, SENDING, DONE]
    assert (desk.made, len(desk.provider.sends), desk.time.pauses) == (["2"], 1, [0.0])
    assert not list(desk.ledger.folder.glob("*.json"))


def test_a_refusal_is_final_after_one_look_that_shows_nothing(desk):
    intent = desk.apply("create", saying(NO))
    assert (intent.state, intent.answer_status, intent.reason) == (REFUSED, 422, NO.reason)
    assert (len(desk.provider.sends), len(desk.provider.looks), desk.made) == (1, 1, [])


@pytest.mark.parametrize("answer", [BUSY, NO_LINE])
def test_a_call_that_was_not_executed_is_sent_again_and_does_not_count(desk, answer):
    intent = desk.apply("create", saying(answer), saying(answer))
    assert (intent.state, intent.attempts, desk.made) == (DONE, 1, ["2"])
    assert desk.states(intent) == [APPROVED, SENDING, APPROVED, SENDING, APPROVED, SENDING, DONE]
    # the one look is for the same plan made once more
    assert (len(desk.provider.sends), len(desk.provider.looks)) == (3, 1)
    wait = answer.retry_after or 1.0
    assert seconds(desk.provider.sends) == [0, wait, 2 * wait]


def test_a_provider_that_stays_busy_leaves_the_change_approved_for_later(desk):
    intent = desk.apply("create", *[saying(BUSY)] * 9)
    assert (intent.state, intent.attempts, len(desk.provider.sends)) == (APPROVED, 0, 3)
    assert desk.resume(intent, may_send=False).state == APPROVED
    assert len(desk.provider.sends) == 3
    assert desk.resume(intent).state == DONE
    assert (len(desk.provider.sends), desk.made) == (4, ["2"])


def test_a_wait_that_a_provider_asks_for_is_bounded(desk):
    desk.apply("create", saying(replace(BUSY, retry_after=86_400)))
    assert max(desk.time.pauses) == desk.patience.longest_wait


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    "answer", [NO_ANSWER, Answer(Outcome.UNKNOWN, 500, "500"), Answer(Outcome.UNKNOWN, 201, "garbage")]
)
def test_an_answer_that_proves_nothing_is_unknown_until_a_look_finds_the_effect(desk, answer):
    def act(provider, order):
        provider.execute(order)
        return answer

    intent = desk.apply("create", act)
    assert desk.states(intent) == [APPROVED, SENDING, UNKNOWN, DONE]
    assert (intent.state, intent.plan_id, intent.found, intent.differences) == (DONE, "2", True, ())
    assert (len(desk.provider.sends), desk.made) == (1, ["2"])


# Look before sending again


@pytest.mark.fault(50)
def test_with_a_known_delay_it_is_sent_again_only_after_that_and_a_look(desk):
    intent = desk.apply("create", lost_before)
    assert (intent.state, intent.attempts, intent.found, desk.made) == (DONE, 2, False, ["2"])
    first, second = seconds(desk.provider.sends)
    assert second - first >= BOUND
    looks = seconds(desk.provider.looks)
    assert first <= looks[0] < BOUND <= looks[1] <= second


def test_an_effect_just_within_the_known_delay_is_found_and_not_made_twice(desk):
    intent = desk.apply("create", late(BOUND - 0.001))
    assert (intent.state, intent.found, desk.made, len(desk.provider.sends)) == (DONE, True, ["2"], 1)


def test_who_goes_on_later_waits_only_for_the_rest_of_the_delay(desk):
    desk.provider.dead_looks = 1
    intent = desk.apply("create", lost_before)
    assert intent.state == UNKNOWN
    lost_at = desk.time.at
    desk.time.at += timedelta(seconds=20)
    desk.time.pauses.clear()
    done = desk.resume(intent)
    assert (done.state, done.attempts) == (DONE, 2)
    assert desk.time.pauses[:2] == [0.0, BOUND - 20]
    assert (desk.provider.sends[1] - lost_at).total_seconds() >= BOUND


@pytest.mark.fault(50)
def test_with_an_unknown_delay_a_create_is_parked_and_never_sent_again(desk):
    intent = desk.apply("create", lost_before, patience={"worst_delay": None})
    assert (intent.state, intent.attempts, len(desk.provider.sends)) == (PARKED, 1, 1)
    assert "nobody knows how late" in intent.reason
    assert desk.time.pauses == list(LOOKS)
    desk.time.at += timedelta(hours=1)
    assert desk.resume(intent, worst_delay=None).state == PARKED
    assert len(desk.provider.sends) == 1


def test_with_an_unknown_delay_an_effect_that_shows_while_looking_is_found(desk):
    intent = desk.apply("create", late(3), patience={"worst_delay": None})
    assert (intent.state, intent.found, len(desk.provider.sends)) == (DONE, True, 1)


def test_it_is_sent_again_at_most_twice(desk):
    intent = desk.apply("create", *[lost_before] * 9)
    assert (intent.state, intent.attempts, len(desk.provider.sends)) == (PARKED, 3, 3)
    assert "sent 3 times" in intent.reason
    first, second, third = desk.provider.sends
    assert min(second - first, third - second) >= timedelta(seconds=BOUND)
    # the last try is waited for as well
    assert desk.provider.looks[-1] - third >= timedelta(seconds=BOUND)
    assert desk.resume(intent).state == PARKED
    assert len(desk.provider.sends) == 3


def test_a_refused_repetition_is_not_the_last_word_while_an_earlier_try_may_still_be_executed(desk):
    intent = desk.apply("approve", late(sum(LOOKS) + 5), saying(NO))
    assert (intent.state, intent.found, len(desk.provider.sends)) == (DONE, True, 2)


def test_a_refused_repetition_is_left_to_a_person_where_nobody_knows_the_delay(desk):
    intent = desk.apply("approve", late(100), saying(NO), patience={"worst_delay": None})
    assert (intent.state, len(desk.provider.sends)) == (PARKED, 2)
    assert "nobody knows whether an earlier try will still be executed" in intent.reason
    desk.time.at += timedelta(seconds=200)
    desk.time.pause(0)
    assert desk.engine().look_again(intent).state == DONE


def test_a_refused_repetition_is_refused_once_no_earlier_try_can_be_executed_any_more(desk):
    intent = desk.apply("approve", lost_before, saying(NO))
    assert (intent.state, intent.answer_status, len(desk.provider.sends)) == (REFUSED, 422, 2)
    assert desk.provider.looks[-1] - desk.provider.sends[-1] >= timedelta(seconds=BOUND)


def test_tries_are_counted_over_all_processes(desk):
    intent = desk.apply("create", killed_once(desk))
    for _ in range(5):
        intent = desk.resume(intent, *[lost_before] * 9)
    assert (intent.state, intent.attempts, len(desk.provider.sends)) == (PARKED, 3, 3)


def killed_once(desk):
    def act(provider, order):
        desk.provider.dead_looks = 1
        return NO_ANSWER

    return act


def test_a_busy_provider_between_two_tries_does_not_use_one_up(desk):
    intent = desk.apply("create", lost_before, saying(BUSY), lost_before, saying(NO_LINE), lost_after)
    assert (intent.state, intent.attempts, intent.found, desk.made) == (DONE, 3, True, ["2"])
    assert len(desk.provider.sends) == 5


def test_several_plans_as_wanted_are_left_to_a_person(desk):
    def twice(provider, order):
        provider.execute(order)
        provider.execute(order)
        return NO_ANSWER

    intent = desk.apply("create", twice)
    assert (intent.state, len(desk.provider.sends)) == (PARKED, 1)
    assert "2 plans" in intent.reason


def test_a_new_plan_that_is_not_as_wanted_is_left_to_a_person(desk):
    intent = desk.apply("create", other_terms(NO_ANSWER))
    assert (intent.state, len(desk.provider.sends)) == (PARKED, 1)
    assert "not as wanted" in intent.reason


def test_a_plan_that_went_another_way_ends_the_change(desk):
    def rejected(provider, _order):
        provider.plans["1"] = replace(provider.plans["1"], status="REJECTED")
        return NO_ANSWER

    intent = desk.apply("approve", rejected)
    assert (intent.state, intent.reason, len(desk.provider.sends)) == (REFUSED, "the plan is REJECTED", 1)


def test_a_change_of_a_plan_is_sent_again_without_waiting_for_the_provider(desk):
    intent = desk.apply("approve", lost_before, patience={"worst_delay": None})
    assert (intent.state, intent.attempts) == (DONE, 2)
    assert sum(desk.time.pauses) < BOUND


def test_who_may_not_send_only_looks(desk):
    desk.provider.dead_looks = 1
    intent = desk.apply("create", lost_before)
    looked = desk.resume(intent, may_send=False)
    assert (looked.state, len(desk.provider.sends)) == (UNKNOWN, 1)
    desk.provider.execute(desk.provider.order(Wanted("create", "1001", body=BODY)))
    assert desk.resume(intent, may_send=False).state == DONE
    assert len(desk.provider.sends) == 1


def test_a_look_that_fails_decides_nothing(desk):
    desk.provider.dead_looks = 3
    intent = desk.apply("create", lost_after)
    assert (intent.state, len(desk.provider.sends)) == (UNKNOWN, 1)
    assert desk.resume(intent).state == UNKNOWN
    assert desk.resume(intent).state == UNKNOWN
    done = desk.resume(intent)
    assert (done.state, done.found, len(desk.provider.sends), desk.made) == (DONE, True, 1, ["2"])


@pytest.mark.parametrize("operation", ["create", "approve"])
def test_a_clash_on_a_repeated_try_is_looked_at_and_no_refusal(desk, operation):
    def executed_meanwhile(provider, order):
        provider.execute(order)
        return CLASH

    intent = desk.apply(operation, lost_before, executed_meanwhile)
    assert desk.states(intent) == [APPROVED, SENDING, UNKNOWN, SENDING, UNKNOWN, DONE]
    assert (intent.state, intent.found, len(desk.provider.sends)) == (DONE, True, 2)


def test_a_refusal_of_a_repeated_try_is_one_only_if_no_earlier_try_took_effect(desk):
    intent = desk.apply("create", lost_before, saying(NO))
    assert desk.states(intent) == [APPROVED, SENDING, UNKNOWN, SENDING, UNKNOWN, REFUSED]
    assert (intent.state, intent.reason, intent.answer_status) == (REFUSED, NO.reason, 422)
    found = desk.apply("approve", lost_before, lambda provider, order: provider.execute(order) and NO)
    assert (found.state, found.found) == (DONE, True)
    assert len(desk.provider.sends) == 4


def test_a_refusal_of_a_repeated_try_decides_nothing_while_nobody_can_look(desk):
    desk.provider.dead_looks = 0

    def refused_and_dark(provider, _order):
        provider.dead_looks = 1
        return NO

    intent = desk.apply("create", lost_before, refused_and_dark)
    assert (intent.state, intent.was_refused) == (UNKNOWN, True)
    assert desk.resume(intent).state == REFUSED
    assert len(desk.provider.sends) == 2


def test_a_change_that_clashes_with_what_somebody_else_did_is_done(desk):
    intent = desk.apply("approve", lambda provider, order: provider.execute(order) and CLASH)
    assert (intent.state, intent.found, intent.attempts) == (DONE, True, 1)
    assert desk.apply("create", saying(CLASH)).state == REFUSED


def test_a_clash_on_the_first_try_is_a_refusal_also_after_a_busy_provider(desk):
    intent = desk.apply("create", saying(BUSY), saying(CLASH))
    assert (intent.state, intent.reason) == (REFUSED, CLASH.reason)


# Killed in the middle


@pytest.mark.fault(49)
@pytest.mark.parametrize("executed", [True, False])
def test_a_process_killed_while_sending_leaves_a_question_that_a_look_answers(desk, executed):
    with pytest.raises(KeyboardInterrupt):
        desk.apply("create", killed(executed=executed))
    (left,) = desk.ledger.intents()
    assert (left.state, left.attempts) == (SENDING, 1)
    desk.time.at += timedelta(minutes=5)
    found_at = desk.time.at
    done = desk.resume(left)
    assert (done.state, done.found, desk.made) == (DONE, executed, ["2"])
    assert len(desk.provider.sends) == (1 if executed else 2)
    assert desk.states(left)[:3] == [APPROVED, SENDING, UNKNOWN]
    if not executed:
        # nobody knows when the killed process sent: the delay counts from when it was found
        assert (desk.provider.sends[1] - found_at).total_seconds() >= BOUND


def test_the_same_command_again_goes_on_where_a_killed_one_was(desk):
    with pytest.raises(KeyboardInterrupt):
        desk.apply("create", killed(executed=True))
    done = desk.apply()
    assert (done.state, len(desk.provider.sends), desk.made) == (DONE, 1, ["2"])
    assert len(desk.ledger.intents()) == 1


def test_a_change_that_was_done_is_not_done_again_but_for_a_reason(desk):
    first = desk.apply()
    assert desk.apply() == first
    assert len(desk.provider.sends) == 1
    desk.time.pause(1)
    second = desk.apply(again="a second one was agreed")
    assert (second.state, second.plan_id, desk.made) == (DONE, "3", ["2", "3"])


def test_two_who_prepared_the_same_send_it_once(desk):
    one, other = desk.engine(), desk.engine()
    prepared = [engine.prepare(desk.wanted("approve")) for engine in (one, other)]
    first = one.apply(prepared[0])
    assert other.apply(prepared[1]) == first
    assert len(desk.provider.sends) == 1


def test_while_one_works_on_it_another_does_not(desk):
    other = desk.engine()

    def meanwhile(provider, order):
        with pytest.raises(Underway):
            other.apply(prepared)
        return answered(provider, order)

    prepared = other.prepare(desk.wanted())
    assert desk.apply("create", meanwhile).state == DONE
    assert len(desk.provider.sends) == 1


def test_a_change_back_and_forth_is_sent_each_time(desk):
    for _ in range(2):
        desk.time.pause(1)
        desk.provider.plans["1"] = replace(desk.provider.plans["1"], status="PROPOSED")
        assert desk.apply("approve").state == DONE
    assert len(desk.provider.sends) == 2


# What was approved, and nothing else


def approved_only(desk, operation="create"):
    """An intent whose process ended just before sending."""
    desk.apply(operation, patience={"most_sends": 0})
    (intent,) = [one for one in desk.ledger.intents() if one.is_open]
    assert intent.state == APPROVED
    return intent


@pytest.mark.fault(54)
def test_an_old_approval_is_not_sent(desk):
    intent = approved_only(desk)
    desk.time.at += timedelta(hours=24, seconds=1)
    refused = desk.resume(intent)
    assert (refused.state, desk.provider.sends) == (REFUSED, [])
    assert "too old" in refused.reason


def test_an_approval_holds_for_its_whole_time(desk):
    intent = approved_only(desk)
    desk.time.at += timedelta(hours=24)
    assert desk.resume(intent).state == DONE


def test_an_old_approval_is_not_sent_again_either(desk):
    desk.provider.dead_looks = 1
    intent = desk.apply("create", lost_before)
    desk.time.at += timedelta(hours=25)
    parked = desk.resume(intent)
    assert (parked.state, len(desk.provider.sends)) == (PARKED, 1)
    assert "too old" in parked.reason


def test_an_edited_request_is_not_sent(desk):
    intent = approved_only(desk)
    path = desk.ledger.folder / f"{intent.intent_id}.json"
    path.write_bytes(path.read_bytes().replace(b"F1", b"F2"))
    refused = desk.resume(intent)
    assert (refused.state, desk.provider.sends) == (REFUSED, [])


def test_a_program_that_would_make_another_request_of_it_does_not_send(desk, monkeypatch):
    intent = approved_only(desk)
    usual = Provider.order
    monkeypatch.setattr(Provider, "order", lambda own, wanted: replace(usual(own, wanted), path="/v2/plans"))
    refused = desk.resume(intent)
    assert (refused.state, desk.provider.sends) == (REFUSED, [])
    assert "not the one that was approved" in refused.reason


CHANGES = {
    "a new plan of the owner": lambda provider: provider.plans.update({"9": replace(provider.plans["1"], plan_id="9")}),
    "a plan less": lambda provider: provider.plans.pop("1"),
    "terms that would go": lambda provider: setattr(provider, "removes", TERMS),
    "an objection": lambda provider: provider.extra.update(objections=("payments are stopped",)),
}


@pytest.mark.fault(54)
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_provider_that_shows_something_else_than_was_approved_gets_nothing(desk, change):
    intent = approved_only(desk)
    CHANGES[change](desk.provider)
    refused = desk.resume(intent)
    assert (refused.state, desk.provider.sends) == (REFUSED, [])
    assert "changed it since it was approved" in refused.reason


@pytest.mark.fault(55)
def test_a_plan_that_was_changed_between_two_tries_is_not_touched(desk):
    def busy(provider, _order):
        provider.plans["1"] = replace(provider.plans["1"], status="REJECTED")
        return BUSY

    intent = desk.apply("approve", busy)
    assert (intent.state, len(desk.provider.sends)) == (REFUSED, 1)


def test_a_plan_that_somebody_else_changed_as_wanted_is_done_without_sending(desk):
    intent = approved_only(desk, "approve")
    desk.provider.plans["1"] = replace(desk.provider.plans["1"], status="ACTIVE")
    done = desk.resume(intent)
    assert (done.state, done.found, done.reason, desk.provider.sends) == (DONE, True, "it was so already", [])


def test_a_plan_that_is_gone_as_wanted_is_done_although_it_cannot_be_read(desk):
    intent = approved_only(desk, "deactivate")
    del desk.provider.plans["1"]
    done = desk.resume(intent)
    assert (done.state, done.found, desk.provider.sends) == (DONE, True, [])


def test_a_try_that_takes_effect_while_the_next_one_is_put_off_is_found(desk):
    intent = desk.apply("deactivate", late(10), saying(BUSY))
    assert (intent.state, intent.found, len(desk.provider.sends)) == (DONE, True, 2)


def test_an_old_approval_of_which_an_earlier_try_took_effect_is_done(desk):
    intent = desk.apply("approve", lost_before, *[saying(BUSY)] * 9)
    assert (intent.state, intent.attempts) == (UNKNOWN, 1)
    desk.provider.plans["1"] = replace(desk.provider.plans["1"], status="ACTIVE")
    desk.time.at += timedelta(hours=25)
    done = desk.resume(intent)
    assert (done.state, done.found) == (DONE, True)


# Plans of other changes


def test_the_plan_of_another_change_of_ours_is_not_taken_for_ours(desk):
    engine = desk.engine()
    mine = engine.prepare(desk.wanted(invoice="F1"))
    desk.apply("create", invoice="F2")
    desk.provider.script = [lost_before]
    intent = engine.apply(mine)
    assert (intent.state, intent.plan_id, intent.attempts) == (DONE, "3", 2)
    assert desk.made == ["2", "3"]


def test_a_plan_that_either_of_two_open_changes_may_have_made_is_given_to_neither(desk):
    desk.patience = replace(desk.patience, worst_delay=None)
    engine = desk.engine()
    second = engine.prepare(desk.wanted(invoice="F2"))
    first = desk.apply("create", lost_before, invoice="F1")
    assert first.state == PARKED
    desk.provider.script = [lost_after]
    intent = engine.apply(second)
    assert (intent.state, len(desk.provider.sends), desk.made) == (PARKED, 2, ["2"])
    assert first.intent_id in intent.reason
    assert desk.engine().look_again(desk.ledger.get(first.intent_id)).state == PARKED
    # once a person has said whose it is, the other one is not given it
    desk.ledger.move(desk.ledger.get(intent.intent_id), DONE, at=desk.time.at, who="ben", plan_id="2")
    assert desk.engine().look_again(desk.ledger.get(first.intent_id)).state == PARKED


# After


def test_what_the_provider_made_otherwise_is_written_down_and_not_corrected(desk):
    intent = desk.apply("create", other_terms())
    assert (intent.state, intent.differences) == (DONE, ("term 2: due 2027-01-01 agreed, 2027-01-04 shown",))
    assert (len(desk.provider.sends), desk.ledger.get(intent.intent_id)) == (1, intent)


TWICE = "the provider shows the same plan more than once, also as 3: end what is too many"


def test_a_create_that_the_network_delivered_twice_is_a_difference(desk):
    intent = desk.apply("create", doubled)
    assert (intent.state, intent.plan_id, intent.differences) == (DONE, "2", (TWICE,))
    assert (len(desk.provider.sends), desk.made) == (1, ["2", "3"])


def test_a_create_delivered_twice_whose_answers_are_lost_is_left_to_a_person(desk):
    intent = desk.apply("create", doubled_and_lost)
    assert (intent.state, intent.reason) == (
        PARKED,
        "2 plans at the provider are as wanted; which one is ours cannot be told",
    )


def test_a_create_delivered_twice_whose_second_delivery_was_refused_is_done(desk):
    intent = desk.apply("create", lambda provider, order: (provider.execute(order), CLASH)[1])
    assert (intent.state, intent.found, intent.plan_id, intent.differences) == (DONE, True, "2", ())


def test_a_refused_create_stays_unknown_while_nobody_can_look(desk):
    desk.provider.dead_looks = 99
    intent = desk.apply("create", lambda provider, order: (provider.execute(order), NO)[1])
    assert intent.state == UNKNOWN
    desk.provider.dead_looks = 0
    assert desk.resume(intent).state == DONE


def test_a_second_plan_that_somebody_has_ended_again_is_no_difference(desk):
    def ended(provider, order):
        answer = doubled(provider, order)
        provider.plans["3"] = replace(provider.plans["3"], status="DEACTIVATED")
        return answer

    assert desk.apply("create", ended).differences == ()


def test_a_plan_like_ours_from_before_or_of_another_change_is_no_double(desk):
    first = desk.apply("create")
    desk.time.pause(1)
    second = desk.apply("create", again="for another debt")
    assert (first.differences, second.differences, desk.made) == ((), (), ["2", "3"])


def test_a_plan_that_another_open_change_may_have_made_is_no_double_of_ours(desk):
    desk.patience = replace(desk.patience, worst_delay=None)
    engine = desk.engine()
    second = engine.prepare(desk.wanted(invoice="F2"))
    assert desk.apply("create", lost_before, invoice="F1").state == PARKED
    # what was lost is executed after all, while the other change is made
    desk.provider.script = [lambda provider, order: (provider.execute(order), answered(provider, order))[1]]
    done = engine.apply(second)
    assert (done.state, done.differences, desk.made) == (DONE, (), ["2", "3"])


@pytest.mark.fault(57)
def test_amounts_a_hundred_times_too_large_are_a_difference(desk):
    def times_100(provider, order):
        terms = (Term(TERMS[0].due_date, Decimal(10000)), Term(TERMS[1].due_date, Decimal("20000.00")))
        return Answer(Outcome.DONE, 201, "", provider.execute(replace(order, terms=terms)))

    intent = desk.apply("create", times_100)
    assert intent.differences == (
        "term 1: 100.00 EUR agreed, 10000 EUR shown",
        "term 2: 200.00 EUR agreed, 20000.00 EUR shown",
    )


def test_terms_that_are_missing_are_a_difference(desk):
    def short(provider, order):
        return Answer(Outcome.DONE, 201, "", provider.execute(replace(order, terms=TERMS[:1])))

    assert desk.apply("create", short).differences == ("2 terms were agreed, the provider shows 1",)


def test_a_plan_without_any_term_is_a_difference_unless_its_provider_lists_none(desk):
    def bare(*, lists):
        def act(provider, order):
            plan_id = provider.execute(replace(order, terms=()))
            provider.plans[plan_id] = replace(provider.plans[plan_id], lists_terms=lists)
            return Answer(Outcome.DONE, 201, "", plan_id)

        return act

    assert desk.apply("create", bare(lists=True)).differences == ("2 terms were agreed, the provider shows 0",)
    assert desk.apply("create", bare(lists=False), invoice="F2").differences == ()


def test_terms_that_show_a_little_later_are_no_difference(desk):
    def slowly(provider, order):
        plan_id = provider.execute(replace(order, terms=()))
        whole = replace(provider.plans[plan_id], terms=order.terms)
        provider.time.later(2, lambda: provider.plans.update({plan_id: whole}))
        return Answer(Outcome.DONE, 201, "", plan_id)

    assert desk.apply("create", slowly).differences == ()


def test_a_plan_in_another_state_than_wanted_is_a_difference(desk):
    def proposed(provider, order):
        plan_id = provider.execute(order)
        provider.plans[plan_id] = replace(provider.plans[plan_id], status="PROPOSED")
        return Answer(Outcome.DONE, 201, "", plan_id)

    assert desk.apply("create", proposed).differences == ("the plan is PROPOSED, not ACTIVE",)


def test_a_plan_that_is_not_shown_is_looked_for_a_few_times_and_then_a_difference(desk):
    intent = desk.apply("create", saying(Answer(Outcome.DONE, 201, "", "8")))
    assert (intent.state, intent.differences) == (DONE, ("the provider does not show the plan",))
    assert desk.time.pauses == list(LOOKS)


def test_a_plan_that_shows_a_little_later_is_no_difference(desk):
    def act(provider, order):
        provider.time.later(2.5, lambda: provider.execute(order))
        return Answer(Outcome.DONE, 201, "", "2")

    assert desk.apply("create", act).differences == ()


def test_a_plan_that_could_not_be_read_back_is_read_back_later(desk):
    desk.provider.dead_reads = len(LOOKS)
    intent = desk.apply()
    assert (intent.state, intent.is_read_back, intent.differences) == (DONE, False, ())
    assert intent.needs_its_request
    later = desk.resume(intent)
    assert (later.state, later.is_read_back, later.differences) == (DONE, True, ())
    assert len(desk.provider.sends) == 1


def test_a_change_whose_answer_says_done_while_the_plan_stays_is_a_difference(desk):
    intent = desk.apply("reject", saying(Answer(Outcome.DONE, 200, "", "1")))
    assert (intent.state, intent.differences) == (DONE, ("the provider does not show the change",))


def test_a_process_killed_before_reading_back_leaves_that_to_the_next(desk, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Provider, "read", stop)
        with pytest.raises(KeyboardInterrupt):
            desk.apply("create", other_terms())
    (left,) = desk.ledger.intents()
    assert (left.state, left.is_read_back, left.needs_its_request) == (DONE, False, True)
    done = desk.resume(left)
    assert (done.is_read_back, len(done.differences), len(desk.provider.sends)) == (True, 1, 1)


# Parked


def parked(desk):
    return desk.apply("create", lost_before, patience={"worst_delay": None})


def test_a_parked_change_is_done_once_its_effect_has_turned_up(desk):
    intent = parked(desk)
    engine = desk.engine(worst_delay=None)
    assert engine.look_again(intent) == intent
    desk.provider.execute(desk.provider.order(Wanted("create", "1001", body=BODY)))
    done = engine.look_again(intent)
    assert (done.state, done.plan_id, done.found, done.is_read_back) == (DONE, "2", True, True)
    assert (engine.look_again(done), len(desk.provider.sends)) == (done, 1)


def test_a_parked_change_stays_so_while_several_plans_or_another_are_found(desk):
    intent = parked(desk)
    order = desk.provider.order(Wanted("create", "1001", body=BODY))
    desk.provider.execute(replace(order, terms=OTHER_TERMS))
    assert desk.engine().look_again(intent).state == PARKED
    for _ in range(2):
        desk.provider.execute(order)
    assert desk.engine().look_again(intent).state == PARKED


def test_a_parked_change_whose_request_is_gone_stays_for_a_person(desk):
    intent = parked(desk)
    (desk.ledger.folder / f"{intent.intent_id}.json").unlink()
    assert desk.engine().look_again(intent) == intent


def test_a_change_whose_request_is_gone_while_nobody_knows_its_end_is_parked(desk):
    desk.provider.dead_looks = 1
    intent = desk.apply("create", lost_after)
    (desk.ledger.folder / f"{intent.intent_id}.json").unlink()
    found = desk.resume(intent)
    assert (found.state, len(desk.provider.sends)) == (PARKED, 1)


# A log that cannot be written


def full_disk(monkeypatch, *, at):
    """From the `at`-th line on nothing can be written."""
    usual, lines = Ledger._append, []

    def append(own, file, kind, facts):
        lines.append(kind)
        if len(lines) >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        usual(own, file, kind, facts)

    monkeypatch.setattr(Ledger, "_append", append)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_nothing_is_sent_that_cannot_be_written_down_first(desk, monkeypatch, at):
    with monkeypatch.context() as patch:
        full_disk(patch, at=at)
        with pytest.raises(CannotWrite, match="free some space"):
            desk.apply()
    assert desk.provider.sends == []
    assert desk.apply().state == DONE
    assert (len(desk.provider.sends), len(desk.ledger.intents())) == (1, 1)


def test_an_answer_that_cannot_be_written_down_is_found_by_looking(desk, monkeypatch):
    with monkeypatch.context() as patch:
        full_disk(patch, at=4)
        with pytest.raises(CannotWrite):
            desk.apply()
    (left,) = desk.ledger.intents()
    assert left.state == SENDING
    done = desk.resume(left)
    assert (done.state, done.found, len(desk.provider.sends), desk.made) == (DONE, True, 1, ["2"])


# Preparing


def test_preparing_sends_and_writes_nothing(desk):
    prepared = desk.engine().prepare(desk.wanted())
    assert (desk.provider.sends, desk.ledger.folder.exists(), prepared.known, prepared.standing) == (
        [],
        False,
        None,
        None,
    )
    assert prepared.agreement.amount_minor == 30_000


def test_preparing_knows_what_stands_already_and_what_was_done_before(desk):
    desk.provider.plans["1"] = replace(desk.provider.plans["1"], status="ACTIVE")
    assert desk.engine().prepare(desk.wanted("approve")).standing.plan_id == "1"
    done = desk.apply()
    assert desk.engine().prepare(desk.wanted()).known == done
    assert desk.engine().prepare(desk.wanted(invoice="F2")).known is None


def test_the_preview_changes_with_the_request_and_with_the_provider_but_not_with_time(desk):
    first = desk.engine().prepare(desk.wanted()).preview_sha256
    desk.time.at += timedelta(hours=1)
    assert desk.engine().prepare(desk.wanted()).preview_sha256 == first
    assert desk.engine().prepare(desk.wanted(invoice="F2")).preview_sha256 != first
    desk.provider.plans["9"] = desk.provider.plans["1"]
    assert desk.engine().prepare(desk.wanted()).preview_sha256 != first
