"""The disagreements to be found in a world on one day.

Covers the codes that need no regeneration: balances, totals, contradictory
states, doubles, orphans, stale and excess pending money, currencies, policy.
"""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import Any

from oracles.judge import Standing, TermView, is_stale
from oracles.locate import MONEY, word_on
from oracles.model import Account, Facts, Options, Payment, business_days, comes_before, to_text

NEAR_DAYS = 3
FINISHED_DAYS = 5
JUDGED = {"ACTIVE", "FINISHED", "UNKNOWN"}
Break = dict[str, Any]


def find_breaks(
    facts: Facts,
    standings: list[Standing],
    placed: list[tuple[Payment, str | None]],
    day: date,
    options: Options,
) -> list[Break]:
    """Return every expected break of the day, sorted by plan, code and what it names."""
    found: list[Break] = []
    active = {
        (each.plan.provider, each.plan.tenant, each.plan.plan_id) for each in standings if each.status == "ACTIVE"
    }
    for standing in standings:
        found += _taken_over(standing, facts, active)
        found += _balance_drift(standing, facts, options)
        found += _invoice_open(standing, facts, options)
        found += _without_invoice(standing, facts)
        found += _total_diff(standing)
        found += _contradictions(standing, options, facts)
        found += _duplicate_terms(standing)
        found += _over_covered(standing)
        found += _currency(standing, facts)
        found += _policy(standing, facts)
    found += _equal_plans(standings, facts)
    found += _in_two_tenants(standings)
    found += _payment_breaks(placed, standings, day, options)
    found += _dates(facts, placed, day)
    found += _foreign(placed, standings)
    owed = _owed_again(standings, placed, day)
    found += [_returned(payment, plan_id) for payment, plan_id in owed]
    found = [row for row in found if not _is_waiting(row, owed, standings)]
    found += _orphans(facts, placed)
    return sorted(found, key=lambda row: [str(row[name]) for name in row])


def _row(standing: Standing, code: str, reason: str = "", **more: Any) -> Break:
    plan = standing.plan
    return _break(plan.provider, plan.tenant, code, reason, plan_id=plan.plan_id, account_id=plan.account_id, **more)


def _break(provider: str, tenant: str, code: str, reason: str = "", **more: Any) -> Break:
    empty = dict.fromkeys(("plan_id", "term_id", "payment_id", "account_id"))
    row = {"provider": provider, "tenant_id": tenant, "code": code, "reason": reason, **empty, "kind": "real"}
    return row | dict.fromkeys(("expected", "actual", "difference")) | more


def _money(standing: Standing, expected: int, actual: int) -> Break:
    code = standing.plan.currency
    return {
        "expected": to_text(expected, code),
        "actual": to_text(actual, code),
        "difference": to_text(actual - expected, code),
    }


def _balance_drift(standing: Standing, facts: Facts, options: Options) -> Iterator[Break]:
    """Compare the provider's balances with what was paid on the plan's invoices since it was made.

    What was paid on the very day it was made may have come before it: either way of counting will do.
    """
    plan, day = standing.plan, standing.on
    is_too_early = plan.updated is not None and day < plan.updated
    if plan.basis != "PROVIDER_BALANCE" or not plan.account_ids or standing.status not in JUDGED or is_too_early:
        return
    payable = sum(view.term.amount - view.waived for view in standing.terms)
    actual = sum(view.term.owed or 0 for view in standing.terms)
    paid = [item for item in _booked(standing, facts) if item.word in {"received", "reversed"} and item.is_principal]
    readings = [paid, [item for item in paid if item.effective != plan.created]]
    if any(actual == _left(payable, sum(map(_moved, some))) for some in readings):
        return
    is_timing = any(
        actual == _left(payable, sum(map(_moved, some)) - late)
        for some in readings
        for late in _late(some, standing, options)
    )
    expected = _left(payable, sum(map(_moved, paid)))
    yield _row(standing, "BALANCE_DRIFT", kind="timing" if is_timing else "real", **_money(standing, expected, actual))


