"""The terms that a create call is meant to bring about, against schedules worked out by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from flows.commands.writes.agreed import agree
from flows.configuration import load
from providers.writing import Before, Order, Term

CLOCK = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
RULE = {
    "paymentArrangementType": "Payment Number Based",
    "paymentFrequency": "monthly",
    "firstPaymentDate": "2025-01-01",
    "numberOfPayments": 3,
    "movePaymentOnHolidayDays": 0,
    "movePaymentOnWeekendDays": 0,
}
BILL = {"DayType": "DayOfMonth", "DayToPay": 31, "PaymentAmount": 100}


@pytest.fixture
def settings(tmp_path):
    def loaded(**more):
        sections = {
            "providers.payt": {"base_url": "http://127.0.0.1:1"},
            "providers.totality": {"base_url": "http://127.0.0.1:1/api", "calendar": "US"},
            "providers.payiq": {"base_url": "http://127.0.0.1:1/"},
        }
        for name, keys in more.items():
            sections.setdefault(name.replace("__", "."), {}).update(keys)
        lines = []
        for name, keys in sections.items():
            lines += [f"[{name}]", *(f'"{key}" = "{value}"' for key, value in keys.items())]
        file = tmp_path / "planrecon.toml"
        file.write_text("\n".join(lines) + "\n")
        return load(file)

    return loaded


def ordered(provider, body, operation="create", terms=()):
    return Order(provider, operation, "t", None, "", "POST", "/", "/", body=body, terms=terms)


def shown(agreement):
    """Days and amounts, a line each, in minor units."""
    return [(f"{term.due_date}", term.amount_minor) for term in agreement.terms]


def lent(settings, total="300.00", **rule):
    """What is agreed of a loan's plan."""
    total = None if total is None else Decimal(total)
    body = {name: value for name, value in {**RULE, **rule}.items() if value is not None}
    return agree(ordered("totality", body), Before(CLOCK, total=total), settings)


def days(agreement):
    return " ".join(due for due, _ in shown(agreement))


# Totality


def test_a_number_of_payments_shares_the_balance_and_the_last_carries_the_cent(settings):
    found = lent(settings(), "100.00")
    assert shown(found) == [("2025-01-01", 3333), ("2025-02-01", 3333), ("2025-03-01", 3334)]
    assert (found.currency, found.amount_minor, found.remark) == ("USD", 10000, "")


def test_the_configured_convention_places_the_cent(settings):
    found = lent(settings(**{"providers.totality.conventions": {"remainder": "FIRST"}}), "100.00")
    assert [minor for _, minor in shown(found)] == [3334, 3333, 3333]


def test_an_amount_is_in_cents_and_the_last_payment_is_the_rest(settings):
    by_amount = {"paymentArrangementType": "Payment Amount Based", "paymentAmount": 30000, "numberOfPayments": None}
    found = lent(settings(), "1000.00", firstPaymentDate="2025-01-31", **by_amount)
    assert shown(found) == [("2025-01-31", 30000), ("2025-02-28", 30000), ("2025-03-31", 30000), ("2025-04-30", 10000)]


