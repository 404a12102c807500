"""Commands show tables fitted to a terminal's window; a pipe gets all of them, whole and plain."""

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from flows.commands import answers, cli, window
from flows.errors import UsageError

FRAME = pl.DataFrame(
    {
        "plan_id": ["2603018", "4160592b-c8fb-4bbf-ac7a-467549771e32", "x"],
        "currency": ["EUR", "JPY", "KWD"],
        "overdue": [Decimal("276.5000"), Decimal("500.0000"), Decimal("1.2500")],
        "rate": [Decimal("0.123456"), None, Decimal("1.000000")],
        "since": [date(2026, 6, 30), None, None],
        "is_paused": [True, False, None],
        "explanation": ["A sentence " * 12, "", "ends\nhere\u202e"],
    },
    schema_overrides={"overdue": pl.Decimal(20, 4), "rate": pl.Decimal(20, 6)},
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    def opened(columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "dumb")
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    yield opened
    window.choose(wide=False, vertical=False)


def test_a_pipe_gets_every_letter_and_money_with_the_places_of_its_currency(capsys):
    answers.write(FRAME, "table")
    head, first, second, third = capsys.readouterr().out.splitlines()
    assert head.split() == FRAME.columns
    assert first.split()[:6] == ["2603018", "EUR", "276.50", "0.123456", "2026-06-30", "true"]
    assert first.endswith(("A sentence " * 12).rstrip())
    assert second.split() == ["4160592b-c8fb-4bbf-ac7a-467549771e32", "JPY", "500", "false"]
    assert third.split()[:4] == ["x", "KWD", "1.250", "1.000000"]
    assert third.endswith("ends⟨U+000A⟩here⟨U+202E⟩")


def test_a_moment_is_written_whole_in_utc(capsys):
    answers.write(pl.DataFrame({"at": [datetime(2026, 6, 30, 4, 1, 9, 12, tzinfo=UTC)]}), "table")
    assert capsys.readouterr().out == "at\n2026-06-30 04:01:09.000012Z\n"


def test_money_without_its_currency_or_with_a_part_of_a_cent_is_shown_as_it_is(capsys):
    answers.write(FRAME.select("overdue"), "table")
    assert capsys.readouterr().out.split() == ["overdue", "276.5000", "500.0000", "1.2500"]
    odd = pl.DataFrame(
        {"currency": ["EUR", "???", None], "mean": [Decimal("0.0050")] * 3},
        schema_overrides={"mean": pl.Decimal(38, 4)},
    )
    answers.write(odd, "table")
    assert capsys.readouterr().out.count("0.0050") == 3


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_terminal_gets_lines_that_fit_its_window(terminal, columns):
    screen = terminal(columns)
    answers.write(FRAME, "table")
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    assert "\x1b" not in screen.getvalue()
    assert "A sentence A sentence" in " ".join(lines)


def test_wide_is_in_a_terminal_what_a_pipe_gets(terminal, capsys):
    answers.write(FRAME, "table")
    piped = capsys.readouterr().out
    screen = terminal(40)
    window.choose(wide=True, vertical=False)
    answers.write(FRAME, "table")
    assert screen.getvalue() == piped


def test_vertical_is_one_field_a_line_also_in_a_pipe(capsys):
    window.choose(wide=False, vertical=True)
    try:
        answers.write(FRAME.select("plan_id", "overdue", "currency").head(1), "table")
    finally:
        window.choose(wide=False, vertical=False)
    assert capsys.readouterr().out.splitlines() == [
        "-- 1 of 1 --",
        "plan_id   2603018",
        "overdue   276.50",
        "currency  EUR",
    ]


def test_a_layout_is_refused_where_there_is_no_table(monkeypatch):
    with pytest.raises(UsageError, match="give one of them"):
        window.choose(wide=True, vertical=True)
    monkeypatch.setattr(window._Asked, "vertical", True)
    with pytest.raises(UsageError, match="--vertical is for tables, not for --format csv"):
        answers.write(FRAME, "csv")


def test_the_option_stands_anywhere_and_holds_for_one_call(capsys):
    asked = ["schedule", "--first-date", "2026-01-31", "--count", "2", "--total", "10.00"]
    assert cli.execute([*asked, "--vertical"]) == 0
    assert "-- 2 of 2 --" in capsys.readouterr().out
    assert cli.execute(asked) == 0
    assert "-- 2 of 2 --" not in capsys.readouterr().out
    assert cli.execute([*asked, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert cli.execute([*asked, "--format", "json", "--wide"]) == 2
    assert "--wide is for tables" in capsys.readouterr().err
