"""The commands below `planrecon plan` that change plans: shown first, sent on `--yes`, each at most once.

What may be sent, and how it is sent once, is in `writes`; here are the settings, the limits and the exit codes.
"""

import getpass
import hashlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from flows import clock, log
from flows.commands.ask import latest_database
from flows.commands.writes.agreed import agree
from flows.commands.writes.changes import read_changes
from flows.commands.writes.outcomes import FAILED, NEEDS_A_PERSON, STATES, Choice, Outcome, Result, told, worst
from flows.commands.writes.policy import require_rules, violations
from flows.commands.writes.previews import preview, totals, words
from flows.configuration import load, require_validation
from flows.errors import UsageError
from flows.settings import ProviderSettings, Settings
from flows.sources import chosen, connection_of, tenant_of
from providers import PROVIDERS
from providers.checking import Field
from providers.errors import ProviderError
from providers.writing import Impossible, UnknownPlan, Wanted
from sql.readonly import read_query
from writes.engine import Engine, Patience, Prepared
from writes.errors import Changed, NotAllowed, Underway
from writes.intents import APPROVED, DONE, Intent
from writes.ledger import Ledger
from writes.material import key_of

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def configured(config: Path | None) -> Settings:
    """Return the settings of a command that looks after changes.

    Raises:
        SettingsError: they are wrong, or the environment switches validation off.
    """
    require_validation()
    return load(config)


def create(config: Path | None, *, provider: str, file: Path, choice: Choice) -> Outcome:
    """Create the plans of a file."""
    settings = configured(config)
    with opened(settings, provider, sends=choice.yes) as engine:
        tenant = _tenant(settings, provider, "")
        given = read_changes(file, engine.writer.fields("create"))
        wanted = [Wanted("create", tenant_id=tenant, body=one.body) for one in given]
        return carry_out(settings, engine, wanted, choice, places=[one.place for one in given])


def change(
    config: Path | None,
    *,
    provider: str,
    operation: str,
    plan_ids: Sequence[str],
    tenant: str = "",
    file: Path | None = None,
    choice: Choice,
) -> Outcome:
    """Approve, reject, end or update existing plans."""
    settings = configured(config)
    if not plan_ids:
        raise UsageError('name the plan; `planrecon query "select plan_id, status from v_plans"` lists them')
    with opened(settings, provider, sends=choice.yes) as engine:
        own = _tenant(settings, provider, tenant)
        body = _one_body(file, engine.writer.fields(operation)) if file else {}
        wanted = [Wanted(operation, tenant_id=own, plan_id=one, body=body) for one in plan_ids]
        return carry_out(settings, engine, wanted, choice)


def reject_by_policy(config: Path | None, *, provider: str, tenant: str = "", choice: Choice) -> Outcome:
    """Reject the proposed plans of the latest published run that break the configured policy at the provider now."""
    settings = configured(config)
    require_rules(settings.writes.policy)
    found = read_query(
        latest_database(settings),
        "SELECT provider, tenant_id, plan_id FROM v_plans WHERE status = 'PROPOSED' ORDER BY ALL",
    )
    rows = [row for row in found.rows() if row[0] == provider and tenant in {"", row[1]}]
    with opened(settings, provider, sends=choice.yes) as engine:
        prepared = []
        for _, tenant_id, plan_id in rows:
            try:
                one = engine.prepare(Wanted("reject", tenant_id=tenant_id, plan_id=plan_id))
            except UnknownPlan:
                log.LOGGER.info("plan %s/%s: the provider no longer shows it", tenant_id, plan_id)
                continue
            broken = violations(one.before.plan, settings.writes.policy) if one.before.plan else []
            log.LOGGER.info("plan %s/%s: %s", tenant_id, plan_id, "; ".join(broken) or "keeps the policy")
            if broken and one.standing is None and not one.before.objections:
                prepared.append((one, broken))
        head = f"{len(prepared)} of {len(rows)} proposed plans break the policy"
        told = [f"{one.order.tenant_id}/{one.order.plan_id}: {'; '.join(broken)}" for one, broken in prepared]
        done = send_prepared(settings, engine, [one for one, _ in prepared], choice)
        closing = "\n".join(filter(None, [head, *told, done.closing]))
        return Outcome("\n".join([head, *told, done.text]), done.results, done.code, closing)