def _booked(standing: Standing, facts: Facts) -> list[Payment]:
    """List what was booked on the plan's invoices from the day it was made to the day."""
    plan = standing.plan
    return [
        payment
        for payment in facts.payments
        if not payment.is_transaction
        and (payment.provider, payment.tenant) == (plan.provider, plan.tenant)
        and payment.account_id in plan.account_ids
        and plan.created <= payment.effective <= standing.on
    ]


def _moved(payment: Payment) -> int:
    """Return what the invoice was relieved of; a return loads it again, however it is signed."""
    return -abs(payment.amount) if payment.word == "reversed" else payment.amount


def _left(payable: int, received: int) -> int:
    return payable - max(0, min(payable, received))


def _late(paid: list[Payment], standing: Standing, options: Options) -> set[int]:
    """Return every sum of payments that may still be on their way into the other book."""
    recent = [
        _moved(payment)
        for payment in paid
        if business_days(payment.effective, standing.on, standing.plan.provider, options) <= options.settlement_days
    ]
    return {sum(some) for size in range(1, len(recent) + 1) for some in combinations(recent, size)}


def naming(standing: Standing, facts: Facts) -> list[Account] | None:
    """List the accounts that name the plan, cases with their invoices once; None if that day's names are not known."""
    plan, day = standing.plan, standing.on
    if plan.basis != "PROVIDER_BALANCE":
        return None
    mine = [item for item in facts.accounts.values() if (item.provider, item.tenant) == (plan.provider, plan.tenant)]
    changed = [plan.updated, *(item.updated for item in mine if item.account_id in plan.account_ids)]
    if any(each is not None and each > day for each in changed):
        return None
    named = [item for item in mine if item.names == plan.plan_id]
    cases = {item.account_id for item in named}
    return [item for item in named if f"case:{item.case}" not in cases]


def still_owed(standing: Standing, facts: Facts) -> int | None:
    """Return what the accounts that name the plan still owe; None if any of it is unknown or in another currency."""
    named = naming(standing, facts)
    if not named or any(item.owed is None or item.currency != standing.plan.currency for item in named):
        return None
    return sum(item.owed or 0 for item in named)


def _invoice_open(standing: Standing, facts: Facts, options: Options) -> Iterator[Break]:
    """Compare what the plan asks for with what its invoices and cases still owe."""
    owed, asked = still_owed(standing, facts), sum(view.outstanding for view in standing.terms)
    if standing.status not in JUDGED or owed is None or owed == asked:
        return
    paid = [item for item in _booked(standing, facts) if item.word in {"received", "reversed"} and item.is_principal]
    kind = "timing" if asked - owed in _late(paid, standing, options) else "real"
    yield _row(standing, "INVOICE_OPEN_DIFF", kind=kind, **_money(standing, owed, asked))


def _without_invoice(standing: Standing, facts: Facts) -> Iterator[Break]:
    if standing.status == "ACTIVE" and naming(standing, facts) == []:
        yield _row(standing, "STATUS_CONTRADICTION", "PLAN_WITHOUT_INVOICE")


def _taken_over(standing: Standing, facts: Facts, active: set[tuple[str, str, str]]) -> Iterator[Break]:
    """Report an active plan whose invoice now names another active plan, itself or through its case."""
    plan = standing.plan
    if plan.basis != "PROVIDER_BALANCE" or standing.status != "ACTIVE":
        return
    for name in plan.account_ids:
        account = facts.accounts[plan.provider, plan.tenant, name]
        case = facts.accounts.get((plan.provider, plan.tenant, f"case:{account.case}"))
        named = [case.names if case else None, account.names]
        holders = [each for each in named if each and (plan.provider, plan.tenant, each) in active]
        if holders and holders[0] != plan.plan_id and not (account.updated and account.updated > standing.on):
            yield _row(standing, "POLICY_VIOLATION", "TWO_ACTIVE_PLANS") | {"account_id": name}


