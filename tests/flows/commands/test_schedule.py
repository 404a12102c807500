"""The schedule command: the worked cases a person can check by hand, and refusals that say what is missing."""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from flows.commands import cli
from flows.commands.flags import Flags
from flows.commands.parameters import CONVENTIONS, plan_parameters
from flows.commands.schedule import PlanParameters, schedule_of
from flows.errors import UsageError
from flows.settings import ConventionSettings
from schemas.conventions import CHOICES, Conventions


def dates(wanted):
    return [day.isoformat() for day in schedule_of(wanted)["due_date"]]


def amounts(wanted):
    return schedule_of(wanted)["amount"].to_list()


def test_the_thirty_first_is_counted_from_the_anchor_and_not_from_the_month_before():
    wanted = PlanParameters(date(2025, 1, 31), count=5, total="500.00")
    assert dates(wanted) == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]


def test_a_hundred_in_three_leaves_the_cent_to_the_last_term():
    assert amounts(PlanParameters(date(2025, 1, 1), count=3, total="100.00")) == ["33.33", "33.33", "33.34"]


def test_an_amount_per_term_makes_the_last_term_the_rest():
    wanted = PlanParameters(date(2025, 1, 1), amount="300.00", total="1000.00")
    assert amounts(wanted) == ["300.00", "300.00", "300.00", "100.00"]


def test_a_currency_without_places_is_split_in_whole_units():
    assert amounts(PlanParameters(date(2025, 1, 1), count=3, total="500", currency="JPY")) == ["166", "166", "168"]


def test_weekly_fridays_step_over_independence_day():
    """Friday 3 July 2026 is the observed holiday: three days later is Monday the 6th, and the next term stays."""
    wanted = PlanParameters(
        date(2026, 6, 26), "weekly", count=4, total="400.00", currency="USD", calendar="US", holiday_shift=3
    )
    assert dates(wanted) == ["2026-06-26", "2026-07-06", "2026-07-10", "2026-07-17"]
    assert "Independence Day" in schedule_of(wanted)["trace"][1]


def test_semi_monthly_days_before_the_first_date_are_dropped():
    wanted = PlanParameters(date(2023, 1, 5), "semi-monthly", count=6, total="600.00", day=1, second_day=25)
    assert dates(wanted) == ["2023-01-25", "2023-02-01", "2023-02-25", "2023-03-01", "2023-03-25", "2023-04-01"]


def test_the_body_of_a_create_call_is_understood(tmp_path):
    body = {
        "paymentArrangementType": "Payment Number Based",
        "paymentFrequency": "monthly",
        "firstPaymentDate": "2025-01-15",
        "numberOfPayments": 2,
        "totalPlanAmount": 3002,
        "movePaymentOnWeekendDays": 2,
        "movePaymentOnHolidayDays": 0,
    }
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    wanted = plan_parameters(file, Flags())
    assert wanted.currency == "USD"
    assert dates(wanted) == ["2025-01-15", "2025-02-17"], "15 February 2025 is a Saturday"
    assert amounts(wanted) == ["15.01", "15.01"]


def parameters(folder, **told):
    file = folder / "plan.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    return file


BODY = {"firstPaymentDate": "2026-07-03", "paymentFrequency": "monthly", "totalPlanAmount": 10_000}


@pytest.mark.parametrize(
    ("told", "terms"),
    [
        # what the other kinds of plan would use stands in the body as well, and is not asked
        (
            {"paymentArrangementType": "Payment Number Based", "numberOfPayments": 2, "paymentAmount": 9_900},
            [("2026-07-03", "50.00"), ("2026-08-03", "50.00")],
        ),
        (
            {"paymentArrangementType": "Payment Amount Based", "numberOfPayments": 9, "paymentAmount": 6_000},
            [("2026-07-03", "60.00"), ("2026-08-03", "40.00")],
        ),
        (
            {
                "paymentArrangementType": "Custom Payment Schedule",
                "schedule": [{"date": "2026-08-01", "amount": 2_550}, {"date": "2026-07-04", "amount": 100}],
            },
            [("2026-07-04", "1.00"), ("2026-08-01", "25.50")],
        ),
        (
            {
                "paymentArrangementType": "Payment Number Based", "numberOfPayments": 1, "scheduleType": "Weekday-Based",
                "weekOfFirstPayment": 5, "weekdayOfFirstPayment": "Friday", "firstPaymentDay": 1,
            },
            [("2026-07-31", "100.00")],
        ),
    ],
)  # fmt: skip
def test_each_kind_of_create_call_is_previewed_by_what_it_uses(told, terms, tmp_path):
    wanted = plan_parameters(parameters(tmp_path, **BODY, **told), Flags())
    assert list(zip(dates(wanted), amounts(wanted), strict=True)) == terms


