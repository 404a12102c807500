"""Every figure against a slow reading of the rules, and the equations that hold whatever the input.

The oracle judges one plan at a time, day by day, in plain Python. It shares nothing with
the code under test: whole rows go in, dictionaries come out.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.options import Options, Tolerance
from schemas.words import STATES
from transforms.positions import compute, unowned

START = date(2025, 1, 1)
SETTLED = ("received", "reversed", "partly_reversed")
Row = dict[str, Any]


# --- the oracle ---------------------------------------------------------------------------


@dataclass
class Book:
    """One plan as the oracle sees it on one day."""

    plan: Row
    terms: list[Row]
    status: str = ""
    end: date | None = None
    replaced_by: int | None = None
    replaced_on: date | None = None
    replaced_at: datetime | None = None
    money: list[Row] = field(default_factory=list)
    pending: list[Row] = field(default_factory=list)


def happened(day: date | None, as_of: date) -> bool:
    return day is not None and day <= as_of


def ended_on(plan: Row, as_of: date) -> date | None:
    ends = [plan["deleted_on"]]
    if not plan["is_active"]:
        ends += [plan["deactivated_on"], plan["ended_on"]]
    return min((end for end in ends if happened(end, as_of)), default=None)


def is_over(plan: Row, as_of: date) -> bool:
    if ended_on(plan, as_of) is not None:
        return True
    has_date = any(plan[name] is not None for name in ("deactivated_on", "deleted_on", "ended_on"))
    return plan["is_active"] is False and not has_date


def was_agreed(plan: Row, as_of: date) -> bool:
    if plan["approved_on"] is not None:
        return plan["approved_on"] <= as_of
    return bool(plan["is_active"]) or (plan["proposed_on"] is None and plan["rejected_on"] is None)


def void_word(book: Book, term: Row, as_of: date) -> str | None:
    plan = book.plan
    if book.status in {"PROPOSED", "REJECTED"} or (book.status == "DELETED" and not was_agreed(plan, as_of)):
        return "VOID"
    closes = book.replaced_on if book.status == "SUPERSEDED" else book.end
    if is_removed(book, term, as_of):
        return "VOID"
    if closes is not None and term["due_date"] > closes:
        return "SUPERSEDED" if book.status == "SUPERSEDED" else "VOID"
    return None


def is_removed(book: Book, term: Row, as_of: date) -> bool:
    if not happened(term["removed_on"], as_of):
        return False
    closes = book.replaced_on if book.status == "SUPERSEDED" else book.end
    if closes is not None:
        return bool(term["removed_on"] < closes)
    return not happened(book.plan["removed_on"], as_of)


def tolerance_of(payable: int, options: Options) -> int:
    absolute = int(options.tolerance.absolute * 100)
    share = int(Decimal(payable) * options.tolerance.percent / 100)
    return {
        "EXACT": 0, "CENT": 1, "ABS": absolute, "PCT": share,
        "MAX": max(absolute, share), "MIN": min(absolute, share),
    }[options.tolerance.mode]  # fmt: skip


def worth(payment: Row, day: date, as_of: date) -> int:
    """What a payment is worth at the end of `day`, of what had happened by the as-of date."""
    if payment["effective_date"] > day:
        return 0
    back_on = payment["reversed_on"]
    if payment["class"] == "received" or not happened(back_on, as_of):
        return int(payment["amount_minor"])
    if max(back_on, payment["effective_date"]) > day:
        return int(payment["amount_minor"])
    back = payment["reversed_amount_minor"]
    if back is None:
        back = payment["amount_minor"] if payment["class"] == "reversed" else 0
    return int(payment["amount_minor"] - back)


def in_order(terms: list[Row]) -> list[Row]:
    return sorted(terms, key=lambda term: (term["due_date"], term["term_sequence"] or 0, term["term_id"]))


def share_out(book: Book, day: date, as_of: date, options: Options) -> dict[str, int]:
    """Give each term its money at the end of `day`: named money first, then payment by payment."""
    payable = {term["term_id"]: 0 if is_removed(book, term, as_of) else term["amount_minor"] for term in book.terms}
    got = dict.fromkeys(payable, 0)
    left = {payment["payment_no"]: worth(payment, day, as_of) for payment in book.money}
    for term in book.terms:
        name = term["linked_payment_no"]
        if name in left:
            part = max(0, min(left[name], payable[term["term_id"]]))
            got[term["term_id"]] = part
            left[name] -= part
    for payment in sorted(book.money, key=lambda item: (item["effective_date"], item["payment_no"])):
        rest = left[payment["payment_no"]]
        for term in book.terms:
            name = term["term_id"]
            missing = payable[name] - got[name]
            if options.residual == "SKIP" and missing <= tolerance_of(payable[name], options):
                continue
            part = min(rest, missing)
            got[name] += part
            rest -= part
    return got


def satisfied_since(book: Book, as_of: date, options: Options) -> dict[str, date | None]:
    """First day of the spell of being satisfied that reaches the as-of date, by trying every day."""
    since: dict[str, date | None] = {term["term_id"]: None for term in book.terms}
    first = min([book.plan["created_on"], *(payment["effective_date"] for payment in book.money)])
    day = first
    while day <= as_of:
        got = share_out(book, day, as_of, options)
        for term in book.terms:
            name = term["term_id"]
            payable = 0 if is_removed(book, term, as_of) else term["amount_minor"]
            if payable - got[name] > tolerance_of(payable, options):
                since[name] = None
            elif since[name] is None:
                since[name] = book.plan["created_on"] if payable <= tolerance_of(payable, options) else day
        day += timedelta(days=1)
    return since


def state_of(term: Row, view: Row, as_of: date, grace: int) -> str:
    due, deadline = term["due_date"], term["due_date"] + timedelta(days=grace)
    by, has_money = view["judged_on"] or date.max, view["received"] > 0
    words = [
        (bool(view["void"]), view["void"]),
        (view["waived"] == term["amount_minor"] > 0, "WAIVED"),
        (view["satisfied"] and by < due, "PAID_EARLY"),
        (view["satisfied"] and by <= deadline, "PAID_ON_TIME"),
        (view["satisfied"], "PAID_LATE"),
        (due > as_of and not has_money, "NOT_DUE"),
        (due > as_of, "PREPAID_PART"),
        (due == as_of, "DUE_TODAY"),
        (as_of <= deadline, "IN_GRACE"),
        (not has_money, "MISSED"),
        (True, "PARTIAL_OVERDUE"),
    ]
    return next(str(name) for holds, name in words if holds)


def judge(book: Book, as_of: date, options: Options) -> list[Row]:
    ours = book.plan["basis"] == "PAYMENTS"
    got = share_out(book, as_of, as_of, options) if ours else {}
    since = satisfied_since(book, as_of, options) if ours else {}
    views = []
    for term in book.terms:
        view: Row = {"term_id": term["term_id"], "void": void_word(book, term, as_of)}
        later = False
        if ours:
            view["received"] = got[term["term_id"]]
        else:
            later = term["provider_paid_on"] is not None and term["provider_paid_on"] > as_of
            view["received"] = 0 if later else term["amount_minor"] - term["provider_outstanding_minor"]
        view["waived"] = term["amount_minor"] - view["received"] if view["void"] else 0
        view["outstanding"] = term["amount_minor"] - view["waived"] - view["received"]
        payable = 0 if is_removed(book, term, as_of) else term["amount_minor"]
        view["tolerance"] = tolerance_of(payable, options)
        view["satisfied"] = not view["void"] and view["outstanding"] <= view["tolerance"]
        if not view["satisfied"]:
            view["since"] = view["judged_on"] = None
        elif ours:
            view["since"] = view["judged_on"] = since[term["term_id"]]
        else:
            view["since"] = None if later else term["provider_paid_on"]
            if term["amount_minor"] == 0:
                view["since"] = book.plan["created_on"]
            view["judged_on"] = view["since"] or min(term["updated_on"], as_of)
        view["state"] = state_of(term, view, as_of, options.grace_days)
        if view["void"] or (view["satisfied"] and view["since"] is None):
            view["days_late"] = None
        else:
            view["days_late"] = max(0, ((view["since"] or as_of) - term["due_date"]).days)
        views.append(view)
    pour(views, book, options)
    return views


def pour(views: list[Row], book: Book, options: Options) -> None:
    """Lay pending money over what is open: what a term names goes there, the rest oldest due first."""
    fresh = [payment for payment in book.pending if not payment["stale"]]
    for name, waiting in (("pending", book.pending), ("fresh", fresh)):
        left = {payment["payment_no"]: payment["amount_minor"] for payment in waiting}
        room = [0 if options.residual == "SKIP" and view["satisfied"] else view["outstanding"] for view in views]
        for number, (term, view) in enumerate(zip(book.terms, views, strict=True)):
            view[name] = min(left.get(term["linked_payment_no"], 0), room[number])
            if view[name]:
                left[term["linked_payment_no"]] -= view[name]
                room[number] -= view[name]
        rest = sum(left.values())
        for number, view in enumerate(views):
            part = min(rest, room[number])
            view[name] += part
            rest -= part


def age(plan: Row) -> tuple[Any, ...]:
    """Older plans first; one that is dated to the day alone comes after those of a moment of that day."""
    moment = plan["created_at"] or datetime.max.replace(tzinfo=UTC)
    return plan["created_on"], moment, plan["plan_no"]


def stand(plans: list[Row], terms: list[Row], accounts: set[tuple[int, int]], as_of: date) -> list[Book]:
    books = [
        Book(plan, in_order([term for term in terms if term["plan_no"] == plan["plan_no"]]))
        for plan in plans
        if plan["created_on"] <= as_of
    ]
    covered = {
        book.plan["plan_no"]: {book.plan["account_no"]} | {a for p, a in accounts if p == book.plan["plan_no"]}
        for book in books
    }
    for book in books:
        plan = book.plan
        book.end = ended_on(plan, as_of)
        newer = [
            other.plan
            for other in books
            if age(other.plan) > age(plan)
            and covered[other.plan["plan_no"]] & covered[plan["plan_no"]]
            and other.plan["basis"] == plan["basis"] == "PAYMENTS"
        ]
        newer.sort(key=age)
        if newer and is_over(plan, as_of) and (book.end is None or book.end >= newer[0]["created_on"]):
            book.replaced_by, book.replaced_on = newer[0]["plan_no"], newer[0]["created_on"]
            book.replaced_at = newer[0]["created_at"]
        book.status = word(book, as_of)
    return books


def word(book: Book, as_of: date) -> str:
    plan = book.plan
    has_end = any(plan[name] is not None for name in ("deactivated_on", "deleted_on", "ended_on"))
    words = [
        (happened(plan["deleted_on"], as_of), "DELETED"),
        (happened(plan["rejected_on"], as_of), "REJECTED"),
        (book.replaced_by is not None, "SUPERSEDED"),
        (book.end is not None, "DEACTIVATED"),
        (happened(plan["removed_on"], as_of), "DELETED"),
        (not was_agreed(plan, as_of), "PROPOSED"),
        (plan["is_active"] or has_end, "ACTIVE"),
        (True, ""),
    ]
    return next(name for holds, name in words if holds)


def place(books: list[Book], payments: list[Row], accounts: set[tuple[int, int]], as_of: date) -> dict[int, int | None]:
    """Tell each existing payment's plan, and hand the plans their money."""
    named = {
        term["linked_payment_no"]: book
        for book in reversed(books)
        for term in book.terms
        if term["linked_payment_no"] is not None
    }
    placed: dict[int, int | None] = {}
    for payment in payments:
        counts_from = payment["effective_date"] if payment["class"] in SETTLED else payment["created_on"]
        if happened(payment["told_on"], min(payment["created_on"], payment["effective_date"]) - timedelta(days=1)):
            counts_from = date.min
        elif payment["class"] in SETTLED and happened(
            payment["told_on"], payment["effective_date"] - timedelta(days=1)
        ):
            counts_from = payment["created_on"]
        if counts_from > as_of or happened(payment["removed_on"], as_of):
            continue
        book = named.get(payment["payment_no"]) or holder(books, payment, accounts, as_of)
        placed[payment["payment_no"]] = book and book.plan["plan_no"]
        if book and payment["is_money"] and payment["currency"] == book.plan["currency"]:
            if payment["effective_date"] > as_of and payment["class"] in SETTLED:
                continue
            if payment["class"] in SETTLED and book.plan["basis"] == "PAYMENTS":
                book.money.append(payment)
            elif payment["class"] == "pending" and payment["created_on"] <= as_of:
                since = max(payment["created_on"], payment["planned_on"] or payment["created_on"])
                waited = sum(
                    (since + timedelta(days=step)).isoweekday() < 6 for step in range(1, (as_of - since).days + 1)
                )
                book.pending.append(payment | {"stale": waited > 5})
    return placed


