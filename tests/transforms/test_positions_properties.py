"""Every figure against the slow answer, and the equations that hold whatever the input.

The slow answer judges one plan at a time, day by day, in plain Python, and shares nothing with
the code under test: rows of the core model go in as its plain facts, figures come out.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import model
from oracles.judge import Standing, days_past_due, is_stale, months_past_due, oldest_unpaid
from oracles.locate import locate
from oracles.truth import amounts, coverage, next_due

from schemas.options import Options, Tolerance
from schemas.words import STATES
from transforms.positions import compute, unowned

START = date(2025, 1, 1)
SETTLED = ("received", "reversed", "partly_reversed")
Row = dict[str, Any]


# --- the rows as facts of the slow answer ---------------------------------------------------


def facts_of(case, links: list[tuple[int, int]]) -> model.Facts:
    """Return the same portfolio in the words of the slow answer; plans, payments and accounts go by their numbers."""
    plans = {
        row["plan_no"]: as_plan(row, {account for plan, account in links if plan == row["plan_no"]})
        for row in case.plans.to_dicts()
    }
    for row in case.terms.to_dicts():
        plans[row["plan_no"]].terms.append(as_term(row))
    return model.Facts(list(plans.values()), [as_payment(row) for row in case.payments.to_dicts()])


def as_plan(row: Row, linked: set[int]) -> model.Plan:
    return model.Plan(
        **{name: row[name] for name in ("provider", "currency", "basis", "created_at")},
        **{name: row[f"{name}_on"] for name in STAMPS},
        tenant=row["tenant_id"], plan_id=str(row["plan_no"]), account_ids=sorted(map(str, linked | {row["account_no"]})),
        active=row["is_active"], ended_at=row["inactive_at"],
    )  # fmt: skip


STAMPS = ("created", "updated", "proposed", "approved", "rejected", "deactivated", "ended", "deleted", "removed")


def as_term(row: Row) -> model.Term:
    return model.Term(
        term_id=row["term_id"], due=row["due_date"], amount=row["amount_minor"], sequence=row["term_sequence"],
        owed=row["provider_outstanding_minor"], paid_on=row["provider_paid_on"], updated=row["updated_on"],
        linked=payment_id(row["linked_payment_no"]), removed=row["removed_on"],
    )  # fmt: skip


def as_payment(row: Row) -> model.Payment:
    """Where a return has no amount, all of a payment went back that was returned, and nothing of a part refund."""
    back = row["amount_minor"] if row["class"] == "reversed" else 0
    return model.Payment(
        **{name: row[name] for name in ("provider", "currency", "effective_at", "reversed_on", "is_money")},
        **{name: row[f"{name}_on"] for name in ("created", "planned", "told", "removed")},
        tenant=row["tenant_id"], payment_id=str(payment_id(row["payment_no"])), account_id=str(row["account_no"]),
        amount=row["amount_minor"], effective=row["effective_date"], word=row["class"], status=None,
        reversed_amount=back if row["reversed_amount_minor"] is None else row["reversed_amount_minor"],
        is_transaction=row["provider"] == PROVIDER_OF["PAYMENTS"] or row["payment_id"].startswith("psp:"),
    )  # fmt: skip


def payment_id(number: int | None) -> str | None:
    return None if number is None else f"{number:03}"


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


CLASSES = ["received"] * 4 + ["reversed"] * 4 + ["partly_reversed"] * 2 + ["pending"] * 2 + ["failed"]
"""Returns are drawn as often as receipts: most fall outside the plan's time or undo money that filled no term."""


@st.composite
def a_payment(draw, number: int, provider: str) -> Row:
    amount = draw(st.integers(0, 8)) * draw(st.sampled_from([1, 25]))
    word = draw(st.sampled_from(CLASSES))
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
CHOICES = {
    "grace_days": st.sampled_from([0, 0, 5]),
    "tolerance": st.sampled_from(TOLERANCES),
    "residual": st.sampled_from(["FILL", "SKIP"]),
    "weekend": st.just((6, 7)),
}
COUNTING = {
    "grace_mode": st.sampled_from(["NONE", "NONE", "SHIFT", "GATE"]),
    "day_basis": st.sampled_from(["CALENDAR", "CALENDAR", "BUSINESS"]),
}