def test_a_file_by_our_names_holds_weekends_and_closed_days_too(tmp_path):
    """Friday 3 July goes to Sunday, a working day here, unless the works are closed on it."""
    told = {"first_date": "2026-07-03", "count": 1, "total": 7, "weekend": ["fri", "sat"], "weekend_shift": 2}
    assert dates(plan_parameters(parameters(tmp_path, **told), Flags())) == ["2026-07-05"]
    told |= {"closed": ["2026-07-05 Works outing"], "holiday_shift": 1}
    assert dates(plan_parameters(parameters(tmp_path, **told), Flags())) == ["2026-07-06"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"first_date": "2026-02-30"}, "first_date '2026-02-30'"),
        ({"count": "three"}, "count 'three'"),
        ({"weekend": ["someday"]}, "weekend"),
        ({"closed": ["soon"]}, "2026-12-24 Christmas Eve"),
        ({"conventions": {}}, "no plan parameter"),
        ({"paymentFrequency": "monthly", "totalPlanAmount": "1.5"}, "cents"),
    ],
)
def test_a_file_with_a_value_that_fits_nothing_is_refused_by_its_name(told, said, tmp_path):
    with pytest.raises(UsageError, match=said):
        plan_parameters(parameters(tmp_path, **told), Flags())


def test_closed_days_of_ones_own_are_stepped_over_and_the_calendar_is_named_with_its_version(capsys):
    """Friday 10 July 2026 is closed for us alone, Friday 3 July for everyone: both go to the Monday after."""
    asked = ["schedule", "--first-date", "2026-07-03", "--frequency", "weekly", "--count", "3", "--total", "300.00"]
    asked += ["--calendar", "US", "--holiday-shift", "3", "--closed", "2026-07-10 Works outing,2026-07-11"]
    assert cli.execute([*asked, "--closed", "2026-12-24", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["due_date"] for row in rows] == ["2026-07-06", "2026-07-13", "2026-07-17"]
    label = f"calendar US (holidays {version('holidays')}) + 3 own closed days"
    assert rows[1]["trace"] == f"2026-07-10 (Fri): holiday Works outing, +3 days to 2026-07-13 (Mon); {label}"
    assert rows[2]["trace"] == "2026-07-17 (Fri)"
    assert cli.execute(asked) == 0
    assert label.replace("3 own", "2 own") in capsys.readouterr().out, "a table cuts no trace short"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        (["--closed", "Christmas"], "2026-12-24 Christmas Eve"),
        (["--closed", "2026-12-24", "--closed", "2026-12-24"], "twice"),
        (["--calendar", "XX"], "US-NY"),
    ],
)
def test_closed_days_and_calendars_that_are_none_are_refused(flag, said, capsys):
    assert cli.execute(["schedule", "--first-date", "2026-07-03", "--count", "1", "--total", "1", *flag]) == 2
    assert said in capsys.readouterr().err


