"""Which plans exist on a day, what the providers call them, and which money is theirs.

Only dates and links decide here; amounts are judged in `judge`.
"""

from datetime import UTC, date, datetime

from oracles.judge import Standing, judge, tolerance
from oracles.model import Facts, Options, Payment, Plan, comes_before, happened

MONEY = {"received", "reversed", "partly_reversed"}


def word_on(payment: Payment, day: date) -> str:
    """Return the payment's class at the close of a day: a later reversal has not happened yet."""
    if (
        payment.word in {"reversed", "partly_reversed"}
        and payment.reversed_on is not None
        and payment.reversed_on > day
    ):
        return "received"
    return payment.word


def counts_from(payment: Payment, told: date) -> date:
    """Return the first day on which a payment exists.

    What is dated after the fetch is always shown; where money was entered by then, since that day.
    """
    if min(payment.created, payment.effective) > told:
        return date.min
    if payment.word not in MONEY:
        return payment.created
    return payment.created if payment.effective > told else payment.effective


def locate(facts: Facts, day: date, options: Options) -> tuple[list[Standing], list[tuple[Payment, str | None]]]:
    """Return every plan that exists on `day`, judged, and every payment with its plan, if any."""
    standings = [Standing(plan, day) for plan in facts.plans if plan.created <= day]
    by_account = _by_account(standings)
    for standing in standings:
        plan = standing.plan
        ends = (plan.deleted, *(() if plan.active else (plan.deactivated, plan.ended)))
        standing.end = min((end for end in ends if end is not None and end <= day), default=None)
    for standing in standings:
        _replacement(standing, by_account)
    for standing in standings:
        standing.status = _status(standing, options)
    payments = [
        item
        for item in facts.payments
        if counts_from(item, item.told or facts.told) <= day and not happened(item.removed, day)
    ]
    by_link = _by_link(standings)
    names = {key: account.names for key, account in facts.accounts.items() if account.names is not None}
    placed = [(payment, _place(payment, by_link, by_account, names, day)) for payment in payments]
    for standing in standings:
        judge(standing, options)
    return standings, placed


def _by_account(standings: list[Standing]) -> dict[tuple[str, str, str], list[Standing]]:
    found: dict[tuple[str, str, str], list[Standing]] = {}
    for standing in standings:
        plan = standing.plan
        for account in plan.account_ids:
            found.setdefault((plan.provider, plan.tenant, account), []).append(standing)
    return found


def _age(plan: Plan) -> tuple[date, datetime, int, str]:
    moment = plan.created_at or datetime.max.replace(tzinfo=UTC)
    return plan.created, moment, *_number(plan)


def _number(plan: Plan) -> tuple[int, str]:
    return int(plan.plan_id) if plan.plan_id.isdigit() else 0, plan.plan_id


def still_active(standing: Standing) -> bool:
    """Tell whether the provider still called the plan active at the close of the day."""
    plan = standing.plan
    return standing.end is None and (bool(plan.active) or _ends_later(standing))


def _ends_later(standing: Standing) -> bool:
    plan = standing.plan
    return any(end is not None and end > standing.on for end in (plan.ended, plan.deactivated, plan.deleted))


def _replacement(standing: Standing, by_account: dict[tuple[str, str, str], list[Standing]]) -> None:
    """Note the first newer plan on one of the plan's accounts, and newer ones active beside it."""
    plan = standing.plan
    if plan.basis != "PAYMENTS":
        return
    sharing = {
        id(other): other
        for account in plan.account_ids
        for other in by_account[plan.provider, plan.tenant, account]
        if _age(other.plan) > _age(plan)
    }
    newer = sorted(sharing.values(), key=lambda other: _age(other.plan))
    if still_active(standing):
        active = {account for other in newer if still_active(other) for account in other.plan.account_ids}
        standing.rivals = [account for account in plan.account_ids if account in active]
        return
    # What had ended before the newer plan was made was not replaced by it.
    newer = [other for other in newer if standing.end is None or standing.end >= other.plan.created]
    if newer:
        standing.replaced_on, standing.replaced_by = newer[0].plan.created, newer[0].plan.plan_id
        standing.replaced_at = newer[0].plan.created_at


