"""The runner: one answer per check and tenant, nothing hidden by null, parts add up to the whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from checks.base import Check, CheckError, by_part, discover, merge_results, run
from checks.duplicate_payment import plans_in_question
from schemas.core import ACCOUNTS, ORPHANS, OWN_CUSTOMERS, PLAN_ACCOUNTS, PLAN_FACTS, POLICIES, TERM_CHANGES
from schemas.options import Options
from schemas.results import PAYMENT_POSITIONS, PLAN_POSITIONS, TERM_POSITIONS
from schemas.schedules import DIFFERENCES, PLAN_RULES
from schemas.table import Table
from schemas.writes import AGREEMENTS

DAY = date(2026, 6, 30)
CHECKS = {check.name: check for check in discover()}
TABLES = (
    *(TERM_POSITIONS, PLAN_POSITIONS, PAYMENT_POSITIONS, ACCOUNTS, PLAN_ACCOUNTS, ORPHANS),
    *(POLICIES, PLAN_FACTS, TERM_CHANGES, DIFFERENCES, PLAN_RULES, AGREEMENTS, OWN_CUSTOMERS),
)


def rows(table: Table, *given: dict[str, Any]) -> pl.DataFrame:
    plain: dict[Any, Any] = {pl.Boolean: False, pl.Int64: 0, pl.Date: date(2026, 1, 1), pl.String: ""}
    base = {
        name: None if table.is_nullable(name) else plain[dtype.base_type()]
        for name, dtype in table.dtypes.items()
        if dtype.base_type() in plain
    }
    always = {
        "provider": "one",
        "tenant_id": "t",
        "currency": "EUR",
        "is_money": True,
        "is_reversal_amount_known": True,
    }
    always = {name: value for name, value in always.items() if name in table.columns}
    return pl.DataFrame([{**base, **always, **row} for row in given], schema=dict(table.dtypes))


def fetched(*tenants: tuple[str, str], incomplete: str = "") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"provider": provider, "tenant_id": tenant, "entity": entity, "complete": entity != incomplete}
            for provider, tenant in tenants
            for entity in ("plans", "terms", "payments", "accounts")
        ],
        schema={"provider": pl.String, "tenant_id": pl.String, "entity": pl.String, "complete": pl.Boolean},
    )


def given(**frames: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {table.name: table.empty() for table in TABLES} | {"completeness": fetched(("one", "t"))} | frames


def check(**changes: Any) -> Check:
    plain = Check(
        code="TOTAL_DIFF",
        severity="low",
        over=PLAN_POSITIONS,
        applies=pl.lit(value=True),
        when=pl.lit(value=True),
        explanation=pl.lit("Said."),
        needs=("plans",),
        name="plain",
    )
    return replace(plain, **changes)


PLAN = {"plan_no": 0, "plan_id": "P1", "status": "ACTIVE"}


@pytest.mark.parametrize(
    "change",
    [
        {"when": pl.col("stated_total_minor") == 5},
        {"applies": pl.col("stated_total_minor") == 5},
    ],
)
def test_a_predicate_that_is_null_where_it_applies_is_an_error_of_the_check(change: dict[str, Any]) -> None:
    plans = rows(PLAN_POSITIONS, {**PLAN, "stated_total_minor": None})
    with pytest.raises(CheckError, match=r"check plain: the predicate is null on 1 rows .* first of one/t; narrow"):
        run([check(**change)], given(plan_positions=plans), as_of=DAY)


def test_a_predicate_may_be_null_where_it_does_not_apply() -> None:
    plans = rows(PLAN_POSITIONS, {**PLAN, "stated_total_minor": None}, {**PLAN, "plan_no": 1, "stated_total_minor": 5})
    total = pl.col("stated_total_minor")
    breaks, results = run([check(applies=total.is_not_null(), when=total == 5)], given(plan_positions=plans), as_of=DAY)
    assert breaks.height == 1
    assert results.select("examined", "not_applicable", "breaks").row(0) == (2, 1, 1)


def test_a_frame_that_was_not_given_is_named() -> None:
    with pytest.raises(CheckError, match="the frame plan_positions was not given"):
        run([check()], {"completeness": fetched()}, as_of=DAY)


def test_a_break_without_words_stops_at_the_gate() -> None:
    plans = rows(PLAN_POSITIONS, PLAN)
    silent = check(explanation=pl.lit(None, dtype=pl.String))
    with pytest.raises(Exception, match="explanation"):
        run([silent], given(plan_positions=plans), as_of=DAY)


def test_every_tenant_gets_a_result_examined_or_not() -> None:
    plans = rows(PLAN_POSITIONS, PLAN, {**PLAN, "plan_no": 1, "tenant_id": "never_fetched"})
    frames = given(plan_positions=plans, completeness=fetched(("one", "t"), ("two", "u")))
    _, results = run([check()], frames, as_of=DAY)
    assert results.select("provider", "tenant_id", "examined", "breaks", "is_evaluated").rows() == [
        ("one", "never_fetched", 1, 1, False),
        ("one", "t", 1, 1, True),
        ("two", "u", 0, 0, True),
    ]


@pytest.mark.parametrize(("incomplete", "is_evaluated"), [("plans", False), ("payments", True)])
def test_only_the_entities_a_check_needs_decide_whether_it_is_evaluated(*, incomplete: str, is_evaluated: bool) -> None:
    frames = given(completeness=fetched(("one", "t"), incomplete=incomplete))
    _, results = run([check()], frames, as_of=DAY)
    assert results["is_evaluated"].to_list() == [is_evaluated]


def test_options_of_the_provider_reach_the_check() -> None:
    plans = rows(PLAN_POSITIONS, PLAN, {**PLAN, "plan_no": 1, "plan_id": "P2", "provider": "two"})
    telling = check(actual=pl.format("{} {} {}", "grace_days", "stale_pending_days", "as_of"))
    breaks, _ = run([telling], given(plan_positions=plans), as_of=DAY, options={"two": Options(grace_days=7)})
    assert breaks["actual"].to_list() == ["0 5 2026-06-30", "7 5 2026-06-30"]


def test_checks_on_the_same_rows_do_not_mix() -> None:
    plans = rows(PLAN_POSITIONS, PLAN, {**PLAN, "plan_no": 1, "plan_id": "P2"})
    first = check(name="first", when=pl.col("plan_id") == "P1", reason="A")
    second = check(name="second", applies=pl.col("plan_id") == "P2", reason="B")
    breaks, results = run([first, second], given(plan_positions=plans), as_of=DAY)
    assert breaks.select("plan_id", "reason").rows() == [("P1", "A"), ("P2", "B")]
    assert results.select("check", "examined", "not_applicable", "breaks").rows() == [
        ("first", 2, 0, 1),
        ("second", 2, 1, 1),
    ]


def test_a_term_break_carries_the_account_of_its_plan() -> None:
    plans = rows(PLAN_POSITIONS, {**PLAN, "account_id": "L1"})
    terms = rows(TERM_POSITIONS, {"plan_no": 0, "plan_id": "P1", "term_id": "T1", "term_no": 1})
    breaks, _ = run([check(over=TERM_POSITIONS)], given(plan_positions=plans, term_positions=terms), as_of=DAY)
    assert breaks.select("account_id", "plan_id", "term_id").row(0) == ("L1", "P1", "T1")


def portfolio() -> dict[str, pl.DataFrame]:
    """Return 40 plans of which every third is off, with terms and payments that break rules here and there."""
    plans, terms, payments, differences, rules, policies = [], [], [], [], [], []
    for no in range(40):
        total = 20_000 + (no % 3 == 0)
        plan = {"plan_no": no, "plan_id": f"P{no:02}", "account_no": no, "account_id": f"L{no:02}", "status": "ACTIVE"}
        money = {"amount_minor": 20_000, "stated_total_minor": total, "pending_minor": 30_000 * (no % 7 == 0)}
        plans.append(plan | money | {"is_in_force": True, "terms": 2})
        differences += difference_rows(no)
        rules.append({"plan_no": no, "frequency": "DAYS", "days_in_period": no % 9})
        tier = {"minimum_minor": 0, "maximum_minor": 1_000 * no, "payment_count": 1, "restricted_minimum_minor": 20_000}
        policy = {"account_no": no, "account_id": plan["account_id"], "maximum_term": 1 + no % 4}
        policies.append(policy | {"tiers": [tier, {**tier, "minimum_minor": 30_000, "maximum_minor": 40_000}]})
        for term_no in (1, 2):
            due = date(2026, 1, 1) if no % 5 == 0 else date(2026, term_no, 1)
            term = {
                "term_id": f"T{term_no}",
                "term_no": term_no,
                "due_date": due,
                "amount_minor": 10_000,
                "state": "MISSED",
            }
            terms.append({"plan_no": no, "plan_id": plan["plan_id"]} | term)
        for part in (0, 1):
            payment = {"payment_no": 2 * no + part, "payment_id": f"R{no:02}{part}", "class": "pending"}
            moment = {"is_stale": no % 4 == 0, "pending_business_days": no, "effective_date": date(2026, 1, 1)}
            payments.append(plan | payment | moment | {"amount_minor": 10_000})
    wanted = [{name: row[name] for name in row if name in PAYMENT_POSITIONS.columns} for row in payments]
    return given(
        plan_positions=rows(PLAN_POSITIONS, *plans),
        term_positions=rows(TERM_POSITIONS, *terms),
        payment_positions=rows(PAYMENT_POSITIONS, *wanted),
        differences=rows(DIFFERENCES, *differences),
        plan_rules=rows(PLAN_RULES, *rules),
        policies=rows(POLICIES, *policies),
    )


def difference_rows(no: int) -> list[dict[str, Any]]:
    """Return what is wrong with the schedule of this plan: nothing, or one of each code in turn."""
    codes = ("DUE_DATE_DIFF", "AMOUNT_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR")
    if no % 3:
        return []
    code, term = codes[no // 3 % 5], 1 + no % 2
    is_there = code != "TERM_MISSING"
    figures = {"difference_days": 1, "expected_amount_minor": 9_999, "amount_minor": 10_000 if is_there else None}
    return [{"plan_no": no, "term_no": term if is_there else None, "sequence": 1, "code": code} | figures]


def part_of(frames: dict[str, pl.DataFrame], plans: Callable[[pl.Expr], pl.Expr]) -> dict[str, pl.DataFrame]:
    cut = {name for name in frames if name.endswith("_positions") or name in {"differences", "plan_rules"}}
    return {name: frame.filter(plans(pl.col("plan_no"))) if name in cut else frame for name, frame in frames.items()}


def test_parts_and_the_rest_add_up_to_the_whole() -> None:
    frames = portfolio()
    parted, rest = by_part(tuple(CHECKS.values()))
    parts = [run(parted, part_of(frames, part), as_of=DAY) for part in (lambda no: no < 11, lambda no: no >= 11)]
    merged = merge_results([*parts, run(rest, frames, as_of=DAY)])
    whole = run(tuple(CHECKS.values()), frames, as_of=DAY)
    assert whole[0].height > 100
    schedules = {"DUE_DATE_DIFF", "AMOUNT_DIFF", "TERM_MISSING", "TERM_EXTRA", "AMBIGUOUS_PAIR"}
    assert schedules | {"POLICY_VIOLATION"} <= set(whole[0]["code"])
    assert merged[0].equals(whole[0])
    assert merged[1].equals(whole[1])


def test_what_runs_part_by_part_reads_the_rows_of_its_plans_and_the_policies_only() -> None:
    parted, rest = by_part(tuple(CHECKS.values()))
    assert {item.name for item in (*parted, *rest)} == set(CHECKS)
    read = {
        "term_positions",
        "plan_positions",
        "differences",
        "plan_rules",
        "plan_facts",
        "term_changes",
        "policies",
        "completeness",
    }
    frames = {name: frame for name, frame in portfolio().items() if name in read}
    assert run(parted, frames, as_of=DAY)[1].height == len(parted)
    assert {item.name for item in parted} >= {"amount_diff", "term_missing", "due_day", "period_not_positive"}
    whole = {
        "balance_drift",
        "duplicate_payment",
        "stale_pending",
        "two_active_plans",
        "due_date_diff",
        "due_date_zone",
    }
    assert {item.name for item in rest} >= whole


def test_a_repeat_is_told_from_the_terms_of_the_plans_in_question_alone() -> None:
    frames = portfolio()
    wanted = plans_in_question(frames)
    # Every plan was paid twice on 1 January; only every fifth had both terms due by then.
    assert wanted.to_list() == list(range(40))
    fewer = frames | {"term_positions": frames["term_positions"].filter(pl.col("plan_no").is_in(wanted.to_list()))}
    breaks, _ = run([CHECKS["duplicate_payment"]], fewer, as_of=DAY)
    assert breaks["payment_id"].to_list() == [f"R{no:02}1" for no in range(40) if no % 5]


def test_no_parts_are_an_empty_answer() -> None:
    breaks, results = merge_results([])
    assert breaks.is_empty()
    assert results.is_empty()


def test_the_order_of_the_rows_changes_nothing() -> None:
    frames = portfolio()
    mixed = {name: frame.reverse() if frame.height else frame for name, frame in frames.items()}
    one, two = (run(tuple(CHECKS.values()), some, as_of=DAY) for some in (frames, mixed))
    assert one[0].equals(two[0])
    assert one[1].equals(two[1])


@pytest.mark.parametrize(
    "providers",
    [["one"] * 4_000 + ["two"] * 5_000 + ["one"] * 2_000, ["one", "two", "one"] * 4_000, ["one"] * 11_000],
    ids=["their rows lie together", "their rows take turns", "there is one"],
)
def test_many_rows_are_counted_for_their_own_tenant_in_any_order(providers: list[str]) -> None:
    many = rows(PLAN_POSITIONS, PLAN)[[0] * len(providers)]
    many = many.with_columns(pl.Series("provider", providers), plan_no=pl.int_range(pl.len()))
    odd = check(applies=pl.col("plan_no") > 0, when=pl.col("plan_no") % 1_000 == 1)
    found = run([odd], given(plan_positions=many), as_of=DAY)[1]
    expected = [
        (
            name,
            providers.count(name),
            int(name == "one"),
            sum(providers[at] == name for at in range(1, len(providers), 1_000)),
        )
        for name in sorted(set(providers))
    ]
    assert found.select("provider", "examined", "not_applicable", "breaks").rows() == expected
