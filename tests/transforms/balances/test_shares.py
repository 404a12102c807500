"""Which payment paid which term, pair by pair."""

from datetime import date
from decimal import Decimal

from schemas.options import Options, Tolerance
from transforms.balances.book import open_book
from transforms.balances.satisfaction import satisfy
from transforms.balances.shares import shares_of

AS_OF = date(2025, 6, 30)


def shares(case, **options):
    """Return (number of the payment, row of the term, amount, whether the term names it)."""
    chosen = {"p": Options(**options)}
    located = case.locate(AS_OF, chosen)
    book = open_book(located.plans, case.terms, located.payments, as_of=AS_OF, options=chosen)
    rows = shares_of(book, satisfy(book, as_of=AS_OF))
    return list(rows.select("payment_no", "row", "amount_minor", "is_named").sort("payment_no", "row").iter_rows())


def due(*amounts, **more):
    return [{"due_date": date(2025, 3 + at, 1), "amount_minor": amount} | more for at, amount in enumerate(amounts)]


def paid(*amounts):
    return [{"effective_date": date(2025, 3, 1 + at), "amount_minor": amount} for at, amount in enumerate(amounts)]


def test_payments_fill_terms_oldest_first_and_may_be_parted(golden):
    assert shares(golden) == [
        (0, 0, 100_00, False),
        (1, 1, 60_00, False),
        (2, 1, 40_00, False),
        (2, 2, 100_00, False),
    ]


def test_a_payment_that_a_term_names_goes_there_first_and_its_rest_to_the_oldest(make):
    terms = due(100, 100, 100)
    terms[2]["linked_payment_no"] = 0
    assert shares(make.case(due=terms, paid=paid(130, 50))) == [
        (0, 0, 30, False),
        (0, 2, 100, True),
        (1, 0, 50, False),
    ]


def test_a_term_within_its_tolerance_is_passed_over_where_residuals_are_skipped(make):
    tolerance = Tolerance("ABS", absolute=Decimal("0.10"))
    case = make.case(due=due(100, 100, 100), paid=paid(95, 110))
    assert shares(case, tolerance=tolerance, residual="SKIP") == [
        (0, 0, 95, False),
        (1, 1, 100, False),
        (1, 2, 10, False),
    ]


def test_money_that_went_back_paid_nothing(make):
    money = paid(100, 60)
    money[0] |= {"class": "reversed", "reversed_on": date(2025, 4, 1)}
    assert shares(make.case(due=due(100, 100), paid=money)) == [(1, 0, 60, False)]
