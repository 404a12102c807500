"""Plain heads of columns for people: `Days past due` for `days_past_due`; and the way back.

Files for programs keep the names themselves. What a column means is in `schemas.columns`.
"""

import re

from schemas.reports import Report

_OTHERWISE = {
    "term_id": "Term id",
    "term_no": "Term",
    "mba_months": "Months past due (MBA)",
    "ots_months": "Months past due (OTS)",
    "shadow_days_past_due": "Days past due if pending arrives",
    "accepted_because": "Comment",
    "expires_on": "Accepted through",
    "maximum": "Accepted up to",
    "is_money": "Counts as money",
    "age_days": "Age in days",
    "difference_days": "Difference in days",
    "window_days": "Days looked back",
    "horizon_days": "Days ahead",
    "pending_business_days": "Business days pending",
    "from_as_of": "Earlier date",
}


def head(name: str) -> str:
    """Return the head of a column, for its name in reports."""
    if name in _OTHERWISE:
        return _OTHERWISE[name]
    words = re.sub("_no$", "_number", re.sub("^is_|_id$", "", name)).replace("_", " ")
    return words[0].upper() + words[1:]


def names_by_head(report: Report) -> dict[str, str]:
    """Return the names of a report's columns by their heads, in small letters."""
    return {head(name).casefold(): name for name in report.names}
