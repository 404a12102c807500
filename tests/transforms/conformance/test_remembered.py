"""What is remembered gives the same as looking again, whatever changed since; and what did not change is not looked for."""

import random
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.conventions import Conventions
from schemas.schedules import CUSTOM_TERMS, PLAN_RULES
from transforms.calendars.closed_days import Calendar
from transforms.conformance import why
from transforms.conformance.counterfactuals import Means
from transforms.conformance.pairing import comparable, pair
from transforms.conformance.remembered import cases_of
from transforms.conformance.why import explain_pairs
from transforms.schedules.regenerate import regenerate

SHOWN = {"plan_no": pl.Int64, "term_no": pl.Int64, "due_date": pl.Date, "amount_minor": pl.Int64}
OWN_WAYS = [
    Conventions(),
    Conventions(remainder="FIRST"),
    Conventions(shift_mode="REPEAT"),
    Conventions(short_month="OVERFLOW"),
]


def fair(first):
    return Calendar(own_days=tuple((date(2026, 1, first) + timedelta(days), "Fair") for days in range(0, 400, 11)))


def world(draw, plans=42):
    """Plans of three providers, each provider with conventions and a calendar of its own; few keep their rule."""
    rules = [
        dict.fromkeys(PLAN_RULES.columns)
        | {
            "plan_no": number, "convention_set": f"p{number % 3}", "calendar": f"c{number % 2}", "currency": "EUR",
            "arrangement": "CUSTOM" if number % 10 == 0 else "NUMBER", "pattern": "DAY",
            "frequency": draw.choice(["WEEKLY", "MONTHLY"]), "first_day": draw.choice([15, 31]),
            "first_due_date": date(2026, 1, 1) + timedelta(draw.randint(0, 40)), "term_count": draw.randint(2, 6),
            "total_minor": draw.randint(100_00, 101_00), "weekend_shift": draw.choice([0, 1]),
            "holiday_shift": draw.choice([0, 1, -1]),
        }
        for number in range(plans)
    ]  # fmt: skip
    custom = [(number, place, date(2026, 2, place), 10_00) for number in range(0, plans, 10) for place in (1, 2, 3)]
    means = {
        "conventions": {f"p{number}": draw.choice(OWN_WAYS) for number in range(3)},
        "calendars": {f"c{number}": fair(number + 1) for number in range(2)},
    }
    theirs = {
        "conventions": {name: draw.choice(OWN_WAYS) for name in means["conventions"]},
        "calendars": means["calendars"],
    }
    rules = pl.DataFrame(rules, schema=dict(PLAN_RULES.dtypes))
    custom = pl.DataFrame(custom, schema=dict(CUSTOM_TERMS.dtypes), orient="row")
    made = regenerate(rules, custom, **theirs).terms
    terms = [
        (plan, place, day + timedelta(draw.choice([0, 0, 0, 0, 1, 3])), amount + draw.choice([0, 0, 0, 1, 5_00]))
        for plan, place, day, amount in made.select(
            "plan_no", "sequence", "expected_due_date", "expected_amount_minor"
        ).iter_rows()
    ]
    return rules, custom, pl.DataFrame(terms, schema=SHOWN, orient="row"), means


def changed(draw, rules, custom, terms, means):
    """Return the same a day later: each seventh of the plans has another change, as have one provider and one calendar."""

    def group(number):
        return pl.col("plan_no") % 7 == number

    def later(number, name, new):
        return pl.when(group(number)).then(new).otherwise(name).alias(name)

    terms = terms.filter(~(group(0) & (pl.col("term_no") == 2))).with_columns(
        later(1, "due_date", pl.col("due_date").dt.offset_by("1d")),
        later(2, "amount_minor", pl.col("amount_minor") + 1),
    )
    rules = rules.with_columns(
        later(3, "holiday_shift", -pl.col("holiday_shift")), later(4, "total_minor", pl.col("total_minor") + 1)
    )
    custom = custom.with_columns(later(5, "due_date", pl.col("due_date").dt.offset_by("1d")))
    conventions = means["conventions"] | {"p1": draw.choice(OWN_WAYS)}
    calendars = means["calendars"] | {"c1": fair(draw.randint(3, 9))}
    return rules, custom, terms, {"conventions": conventions, "calendars": calendars}


