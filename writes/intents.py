"""One change at a provider from wish to end: its states, and how each line of the log moves it on.

    planned → approved → sending → done
                  ↑         ├────→ refused
                  └─────────┤ provably not executed
                            └────→ unknown → done | refused | sending | parked

`sending` is written before the first byte leaves: a later process that finds it knows that the provider
may or may not have acted. Only `done` and `refused` are ends; `parked` waits for a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from schemas.words import INTENT_STATES
from sql.storage.seals import read_time, write_time

PLANNED, APPROVED, SENDING, DONE, REFUSED, UNKNOWN, PARKED = INTENT_STATES
ENDS = frozenset({DONE, REFUSED})
STEPS: Mapping[str, frozenset[str]] = {
    PLANNED: frozenset({APPROVED, REFUSED}),
    APPROVED: frozenset({SENDING, REFUSED, DONE}),
    SENDING: frozenset({DONE, REFUSED, UNKNOWN, APPROVED}),
    UNKNOWN: frozenset({DONE, REFUSED, SENDING, PARKED}),
    PARKED: frozenset({DONE, REFUSED, UNKNOWN}),
    DONE: frozenset(),
    REFUSED: frozenset(),
}
"""Which state may follow which."""


class AgreedTerm(Struct, frozen=True, array_like=True):
    """One instalment as it was agreed, in minor units of the intent's currency."""

    due_date: date
    amount_minor: int


class Draft(Struct, frozen=True):
    """What the first line says of a change: everything that stays, without secrets and personal data.

    `key` tells equal wishes: two open intents never have the same one. `owner` is the loan, the debtor or
    the account's key. `amount_minor` is what the terms add up to; null where the change has no amount.
    """

    provider: str
    operation: str
    tenant_id: str
    plan_id: str | None
    owner: str
    key: str
    request_sha256: str
    summary: str
    currency: str | None = None
    amount_minor: int | None = None
    terms: tuple[AgreedTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """One change in its newest state.

    `plan_id` is the provider's id, once there is one. `attempts` counts the sendings that the provider may have executed.
    `found`: it is done because a look found it, not because an answer said so. `was_refused`: it is unknown
    although its last try was refused, since an earlier one may have been executed. `differences` are the
    points in which the provider made something else than was agreed, once it `is_read_back`.
    """

    intent_id: str
    draft: Draft
    state: str
    reason: str
    who: str
    file_sha256: str
    planned_at: datetime
    changed_at: datetime
    plan_id: str | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    answer_status: int | None = None
    attempts: int = 0
    found: bool = False
    was_refused: bool = False
    again: str = ""
    is_read_back: bool = False
    differences: tuple[str, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Tell whether something is left to do."""
        return self.state not in ENDS

    @property
    def needs_its_request(self) -> bool:
        """Tell whether the request is still needed, to send it or to compare what came of it."""
        return self.is_open or (self.state == DONE and not self.is_read_back)


def begin(intent_id: str, facts: Mapping[str, Any]) -> Intent:
    """Return the intent that a first line begins."""
    at = _moment(facts)
    draft = msgspec.convert(facts["draft"], Draft)
    return Intent(
        intent_id=intent_id,
        draft=draft,
        state=PLANNED,
        reason="",
        who=facts["who"],
        file_sha256=facts["file_sha256"],
        planned_at=at,
        changed_at=at,
        plan_id=draft.plan_id,
        again=facts.get("again", ""),
    )


def step(intent: Intent, facts: Mapping[str, Any]) -> Intent:
    """Return the intent after one more line."""
    state, at = facts["state"], _moment(facts)
    return replace(
        intent,
        state=state,
        reason=facts.get("reason", ""),
        who=facts["who"],
        changed_at=at,
        plan_id=facts.get("plan_id") or intent.plan_id,
        sent_at=at if state == SENDING else intent.sent_at,
        ended_at=at if state in ENDS else None,
        answer_status=facts.get("status", intent.answer_status),
        attempts=intent.attempts + (state == SENDING) - _was_in_vain(intent, facts),
        found=facts.get("found", False),
        was_refused=facts.get("was_refused", False),
    )


def _was_in_vain(intent: Intent, facts: Mapping[str, Any]) -> bool:
    """Tell whether the sending before this line was provably not executed."""
    return bool(facts.get("not_executed")) or (intent.state, facts["state"]) == (SENDING, APPROVED)


def read_back(intent: Intent, facts: Mapping[str, Any]) -> Intent:
    """Return the intent after the provider's result has been looked at."""
    return replace(intent, differences=tuple(facts["differences"]), is_read_back=True)


def step_facts(state: str, *, at: datetime, who: str, **more: Any) -> dict[str, Any]:
    """Return what a line says of one step; what is empty is left out."""
    told = {name: value for name, value in more.items() if value not in (None, "", (), [], False)}
    return {"state": state, "at": write_time(at), "who": who, **told}


def _moment(facts: Mapping[str, Any]) -> datetime:
    moment = read_time(facts["at"])
    if moment is None:
        raise ValueError("a line of the log has no time")
    return moment
