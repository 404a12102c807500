"""Every figure against the slow answer, and the equations that hold whatever the input.

The slow answer judges one plan at a time, day by day, in plain Python, and shares nothing with
the code under test: rows of the core model go in as its plain facts, figures come out.
"""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import model
from oracles.judge import Standing, days_past_due, is_stale, months_past_due, oldest_unpaid
from oracles.locate import locate
from oracles.random_portfolios import (
    CHOICES,
    COUNTING,
    PROVIDER_OF,
    START,
    Drawn,
    Row,
    facts_of,
    payment_id,
    portfolios,
)
from oracles.truth import amounts, coverage, last_due, next_due

from schemas.options import Options, OutcomeRules, Tolerance
from schemas.words import STATES
from transforms.delinquency.pauses import NO_PAUSES
from transforms.judging import Judging
from transforms.positions import compute, unowned

SETTLED = ("received", "reversed", "partly_reversed")


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
        "last_due_date": last_due(standing),
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
            Judging(as_of, names, NO_PAUSES, OutcomeRules()),
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
