"""Which terms were kept: what each had on its deadline and on every day since, and the rates of that.

What the definitions leave open, and is taken here:

- A term that lacks no more than its tolerance from the start was kept whenever it fell due.
- Of a term that is not satisfied the provider's balance was there on the day of the version that tells it, whatever
  day of payment it gives.
- Money counts as provisional while nothing of it went back; of a part return the rest is final.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from oracles.judge import Standing, TermView
from oracles.locate import locate, word_on
from oracles.model import Facts, Options, Plan, business_days, happened
from oracles.replay import Rules, paid_on, received
from oracles.truth import Row, sixth_places

WINDOWS = (7, 30, 90, 365)


@dataclass(slots=True)
class KeptTerm:
    """One term whose deadline has passed, and the money it had then and did not lose since."""

    plan: Plan
    view: TermView
    deadline: date
    paid: int
    firm_paid: int

    @property
    def kept(self) -> bool:
        """Tell whether no more than its tolerance was open at the deadline."""
        return self.view.payable - self.paid <= self.view.limit

    @property
    def firm_kept(self) -> bool:
        """Tell the same without money that may still be returned."""
        return self.view.payable - self.firm_paid <= self.view.limit


def kept_terms(standing: Standing, options: Options, rules: Rules) -> list[KeptTerm]:
    """Return every term that counts and whose deadline passed before the day, with what it had by then."""
    found = []
    for view in standing.terms:
        deadline = view.term.due + timedelta(days=options.grace_days)
        if not view.over and view.state != "WAIVED" and deadline < standing.on:
            paid = _by(deadline, standing, view, options)
            firm = _firm_by(deadline, standing, view, options, rules)
            found.append(KeptTerm(standing.plan, view, deadline, paid, firm))
    return found


def _by(deadline: date, standing: Standing, view: TermView, options: Options) -> int:
    """Return what the term had on the deadline and on every day since."""
    if standing.plan.basis == "PROVIDER_BALANCE":
        told = view.term.updated or standing.plan.updated
        day = paid_on(standing, view) if view.satisfied else told
        return view.received if happened(day, deadline) else 0
    days = [deadline + timedelta(days=step) for step in range((standing.on - deadline).days + 1)]
    moves = {day for payment in standing.money for day in (payment.effective, payment.reversed_on)}
    return min(received(standing, day, options)[view.number] for day in days if day == deadline or day in moves)


def _firm_by(deadline: date, standing: Standing, view: TermView, options: Options, rules: Rules) -> int:
    """Return the same had the money that may still be returned not come."""
    plan, today = standing.plan, standing.on

    def is_fresh(day: date | None) -> bool:
        return day is not None and business_days(day, today, plan.provider, options) < rules.return_days

    if plan.basis == "PROVIDER_BALANCE":
        return 0 if is_fresh(view.term.paid_on) else _by(deadline, standing, view, options)
    firm = [
        payment
        for payment in standing.money
        if not (word_on(payment, today) == "received" and is_fresh(payment.effective))
    ]
    return _by(deadline, replace(standing, money=firm), view, options)


def kept_sums(
    standings: Iterable[Standing], day: date, options: Options, rules: Rules
) -> dict[tuple[str, str, str, int], dict[str, int | None]]:
    """Return the figures of kept terms by provider, tenant, currency and window of days before `day`."""
    found: dict[tuple[str, str, str, int], list[KeptTerm]] = {}
    for standing in standings:
        plan = standing.plan
        gone = plan.removed is not None and plan.removed <= day
        terms = [] if gone else kept_terms(standing, options, rules)
        for window in WINDOWS:
            own = found.setdefault((plan.provider, plan.tenant, plan.currency, window), [])
            own.extend(term for term in terms if (day - term.deadline).days <= window)
    return {key: _figures(terms) for key, terms in found.items()}


def _figures(terms: list[KeptTerm]) -> dict[str, int | None]:
    kept, firm_kept = sum(term.kept for term in terms), sum(term.firm_kept for term in terms)
    partly = sum(not term.kept and term.paid > 0 for term in terms)
    payable = sum(term.view.payable for term in terms)
    return {
        "evaluated": len(terms),
        "kept": kept,
        "partly_kept": partly,
        "broken": len(terms) - kept - partly,
        "kept_rate_count_ppm": _rate(kept, len(terms)),
        "kept_rate_amount_ppm": _rate(sum(term.paid for term in terms), payable),
        "firm_kept": firm_kept,
        "firm_kept_rate_count_ppm": _rate(firm_kept, len(terms)),
        "firm_kept_rate_amount_ppm": _rate(sum(term.firm_paid for term in terms), payable),
    }


def _rate(part: int, whole: int) -> int | None:
    return (2_000_000 * part + whole) // (2 * whole) if whole else None


def kept_rows(facts: Facts, day: date, options: Options, rules: Rules) -> list[Row]:
    """Return the rows of the report `kept`; rates in six places."""
    keys = ("provider", "tenant_id", "currency", "window_days")
    rows = []
    for key, figures in kept_sums(locate(facts, day, options)[0], day, options, rules).items():
        rates = {name.removesuffix("_ppm"): value for name, value in figures.items() if name.endswith("_ppm")}
        counts = {name: value for name, value in figures.items() if not name.endswith("_ppm")}
        named = dict(zip(keys, key, strict=True))
        rows.append(named | counts | {name: sixth_places(value) for name, value in rates.items()})
    return rows
