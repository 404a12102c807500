"""The command `accept`: somebody answers for a break, until a day and up to an amount; or takes that back.

An acceptance takes effect with the next run or report and changes none that was made before it.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from flows import clock
from flows.commands.life.wishes import Wish, wishes_of
from flows.commands.writes.plans import operator
from flows.configuration import load
from flows.errors import UsageError
from flows.given import unclear_number
from flows.settings import Settings
from flows.sheets import day
from flows.steps.pipeline import begun, require_warehouse
from flows.steps.request import Request
from flows.steps.settle import refresh_ledger
from reports.texts import counted, harmless
from schemas.currencies import in_minor, written
from sql import acceptances
from sql.acceptances import Decision
from sql.runs import read_register

MOST_FAULTS = 20
MOST_CANDIDATES = 5
_SHOWN = 12
"""Characters of a fingerprint that are shown: few enough to read, enough to be the only one."""


class Unfit(Exception):  # noqa: N818  the word says what happened
    """A wish cannot be granted; the text says why and what to write instead."""


def answer(config: Path | None, wish: Wish, file: Path | None) -> int:
    """Decide what one wish asks for, or what the rows of a file do.

    Raises:
        UsageError: both are given, or neither.
    """
    if (file is None) == (not wish.fingerprint):
        raise UsageError("give either the fingerprint of a break or --file")
    if file is not None and wish != Wish(""):
        raise UsageError("with --file, who accepts and why stands in its rows; leave the other options out")
    return accept(config, wishes_of(file) if file else [wish])


def accept(config: Path | None, wishes: Sequence[Wish]) -> int:
    """Write down every decision, or none where one does not fit; print what was decided and return 0.

    Raises:
        UsageError: a wish does not fit; each is named with its line.
        Busy: a run is at work.
    """
    settings = load(config)
    require_warehouse(settings)
    with begun(Request(settings)) as (this, warehouse, _):
        con = warehouse.con
        book = _book(read_register(con), acceptances.known(con)[0], settings)
        decided, unchanged = _decided(book, wishes)
        if decided:
            acceptances.record(con, this.commit_log, decided)
            refresh_ledger(warehouse, this.reports_dir)
    for decision in decided:
        print(_told(decision, book.breaks[decision.fingerprint]))
    if unchanged:
        print(f"{counted(unchanged, 'row')} unchanged")
    print("it shows in the next run or `planrecon report`" if decided else "nothing to accept")
    return 0


@dataclass(frozen=True, slots=True)
class Book:
    """The breaks that may be accepted, and what holds of each today; `breaks` is by fingerprint."""

    breaks: Mapping[str, Mapping[str, Any]]
    held: Mapping[str, Mapping[str, Any]]
    today: date
    now: datetime
    who: str = field(default_factory=operator)


def _book(register: pl.DataFrame, held: pl.DataFrame, settings: Settings) -> Book:
    return Book(
        breaks={row["fingerprint"]: row for row in register.iter_rows(named=True)},
        held={row["fingerprint"]: row for row in held.iter_rows(named=True)},
        today=clock.today(settings.zone()),
        now=clock.now(),
    )


def _decided(book: Book, wishes: Sequence[Wish]) -> tuple[list[Decision], int]:
    """Return the decisions that change something, and how many change nothing."""
    faults: list[str] = []
    decided: dict[str, Decision] = {}
    unchanged = 0
    for wish in wishes:
        try:
            decision = _decision(book, wish)
        except Unfit as fault:
            faults.append(f"{wish.place}: {fault}" if wish.place else str(fault))
            continue
        if decision is None:
            unchanged += 1
        elif decision.fingerprint in decided:
            short = decision.fingerprint[:_SHOWN]
            faults.append(f"{wish.place}: break {short} stands in an earlier line, too; leave one of them")
        else:
            decided[decision.fingerprint] = decision
    if faults:
        more = [f"and {counted(len(faults) - MOST_FAULTS, 'more line')}"] if len(faults) > MOST_FAULTS else []
        end = ["nothing was accepted, correct them and call it again"] if len(wishes) > 1 else []
        raise UsageError("; ".join([*faults[:MOST_FAULTS], *more, *end]))
    return list(decided.values()), unchanged


def _decision(book: Book, wish: Wish) -> Decision | None:
    """Return what a wish decides; null where it is so already."""
    found = _found(book, wish.fingerprint)
    held = book.held.get(found["fingerprint"])
    if wish.withdraw:
        if held is None:
            raise Unfit(
                f"break {found['fingerprint'][:_SHOWN]} is not accepted, so there is nothing to take back; leave --withdraw out"
            )
        return _of(book, found, {"accepted_because": wish.because or None})
    if not wish.owner.strip():
        raise Unfit("name who answers for it: --owner")
    if not wish.because.strip():
        raise Unfit("say why: --reason, or the column accepted_because")
    terms: dict[str, Any] = {
        "owner": wish.owner.strip(),
        "accepted_because": wish.because.strip(),
        "expires_on": _expires(wish.expires),
        "maximum_minor": _maximum(wish.maximum, found),
    }
    if held is not None and all(held[name] == value for name, value in terms.items()):
        return None
    _refuse_idle(book, found, terms)
    return _of(book, found, terms)


def _of(book: Book, found: Mapping[str, Any], terms: Mapping[str, Any]) -> Decision:
    """Return a decision on a break; one without an owner takes the acceptance back."""
    return Decision(
        provider=found["provider"],
        tenant_id=found["tenant_id"],
        plan_id=found["plan_id"],
        code=found["code"],
        fingerprint=found["fingerprint"],
        owner=terms.get("owner"),
        accepted_because=terms.get("accepted_because"),
        expires_on=terms.get("expires_on"),
        maximum_minor=terms.get("maximum_minor"),
        break_currency=found["break_currency"],
        accepted_at=book.now,
        accepted_by=book.who,
        is_withdrawn=terms.get("owner") is None,
    )


def _found(book: Book, beginning: str) -> Mapping[str, Any]:
    """Return the one break whose fingerprint begins so."""
    wanted = beginning.strip().casefold()
    fitting = [name for name in book.breaks if wanted and name.startswith(wanted)]
    if len(fitting) == 1:
        return book.breaks[fitting[0]]
    if fitting:
        some = ", ".join(_which(book.breaks[name]) for name in sorted(fitting)[:MOST_CANDIDATES])
        more = ", ..." if len(fitting) > MOST_CANDIDATES else ""
        raise Unfit(f"{len(fitting)} breaks begin with {harmless(beginning)!r}: {some}{more}; give more of it")
    if not book.breaks:
        raise Unfit("no published run has shown a break yet; call `planrecon run` first")
    nearest = max(
        sorted(book.breaks), key=lambda name: difflib.SequenceMatcher(None, name[: len(wanted)], wanted).ratio()
    )
    raise Unfit(
        f"no break has the fingerprint {harmless(beginning[:64])!r}; the nearest is {_which(book.breaks[nearest])}; "
        "`planrecon breaks --format csv` lists them all"
    )


def _which(found: Mapping[str, Any]) -> str:
    plan = f" of plan {harmless(found['plan_id'])}" if found["plan_id"] else ""
    return f"{found['fingerprint'][:_SHOWN]} ({found['code']}{plan} at {found['provider']})"


def _expires(text: str) -> date | None:
    if not text:
        return None
    found = day(text)
    if found is None:
        raise Unfit(f"the last day is {harmless(text)!r}; write it as 2026-12-31")
    return found


def _maximum(text: str, found: Mapping[str, Any]) -> int | None:
    """Return the largest difference that is accepted, in minor units of the break's currency."""
    if not text:
        return None
    if why := unclear_number(text):
        raise Unfit(f"the maximum is {harmless(text)!r}, with {why}")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Unfit(f"the maximum is {harmless(text)!r}; write a number, as 12.50") from None
    if found["difference_minor"] is None:
        raise Unfit("the break has no amount that could grow; leave the maximum out")
    minor = in_minor(amount, found["break_currency"]) if amount.is_finite() and amount >= 0 else None
    if minor is None or minor >= 10**15:
        currency = found["break_currency"] or "its currency"
        raise Unfit(f"the maximum is {harmless(text)!r}, which is no amount of {currency}; write it as 12.50")
    return minor


def _refuse_idle(book: Book, found: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
    """Refuse an acceptance that would not cover the break as it is today."""
    expires, maximum, difference = terms["expires_on"], terms["maximum_minor"], found["difference_minor"]
    if expires is not None and expires < book.today:
        raise Unfit(f"the last day {expires} is past; give {book.today} or a later one")
    if maximum is not None and abs(difference) > maximum:
        amount = written(abs(difference), found["break_currency"])
        raise Unfit(
            f"the maximum {written(maximum, found['break_currency'])} is below the difference there is, {amount}; "
            "give that or more"
        )


def _told(decision: Decision, found: Mapping[str, Any]) -> str:
    if decision.is_withdrawn:
        return f"no longer accepted: {_which(found)}"
    parts = [harmless(decision.owner or "")]
    parts += [f"through {decision.expires_on}"] if decision.expires_on else ["until it is taken back"]
    if decision.maximum_minor is not None:
        parts.append(
            f"up to {written(decision.maximum_minor, decision.break_currency)} {decision.break_currency or ''}"
        )
    closed = "" if found["is_open"] else "; it is not open now"
    return f"accepted: {_which(found)}, {', '.join(parts).rstrip()}{closed}"
