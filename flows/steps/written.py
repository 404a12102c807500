"""Copy the changes made at the providers from their log into the warehouse before a run is published."""

from collections.abc import Sequence

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
        found = Ledger(warehouse.state_dir).intents()
    except UNREADABLE as error:
        log.LOGGER.warning("the log of write-backs cannot be read: %s", error)
        remarks.append(f"the log of write-backs cannot be read, they are shown as they were last known: {error}")
    else:
        if found:
            writes.store(con, intents_frame(found), terms_frame(found))
        lost = writes.intents(con).height - len(found)
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


def intents_frame(intents: Sequence[Intent]) -> pl.DataFrame:
    """Return `WRITES` of these intents, in their order."""
    rows = [
        {
            "intent_id": one.intent_id,
            "provider": one.draft.provider,
            "tenant_id": one.draft.tenant_id,
            "operation": one.draft.operation,
            "plan_id": one.plan_id,
            "write_state": one.state,
            # The differences found when the plan was read back are part of the reason.
            "write_reason": "; ".join([*filter(None, [one.reason]), *one.differences]),
            "amount_minor": one.draft.amount_minor,
            "currency": one.draft.currency or None,
            "request_sha256": one.draft.request_sha256,
            "answer_status": one.answer_status,
            "planned_at": one.planned_at,
            "sent_at": one.sent_at,
            "ended_at": one.ended_at,
        }
        for one in intents
    ]
    return WRITES.gate(pl.DataFrame(rows, schema=dict(WRITES.dtypes), orient="row"))


def terms_frame(intents: Sequence[Intent]) -> pl.DataFrame:
    """Return `AGREED_TERMS` of these intents, each intent's by due date and amount."""
    rows = [
        (one.intent_id, number, term.due_date, term.amount_minor)
        for one in intents
        for number, term in enumerate(
            sorted(one.draft.terms, key=lambda term: (term.due_date, term.amount_minor)), start=1
        )
    ]
    return AGREED_TERMS.gate(pl.DataFrame(rows, schema=dict(AGREED_TERMS.dtypes), orient="row"))


def _counted(number: int) -> str:
    return f"{number:,} write-back{'' if number == 1 else 's'}"
