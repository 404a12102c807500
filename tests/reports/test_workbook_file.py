"""The workbook: numbers are numbers, text is text, nothing is a formula."""

import re
import zipfile
from datetime import date
from types import SimpleNamespace

from reports.shape import arrange
from reports.workbook import write_workbook
from schemas.reports import REPORTS

AS_OF = date(2026, 6, 30)
SUMMARY = SimpleNamespace(
    state="HELD",
    as_of="2026-06-30",
    known_at="2026-06-30T04:01:09Z",
    run_key="k",
    code_version="0.1.0",
    headline="HELD  as of 2026-06-30: =1+1",
    held_because=["=cmd()"],
)


def sheets(path, summary, heads):
    write_workbook(path, summary, heads)
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode() for name in book.namelist() if name.endswith(".xml")}


def of(report, rows, total=None):
    arranged = arrange(REPORTS[report], rows, AS_OF)
    return {REPORTS[report]: (arranged, total or rows.height)}


def test_text_never_becomes_a_formula_or_a_link(tmp_path, frame):
    terms = frame("terms", {"plan_id": "=1+1", "term_id": "http://evil.example", "tenant_id": "{=A1}", "term_no": 1})
    parts = sheets(tmp_path / "book.xlsx", SUMMARY, of("terms", terms))
    sheet = parts["xl/worksheets/sheet2.xml"]
    assert "<f>" not in "".join(parts.values())
    assert "<hyperlink" not in sheet
    for text in ("=1+1", "http://evil.example", "{=A1}"):
        assert f"<is><t>{text}</t></is>" in sheet


def test_money_is_a_number_with_the_places_of_its_currency(tmp_path, frame):
    amounts = (("EUR", 3334), ("JPY", 500), ("KWD", 1250), ("USD", -5))
    plans = frame("plans", *({"plan_id": c, "currency": c, "outstanding_minor": m} for c, m in amounts))
    parts = sheets(tmp_path / "book.xlsx", SUMMARY, of("plans", plans))
    column = "R"
    found = re.findall(rf'<c r="{column}\d+" s="(\d+)"><v>([^<]+)</v>', parts["xl/worksheets/sheet2.xml"])
    assert REPORTS["plans"].names.index("outstanding") == ord(column) - ord("A")
    assert [float(value) for _, value in found] == [33.34, 500, 1.25, -0.05]
    formats = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]+)"', parts["xl/styles.xml"]))
    styles = re.findall(r'<xf numFmtId="(\d+)"', parts["xl/styles.xml"].split("<cellXfs")[1])
    builtin = {"3": "#,##0", "4": "#,##0.00"}
    shown = [(formats | builtin)[styles[int(style)]] for style, _ in found]
    assert shown == ["#,##0.00", "#,##0", "#,##0.000", "#,##0.00"]


def test_an_amount_beyond_what_excel_keeps_is_text(tmp_path, frame):
    plans = frame("plans", {"outstanding_minor": 9_999_999_999_999_999})
    sheet = sheets(tmp_path / "book.xlsx", SUMMARY, of("plans", plans))["xl/worksheets/sheet2.xml"]
    assert "<is><t>99999999999999.99</t></is>" in sheet


def test_the_first_sheet_says_that_the_run_is_held(tmp_path, frame):
    sheet = sheets(tmp_path / "book.xlsx", SUMMARY, of("plans", frame("plans", {})))["xl/worksheets/sheet1.xml"]
    assert "HELD  as of 2026-06-30: =1+1" in sheet
    assert "<t>=cmd()</t>" in sheet


def test_a_sheet_that_holds_only_the_first_rows_says_where_the_rest_is(tmp_path, frame):
    heads = of("plans", frame("plans", {}), total=12_000)
    parts = sheets(tmp_path / "book.xlsx", SUMMARY, heads)
    note = "the first 1 of 12,000 rows; all are in plans.csv and plans.parquet"
    assert note in parts["xl/worksheets/sheet1.xml"]
    assert note in parts["xl/worksheets/sheet2.xml"]


def test_header_is_frozen_and_can_be_filtered(tmp_path, frame):
    sheet = sheets(tmp_path / "book.xlsx", SUMMARY, of("plans", frame("plans", {})))["xl/worksheets/sheet2.xml"]
    assert 'state="frozen"' in sheet
    assert "<autoFilter" in sheet


def test_the_same_figures_give_the_same_bytes(tmp_path, frame):
    for name in ("one", "two"):
        write_workbook(tmp_path / name, SUMMARY, of("plans", frame("plans", {}, {"plan_id": "q"})))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
