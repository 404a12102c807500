"""Compare a proposed plan with the limits of the configured policy."""

from datetime import date
from decimal import Decimal

from flows.errors import SettingsError
from flows.settings import WritePolicy
from providers.writing import PlanNow

MONTHS_A_YEAR = 12


def violations(plan: PlanNow, policy: WritePolicy) -> list[str]:
    """Return the rules that the plan breaks, each as a clause; empty where it keeps them all."""
    terms = sorted(plan.terms, key=lambda term: term.due_date)
    if not terms:
        return []
    first, last = terms[0], terms[-1]
    total = sum((term.amount for term in terms), Decimal(0))
    smallest = min(term.amount for term in terms)
    broken = []
    if policy.max_terms is not None and len(terms) > policy.max_terms:
        broken.append(f"{len(terms)} terms, at most {policy.max_terms} are allowed")
    months = (last.due_date.year - first.due_date.year) * MONTHS_A_YEAR + last.due_date.month - first.due_date.month
    months += last.due_date.day > first.due_date.day
    if policy.max_months is not None and months > policy.max_months:
        broken.append(f"it lasts {months} months, at most {policy.max_months} are allowed")
    if policy.min_term_amount is not None and smallest < policy.min_term_amount:
        broken.append(f"a term of {smallest:f}, at least {policy.min_term_amount:f} is asked for")
    if policy.min_first_share is not None and first.amount < policy.min_first_share * total:
        broken.append(
            f"the first term is {first.amount:f} of {total:f}, less than a share of {policy.min_first_share:f}"
        )
    days = (first.due_date - date.fromisoformat(plan.created_at[:10])).days if plan.created_at else None
    if policy.max_days_to_first is not None and days is not None and days > policy.max_days_to_first:
        broken.append(
            f"the first term is due {days} days after the proposal, at most {policy.max_days_to_first} are allowed"
        )
    return broken


def require_rules(policy: WritePolicy) -> None:
    """Raise `SettingsError` where no rule is set: then every proposal would pass."""
    if not policy.model_dump(exclude_none=True):
        names = ", ".join(WritePolicy.model_fields)
        raise SettingsError(f"[writes.policy] sets no rule, so no plan can break one; set one of {names}")