RULE = {
    "plan_no": 1, "convention_set": "p", "calendar": "c", "currency": "EUR", "arrangement": "NUMBER",
    "frequency": "MONTHLY", "pattern": "DAY", "days_in_period": 9, "first_due_date": date(2026, 1, 1), "first_day": 15,
    "second_day": 16, "first_weekday": 1, "second_weekday": 2, "first_week": 1, "second_week": 2, "term_count": 3,
    "term_amount_minor": 1, "total_minor": 1, "weekend_shift": 0, "holiday_shift": 0, "missing_input": "total",
}  # fmt: skip
TERM = {"plan_no": 1, "term_no": 1, "due_date": date(2026, 1, 1), "amount_minor": 1}
LISTED = {"plan_no": 1, "sequence": 1, "due_date": date(2026, 1, 1), "amount_minor": 1}


FAIR = fair(1)


def case(rule=RULE, terms=(TERM,), listed=(LISTED,), conventions=OWN_WAYS[0], calendar=FAIR):
    """Return the hash of one plan, whatever its conventions and its calendar are called."""
    rules = pl.DataFrame([rule], schema=dict(PLAN_RULES.dtypes))
    means = Means(
        pl.DataFrame(listed, schema=dict(CUSTOM_TERMS.dtypes)),
        {rule["convention_set"]: conventions},
        {rule["calendar"]: calendar},
    )
    return cases_of(rules, [rules, pl.DataFrame(terms, schema=SHOWN)], means)["case"].item()


def with_others(row):
    """Yield the row with another value in one column, and with none, for each column but the plan's number."""
    other = {str: "x", int: 99, date: date(2030, 1, 1)}
    for name, value in row.items():
        if name != "plan_no":
            yield row | {name: other[type(value)]}
            if name not in {"convention_set", "calendar"}:
                yield row | {name: None}


def test_no_two_cases_that_differ_in_anything_have_the_same_hash(monkeypatch):
    hashes = [case()]
    hashes += [case(rule=rule) for rule in with_others(RULE)]
    hashes += [case(terms=[term]) for term in with_others(TERM)]
    hashes += [case(listed=[term]) for term in with_others(LISTED)]
    hashes += [case(terms=[]), case(terms=[TERM, TERM]), case(listed=[])]
    hashes += [case(conventions=other) for other in OWN_WAYS[1:]]
    hashes += [
        case(calendar=other) for other in (fair(2), Calendar("US"), Calendar("NL"), Calendar("US", weekend=(7,)))
    ]
    monkeypatch.setattr("transforms.calendars.closed_days._release", lambda: "another release")
    hashes.append(case(calendar=Calendar("US")))
    assert set(PLAN_RULES.columns) == set(RULE)
    assert len(set(hashes)) == len(hashes)


def test_a_hash_knows_neither_the_number_of_the_plan_nor_the_order_of_its_rows():
    second = TERM | {"term_no": 2}
    other = {"plan_no": 2}
    there = case(terms=[TERM, second])
    assert there == case(RULE | other, [second | other, TERM | other], [LISTED | other])


def explained(rules, custom, terms, means, remembered=None):
    made = regenerate(rules, custom, **means)
    pairs = pair(terms, made.terms, comparable(rules, made.missing))
    return explain_pairs(pairs, terms, made.terms, rules, custom, **means, remembered=remembered)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_remembered_is_what_would_be_found_again_whatever_changed_since(seed):
    draw = random.Random(seed)
    given = world(draw)
    remembered = explained(*given).reasons
    later = changed(draw, *given)
    found, anew = explained(*later, remembered), explained(*later)
    assert_frame_equal(found.differences, anew.differences)
    assert_frame_equal(found.pairs, anew.pairs)
    assert_frame_equal(found.reasons.sort("case"), anew.reasons.sort("case"))


def test_nothing_is_looked_for_where_nothing_changed_but_the_numbers_of_the_plans(monkeypatch):
    rules, custom, terms, means = world(random.Random("unchanged"), plans=12)
    remembered = explained(rules, custom, terms, means).reasons
    monkeypatch.setattr(why, "_judged", lambda *_: pytest.fail("looked for again"))
    renumbered = (frame.with_columns(pl.col("plan_no") + 100) for frame in (rules, custom, terms))
    assert explained(*renumbered, means, remembered).differences.height


def test_a_provider_whose_conventions_changed_is_looked_at_again_and_no_other(monkeypatch):
    rules, custom, terms, means = world(random.Random("one provider"), plans=12)
    remembered = explained(rules, custom, terms, means).reasons
    looked_at = []
    judged = why._judged

    def noted(case, own):
        looked_at.extend(case.rules["convention_set"])
        return judged(case, own)

    monkeypatch.setattr(why, "_judged", noted)
    other = means["conventions"] | {"p1": replace(means["conventions"]["p1"], collision="MERGE")}
    explained(rules, custom, terms, means | {"conventions": other}, remembered)
    assert set(looked_at) == {"p1"}
