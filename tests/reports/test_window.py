"""Tables keep to the width of a window without losing a letter; in a pipe every line is whole."""

import re
from dataclasses import replace

import pytest

from reports.terminal.layout import Table, cells, plain, vertical
from reports.terminal.window import fitted, listed, wrapped

PLAN = "4160592b-c8fb-4bbf-ac7a-467549771e32"
SENTENCE = f"Plan {PLAN} of 渡辺 supports two active plans, and only one of them can hold on any day."
BREAKS = Table(
    ("severity", "provider", "plan_id", "name", "difference", "expected", "actual", "explanation"),
    [
        (
            "high",
            "totality",
            PLAN,
            "渡辺渡辺渡辺渡辺渡辺渡辺",
            "-1,234,567,890.50",
            "one active plan",
            "two active plans",
            SENTENCE,
        ),
        ("low", "payt", "2603018", "Ann", "0.01", "one", "", ""),
    ],
    right=frozenset({4}),
    first=("severity", "plan_id", "difference"),
    sentence="explanation",
)
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def shown(text):
    return STYLES.sub("", text).splitlines()


def letters(lines):
    return "".join("".join(lines).split())


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_no_line_is_wider_than_the_window(width):
    for lines in (shown(fitted(BREAKS, width)), listed(BREAKS, width).splitlines()):
        assert max(map(cells, lines)) <= width


def test_where_there_is_room_everything_stands_in_one_line_a_row():
    head, first, second = shown(fitted(BREAKS, 260))
    assert head.split() == list(BREAKS.head)
    assert first.endswith(SENTENCE)
    assert "渡辺渡辺渡辺渡辺渡辺渡辺  " in first
    assert second.split() == ["low", "payt", "2603018", "Ann", "0.01", "one"]


def test_at_80_columns_the_sentence_stands_below_its_row_and_no_letter_is_lost():
    lines = shown(fitted(BREAKS, 80))
    below = [line for line in lines if line.startswith("    ")]
    assert letters(below).endswith(letters([SENTENCE]))


@pytest.mark.parametrize(
    "text", [PLAN, "--- " + "a__b  c " * 5 + "--", "渡辺渡辺渡辺渡辺", "-", "x" * 50, "STATUS_CONTRADICTION", " - _ "]
)
@pytest.mark.parametrize("width", [24, 25, 30])
def test_a_folded_cell_keeps_every_letter(text, width):
    lines = shown(fitted(Table(("a", "b", "c"), [(text, "1", "2")], right=frozenset({1, 2})), width))
    assert letters(line.replace(" 1  2", "") for line in lines[1:]) == letters([text])


def test_words_of_a_code_and_a_time_are_not_folded_themselves():
    code, moment = "STATUS_CONTRADICTION", "2026-06-30 04:01:09.000123Z"
    lines = shown(fitted(Table(("code", "seen", "id"), [(code, moment, PLAN)]), 48))
    words = {word for line in lines[1:] for word in line.split()}
    assert {"STATUS_", "CONTRADICTION", "2026-06-30", "04:01:09.000123Z", "467549771e32"} <= words


def test_columns_without_room_are_named_and_those_that_matter_stay():
    lines = shown(fitted(BREAKS, 44))
    assert lines[0].split() == ["severity", "plan_id", "difference"]
    note = " ".join(lines).partition("no room for ")[2]
    assert note == "provider, name, expected, actual: --wide shows all, --vertical one field a line"


def test_an_amount_is_never_folded():
    amounts = {"due": "-1,234,567,890.50", "open": "12,345,678,901.25", "late": "0.01"}
    table = Table(("plan_id", *amounts), [(PLAN, *amounts.values())], right=frozenset({1, 2, 3}), first=("due",))
    for width in range(17, 120):
        text = STYLES.sub("", fitted(table, width))
        gone = " ".join(text.split()).partition("no room for ")[2].partition(":")[0].split(", ")
        assert "due" not in gone
        assert [name for name, amount in amounts.items() if (amount in text) is (name in gone)] == [], width


def test_in_a_pipe_each_row_is_one_line_and_numbers_stand_flush_right():
    table = Table(("name", "amount", "said"), [("渡辺", "1.50", "a b"), ("Ann", "12.00", "")], right=frozenset({1}))
    assert plain(table) == ["name  amount  said", "渡辺    1.50  a b", "Ann    12.00"]


def test_one_field_a_line_names_each_field_of_each_row():
    table = Table(("plan_id", "said"), [(PLAN, "x"), ("2", "")])
    assert list(vertical(table)) == [
        "-- 1 of 2 --",
        f"plan_id  {PLAN}",
        "said     x",
        "-- 2 of 2 --",
        "plan_id  2",
        "said",
    ]


def test_a_long_field_is_folded_beside_its_name():
    table = Table(("plan_id", "said"), [("7", "one two three four five six")])
    assert listed(table, 24).splitlines() == [
        "-- 1 of 1 --",
        "plan_id  7",
        "said     one two three",
        "         four five six",
    ]


def test_the_head_in_bold_takes_no_more_room_than_its_letters():
    assert wrapped("\x1b[1mone two three\x1b[0m", 13) == "\x1b[1mone two three\x1b[0m"


def test_a_sentence_is_wrapped_between_its_words():
    assert wrapped("one two three\nshort", 7) == "one two three\nshort"  # no window is so narrow
    assert wrapped("one two three four\nshort", 14) == "one two three\nfour\nshort"


@pytest.mark.parametrize(("text", "places"), [("abc", 3), ("渡辺", 4), ("e\u0301", 1), ("é", 1), ("", 0)])
def test_places_that_a_text_takes(text, places):
    assert cells(text) == places


def test_an_id_in_a_terminal_is_a_link_on_each_of_its_lines_and_takes_no_room():
    links = (f"https://lender.example/{PLAN}", "")
    table = replace(BREAKS, links=links)
    for width in (40, 80, 260):
        text = fitted(table, width)
        linked = re.findall(r"\x1b\]8;;(.*?)\x1b\\(.*?)\x1b\]8;;\x1b\\", text)
        assert {to for to, _ in linked} == {links[0]}
        assert "".join(part for _, part in linked) == PLAN
        assert re.sub(r"\x1b\]8;;.*?\x1b\\", "", text) == fitted(BREAKS, width)
