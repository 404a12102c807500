"""The commands below `planrecon plan` that look after intents: list, show, resume, verify."""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from flows import clock, log, streams
from flows.commands.answers import write
from flows.commands.writes.outcomes import NEEDS_A_PERSON, Outcome, Result, told, worst
from flows.commands.writes.plans import configured, opened, operator
from flows.errors import UsageError
from flows.settings import Settings
from providers.errors import ProviderError
from reports.texts import exact
from writes.agreement import Agreement, differences
from writes.errors import Underway
from writes.intents import DONE, PARKED, PLANNED, REFUSED, SENDING, UNKNOWN, Intent
from writes.ledger import Ledger

ENDINGS = {"done": DONE, "refused": REFUSED}


def list_intents(config: Path | None, *, state: str | None, style: str, raw: bool = False) -> int:
    """Print the intents, oldest first, and return 0."""
    intents = Ledger(configured(config).warehouse.state_dir).intents()
    rows = [_row(intent) for intent in intents if state in {None, intent.state}]
    write(pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String)), style, raw=raw)
    return 0


_COLUMNS = (
    "intent_id", "state", "provider", "tenant_id", "operation", "plan_id", "amount", "currency", "reason", "planned_at",
    "ended_at", "who",
)  # fmt: skip


def _row(intent: Intent) -> dict[str, str | None]:
    draft = intent.draft
    agreement = _agreement(intent)
    return {
        "intent_id": intent.intent_id,
        "state": intent.state,
        "provider": draft.provider,
        "tenant_id": draft.tenant_id,
        "operation": draft.operation,
        "plan_id": intent.plan_id,
        "amount": None if draft.amount_minor is None else agreement.plain(draft.amount_minor).split()[0],
        "currency": draft.currency or None,
        "reason": intent.reason or None,
        "planned_at": intent.planned_at.isoformat(timespec="seconds"),
        "ended_at": intent.ended_at.isoformat(timespec="seconds") if intent.ended_at else None,
        "who": intent.who,
    }


def _agreement(intent: Intent) -> Agreement:
    currency = intent.draft.currency or ""
    return Agreement(currency, intent.draft.terms)


def show_intent(config: Path | None, name: str, *, style: str) -> int:
    """Print one intent with its terms and every line of its history, and return 0."""
    ledger = Ledger(configured(config).warehouse.state_dir)
    intent = ledger.get(name)
    history = [dict(line.facts) for line in ledger.history(intent)]
    if style == "json":
        terms = [
            {"due_date": term.due_date.isoformat(), "amount_minor": term.amount_minor} for term in intent.draft.terms
        ]
        facts = {**_row(intent), "summary": intent.draft.summary, "request_sha256": intent.draft.request_sha256}
        told_facts = {**facts, "terms": terms, "differences": list(intent.differences), "history": history}
        sys.stdout.write(exact(json.dumps(told_facts, ensure_ascii=False, indent=1)) + "\n")
        return 0
    agreement = _agreement(intent)
    streams.say(f"{intent.intent_id}  {intent.draft.summary}")
    streams.say(f"state    {intent.state}{' (' + intent.reason + ')' if intent.reason else ''}")
    streams.say(f"plan     {intent.plan_id or 'none yet'}")
    streams.say(f"request  {intent.draft.request_sha256}")
    for number, term in enumerate(intent.draft.terms, 1):
        streams.say(f"  {number:>3}  {term.due_date}  {agreement.plain(term.amount_minor)}")
    for line in intent.differences:
        streams.say(f"differs  {line}")
    for facts in history:
        streams.say(f"  {_event(facts)}")
    return 0


def _event(facts: dict[str, Any]) -> str:
    state = facts.get("state") or ("read back" if "differences" in facts else "planned")
    more = [str(facts[name]) for name in ("status", "reason") if facts.get(name)]
    return "  ".join([facts["at"], f"{state:<9}", facts["who"], *more])


