"""The figures of a plan that are words and counts of terms: status, conformance, bucket."""

from schemas.explanation import Figure
from transforms.delinquency.buckets import NOT_MONTHLY, bucket_set
from transforms.explanation.case import Case, day_text, term_name

_MEANINGS = {
    "DELETED": "The provider deleted the plan, or a complete fetch no longer shows it.",
    "REJECTED": "The plan was rejected.",
    "SUPERSEDED": "A newer plan on the same account took its place.",
    "DEACTIVATED": "The provider ended the plan.",
    "PROPOSED": "The plan was proposed and not approved yet.",
    "ACTIVE": "The plan is in force.",
    "FINISHED": "The plan is no longer active and every term that counts is satisfied.",
    "UNKNOWN": "The plan was approved and is neither active nor ended, and its terms are not all satisfied.",
}
_STAMPS = (
    "created_on",
    "proposed_on",
    "approved_on",
    "rejected_on",
    "replaced_on",
    "deactivated_on",
    "deleted_on",
    "ended_on",
)
_CONFORMANCE = {
    "CONFORMS": "Every term has the day and the amount that the plan's own rules give.",
    "DATES_ONLY": "Every term has the day that the plan's own rules give; amounts cannot be judged.",
    "NOT_APPLICABLE": "The provider tells no rules for this plan, or the plan is not in force.",
}
_COUNTS = {
    "terms": ("How many terms the plan has, those no longer owed included.", None),
    "terms_satisfied": (
        "How many terms are satisfied or were waived.",
        ("WAIVED", "PAID_EARLY", "PAID_ON_TIME", "PAID_LATE"),
    ),
    "missed_terms": ("How many terms are past grace without any money.", ("MISSED",)),
    "delinquent_terms": ("How many terms are past grace and not satisfied.", ("MISSED", "PARTIAL_OVERDUE")),
}


def standing_figures(case: Case) -> list[Figure]:
    """Return status and conformance, the counts of terms and the bucket."""
    return [_status(case), *_counts(case), _bucket(case), _conformance(case)]


def _status(case: Case) -> Figure:
    word = case.plan["status"]
    stamps = [
        f"{name.removesuffix('_on')} {day_text(day)}" for name in _STAMPS if (day := case.located[name]) is not None
    ]
    by = case.plan["replaced_by_plan_id"]
    told = f"{_MEANINGS[word]} Known of it: {', '.join(stamps)}{f'; replaced by plan {by}' if by else ''}."
    formula = (
        "The first that holds on the as-of date: deleted, rejected, replaced, deactivated or ended, gone from a complete "
        "fetch, not approved, active, all terms satisfied."
    )
    return Figure("status", "WORD", word, formula, "first stage of the plan's stamps that holds", told, ("plan",))


def _counts(case: Case) -> list[Figure]:
    figures = []
    for name, (formula, states) in _COUNTS.items():
        counted = [row for row in case.terms if states is None or row["state"] in states]
        listed = ", ".join(str(row["term_no"]) for row in counted) or "none"
        expression = "count(terms)" if states is None else f"count(terms where state in {', '.join(states)})"
        names = tuple(term_name(row["term_no"]) for row in case.terms)
        settings = () if states is None else ("grace_days", "tolerance", "residual")
        figures.append(
            Figure(name, "COUNT", case.plan[name], formula, expression, f"Terms: {listed}.", names, settings)
        )
    return figures


def _bucket(case: Case) -> Figure:
    value, buckets = case.plan["bucket"], bucket_set(case.options.bucket_set)
    measured = case.plan[buckets.measure]
    measure = buckets.measure.replace("_", " ")
    working = f"{measured} {measure} lie in the range {value}."
    if value == NOT_MONTHLY:
        working = "The plan is not monthly, so it has no months to count."
    return Figure(
        "bucket",
        "WORD",
        value,
        f"The range of the bucket set in which the plan's {measure} lie.",
        f"range of {', '.join(buckets.labels)} that holds {buckets.measure}",
        working,
        tuple(term_name(row["term_no"]) for row in case.terms),
        ("bucket_set",),
    )


def _conformance(case: Case) -> Figure:
    word = case.plan["conformance"]
    if word == "NOT_REGENERABLE":
        working = f"The schedule cannot be made again: {case.plan['missing_input']} is not known."
    elif word == "DIFFERS":
        working = " ".join(row["explanation"] for row in case.differences)
    else:
        working = _CONFORMANCE.get(word, "Not judged.")
    return Figure(
        "conformance",
        "WORD",
        word,
        "Whether the provider's terms are those that the plan's own rules give.",
        "compare(due_date, amount; expected_due_date, expected_amount) term by term",
        working,
        ("plan", *(term_name(row["term_no"]) for row in case.terms)),
        ("conventions", "calendar", "weekend"),
    )
