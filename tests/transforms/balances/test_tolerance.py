"""The shortfall at which a term counts as satisfied, and what becomes of it."""

from datetime import date

import pytest

from schemas.options import Options, Tolerance

DUE = date(2025, 3, 1)


def paid(make, amount: int, tolerance: str, *, of: int = 100_00, currency: str = "EUR", residual: str = "FILL"):
    case = make.case(
        plan={"currency": currency},
        due=[{"due_date": DUE, "amount_minor": of}],
        paid=[{"effective_date": DUE, "amount_minor": amount, "currency": currency}],
    )
    options = Options(tolerance=Tolerance.parse(tolerance), residual=residual)
    return case.at(date(2025, 3, 5), options).terms.row(0, named=True)


@pytest.mark.parametrize(
    ("amount", "tolerance", "satisfied"),
    [
        (90_00, "FFIEC90", True),
        (90_00, "EXACT", False),
        (89_99, "FFIEC90", False),
        (89_99, "EXACT", False),
        (97_00, "MAX:5.00,2", True),
        (97_00, "MIN:5.00,2", False),
        (98_00, "MIN:5.00,2", True),
        (99_99, "CENT", True),
        (99_98, "CENT", False),
        (95_00, "ABS:5.00", True),
        (94_99, "ABS:5.00", False),
        (100_00, "EXACT", True),
    ],
)
def test_a_term_is_satisfied_within_its_tolerance(make, amount, tolerance, satisfied) -> None:
    term = paid(make, amount, tolerance)
    assert term["is_satisfied"] is satisfied
    assert term["state"] == ("PAID_ON_TIME" if satisfied else "PARTIAL_OVERDUE")


def test_tolerance_leaves_the_balance_alone(make) -> None:
    assert paid(make, 90_00, "FFIEC90")["outstanding_minor"] == 10_00
    assert paid(make, 90_00, "EXACT")["outstanding_minor"] == 10_00


@pytest.mark.parametrize(
    ("currency", "of", "expected"), [("EUR", 10_000, 500), ("JPY", 10_000, 5), ("KWD", 10_000, 5_000)]
)
def test_an_absolute_tolerance_is_in_major_units(make, currency, of, expected) -> None:
    assert paid(make, 0, "ABS:5.00", of=of, currency=currency)["tolerance_minor"] == expected


def test_a_share_is_rounded_down_to_a_minor_unit(make) -> None:
    assert paid(make, 0, "PCT:10", of=99)["tolerance_minor"] == 9
    assert paid(make, 0, "PCT:0.0001", of=10**15)["tolerance_minor"] == 10**9


def three_terms(make):
    months = (3, 4, 5)
    return make.case(
        due=[{"due_date": date(2025, month, 1), "amount_minor": 100_00} for month in months],
        paid=[
            {"effective_date": date(2025, 3, 1), "amount_minor": 95_00},
            {"effective_date": date(2025, 4, 1), "amount_minor": 95_00},
            {"effective_date": date(2025, 5, 1), "amount_minor": 100_00},
        ],
    )


def test_a_residual_is_filled_by_the_next_payment(make) -> None:
    """A missing piece travels from term to term and breaks none of them."""
    options = Options(tolerance=Tolerance.parse("FFIEC90"))
    found = three_terms(make).at(date(2025, 5, 1), options)
    assert found.terms["received_minor"].to_list() == [100_00, 100_00, 90_00]
    assert found.terms["state"].to_list() == ["PAID_ON_TIME"] * 3
    assert found.plans.row(0, named=True)["unapplied_minor"] == 0


def test_a_residual_is_left_open_and_skipped(make) -> None:
    options = Options(tolerance=Tolerance.parse("FFIEC90"), residual="SKIP")
    found = three_terms(make).at(date(2025, 5, 1), options)
    assert found.terms["received_minor"].to_list() == [95_00, 95_00, 100_00]
    assert found.terms["outstanding_minor"].to_list() == [5_00, 5_00, 0]
    assert found.plans.row(0, named=True)["unapplied_minor"] == 0


def test_money_beyond_skipped_residuals_stays_unapplied(make) -> None:
    case = make.case(
        due=[{"due_date": DUE, "amount_minor": 100_00}],
        paid=[
            {"effective_date": date(2025, 3, day), "amount_minor": amount} for day, amount in ((1, 95_00), (2, 20_00))
        ],
    )
    options = Options(tolerance=Tolerance.parse("FFIEC90"), residual="SKIP")
    found = case.at(date(2025, 3, 5), options)
    assert found.plans.row(0, named=True)["unapplied_minor"] == 20_00
    assert found.payments["allocated_minor"].to_list() == [95_00, 0]


def test_a_missing_cent_does_not_make_ten_satisfied_terms_ten_breaks(make) -> None:
    due = [{"due_date": date(2024, month, 1), "amount_minor": 33_34} for month in range(1, 11)]
    paid_terms = [
        {"effective_date": date(2024, month, 1), "amount_minor": 33_34 - (month == 1)} for month in range(1, 11)
    ]
    case = make.case(plan={"created_on": date(2024, 1, 1)}, due=due, paid=paid_terms)
    terms = case.at(date(2024, 12, 1), Options(tolerance=Tolerance.parse("CENT"))).terms
    assert terms["state"].to_list() == ["PAID_ON_TIME"] * 10
    assert terms["outstanding_minor"].to_list() == [0] * 9 + [1]
