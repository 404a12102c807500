"""The rules for proposed plans, one by one: kept at the bound, broken just beyond it."""

from datetime import date
from decimal import Decimal

import pytest

from flows.commands.writes.policy import require_rules, violations
from flows.configuration import load
from flows.errors import SettingsError
from flows.settings import WritePolicy
from providers.writing import PlanNow, Term


def proposed(*terms, created_at="2026-01-01T12:00:00Z"):
    """A plan of terms written as day and amount."""
    listed = tuple(Term(date.fromisoformat(due), Decimal(amount)) for due, amount in terms)
    return PlanNow("1", "50", "PROPOSED", created_at, listed)


def broken(plan, **rules):
    return violations(plan, WritePolicy(**rules))


THREE = proposed(("2026-02-01", "10.00"), ("2026-03-01", "45.00"), ("2026-04-01", "45.00"))


def test_a_plan_that_keeps_every_rule_breaks_none():
    rules = {
        "max_terms": 3,
        "max_months": 2,
        "max_days_to_first": 31,
        "min_term_amount": "10",
        "min_first_share": "0.1",
    }
    assert broken(THREE, **rules) == []


def test_a_plan_that_breaks_every_rule_is_told_each_with_its_figure():
    rules = {
        "max_terms": 2,
        "max_months": 1,
        "max_days_to_first": 30,
        "min_term_amount": "10.01",
        "min_first_share": "0.11",
    }
    assert broken(THREE, **rules) == [
        "3 terms, at most 2 are allowed",
        "it lasts 2 months, at most 1 are allowed",
        "a term of 10.00, at least 10.01 is asked for",
        "the first term is 10.00 of 100.00, less than a share of 0.11",
        "the first term is due 31 days after the proposal, at most 30 are allowed",
    ]


def test_a_rule_that_is_not_set_is_not_broken():
    endless = proposed(*((f"{2026 + year}-01-01", "0.01") for year in range(80)))
    assert broken(endless) == []
    assert len(broken(endless, max_terms=79)) == 1


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-01-15", "2026-02-16", 2),
        ("2026-01-15", "2026-03-15", 2),
        ("2025-12-30", "2026-02-28", 2),
        ("2025-12-31", "2026-12-31", 12),
        ("2025-12-31", "2027-01-01", 13),
    ],
)
def test_a_plan_lasts_the_months_from_its_first_to_its_last_term_begun_ones_included(first, last, months):
    plan = proposed((first, "1"), (last, "1"))
    assert broken(plan, max_months=months) == []
    assert broken(plan, max_months=months - 1) == [f"it lasts {months} months, at most {months - 1} are allowed"]


def test_one_term_or_one_month_is_never_too_long():
    for last in ("2026-01-31", "2026-02-28"):
        assert broken(proposed(("2026-01-31", "1"), (last, "1")), max_months=1) == []


def test_terms_are_judged_by_date_in_whatever_order_they_are_shown():
    mixed = proposed(("2026-04-01", "45.00"), ("2026-02-01", "10.00"), ("2026-03-01", "45.00"))
    assert broken(mixed, min_first_share="0.11", max_months=1) == broken(THREE, min_first_share="0.11", max_months=1)
    assert len(broken(mixed, min_first_share="0.11", max_months=1)) == 2


def test_the_smallest_term_counts_wherever_it_stands():
    plan = proposed(("2026-02-01", "50"), ("2026-03-01", "0.99"), ("2026-04-01", "50"))
    assert broken(plan, min_term_amount="1") == ["a term of 0.99, at least 1 is asked for"]


def test_a_first_term_before_or_on_the_day_of_the_proposal_is_not_late():
    for due in ("2025-12-01", "2026-01-01"):
        assert broken(proposed((due, "1")), max_days_to_first=0) == []
    assert len(broken(proposed(("2026-01-02", "1")), max_days_to_first=0)) == 1


def test_what_a_plan_does_not_show_cannot_break_a_rule():
    assert broken(proposed(), max_terms=1, min_term_amount="5", max_days_to_first=0) == []
    assert broken(proposed(("2026-09-01", "1"), created_at=""), max_days_to_first=0) == []


def test_a_policy_without_a_rule_is_refused_and_names_the_rules():
    with pytest.raises(SettingsError) as refused:
        require_rules(WritePolicy())
    for name in ("max_terms", "max_months", "max_days_to_first", "min_term_amount", "min_first_share"):
        assert name in str(refused.value)
    for rule in ({"max_terms": 1}, {"max_days_to_first": 0}, {"min_first_share": "0.5"}):
        require_rules(WritePolicy(**rule))


@pytest.mark.parametrize(
    "line",
    [
        "max_terms = 0",
        "max_months = -1",
        "max_days_to_first = -1",
        "min_term_amount = 0",
        "min_first_share = 1.5",
        "max_term = 3",
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_when_the_configuration_is_read(tmp_path, line):
    file = tmp_path / "planrecon.toml"
    file.write_text(f"[writes.policy]\n{line}\n")
    with pytest.raises(SettingsError, match=line.split()[0]):
        load(file)


def test_rules_are_read_exactly_from_the_configuration(tmp_path):
    file = tmp_path / "planrecon.toml"
    file.write_text('[writes.policy]\nmin_first_share = 0.1\nmin_term_amount = "25.10"\nmax_terms = 12\n')
    policy = load(file).writes.policy
    assert (policy.min_first_share, policy.min_term_amount, policy.max_terms) == (Decimal("0.1"), Decimal("25.10"), 12)
