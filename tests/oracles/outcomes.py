"""How a plan went: a replay of every day from the plan's creation to the last.

A term is past due after its due date while it is not satisfied, and late after its grace; a plan is in
an episode on every day on which something is past due, and broken from the first such day on which a rule
holds until the first one on which nothing is past due (on probation: and the last terms were paid in time).

What the definitions leave open, and is taken here:

- Days before a plan was made do not break it, whatever its due dates. Nor do days after it ended or was replaced.
- What a satisfied term still lacks is within its tolerance and makes nothing past due, but it is part of the money
  that is overdue past grace when that is held against a share of the plan.
- On probation a term due today counts as soon as it is satisfied.
- A plan that ended is kept if all its terms were satisfied with the money that it still holds. A plan without terms is not kept.
- A plan that a complete fetch no longer showed, and that nobody ended, went as it did on the day before.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from oracles.judge import Standing, counted
from oracles.kept import kept_terms
from oracles.locate import locate
from oracles.model import Facts, Options, happened
from oracles.replay import Day, Rules, replayed
from oracles.truth import Row


@dataclass(slots=True)
class Outcome:
    """How one plan went up to the last day."""

    outcome: str
    broken_at: date | None = None
    cured_at: date | None = None
    redefaulted_at: date | None = None
    kept_so_far: bool | None = None


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


def plan_rows(facts: Facts, day: date, options: Options, rules: Rules) -> list[Row]:
    """Return the columns of the report `plans` that tell how each plan went, under its key."""
    return [
        {"provider": provider, "tenant_id": tenant, "plan_id": plan_id, "outcome": found.outcome}
        | {name: str(getattr(found, name) or "") for name in ("broken_at", "cured_at", "redefaulted_at")}
        | {"kept_so_far": found.kept_so_far}
        for (provider, tenant, plan_id), found in outcomes(facts, day, options, rules).items()
    ]