def as_options(chosen: Row) -> Options:
    return Options(**chosen | {"tolerance": Tolerance.parse(chosen["tolerance"])})


OPTIONS = st.fixed_dictionaries(CHOICES).map(as_options)

THOROUGH = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
QUICK = settings(THOROUGH, max_examples=10)


@pytest.fixture(autouse=True)
def _without_holidays(monkeypatch) -> None:
    """The slow answer is told of no holidays either."""
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
@given(drawn=portfolios(), offset=st.integers(0, 45), chosen=st.fixed_dictionaries(CHOICES | COUNTING))
def test_positions_agree_with_the_slow_answer(make, drawn, offset, chosen) -> None:
    as_of, options = START + timedelta(days=offset), as_options(chosen)
    case = built(make, drawn)
    slow = model.Options(**chosen, holidays=dict.fromkeys(PROVIDER_OF.values(), frozenset()))
    standings, placed = locate(facts_of(case, drawn["links"]), as_of, slow)
    located = case.locate(as_of, options).payments
    assert dict(located.select("payment_no", "plan_no").iter_rows()) == {
        int(payment.payment_id): plan_id and int(plan_id) for payment, plan_id in placed
    }
    positions = case.at(as_of, options)
    terms = [row for one in standings for row in term_rows(one)]
    plans = [plan_row(one, slow) for one in standings]
    for frame, expected in ((positions.terms, terms), (positions.plans, plans)):
        assert [{name: row[name] for name in expected[0]} for row in frame.to_dicts()] == expected
    used = {name: amount for one in standings for (name, _), amount in one.allocated.items()}
    ours = positions.payments.filter(pl.col("provider") == PROVIDER_OF["PAYMENTS"])
    assert dict(ours.select("payment_no", "allocated_minor").iter_rows()) == {
        number: used.get(str(payment_id(number)), 0) for number in ours["payment_no"]
    }


def term_rows(standing: Standing) -> list[Row]:
    return [
        {
            "plan_no": int(standing.plan.plan_id), "term_id": view.term.term_id, "term_no": view.number,
            "received_minor": view.received, "waived_minor": view.waived, "outstanding_minor": view.outstanding,
            "pending_minor": view.pending, "fresh_pending_minor": view.fresh, "tolerance_minor": view.limit,
            "state": view.state, "is_satisfied": view.satisfied and not view.over,
            "satisfied_on": view.satisfied_on, "days_late": view.days_late,
        }
        for view in standing.terms
    ]  # fmt: skip


def plan_row(standing: Standing, slow: model.Options) -> Row:
    oldest, provider = oldest_unpaid(standing), standing.plan.provider
    mba, ots = months_past_due(standing)
    states = [view.state for view in standing.terms]
    sums = {f"{name}_minor": amount for name, amount in amounts(standing, slow).items()}
    fresh = [payment.amount for payment in standing.pending if not is_stale(payment, standing.on, slow)]
    return sums | {
        "plan_no": int(standing.plan.plan_id),
        "status": standing.status,
        "is_in_force": standing.in_force,
        "replaced_by_plan_no": standing.replaced_by and int(standing.replaced_by),
        "terms": len(states),
        "terms_satisfied": sum(view.satisfied and not view.over for view in standing.terms),
        "missed_terms": states.count("MISSED"),
        "delinquent_terms": states.count("MISSED") + states.count("PARTIAL_OVERDUE"),
        "fresh_pending_minor": sum(fresh),
        "coverage_ppm": coverage(standing, slow),
        "oldest_unpaid_due_date": oldest and oldest.term.due,
        "days_past_due": days_past_due(standing, slow),
        "days_past_due_business": model.business_days(oldest.term.due, standing.on, provider, slow) if oldest else 0,
        "shadow_days_past_due": days_past_due(standing, slow, with_pending=True),
        "mba_months": mba,
        "ots_months": ots,
        "next_due_date": next_due(standing),
    }


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