def _status(standing: Standing, options: Options) -> str:
    """Read the status off the plan's time stamps; stamps after the day do not exist yet."""
    plan, day = standing.plan, standing.on
    words = [
        (happened(plan.deleted, day), "DELETED"),
        (happened(plan.rejected, day), "REJECTED"),
        (standing.replaced_on is not None, "SUPERSEDED"),
        (standing.end is not None, "DEACTIVATED"),
        (happened(plan.removed, day), "DELETED"),
        (not plan.agreed(day), "PROPOSED"),
        (still_active(standing), "ACTIVE"),
        (_all_paid(standing, options, by_now=False), "FINISHED"),
        (_all_paid(standing, options, by_now=True), "ACTIVE"),
    ]
    return next((word for holds, word in words if holds), "UNKNOWN")


def _all_paid(standing: Standing, options: Options, *, by_now: bool) -> bool:
    """Tell whether the provider's balances were all within tolerance, at the close of the day or by now."""
    terms = [term for term in standing.plan.terms if not standing.took_back(term)]
    for term in terms:
        later = not by_now and term.paid_on is not None and term.paid_on > standing.on
        owed = term.amount if later else (term.owed or 0)
        if owed > tolerance(term.amount, standing.plan.currency, options):
            return False
    return bool(terms)


def _by_link(standings: list[Standing]) -> dict[tuple[str, str, str], Standing]:
    """Find the plan of the term that names a payment; of two plans, the one listed first."""
    return {
        (standing.plan.provider, standing.plan.tenant, term.linked): standing
        for standing in reversed(standings)
        for term in standing.plan.terms
        if term.linked is not None
    }


def _place(
    payment: Payment,
    by_link: dict[tuple[str, str, str], Standing],
    by_account: dict[tuple[str, str, str], list[Standing]],
    names: dict[tuple[str, str, str], str],
    day: date,
) -> str | None:
    """Hand a payment to its plan and return the plan's id; None if it belongs to none."""
    chosen = by_link.get((payment.provider, payment.tenant, payment.payment_id))
    if chosen is None and payment.is_transaction:
        chosen = _holding(payment, by_account, names, day)
    if chosen is None:
        return None
    if payment.currency != chosen.plan.currency:
        return chosen.plan.plan_id
    if payment.is_money and payment.word in MONEY:
        chosen.money.append(payment)
    elif payment.is_money and payment.word == "pending" and payment.created <= day:
        chosen.pending.append(payment)
    return chosen.plan.plan_id


def _holding(
    payment: Payment,
    by_account: dict[tuple[str, str, str], list[Standing]],
    names: dict[tuple[str, str, str], str],
    day: date,
) -> Standing | None:
    """Return the plan that was in force on the payment's day, on one of its accounts.

    Money that has not settled will pay what is in force now. Of several plans the newest has it; where
    balances come from the provider, the one that an account names, else the one with the smallest id.
    """
    accounts = payment.accounts or [str(payment.account_id)]
    candidates = {
        id(standing): standing
        for account in accounts
        for standing in by_account.get((payment.provider, payment.tenant, account), [])
    }
    is_pending = payment.word == "pending"
    on, moment = (day, None) if is_pending else (payment.effective, payment.effective_at)
    agreed = [item for item in candidates.values() if item.plan.agreed(day) and item.status != "REJECTED"]
    in_time = [item for item in agreed if _holds(item, on, moment)]
    if any(item.plan.basis == "PROVIDER_BALANCE" for item in in_time):
        named = {names.get((payment.provider, payment.tenant, account)) for account in accounts}
        return min(in_time, key=lambda item: (item.plan.plan_id not in named, _number(item.plan)))
    return max(in_time, key=lambda item: _age(item.plan), default=None)


def _holds(standing: Standing, on: date, moment: datetime | None) -> bool:
    """Tell whether the plan had been made, and was neither over nor replaced."""
    plan = standing.plan
    if comes_before(on, moment, plan.created, plan.created_at):
        return False
    ended_at = plan.ended_at if standing.end == plan.ended else None
    if standing.end is not None and comes_before(standing.end, ended_at, on, moment):
        return False
    return standing.replaced_on is None or comes_before(on, moment, standing.replaced_on, standing.replaced_at)
