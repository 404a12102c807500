"""The figures of a plan that are dates, days and months: from which day each is counted, and how."""

from datetime import date

from schemas.explanation import Figure
from transforms.explanation.case import Case, Row, day_text, term_name
from transforms.explanation.money import is_open

_COUNTING = ("dpd_origin", "day_basis", "grace_mode", "grace_days", "pauses", "calendar", "weekend")


def day_figures(case: Case) -> list[Figure]:
    """Return the dates and counts of days and months of the plan."""
    late = [row for row in case.terms if is_open(row) and row["due_date"] < case.as_of]
    names = tuple(term_name(row["term_no"]) for row in late)
    return [
        _oldest(case, late),
        _days(case, names, "days_past_due", case.counted_from),
        _business(case, names),
        _days(case, names, "shadow_days_past_due", case.shadow_from),
        *_months(case, late),
        _next_due(case),
    ]


def _oldest(case: Case, late: list[Row]) -> Figure:
    value = case.plan["oldest_unpaid_due_date"]
    if late:
        first = late[0]
        rest = case.money(first["outstanding_minor"])
        working = (
            f"{term_name(first['term_no']).capitalize()}, due {day_text(first['due_date'])}, still has {rest} open."
        )
        if first["tolerance_minor"]:
            working += f" That is more than the {case.money(first['tolerance_minor'])} that may be missing."
    else:
        working = "Empty: no term due before the as-of date is unsatisfied."
    return Figure(
        "oldest_unpaid_due_date",
        "DATE",
        value,
        "The due date of the oldest term that was due before the as-of date and is not satisfied.",
        "min(due_date of unsatisfied terms where due_date < as_of)",
        working,
        tuple(term_name(row["term_no"]) for row in late),
        ("tolerance", "residual"),
    )


def _days(case: Case, names: tuple[str, ...], name: str, since: date | None) -> Figure:
    is_shadow = name == "shadow_days_past_due"
    formula = "Days from the oldest unpaid due date to the as-of date."
    if case.options.dpd_origin != "OLDEST_UNPAID":
        formula = "Days for which the plan has been overdue without interruption."
    if is_shadow:
        formula = f"{formula[:-1]}, had all pending money that is not stale settled today."
    unit = "business_days" if case.options.day_basis == "BUSINESS" else "days"
    expression = f"{unit}(from counted_from to as_of, without pauses), less grace by grace_mode"
    inputs = (*names, *(f"pause {number}" for number, _ in enumerate(case.pauses, start=1)))
    return Figure(name, "COUNT", case.plan[name], formula, expression, _counted(case, name, since), inputs, _COUNTING)


def _counted(case: Case, name: str, since: date | None) -> str:
    value, own = case.plan[name], case.options
    if since is None:
        return "Nothing is past due: 0 days."
    is_business = own.day_basis == "BUSINESS"
    unit = "business days" if is_business else "calendar days"
    words = [f"Counted in {unit} from {day_text(since)} to {day_text(case.as_of)}"]
    if case.pauses:
        words.append("the days inside its pauses left out")
    if own.grace_mode == "SHIFT" and own.grace_days:
        words.append(f"less {own.grace_days} days of grace")
    if own.grace_mode == "GATE" and own.grace_days:
        words.append(f"none as long as there are no more than {own.grace_days}")
    return f"{', '.join(words)}: {value} {'day' if value == 1 else 'days'}."


def _business(case: Case, names: tuple[str, ...]) -> Figure:
    oldest, value = case.plan["oldest_unpaid_due_date"], case.plan["days_past_due_business"]
    working = "Nothing is past due: 0 days."
    if oldest is not None:
        working = f"Business days after {day_text(oldest)} up to and with {day_text(case.as_of)}: {value}."
    return Figure(
        "days_past_due_business",
        "COUNT",
        value,
        "Business days since the oldest unpaid due date, without grace or pauses.",
        "business_days(from oldest_unpaid_due_date to as_of)",
        working,
        names,
        ("calendar", "weekend"),
    )


def _months(case: Case, late: list[Row]) -> list[Figure]:
    start = (late[0]["nominal_due_date"] or late[0]["due_date"]) if late else None
    figures = []
    for name, until, rule in (
        ("mba_months", "the day after the as-of date", "full_months(oldest nominal due date, as_of + 1 day)"),
        ("ots_months", "the as-of date", "full_months(oldest nominal due date, as_of)"),
    ):
        value = case.plan[name]
        if value is None:
            working = "Empty: the terms of this plan are not one month apart on a fixed day."
        elif start is None:
            working = "Nothing is past due: 0 months."
        else:
            months = "1 whole month" if value == 1 else f"{value} whole months"
            working = f"From {day_text(start)} to {until}: {months}."
        formula = f"Whole months from the oldest unpaid term's date, before any shift, to {until}; monthly plans only."
        names = tuple(term_name(row["term_no"]) for row in (late[:1] if value else late))
        figures.append(Figure(name, "COUNT", value, formula, rule, working, (*names, "plan"), ("tolerance",)))
    return figures


def _next_due(case: Case) -> Figure:
    ahead = [row for row in case.terms if is_open(row) and row["due_date"] >= case.as_of]
    value = case.plan["next_due_date"]
    working = "Empty: no unsatisfied term lies ahead."
    if ahead:
        working = (
            f"{term_name(ahead[0]['term_no']).capitalize()} is the first that is not satisfied yet: {day_text(value)}."
        )
    return Figure(
        "next_due_date",
        "DATE",
        value,
        "The first due date on or after the as-of date of a term that is not satisfied.",
        "min(due_date of unsatisfied terms where due_date >= as_of)",
        working,
        tuple(term_name(row["term_no"]) for row in ahead),
        ("tolerance", "residual"),
    )