def test_json_and_csv_come_out_on_standard_output(capsys):
    asked = ["schedule", "--first-date", "2025-01-31", "--count", "2", "--total", "10.01"]
    assert cli.execute([*asked, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["due_date"], row["amount"]) for row in rows] == [("2025-01-31", "5.00"), ("2025-02-28", "5.01")]
    assert cli.execute([*asked, "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("1,2025-01-31,2025-01-31,5.00,EUR")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (PlanParameters(date(2025, 1, 1), count=3, total="10.005"), "2 places"),
        (PlanParameters(date(2025, 1, 1), count=3, total="ten"), "like 1000.00"),
        (PlanParameters(date(2025, 1, 1), count=3, total="10", currency="EURO"), "ISO 4217"),
        (PlanParameters(date(2025, 1, 1), weekday="Someday", week=1, count=2, total="10"), "weekday"),
        (PlanParameters(date(2025, 1, 1), total="10"), "missing"),
        (PlanParameters(date(2025, 1, 1), total="10", count=2, amount="5"), "exclude"),
    ],
)
def test_what_cannot_be_a_schedule_is_refused_with_what_to_give(wanted, said):
    with pytest.raises(UsageError, match=said):
        schedule_of(wanted)


def test_a_missing_first_date_exits_2(capsys):
    assert cli.execute(["schedule", "--count", "3"]) == 2
    assert "--first-date" in capsys.readouterr().err


ASKED = ["schedule", "--first-date", "2026-07-03"]


def printed(capsys, *flags):
    asked = ["schedule", *flags] if "--first-date" in flags else [*ASKED, *flags]
    assert cli.execute([*asked, "--format", "json"]) == 0
    return [row["due_date"] for row in json.loads(capsys.readouterr().out)]


def test_a_closure_of_three_weeks_is_one_range_and_the_term_inside_moves_behind_it(capsys):
    """Monday 3 to Friday 21 August 2026; each day closed moves the term by one, the weekends do not."""
    flags = ["--count", "2", "--total", "2", "--holiday-shift", "1", "--weekend-shift", "1", "--shift-mode", "REPEAT"]
    assert printed(capsys, *flags) == ["2026-07-03", "2026-08-03"]
    closed = ["--closed", "2026-08-03..2026-08-21 Summer closure,2026-08-24"]
    assert printed(capsys, *flags, *closed) == ["2026-07-03", "2026-08-25"]


def test_a_week_whose_only_closed_day_is_sunday_works_on_saturdays(capsys):
    """4 July 2026 is a Saturday, 5 July a Sunday."""
    flags = ["--frequency", "days", "--days-in-period", "1", "--count", "3", "--total", "3", "--weekend-shift", "1"]
    assert printed(capsys, *flags, "--weekend", "sun") == ["2026-07-03", "2026-07-04", "2026-07-06"]
    assert printed(capsys, *flags, "--weekend", "fri,Saturday") == ["2026-07-04", "2026-07-05", "2026-07-05"]
    assert printed(capsys, *flags, "--weekend", "none") == ["2026-07-03", "2026-07-04", "2026-07-05"]


def test_day_31_overflows_where_the_convention_says_so(capsys):
    asked = ["--day", "31", "--count", "3", "--total", "3", "--first-date", "2026-08-31"]
    assert printed(capsys, *asked) == ["2026-08-31", "2026-09-30", "2026-10-31"]
    assert printed(capsys, *asked, "--short-month", "OVERFLOW") == ["2026-08-31", "2026-09-30", "2026-10-31"]
    assert printed(capsys, *asked, "--short-month", "OVERFLOW_31") == ["2026-08-31", "2026-10-01", "2026-10-31"]


def test_the_federal_reserve_works_on_the_third_of_july_on_which_us_offices_are_closed(capsys):
    flags = ["--count", "1", "--total", "1", "--holiday-shift", "3"]
    assert printed(capsys, *flags, "--calendar", "US") == ["2026-07-06"]
    assert printed(capsys, *flags, "--calendar", "FED") == ["2026-07-03"]


def test_the_euro_moves_on_the_kings_day_of_the_netherlands_and_not_on_good_friday(capsys):
    flags = ["--first-date", "2026-04-27", "--count", "1", "--total", "1", "--holiday-shift", "1"]
    assert printed(capsys, *flags, "--calendar", "NL") == ["2026-04-28"]
    assert printed(capsys, *flags, "--calendar", "ECB") == ["2026-04-27"]
    flags[1] = "2026-04-03"
    assert printed(capsys, *flags, "--calendar", "ECB") == ["2026-04-04"]