def _equal_plans(standings: list[Standing], facts: Facts) -> Iterator[Break]:
    """Report active plans of one debtor with the same terms that no invoice names; of plans none names, the newest stays."""
    alike: dict[tuple[Any, ...], list[Standing]] = {}
    for standing in standings:
        plan = standing.plan
        if standing.status == "ACTIVE" and plan.basis == "PROVIDER_BALANCE" and plan.customer_id is not None:
            terms = tuple(sorted((term.due, term.amount) for term in plan.terms))
            key = (plan.provider, plan.tenant, plan.customer_id, plan.currency, terms)
            alike.setdefault(key, []).append(standing)
    named = {(item.provider, item.tenant, item.names) for item in facts.accounts.values()}
    for same in alike.values():
        ranked = sorted(same, key=lambda each: (each.plan.created, each.plan.plan_id))
        backed = [each for each in ranked if (each.plan.provider, each.plan.tenant, each.plan.plan_id) in named]
        kept = backed or ranked[-1:]
        for standing in ranked:
            if standing not in kept:
                yield _row(standing, "POLICY_VIOLATION", "EQUAL_PLANS", expected="1 plan", actual="2 equal plans")


def _in_two_tenants(standings: list[Standing]) -> Iterator[Break]:
    """Report every live copy of a plan but the one that was changed last."""
    copies: dict[tuple[str, str], list[Standing]] = {}
    for standing in standings:
        if standing.in_force:
            copies.setdefault((standing.plan.provider, standing.plan.plan_id), []).append(standing)
    for same in copies.values():
        ranked = sorted(same, key=lambda each: (each.plan.updated or date.min, each.plan.created, each.plan.tenant))
        for standing in ranked[:-1]:
            actual = f"live in {len(same)}"
            yield _row(
                standing, "STATUS_CONTRADICTION", "PLAN_IN_TWO_TENANTS", expected="live in one tenant", actual=actual
            )


def _total_diff(standing: Standing) -> Iterator[Break]:
    stated = standing.plan.stated_total
    if stated is None or standing.status not in JUDGED:
        return
    total = sum(view.term.amount - view.waived for view in standing.terms)
    if total != stated:
        yield _row(standing, "TOTAL_DIFF", **_money(standing, stated, total))


def _contradictions(standing: Standing, options: Options, facts: Facts) -> Iterator[Break]:
    plan, day = standing.plan, standing.on
    deactivated = plan.deactivated is not None and plan.deactivated <= day
    rejected = plan.rejected is not None and plan.rejected <= day
    if plan.active and deactivated:
        yield _row(standing, "STATUS_CONTRADICTION", "ACTIVE_AND_DEACTIVATED")
    if plan.active and rejected:
        yield _row(standing, "STATUS_CONTRADICTION", "ACTIVE_AND_REJECTED")
    if rejected and plan.approved is not None and plan.approved <= day:
        yield _row(standing, "STATUS_CONTRADICTION", "APPROVED_AND_REJECTED")
    if standing.status == "UNKNOWN" and plan.approved is not None:
        yield _row(standing, "STATUS_CONTRADICTION", "APPROVED_NOT_ACTIVE")
    for view in standing.terms:
        yield from _paid_contradictions(standing, view)
        if not view.over and view.term.paid_on is not None and view.term.paid_on > facts.told:
            yield _row(standing, "STATUS_CONTRADICTION", "FUTURE_DATED", term_id=view.term.term_id)
    if _long_finished(standing, options):
        yield _row(standing, "STATUS_CONTRADICTION", "ACTIVE_ALL_SATISFIED")