def resume(config: Path | None, name: str | None, *, yes: bool) -> Outcome:
    """Go on with one open intent or with all of them: look, and with `yes` also send what was approved."""
    settings = configured(config)
    ledger = Ledger(settings.warehouse.state_dir)
    waiting = [ledger.get(name)] if name else [intent for intent in ledger.intents() if intent.needs_its_request]
    results: list[Result] = []
    for provider in dict.fromkeys(intent.draft.provider for intent in waiting):
        if provider not in settings.providers.configured():
            log.LOGGER.warning("%s is not configured: its intents stay as they are", provider)
            results += [told(intent) for intent in waiting if intent.draft.provider == provider]
            continue
        results += _resumed(
            settings, provider, [intent for intent in waiting if intent.draft.provider == provider], yes=yes
        )
    lines = [f"{result.state}: {result.text}" for result in results] or ["no intent is open"]
    return Outcome("\n".join(lines), tuple(results), worst(result.code for result in results))


def _resumed(settings: Settings, provider: str, waiting: list[Intent], *, yes: bool) -> list[Result]:
    results = []
    with opened(settings, provider, sends=yes) as engine:
        for intent in waiting:
            try:
                now = engine.look_again(intent) if intent.state == PARKED else engine.drive(intent, may_send=yes)
            except Underway as error:
                results.append(Result(intent.draft.summary, "busy", str(error), error.exit_code, intent))
            except ProviderError as error:
                text = f"{intent.draft.summary}: {error} Nothing was decided"
                results.append(Result(intent.draft.summary, intent.state, text, NEEDS_A_PERSON, intent))
            else:
                results.append(told(now))
    return results


def decide(config: Path | None, name: str, *, ending: str, plan_id: str | None, reason: str) -> Outcome:
    """Write down what a person found out about an intent that could not be decided otherwise."""
    if not reason:
        raise UsageError("--reason is missing; say how you know, it stays in the log")
    ledger = Ledger(configured(config).warehouse.state_dir)
    intent = ledger.get(name)
    if ending == DONE and not (plan_id or intent.plan_id):
        raise UsageError("--plan is missing; give the id of the plan at the provider")
    with ledger.claim(intent) as claimed:
        now = claimed
        if now.state == SENDING:
            now = ledger.move(now, UNKNOWN, at=clock.now(), who=operator(), reason="its sender is gone")
        if not now.is_open:
            raise UsageError(
                f"intent {now.intent_id} is {now.state} already; nothing was changed, see `planrecon plan list`"
            )
        if now.state == PLANNED and ending == "done":
            raise UsageError(f"intent {now.intent_id} was never sent; end it with --as refused, or send it with --yes")
        now = ledger.move(
            now, ENDINGS[ending], at=clock.now(), who=operator(), reason=reason, plan_id=plan_id or now.plan_id
        )
    result = told(now)
    return Outcome(f"{result.state}: {result.text}", (result,), 0)


def verify(config: Path | None, *, online: bool) -> int:
    """Check the log's chain, and with `online` that every created plan is at its provider as agreed."""
    settings = configured(config)
    ledger = Ledger(settings.warehouse.state_dir)
    lines, intents = ledger.verify(), ledger.intents()
    streams.say(f"{lines} lines, {len(intents)} intents: the chain holds")
    waiting = [intent for intent in intents if intent.is_open]
    for intent in waiting:
        streams.say(f"{intent.state}: {intent.intent_id}  {intent.draft.summary}")
    wrong = _compared(settings, [intent for intent in intents if intent.state == DONE]) if online else 0
    return NEEDS_A_PERSON if wrong or any(intent.state in {UNKNOWN, PARKED, SENDING} for intent in waiting) else 0


def _compared(settings: Settings, done: list[Intent]) -> int:
    """Print where a created plan is not at its provider as agreed; return how many are not."""
    ended = {(intent.draft.provider, intent.plan_id) for intent in done if intent.draft.operation != "create"}
    wrong = 0
    for provider in dict.fromkeys(intent.draft.provider for intent in done):
        mine = [intent for intent in done if intent.draft.provider == provider and intent.draft.operation == "create"]
        with opened(settings, provider) as engine:
            for intent in mine:
                if (provider, intent.plan_id) in ended:
                    continue
                try:
                    shown = engine.writer.read(intent.draft.tenant_id, intent.plan_id or "", intent.draft.owner)
                    points = differences("create", _agreement(intent), shown)
                except ProviderError as error:
                    points = [error.what]
                wrong += bool(points)
                streams.say(
                    f"{'differs' if points else 'as agreed'}: plan {intent.plan_id} of intent {intent.intent_id} {'; '.join(points)}".rstrip()
                )
    return wrong