def holder(books: list[Book], payment: Row, accounts: set[tuple[int, int]], as_of: date) -> Book | None:
    is_pending = payment["class"] == "pending"
    day, moment = (as_of, None) if is_pending else (payment["effective_date"], payment["effective_at"])
    found = []
    for book in books:
        plan = book.plan
        on_account = payment["account_no"] == plan["account_no"] or (plan["plan_no"], payment["account_no"]) in accounts
        inactive_at = plan["inactive_at"] if book.end == plan["ended_on"] else None
        is_late = is_before(book.end, inactive_at, day, moment)
        is_replaced = book.replaced_on is not None and not is_before(day, moment, book.replaced_on, book.replaced_at)
        told = plan["basis"] == "PAYMENTS" or payment["payment_id"].startswith("psp:")
        agreed = was_agreed(plan, as_of) and book.status != "REJECTED"
        is_early = is_before(day, moment, plan["created_on"], plan["created_at"])
        if on_account and told and agreed and not (is_early or is_late or is_replaced):
            found.append(book)
    if not found:
        return None
    if found[0].plan["basis"] == "PAYMENTS":
        return max(found, key=lambda book: age(book.plan))
    return min(found, key=lambda book: book.plan["plan_no"])


def is_before(day: date | None, moment: datetime | None, other: date, other_moment: datetime | None) -> bool:
    """Compare moments where both are known, else days."""
    if moment is not None and other_moment is not None:
        return moment < other_moment
    return day is not None and day < other


