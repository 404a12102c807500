"""Mutate one convention of the provider and that reason comes back, for every affected term and nothing else.

The provider's side is made by the second, slow schedule that shares nothing with the product.
"""

import random
from dataclasses import asdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from oracles import schedule_oracle
from polars.testing import assert_frame_equal

from schemas.conventions import CHOICES, Conventions
from schemas.schedules import CUSTOM_TERMS, DIFFERENCES, PAIRS, PLAN_RULES
from transforms.calendars.closed_days import Calendar
from transforms.conformance import why
from transforms.conformance.changes import discover
from transforms.conformance.pairing import comparable, pair
from transforms.conformance.why import Explained, explain_pairs
from transforms.schedules.regenerate import regenerate

Row = dict[str, Any]
FAIR = tuple((date(2025, 1, 6) + timedelta(days=days), "Fair") for days in range(0, 900, 11))
CALENDARS = {"fair": Calendar(own_days=FAIR)}
HOLIDAYS = {day for day, _ in FAIR}
PLAIN: Row = {
    "convention_set": "p", "calendar": "fair", "currency": "EUR", "arrangement": "NUMBER", "frequency": "MONTHLY",
    "pattern": "DAY", "first_due_date": date(2026, 1, 15), "term_count": 6, "total_minor": 100_01, "weekend_shift": 0,
    "holiday_shift": 0,
}  # fmt: skip


def filled(plan: Row) -> Row:
    return dict.fromkeys(PLAN_RULES.columns) | PLAIN | plan


def frame(plans: list[Row]) -> pl.DataFrame:
    rows = [{name: plan[name] for name in PLAN_RULES.columns} for plan in plans]
    return PLAN_RULES.gate(pl.DataFrame(rows, schema=dict(PLAN_RULES.dtypes), orient="row"))