def _paid_contradictions(standing: Standing, view: TermView) -> Iterator[Break]:
    term = view.term
    if term.owed is None or view.over:
        return
    if term.owed <= 0 and term.amount > 0 and term.paid_on is None:
        yield _row(standing, "STATUS_CONTRADICTION", "PAID_WITHOUT_DATE", term_id=term.term_id)
    if term.owed > 0 and term.paid_on is not None and term.paid_on <= standing.on:
        yield _row(standing, "STATUS_CONTRADICTION", "DATE_WITH_MONEY_DUE", term_id=term.term_id)
    if term.owed < 0:
        yield _row(standing, "STATUS_CONTRADICTION", "DUE_BELOW_ZERO", term_id=term.term_id)
    if term.owed > term.amount:
        yield _row(standing, "STATUS_CONTRADICTION", "DUE_ABOVE_AMOUNT", term_id=term.term_id)


def _long_finished(standing: Standing, options: Options) -> bool:
    """Tell whether nothing was left to pay for more than five business days while the plan is active."""
    if standing.status != "ACTIVE" or not standing.terms or not all(view.satisfied for view in standing.terms):
        return False
    days = [view.satisfied_on or standing.plan.updated for view in standing.terms if not view.over]
    last = max((day for day in days if day is not None), default=None)
    return last is not None and business_days(last, standing.on, standing.plan.provider, options) > FINISHED_DAYS


def _duplicate_terms(standing: Standing) -> Iterator[Break]:
    """Report a second term of the same plan with the same due date and amount."""
    seen: set[tuple[date, int]] = set()
    for view in standing.terms:
        if view.over or view.term.amount == 0:
            continue
        key = (view.term.due, view.term.amount)
        if key in seen:
            yield _row(standing, "DUPLICATE_TERM", term_id=view.term.term_id)
        seen.add(key)


def _over_covered(standing: Standing) -> Iterator[Break]:
    pending = sum(payment.amount for payment in standing.pending)
    if standing.status not in JUDGED:
        return
    payable = sum(view.term.amount - view.waived for view in standing.terms)
    settled = sum(view.received for view in standing.terms)
    if standing.plan.basis == "PAYMENTS":
        settled = standing.settled
    if settled + pending > payable:
        yield _row(standing, "OVER_COVERED", **_money(standing, payable, settled + pending))


def _currency(standing: Standing, facts: Facts) -> Iterator[Break]:
    plan = standing.plan
    if standing.status not in JUDGED:
        return
    for name in plan.account_ids:
        account = facts.accounts.get((plan.provider, plan.tenant, name))
        if account is not None and account.currency != plan.currency:
            row = _row(standing, "CURRENCY_DIFF", "ACCOUNT", expected=plan.currency, actual=account.currency)
            yield row | {"account_id": name}


def _policy(standing: Standing, facts: Facts) -> Iterator[Break]:
    plan = standing.plan
    if standing.status == "ACTIVE":
        for name in plan.account_ids:
            account = facts.accounts.get((plan.provider, plan.tenant, name))
            if account is not None and account.stopped:
                yield _row(standing, "POLICY_VIOLATION", "STOPPED_ACCOUNT") | {"account_id": name}
    for name in standing.rivals:
        yield _row(standing, "POLICY_VIOLATION", "TWO_ACTIVE_PLANS") | {"account_id": name}


