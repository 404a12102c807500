"""Charts are drawn from whole numbers: bars add up, figures are exact, currencies stand apart."""

from datetime import date

import polars as pl
import pytest

from reports.page.charts import cash_charts, kept_charts, percent, roll_charts

CASH = pl.DataFrame(
    [
        ("EUR", 0, 0, 0, None),
        ("EUR", 30, 100_00, 25_01, 66_67),
        ("EUR", 60, 999_00, 25_01, 700_00),
        ("JPY", 30, 45_405, 0, 25_138),
    ],
    schema=["currency", "horizon_days", "scheduled_minor", "pending_covered_minor", "risk_adjusted_minor"],
    orient="row",
)


def bars(line):
    return [(bar.kind, bar.start, bar.length) for bar in line.bars]


def test_expected_money_stands_by_currency_up_to_thirty_days_beside_what_pending_money_covers():
    euro, yen = cash_charts(CASH)
    assert [line.label for line in euro.lines] == ["today", "30 days"]
    assert euro.lines[1].figures == ("100.00", "66.67", "25.01")
    assert bars(euro.lines[1]) == [("scheduled", 0, 1000), ("likely", 0, 666), ("pending", 0, 250)]
    assert yen.lines[0].figures == ("45,405", "25,138", "0")
    assert "Within 30 days 100.00 EUR fall due, 66.67 of it likely" in euro.says


def test_an_unknown_rate_is_a_dash_and_no_bar():
    today = cash_charts(CASH)[0].lines[0]
    assert today.figures == ("0.00", "\u2013", "0.00")
    assert [bar.kind for bar in today.bars] == ["scheduled", "pending"]


def test_kept_terms_fill_the_line_whatever_the_thirds_round_to():
    frame = pl.DataFrame(
        {"currency": ["USD"], "window_days": [90], "evaluated": [3], "kept": [1], "partly_kept": [1], "broken": [1]}
    )
    (chart,) = kept_charts(frame)
    assert bars(chart.lines[0]) == [("kept", 0, 333), ("partly_kept", 333, 333), ("broken", 666, 334)]
    assert chart.lines[0].figures == ("3", "1", "1", "1", "33.3%")


ROLL = {
    "currency": "EUR",
    "from_as_of": date(2026, 5, 31),
    "from_bucket": "1-30",
    "from_bucket_no": 1,
}
MOVES = [("0", 0, 4), ("1-30", 1, 3), ("31-60", 2, 2), ("PAID_OFF", None, 1), ("VANISHED", None, 6)]


def test_moves_count_every_plan_once_and_rates_are_of_all_plans_of_the_bucket():
    moves = [{**ROLL, "to_bucket": word, "to_bucket_no": no, "plans": plans} for word, no, plans in MOVES]
    new = {**ROLL, "from_bucket": "NEW", "from_bucket_no": None, "to_bucket": "0", "to_bucket_no": 0, "plans": 50}
    (chart,) = roll_charts(pl.DataFrame([*moves, new]))
    (line,) = chart.lines
    # 16 plans: 4 + 1 better, 3 the same, 2 worse, 6 gone; 2/16 rolled on, 5/16 cured
    assert line.figures == ("16", "5", "3", "2", "6", "12.5%", "31.3%")
    assert sum(bar.length for bar in line.bars) == 1000


@pytest.mark.parametrize("draw", [cash_charts, kept_charts, roll_charts])
def test_nothing_known_is_no_chart(draw):
    assert draw(None) == []


@pytest.mark.parametrize(
    ("part", "whole", "text"), [(0, 7, "0.0%"), (7, 7, "100.0%"), (1, 3, "33.3%"), (1, 16, "6.3%"), (0, 0, "\u2013")]
)
def test_a_share_is_written_with_one_place(part, whole, text):
    assert percent(part, whole) == text