def test_wherever_a_calendar_is_chosen_those_are_named_that_money_moves_by(capsys, monkeypatch, tmp_path):
    root = Path(__file__).parents[3]
    places = [(root / name).read_text(encoding="utf-8") for name in ("README.md", "docs/configuration.md")]
    monkeypatch.chdir(tmp_path)
    for asked in (["schedule", "--help"], ["doctor", "--offline"]):
        cli.execute(asked)
        places.append(capsys.readouterr().out)
    assert [place for place in places if not all(word in place for word in ("FED", "ACH", "ECB", "SEPA"))] == []


def test_a_file_takes_every_convention_by_the_name_of_its_flag_and_a_flag_wins(tmp_path, capsys):
    told = {"first-date": "2026-08-31", "count": 3, "total": "100.00", "day": 31, "short_month": "OVERFLOW_31"}
    told |= {"remainder": "FIRST", "fifth_week": "SKIP", "shift_order": "HOLIDAY_FIRST", "shift_mode": "REPEAT"}
    told |= {"cascade": False, "collision": "MERGE", "closed": "2026-12-24..2026-12-31", "weekend": "sun"}
    file = parameters(tmp_path, **told)
    wanted = plan_parameters(file, Flags())
    assert wanted.conventions == Conventions("FIRST", "OVERFLOW_31", "SKIP", "HOLIDAY_FIRST", "REPEAT", False, "MERGE")
    assert (len(wanted.closed), wanted.weekend) == (8, (7,))
    assert (dates(wanted), amounts(wanted)) == (["2026-08-31", "2026-10-01", "2026-10-31"], ["33.34", "33.33", "33.33"])
    asked = ["schedule", "--file", str(file), "--remainder", "LAST", "--short-month", "LAST_DAY", "--format", "json"]
    assert cli.execute(asked) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["due_date"], row["amount"]) for row in rows][1:] == [("2026-09-30", "33.33"), ("2026-10-31", "33.34")]