def _payment_breaks(
    placed: list[tuple[Payment, str | None]], standings: list[Standing], day: date, options: Options
) -> Iterator[Break]:
    alike: dict[tuple[str, str, str, str, int], list[tuple[Payment, str | None]]] = {}
    for payment, plan_id in placed:
        word = word_on(payment, day)
        here: Break = {"plan_id": plan_id, "payment_id": payment.payment_id, "account_id": payment.account_id}
        if payment.is_money and word == "pending" and is_stale(payment, day, options):
            yield _break(payment.provider, payment.tenant, "STALE_PENDING", **here)
        if payment.reversal_unknown:
            yield _break(payment.provider, payment.tenant, "STATUS_CONTRADICTION", "REVERSAL_AMOUNT_UNKNOWN", **here)
        # A settled transaction of a payment service stands among the booked payments once more.
        is_echo = payment.payment_id.startswith("psp:") and word != "pending"
        if payment.is_money and word in {"received", "pending"} and not is_echo:
            kind = f"{payment.is_transaction} {payment.account_id}"
            key = (payment.provider, payment.tenant, kind, payment.currency, payment.amount)
            alike.setdefault(key, []).append((payment, plan_id))
    by_account: dict[tuple[str, str, str], list[Standing]] = {}
    for standing in standings:
        for name in standing.plan.account_ids:
            by_account.setdefault((standing.plan.provider, standing.plan.tenant, name), []).append(standing)
    for same in alike.values():
        yield from _near(same, by_account)


def _dates(facts: Facts, placed: list[tuple[Payment, str | None]], day: date) -> Iterator[Break]:
    """Report received money dated after it was read, and money that went back before it came."""
    for payment, plan_id in placed:
        is_transaction = payment.payment_id.startswith("psp:")
        here: Break = {"plan_id": plan_id, "payment_id": payment.payment_id, "account_id": payment.account_id}
        is_money = payment.is_money or is_transaction
        if is_money and payment.word in MONEY and payment.effective > facts.told:
            yield _break(payment.provider, payment.tenant, "STATUS_CONTRADICTION", "FUTURE_DATED", **here)
        back = payment.reversed_on
        if back is not None and back <= day and back < payment.effective:
            yield _break(payment.provider, payment.tenant, "STATUS_CONTRADICTION", "RETURNED_BEFORE_PAID", **here)


def _foreign(placed: list[tuple[Payment, str | None]], standings: list[Standing]) -> Iterator[Break]:
    """Report payments in another currency than their plan."""
    plans = {(item.plan.provider, item.plan.tenant, item.plan.plan_id): item.plan for item in standings}
    for payment, plan_id in placed:
        plan = plans.get((payment.provider, payment.tenant, str(plan_id)))
        if plan is not None and plan.currency != payment.currency:
            here: Break = {"plan_id": plan_id, "payment_id": payment.payment_id, "account_id": payment.account_id}
            here |= {"expected": plan.currency, "actual": payment.currency}
            yield _break(payment.provider, payment.tenant, "CURRENCY_DIFF", "PAYMENT", **here)


def _owed_again(
    standings: list[Standing], placed: list[tuple[Payment, str | None]], day: date
) -> list[tuple[Payment, str]]:
    """Return what went back after its plan had ended and later money of the account in no plan does not cover."""
    plans = {(item.plan.provider, item.plan.tenant, item.plan.plan_id): item for item in standings}
    back = []
    for payment, plan_id in placed:
        standing = plans.get((payment.provider, payment.tenant, str(plan_id)))
        if standing is not None and _is_after_end(payment, standing, day):
            back.append((payment, str(plan_id)))
    back.sort(key=lambda item: (str(item[0].reversed_on), item[0].payment_id))
    free = {
        id(payment): payment.amount - (payment.reversed_amount or 0)
        if payment.reversed_on and payment.reversed_on <= day
        else payment.amount
        for payment, plan_id in placed
        if plan_id is None and payment.is_money and payment.word in MONEY and payment.effective <= day
    }
    owed = []
    for payment, plan_id in back:
        missing = payment.reversed_amount or 0
        for later, _ in sorted(placed, key=lambda item: item[0].effective):
            is_same = (later.provider, later.tenant, later.account_id, later.currency) == (
                payment.provider,
                payment.tenant,
                payment.account_id,
                payment.currency,
            )
            if is_same and id(later) in free and payment.reversed_on and later.effective >= payment.reversed_on:
                part = min(missing, free[id(later)])
                missing -= part
                free[id(later)] -= part
        if missing > 0:
            owed.append((payment, plan_id))
    return owed


