"""How a plan went, and which terms were kept: a replay of every day from the plan's creation to the last.

Which terms count, and whose money it is, is read as of the last day: what a provider took back was
never asked for. On each day the money that had come by then, less what had gone back, is laid on the
terms anew. A term is past due after its due date while it is not satisfied, and late after its grace; a plan is in
an episode on every day on which something is past due, and broken from the first such day on which a rule
holds until the first one on which nothing is past due (on probation: and the last terms were paid in time).

What the definitions leave open, and is taken here:

- Days before a plan was made do not break it, whatever its due dates. Nor do days after it ended or was replaced.
- What a satisfied term still lacks is within its tolerance and makes nothing past due, but it is part of the money
  that is overdue past grace when that is held against a share of the plan.
- A term that lacks no more than its tolerance from the start was kept whenever it fell due.
- On probation a term due today counts as soon as it is satisfied.
- Where the provider keeps the balance, a term it gives no day for was paid on the day of its version. What it received of a
  term that is not satisfied was there on that day, too, whatever day of payment it gives.
- A plan that ended is kept if all its terms were satisfied with the money that it still holds. A plan without terms is not kept.
- A plan that a complete fetch no longer showed, and that nobody ended, went as it did on the day before.
- Money counts as provisional while nothing of it went back; of a part return the rest is final.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from oracles.judge import Standing, TermView, allocate, counted
from oracles.locate import locate, word_on
from oracles.model import Facts, Options, Plan, business_days, happened

WINDOWS = (7, 30, 90, 365)


@dataclass(frozen=True, slots=True)
class Rules:
    """When a plan is broken and cured; 0 is off. `share` is in millionths of the plan."""

    consecutive: int = 2
    total: int = 0
    days: int = 0
    share: int = 0
    deactivated: bool = False
    probation: int = 0
    return_days: int = 2


@dataclass(slots=True)
class Outcome:
    """How one plan went up to the last day."""

    outcome: str
    broken_at: date | None = None
    cured_at: date | None = None
    redefaulted_at: date | None = None
    kept_so_far: bool | None = None


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


@dataclass(slots=True)
class Day:
    """The terms of a plan that count at the close of one day: what each has received, and since when it is satisfied."""

    on: date
    views: list[TermView]
    given: dict[int, int]
    since: dict[int, date | None]

    def is_satisfied(self, view: TermView) -> bool:
        """Tell whether no more than the tolerance is open."""
        return self.since[view.number] is not None

    def past_due(self, grace: int = 0) -> list[TermView]:
        """Return the terms that are open after their due date and the days of grace."""
        return [view for view in self.views if not self.is_satisfied(view) and (self.on - view.term.due).days > grace]


# --- the replay ---------------------------------------------------------------------------


def replayed(standing: Standing, options: Options) -> Iterable[Day]:
    """Yield every day from the plan's creation to the standing's own."""
    plan, copy = standing.plan, replace(standing)
    views = [view for view in standing.terms if not view.over]
    since: dict[int, date | None] = dict.fromkeys((view.number for view in views), None)
    moves = {day for payment in standing.money for day in (payment.effective, payment.reversed_on)}
    given: dict[int, int] = {}
    day = plan.created
    while day <= standing.on:
        if day == plan.created or day in moves or plan.basis == "PROVIDER_BALANCE":
            given = received(copy, day, options)
        for view in views:
            if view.payable - given[view.number] > view.limit:
                since[view.number] = None
            elif since[view.number] is None:
                since[view.number] = day
        yield Day(day, views, dict(given), dict(since))
        day += timedelta(days=1)


def received(standing: Standing, day: date, options: Options) -> dict[int, int]:
    """Return what each term had received at the close of `day`, by its number."""
    if standing.plan.basis == "PAYMENTS":
        return allocate(replace(standing), day, options)
    return {view.number: _stated(standing, view, day) for view in standing.terms}


def _stated(standing: Standing, view: TermView, day: date) -> int:
    """Return what the provider's balance says had come; nothing of a satisfied term before it was paid."""
    if view.satisfied and day < paid_on(standing, view):
        return 0
    return view.received


def paid_on(standing: Standing, view: TermView) -> date:
    """Return the day on which a term is taken to be paid whose balance the provider keeps."""
    told = view.term.updated or standing.plan.updated or standing.on
    return view.satisfied_on or min(told, standing.on)


# --- how the plan went --------------------------------------------------------------------


