"""The identity, severity and life of a break, against hand-written values and a slow model in plain Python."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.options import Options
from schemas.results import ACCEPTANCES, BREAK_REGISTER, BREAKS, CHECK_RESULTS
from transforms.breaks import life
from transforms.breaks.life import identified, live

DAY = date(2026, 6, 30)
A_BREAK: dict[str, Any] = {
    "provider": "one",
    "tenant_id": "t",
    "plan_id": "P1",
    "term_id": None,
    "payment_id": None,
    "account_id": "L1",
    "code": "TOTAL_DIFF",
    "reason": "",
    "side": "provider",
    "kind": "real",
    "declared_severity": "medium",
    "least_severity": None,
    "expected": "100.00",
    "actual": "110.00",
    "difference_minor": 1000,
    "difference_days": None,
    "break_currency": "EUR",
    "explanation": "One sentence.",
}


def breaks(*changes: dict[str, Any]) -> pl.DataFrame:
    return BREAKS.gate(pl.DataFrame([{**A_BREAK, **change} for change in changes], schema=dict(BREAKS.dtypes)))


def evaluated(*, complete: bool = True, code: str = "TOTAL_DIFF", reason: str = "") -> pl.DataFrame:
    row = {
        "check": "a_check",
        "code": code,
        "reason": reason,
        "provider": "one",
        "tenant_id": "t",
        "examined": 1,
        "not_applicable": 0,
        "breaks": 0,
        "is_evaluated": complete,
    }
    return pl.DataFrame([row], schema=dict(CHECK_RESULTS.dtypes))


def acceptances(fingerprint: str, **terms: Any) -> pl.DataFrame:
    row = {"fingerprint": fingerprint, "owner": "anna", "accepted_because": "agreed by phone", **terms}
    row = {name: row.get(name) for name in ACCEPTANCES.columns}
    return ACCEPTANCES.gate(pl.DataFrame([row], schema=dict(ACCEPTANCES.dtypes)))


@dataclass
class Book:
    """The register over several runs; each call is one published run."""

    register: pl.DataFrame = field(default_factory=BREAK_REGISTER.empty)
    shown: pl.DataFrame = field(default_factory=pl.DataFrame)

    def run(self, found: pl.DataFrame, on: date = DAY, **options: Any) -> list[str]:
        options.setdefault("evaluated", evaluated())
        self.shown, self.register = live(found, self.register, as_of=on, **options)
        return self.shown["break_state"].to_list()


def test_the_fingerprint_is_the_hash_of_who_what_and_rule() -> None:
    text = "one|t|L1|P1|||TOTAL_DIFF|provider|"
    assert identified(breaks({}))["fingerprint"].to_list() == [hashlib.sha256(text.encode()).hexdigest()]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("POLICY_VIOLATION", "STOPPED_ACCOUNT"),
        ("STATUS_CONTRADICTION", "STOPPED_ACCOUNT"),
        ("CURRENCY_DIFF", ""),
        ("DUPLICATE_PAYMENT", ""),
    ],
)
def test_the_reason_belongs_to_the_identity_only_where_it_is_the_rule(code: str, rule: str) -> None:
    row = {"code": code, "reason": "STOPPED_ACCOUNT", "term_id": "T1", "payment_id": "R1"}
    text = f"one|t|L1|P1|T1|R1|{code}|provider|{rule}"
    assert identified(breaks(row))["fingerprint"].to_list() == [hashlib.sha256(text.encode()).hexdigest()]


@pytest.mark.parametrize(
    "change",
    [
        {"difference_minor": 1200, "actual": "112.00"},
        {"kind": "timing"},
        {"explanation": "Other words."},
        {"declared_severity": "high"},
        {"break_currency": "USD"},
    ],
)
def test_figures_and_words_do_not_change_who_a_break_is(change: dict[str, Any]) -> None:
    assert identified(breaks({}))["fingerprint"].equals(identified(breaks(change))["fingerprint"])


def test_an_id_that_holds_the_separator_cannot_pass_for_two_ids() -> None:
    rows = identified(breaks({"account_id": "a|b", "plan_id": "c"}, {"account_id": "a", "plan_id": "b|c"}))
    assert rows["fingerprint"].n_unique() == 2


def test_rows_of_one_identity_become_one_break_with_both_reasons() -> None:
    row = {"code": "ORPHAN_PAYMENT", "payment_id": "R1"}
    both = breaks({**row, "reason": "PLAN", "kind": "timing"}, {**row, "reason": "ACCOUNT"})
    merged = identified(both).row(0, named=True)
    assert (merged["reason"], merged["kind"], merged["difference_minor"]) == ("ACCOUNT+PLAN", "real", 1000)
    assert identified(both).height == 1


def test_days_that_pass_and_new_words_are_no_change() -> None:
    one = identified(breaks({"difference_days": 1}))
    two = identified(breaks({"difference_days": 2, "explanation": "A day later."}))
    assert one["payload_hash"].equals(two["payload_hash"])


def severity_of(age: int = 0, **change: Any) -> str:
    book = Book()
    book.run(breaks(change), on=DAY - timedelta(days=age))
    book.run(breaks(change), on=DAY)
    return str(book.shown["severity"].item())


@pytest.mark.parametrize(
    ("minor", "currency", "word"),
    [
        (0, "EUR", "low"),
        (99_999, "EUR", "low"),
        (100_000, "EUR", "medium"),
        (-100_000, "EUR", "medium"),
        (999_999, "EUR", "medium"),
        (1_000_000, "EUR", "high"),
        (9_999_999, "EUR", "high"),
        (10_000_000, "EUR", "critical"),
        (999, "JPY", "low"),
        (1_000, "JPY", "medium"),
        (100_000, "JPY", "critical"),
        (999_999, "KWD", "low"),
        (1_000_000, "KWD", "medium"),
        (10_000_000, "CLF", "medium"),
    ],
)
def test_severity_by_amount_is_in_major_units_of_the_currency(minor: int, currency: str, word: str) -> None:
    assert severity_of(difference_minor=minor, break_currency=currency, declared_severity="critical") == word


# DAY is a Tuesday: seven days before it lie five business days, eight days before it six, 400 days before it 280.
@pytest.mark.parametrize(("age", "word"), [(0, "low"), (7, "low"), (8, "medium"), (9, "medium"), (400, "medium")])
def test_a_break_older_than_five_business_days_is_one_step_worse_and_never_more(age: int, word: str) -> None:
    assert severity_of(age=age) == word


@pytest.mark.parametrize(
    ("declared", "age", "word"),
    [
        ("low", 0, "low"),
        ("low", 8, "medium"),
        ("low", 400, "medium"),
        ("medium", 8, "high"),
        ("high", 8, "high"),
        ("high", 400, "high"),
        ("critical", 8, "critical"),
    ],
)
def test_no_break_becomes_critical_by_age_alone(declared: str, age: int, word: str) -> None:
    change = {"difference_minor": None, "break_currency": None, "declared_severity": declared}
    assert severity_of(age=age, **change) == word


def test_the_age_at_which_severity_rises_is_an_option_in_business_days_of_the_provider() -> None:
    first, day = date(2026, 6, 25), date(2026, 6, 29)
    options = {"one": Options(escalate_days=1)}
    assert severity_on(first, day, options) == "medium", "Friday and Monday are two business days"
    assert severity_on(first, date(2026, 6, 28), options) == "low"
    options = {"one": Options(escalate_days=1, closed_days=(date(2026, 6, 26),))}
    assert severity_on(first, day, options) == "low"


def severity_on(first: date, day: date, options: dict[str, Options]) -> str:
    book = Book()
    book.run(breaks({}), on=first, options=options)
    book.run(breaks({}), on=day, options=options)
    return str(book.shown["severity"].item())


@pytest.mark.parametrize(("minor", "word"), [(100_00, "high"), (10_000_000, "critical")])
def test_a_check_may_name_a_severity_that_no_small_amount_lowers(minor: int, word: str) -> None:
    assert severity_of(difference_minor=minor, least_severity="high") == word


def test_the_limits_are_those_of_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "numbers", {"severities": {"low": 0, "medium": 1, "high": 2, "critical": 10}}.get)
    assert severity_of(difference_minor=1000) == "critical"


def test_the_same_input_twice_is_new_and_then_ongoing() -> None:
    book = Book()
    assert book.run(breaks({}, {"plan_id": "P2"})) == ["NEW", "NEW"]
    assert book.run(breaks({}, {"plan_id": "P2"})) == ["ONGOING", "ONGOING"]


def test_another_amount_is_a_change_of_the_same_break() -> None:
    book = Book()
    book.run(breaks({"difference_minor": 1000, "actual": "110.00"}), on=date(2026, 6, 26))
    changed = breaks({"difference_minor": 1200, "actual": "112.00"})
    assert book.run(changed, on=date(2026, 6, 29)) == ["CHANGED"]
    assert book.shown["first_seen"].to_list() == [date(2026, 6, 26)]
    assert book.shown["age_days"].to_list() == [3]
    assert book.run(changed, on=date(2026, 6, 30)) == ["ONGOING"]


def test_a_resolved_break_is_shown_once_and_never_lost() -> None:
    book = Book()
    book.run(breaks({}))
    assert book.run(breaks()) == ["RESOLVED"]
    assert book.shown["explanation"].to_list() == ["One sentence."]
    assert book.run(breaks()) == []
    assert book.register["is_open"].to_list() == [False]


def test_a_break_that_comes_back_keeps_its_first_day_and_counts_the_return() -> None:
    book = Book()
    book.run(breaks({}), on=date(2026, 6, 1))
    book.run(breaks(), on=date(2026, 6, 2))
    assert book.run(breaks({}), on=date(2026, 6, 8)) == ["REOPENED"]
    assert book.shown["first_seen"].to_list() == [date(2026, 6, 1)]
    assert book.shown["age_days"].to_list() == [7]
    assert book.register["reopened"].to_list() == [1]
    assert book.run(breaks({}), on=date(2026, 6, 9)) == ["ONGOING"]


def test_what_was_not_examined_stays_open() -> None:
    book = Book()
    book.run(breaks({}))
    assert book.run(breaks(), evaluated=evaluated(complete=False)) == ["NOT_EVALUATED"]
    assert book.run(breaks(), evaluated=evaluated(code="OTHER")) == ["NOT_EVALUATED"]
    assert book.run(breaks(), evaluated=CHECK_RESULTS.empty()) == ["NOT_EVALUATED"]
    assert book.register["last_seen"].to_list() == [DAY]
    assert book.run(breaks({})) == ["ONGOING"]


def test_one_rule_of_a_code_does_not_answer_for_another() -> None:
    book = Book()
    stopped = {"code": "POLICY_VIOLATION", "reason": "STOPPED_ACCOUNT"}
    book.run(breaks(stopped))
    assert book.run(breaks(), evaluated=evaluated(code="POLICY_VIOLATION", reason="TWO_ACTIVE_PLANS")) == [
        "NOT_EVALUATED"
    ]
    assert book.run(breaks(), evaluated=evaluated(code="POLICY_VIOLATION", reason="STOPPED_ACCOUNT")) == ["RESOLVED"]


def test_a_reason_that_narrows_no_rule_is_answered_for_by_its_code() -> None:
    book = Book()
    book.run(breaks({"code": "ORPHAN_PAYMENT", "reason": "PLAN"}))
    assert book.run(breaks(), evaluated=evaluated(code="ORPHAN_PAYMENT")) == ["RESOLVED"]


def test_looking_back_shows_the_register_and_moves_nothing() -> None:
    book = Book()
    book.run(breaks({}, {"plan_id": "P2"}), on=date(2026, 6, 28))
    book.run(breaks({}), on=date(2026, 6, 30))
    before = book.register
    changed = breaks({"difference_minor": 5}, {"plan_id": "P2"}, {"plan_id": "P3"})
    assert book.run(changed, on=date(2026, 6, 1), moves=False) == ["ONGOING", "RESOLVED", "NEW"]
    assert book.shown["first_seen"].to_list() == [date(2026, 6, 28), date(2026, 6, 28), date(2026, 6, 1)]
    assert book.shown["age_days"].to_list() == [0, 0, 0]
    assert book.register.equals(before)
    assert book.run(breaks(), on=date(2026, 6, 1), moves=False) == []


def test_an_accepted_break_stays_accepted_within_its_terms() -> None:
    book = Book()
    book.run(breaks({}))
    fingerprint = book.shown["fingerprint"].item()
    terms = acceptances(fingerprint, expires_on=date(2026, 7, 31), maximum_minor=1000)
    assert book.run(breaks({}), acceptances=terms) == ["ACCEPTED"]
    assert book.run(breaks({}), on=date(2026, 7, 31), acceptances=terms) == ["ACCEPTED"]
    assert book.run(breaks({}), on=date(2026, 8, 1), acceptances=terms) == ["REOPENED"]
    assert book.shown["first_seen"].to_list() == [DAY]
    assert book.run(breaks({}), on=date(2026, 8, 1), acceptances=terms) == ["ONGOING"]


@pytest.mark.parametrize(
    ("minor", "maximum", "state"),
    [
        (1000, 1000, "ACCEPTED"),
        (-1000, 1000, "ACCEPTED"),
        (1001, 1000, "NEW"),
        (-1001, 1000, "NEW"),
        (10**9, None, "ACCEPTED"),
    ],
)
def test_an_acceptance_covers_amounts_up_to_its_maximum(minor: int, maximum: int | None, state: str) -> None:
    found = breaks({"difference_minor": minor})
    terms = acceptances(identified(found)["fingerprint"].item(), maximum_minor=maximum)
    assert Book().run(found, acceptances=terms) == [state]


def test_an_accepted_break_without_an_amount_is_covered_whatever_the_maximum() -> None:
    found = breaks({"difference_minor": None, "break_currency": None})
    terms = acceptances(identified(found)["fingerprint"].item(), maximum_minor=1)
    assert Book().run(found, acceptances=terms) == ["ACCEPTED"]


def test_an_accepted_break_leaves_without_being_shown_and_returns_as_reopened() -> None:
    book = Book()
    found = breaks({})
    terms = acceptances(identified(found)["fingerprint"].item())
    book.run(found, acceptances=terms)
    assert book.run(breaks(), acceptances=terms, evaluated=evaluated(complete=False)) == ["ACCEPTED"]
    assert book.run(breaks(), acceptances=terms) == []
    assert book.register["break_state"].to_list() == ["RESOLVED"]
    assert book.run(found) == ["REOPENED"]


def test_nothing_found_and_nothing_known_is_an_empty_answer() -> None:
    book = Book()
    assert book.run(breaks()) == []
    assert book.register.is_empty()


RUNS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.booleans(),
        st.dictionaries(st.sampled_from("ABCDE"), st.sampled_from([1000, 1200, None]), max_size=5),
    ),
    max_size=8,
)


def slow_life(runs: list[tuple[int, bool, dict[str, int | None]]]) -> list[dict[str, tuple[str, date]]]:
    """Follow every break by hand: state and first day of each one shown, per run."""
    on, answer = DAY, []
    book: dict[str, tuple[bool, int | None, date]] = {}
    for days, is_complete, found in runs:
        on += timedelta(days=days)
        shown: dict[str, tuple[str, date]] = {}
        for plan, amount in found.items():
            is_open, before, first = book.get(plan, (False, None, on))
            if plan not in book:
                state = "NEW"
            elif not is_open:
                state = "REOPENED"
            else:
                state = "ONGOING" if before == amount else "CHANGED"
            shown[plan], book[plan] = (state, first), (True, amount, first)
        for plan, (is_open, before, first) in list(book.items()):
            if is_open and plan not in found:
                shown[plan] = ("RESOLVED" if is_complete else "NOT_EVALUATED", first)
                book[plan] = (not is_complete, before, first)
        answer.append(shown)
    return answer


@settings(max_examples=30, deadline=None)
@given(RUNS)
def test_open_today_is_open_yesterday_plus_new_plus_reopened_less_resolved(
    runs: list[tuple[int, bool, dict[str, int | None]]],
) -> None:
    book, on, open_before = Book(), DAY, 0
    for (days, is_complete, found), expected in zip(runs, slow_life(runs), strict=True):
        on += timedelta(days=days)
        rows = [
            {"plan_id": plan, "difference_minor": amount, "break_currency": None if amount is None else "EUR"}
            for plan, amount in found.items()
        ]
        states = book.run(breaks(*rows), on=on, evaluated=evaluated(complete=is_complete))
        open_now = sum(state not in ("RESOLVED", "ACCEPTED") for state in states)
        moved = states.count("NEW") + states.count("REOPENED") - states.count("RESOLVED")
        assert open_now == open_before + moved
        assert open_now == book.register["is_open"].sum()
        got = {
            plan: (state, first)
            for plan, state, first in book.shown.select("plan_id", "break_state", "first_seen").iter_rows()
        }
        assert got == expected
        assert book.shown["age_days"].min() in {None, *range(100)}
        open_before = open_now


@settings(max_examples=20, deadline=None)
@given(st.permutations(["A", "B", "C", "D"]))
def test_the_order_of_the_breaks_changes_nothing(plans: list[str]) -> None:
    one, two = Book(), Book()
    one.run(breaks(*({"plan_id": plan} for plan in "ABCD")))
    two.run(breaks(*({"plan_id": plan} for plan in plans)))
    assert one.shown.equals(two.shown)
    assert one.register.equals(two.register)