@contextmanager
def opened(settings: Settings, provider: str, *, sends: bool = False) -> Iterator[Engine]:
    """Yield the engine for one configured provider; its secrets are known to the log from here on.

    Raises:
        NotAllowed: `sends`, and the configuration does not let anything be changed there.
    """
    section = chosen(settings, (provider,))[provider]
    if sends and is_production(settings, provider) and not settings.writes.production:
        raise NotAllowed(
            f"{provider} is not on this machine and writes.production is false; nothing was sent. "
            "Set it to true where this configuration may change plans in production"
        )
    state_dir = settings.warehouse.state_dir
    connection = connection_of(section, kept=state_dir / "secrets" / f"{provider}.refresh_token")
    log.hide(connection.secrets())
    log.hide(account.customer_token for account in connection.accounts)
    ledger = Ledger(state_dir)
    ledger.tidy()
    desk = PROVIDERS[provider].desk
    if desk is None:
        raise UsageError(f"nothing can be changed at {provider}: it is only read; make the change there")
    with desk.compose(connection, clock=clock.now) as writer:
        yield Engine(
            name=provider,
            ledger=ledger,
            writer=writer,
            clock=clock.now,
            pause=pause,
            who=operator(),
            agree=lambda order, before: agree(order, before, settings),
            summarise=words,
            patience=patience(settings, section),
        )


def patience(settings: Settings, section: ProviderSettings) -> Patience:
    """Return how long to wait for one provider, and how long an approval holds."""
    own = section.worst_delay_seconds
    return Patience(
        worst_delay=settings.writes.worst_delay_seconds if own is None else own,
        valid=timedelta(hours=settings.writes.approval_hours),
    )


def pause(seconds: float) -> None:
    """Wait, so that a signal is heard."""
    if seconds > 0:
        Event().wait(seconds)


