"""A portfolio made by hand, computed in one part and in several, in any order and in another process: no database.

As of 1 June 2026, monthly terms of 100.00, calendar US: 25 May 2026 is Memorial Day, so a rule on the 25th, a day later
on holidays, gives 25 April, 26 May and 25 June. In the order of their keys, which is not that of their numbers:

    p/P1   shows 25 May where its rule gives 26 May; nothing is paid, so 200.00 are due
    p/P9   keeps its rule; 100.00 came on 20 April and again on 21 April, before anything was due; it was agreed through
           us with a last term of 90.00
    q/P2   by the provider's own balances 200.00 are due; another plan of the same debtor has the same terms
    q/P3   that other plan, the newer one of the two

and 5.00 came on an account that no plan covers.
"""

import pickle
import subprocess
import sys
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.steps.compute import Inputs, assemble, compute_part, in_question, parts_of, together
from schemas.conventions import Conventions
from schemas.core import (
    ACCOUNTS,
    INTEGRITY,
    ORPHANS,
    OWN_CUSTOMERS,
    PAYMENTS,
    PLAN_ACCOUNTS,
    PLAN_FACTS,
    PLANS,
    POLICIES,
    TERM_CHANGES,
    TERMS,
)
from schemas.options import Options, OutcomeRules
from schemas.results import FORECASTS
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from schemas.writes import AGREED_TERMS, WRITES
from transforms.calendars.closed_days import Calendar
from transforms.delinquency.pauses import NO_PAUSES
from transforms.location.locate import locate

AS_OF = date(2026, 6, 1)
BY_RULE = (date(2026, 4, 25), date(2026, 5, 26), date(2026, 6, 25))
ON_THE_HOLIDAY = (date(2026, 4, 25), date(2026, 5, 25), date(2026, 6, 25))
AGREED_AT = datetime(2026, 5, 1, tzinfo=UTC)
FETCHED_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def rows(table, *given):
    empty = dict.fromkeys(table.columns)
    return pl.DataFrame([empty | row for row in given], schema=dict(table.dtypes))


def plan(number, plan_id, **changed):
    return {
        "plan_no": number, "provider": "p", "tenant_id": "t", "plan_id": plan_id, "account_no": number,
        "account_id": f"A{number}", "customer_id": f"C{number}", "currency": "USD", "basis": "PAYMENTS",
        "created_on": date(2026, 4, 1), "is_active": True, "cadence": "MONTHLY", "anchor_day": 25,
    } | changed  # fmt: skip


def rule(number):
    return {
        "plan_no": number, "convention_set": "p", "calendar": "p", "currency": "USD", "arrangement": "NUMBER",
        "frequency": "MONTHLY", "pattern": "DAY", "first_due_date": date(2026, 4, 25), "first_day": 25, "term_count": 3,
        "total_minor": 300_00, "weekend_shift": 0, "holiday_shift": 1,
    }  # fmt: skip


def payment(number, account, amount, day):
    return {
        "payment_no": number, "provider": "p", "tenant_id": "t", "payment_id": f"M{number}", "account_no": account,
        "account_id": f"A{account}", "currency": "USD", "amount_minor": amount, "effective_date": day,
        "created_on": day, "class": "received", "is_money": True, "is_reversal_amount_known": True,
    }  # fmt: skip


def shown(number, days, left=None):
    return [
        {"plan_no": number, "term_id": f"T{place}", "due_date": day, "amount_minor": 100_00}
        | {"provider_outstanding_minor": left}
        for place, day in enumerate(days, 1)
    ]


TERMS_SHOWN = rows(
    TERMS,
    *shown(0, BY_RULE),
    *shown(1, ON_THE_HOLIDAY),
    *shown(2, BY_RULE, left=100_00),
    *shown(3, BY_RULE, left=100_00),
)


def portfolio():
    options = dict.fromkeys("pq", Options(calendar="US"))
    of_q = {"provider": "q", "basis": "PROVIDER_BALANCE", "customer_id": "C"}
    plans = rows(
        PLANS,
        plan(0, "P9"),
        plan(1, "P1"),
        plan(2, "P2", **of_q),
        plan(3, "P3", created_on=date(2026, 4, 2), **of_q),
    )
    payments = rows(
        PAYMENTS,
        payment(0, 0, 100_00, date(2026, 4, 20)),
        payment(1, 0, 100_00, date(2026, 4, 21)),
        payment(2, 77, 5_00, date(2026, 4, 21)),
    )
    located = locate(plans, payments, PLAN_ACCOUNTS.empty(), as_of=AS_OF, options=options)
    entities = ("plans", "terms", "payments", "accounts", "policies")
    whole = [(provider, "t", entity, True, FETCHED_AT) for provider in "pq" for entity in entities]
    change = {
        "intent_id": "I1", "provider": "p", "tenant_id": "t", "operation": "create", "plan_id": "P9",
        "write_state": "done", "write_reason": "", "amount_minor": 290_00, "currency": "USD", "request_sha256": "0" * 64,
        "planned_at": AGREED_AT, "sent_at": AGREED_AT, "ended_at": AGREED_AT,
    }  # fmt: skip
    agreed = [
        {"intent_id": "I1", "sequence": place, "due_date": day, "amount_minor": amount}
        for place, (day, amount) in enumerate(zip(BY_RULE, (100_00, 100_00, 90_00), strict=True), 1)
    ]
    return Inputs(
        known=1,
        as_of=AS_OF,
        options=options,
        conventions=dict.fromkeys("pq", Conventions()),
        calendars=dict.fromkeys("pq", Calendar("US")),
        pauses=NO_PAUSES,
        rules=OutcomeRules(),
        plans=located.plans,
        payments=located.payments,
        accounts=ACCOUNTS.empty(),
        plan_accounts=PLAN_ACCOUNTS.empty(),
        policies=POLICIES.empty(),
        orphans=ORPHANS.empty(),
        integrity=INTEGRITY.empty(),
        completeness=pl.DataFrame(
            whole, schema=["provider", "tenant_id", "entity", "complete", "fresh_at"], orient="row"
        ),
        rows={},
        plan_facts=PLAN_FACTS.empty(),
        term_changes=TERM_CHANGES.empty(),
        plan_rules=rows(PLAN_RULES, rule(0), rule(1)),
        custom_terms=CUSTOM_TERMS.empty(),
        changes=rows(WRITES, change).with_columns(plan_no=pl.lit(0, dtype=pl.Int64)),
        agreed_terms=rows(AGREED_TERMS, *agreed),
        named_links=pl.DataFrame(),
        own_customers=OWN_CUSTOMERS.empty(),
        windows=(),
        forecasts=FORECASTS.empty(),
    )


