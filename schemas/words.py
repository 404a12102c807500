"""Every closed list of words, once: types for settings, commands and options, tuples for gates, messages and readers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

# how bad a break is, and how it lives

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
SEVERITY_RANKS: Mapping[str, int] = MappingProxyType({word: rank for rank, word in enumerate(SEVERITIES)})
"""Place of each severity, from 0, the least."""
FailOn = Literal[Severity, "never"]
"""From which severity of open break a command fails."""

OPEN = ("NEW", "ONGOING", "CHANGED", "REOPENED", "NOT_EVALUATED")
"""States of a break that somebody still has to look at."""
CLOSED = ("RESOLVED", "ACCEPTED")
"""States of a break that nobody has to act on."""
BREAK_STATES = ("NEW", "ONGOING", "CHANGED", "RESOLVED", "REOPENED", "NOT_EVALUATED", "ACCEPTED")
SIDES = ("provider", "ours", "both")
KINDS = ("timing", "real")
PAIRED_BY = ("DATE_AND_AMOUNT", "DATE", "AMOUNT", "ORDINAL", "RULE", "AMBIGUOUS", "MISSING", "EXTRA")
CONFORMANCES = ("CONFORMS", "DIFFERS", "DATES_ONLY", "NOT_REGENERABLE", "NOT_APPLICABLE")
BREAK_CODES = (
    *("TERM_MISSING", "TERM_EXTRA", "DUE_DATE_DIFF", "AMOUNT_DIFF", "TOTAL_DIFF", "BALANCE_DRIFT", "CURRENCY_DIFF"),
    *("STATUS_CONTRADICTION", "RETURNED_AFTER_END", "INVOICE_OPEN_DIFF", "DUPLICATE_TERM", "DUPLICATE_PAYMENT"),
    *("DUPLICATE_PLAN", "ORPHAN_PAYMENT", "STALE_PENDING", "OVER_COVERED", "PLAN_VANISHED", "PLAN_REAPPEARED"),
    *("PLAN_MUTATED", "POLICY_VIOLATION", "AMBIGUOUS_PAIR", "AGREEMENT_DIFF"),
)
"""Codes of the breaks that checks find; which check finds which is its own business."""

# how runs and changes end, and what runs leave behind

PUBLISHED, HELD, FAILED = RUN_STATES = ("PUBLISHED", "HELD", "FAILED")
IntentState = Literal["planned", "approved", "sending", "done", "refused", "unknown", "parked"]
INTENT_STATES: tuple[IntentState, ...] = get_args(IntentState)
ReportFormat = Literal["csv", "parquet", "html", "xlsx"]
REPORT_FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)

# plans, terms and payments

STATUSES = ("PROPOSED", "ACTIVE", "REJECTED", "DEACTIVATED", "FINISHED", "DELETED", "SUPERSEDED", "UNKNOWN")
OUTCOMES = (
    "PROPOSED",
    "REJECTED",
    "CANCELLED",
    "SUPERSEDED",
    "ON_TRACK",
    "AT_RISK",
    "BROKEN",
    "CURED",
    "KEPT",
    "REDEFAULT",
)
STATES = (
    *("VOID", "SUPERSEDED", "WAIVED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE", "NOT_DUE", "PREPAID_PART"),
    *("DUE_TODAY", "IN_GRACE", "MISSED", "PARTIAL_OVERDUE"),
)
"""Where a term stands; the first that fits is told."""
CLASSES = (
    *("received", "pending", "failed", "void", "reversed", "partly_reversed"),
    *("written_off", "cost", "credit", "unknown"),
)
BASES = ("PAYMENTS", "PROVIDER_BALANCE")
CADENCES = ("MONTHLY", "OTHER", "BY_DATES")
INVOICES_OWE_LESS = "INVOICES_OWE_LESS"
"""Flag of a plan that asks for more than the invoices and cases that name it still owe."""
PAUSED = "PAUSED"
"""Flag of a plan that its provider, or the file of pauses, has paused on the as-of date."""

# lists of the day's work

WorkList = Literal["CALL_TODAY", "DUE_TODAY", "SETTLING", "PAUSED", "NOT_OWED", "ENDED_WITH_MONEY"]
WORK_LISTS: tuple[WorkList, ...] = get_args(WorkList)
WORK_LIST_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "CALL_TODAY": "past due, no money on its way, and nothing that speaks against a call",
        "DUE_TODAY": "a term is due on the as-of date itself",
        "SETTLING": "past due, and fresh money is on its way: leave it alone until that settles",
        "PAUSED": "overdue and paused: chase nobody until the pause ends",
        "NOT_OWED": "overdue by its terms, though the invoices and cases that name it owe less: have the plan corrected",
        "ENDED_WITH_MONEY": "no longer in force, and money is left overdue on it: decide what becomes of it",
    }
)
"""What each list is for; every plan on it is in force but for the last."""
NEWLY_MISSED = "NEWLY_MISSED"
"""The list of plans with more missed terms than at the run compared with; told by page and workbook alone."""

PAID_OFF = "PAID_OFF"
"""Where a plan went that was in a bucket on the earlier date and has all its terms satisfied now."""

# how figures are computed

ToleranceMode = Literal["EXACT", "CENT", "ABS", "PCT", "MAX", "MIN"]
Residual = Literal["FILL", "SKIP"]
GraceMode = Literal["NONE", "SHIFT", "GATE"]
DayBasis = Literal["CALENDAR", "BUSINESS"]
DpdOrigin = Literal["OLDEST_UNPAID", "FIRST_ENTERED", "FIRST_MATERIAL"]
Allocates = Literal["AMOUNT", "PRINCIPAL_INTEREST"]
PauseMode = Literal["FLAG", "STOP"]

# how schedules are made; the first word of each is the usual one

Remainder = Literal["LAST", "FIRST", "SPREAD"]
ShortMonth = Literal["LAST_DAY", "OVERFLOW", "OVERFLOW_31"]
FifthWeek = Literal["LAST", "SKIP", "NEXT"]
ShiftOrder = Literal["WEEKEND_FIRST", "HOLIDAY_FIRST"]
ShiftMode = Literal["ONCE", "REPEAT"]
Collision = Literal["KEEP", "MERGE", "NEXT_DAY"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Names of the weekdays, from ISO number 1 on."""