def final_word(book: Book, views: list[Row]) -> str:
    if book.status:
        return book.status
    counted = [view for view in views if not view["void"]]
    if counted and all(view["satisfied"] for view in counted):
        return "FINISHED"
    if book.plan["basis"] == "PROVIDER_BALANCE" and counted:
        owed = {term["term_id"]: term["provider_outstanding_minor"] for term in book.terms}
        if all(owed[view["term_id"]] <= view["tolerance"] for view in counted):
            return "ACTIVE"
    return "UNKNOWN"


# --- random portfolios --------------------------------------------------------------------

PROVIDER_OF = {"PAYMENTS": "p", "PROVIDER_BALANCE": "q"}
OFFSET = st.integers(0, 40)
MAYBE = st.one_of(st.none(), OFFSET)
RARELY = st.one_of(st.none(), st.none(), st.none(), OFFSET)


def day_at(offset: int | None) -> date | None:
    return None if offset is None else START + timedelta(days=offset)


def hour_of(day: date | None, hour: int | None) -> datetime | None:
    return None if day is None or hour is None else datetime.combine(day, time(hour), UTC)


HOUR = st.sampled_from([None, 9, 15, 20])
Drawn = dict[str, list[Any]]


@st.composite
def customers(draw) -> Drawn:
    """One to three plans on three accounts, and the payments on them."""
    basis = draw(st.sampled_from(["PAYMENTS", "PAYMENTS", "PROVIDER_BALANCE"]))
    plans = [draw(a_plan(number, basis)) for number in range(draw(st.integers(1, 3)))]
    terms = [row for plan in plans for row in draw(terms_of(plan["plan_no"]))]
    payments = [draw(a_payment(number, PROVIDER_OF[basis])) for number in range(draw(st.integers(0, 6)))]
    links = draw(st.lists(st.tuples(st.integers(0, len(plans) - 1), st.integers(0, 2)), max_size=2, unique=True))
    return {"plans": plans, "terms": terms, "payments": payments, "links": links}


