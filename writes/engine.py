"""Carry one change to its end: write it down, send it once, and look for its effect if the outcome is not known.

The rules, in order. A request is written down as being sent before it is sent. An answer that proves
neither effect nor refusal leaves the change unknown, and then only looking decides: one plan as
wanted is the effect; none, after the longest time the provider may take, means it may be sent again,
at most twice; anything else is for a person. A change of an existing plan has the same effect however
often it is executed, so it needs no such time.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from providers.errors import ProviderError
from providers.writing import Answer, Before, Found, Order, Outcome, PlanNow, UnknownPlan, Wanted, Writer
from writes.agreement import Agreement, differences
from writes.errors import Changed
from writes.intents import APPROVED, DONE, PARKED, PLANNED, REFUSED, SENDING, UNKNOWN, Draft, Intent
from writes.ledger import Ledger
from writes.material import key_of, pack, preview_sha256, request_sha256, state_sha256, unpack

LOG = logging.getLogger("planrecon")
REPEATABLE = frozenset({"update", "approve", "reject", "deactivate"})
"""Changes that have the same effect however often they are executed."""
ENDED_PLANS = frozenset({"REJECTED", "DEACTIVATED", "DELETED"})
"""Statuses of a plan under which no money is asked for any more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try.

    `worst_delay` is the longest a provider may take to execute a request whose connection is gone; null
    if unknown. `looks` are the pauses before each look; `valid` is how long an approval holds.
    """

    worst_delay: float | None = None
    looks: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    most_sends: int = 3
    longest_wait: float = 60.0
    valid: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One change, ready to be shown to a person or sent: not written down and not sent yet.

    `standing` is the plan where it is as wanted already; `known` an earlier intent for the same.
    """

    wanted: Wanted
    order: Order
    before: Before
    agreement: Agreement
    summary: str
    at: datetime
    standing: PlanNow | None = None
    known: Intent | None = None

    @property
    def request_sha256(self) -> str:
        """Return the hash of what would be sent."""
        return request_sha256(self.order)

    @property
    def preview_sha256(self) -> str:
        """Return the hash of what would be sent and of what the provider shows now."""
        return preview_sha256(self.order, self.before)