def _is_after_end(payment: Payment, standing: Standing, day: date) -> bool:
    plan, back = standing.plan, payment.reversed_on
    if plan.basis != "PAYMENTS" or not payment.is_money or payment.currency != plan.currency:
        return False
    if back is None or back > day or not payment.reversed_amount:
        return False
    if standing.status == "SUPERSEDED" and standing.replaced_on is not None:
        return comes_before(standing.replaced_on, standing.replaced_at, back, payment.reversed_at)
    ended_at = plan.ended_at if standing.end == plan.ended else None
    return standing.end is not None and comes_before(standing.end, ended_at, back, payment.reversed_at)


def _returned(payment: Payment, plan_id: str) -> Break:
    here: Break = {"plan_id": plan_id, "payment_id": payment.payment_id, "account_id": payment.account_id}
    money: Break = {
        "expected": to_text(0, payment.currency),
        "actual": to_text(payment.reversed_amount, payment.currency),
    }
    money["difference"] = money["actual"]
    return _break(payment.provider, payment.tenant, "RETURNED_AFTER_END", **here, **money)


def _is_waiting(row: Break, owed: list[tuple[Payment, str]], standings: list[Standing]) -> bool:
    """Tell whether a plan is called paid and active while money of an older one on its account is owed again."""
    if row["reason"] != "ACTIVE_ALL_SATISFIED":
        return False
    own = next(item.plan for item in standings if _is_of(item, row))
    accounts = {payment.account_id for payment, plan_id in owed if plan_id != own.plan_id}
    return bool(accounts & set(own.account_ids))


def _is_of(standing: Standing, row: Break) -> bool:
    plan = standing.plan
    return (plan.provider, plan.tenant, plan.plan_id) == (row["provider"], row["tenant_id"], row["plan_id"])


def _comes_on(payment: Payment) -> date:
    """Return the day of the money: of pending money the day it is planned for."""
    return payment.planned if payment.word == "pending" and payment.planned else payment.effective


def _near(
    same: list[tuple[Payment, str | None]], by_account: dict[tuple[str, str, str], list[Standing]]
) -> Iterator[Break]:
    """Report the later of two like payments within three days that two due terms do not explain."""
    ranked = sorted(same, key=lambda item: (_comes_on(item[0]), item[0].payment_id))
    for (first, _), (second, plan_id) in pairwise(ranked):
        if (_comes_on(second) - _comes_on(first)).days > NEAR_DAYS:
            continue
        plans = by_account.get((second.provider, second.tenant, str(second.account_id)), [])
        if any(_explained(standing, first, second) for standing in plans):
            continue
        here: Break = {"plan_id": plan_id, "payment_id": second.payment_id, "account_id": second.account_id}
        yield _break(second.provider, second.tenant, "DUPLICATE_PAYMENT", "NEAR", **here)


def _explained(standing: Standing, first: Payment, second: Payment) -> bool:
    """Tell whether two terms were due by the second payment and still open before the first."""
    due = [
        view
        for view in standing.terms
        if view.term.due <= _comes_on(second) and (view.satisfied_on is None or view.satisfied_on >= _comes_on(first))
    ]
    return len(due) >= 2


def _orphans(facts: Facts, placed: list[tuple[Payment, str | None]]) -> Iterator[Break]:
    there = {(payment.provider, payment.tenant, payment.payment_id) for payment, _ in placed}
    for orphan in facts.orphans:
        if orphan.payment_id is None or (orphan.provider, orphan.tenant, orphan.payment_id) in there:
            yield _break(
                orphan.provider,
                orphan.tenant,
                "ORPHAN_PAYMENT",
                "ACCOUNT" if orphan.term_id is None else "PLAN",
                plan_id=orphan.plan_id,
                term_id=orphan.term_id,
                payment_id=orphan.payment_id,
                account_id=orphan.account_id,
            )