def together(drawn: list[Drawn]) -> Drawn:
    """Many customers side by side: a computation costs the same for one as for eight."""
    found: Drawn = {"plans": [], "terms": [], "payments": [], "links": []}
    for place_of, one in enumerate(drawn):
        shift = 10 * place_of
        for name in ("plans", "terms", "payments"):
            found[name].extend(shifted(row, shift) for row in one[name])
        found["links"].extend((plan + shift, account + shift) for plan, account in one["links"])
    return found


def shifted(row: Row, by: int) -> Row:
    numbers = ("plan_no", "account_no", "payment_no", "linked_payment_no")
    moved = {name: row[name] + by for name in numbers if row.get(name) is not None}
    if "payment_id" in row:
        moved["payment_id"] = row["payment_id"] + f"-{by}"
    return row | moved


def portfolios():
    return st.lists(customers(), min_size=1, max_size=5).map(together)


@st.composite
def a_plan(draw, number: int, basis: str) -> Row:
    stamps: Row = dict.fromkeys(("proposed_on", "approved_on", "rejected_on", "deactivated_on", "ended_on"))
    if basis == "PAYMENTS":
        active = draw(st.booleans())
        stamps["ended_on"] = None if active else day_at(draw(OFFSET))
    else:
        active = draw(st.sampled_from([True, False, None]))
        for name in ("proposed_on", "approved_on"):
            stamps[name] = day_at(draw(MAYBE))
        for name in ("rejected_on", "deactivated_on"):
            stamps[name] = day_at(draw(RARELY))
    rare = {name: day_at(draw(RARELY)) for name in ("deleted_on", "removed_on")}
    created = day_at(draw(st.integers(0, 15)))
    stamps |= {"created_at": hour_of(created, draw(HOUR)), "inactive_at": hour_of(stamps["ended_on"], draw(HOUR))}
    return {
        "plan_no": number, "account_no": draw(st.integers(0, 2)), "basis": basis, "is_active": active,
        "provider": PROVIDER_OF[basis],
        "created_on": created, "updated_on": day_at(draw(OFFSET)), **stamps, **rare,
    }  # fmt: skip