def test_a_schedule_of_ones_own_is_as_listed_by_date(settings):
    terms = (Term(date(2025, 3, 1), Decimal("10.01")), Term(date(2025, 1, 1), Decimal(20)))
    body = RULE | {"paymentArrangementType": "Custom Payment Schedule", "schedule": []}
    found = agree(ordered("totality", body, terms=terms), Before(CLOCK, total=Decimal(99)), settings())
    assert shown(found) == [("2025-01-01", 2000), ("2025-03-01", 1001)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"firstPaymentDate": "2025-01-31", "numberOfPayments": 5}, "2025-01-31 2025-02-28 2025-03-31 2025-04-30 2025-05-31"),
        ({"firstPaymentDate": "2025-01-05", "firstPaymentDay": 31}, "2025-01-31 2025-02-28 2025-03-31"),
        ({"firstPaymentDate": "2025-01-10", "firstPaymentDay": 5}, "2025-02-05 2025-03-05 2025-04-05"),
        ({"paymentFrequency": "weekly", "firstPaymentDate": "2025-01-03"}, "2025-01-03 2025-01-10 2025-01-17"),
        ({"paymentFrequency": "bi-weekly", "firstPaymentDate": "2025-01-03"}, "2025-01-03 2025-01-17 2025-01-31"),
        ({"paymentFrequency": "days", "daysInPeriod": 10, "firstPaymentDate": "2025-02-20"}, "2025-02-20 2025-03-02 2025-03-12"),
        (
            {"paymentFrequency": "semi-monthly", "scheduleType": "Day-Based", "firstPaymentDate": "2023-01-05",
             "firstPaymentDay": 15, "secondPaymentDay": 31, "numberOfPayments": 8},
            "2023-01-15 2023-01-31 2023-02-15 2023-02-28 2023-03-15 2023-03-31 2023-04-15 2023-04-30",
        ),
        (
            {"paymentFrequency": "semi-monthly", "scheduleType": "Day-Based", "firstPaymentDate": "2023-01-05",
             "firstPaymentDay": 1, "secondPaymentDay": 25, "numberOfPayments": 6},
            "2023-01-25 2023-02-01 2023-02-25 2023-03-01 2023-03-25 2023-04-01",
        ),
        (
            {"scheduleType": "Weekday-Based", "firstPaymentDate": "2026-01-01", "weekOfFirstPayment": 2,
             "weekdayOfFirstPayment": "Tuesday"},
            "2026-01-13 2026-02-10 2026-03-10",
        ),
        (
            {"scheduleType": "Weekday-Based", "firstPaymentDate": "2025-01-01", "weekOfFirstPayment": 5,
             "weekdayOfFirstPayment": "Friday"},
            "2025-01-31 2025-02-28 2025-03-28",
        ),
        (
            {"paymentFrequency": "semi-monthly", "scheduleType": "Weekday-Based", "firstPaymentDate": "2026-01-01",
             "weekOfFirstPayment": 1, "weekdayOfFirstPayment": "Monday", "weekOfSecondPayment": 3,
             "weekdayOfSecondPayment": "Friday", "numberOfPayments": 4},
            "2026-01-05 2026-01-16 2026-02-02 2026-02-20",
        ),
    ],
)  # fmt: skip
def test_the_dates_follow_the_rule(settings, rule, expected):
    assert days(lent(settings(), **rule)) == expected


@pytest.mark.parametrize(
    ("weekend", "holiday", "expected"),
    [
        (0, 0, "2026-07-04"),
        (2, 0, "2026-07-06"),
        (1, 0, "2026-07-05"),
        (-1, 0, "2026-07-03"),
        (-1, -1, "2026-07-02"),
        (-1, 1, "2026-07-04"),
    ],
)
def test_saturday_the_fourth_of_july_moves_over_the_weekend_and_then_over_the_holiday(
    settings, weekend, holiday, expected
):
    """The holiday is observed on Friday the third; each of the two shifts is made at most once."""
    rule = {"movePaymentOnWeekendDays": weekend, "movePaymentOnHolidayDays": holiday, "numberOfPayments": 1}
    assert days(lent(settings(), firstPaymentDate="2026-07-04", **rule)) == expected


def test_a_day_that_the_configuration_closes_is_a_holiday(settings):
    rule = {"movePaymentOnHolidayDays": 1, "firstPaymentDate": "2025-01-06", "paymentFrequency": "weekly"}
    assert days(lent(settings(), **rule)) == "2025-01-06 2025-01-13 2025-01-21"  # the 20th: Martin Luther King Jr. Day


@pytest.mark.parametrize(
    ("total", "rule"),
    [
        (None, {}),
        ("300.00", {"paymentArrangementType": "Payment Amount Based", "paymentAmount": None, "numberOfPayments": None}),
        (None, {"paymentArrangementType": "Payment Amount Based", "paymentAmount": 5000, "numberOfPayments": None}),
    ],
)
def test_where_the_provider_alone_can_know_the_terms_there_are_none_and_a_remark_says_why(settings, total, rule):
    found = lent(settings(), total, **rule)
    assert (found.terms, found.amount_minor, found.currency) == ((), None, "USD")
    assert found.remark.startswith("the terms are the provider's to make: ")


def test_a_corrected_name_of_a_field_is_followed(settings):
    named = settings(**{"providers.totality.assumed": {"payment_plans.numberOfPayments": "paymentCount"}})
    body = {name: value for name, value in RULE.items() if name != "numberOfPayments"} | {"paymentCount": 2}
    found = agree(ordered("totality", body), Before(CLOCK, total=Decimal(10)), named)
    assert shown(found) == [("2025-01-01", 500), ("2025-02-01", 500)]


# PayIQ


def billed(settings, total="300.00", clock=CLOCK, symbol="$", **body):
    total = None if total is None else Decimal(total)
    before = Before(clock, total=total, symbol=symbol)
    given = {name: value for name, value in {**BILL, **body}.items() if value is not None}
    return agree(ordered("payiq", given), before, settings)


def test_a_bill_is_paid_on_the_thirty_first_or_the_months_last_day_until_it_is_used_up(settings):
    found = billed(settings(), "350.00")
    assert shown(found) == [("2026-01-31", 10000), ("2026-02-28", 10000), ("2026-03-31", 10000), ("2026-04-30", 5000)]
    assert (found.currency, found.amount_minor) == ("USD", 35000)


