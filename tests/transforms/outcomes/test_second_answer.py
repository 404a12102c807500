"""Outcomes and kept terms against the slow answer, which replays every day of every plan in plain Python."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from oracles import model
from oracles.kept import kept_sums
from oracles.locate import locate
from oracles.outcomes import outcomes
from oracles.random_portfolios import CHOICES, COUNTING, PROVIDER_OF, START, Drawn, Row, day_at, facts_of, portfolios
from oracles.replay import Rules

from schemas.core import PAUSES
from schemas.options import Options, OutcomeRules, Tolerance
from transforms.delinquency.pauses import NO_PAUSES, Pauses
from transforms.judging import Judging
from transforms.outcomes.rates import added, kept_rates
from transforms.positions import Positions, compute

RULES = st.builds(
    Rules,
    consecutive=st.sampled_from([0, 2, 2, 1, 3]),
    total=st.sampled_from([0, 0, 1, 2]),
    days=st.sampled_from([0, 0, 3, 8]),
    share=st.sampled_from([0, 0, 100_000, 333_333]),
    deactivated=st.booleans(),
    probation=st.sampled_from([0, 0, 1, 2]),
    return_days=st.sampled_from([2, 0, 5]),
)
PAUSED = st.dictionaries(st.integers(0, 2), st.integers(0, 40), max_size=2)
# Making a failing portfolio smaller takes minutes; the differences name the plans, which are small as they are.
BROAD = settings(
    deadline=None,
    max_examples=60,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

FEW = settings(BROAD, max_examples=15)


@pytest.fixture(autouse=True)
def _without_holidays(monkeypatch) -> None:
    """The slow answer is told of no holidays either."""
    monkeypatch.setattr("transforms.calendars.business_days.holiday_dates", lambda *_: ())


ENDS = ("deactivated_on", "ended_on", "deleted_on")
STAMPS = ("proposed_on", "approved_on", "rejected_on", *ENDS)


def in_order(drawn: Drawn) -> Drawn:
    """Let plans end, and vanish, after they were made; since a plan vanished nothing new is told of its customer."""
    plans = [_as_shown(row) for row in drawn["plans"]]
    gone = {row["plan_no"]: row["removed_on"] for row in plans if row["removed_on"] is not None}
    first = {number // 10: min(day for plan, day in gone.items() if plan // 10 == number // 10) for number in gone}
    return drawn | {
        "plans": plans,
        "terms": [_before(row, gone[row["plan_no"]]) if row["plan_no"] in gone else row for row in drawn["terms"]],
        "payments": [
            row | ({"removed_on": None} if row["payment_no"] // 10 in first else {})
            for row in drawn["payments"]
            if all(row[name] is None or row[name] < first.get(row["payment_no"] // 10, date.max) for name in MOVES)
        ],
    }


MOVES = ("effective_date", "created_on", "reversed_on", "told_on")


def _as_shown(row: Row) -> Row:
    row |= {name: max(row[name], row["created_on"]) for name in ENDS if row[name] is not None}
    if row["removed_on"] is None:
        return row
    gone = max(row["removed_on"], row["created_on"] + timedelta(days=1))
    row |= {name: None for name in STAMPS if row[name] is not None and row[name] >= gone}
    return row | {"removed_on": gone, "updated_on": min(row["updated_on"], gone - timedelta(days=1))}


def _before(row: Row, gone: date) -> Row:
    paid_on = row["provider_paid_on"]
    told = {"removed_on": None, "updated_on": min(row["updated_on"], gone - timedelta(days=1))}
    return row | told | {"provider_paid_on": None if paid_on is not None and paid_on >= gone else paid_on}


def eventful(drawn: Drawn) -> Drawn:
    """Let much happen within days: one plan per customer goes on, terms are small and all money is on its account."""
    open_plan = dict.fromkeys((*STAMPS, "removed_on", "inactive_at")) | {"is_active": True, "created_on": START}
    plans = [
        row | open_plan | {"account_no": row["plan_no"], "created_at": None}
        for row in drawn["plans"]
        if not row["plan_no"] % 10
    ]
    terms = [
        row
        | {"amount_minor": 2 + row["amount_minor"] % 3, "due_date": _soon(row["due_date"]), "removed_on": None}
        | {"provider_outstanding_minor": row["provider_outstanding_minor"] % 3}
        for row in drawn["terms"]
        if not row["plan_no"] % 10
    ]
    return {"plans": plans, "terms": terms, "payments": [_at_once(row) for row in drawn["payments"]], "links": []}


def _soon(day: date) -> date:
    return START + (day - START) // 3


def _at_once(row: Row) -> Row:
    came, back = _soon(row["effective_date"]), row["reversed_on"]
    return row | {
        "account_no": row["payment_no"] // 10 * 10,
        "amount_minor": 1 + row["amount_minor"] % 7,
        "reversed_amount_minor": None,
        "class": "received" if back is None else "reversed",
        "currency": "EUR",
        "is_money": True,
        "effective_date": came,
        "effective_at": None,
        "created_on": came,
        "told_on": None,
        "removed_on": None,
        "reversed_on": back and came + (back - START) // 4,
    }


def built(make, drawn: Drawn):
    return make.Case(
        make.plans(*drawn["plans"]),
        make.terms(*drawn["terms"]),
        make.payments(*drawn["payments"]),
        make.plan_accounts(*({"plan_no": plan, "account_no": account} for plan, account in drawn["links"])),
    )


def told(rules: Rules) -> OutcomeRules:
    """Return the same rules as the product is told them."""
    return OutcomeRules(
        consecutive_missed=rules.consecutive,
        total_late=rules.total,
        days_past_due=rules.days,
        overdue_share_ppm=rules.share,
        provider_deactivated=rules.deactivated,
        probation=rules.probation,
    )


def as_options(chosen: Row, rules: Rules) -> Options:
    return Options(**chosen | {"tolerance": Tolerance.parse(chosen["tolerance"]), "return_days": rules.return_days})


def pauses_of(paused: dict[int, int]) -> Pauses:
    rows = [{"plan_no": plan, "pause_start": day_at(day), "pause_end": None} for plan, day in sorted(paused.items())]
    frame = PAUSES.gate(pl.DataFrame(rows, schema=dict(PAUSES.dtypes), orient="row"))
    return Pauses(frame, frame)


@pytest.mark.slow
@BROAD
@given(
    drawn=portfolios().map(in_order),
    offset=st.integers(0, 60),
    chosen=st.fixed_dictionaries(CHOICES | COUNTING),
    rules=RULES,
    paused=PAUSED,
)
def test_outcomes_and_kept_terms_agree_with_a_replay_of_every_day(
    make, *, drawn, offset, chosen, rules, paused
) -> None:
    differing = differences(make, drawn, START + timedelta(days=offset), chosen=chosen, rules=rules, paused=paused)
    assert differing == []


@pytest.mark.slow
@seed(2)
@settings(BROAD, max_examples=80, derandomize=False, database=None)
@given(
    drawn=portfolios().map(eventful),
    offset=st.integers(0, 60),
    chosen=st.fixed_dictionaries(CHOICES | COUNTING),
    rules=RULES,
    paused=PAUSED,
)
def test_they_agree_where_much_happens_within_days(make, *, drawn, offset, chosen, rules, paused) -> None:
    differing = differences(make, drawn, START + timedelta(days=offset), chosen=chosen, rules=rules, paused=paused)
    assert differing == []


def differences(make, drawn, as_of, *, chosen, rules, paused) -> list[str]:
    """Return one line for each plan and each sum that differs from the slow answer."""
    case = built(make, drawn)
    slow = model.Options(**chosen, pauses="STOP", holidays=dict.fromkeys(PROVIDER_OF.values(), frozenset()))
    facts = facts_of(case, drawn["links"])
    for plan in facts.plans:
        plan.paused = day_at(paused.get(int(plan.plan_id)))
    found = case.at(as_of, as_options(chosen, rules), pauses=pauses_of(paused), rules=told(rules))
    wanted = {int(key[2]): outcome for key, outcome in outcomes(facts, as_of, slow, rules).items()}
    names = ("outcome", "broken_at", "cured_at", "redefaulted_at", "kept_so_far")
    given_ = {row["plan_no"]: {name: row[name] for name in names} for row in found.plans.to_dicts()}
    differing = [
        f"plan {number}: {given_[number]}, should be {one}"
        for number, one in wanted.items()
        if given_[number] != {name: getattr(one, name) for name in names}
    ]
    sums = kept_sums(locate(facts, as_of, slow)[0], as_of, slow, rules)
    keys = ("provider", "tenant_id", "currency", "window_days")
    rates = {tuple(row.pop(key) for key in keys): row for row in kept_rates(added(found.kept)).to_dicts()}
    return differing + [f"kept {key}: {rates[key]}, should be {row}" for key, row in sums.items() if rates[key] != row]


@FEW
@given(drawn=portfolios().map(in_order), offset=st.integers(0, 60), rules=RULES)
def test_outcomes_and_kept_sums_of_two_halves_are_those_of_the_whole(make, *, drawn, offset, rules) -> None:
    as_of, names = START + timedelta(days=offset), dict.fromkeys(["p", "q"], Options(grace_days=2))
    case = built(make, drawn)
    located = case.locate(as_of, names)
    owned = located.payments.filter(pl.col("plan_no").is_not_null())

    def computed(plans: pl.Expr) -> Positions:
        return compute(
            *(frame.filter(plans) for frame in (located.plans, case.terms, owned)),
            Judging(as_of, names, NO_PAUSES, told(rules)),
        )

    whole = computed(pl.lit(value=True))
    halves = [computed(side) for side in (pl.col("plan_no") % 2 == 0, pl.col("plan_no") % 2 == 1)]
    assert pl.concat([half.plans for half in halves]).sort("plan_no").equals(whole.plans)
    assert added(pl.concat(half.kept for half in halves)).equals(added(whole.kept))
