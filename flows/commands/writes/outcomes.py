"""The results of changes: in words, for programs, and as an exit code."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from writes.intents import APPROVED, DONE, PARKED, REFUSED, Intent

FAILED, NEEDS_A_PERSON = 2, 4
WORST = (NEEDS_A_PERSON, 5, FAILED, 0)
"""Exit codes by weight: that of a call with several changes is the first of these that occurs."""
STATES = frozenset({"approve", "reject", "deactivate"})
"""Changes of a plan's state: refused means that the plan was not in the state assumed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller decided: to send, to send once more and why, and the preview that was seen."""

    yes: bool = False
    again: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How one change ended: for the terminal, for programs and for the exit code."""

    summary: str
    state: str
    text: str
    code: int
    intent: Intent | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        intent = self.intent
        return {
            "summary": self.summary,
            "state": self.state,
            "text": self.text,
            "intent_id": intent.intent_id if intent else None,
            "provider": intent.draft.provider if intent else None,
            "tenant_id": intent.draft.tenant_id if intent else None,
            "operation": intent.draft.operation if intent else None,
            "plan_id": intent.plan_id if intent else None,
            "request_sha256": intent.draft.request_sha256 if intent else None,
            "differences": list(intent.differences) if intent else [],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: what it says, the result of each change, the exit code.

    `text` shows whole requests, which may name people; `closing` is the end of it, which does not.
    """

    text: str
    results: tuple[Result, ...]
    code: int
    closing: str = ""

    @property
    def brief(self) -> str:
        """Return the text without the requests, for places that many can read."""
        told = [f"{result.state}: {result.text}" for result in self.results]
        return "\n".join(filter(None, [*told, self.closing])) or "nothing to do"


def worst(codes: Iterable[int]) -> int:
    """Return the exit code of several that weighs most."""
    found = set(codes)
    return next((code for code in WORST if code in found), 0)


def told(intent: Intent) -> Result:
    """Return how far an intent has come, in words, with the exit code."""
    text, code = _told(intent)
    return Result(intent.draft.summary, intent.state, f"{intent.draft.summary}: {text}", code, intent)


def _told(intent: Intent) -> tuple[str, int]:
    name, why = intent.intent_id, intent.reason
    if intent.state == DONE:
        return _told_done(intent)
    if intent.state == REFUSED:
        return f"{why} (intent {name})", NEEDS_A_PERSON if intent.draft.operation in STATES else FAILED
    if intent.state == APPROVED:
        return f"not executed, {why}; `planrecon plan resume {name} --yes` sends it", FAILED
    if intent.state == PARKED:
        return (
            f"{why}. Look at the provider, then `planrecon plan resume {name}` with --as done or --as refused",
            NEEDS_A_PERSON,
        )
    why = why or "it was sent and nobody knows what came of it"
    return f"{why}; `planrecon plan resume {name} --yes` looks again", NEEDS_A_PERSON


def _told_done(intent: Intent) -> tuple[str, int]:
    """Return text and exit code of a change that is done: success only if it was compared and is as agreed."""
    text = f"plan {intent.plan_id}{' (' + intent.reason + ')' if intent.found else ''}, intent {intent.intent_id}"
    if not intent.is_read_back:
        return f"{text}, not read back yet; `planrecon plan resume {intent.intent_id}` does", NEEDS_A_PERSON
    if intent.differences:
        return f"{text}, but not as agreed: {'; '.join(intent.differences)}. Nothing was corrected", NEEDS_A_PERSON
    return text, 0


def as_json(outcome: Outcome) -> str:
    """Return the results as a JSON list."""
    return json.dumps([one.to_dict() for one in outcome.results], ensure_ascii=False, indent=1)