@st.composite
def terms_of(draw, plan_no: int) -> list[Row]:
    rows = []
    for number in range(draw(st.integers(0, 5))):
        amount = draw(st.integers(0, 8)) * draw(st.sampled_from([1, 25]))
        rows.append(
            {
                "plan_no": plan_no, "term_id": f"{plan_no}-{number}", "due_date": day_at(draw(OFFSET)),
                "term_sequence": draw(st.sampled_from([0, 1])), "amount_minor": amount,
                "removed_on": day_at(draw(RARELY)),
                "linked_payment_no": draw(st.one_of(st.none(), st.integers(0, 5))),
                "provider_outstanding_minor": draw(st.integers(0, amount)), "provider_paid_on": day_at(draw(MAYBE)),
                "updated_on": day_at(draw(OFFSET)),
            }
        )  # fmt: skip
    return rows


@st.composite
def a_payment(draw, number: int, provider: str) -> Row:
    amount = draw(st.integers(0, 8)) * draw(st.sampled_from([1, 25]))
    word = draw(st.sampled_from(["received"] * 5 + ["pending", "pending", "reversed", "partly_reversed", "failed"]))
    is_back = word in {"reversed", "partly_reversed"}
    effective = day_at(draw(OFFSET))
    return {
        "payment_no": number, "provider": provider, "payment_id": draw(st.sampled_from(["M", "psp:"])) + str(number),
        "account_no": draw(st.integers(0, 2)), "amount_minor": amount, "class": word,
        "currency": draw(st.sampled_from(["EUR", "EUR", "EUR", "EUR", "USD"])),
        "effective_date": effective, "effective_at": hour_of(effective, draw(HOUR)),
        "created_on": day_at(draw(OFFSET)), "planned_on": day_at(draw(RARELY)), "told_on": day_at(draw(RARELY)),
        "reversed_on": day_at(draw(OFFSET)) if is_back else None,
        "reversed_amount_minor": draw(st.one_of(st.none(), st.integers(0, amount))) if is_back else None,
        "removed_on": day_at(draw(RARELY)), "is_money": draw(st.sampled_from([True, True, True, False])),
    }  # fmt: skip