def outcomes(facts: Facts, day: date, options: Options, rules: Rules) -> dict[tuple[str, str, str], Outcome]:
    """Return how every plan went that exists on `day`, by provider, tenant and plan."""
    found = {}
    for standing in locate(facts, day, options)[0]:
        plan = standing.plan
        key = plan.provider, plan.tenant, plan.plan_id
        shown = standing
        if plan.removed is not None and standing.status == "DELETED" and not happened(plan.deleted, day):
            before = locate(facts, plan.removed - timedelta(days=1), options)[0]
            shown = next((one for one in before if one.plan is plan), standing)
        found[key] = outcome_of(shown, options, rules)
    return found


def outcome_of(standing: Standing, options: Options, rules: Rules) -> Outcome:
    """Return how one plan went up to the day of its standing."""
    times: list[list[date | None]] = []
    past_due = late = False
    gives_up = rules.deactivated and standing.status == "DEACTIVATED" and not _all_satisfied(standing)
    gives_up = gives_up and _left_before_voiding(standing) > 0
    is_broken = False
    for day in replayed(standing, options):
        is_given_up = gives_up and happened(standing.end, day.on)
        past_due, late = bool(day.past_due()), bool(day.past_due(options.grace_days))
        if is_broken and not past_due and not is_given_up and _passed(day, times[-1][0], options, rules):
            times[-1][1], is_broken = day.on, False
        is_over = standing.closed_on is not None and day.on > standing.closed_on
        if not is_broken and not is_over and (is_given_up or _holds(day, standing, options, rules)):
            times.append([day.on, None])
            is_broken = True
    cured = [end for _, end in times if end is not None]
    return Outcome(
        outcome=_word(standing, is_broken=is_broken, was_cured=bool(cured), late=late, gives_up=gives_up),
        broken_at=times[0][0] if times else None,
        cured_at=cured[0] if cured else None,
        redefaulted_at=times[-1][0] if len(times) > 1 else None,
        kept_so_far=_kept_so_far(standing, options),
    )


def _word(standing: Standing, *, is_broken: bool, was_cured: bool, late: bool, gives_up: bool) -> str:
    ended = standing.status == "DEACTIVATED"
    words = [
        (standing.status in {"PROPOSED", "REJECTED", "SUPERSEDED"}, standing.status),
        (standing.status == "DELETED", "CANCELLED"),
        (_all_satisfied(standing), "KEPT"),
        (ended and not gives_up, "CANCELLED"),
        (is_broken and was_cured, "REDEFAULT"),
        (is_broken, "BROKEN"),
        (late, "AT_RISK"),
        (was_cured, "CURED"),
    ]
    return next((word for holds, word in words if holds), "ON_TRACK")


def _all_satisfied(standing: Standing) -> bool:
    """Tell whether every term was satisfied, before those due after the plan's end were voided."""
    asked = [view for view in standing.terms if not standing.took_back(view.term)]
    return bool(asked) and all(view.payable - view.received <= view.limit for view in asked)


def _left_before_voiding(standing: Standing) -> int:
    return sum(view.payable - view.received for view in standing.terms if not standing.took_back(view.term))


def _holds(day: Day, standing: Standing, options: Options, rules: Rules) -> bool:
    """Tell whether one of the rules that are on holds at the close of the day."""
    late = {view.number for view in day.past_due(options.grace_days)}
    run = longest = 0
    for view in day.views:
        run = run + 1 if view.number in late else 0
        longest = max(longest, run)
    overdue = sum(
        view.payable - day.given[view.number]
        for view in day.views
        if (day.on - view.term.due).days > options.grace_days
    )
    whole = sum(view.term.amount - view.waived for view in standing.terms)
    dues = [view.term.due for view in day.past_due()]
    return (
        bool(rules.consecutive and longest >= rules.consecutive)
        or bool(rules.total and len(late) >= rules.total)
        or bool(rules.days and dues and counted(standing.plan, min(dues), day.on, options) > rules.days)
        or bool(rules.share and late and overdue * 1_000_000 > rules.share * whole)
    )


def _passed(day: Day, broken_on: date | None, options: Options, rules: Rules) -> bool:
    """Tell whether the last terms that fell due since the break were each satisfied in time."""
    since_then = [
        view for view in day.views if broken_on and broken_on < view.term.due <= day.on and day.is_satisfied(view)
    ]
    last = since_then[len(since_then) - rules.probation :] if rules.probation else []
    if len(since_then) < rules.probation:
        return False
    grace = timedelta(days=options.grace_days)
    return all((day.since[view.number] or date.max) <= view.term.due + grace for view in last)


def _kept_so_far(standing: Standing, options: Options) -> bool | None:
    kept = [term.kept for term in kept_terms(standing, options, Rules())]
    return all(kept) if kept else None


# --- which terms were kept ----------------------------------------------------------------


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