Agree = Callable[[Order, Before], Agreement]
"""Computes the terms that an order is meant to bring about."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Prepares, applies and resumes changes at one provider.

    `name` is the provider's. `clock` tells the time, `pause` waits that many seconds, `who` is the person in the log, `summarise` names a
    change in a few words without anything personal.
    """

    name: str
    ledger: Ledger
    writer: Writer
    clock: Callable[[], datetime]
    pause: Callable[[float], None]
    who: str
    agree: Agree
    summarise: Callable[[Order, Agreement], str]
    patience: Patience = Patience()

    def prepare(self, wanted: Wanted) -> Prepared:
        """Return the change with what the provider shows now. Only reads.

        Raises:
            ProviderError: the provider has no such call or plan, or could not be read.
        """
        at = self.clock()
        located = self.writer.locate(wanted)
        order = self.writer.order(located)
        before = self.writer.before(order)
        agreement = self.agree(order, before)
        is_change = order.operation in REPEATABLE
        standing = self.writer.look(order, before).plans if is_change else ()
        same = [one for one in self.ledger.intents() if one.draft.key == key_of(order) and one.state != REFUSED]
        return Prepared(
            wanted=located,
            order=order,
            before=before,
            agreement=agreement,
            summary=self.summarise(order, agreement),
            at=at,
            standing=standing[0] if standing else None,
            known=same[-1] if same else None,
        )

    def apply(self, prepared: Prepared, *, again: str = "") -> Intent:
        """Bring the change about, or find that it has been; return the intent as far as it came.

        Raises:
            Underway: another process works on the same change.
            Changed: the provider shows something else than was prepared.
        """
        order, agreement = prepared.order, prepared.agreement
        draft = Draft(
            provider=order.provider,
            operation=order.operation,
            tenant_id=order.tenant_id,
            plan_id=order.plan_id,
            owner=prepared.before.owner or order.owner,
            key=key_of(order),
            request_sha256=prepared.request_sha256,
            summary=prepared.summary,
            currency=agreement.currency,
            amount_minor=agreement.amount_minor,
            terms=agreement.terms,
        )
        if not again and order.operation in REPEATABLE and prepared.standing is None:
            again = "the plan is not in the wanted state"
        material = pack(prepared.wanted, prepared.before)
        intent, _ = self.ledger.plan(draft, material, at=self.clock(), who=self.who, since=prepared.at, again=again)
        return self.drive(intent, may_send=True)

    def drive(self, intent: Intent, *, may_send: bool) -> Intent:
        """Take an open intent as far as it goes; without `may_send` only by looking."""
        with self.ledger.claim(intent) as claimed:
            now, in_vain = claimed, 0
            while now.is_open:
                last, now = now, self._next(now, may_send=may_send and in_vain < self.patience.most_sends)
                if now is last:
                    break
                in_vain += now.sent_at != last.sent_at and now.attempts == last.attempts
            if now.state == DONE and not now.is_read_back:
                now = self._read_back(now)
        return now

    def _next(self, intent: Intent, *, may_send: bool) -> Intent:
        if intent.state == PLANNED and may_send:
            return self._move(intent, APPROVED)
        if intent.state == APPROVED and may_send:
            return self._send_approved(intent)
        if intent.state == SENDING:
            return self._move(
                intent, UNKNOWN, reason="the process that sent it ended before the answer was written down"
            )
        if intent.state == UNKNOWN:
            return self._settle(intent, may_send=may_send)
        return intent

    def _send_approved(self, intent: Intent) -> Intent:
        """Send for the first time, or again after it was provably not executed; only if all is as it was approved."""
        try:
            order, before = self._order_of(intent)
        except Changed as error:
            return self._move(intent, REFUSED, reason=str(error))
        if self._is_as_approved(intent, order, before) and not self._is_too_old(intent):
            return self._send(intent, order)
        standing = self.writer.look(order, before).plans if order.operation in REPEATABLE else ()
        if standing:
            return self._done(intent, standing[0], found=True, reason="it was so already")
        why = "the approval is too old" if self._is_too_old(intent) else "the provider changed it since it was approved"
        return self._move(intent, REFUSED, reason=f"{why}; nothing was sent, plan it anew")

    def _is_as_approved(self, intent: Intent, order: Order, before: Before) -> bool:
        """Tell whether the provider still shows what it showed when the change was approved."""
        ours = self._plans_of_ours(intent)
        try:
            fresh = self.writer.before(order)
        except UnknownPlan:
            return False
        return state_sha256(fresh, ours) == state_sha256(before, ours)

    def _is_too_old(self, intent: Intent) -> bool:
        return self.clock() - intent.planned_at > self.patience.valid

    def _send(self, intent: Intent, order: Order) -> Intent:
        sending = self._move(intent, SENDING)
        answer = self.writer.send(order)
        told = {"status": answer.status, "reason": answer.reason}
        if answer.outcome is Outcome.DONE:
            return self._move(sending, DONE, plan_id=answer.plan_id or order.plan_id, **told)
        if answer.outcome is Outcome.NOT_EXECUTED:
            # an earlier try whose outcome is not known stays unknown
            left = APPROVED if sending.attempts == 1 else UNKNOWN
            waiting = self._move(sending, left, not_executed=True, **told)
            self.pause(min(answer.retry_after or 1.0, self.patience.longest_wait))
            return waiting
        if answer.outcome is Outcome.REFUSED and not self._may_be_so(sending, order, answer):
            return self._move(sending, REFUSED, **told)
        # perhaps refused because it was done before, by an earlier try or by another person: looking decides
        return self._move(sending, UNKNOWN, was_refused=answer.outcome is Outcome.REFUSED, **told)

    def _may_be_so(self, intent: Intent, order: Order, answer: Answer) -> bool:
        """Tell whether what was refused may exist nevertheless, by an earlier try or one that was delivered twice."""
        if intent.attempts > 1 or order.operation in REPEATABLE:
            return intent.attempts > 1 or answer.clashes
        try:
            return bool(self._own(self.writer.look(*self._order_of(intent)), intent).plans)
        except (Changed, ProviderError) as error:
            LOG.warning("intent %s was refused, and whether it is there could not be read: %s", intent.intent_id, error)
            return True

    def _settle(self, intent: Intent, *, may_send: bool) -> Intent:
        """Look until it is decided, or leave it to a person."""
        try:
            order, before = self._order_of(intent)
        except Changed as error:
            return self._move(intent, PARKED, reason=str(error))
        try:
            found = self._look(intent, order, before)
        except ProviderError as error:
            LOG.warning("intent %s stays unknown: %s", intent.intent_id, error)
            return intent
        return self._decided(intent, found) or self._again(intent, order, found, may_send=may_send)

    def _decided(self, intent: Intent, found: Found) -> Intent | None:
        """Return the intent at its end, where what was found decides; null where it does not."""
        if len(found.plans) == 1 and not self._rivals(intent):
            return self._done(intent, found.plans[0], found=True, reason="found at the provider")
        if found.contradicts:
            return self._move(intent, REFUSED, reason=found.contradicts)
        # an earlier try whose outcome is not known may be executed later than this one was refused
        is_last_word = intent.attempts == 1 or self.patience.worst_delay is not None
        if intent.was_refused and is_last_word and not found.plans and not found.others:
            return self._move(intent, REFUSED, status=intent.answer_status, reason=intent.reason)
        return None

    def _again(self, intent: Intent, order: Order, found: Found, *, may_send: bool) -> Intent:
        rivals = self._rivals(intent) if found.plans else []
        why = (
            f"what is found may be that of intent {rivals[0]}" if rivals else self._why_not_again(intent, order, found)
        )
        if why:
            return self._move(intent, PARKED, reason=why)
        return self._send(intent, order) if may_send else intent

    def _why_not_again(self, intent: Intent, order: Order, found: Found) -> str:
        """Return why this may not be sent again; empty if it may."""
        reasons = {
            f"{len(found.plans)} plans at the provider are as wanted; which one is ours cannot be told": len(
                found.plans
            )
            > 1,
            "the provider shows a new plan of the same owner that is not as wanted": bool(found.others),
            "it was refused, and nobody knows whether an earlier try will still be executed": intent.was_refused,
            "the approval is too old to send it again": self._is_too_old(intent),
            f"it was sent {intent.attempts} times and the provider shows no effect": (
                intent.attempts >= self.patience.most_sends
            ),
            "the provider shows no effect yet, and nobody knows how late it may still execute the request": (
                order.operation not in REPEATABLE and self.patience.worst_delay is None
            ),
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _look(self, intent: Intent, order: Order, before: Before) -> Found:
        """Look several times, or where the provider's longest delay is known, at once and after it."""
        found = Found()
        for seconds in self._pauses(intent, order):
            if seconds >= self.patience.longest_wait / 10:
                LOG.info("intent %s: looking again in %.0f s", intent.intent_id, seconds)
            self.pause(seconds)
            found = self._own(self.writer.look(order, before), intent)
            if found.plans or found.contradicts:
                break
        return found

    def _pauses(self, intent: Intent, order: Order) -> tuple[float, ...]:
        """Return the seconds to wait before each look. The delay counts from when the answer was known to be lost."""
        longest = self.patience.worst_delay
        needs_no_delay = order.operation in REPEATABLE and not (intent.was_refused and intent.attempts > 1)
        if longest is None or needs_no_delay:
            return self.patience.looks
        return (0.0, max(0.0, longest - (self.clock() - intent.changed_at).total_seconds()))

    def _own(self, found: Found, intent: Intent) -> Found:
        """Leave out plans that are the effect of other intents."""
        ours = self._plans_of_ours(intent) if intent.draft.operation == "create" else frozenset()
        return replace(
            found,
            plans=tuple(plan for plan in found.plans if plan.plan_id not in ours),
            others=tuple(plan for plan in found.others if plan.plan_id not in ours),
        )

    def _rivals(self, intent: Intent) -> list[str]:
        """Return the other open intents that may have made the same plan: sent, of the same owner, with the same terms."""
        mine = intent.draft
        if mine.operation != "create":
            return []
        same = (mine.provider, mine.tenant_id, mine.owner, mine.terms)
        return [
            one.intent_id
            for one in self.ledger.intents()
            if one.is_open and one.attempts and one.intent_id != intent.intent_id and one.draft.operation == "create"
            if (one.draft.provider, one.draft.tenant_id, one.draft.owner, one.draft.terms) == same
        ]

    def _plans_of_ours(self, intent: Intent) -> frozenset[str]:
        made = (
            one.plan_id
            for one in self.ledger.intents()
            if one.state == DONE
            and one.draft.operation == "create"
            and one.intent_id != intent.intent_id
            and (one.draft.provider, one.draft.tenant_id) == (intent.draft.provider, intent.draft.tenant_id)
        )
        return frozenset(plan_id for plan_id in made if plan_id)

    def _order_of(self, intent: Intent) -> tuple[Order, Before]:
        """Return the order and what was there before, as approved.

        Raises:
            Changed: the kept request is not the approved one, or this program makes another request of it.
        """
        wanted, before = unpack(self.ledger.material(intent))
        order = self.writer.order(wanted)
        if request_sha256(order) != intent.draft.request_sha256:
            raise Changed("the request is not the one that was approved; nothing was sent, plan it anew")
        return order, before

    def _done(self, intent: Intent, plan: PlanNow, *, found: bool, reason: str) -> Intent:
        return self._move(intent, DONE, plan_id=plan.plan_id, found=found, reason=reason)

    def _read_back(self, intent: Intent) -> Intent:
        """Compare what the provider shows with what was agreed, and write down what differs.

        Where the provider cannot be read this is left for a later process.
        """
        wrong: Sequence[str] | None = None
        try:
            order, before = self._order_of(intent)
        except Changed as error:
            return self.ledger.read_back(intent, [str(error)], at=self.clock(), who=self.who)
        for seconds in self.patience.looks:
            self.pause(seconds)
            try:
                wrong = self._compared(intent, order, before)
            except UnknownPlan:
                wrong = ["the provider does not show the plan"]
            except ProviderError as error:
                LOG.warning("intent %s is done and could not be read back: %s", intent.intent_id, error)
            if wrong is not None and not wrong:
                break
        if wrong is None:
            return intent
        for line in wrong:
            LOG.warning("intent %s: %s", intent.intent_id, line)
        return self.ledger.read_back(intent, wrong, at=self.clock(), who=self.who)

    def _compared(self, intent: Intent, order: Order, before: Before) -> Sequence[str]:
        draft = intent.draft
        if draft.operation in REPEATABLE:
            found = self.writer.look(order, before)
            return [] if found.plans else [found.contradicts or "the provider does not show the change"]
        agreement = Agreement(draft.currency or "", draft.terms)
        shown = self.writer.read(draft.tenant_id, intent.plan_id or "", draft.owner)
        return [*differences(draft.operation, agreement, shown), *self._doubles(intent, order, before)]

    def _doubles(self, intent: Intent, order: Order, before: Before) -> Sequence[str]:
        """Tell of further new plans of the same owner as wanted: the request may have reached the provider twice.

        As many as other open changes may have made count as theirs, and an ended one asks for no money.
        """
        found = self._own(self.writer.look(order, before), intent)
        twins = sorted(
            plan.plan_id for plan in found.plans if plan.plan_id != intent.plan_id and plan.status not in ENDED_PLANS
        )
        if len(twins) <= len(self._rivals(intent)):
            return []
        return [f"the provider shows the same plan more than once, also as {', '.join(twins)}: end what is too many"]

    def look_again(self, intent: Intent) -> Intent:
        """Look once more for a parked intent; it is done if its effect has turned up, else it stays as it is."""
        with self.ledger.claim(intent) as now:
            if now.state != PARKED:
                return now
            try:
                order, before = self._order_of(now)
            except Changed as error:
                LOG.warning("intent %s stays parked: %s", now.intent_id, error)
                return now
            found = self._own(self.writer.look(order, before), now)
            if len(found.plans) != 1 or self._rivals(now):
                return now
            return self._read_back(self._done(now, found.plans[0], found=True, reason="found at the provider"))

    def _move(self, intent: Intent, state: str, **facts: Any) -> Intent:
        return self.ledger.move(intent, state, at=self.clock(), who=self.who, **facts)
