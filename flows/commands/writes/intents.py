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
    rows = [_row(one) for one in intents if state in {None, one.state}]
    write(pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String)), style, raw=raw)
    return 0


_COLUMNS = (
    "intent_id", "state", "provider", "tenant_id", "operation", "plan_id", "amount", "currency", "reason", "planned_at",
    "ended_at", "who",
)  # fmt: skip


def _row(one: Intent) -> dict[str, str | None]:
    draft = one.draft
    agreement = _agreement(one)
    return {
        "intent_id": one.intent_id,
        "state": one.state,
        "provider": draft.provider,
        "tenant_id": draft.tenant_id,
        "operation": draft.operation,
        "plan_id": one.plan_id,
        "amount": None if draft.amount_minor is None else agreement.plain(draft.amount_minor).split()[0],
        "currency": draft.currency or None,
        "reason": one.reason or None,
        "planned_at": one.planned_at.isoformat(timespec="seconds"),
        "ended_at": one.ended_at.isoformat(timespec="seconds") if one.ended_at else None,
        "who": one.who,
    }


def _agreement(one: Intent) -> Agreement:
    currency = one.draft.currency or ""
    return Agreement(currency, one.draft.terms)


def show_intent(config: Path | None, name: str, *, style: str) -> int:
    """Print one intent with its terms and every line of its history, and return 0."""
    ledger = Ledger(configured(config).warehouse.state_dir)
    one = ledger.get(name)
    history = [dict(line.facts) for line in ledger.history(one)]
    if style == "json":
        terms = [{"due_date": term.due_date.isoformat(), "amount_minor": term.amount_minor} for term in one.draft.terms]
        facts = {**_row(one), "summary": one.draft.summary, "request_sha256": one.draft.request_sha256}
        found = {**facts, "terms": terms, "differences": list(one.differences), "history": history}
        sys.stdout.write(exact(json.dumps(found, ensure_ascii=False, indent=1)) + "\n")
        return 0
    agreement = _agreement(one)
    streams.say(f"{one.intent_id}  {one.draft.summary}")
    streams.say(f"state    {one.state}{' (' + one.reason + ')' if one.reason else ''}")
    streams.say(f"plan     {one.plan_id or 'none yet'}")
    streams.say(f"request  {one.draft.request_sha256}")
    for number, term in enumerate(one.draft.terms, 1):
        streams.say(f"  {number:>3}  {term.due_date}  {agreement.plain(term.amount_minor)}")
    for line in one.differences:
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
    waiting = [ledger.get(name)] if name else [one for one in ledger.intents() if one.needs_its_request]
    results: list[Result] = []
    for provider in dict.fromkeys(one.draft.provider for one in waiting):
        if provider not in settings.providers.configured():
            log.LOGGER.warning("%s is not configured: its intents stay as they are", provider)
            results += [told(one) for one in waiting if one.draft.provider == provider]
            continue
        results += _resumed(settings, provider, [one for one in waiting if one.draft.provider == provider], yes=yes)
    lines = [f"{one.state}: {one.text}" for one in results] or ["no intent is open"]
    return Outcome("\n".join(lines), tuple(results), worst(one.code for one in results))


def _resumed(settings: Settings, provider: str, waiting: list[Intent], *, yes: bool) -> list[Result]:
    results = []
    with opened(settings, provider, sends=yes) as engine:
        for one in waiting:
            try:
                now = engine.look_again(one) if one.state == PARKED else engine.drive(one, may_send=yes)
            except Underway as error:
                results.append(Result(one.draft.summary, "busy", str(error), error.exit_code, one))
            except ProviderError as error:
                text = f"{one.draft.summary}: {error} Nothing was decided"
                results.append(Result(one.draft.summary, one.state, text, NEEDS_A_PERSON, one))
            else:
                results.append(told(now))
    return results


def decide(config: Path | None, name: str, *, ending: str, plan_id: str | None, reason: str) -> Outcome:
    """Write down what a person found out about an intent that could not be decided otherwise."""
    if not reason:
        raise UsageError("--reason is missing; say how you know, it stays in the log")
    ledger = Ledger(configured(config).warehouse.state_dir)
    found = ledger.get(name)
    if ending == DONE and not (plan_id or found.plan_id):
        raise UsageError("--plan is missing; give the id of the plan at the provider")
    with ledger.claim(found) as one:
        now = one
        if now.state == SENDING:
            now = ledger.move(now, UNKNOWN, at=clock.now(), who=operator(), reason="its sender is gone")
        if not now.is_open:
            raise UsageError(f"intent {now.intent_id} is {now.state} already; nothing was changed")
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
    waiting = [one for one in intents if one.is_open]
    for one in waiting:
        streams.say(f"{one.state}: {one.intent_id}  {one.draft.summary}")
    wrong = _compared(settings, [one for one in intents if one.state == DONE]) if online else 0
    return NEEDS_A_PERSON if wrong or any(one.state in {UNKNOWN, PARKED, SENDING} for one in waiting) else 0


def _compared(settings: Settings, done: list[Intent]) -> int:
    """Print where a created plan is not at its provider as agreed; return how many are not."""
    ended = {(one.draft.provider, one.plan_id) for one in done if one.draft.operation != "create"}
    wrong = 0
    for provider in dict.fromkeys(one.draft.provider for one in done):
        mine = [one for one in done if one.draft.provider == provider and one.draft.operation == "create"]
        with opened(settings, provider) as engine:
            for one in mine:
                if (provider, one.plan_id) in ended:
                    continue
                try:
                    shown = engine.writer.read(one.draft.tenant_id, one.plan_id or "", one.draft.owner)
                    points = differences("create", _agreement(one), shown)
                except ProviderError as error:
                    points = [error.what]
                wrong += bool(points)
                streams.say(
                    f"{'differs' if points else 'as agreed'}: plan {one.plan_id} of intent {one.intent_id} {'; '.join(points)}".rstrip()
                )
    return wrong