def part_of(inputs, plan_nos):
    return compute_part(inputs, plan_nos, TERMS_SHOWN.filter(pl.col("plan_no").is_in(plan_nos.implode())))


def computed(inputs, *, size, backwards=False, reduced=True):
    """Return the terms of each part in key order, and the result."""
    numbers = list(parts_of(inputs.plans, size))
    parts = [part_of(inputs, plan_nos) for plan_nos in (reversed(numbers) if backwards else numbers)]
    again = in_question(inputs)
    result = assemble(inputs, together([part.reduced(again) if reduced else part for part in parts]))
    return pl.concat([part.terms for part in (reversed(parts) if backwards else parts)]), result


def assert_same(found, expected):
    for name in ("plans", "breaks", "check_results", "aging", "aging_terms"):
        assert_frame_equal(getattr(found, name), getattr(expected, name))
    assert_frame_equal(found.payments.sort("payment_no"), expected.payments.sort("payment_no"))
    assert found.causes == expected.causes


def test_the_figures_and_breaks_are_those_worked_out_by_hand():
    _, result = computed(portfolio(), size=100)
    sums = result.plans.select("plan_id", "received_minor", "amount_due_minor", "conformance").rows()
    assert sums == [
        ("P1", 0, 200_00, "DIFFERS"),
        ("P9", 200_00, 0, "CONFORMS"),
        ("P2", 0, 200_00, "NOT_APPLICABLE"),
        ("P3", 0, 200_00, "NOT_APPLICABLE"),
    ]
    assert result.payments.select("payment_id", "plan_id").sort("payment_id").rows() == [
        ("M0", "P9"),
        ("M1", "P9"),
        ("M2", None),
    ]
    assert result.breaks.select("code", "reason", "plan_id", "payment_id").rows() == [
        ("DUE_DATE_DIFF", "HOLIDAY_SHIFT", "P1", None),
        ("AGREEMENT_DIFF", "TERMS", "P9", None),
        ("DUPLICATE_PAYMENT", "NEAR", "P9", "M1"),
        ("POLICY_VIOLATION", "EQUAL_PLANS", "P2", None),
    ]
    assert result.aging["amount_due_minor"].sum() == 600_00


@pytest.mark.parametrize("backwards", [False, True], ids=["in key order", "the other way round"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_several_parts_in_any_order_give_what_one_part_gives(size, backwards):
    inputs = portfolio()
    terms, whole = computed(inputs, size=100)
    terms_of_parts, of_parts = computed(inputs, size=size, backwards=backwards)
    assert_same(of_parts, whole)
    key = ("provider", "plan_id", "due_date")
    assert_frame_equal(terms_of_parts.sort(key), terms.sort(key))
    plans = terms_of_parts["plan_id"].unique(maintain_order=True)
    assert size > 1 or plans.to_list() == ["P1", "P9", "P2", "P3"]


def test_a_reduced_part_keeps_the_terms_of_plans_in_question_and_that_is_enough():
    inputs = portfolio()
    _, whole = computed(inputs, size=2, reduced=False)
    _, of_reduced = computed(inputs, size=2)
    assert_same(of_reduced, whole)
    kept = [part_of(inputs, plan_nos).reduced(pl.Series([2])).terms for plan_nos in parts_of(inputs.plans, 1)]
    assert [terms["plan_no"].unique().to_list() for terms in kept] == [[1], [], [2], []]


def test_a_part_is_computed_in_another_process_that_has_no_database():
    inputs = portfolio()
    elsewhere = (
        "import pickle, sys\n"
        "sys.modules['duckdb'] = None\n"
        "from flows.steps.compute import compute_part\n"
        "given = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(pickle.dumps([compute_part(*each) for each in given]))\n"
    )
    given = [
        (inputs, plan_nos, TERMS_SHOWN.filter(pl.col("plan_no").is_in(plan_nos.implode())))
        for plan_nos in parts_of(inputs.plans, 2)
    ]
    done = subprocess.run([sys.executable, "-c", elsewhere], input=pickle.dumps(given), capture_output=True, check=True)
    _, here = computed(inputs, size=100)
    assert_same(assemble(inputs, together(pickle.loads(done.stdout))), here)  # noqa: S301  our own process wrote it


def test_a_portfolio_without_plans_is_one_empty_part():
    inputs = portfolio()
    assert [list(plan_nos) for plan_nos in parts_of(inputs.plans.clear())] == [[]]
    part = part_of(inputs, pl.Series([], dtype=pl.Int64))
    assert (part.terms.height, part.plans.height, part.payments.height) == (0, 0, 0)