def test_flags_file_and_configuration_offer_the_same_conventions():
    """The words that the engine knows, wherever they are asked for."""
    configured = {name: field.annotation for name, field in ConventionSettings.model_fields.items()}
    asked = {name: hint for name, hint in get_type_hints(Flags).items() if name in CONVENTIONS}
    assert set(configured) == set(asked) == set(CONVENTIONS) == {*CHOICES, "cascade"}
    for name, words in CHOICES.items():
        for hint in (configured[name], asked[name]):
            assert set(get_args(get_args(hint)[0])) == set(words)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--amount 0.01 --total 1000.00", ["--amount '0.01'", "100,000 terms", "--total '1000.00'", "1,200", "at least 0.84"]),
        ("--count 3 --total -90.00", ["--total '-90.00'", "below zero", "0 or more"]),
        ("--amount 0 --total 10", ["--amount '0'", "more than 0"]),
        ("--amount 5 --total 0", ["--total '0'", "more than 0"]),
        ("--amount -5 --total 10", ["--amount '-5'", "below zero"]),
        ("--amount 5", ["--total is missing", "--amount"]),
        ("--total 5", ["--count is missing", "--amount"]),
        ("--total 5 --count 1 --amount 5", ["--count 1", "--amount '5'", "exclude"]),
        ("--count 0 --total 5", ["--count 0", "1 to 1200"]),
        ("--count 1201 --total 5", ["--count 1201", "1 to 1200"]),
        ("--count -3", ["--count -3", "1 to 1200"]),
        ("--count 3 --total nan", ["--total 'nan'", "no amount"]),
        ("--count 3 --total 1e40", ["--total '1e40'", "too large", "10,000,000,000,000.00"]),
        ("--count 3 --total 1.005", ["--total '1.005'", "EUR has 2 places"]),
        ("--count 3 --day 32", ["--day 32", "1 to 31"]),
        ("--count 3 --frequency semi-monthly --day 1 --second-day 0", ["--second-day 0", "1 to 31"]),
        ("--count 3 --frequency semi-monthly --day 1", ["--second-day is missing", "semi-monthly"]),
        ("--count 3 --frequency semi-monthly --week 1 --weekday mon --second-week 2", ["--second-weekday is missing"]),
        ("--count 3 --weekday monday", ["--week is missing", "--weekday"]),
        ("--count 3 --week 2", ["--weekday is missing"]),
        ("--count 3 --week 6 --weekday monday", ["--week 6", "1 to 5"]),
        ("--count 3 --week 1 --weekday monkey", ["--weekday", "'monkey'", "sun or Sunday"]),
        ("--count 3 --frequency days", ["--days-in-period is missing", "--frequency 'days'"]),
        ("--count 3 --frequency days --days-in-period 0", ["--days-in-period 0", "1 to 366"]),
        ("--count 3 --weekend-shift 61", ["--weekend-shift 61", "-60 to 60"]),
        ("--count 3 --holiday-shift -61", ["--holiday-shift -61", "-60 to 60"]),
        ("--count 3 --currency EURO", ["--currency 'EURO'", "ISO 4217"]),
        ("--count 3 --calendar XX", ["--calendar", "'XX'", "FED", "ECB"]),
        ("--count 3 --weekend someday", ["--weekend", "'someday'", "sun or Sunday"]),
        ("--count 3 --weekend 1,2,3,4,5,6,7", ["--weekend", "all seven"]),
        ("--count 3 --closed 2026-08-21..2026-08-03", ["--closed", "'2026-08-21..2026-08-03'", "ends before it begins"]),
        ("--count 3 --closed 2026-08-21..2062-08-23", ["--closed", "longer than 366 days"]),
        ("--count 3 --closed 2026-02-29..2026-03-01", ["--closed", "2026-02-29..2026-03-01", "no closed day"]),
        ("--count 3 --closed 2026-08-01..2026-08-09,2026-08-05", ["--closed", "2026-08-05 is given twice"]),
        ("--count 3 --first-date 1850-01-01", ["--first-date 1850-01-01", "1900 to 2200"]),
        ("--count three", ["--count", "three"]),
        ("--frequency yearly", ["--frequency", "yearly"]),
        ("--count 3 --remainder MIDDLE", ["--remainder", "MIDDLE"]),
    ],
)  # fmt: skip
def test_a_refusal_names_the_flag_that_was_typed_its_value_and_the_limit(flags, said, capsys):
    asked = ["schedule"] if "--first-date" in flags else ASKED
    assert cli.execute([*asked, *flags.split()]) == 2
    told = " ".join("".join(capsys.readouterr()).replace("│", " ").split())
    assert [word for word in said if word not in told] == []
    assert "term_count" not in told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({**BODY, "numberOfPayments": 0}, "numberOfPayments 0 is out of range; give 1 to 1200"),
        ({**BODY, "numberOfPayments": 2, "totalPlanAmount": -9000}, "totalPlanAmount -9000 is below zero"),
        ({"first_date": "2026-07-03", "count": 2, "total": "1.005"}, "total '1.005' has a fraction"),
        ({"first_date": "2026-07-03", "count": 2, "day": 40}, "day 40 is out of range"),
        (
            {"first_date": "2026-07-03", "count": 2, "short_month": "NEVER"},
            "short_month is 'NEVER'; use one of LAST_DAY",
        ),
        ({"first_date": "2026-07-03", "count": 2, "weekend": ["sunny"]}, "weekend: 'sunny' is no weekday"),
        ({"first_date": "2026-07-03", "listed": [["2026-07-03", "-4"]]}, "listed '-4' is below zero"),
    ],
)
def test_a_refusal_of_what_stands_in_a_file_names_the_file_and_its_own_word(told, said, tmp_path, capsys):
    file = parameters(tmp_path, **told)
    assert cli.execute(["schedule", "--file", str(file)]) == 2
    assert f"{str(file)!r}: {said}" in capsys.readouterr().err
