"""The workbook: numbers are numbers, text is text, nothing is a formula."""

import re
import zipfile
from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from reports.before import Before
from reports.files.shape import arrange
from reports.heads import head, names_by_head
from reports.run import RunWriter
from reports.workbook import sheets as layout
from reports.workbook.book import Written, write_workbook
from schemas.columns import COLUMNS
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
    portfolio=[],
)


def sheets(path, summary, tables, **options):
    write_workbook(path, summary, tables, **options)
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels"))}


def of(report, rows, total=None, minor=None):
    arranged = arrange(REPORTS[report], rows, AS_OF)
    return [Written(REPORTS[report], arranged, total or rows.height, minor or {})]


@pytest.mark.fault(36, 68)
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
    sheet = parts["xl/worksheets/sheet2.xml"]
    column = re.search(r'<c r="([A-Z]+)1"[^>]*><is><t>Outstanding<', sheet)[1]
    found = re.findall(rf'<c r="{column}\d+" s="(\d+)"><v>([^<]+)</v>', sheet)
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


def cells(path, sheet, summary, tables):
    """The rows of one sheet as another program reads them."""
    write_workbook(path, summary, tables)
    with CalamineWorkbook.from_path(path) as book:
        return book.get_sheet_by_name(sheet).to_python()


def target(parts, sheet, cell):
    """Where a cell leads."""
    found = re.search(rf'<hyperlink ref="{cell}" r:id="(\w+)"', parts[f"xl/worksheets/{sheet}.xml"])
    return (
        found
        and re.search(rf'Id="{found[1]}" [^>]*Target="([^"]*)"', parts[f"xl/worksheets/_rels/{sheet}.xml.rels"])[1]
    )


@pytest.mark.parametrize("report", [report for report in REPORTS.values() if report.has_csv], ids=lambda r: r.name)
def test_heads_are_words_and_lead_back_to_their_columns(report):
    for name in report.names:
        assert names_by_head(report)[head(name).casefold()] == name
        assert "_" not in head(name)
        assert head(name)[0].isupper()


def test_the_id_of_a_plan_leads_to_its_provider_and_stays_text(tmp_path, frame):
    plans = frame("plans", {"plan_id": "=1+1"}, {"plan_id": "2", "provider": "totality"})
    parts = sheets(
        tmp_path / "book.xlsx", SUMMARY, of("plans", plans), plan_links={"payt": "https://payt.example/#/{plan_id}?a&b"}
    )
    assert target(parts, "sheet2", "A2") == "https://payt.example/"
    assert 'location="/%3D1%2B1?a&amp;b"' in parts["xl/worksheets/sheet2.xml"]
    assert target(parts, "sheet2", "A3") is None
    assert re.search(r'<c r="A2" s="\d+" t="inlineStr"><is><t>=1\+1</t>', parts["xl/worksheets/sheet2.xml"])


def test_links_end_where_excel_takes_no_more(tmp_path, frame, monkeypatch):
    monkeypatch.setattr(layout, "MOST_LINKS", 1)
    plans = frame("plans", {"plan_id": "1"}, {"plan_id": "2"})
    parts = sheets(
        tmp_path / "book.xlsx", SUMMARY, of("plans", plans), plan_links={"payt": "https://a.example/{plan_id}"}
    )
    assert target(parts, "sheet2", "A2") == "https://a.example/1"
    assert parts["xl/worksheets/sheet2.xml"].count("<hyperlink ") == 1
    assert "<t>2</t>" in parts["xl/worksheets/sheet2.xml"]