def shown(schedules: dict[int, list[tuple[date, int]]]) -> pl.DataFrame:
    """The provider's terms, numbered by date."""
    rows = [
        (plan, number, day, amount)
        for plan, terms in sorted(schedules.items())
        for number, (day, amount) in enumerate(sorted(terms), 1)
    ]
    schema = {"plan_no": pl.Int64, "term_no": pl.Int64, "due_date": pl.Date, "amount_minor": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def compared(plans: list[Row], terms: pl.DataFrame, ours: Conventions) -> Explained:
    rules, none = frame(plans), CUSTOM_TERMS.empty()
    made = regenerate(rules, none, conventions={"p": ours}, calendars=CALENDARS)
    pairs = pair(terms, made.terms, comparable(rules, made.missing))
    found = explain_pairs(pairs, terms, made.terms, rules, none, conventions={"p": ours}, calendars=CALENDARS)
    return Explained(DIFFERENCES.gate(found.differences), PAIRS.gate(found.pairs), found.reasons)


def scheduled(plan: Row, conventions: Conventions) -> list[Row]:
    terms: list[Row] = schedule_oracle.schedule(plan, holidays=HOLIDAYS, **asdict(conventions))
    return terms


# --- one convention at a time -------------------------------------------------------------


def drawn(number: int, draw: random.Random) -> Row:
    frequency = draw.choice(["DAYS", "WEEKLY", "BIWEEKLY", "SEMIMONTHLY", "MONTHLY"])
    by_weekday = frequency in {"MONTHLY", "SEMIMONTHLY"} and draw.random() < 0.5
    end_of_month = draw.choice([29, 30, 30, 31])
    return filled(
        {
            "plan_no": number,
            "frequency": frequency,
            "pattern": "WEEKDAY" if by_weekday else "DAY",
            "days_in_period": draw.choice([1, 2, 9, 30]) if frequency == "DAYS" else None,
            "first_due_date": date(2025, 1, 1) + timedelta(days=draw.randint(0, 300)),
            "first_day": draw.choice([None, 15, end_of_month, end_of_month]),
            "second_day": draw.choice([16, 30]),
            "first_weekday": draw.randint(1, 7),
            "second_weekday": draw.randint(1, 7),
            "first_week": draw.choice([1, 3, 5]),
            "second_week": draw.choice([2, 5]),
            "term_count": draw.randint(1, 14),
            "total_minor": draw.randint(50_00, 900_00),
            "weekend_shift": draw.choice([0, 1, -1, 2]),
            "holiday_shift": draw.choice([0, 1, -1, 3]),
        }
    )


def in_order(terms: list[Row]) -> bool:
    return all(before["expected"] < after["expected"] for before, after in pairwise(terms))


def negated(plan: Row) -> Row:
    return plan | {"weekend_shift": -plan["weekend_shift"], "holiday_shift": -plan["holiday_shift"]}


MUTATIONS: list[tuple[str, Row, Row, Any]] = [
    # reason, our conventions, the provider's, or what the provider does to the rule
    ("ROUNDING_PLACEMENT", {}, {"remainder": "FIRST"}, None),
    ("ROUNDING_PLACEMENT", {}, {"remainder": "SPREAD"}, None),
    ("ROUNDING_PLACEMENT", {"remainder": "SPREAD"}, {"remainder": "LAST"}, None),
    ("MONTH_END", {}, {"short_month": "OVERFLOW"}, None),
    ("MONTH_END", {}, {"short_month": "OVERFLOW_31"}, None),
    ("MONTH_END", {"short_month": "OVERFLOW"}, {"short_month": "LAST_DAY"}, None),
    ("FIFTH_WEEK", {}, {"fifth_week": "SKIP"}, None),
    ("FIFTH_WEEK", {}, {"fifth_week": "NEXT"}, None),
    ("FIFTH_WEEK", {"fifth_week": "SKIP"}, {"fifth_week": "LAST"}, None),
    ("SHIFT_ORDER", {}, {"shift_order": "HOLIDAY_FIRST"}, None),
    ("SHIFT_ORDER", {"shift_order": "HOLIDAY_FIRST"}, {"shift_order": "WEEKEND_FIRST"}, None),
    ("SHIFT_TWICE", {}, {"shift_mode": "REPEAT"}, None),
    ("SHIFT_TWICE", {"shift_mode": "REPEAT"}, {"shift_mode": "ONCE"}, None),
    ("CASCADED", {}, {"cascade": True}, None),
    ("CASCADED", {"cascade": True}, {"cascade": False}, None),
    ("ANCHOR_DRIFT", {}, {"drift": True}, None),
    ("COLLISION", {}, {"collision": "MERGE"}, None),
    ("COLLISION", {}, {"collision": "NEXT_DAY"}, None),
    ("COLLISION", {"collision": "MERGE"}, {"collision": "KEEP"}, None),
    ("COLLISION", {"collision": "NEXT_DAY"}, {"collision": "MERGE"}, None),
    ("WEEKEND_SHIFT", {}, {}, lambda plan: plan | {"weekend_shift": 0}),
    ("WEEKEND_SHIFT", {}, {}, lambda plan: plan | {"weekend_shift": 2} if plan["weekend_shift"] == 0 else plan),
    ("HOLIDAY_SHIFT", {}, {}, lambda plan: plan | {"holiday_shift": 0}),
    ("HOLIDAY_SHIFT", {}, {}, lambda plan: plan | {"holiday_shift": 1} if plan["holiday_shift"] == 0 else plan),
    ("WRONG_DIRECTION", {}, {}, negated),
    ("WRONG_DIRECTION", {}, {}, lambda plan: plan | {"weekend_shift": -plan["weekend_shift"]}),
    ("WRONG_DIRECTION", {}, {}, lambda plan: plan | {"holiday_shift": -plan["holiday_shift"]}),
    ("SHIFT_TWICE", {}, {}, lambda plan: plan | {"weekend_shift": plan["weekend_shift"] * 2}),
]


@pytest.mark.parametrize(("reason", "ours", "theirs", "bend"), MUTATIONS)
def test_a_mutated_convention_is_the_reason_of_every_affected_term_and_of_no_other_break(
    reason: str, ours: Row, theirs: Row, bend: Any
) -> None:
    draw = random.Random(f"{reason}{ours}{theirs}")
    plans = [drawn(number, draw) for number in range(300)]
    mine, other = Conventions(**ours), Conventions(**(ours | theirs))
    right = {plan["plan_no"]: scheduled(plan, mine) for plan in plans}
    wrong = {plan["plan_no"]: scheduled(bend(plan) if bend else plan, other) for plan in plans}
    terms = shown({plan: [(row["expected"], row["amount"]) for row in rows] for plan, rows in wrong.items()})
    differences = compared(plans, terms, mine).differences

    def affected(column: str) -> set[tuple[int, int]]:
        before, after = (
            {(plan, row["sequence"]): row[column] for plan, rows in side.items() for row in rows}
            for side in (right, wrong)
        )
        return {key for key in before.keys() & after.keys() if before[key] != after[key]}

    # Where terms share a day or overtake one another nobody can say which is which.
    apart = {plan for plan in right if all(in_order(side[plan]) for side in (right, wrong))}
    assert len(apart) > 200
    for code, column in (("DUE_DATE_DIFF", "expected"), ("AMOUNT_DIFF", "amount")):
        found = set(differences.filter(code=code).select("plan_no", "sequence").iter_rows())
        assert {key for key in found if key[0] in apart} == {key for key in affected(column) if key[0] in apart}
    assert differences.height > 5
    ties = differences["reason"].str.split("|").list.contains(reason)
    assert ties.all(), differences.filter(~ties).to_dicts()[0]
    lost = {plan: len(right[plan]) - len(rows) for plan, rows in wrong.items()}
    assert differences.filter(code="TERM_MISSING").height == sum(max(0, count) for count in lost.values())
    assert differences.filter(code="TERM_EXTRA").height == sum(max(0, -count) for count in lost.values())
    assert differences.filter(code="AMBIGUOUS_PAIR").is_empty()


@pytest.mark.parametrize("collision", CHOICES["collision"])
def test_pairs_of_changes_are_only_left_out_where_one_of_them_tells_the_same(
    collision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(collision)
    plans = [drawn(number, draw) for number in range(60)]
    bent = {"collision", "remainder", "short_month", "shift_mode", "cascade"}
    schedules = {}
    for plan in plans:
        changed = {name: draw.choice(CHOICES.get(name, (True, False))) for name in draw.sample(sorted(bent), 2)}
        rows = scheduled(draw.choice([plan, negated(plan)]), Conventions(**({"collision": collision} | changed)))
        schedules[plan["plan_no"]] = [(row["expected"], row["amount"]) for row in rows]
    found = compared(plans, shown(schedules), Conventions(collision=collision))
    monkeypatch.setattr(why, "told_by_one", lambda *_: None)
    every = compared(plans, shown(schedules), Conventions(collision=collision))
    assert_frame_equal(found.differences, every.differences)
    assert_frame_equal(found.pairs, every.pairs)


def test_every_reason_of_a_change_is_mutated_above() -> None:
    assert {change.reason for change in discover()} == {mutation[0] for mutation in MUTATIONS}


# --- sentences, sets and what stays open --------------------------------------------------


def single(plan: Row, terms: list[tuple[date, int]], **conventions: Any) -> list[tuple[str, str]]:
    found = compared([filled(plan | {"plan_no": 0})], shown({0: terms}), Conventions(**conventions))
    return list(found.differences.select("code", "reason").iter_rows())


FRIDAYS: Row = {
    "plan_no": 0, "calendar": "fair", "frequency": "WEEKLY", "first_due_date": date(2026, 6, 26), "holiday_shift": 3,
    "term_count": 4, "total_minor": 400_00,
}  # fmt: skip


def test_a_holiday_that_was_not_avoided_is_told_in_one_sentence() -> None:
    calendars = {"fair": Calendar(own_days=((date(2026, 7, 3), "Independence Day (observed)"),))}
    rules, none = frame([filled(FRIDAYS)]), CUSTOM_TERMS.empty()
    means: Row = {"conventions": {"p": Conventions()}, "calendars": calendars}
    made = regenerate(rules, none, **means)
    terms = shown({0: [(date(2026, 6, 26) + timedelta(days=7 * week), 100_00) for week in range(4)]})
    pairs = pair(terms, made.terms, comparable(rules, made.missing))
    told = explain_pairs(pairs, terms, made.terms, rules, none, **means).differences.row(0, named=True)
    assert (told["code"], told["reason"], told["difference_days"]) == ("DUE_DATE_DIFF", "HOLIDAY_SHIFT", -3)
    assert told["calendar_date"] == date(2026, 7, 3)
    assert told["explanation"] == (
        "The provider says 2026-07-03, the plan's own rule 2026-07-06 (2026-07-03 (Fri): holiday Independence Day "
        "(observed), +3 days to 2026-07-06 (Mon); calendar 1 own closed day); the provider's date comes out if the holiday is not avoided."
    )


MONTHLY: Row = {"first_due_date": date(2026, 1, 31), "term_count": 3, "total_minor": 100_00, "weekend_shift": 2}
OWN = [(date(2026, 2, 2), 33_33), (date(2026, 3, 2), 33_33), (date(2026, 3, 31), 33_34)]


def test_a_plan_that_agrees_has_no_difference() -> None:
    assert single(MONTHLY, OWN) == []


def test_two_changes_together_are_tried_where_one_is_not_enough() -> None:
    # The 30th overflows to Saturday 1 March, and the weekend is not avoided.
    plan = MONTHLY | {"first_due_date": date(2025, 1, 30), "term_count": 2}
    found = single(plan, [(date(2025, 1, 30), 50_00), (date(2025, 3, 1), 50_00)])
    assert found == [("DUE_DATE_DIFF", "MONTH_END+WEEKEND_SHIFT")]


def test_a_date_that_nothing_gives_stays_unexplained() -> None:
    found = single(MONTHLY, [OWN[0], OWN[1], (date(2026, 4, 9), 33_34)])
    assert found == [("DUE_DATE_DIFF", "UNEXPLAINED")]


def test_an_amount_that_nothing_gives_stays_unexplained() -> None:
    assert single(MONTHLY, [OWN[0], (OWN[1][0], 40_00), OWN[2]]) == [("AMOUNT_DIFF", "UNEXPLAINED")]


def test_amounts_within_a_minor_unit_a_term_are_rounding() -> None:
    assert single(MONTHLY, [OWN[0], (OWN[1][0], 33_35), OWN[2]]) == [("AMOUNT_DIFF", "ROUNDING")]
    assert single(MONTHLY, [OWN[0], (OWN[1][0], 33_37), OWN[2]]) == [("AMOUNT_DIFF", "UNEXPLAINED")]


def test_the_same_amounts_on_other_terms_are_a_matter_of_placement() -> None:
    found = single(MONTHLY, [OWN[0], (OWN[1][0], 33_34), (OWN[2][0], 33_33)])
    assert found == [("AMOUNT_DIFF", "ROUNDING_PLACEMENT")] * 2


def test_date_and_amount_of_one_term_are_told_apart() -> None:
    found = single(MONTHLY, [(date(2026, 1, 31), 40_00), OWN[1], OWN[2]])
    assert found == [("AMOUNT_DIFF", "UNEXPLAINED"), ("DUE_DATE_DIFF", "WEEKEND_SHIFT")]


def test_terms_without_a_partner_carry_no_reason() -> None:
    assert single(MONTHLY, OWN[:2]) == [("TERM_MISSING", "")]
    assert single(MONTHLY, [*OWN, (date(2026, 8, 1), 5)]) == [("TERM_EXTRA", "")]


def test_every_term_of_a_provider_one_day_off_is_a_time_zone() -> None:
    plans = [filled(MONTHLY | {"plan_no": number}) for number in range(3)]
    late = [(day + timedelta(days=1), amount) for day, amount in OWN]
    found = compared(plans, shown(dict.fromkeys(range(3), late)), Conventions()).differences
    assert found["reason"].unique().to_list() == ["TIMEZONE"]
    assert found.height == 9
    mixed = compared(plans, shown({0: late, 1: late, 2: OWN}), Conventions()).differences
    assert "TIMEZONE" not in mixed["reason"].to_list()


def test_a_plan_with_days_only_is_explained_by_its_days() -> None:
    found = single(MONTHLY | {"total_minor": None}, [(date(2026, 1, 31), 1), (OWN[1][0], 2), (OWN[2][0], 3)])
    assert found == [("DUE_DATE_DIFF", "WEEKEND_SHIFT")]


def test_terms_a_plan_lists_itself_follow_no_rule_that_could_be_changed() -> None:
    plan = filled({"plan_no": 0, "arrangement": "CUSTOM", "frequency": None, "weekend_shift": 2})
    custom = pl.DataFrame([(0, 1, date(2026, 7, 4), 50)], schema=dict(CUSTOM_TERMS.dtypes), orient="row")
    rules, means = frame([plan]), {"conventions": {"p": Conventions()}, "calendars": CALENDARS}
    made = regenerate(rules, custom, **means)  # type: ignore[arg-type]
    terms = shown({0: [(date(2026, 7, 6), 50)]})
    pairs = pair(terms, made.terms, comparable(rules, made.missing))
    found = explain_pairs(pairs, terms, made.terms, rules, custom, **means)  # type: ignore[arg-type]
    assert found.differences["reason"].to_list() == ["UNEXPLAINED"]
