"""What one plan looks like at the close of one day: balances, states and counts, term by term.

Each figure follows the rule as a clerk would say it and is worked out by replaying
the plan's money event by event. Slow on purpose. Which money belongs to the
plan is decided in `locate`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from oracles.model import PLACES, Options, Payment, Plan, Term, business_days, happened

from sandbox.worlds.generate_habits import month_after

ALL_VOID = {"PROPOSED", "REJECTED"}
IN_FORCE = {"ACTIVE", "UNKNOWN"}
AR_BUCKETS = ((0, 0), (1, 30), (31, 60), (61, 90), (91, 120), (121, 150), (151, 180), (181, 365), (366, None))
IFRS_BUCKETS = ((0, 30), (31, 90), (91, None))


@dataclass(slots=True)
class TermView:
    """One term at the close of the day; amounts in minor units.

    `payable` is what money can fill, nothing where the provider took the term back; `limit` is
    the shortfall that still satisfies, of what the term asked for before anything was waived.
    """

    term: Term
    number: int
    payable: int = 0
    limit: int = 0
    waived: int = 0
    received: int = 0
    outstanding: int = 0
    pending: int = 0
    fresh: int = 0
    state: str = ""
    satisfied: bool = False
    satisfied_on: date | None = None
    days_late: int | None = None
    flags: list[str] = field(default_factory=list)
    over: str = ""


@dataclass(slots=True)
class Standing:
    """One plan at the close of the day, with the money that belongs to it."""

    plan: Plan
    on: date
    status: str = ""
    end: date | None = None
    replaced_on: date | None = None
    replaced_at: datetime | None = None
    replaced_by: str | None = None
    rivals: list[str] = field(default_factory=list)
    money: list[Payment] = field(default_factory=list)
    pending: list[Payment] = field(default_factory=list)
    terms: list[TermView] = field(default_factory=list)
    allocated: dict[tuple[str, str | None], int] = field(default_factory=dict)
    settled: int = 0

    @property
    def in_force(self) -> bool:
        """Tell whether the plan carries money on the day."""
        return self.status in IN_FORCE

    @property
    def closed_on(self) -> date | None:
        """Return the day after which no term of the plan falls due any more: it was replaced, or ended."""
        return self.replaced_on if self.status == "SUPERSEDED" else self.end

    def took_back(self, term: Term) -> bool:
        """Tell whether the provider removed the term from the plan, not with the plan or after its close."""
        if term.removed is None or term.removed > self.on:
            return False
        if self.closed_on is not None:
            return term.removed < self.closed_on
        return not happened(self.plan.removed, self.on)


def ordered(terms: list[Term]) -> list[Term]:
    """Return terms by due date, then sequence, then id, ids as numbers if all are numbers."""
    numeric = all(term.term_id.isdigit() for term in terms)
    return sorted(
        terms,
        key=lambda term: (
            term.due,
            term.sequence or 0,
            int(term.term_id) if numeric else 0,
            term.term_id,
        ),
    )


def tolerance(payable: int, currency: str, options: Options) -> int:
    """Return the shortfall at which a term still counts as satisfied, in minor units."""
    mode, _, rest = options.tolerance.partition(":")
    if mode == "EXACT":
        return 0
    if mode == "CENT":
        return 1
    if mode == "FFIEC90":
        return payable * 10 // 100
    first, _, second = rest.partition(",")
    if mode == "PCT":
        return _percent(payable, first)
    absolute = _scaled(first, PLACES[currency])
    if mode == "ABS":
        return absolute
    relative = _percent(payable, second)
    return max(absolute, relative) if mode == "MAX" else min(absolute, relative)


def _scaled(text: str, places: int) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:places].ljust(places, "0"))


def _percent(payable: int, text: str) -> int:
    return payable * _scaled(text, 4) // 1_000_000


def judge(standing: Standing, options: Options) -> None:
    """Fill the terms of `standing` for its day."""
    plan, today = standing.plan, standing.on
    standing.terms = [TermView(term, number) for number, term in enumerate(ordered(plan.terms), start=1)]
    for view in standing.terms:
        view.over = _void_or_superseded(standing, view.term)
        view.payable = 0 if standing.took_back(view.term) else view.term.amount
        view.limit = tolerance(view.payable, plan.currency, options)
    if plan.basis == "PROVIDER_BALANCE":
        _balances_of_provider(standing)
    else:
        _replay(standing, options)
    _spread_pending(standing, options)
    for view in standing.terms:
        view.state = _state(view, standing, options)
        if view.over:
            view.satisfied_on, view.days_late = None, None
        elif not view.satisfied:
            view.days_late = max(0, (today - view.term.due).days)
        elif view.satisfied_on is not None:
            view.days_late = max(0, (view.satisfied_on - view.term.due).days)


def _void_or_superseded(standing: Standing, term: Term) -> str:
    never_agreed = standing.status == "DELETED" and not standing.plan.agreed(standing.on)
    if standing.status in ALL_VOID or never_agreed or standing.took_back(term):
        return "VOID"
    if standing.closed_on is not None and term.due > standing.closed_on:
        return "SUPERSEDED" if standing.status == "SUPERSEDED" else "VOID"
    return ""


def _balances_of_provider(standing: Standing) -> None:
    """Take what is owed from the provider; a term paid after the day was still open on it."""
    plan, today = standing.plan, standing.on
    for view in standing.terms:
        term = view.term
        owed = term.amount if term.owed is None else min(max(term.owed, 0), term.amount)
        paid_later = term.paid_on is not None and term.paid_on > today
        view.outstanding = term.amount if paid_later else owed
        view.received = term.amount - view.outstanding
        _close(view)
        view.satisfied = view.outstanding <= view.limit
        # Nobody pays a term of zero: it counts as paid since the plan was made.
        paid_on = None if paid_later else term.paid_on
        view.satisfied_on = (paid_on if term.amount else plan.created) if view.satisfied else None
        is_later = plan.updated is not None and today < plan.updated
        if is_later and not paid_later and 0 < owed < term.amount:
            view.flags.append("AS_OF_APPROXIMATE")


def _close(view: TermView) -> None:
    if view.over:
        view.waived, view.outstanding = view.outstanding, 0


def _replay(standing: Standing, options: Options) -> None:
    """Replay the money day by day; a spell of being satisfied starts on the first day that holds to the end."""
    plan, today = standing.plan, standing.on
    days = {plan.created} | {payment.effective for payment in standing.money}
    days |= {payment.reversed_on for payment in standing.money if payment.reversed_on is not None}
    since: dict[int, date | None] = {view.number: None for view in standing.terms}
    for day in sorted(day for day in days if day <= today):
        given = allocate(standing, day, options)
        for view in standing.terms:
            if view.payable - given[view.number] > view.limit:
                since[view.number] = None
            elif since[view.number] is None:
                # What asks for no money at all is satisfied from the plan's creation.
                since[view.number] = plan.created if view.payable <= view.limit else day
    given = allocate(standing, today, options)
    standing.settled = sum(_held(payment, today, whole=True) for payment in standing.money)
    for view in standing.terms:
        view.received = given[view.number]
        view.outstanding = view.term.amount - view.received
        _close(view)
        view.satisfied = view.outstanding <= view.limit
        view.satisfied_on = since[view.number] if view.satisfied else None


def _held(payment: Payment, day: date, *, whole: bool = False) -> int:
    """Return what is left of a payment at the close of a day; what went to fees only if `whole`."""
    if payment.effective > day:
        return 0
    amount = payment.amount if whole else payment.amount - payment.fees
    if payment.reversed_on is not None and payment.reversed_on <= day:
        back = payment.reversed_amount or 0
        return amount - (back if whole else min(back, amount))
    return amount


def allocate(standing: Standing, day: date, options: Options) -> dict[int, int]:
    """Give each term its money: first from the payment it names, then oldest due first."""
    order = sorted(standing.money, key=lambda item: (item.effective, item.payment_id, item.account_id or ""))
    left = [_held(payment, day) for payment in order]
    given = {view.number: 0 for view in standing.terms}
    for view in standing.terms:
        for index, payment in enumerate(order):
            if view.term.linked == payment.payment_id:
                part = min(view.payable - given[view.number], left[index])
                given[view.number] += part
                left[index] -= part
    for index in range(len(order)):
        for view in standing.terms:
            needs = view.payable - given[view.number]
            if options.residual == "SKIP" and needs <= view.limit:
                continue
            part = min(needs, left[index])
            given[view.number] += part
            left[index] -= part
    standing.allocated = {
        (payment.payment_id, payment.account_id): _held(payment, day) - rest
        for payment, rest in zip(order, left, strict=True)
    }
    return given


def is_stale(payment: Payment, day: date, options: Options) -> bool:
    """Tell whether a pending payment has waited longer than the limit, in business days since it was due to be made."""
    since = max(payment.created, payment.planned or payment.created)
    return business_days(since, day, payment.provider, options) > options.stale_pending_days


def _spread_pending(standing: Standing, options: Options) -> None:
    """Lay pending money on what is still open, on the term that names it first; the fresh part once more alone."""
    fresh = [payment for payment in standing.pending if not is_stale(payment, standing.on, options)]
    takers = [view for view in standing.terms if not (options.residual == "SKIP" and view.satisfied)]
    for view, amount in zip(takers, _laid(takers, standing.pending), strict=True):
        view.pending = amount
    for view, amount in zip(takers, _laid(takers, fresh), strict=True):
        view.fresh = amount


def _laid(takers: list[TermView], payments: list[Payment]) -> list[int]:
    left = {payment.payment_id: 0 for payment in payments}
    for payment in payments:
        left[payment.payment_id] += payment.amount - payment.fees
    given = []
    for view in takers:
        named = min(view.outstanding, left.get(view.term.linked or "", 0))
        if named:
            left[str(view.term.linked)] -= named
        given.append(named)
    rest = sum(left.values())
    for place, view in enumerate(takers):
        more = min(view.outstanding - given[place], rest)
        given[place] += more
        rest -= more
    return given


def _state(view: TermView, standing: Standing, options: Options) -> str:
    if view.over:
        return view.over
    if view.waived == view.term.amount > 0:
        return "WAIVED"
    return (_satisfied_state if view.satisfied else _open_state)(view, standing, options)


def _satisfied_state(view: TermView, standing: Standing, options: Options) -> str:
    due = view.term.due
    since = view.satisfied_on or min(view.term.updated or standing.plan.updated or standing.on, standing.on)
    if since < due:
        return "PAID_EARLY"
    return "PAID_ON_TIME" if since <= due + timedelta(days=options.grace_days) else "PAID_LATE"


def _open_state(view: TermView, standing: Standing, options: Options) -> str:
    due, today = view.term.due, standing.on
    if due > today:
        return "PREPAID_PART" if view.received > 0 else "NOT_DUE"
    if due == today:
        return "DUE_TODAY"
    if today <= due + timedelta(days=options.grace_days):
        return "IN_GRACE"
    return "PARTIAL_OVERDUE" if view.received > 0 else "MISSED"


def oldest_unpaid(standing: Standing, *, with_pending: bool = False) -> TermView | None:
    """Return the first unsatisfied term due before the day; pending money may be taken as settled."""
    for view in standing.terms:
        left = view.outstanding - (view.fresh if with_pending else 0)
        if view.term.due < standing.on and left > view.limit:
            return view
    return None


def days_past_due(standing: Standing, options: Options, *, with_pending: bool = False) -> int:
    """Return days past due by the configured day basis and grace mode."""
    oldest = oldest_unpaid(standing, with_pending=with_pending)
    if oldest is None:
        return 0
    return counted(standing.plan, oldest.term.due, standing.on, options)


def counted(plan: Plan, due: date, day: date, options: Options) -> int:
    """Return the days past due on `day` of what fell due on `due`, by the configured day basis and grace mode."""
    last, paused = day, plan.paused
    if options.pauses == "STOP" and paused is not None:
        last = max(due, min(last, paused - timedelta(days=1)))
    in_business = options.day_basis == "BUSINESS"
    days = business_days(due, last, plan.provider, options) if in_business else (last - due).days
    if options.grace_mode == "SHIFT":
        return max(0, days - options.grace_days)
    return 0 if options.grace_mode == "GATE" and days <= options.grace_days else days


def months_past_due(standing: Standing) -> tuple[int | None, int | None]:
    """Return the mortgage bankers' and the thrift count of full months; None unless the plan is monthly."""
    anchor = _anchor(standing)
    if anchor is None:
        return None, None
    oldest = oldest_unpaid(standing)
    if oldest is None:
        return 0, 0
    start = oldest.term.nominal or oldest.term.due
    return _full_months(start, standing.on + timedelta(days=1), anchor), _full_months(start, standing.on, anchor)


def _full_months(start: date, until: date, anchor: int) -> int:
    months = 0
    while month_after(start, months + 1, anchor) <= until:
        months += 1
    return months


def _anchor(standing: Standing) -> int | None:
    plan = standing.plan
    if plan.monthly is not None:
        return plan.anchor if plan.monthly else None
    # A term that the provider took back is none of the plan's months any more.
    dues = [view.term.due for view in standing.terms if not standing.took_back(view.term)]
    if len(dues) < 2:
        return None
    anchor = max(due.day for due in dues)
    apart = all(month_after(dues[0], step, anchor) == due for step, due in enumerate(dues))
    return anchor if apart else None


def bucket(days: int, options: Options) -> str:
    """Return the label of the delinquency bucket that holds `days`."""
    shipped = {"AR": AR_BUCKETS, "IFRS": IFRS_BUCKETS}
    for low, high in shipped.get(options.bucket_set, options.own_buckets):
        if high is None:
            return f"{low}+"
        if low <= days <= high:
            return str(low) if low == high else f"{low}-{high}"
    raise ValueError(f"{days} lies in no bucket")