TOLERANCES = ["EXACT", "CENT", "ABS:0.02", "ABS:0.30", "PCT:10", "PCT:30", "MAX:0.02,20", "MIN:0.05,30", "FFIEC90"]
OPTIONS = st.builds(
    Options,
    grace_days=st.sampled_from([0, 0, 5]),
    tolerance=st.sampled_from(TOLERANCES).map(Tolerance.parse),
    residual=st.sampled_from(["FILL", "SKIP"]),
    weekend=st.just((6, 7)),
)
THOROUGH = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
QUICK = settings(THOROUGH, max_examples=10)


@pytest.fixture(autouse=True)
def _without_holidays(monkeypatch) -> None:
    """The oracle counts weekends only."""
    monkeypatch.setattr("transforms.calendars.business_days.holiday_dates", lambda *_: ())


def built(make, drawn: Drawn):
    return make.Case(
        make.plans(*drawn["plans"]),
        make.terms(*drawn["terms"]),
        make.payments(*drawn["payments"]),
        make.plan_accounts(*({"plan_no": plan, "account_no": account} for plan, account in drawn["links"])),
    )


# --- the comparison -----------------------------------------------------------------------


@THOROUGH
@given(drawn=portfolios(), offset=st.integers(0, 45), options=OPTIONS)
def test_positions_agree_with_the_slow_reading(make, drawn, offset, options) -> None:
    as_of = START + timedelta(days=offset)
    case = built(make, drawn)
    found = case.at(as_of, options)
    accounts = set(drawn["links"])
    books = stand(case.plans.to_dicts(), case.terms.to_dicts(), accounts, as_of)
    placed = place(books, case.payments.to_dicts(), accounts, as_of)
    located = case.locate(as_of, options).payments
    assert dict(located.select("payment_no", "plan_no").iter_rows()) == placed
    assert found.plans["plan_no"].to_list() == [book.plan["plan_no"] for book in books]
    for book in books:
        compare(book, found, as_of, options)


def compare(book: Book, found, as_of: date, options: Options) -> None:
    number = book.plan["plan_no"]
    views = judge(book, as_of, options)
    rows = found.terms.filter(pl.col("plan_no") == number).to_dicts()
    plan = found.plans.filter(pl.col("plan_no") == number).row(0, named=True)
    names = {
        "term_id": "term_id", "received": "received_minor", "waived": "waived_minor", "state": "state",
        "outstanding": "outstanding_minor", "satisfied": "is_satisfied", "since": "satisfied_on",
        "days_late": "days_late", "pending": "pending_minor", "fresh": "fresh_pending_minor", "tolerance": "tolerance_minor",
    }  # fmt: skip
    assert [{name: row[column] for name, column in names.items()} for row in rows] == [
        {name: view[name] for name in names} for view in views
    ]
    assert plan["status"] == final_word(book, views)
    assert plan["replaced_by_plan_no"] == book.replaced_by
    pairs = list(zip(book.terms, views, strict=True))
    late = [term["due_date"] for term, view in pairs if open_and_late(term, view, as_of)]
    assert plan["oldest_unpaid_due_date"] == min(late, default=None)
    assert plan["days_past_due"] == max([(as_of - due).days for due in late], default=0)
    shadow = [
        (as_of - term["due_date"]).days
        for term, view in pairs
        if open_and_late(term, view, as_of) and view["outstanding"] - view["fresh"] > view["tolerance"]
    ]
    assert plan["shadow_days_past_due"] == max(shadow, default=0)
    grace = timedelta(days=options.grace_days)
    sums = {
        "amount_due_minor": [view["outstanding"] for term, view in pairs if term["due_date"] <= as_of],
        "overdue_minor": [view["outstanding"] for term, view in pairs if term["due_date"] < as_of],
        "overdue_past_grace_minor": [view["outstanding"] for term, view in pairs if term["due_date"] + grace < as_of],
        "due_today_minor": [view["outstanding"] for term, view in pairs if term["due_date"] == as_of],
        "not_due_minor": [view["outstanding"] for term, view in pairs if term["due_date"] > as_of],
        "pending_minor": [payment["amount_minor"] for payment in book.pending],
        "fresh_pending_minor": [payment["amount_minor"] for payment in book.pending if not payment["stale"]],
    }
    assert {name: plan[name] for name in sums} == {name: sum(values) for name, values in sums.items()}
    ahead = [term["due_date"] for term, view in pairs if term["due_date"] >= as_of and is_open(view)]
    assert plan["next_due_date"] == min(ahead, default=None)
    if ahead:
        on_it = [view["outstanding"] for term, view in pairs if term["due_date"] == min(ahead) and is_open(view)]
        assert plan["next_due_amount_minor"] == sum(on_it)
    assert plan["missed_terms"] == sum(view["state"] == "MISSED" for view in views)
    late_states = {"MISSED", "PARTIAL_OVERDUE"}
    assert plan["delinquent_terms"] == sum(view["state"] in late_states for view in views)