def test_every_head_has_a_note_and_every_column_a_row_that_say_what_it_means(tmp_path, frame):
    parts = sheets(tmp_path / "book.xlsx", SUMMARY, of("breaks", frame("breaks", {})))
    notes = re.findall(r"<comment .*?</comment>", parts["xl/comments1.xml"], re.DOTALL)
    assert len(notes) == len(REPORTS["breaks"].columns)
    with CalamineWorkbook.from_path(tmp_path / "book.xlsx") as book:
        heads, *rows = book.get_sheet_by_name("Columns").to_python()
    told = {row[2]: dict(zip(heads, row, strict=True)) for row in rows}
    assert sorted(told) == sorted(REPORTS["breaks"].names)
    assert told["maximum"] == {
        "Sheet": "breaks",
        "Column": "Accepted up to",
        "Name in files": "maximum",
        "Meaning": "largest difference, above or below zero, that the acceptance covers",
        "Words": "",
        "Unit": "in `currency`",
        "Empty means": "not accepted, or any difference",
    }
    assert told["state"]["Words"] == ", ".join(COLUMNS["break_state"].values)
    for note, column in zip(notes, told.values(), strict=True):
        assert column["Name in files"] in note
        assert column["Meaning"][1:].split("&")[0].split("<")[0] in note


def test_amounts_are_added_up_per_currency_below_an_empty_row(tmp_path, frame):
    plans = frame(
        "plans", *({"plan_id": str(n), "currency": c, "overdue_minor": 10} for n, c in enumerate(("EUR", "JPY", "EUR")))
    )
    minor = {code: dict.fromkeys(REPORTS["plans"].names, amount) for code, amount in (("EUR", 20), ("JPY", 10))}
    rows = cells(tmp_path / "book.xlsx", "plans", SUMMARY, of("plans", plans, minor=minor))
    overdue = rows[0].index("Overdue")
    assert [(row[0], row[overdue]) for row in rows[4:]] == [("", ""), ("Total EUR", 0.2), ("Total JPY", 10)]


def test_breaks_are_whole_and_stand_in_order_however_many_slices_they_come_in(tmp_path, frame, monkeypatch):
    monkeypatch.setattr(layout, "SLICE", 4_000)
    one = frame("breaks", {})
    many = pl.concat([one] * 10_001).with_columns(fingerprint=pl.int_range(pl.len()).cast(pl.String).str.zfill(64))
    rows = cells(tmp_path / "book.xlsx", "breaks", SUMMARY, of("breaks", many))
    place = rows[0].index("Fingerprint")
    assert [row[place] for row in rows[1:]] == many["fingerprint"].to_list()


def test_sheets_are_printed_across_with_their_heads_on_each_page_and_days_late_are_shaded(tmp_path, frame):
    parts = sheets(tmp_path / "book.xlsx", SUMMARY, of("plans", frame("plans", {"days_past_due": 31})))
    sheet, book = parts["xl/worksheets/sheet2.xml"], parts["xl/workbook.xml"]
    assert 'orientation="landscape"' in sheet
    assert 'fitToHeight="0"' in sheet
    assert 'name="_xlnm.Print_Titles" localSheetId="1">plans!$A:$A,plans!$1:$1<' in book
    assert "HELD" in re.search("<oddHeader>(.*?)</oddHeader>", sheet)[1]
    shaded = re.findall(r'<conditionalFormatting sqref="([A-Z]+)2">', sheet)
    assert [names_by_head(REPORTS["plans"])[head_at(sheet, letter).casefold()] for letter in shaded] == [
        "days_past_due"
    ]
    assert re.findall(r'operator="greaterThan"><formula>(\d+)', sheet) == ["90", "60", "30", "0"]


def head_at(sheet, letter):
    return re.search(rf'<c r="{letter}1"[^>]*>.*?<t>([^<]*)</t>', sheet)[1]


def test_the_first_sheet_adds_up_the_plans_in_force_per_currency_and_lists_the_sheets(tmp_path, frame):
    line = dict.fromkeys(("plans_in_force", "plans_past_due", "missed_terms"), 0) | dict.fromkeys(
        ("due_today", "amount_due", "overdue", "pending", "outstanding"), "0.10"
    )
    portfolio = [SimpleNamespace(provider=who, currency="EUR", **(line | {"plans_in_force": 2})) for who in ("a", "b")]
    summary = SimpleNamespace(**(vars(SUMMARY) | {"portfolio": portfolio}))
    rows = cells(tmp_path / "book.xlsx", "Overview", summary, of("plans", frame("plans", {})))
    shown = {row[0]: row for row in rows if row[0]}
    assert shown["a"][1:6] == ["EUR", 2, 0, 0, 0.1]
    assert shown["Total EUR"][1:6] == ["EUR", 4, 0, 0, 0.2]
    assert shown["plans"][1] == 1
    assert "Columns" in shown


