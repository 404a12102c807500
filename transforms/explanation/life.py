"""The figures of a plan that say how the agreement went: outcome, when it was broken and cured, whether terms were kept."""

from datetime import timedelta

from schemas.explanation import Figure
from transforms.explanation.case import Case, day_text, term_name

_SETTINGS = ("broken_rules", "grace_days", "tolerance", "residual")
_REPLAY = "replay(due dates, ends of grace, days on which money came or went back)"
_MEANINGS = {
    "PROPOSED": "The plan was not agreed yet.",
    "REJECTED": "The plan was never agreed.",
    "SUPERSEDED": "A newer plan took its place before its terms could decide.",
    "CANCELLED": "The provider ended the plan before all its terms were satisfied.",
    "KEPT": "All terms are satisfied.",
    "BROKEN": "A rule by which a plan is broken held, and the plan was not cured since.",
    "REDEFAULT": "The plan was broken, cured, and is broken again.",
    "AT_RISK": "Something is past grace, and no rule by which a plan is broken holds.",
    "CURED": "The plan was broken, was cured, and nothing is past grace.",
    "ON_TRACK": "Nothing is past grace.",
}
_PAID = {"PAID_EARLY": "was early", "PAID_ON_TIME": "was in time", "PAID_LATE": "was late"}
_DAYS = {
    "broken_at": ("The first day on which a rule held by which a plan is broken.", "No such rule ever held."),
    "cured_at": (
        "The day on which the plan was cured the first time: nothing was overdue any more, and probation was passed.",
        "It was never broken, or was not cured since.",
    ),
    "redefaulted_at": (
        "The first day of the newest time after it on which a rule held again.",
        "It was not broken again.",
    ),
}


def life_figures(case: Case) -> list[Figure]:
    """Return the outcome, the days on which it changed, and whether the terms were kept so far."""
    names = ("plan", *(term_name(row["term_no"]) for row in case.terms))
    days = [_day(case, name, names) for name in _DAYS]
    return [_outcome(case, names), *days, _kept(case)]


def _outcome(case: Case, names: tuple[str, ...]) -> Figure:
    word = case.plan["outcome"]
    told = [
        f"{what} on {day_text(day)}"
        for what, name in (("broken", "broken_at"), ("cured", "cured_at"), ("broken again", "redefaulted_at"))
        if (day := case.plan[name]) is not None
    ]
    late = [row for row in case.terms if row["state"] in {"MISSED", "PARTIAL_OVERDUE"}]
    numbers = ", ".join(str(row["term_no"]) for row in late) or "none"
    working = f"{_MEANINGS[word]} Status {case.plan['status']}; terms past grace: {numbers}; {', '.join(told) or 'never broken'}."
    formula = (
        "The first that fits: proposed, rejected, superseded, cancelled or kept; else broken or broken again, something past "
        "grace, cured, on track."
    )
    return Figure("outcome", "WORD", word, formula, _REPLAY, working, names, _SETTINGS)


def _day(case: Case, name: str, names: tuple[str, ...]) -> Figure:
    formula, absent = _DAYS[name]
    value = case.plan[name]
    working = (
        f"Empty: {absent[0].lower()}{absent[1:]}" if value is None else f"By what had come by then: {day_text(value)}."
    )
    return Figure(name, "DATE", value, formula, _REPLAY, working, names, _SETTINGS)


def _kept(case: Case) -> Figure:
    grace = timedelta(days=case.options.grace_days)
    passed = [
        row
        for row in case.terms
        if row["is_owed"] and row["state"] != "WAIVED" and row["due_date"] + grace < case.as_of
    ]
    told = "; ".join(f"{term_name(row['term_no'])} {_PAID.get(row['state'], 'is not satisfied')}" for row in passed)
    return Figure(
        "kept_so_far",
        "FLAG",
        case.plan["kept_so_far"],
        "Whether every term whose last day of grace has passed was satisfied by then.",
        "all(satisfied_on <= due_date + grace_days of terms where due_date + grace_days < as_of)",
        f"{told.capitalize()}." if told else "Empty: no term's last day of grace has passed.",
        tuple(term_name(row["term_no"]) for row in passed),
        ("grace_days", "tolerance", "residual"),
    )