def is_open(view: Row) -> bool:
    return not view["void"] and not view["satisfied"]


def open_and_late(term: Row, view: Row, as_of: date) -> bool:
    return is_open(view) and term["due_date"] < as_of


# --- the equations ------------------------------------------------------------------------


@QUICK
@given(drawn=portfolios(), offset=st.integers(0, 45), options=OPTIONS)
def test_the_equations_hold(make, drawn, offset, options) -> None:
    as_of = START + timedelta(days=offset)
    found = built(make, drawn).at(as_of, options)
    plans, terms, payments = found.plans, found.terms, found.payments
    c = pl.col
    assert plans.filter(c("amount_due_minor") != c("overdue_minor") + c("due_today_minor")).is_empty()
    assert plans.filter(c("outstanding_minor") != c("amount_due_minor") + c("not_due_minor")).is_empty()
    assert plans.filter(c("overdue_past_grace_minor") > c("overdue_minor")).is_empty()
    if options.grace_days == 0:
        assert plans["overdue_past_grace_minor"].equals(plans["overdue_minor"])
    money = c("amount_minor") - c("waived_minor") == c("received_minor") + c("outstanding_minor")
    assert plans.filter(~money).is_empty()
    assert terms.filter(~money).is_empty()
    assert terms.filter(~c("state").is_in(STATES)).is_empty()
    assert plans.filter(c("shadow_days_past_due") > c("days_past_due")).is_empty()
    assert plans.filter(c("days_past_due_business") > c("days_past_due")).is_empty()
    assert plans.filter(~c("coverage_ppm").is_between(0, 1_000_000)).is_empty()
    assert plans.filter((c("amount_due_minor") == 0) != c("coverage_ppm").is_null()).is_empty()
    open_late = ~c("is_satisfied") & ~c("state").is_in(["VOID", "SUPERSEDED"]) & (c("due_date") < as_of)
    owing = terms.filter(open_late & (c("outstanding_minor") > 0))["plan_no"].unique().sort()
    assert plans.filter(c("days_past_due") > 0)["plan_no"].equals(owing)
    assert plans.filter(c("mba_months").is_null() != c("ots_months").is_null()).is_empty()
    assert plans.filter(~(c("mba_months") - c("ots_months")).is_between(0, 1)).is_empty()
    settled = net_by_plan(payments, as_of)
    assert plans.filter(c("basis") == "PAYMENTS").select(
        "plan_no", total=c("received_minor") + c("unapplied_minor")
    ).to_dicts() == [{"plan_no": number, "total": settled.get(number, 0)} for number in ours(plans)]
    used = payments.filter(c("plan_no").is_not_null()).group_by("plan_no").agg(c("allocated_minor").sum())
    taken = dict(used.iter_rows())
    for number, received in plans.filter(c("basis") == "PAYMENTS").select("plan_no", "received_minor").iter_rows():
        assert taken.get(number, 0) == received


