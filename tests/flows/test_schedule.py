"""The schedule command: the worked cases a person can check by hand, and refusals that say what is missing."""

import json
from datetime import date
from importlib.metadata import version

import pytest

from flows import cli
from flows.errors import UsageError
from flows.parameters import read_parameters
from flows.schedule import Wanted, schedule_of


def dates(wanted):
    return [day.isoformat() for day in schedule_of(wanted)["due_date"]]


def amounts(wanted):
    return schedule_of(wanted)["amount"].to_list()


def test_the_thirty_first_is_counted_from_the_anchor_and_not_from_the_month_before():
    wanted = Wanted(date(2025, 1, 31), count=5, total="500.00")
    assert dates(wanted) == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31"]


def test_a_hundred_in_three_leaves_the_cent_to_the_last_term():
    assert amounts(Wanted(date(2025, 1, 1), count=3, total="100.00")) == ["33.33", "33.33", "33.34"]


def test_an_amount_per_term_makes_the_last_term_the_rest():
    wanted = Wanted(date(2025, 1, 1), amount="300.00", total="1000.00")
    assert amounts(wanted) == ["300.00", "300.00", "300.00", "100.00"]


def test_a_currency_without_places_is_split_in_whole_units():
    assert amounts(Wanted(date(2025, 1, 1), count=3, total="500", currency="JPY")) == ["166", "166", "168"]


def test_weekly_fridays_step_over_independence_day():
    """Friday 3 July 2026 is the observed holiday: three days later is Monday the 6th, and the next term stays."""
    wanted = Wanted(
        date(2026, 6, 26), "weekly", count=4, total="400.00", currency="USD", calendar="US", holiday_shift=3
    )
    assert dates(wanted) == ["2026-06-26", "2026-07-06", "2026-07-10", "2026-07-17"]
    assert "Independence Day" in schedule_of(wanted)["trace"][1]


def test_semi_monthly_days_before_the_first_date_are_dropped():
    wanted = Wanted(date(2023, 1, 5), "semi-monthly", count=6, total="600.00", day=1, second_day=25)
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
    wanted = Wanted(**read_parameters(file))
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
    wanted = Wanted(**read_parameters(parameters(tmp_path, **BODY, **told)))
    assert list(zip(dates(wanted), amounts(wanted), strict=True)) == terms


def test_a_file_by_our_names_holds_weekends_and_closed_days_too(tmp_path):
    """Friday 3 July goes to Sunday, a working day here, unless the works are closed on it."""
    told = {"first_date": "2026-07-03", "count": 1, "total": 7, "weekend": ["fri", "sat"], "weekend_shift": 2}
    assert dates(Wanted(**read_parameters(parameters(tmp_path, **told)))) == ["2026-07-05"]
    told |= {"closed": ["2026-07-05 Works outing"], "holiday_shift": 1}
    assert dates(Wanted(**read_parameters(parameters(tmp_path, **told)))) == ["2026-07-06"]


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
        read_parameters(parameters(tmp_path, **told))


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
        (Wanted(date(2025, 1, 1), count=3, total="10.005"), "2 places"),
        (Wanted(date(2025, 1, 1), count=3, total="ten"), "like 1000.00"),
        (Wanted(date(2025, 1, 1), count=3, total="10", currency="EURO"), "ISO 4217"),
        (Wanted(date(2025, 1, 1), weekday="Someday", week=1, count=2, total="10"), "weekday"),
        (Wanted(date(2025, 1, 1), total="10"), "missing"),
        (Wanted(date(2025, 1, 1), total="10", count=2, amount="5"), "exclude"),
    ],
)
def test_what_cannot_be_a_schedule_is_refused_with_what_to_give(wanted, said):
    with pytest.raises(UsageError, match=said):
        schedule_of(wanted)


def test_a_missing_first_date_exits_2(capsys):
    assert cli.execute(["schedule", "--count", "3"]) == 2
    assert "--first-date" in capsys.readouterr().err