@pytest.mark.parametrize(
    ("start", "day", "first"),
    [
        ("2026-02-15", 10, "2026-03-10"),
        ("2026-02-15", 15, "2026-02-15"),
        ("2026-02-28", 31, "2026-02-28"),
        ("2026-02-05T00:00:00Z", 5, "2026-02-05"),  # midnight in UTC is a plain date
        ("2026-02-05T00:00:00", 5, "2026-02-05"),
        ("2026-02-05T02:00:00Z", 4, "2026-02-04"),  # nine in the evening of the fourth in New York
        ("2026-02-05T12:00:00Z", 4, "2026-03-04"),
        (None, 15, "2026-01-15"),
        (None, 14, "2026-02-14"),
    ],
)
def test_the_first_payment_is_on_the_first_such_day_from_the_start(settings, start, day, first):
    assert shown(billed(settings(), DateToStart=start, DayToPay=day))[0] == (first, 10000)


def test_without_a_start_today_is_the_billers_day(settings):
    late = datetime(2026, 2, 1, 3, 0, tzinfo=UTC)
    assert shown(billed(settings(), "100", clock=late)) == [("2026-01-31", 10000)]
    assert shown(billed(settings(providers__payiq={"timezone": "UTC"}), "100", clock=late)) == [("2026-02-28", 10000)]


def test_payments_of_ones_own_are_as_listed(settings):
    terms = (Term(date(2026, 3, 1), Decimal("33.34")), Term(date(2026, 2, 1), Decimal("33.33")))
    found = agree(ordered("payiq", BILL, terms=terms), Before(CLOCK, symbol="$"), settings())
    assert shown(found) == [("2026-02-01", 3333), ("2026-03-01", 3334)]


def test_the_sign_of_a_currency_decides_its_places(settings):
    yen = settings(**{"providers.payiq.currency_symbols": {"¥": "JPY"}})
    found = billed(yen, "250", symbol="¥")
    assert (found.currency, found.plain(500)) == ("JPY", "500 JPY")
    assert shown(found) == [("2026-01-31", 100), ("2026-02-28", 100), ("2026-03-31", 50)]


@pytest.mark.parametrize(("total", "amount"), [(None, 100), ("300.00", None), ("300.00", Decimal("33.333"))])
def test_a_bill_whose_terms_cannot_be_known_has_none(settings, total, amount):
    found = billed(settings(), total, PaymentAmount=amount)
    assert (found.terms, found.amount_minor) == ((), None)
    assert "balance or amount" in found.remark


# Payt


def test_the_terms_of_payt_are_as_listed_in_the_administrations_currency(settings):
    terms = (Term(date(2026, 3, 1), Decimal("100.5")), Term(date(2026, 2, 1), Decimal(100)))
    found = agree(ordered("payt", {}, terms=terms), Before(CLOCK, currency="EUR"), settings())
    assert shown(found) == [("2026-02-01", 10000), ("2026-03-01", 10050)]
    assert (found.currency, found.amount_minor) == ("EUR", 20050)


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("JPY", "500", 500), ("JPY", "500.00", 500), ("KWD", "1.250", 1250), ("EUR", "0.01", 1), ("EUR", "1E+2", 10000)],
)
def test_minor_units_are_the_currencys(settings, currency, amount, minor):
    found = agree(
        ordered("payt", {}, terms=(Term(date(2026, 1, 1), Decimal(amount)),)),
        Before(CLOCK, currency=currency),
        settings(),
    )
    assert shown(found) == [("2026-01-01", minor)]


@pytest.mark.parametrize(("currency", "amount"), [("EUR", "0.001"), ("JPY", "0.5"), ("KWD", "1.2501")])
def test_an_amount_with_more_places_than_the_currency_is_not_rounded(settings, currency, amount):
    terms = (Term(date(2026, 1, 1), Decimal(amount)), Term(date(2026, 2, 1), Decimal(5)))
    found = agree(ordered("payt", {}, terms=terms), Before(CLOCK, currency=currency), settings())
    assert (found.terms, found.amount_minor) == ((), None)
    assert f"2026-01-01 has more decimal places than {currency} has" in found.remark


@pytest.mark.parametrize("operation", ["approve", "reject", "deactivate", "update"])
def test_only_a_create_agrees_terms(settings, operation):
    for provider in ("payt", "totality", "payiq"):
        found = agree(ordered(provider, {}, operation), Before(CLOCK, currency="EUR"), settings())
        assert (found.terms, found.currency) == ((), "EUR")
