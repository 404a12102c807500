"""Can these figures be trusted? One line while all is well, and the table behind it; then what an engineer asks."""

from collections.abc import Sequence
from typing import Any

from reports.digest import Digest
from reports.page.figures import Row, amount
from reports.summary import CheckLine, Summary
from reports.texts import counted, instant

MOST_PORTFOLIO = 60
"""Lines of the table of providers and currencies."""


def context(summary: Summary, digest: Digest, most: int) -> dict[str, Any]:
    """Return the table of rows and money, the checks, and the lines of the portfolio."""
    checks = summary.checks
    rows = [_integrity(row) for row in ([] if digest.integrity is None else digest.integrity.to_dicts())]
    # What is wrong is shown first, so that no limit hides it.
    shown = sorted(rows, key=lambda row: row["adds_up"] and row["complete"])[:most]
    unevaluated = [_label(check) for check in checks if not check.is_evaluated]
    return {
        "integrity": shown,
        "integrity_left_out": len(rows) - len(shown),
        "is_sound": bool(rows) and not unevaluated and all(row["adds_up"] and row["complete"] for row in rows),
        "trust_line": _line(summary, rows, unevaluated),
        "unevaluated": unevaluated,
        "quiet": [{"label": _label(c), "note": f"{c.examined:,} looked at"} for c in checks if _is_quiet(c)],
        "quiet_title": _quiet_title(checks),
        "portfolio": summary.portfolio[:MOST_PORTFOLIO],
        "portfolio_left_out": max(len(summary.portfolio) - MOST_PORTFOLIO, 0),
    }


def _line(summary: Summary, rows: Sequence[Row], unevaluated: Sequence[str]) -> str:
    """Say in one line whether rows and money add up, fetches were complete and every check could judge."""
    if not rows:
        return "Nothing was fetched, so nothing can be said."
    lost, partial = sum(not row["adds_up"] for row in rows), sum(not row["complete"] for row in rows)
    said = [
        f"{counted(lost, 'table does', 'tables do')} not add up"
        if lost
        else "every row and amount fetched is accounted for",
        f"{counted(partial, 'table was', 'tables were')} not fetched completely"
        if partial
        else "every fetch was complete",
        f"{counted(len(unevaluated), 'check')} could not judge"
        if unevaluated
        else f"{counted(len(summary.checks), 'check')} ran",
    ]
    if summary.quarantined:
        said.append(f"{counted(summary.quarantined, 'row')} stayed out, each with its reason")
    text = f"{', '.join(said[:-1])} and {said[-1]}."
    return text[0].upper() + text[1:]


def _integrity(row: Row) -> Row:
    currency = row["break_currency"]
    return {
        **{name: row[name] for name in ("provider", "entity", "fetched", "accepted", "quarantined", "deduplicated")},
        "currency": currency,
        "amount_fetched": amount(row["amount_fetched_minor"], currency),
        "amount_quarantined": amount(row["amount_quarantined_minor"], currency),
        "adds_up": _adds_up(row),
        "complete": row["complete"],
        "fresh": instant(row["fresh_at"]),
    }


def _adds_up(row: Row) -> bool:
    parts = ("accepted", "quarantined", "deduplicated")
    money = [row[f"amount_{part}_minor"] or 0 for part in parts]
    rows_add_up = row["fetched"] == sum(row[part] for part in parts)
    return bool(rows_add_up and (row["amount_fetched_minor"] or 0) == sum(money))


def _label(check: CheckLine) -> str:
    return " · ".join(part for part in (check.code, check.reason) if part)


def _is_quiet(check: CheckLine) -> bool:
    return bool(check.is_evaluated and not check.breaks)


def _quiet_title(checks: Sequence[CheckLine]) -> str:
    quiet = sum(_is_quiet(check) for check in checks)
    if not checks:
        return "No check was run"
    return f"{counted(quiet, 'check')} of {len(checks)} found nothing"
