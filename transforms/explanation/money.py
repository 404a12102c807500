"""The money figures of a plan: which amounts of which terms and payments add up to each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.explanation import Figure
from transforms.explanation.case import Case, Row, past_grace, term_name

_GRACE, _TOLERANCE, _ALLOCATES = ("grace_days",), ("tolerance", "residual"), ("allocates", "residual")


@dataclass(frozen=True, slots=True)
class _Sum:
    """A figure that adds up one column of the terms which a rule picks."""

    name: str
    formula: str
    expression: str
    column: str
    picks: Callable[[Row, Case], bool]
    settings: tuple[str, ...] = ()


_SUMS = (
    _Sum("amount", "What all terms promise together.", "sum(amount)", "amount_minor", lambda *_: True),
    _Sum(
        "waived",
        "What is no longer owed: of terms that ended with the plan or were taken out, all that had not been received.",
        "sum(waived)",
        "waived_minor",
        lambda *_: True,
    ),
    _Sum(
        "received", "The money that the terms received.", "sum(received)", "received_minor", lambda *_: True, _ALLOCATES
    ),
    _Sum(
        "outstanding",
        "What is still open on all terms: amount less what is no longer owed, less what was received.",
        "sum(amount - waived - received)",
        "outstanding_minor",
        lambda *_: True,
        _ALLOCATES,
    ),
    _Sum(
        "amount_due",
        "What is open on the terms due on or before the as-of date.",
        "sum(outstanding where due_date <= as_of)",
        "outstanding_minor",
        lambda row, case: bool(row["due_date"] <= case.as_of),
    ),
    _Sum(
        "overdue",
        "What is open on the terms due before the as-of date.",
        "sum(outstanding where due_date < as_of)",
        "outstanding_minor",
        lambda row, case: bool(row["due_date"] < case.as_of),
    ),
    _Sum(
        "overdue_past_grace",
        "What is open on the terms whose days of grace are over.",
        "sum(outstanding where due_date + grace_days < as_of)",
        "outstanding_minor",
        past_grace,
        _GRACE,
    ),
    _Sum(
        "due_today",
        "What is open on the terms due on the as-of date itself.",
        "sum(outstanding where due_date = as_of)",
        "outstanding_minor",
        lambda row, case: bool(row["due_date"] == case.as_of),
    ),
    _Sum(
        "not_due",
        "What is open on the terms due after the as-of date.",
        "sum(outstanding where due_date > as_of)",
        "outstanding_minor",
        lambda row, case: bool(row["due_date"] > case.as_of),
    ),
)


def money_figures(case: Case) -> list[Figure]:
    """Return the figures that are amounts, and the share of the amount due that pending money covers."""
    figures = [_summed(case, each) for each in _SUMS]
    return [
        *figures,
        _unapplied(case),
        _unapplied_since(case),
        _pending(
            case, "pending", "Money on its way to this plan that has not settled; it is never taken off what is due."
        ),
        _pending(case, "fresh_pending", "The pending money that has not been waiting for too long."),
        _coverage(case),
        _next_due_amount(case),
        *_of_provider(case),
    ]


def added(case: Case, parts: Sequence[tuple[int, str]], total: int) -> str:
    """Write a sum with where each part comes from: `40.00 (term 2) + 100.00 (term 3) = 140.00 EUR`."""
    shown = [(minor, name) for minor, name in parts if minor]
    if not shown:
        return f"Nothing to add: {case.money(total)}."
    currency = f" {case.plan['currency']}"
    terms = " + ".join(f"{case.money(minor).removesuffix(currency)} ({name})" for minor, name in shown)
    return f"{terms} = {case.money(total)}."


def _summed(case: Case, rule: _Sum) -> Figure:
    picked = [row for row in case.terms if rule.picks(row, case)]
    value = case.plan[f"{rule.name}_minor"]
    parts = [(row[rule.column], term_name(row["term_no"])) for row in picked]
    working = added(case, parts, value)
    names = tuple(term_name(row["term_no"]) for row in picked)
    return Figure(rule.name, "MONEY", value, rule.formula, rule.expression, working, names, rule.settings)


def _unapplied(case: Case) -> Figure:
    value = case.plan["unapplied_minor"]
    settled = [row for row in case.payments if is_settled(row, case)]
    formula = "The settled money of the plan that no term took."
    expression = "sum(amount - returned of settled payments) - received"
    names = tuple(row["name"] for row in settled)
    if value is None:
        working = (
            "Unknown: this provider keeps the balance of each term itself and does not say which payment went where."
        )
        return Figure("unapplied", "MONEY", None, formula, expression, working, ())
    parts = [(row["amount_minor"] - row["back_minor"], row["name"]) for row in settled]
    total = sum(part for part, _ in parts)
    working = f"{added(case, parts, total)} Less {case.money(case.plan['received_minor'])} that terms took: {case.money(value)}."
    return Figure("unapplied", "MONEY", value, formula, expression, working, names, _ALLOCATES)


def _unapplied_since(case: Case) -> Figure:
    value = case.plan["unapplied_since"]
    settled = [row for row in case.payments if is_settled(row, case)]
    whole = [row for row in settled if row["amount_minor"] - row["back_minor"] != (row["allocated_minor"] or 0)]
    left = [row for row in whole if row["effective_date"] == value]
    working = "Empty: nothing is unapplied, or it is not known."
    if left:
        took = case.money(left[0]["allocated_minor"])
        working = f"{left[0]['name']} of {case.money(left[0]['amount_minor'])} is the oldest; terms took {took} of it."
    return Figure(
        "unapplied_since",
        "DATE",
        value,
        "The effective date of the oldest settled payment of which terms did not take everything.",
        "min(effective_date of settled payments where allocated < amount - returned)",
        working,
        tuple(row["name"] for row in whole),
        _ALLOCATES,
    )


def is_settled(row: Row, case: Case) -> bool:
    """Tell whether a payment is money that came by the as-of date, in the currency of the plan."""
    is_own = row["is_money"] and row["currency"] == case.plan["currency"]
    came = row["class"] in {"received", "reversed", "partly_reversed"} and row["effective_date"] <= case.as_of
    return bool(is_own and came and row["basis"] == "PAYMENTS")


def is_waiting(row: Row, case: Case) -> bool:
    """Tell whether a payment is pending money of the plan on the as-of date."""
    is_own = row["is_money"] and row["currency"] == case.plan["currency"]
    return bool(is_own and row["class"] == "pending" and row["counts_from"] <= case.as_of)


def _pending(case: Case, name: str, formula: str) -> Figure:
    is_fresh = name == "fresh_pending"
    waiting = [row for row in case.payments if is_waiting(row, case) and not (is_fresh and row["is_stale"])]
    value = case.plan[f"{name}_minor"]
    parts = [(row["amount_minor"], row["name"]) for row in waiting]
    names = tuple(row["name"] for row in waiting)
    expression = "sum(amount of pending payments" + (" that are not stale)" if is_fresh else ")")
    settings = ("stale_pending_days", "calendar") if is_fresh else ()
    return Figure(name, "MONEY", value, formula, expression, added(case, parts, value), names, settings)


def _coverage(case: Case) -> Figure:
    value, fresh, due = (case.plan[name] for name in ("coverage_ppm", "fresh_pending_minor", "amount_due_minor"))
    formula = "The share of the amount due that pending money covers, stale money left out; at most 1."
    expression = "min(fresh_pending, amount_due) / amount_due"
    if value is None:
        working = "Empty: nothing is due."
    else:
        working = f"The smaller of {case.money(fresh)} and {case.money(due)}, divided by {case.money(due)}."
    names = tuple(row["name"] for row in case.payments if is_waiting(row, case) and not row["is_stale"])
    due_terms = tuple(term_name(row["term_no"]) for row in case.terms if row["due_date"] <= case.as_of)
    return Figure("coverage", "SHARE", value, formula, expression, working, names + due_terms, ("stale_pending_days",))


def _next_due_amount(case: Case) -> Figure:
    day, value = case.plan["next_due_date"], case.plan["next_due_amount_minor"]
    on_it = [row for row in case.terms if row["due_date"] == day and is_open(row)]
    formula = "What is open on the next due date."
    expression = "sum(outstanding of unsatisfied terms where due_date = next_due_date)"
    parts = [(row["outstanding_minor"], term_name(row["term_no"])) for row in on_it]
    working = added(case, parts, value) if value is not None else "Empty: no unsatisfied term lies ahead."
    names = tuple(name for _, name in parts)
    return Figure("next_due_amount", "MONEY", value, formula, expression, working, names, _TOLERANCE)


def is_open(row: Row) -> bool:
    """Tell whether a term is owed and not satisfied."""
    return bool(row["is_owed"] and not row["is_satisfied"])


def _of_provider(case: Case) -> list[Figure]:
    due, rest = case.plan["provider_amount_due_minor"], case.plan["provider_outstanding_minor"]
    if case.is_ours:
        working = (
            "Empty: the provider states no such figure." if due is None else f"The provider says {case.money(due)}."
        )
        formula = "What the provider itself calls due on the account; shown to compare, and not judged."
        return [Figure("provider_amount_due", "MONEY", due, formula, "the provider's figure", working, ("plan",))]
    listed = [row for row in case.terms if row["is_listed"] and row["provider_outstanding_minor"] is not None]
    stated = [(row, (row["provider_outstanding_minor"], term_name(row["term_no"]))) for row in listed]
    by_day = [part for row, part in stated if row["due_date"] <= case.as_of]
    every = [part for _, part in stated]
    return [
        Figure(
            "provider_amount_due",
            "MONEY",
            due,
            "What the provider itself says is still owed on the terms due on or before the as-of date.",
            "sum(provider_outstanding where due_date <= as_of)",
            added(case, by_day, due),
            tuple(name for _, name in by_day),
        ),
        Figure(
            "provider_outstanding",
            "MONEY",
            rest,
            "What the provider itself says is still owed on all terms.",
            "sum(provider_outstanding)",
            added(case, every, rest),
            tuple(name for _, name in every),
        ),
    ]