PLANS_AT_WORK = (
    {"plan_id": "small", "overdue_minor": 1_000, "days_past_due": 9, "missed_terms": 2},
    {"plan_id": "large", "overdue_minor": 9_000, "days_past_due": 9, "due_today_minor": 5, "missed_terms": 1},
    {"plan_id": "dollars", "overdue_minor": 20_000, "days_past_due": 9, "currency": "USD", "missed_terms": 1},
    {"plan_id": "quiet", "missed_terms": 1},
    {"plan_id": "idle"},
)


@pytest.fixture
def opened(tmp_path, frame, facts):
    """Write the workbook of a run over `PLANS_AT_WORK` and return its sheets by name."""

    def through(before=None):
        with RunWriter(tmp_path, as_of=AS_OF, run_id="r1", formats=["xlsx"]) as run:
            run.compare(before)
            run.write("plans", frame("plans", *PLANS_AT_WORK))
            folder = run.finish(facts())
            with CalamineWorkbook.from_path(folder / "reports.xlsx") as book:
                return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}

    return through


def test_the_day_s_work_comes_first_each_list_with_the_most_money_at_risk_on_top(opened):
    shown = opened()
    lists = ["Call today", "Due today", "Settling", "Paused", "Not owed", "Ended with money"]
    assert [*shown] == ["Overview", *lists, *(name for name, each in REPORTS.items() if each.has_csv), "Columns"]
    heads, *rows = shown["Call today"]
    plan, overdue = heads.index("Plan"), heads.index("Overdue")
    assert [(row[plan], row[overdue]) for row in rows] == [
        ("large", 90), ("small", 10), ("dollars", 200), ("", ""), ("Total EUR", 100), ("Total USD", 200),
    ]  # fmt: skip
    assert [row[plan] for row in shown["Due today"][1:]] == ["large", "", "Total EUR"]
    assert [row[0] for row in shown["Paused"][1:]] == ["", "0 rows"]
    listed = {row[0]: row[1] for row in shown["Overview"] if row[0] in shown}
    assert (listed["Call today"], listed["Due today"], listed["Paused"], listed["plans"]) == (3, 1, 0, 5)


def test_plans_with_more_missed_terms_than_at_the_run_before_have_a_list(opened):
    """One more than then, first ones, and as many as then."""
    then = {"small": 1, "dollars": 1}
    missed = pl.DataFrame(
        [{"provider": "payt", "tenant_id": "a1", "plan_id": name, "missed_terms": n} for name, n in then.items()]
    )
    shown = opened(Before(date(2026, 6, 29), missed))
    assert [*shown][:4] == ["Overview", "Call today", "Newly missed", "Due today"]
    assert [row[0] for row in shown["Newly missed"][1:]] == ["large", "small", "quiet", "", "Total EUR"]
    assert "Plans: more missed terms than on 2026-06-29" in {row[2] for row in shown["Overview"]}


def test_open_breaks_stand_before_accepted_ones_and_the_worst_first(tmp_path, frame):
    told = (
        ("low", "NEW"),
        ("high", "ACCEPTED"),
        ("critical", "NOT_EVALUATED"),
        ("high", "ONGOING"),
        ("low", "RESOLVED"),
    )
    breaks = frame("breaks", *({"plan_id": str(n), "severity": s, "break_state": b} for n, (s, b) in enumerate(told)))
    rows = cells(tmp_path / "book.xlsx", "breaks", SUMMARY, of("breaks", breaks))
    assert [row[0] for row in rows[1:]] == ["2", "3", "0", "1", "4"]
