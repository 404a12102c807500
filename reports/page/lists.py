"""Who is to be called, and who is not? The lists of the day's work, each with its count and its most pressing plans."""

from collections.abc import Sequence
from typing import Any

from reports.digest import Digest
from reports.facts import RunFacts
from reports.links import link_of
from reports.listed import ORDER, amount_of
from reports.page.figures import Row, amount, money, total
from reports.summary import Summary
from schemas.words import NEWLY_MISSED, WORK_LIST_MEANINGS

TITLES = {
    "CALL_TODAY": "Call today",
    NEWLY_MISSED: "Newly missed",
    "DUE_TODAY": "Due today",
    "SETTLING": "Settling: leave alone",
    "PAUSED": "Paused: leave alone",
    "NOT_OWED": "Asks for money no longer owed",
    "ENDED_WITH_MONEY": "Ended with money left",
}
NAMES = {
    "CALL_TODAY": "call",
    NEWLY_MISSED: "newly-missed",
    "DUE_TODAY": "due-today",
    "SETTLING": "settling",
    "PAUSED": "paused",
    "NOT_OWED": "not-owed",
    "ENDED_WITH_MONEY": "ended",
}
"""Names of the lists in addresses and for scripts."""
_NEWLY = "more missed terms than at the run compared with: a first call while it is fresh"


def context(facts: RunFacts, summary: Summary, digest: Digest, most: int) -> dict[str, Any]:
    """Return the lists with at most so many rows each; newly missed is left out where there is no run before."""
    known = [word for word in ORDER if word in digest.lists.rows]
    return {"lists": [_list(word, facts, summary, digest, most) for word in known]}


def _list(word: str, facts: RunFacts, summary: Summary, digest: Digest, most: int) -> Row:
    sums = [row for row in summary.work_lists if row.work_list == word]
    rows = digest.lists.rows[word].head(most).to_dicts()
    count = sum(row.plans for row in sums)
    meaning = WORK_LIST_MEANINGS.get(word, _NEWLY)
    return {
        "name": NAMES[word],
        "word": word,
        "title": TITLES[word],
        "meaning": meaning[0].upper() + meaning[1:] + ".",
        "count": count,
        "money": money(total((row.currency, row.amount) for row in sums), none=""),
        "head": "Due today" if word == "DUE_TODAY" else "Overdue",
        "has_pending": word in {"SETTLING", "DUE_TODAY"},
        "rows": [_row(row, word, facts) for row in rows],
        "left_out": count - len(rows),
    }


def _row(row: Row, word: str, facts: RunFacts) -> Row:
    currency = row["currency"]
    return {
        **{name: row[name] for name in ("provider", "plan_id", "currency", "days_past_due")},
        "link": link_of(facts.plan_links, row),
        "who": _who(row),
        "amount": amount(row[amount_of(word)], currency),
        "pending": amount(row["fresh_pending_minor"], currency) if row["fresh_pending_minor"] else "",
        "next": row["next_due_date"],
        "last": row["last_receipt_date"],
    }


def _who(row: Row) -> Sequence[str]:
    """Return how the payer is known: by the reference people use, else by the account; and the customer's id."""
    return [text for text in (row["reference"] or row["account_id"], row["customer_id"]) if text]