def ours(plans: pl.DataFrame) -> list[int]:
    return plans.filter(pl.col("basis") == "PAYMENTS")["plan_no"].to_list()


def net_by_plan(payments: pl.DataFrame, as_of: date) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in payments.to_dicts():
        if row["plan_no"] is None or row["class"] not in SETTLED or not row["is_money"] or row["currency"] != "EUR":
            continue
        if row["effective_date"] > as_of:
            continue
        back = row["reversed_amount_minor"]
        if back is None:
            back = row["amount_minor"] if row["class"] == "reversed" else 0
        found[row["plan_no"]] = found.get(row["plan_no"], 0) + row["amount_minor"] - back
    return found


@QUICK
@given(drawn=portfolios(), offset=st.integers(0, 45), options=OPTIONS, random=st.randoms(use_true_random=False))
def test_row_order_does_not_matter(make, drawn, offset, options, random) -> None:
    as_of = START + timedelta(days=offset)
    case = built(make, drawn)
    shuffled = replace(case, terms=case.terms[random.sample(range(case.terms.height), case.terms.height)])
    shuffled = replace(
        shuffled, payments=case.payments[random.sample(range(case.payments.height), case.payments.height)]
    )
    one, other = case.at(as_of, options), shuffled.at(as_of, options)
    assert one.terms.equals(other.terms)
    assert one.plans.equals(other.plans)
    assert one.payments.equals(other.payments)


@QUICK
@given(drawn=portfolios(), offset=st.integers(0, 45), options=OPTIONS)
def test_parts_give_the_rows_of_the_whole(make, drawn, offset, options) -> None:
    as_of = START + timedelta(days=offset)
    case = built(make, drawn)
    located, whole = case.locate(as_of, options), case.at(as_of, options)
    names = dict.fromkeys(["p", "q"], options)
    for part in (pl.col("plan_no") % 20 < 10, pl.col("plan_no") % 20 >= 10):
        found = compute(
            located.plans.filter(part),
            case.terms.filter(part),
            located.payments.filter(part),
            as_of=as_of,
            options=names,
        )
        assert found.terms.equals(whole.terms.filter(part))
        assert found.plans.equals(whole.plans.filter(part))
        assert found.payments.equals(whole.payments.filter(part))
    outside = unowned(located.payments)
    assert outside.height + whole.payments.height == located.payments.height


@QUICK
@given(drawn=portfolios(), offset=st.integers(5, 40), options=OPTIONS, amount=st.integers(1, 60))
def test_a_payment_never_raises_days_past_due(make, drawn, offset, options, amount) -> None:
    as_of = START + timedelta(days=offset)
    options = replace(options, residual="FILL")
    before = built(make, drawn)
    unnamed = max((row["payment_no"] for row in drawn["payments"]), default=-1) + 10
    plan = drawn["plans"][0]
    new = {"payment_no": unnamed, "payment_id": "new", "account_no": plan["account_no"], "amount_minor": amount}
    new["provider"] = plan["provider"]
    new |= {"effective_date": as_of, "created_on": as_of, "class": "received", "currency": "EUR"}
    after = built(make, drawn | {"payments": [*drawn["payments"], new]})
    one, other = before.at(as_of, options).plans, after.at(as_of, options).plans
    assert (other["days_past_due"] <= one["days_past_due"]).all()


@QUICK
@given(drawn=portfolios(), offset=st.integers(0, 45), options=OPTIONS)
def test_days_past_due_grow_by_one_a_day_when_nothing_happens(make, drawn, offset, options) -> None:
    """Two days after the last event, so that between them only the calendar moves."""
    as_of = START + timedelta(days=60 + offset)
    case = built(make, drawn)
    today, tomorrow = case.at(as_of, options).plans, case.at(as_of + timedelta(days=1), options).plans
    late = today["days_past_due"] > 0
    assert (tomorrow["days_past_due"].filter(late) == today["days_past_due"].filter(late) + 1).all()
    assert (tomorrow["days_past_due"].filter(~late) == 0).all()