def operator() -> str:
    """Return who is acting, for the log."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def _tenant(settings: Settings, provider: str, tenant: str) -> str:
    section = settings.providers.configured()[provider]
    if PROVIDERS[provider].lists_tenants:
        return tenant
    own = tenant_of(provider, section)
    if tenant not in {"", own}:
        raise UsageError(
            f"--tenant {tenant!r} is not configured; leave it out, the only tenant of {provider} is {own!r}"
        )
    return own


def _one_body(file: Path, fields: Mapping[str, Field]) -> dict[str, Any]:
    given = read_changes(file, fields)
    if len(given) != 1:
        raise UsageError(f"{str(file)!r} holds {len(given)} changes; give one for one plan")
    return given[0].body


def carry_out(
    settings: Settings, engine: Engine, wanted: Sequence[Wanted], choice: Choice, *, places: Sequence[str] = ()
) -> Outcome:
    """Show the changes and, where the caller said so, send them. `places` say where each was written."""
    prepared: list[Prepared] = []
    before: list[Intent] = []
    for number, one in enumerate(wanted, 1):
        try:
            prepared.append(engine.prepare(one))
        except UnknownPlan as error:
            # a plan that was ended may not be shown any more: then the log knows more than the provider
            earlier = engine.ledger.earlier(engine.name, one.operation, one.plan_id, one.tenant_id)
            if earlier is None and places:
                raise UsageError(f"{places[number - 1]}: {error}") from error
            if earlier is None:
                raise
            before.append(engine.drive(earlier, may_send=False) if choice.yes else earlier)
        except Impossible as error:
            raise UsageError(f"{places[number - 1]}: {error}" if places else str(error)) from error
        if number % 10 == 0:
            log.LOGGER.info("prepared %d of %d changes", number, len(wanted))
    outcome = send_prepared(settings, engine, prepared, choice, places=() if before else places)
    results = [told(one) for one in before]
    lines = [f"{one.state}: {one.text}; nothing was sent now" for one in results]
    text = "\n".join([*lines, outcome.text]) if prepared else "\n".join(lines)
    code = worst([outcome.code, *(one.code for one in results)])
    return Outcome(text, (*results, *outcome.results), code, outcome.closing)


def send_prepared(
    settings: Settings, engine: Engine, prepared: Sequence[Prepared], choice: Choice, *, places: Sequence[str] = ()
) -> Outcome:
    """Send prepared changes one after the other, if the caller said so and everything allows it."""
    _refuse_repeats(prepared)
    where = places or [""] * len(prepared)
    shown = [preview(at + 1, len(prepared), one, where[at]) for at, one in enumerate(prepared)]
    left = [one for one in prepared if _is_left(one, choice)]
    barred = [one for one in left if one.before.objections and not _is_under_way(one)]
    if barred:
        code = NEEDS_A_PERSON if barred[0].order.operation in STATES else FAILED
        why = f"{len(barred)} of {len(prepared)} cannot be done; nothing was sent"
        return Outcome("\n".join([*shown, why]), tuple(_barred(one, code) for one in barred), code, why)
    _limit(settings, left)
    seen = preview_hash(left)
    if not choice.yes:
        footer = _footer(settings, engine, left, seen)
        standing = _standing(prepared, left)
        told_before = [one.text for one in standing if one.code]
        return Outcome("\n".join([*shown, *told_before, footer]), standing, worst(one.code for one in standing), footer)
    _require_preview(left, choice, seen)
    results = [_apply(engine, one, choice) if one in left else _already(_read_back(engine, one)) for one in prepared]
    text = "\n".join([*shown, *(f"{one.state}: {one.text}" for one in results)])
    return Outcome(text, tuple(results), worst(one.code for one in results))


def _refuse_repeats(prepared: Sequence[Prepared]) -> None:
    first: dict[str, int] = {}
    for number, one in enumerate(prepared, 1):
        earlier = first.setdefault(key_of(one.order), number)
        if earlier != number:
            raise UsageError(f"changes {earlier} and {number} are the same; nothing was sent, remove one of them")


def _is_left(one: Prepared, choice: Choice) -> bool:
    """Tell whether the change is still to be made: not so already and not done before."""
    if _is_under_way(one):
        return True
    if one.standing is not None:
        return False
    done_before = one.known is not None and one.known.state == DONE and one.order.operation == "create"
    return not done_before or bool(choice.again)


def _is_under_way(one: Prepared) -> bool:
    return one.known is not None and one.known.is_open


def preview_hash(prepared: Sequence[Prepared]) -> str:
    """Return the hash of everything that was shown, requests and what the provider shows."""
    return hashlib.sha256("|".join(one.preview_sha256 for one in prepared).encode()).hexdigest()[:12]


def _limit(settings: Settings, left: Sequence[Prepared]) -> None:
    writes = settings.writes
    if len(left) > writes.max_count:
        raise NotAllowed(
            f"{len(left)} changes are more than writes.max_count, {writes.max_count}; nothing was sent. "
            "Split the file, or raise the limit"
        )
    for currency, amount in totals(left).items():
        if amount > writes.max_sum:
            raise NotAllowed(
                f"the plans add up to {amount:f} {currency}, more than writes.max_sum, {writes.max_sum}; "
                "nothing was sent. Split the file, or raise the limit"
            )


def _require_preview(left: Sequence[Prepared], choice: Choice, seen: str) -> None:
    if left and choice.seen and seen != choice.seen:
        raise Changed(
            f"the preview is {seen} now, not {choice.seen}: the file or the provider has changed since it was shown; "
            "nothing was sent. Look at it again without --yes"
        )


def is_production(settings: Settings, provider: str) -> bool:
    """Tell whether a provider is more than a sandbox on this machine."""
    return urlsplit(settings.providers.configured()[provider].base_url).hostname not in LOOPBACK


def _footer(settings: Settings, engine: Engine, left: Sequence[Prepared], seen: str) -> str:
    if not left:
        return "nothing is left to send"
    sums = ", ".join(f"{amount:f} {currency}".strip() for currency, amount in totals(left).items())
    lines = [f"dry run: nothing was sent. {len(left)} to send{', ' + sums if sums else ''}; preview {seen}"]
    lines.append("repeat with --yes to send; with --preview to send only what is shown here")
    if is_production(settings, left[0].order.provider) and not settings.writes.production:
        lines.append("writes.production is false: --yes would be refused")
    if engine.patience.worst_delay is None and any(one.order.operation == "create" for one in left):
        lines.append("worst_delay_seconds is not set: a create whose answer is lost is left to a person")
    return "\n".join(lines)


def _standing(prepared: Sequence[Prepared], left: Sequence[Prepared]) -> tuple[Result, ...]:
    return tuple(
        _already(one) if one not in left else Result(one.summary, "planned", one.summary, 0) for one in prepared
    )


def _barred(one: Prepared, code: int) -> Result:
    return Result(one.summary, "barred", f"{one.summary}: {'; '.join(one.before.objections)}", code)


def _already(one: Prepared) -> Result:
    """Tell of a change that needs no sending; one that was done otherwise than agreed stays with a person."""
    if one.standing is not None:
        return Result(one.summary, DONE, f"{one.summary}: it is so already, nothing was sent", 0, one.known)
    if one.known is None:
        raise ValueError(f"{one.summary} is neither so already nor done before")
    before = told(one.known)
    text = (
        f"{before.text}; nothing was sent"
        if before.code
        else f"{one.summary}: done before as intent {one.known.intent_id}, nothing was sent"
    )
    return Result(one.summary, DONE, text, before.code, one.known)


def _read_back(engine: Engine, one: Prepared) -> Prepared:
    """Compare a change that was done before with what was agreed, if that was not possible then."""
    if one.standing is not None or one.known is None or one.known.is_read_back:
        return one
    return replace(one, known=engine.drive(one.known, may_send=False))


def _apply(engine: Engine, one: Prepared, choice: Choice) -> Result:
    try:
        intent = engine.apply(one, again=choice.again)
    except Underway as error:
        return Result(one.summary, "busy", str(error), error.exit_code)
    except ProviderError as error:
        text = f"{one.summary}: {error} Nothing was sent; `planrecon plan resume --yes` goes on with it"
        return Result(one.summary, APPROVED, text, FAILED)
    return told(intent)
