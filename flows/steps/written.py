"""Copy the changes made at the providers from their log into the warehouse before a run is published."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from flows import log
from schemas.writes import AGREED_TERMS, WRITES
from sql import writes
from sql.errors import StoreError
from sql.warehouse import Warehouse
from writes.intents import Intent
from writes.ledger import Ledger

UNREADABLE = (StoreError, OSError, KeyError, TypeError, ValueError)
"""Errors of a log that is damaged, or written by a newer version."""


def keep_intents(warehouse: Warehouse) -> tuple[str, ...]:
    """Store every intent of the log; return what a reader of the run has to know about them, usually empty.

    The log is the truth. One that cannot be read costs no run its figures: the intents stay as they were last known,
    and the remark says so.
    """
    con = warehouse.con
    remarks = []
    try:
        intents = Ledger(warehouse.state_dir).intents()
    except UNREADABLE as error:
        log.LOGGER.warning("the log of write-backs cannot be read: %s", error)
        remarks.append(f"the log of write-backs cannot be read, they are shown as they were last known: {error}")
    else:
        if intents:
            writes.store(con, intents_frame(intents), terms_frame(intents))
        lost = writes.intents(con).height - len(intents)
        if lost:
            remarks.append(
                f"{_counted(lost)} known before {'is' if lost == 1 else 'are'} not in the log any more; restore the log from a backup"
            )
    waiting = writes.unfinished(con)
    if waiting:
        number = sum(waiting.values())
        states = ", ".join(f"{count} {state}" for state, count in waiting.items())
        remarks.append(
            f"{_counted(number)} {'is' if number == 1 else 'are'} not finished: {states}; see `planrecon plan list`"
        )
    return tuple(remarks)


def plans_written(state_dir: Path, provider: str, tenant_id: str, *, since: datetime) -> frozenset[str] | None:
    """Return the plans of a tenant that a change was sent for since then; null where the log cannot be read."""
    try:
        intents = Ledger(state_dir).intents()
    except UNREADABLE:
        return None
    return frozenset(
        intent.plan_id
        for intent in intents
        if (intent.draft.provider, intent.draft.tenant_id) == (provider, tenant_id)
        and intent.plan_id is not None
        and (intent.sent_at or intent.changed_at) >= since
    )


def intents_frame(intents: Sequence[Intent]) -> pl.DataFrame:
    """Return `WRITES` of these intents, in their order."""
    rows = [
        {
            "intent_id": intent.intent_id,
            "provider": intent.draft.provider,
            "tenant_id": intent.draft.tenant_id,
            "operation": intent.draft.operation,
            "plan_id": intent.plan_id,
            "write_state": intent.state,
            # The differences found when the plan was read back are part of the reason.
            "write_reason": "; ".join([*filter(None, [intent.reason]), *intent.differences]),
            "amount_minor": intent.draft.amount_minor,
            "currency": intent.draft.currency or None,
            "request_sha256": intent.draft.request_sha256,
            "answer_status": intent.answer_status,
            "planned_at": intent.planned_at,
            "sent_at": intent.sent_at,
            "ended_at": intent.ended_at,
        }
        for intent in intents
    ]
    return WRITES.gate(pl.DataFrame(rows, schema=dict(WRITES.dtypes), orient="row"))


def terms_frame(intents: Sequence[Intent]) -> pl.DataFrame:
    """Return `AGREED_TERMS` of these intents, each intent's by due date and amount."""
    rows = [
        (intent.intent_id, number, term.due_date, term.amount_minor)
        for intent in intents
        for number, term in enumerate(
            sorted(intent.draft.terms, key=lambda term: (term.due_date, term.amount_minor)), start=1
        )
    ]
    return AGREED_TERMS.gate(pl.DataFrame(rows, schema=dict(AGREED_TERMS.dtypes), orient="row"))


def _counted(number: int) -> str:
    return f"{number:,} write-back{'' if number == 1 else 's'}"
