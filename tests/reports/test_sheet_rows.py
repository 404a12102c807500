"""Rows of a sheet made column by column read back as the values they came from."""

import zipfile
from datetime import UTC, date, datetime
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest

from reports.files.shape import arrange
from reports.heads import names_by_head
from reports.workbook.book import Written, write_workbook
from schemas.reports import REPORTS

AS_OF = date(2026, 6, 30)
SUMMARY = SimpleNamespace(
    state="PUBLISHED",
    as_of="2026-06-30",
    known_at="2026-06-30T04:01:09Z",
    run_key="k",
    code_version="0.1.0",
    headline="fine",
    held_because=[],
    portfolio=[],
)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture
def read(tmp_path, frame):
    """Write rows of a report and return, per row, the cells by column name: (type, text)."""

    def through(report, *rows):
        arranged = arrange(REPORTS[report], frame(report, *rows), AS_OF)
        write_workbook(tmp_path / "book.xlsx", SUMMARY, [Written(REPORTS[report], arranged, arranged.height, {})])
        with zipfile.ZipFile(tmp_path / "book.xlsx") as book:
            sheet = ET.fromstring(book.read("xl/worksheets/sheet2.xml"))  # noqa: S314 - our own file
        found = [
            {
                cell.get("r").rstrip("0123456789"): (cell.get("t"), "".join(cell.itertext()))
                for cell in row.iter(f"{MAIN}c")
            }
            for row in sheet.iter(f"{MAIN}row")
        ]
        known = names_by_head(REPORTS[report])
        names = {letter: known[text.casefold()] for letter, (_, text) in found[0].items()}
        return [{names[letter]: cell for letter, cell in row.items()} for row in found[1:]]

    return through


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("R&D <Ltd> 'x' \"y\"", "R&D <Ltd> 'x' \"y\""),
        ("<r><t>looks like markup</t></r>", "<r><t>looks like markup</t></r>"),
        (" padded ", " padded "),
        ("bell\x07", "bell_x0007_"),
        ("_x0041_ as it stands", "_x005F_x0041_ as it stands"),
        ("😀" * 20_000, "😀" * 16_383),
    ],
    ids=["signs of markup", "a whole element", "blanks around", "a control character", "an escape", "too long"],
)
def test_text_is_read_back_as_it_was(read, given, stored):
    (row,) = read("plans", {"plan_id": given})
    assert row["plan_id"] == ("inlineStr", stored)


def test_every_kind_of_cell_is_what_excel_counts_with(read):
    (row,) = read(
        "plans",
        {
            "created_on": date(2026, 6, 30),
            "is_in_force": True,
            "terms": 12,
            "coverage_ppm": 1_250_000,
            "outstanding_minor": -123_450,
        },
    )
    assert row["created_on"] == (None, "46203")
    assert row["is_in_force"] == ("b", "1")
    assert row["terms"] == (None, "12")
    assert row["coverage"] == (None, "1.25")
    assert row["outstanding"] == (None, "-1234.5")


def test_an_instant_is_a_day_and_its_part(read):
    (row,) = read("integrity", {"fresh_at": datetime(2026, 6, 30, 18, tzinfo=UTC)})
    kind, text = row["fresh_at"]
    assert kind is None
    assert float(text) == pytest.approx(46203.75)


def test_what_is_unknown_is_no_cell(read):
    first, second = read(
        "plans", {"plan_id": "a", "next_due_date": None}, {"plan_id": "b", "next_due_date": date(2026, 7, 1)}
    )
    assert "next_due_date" not in first
    assert second["next_due_date"] == (None, "46204")


@pytest.mark.parametrize(
    ("currency", "minor", "cell"),
    [
        ("JPY", 999_999_999_999_999, (None, "999999999999999")),
        ("JPY", 1_000_000_000_000_000, ("inlineStr", "1000000000000000")),
        ("EUR", -999_999_999_999_999, (None, "-9999999999999.99")),
        ("EUR", -1_000_000_000_000_000, ("inlineStr", "-10000000000000.00")),
        ("KWD", 1_000_000_000_000_001, ("inlineStr", "1000000000000.001")),
    ],
)
def test_an_amount_is_a_number_up_to_fifteen_digits(read, currency, minor, cell):
    (row,) = read("plans", {"currency": currency, "outstanding_minor": minor})
    assert row["outstanding"] == cell
