"""Text that a spreadsheet would run leaves as text."""

import csv
from datetime import date

import polars as pl
import pytest

from reports.cells import cells
from reports.files.shape import empty
from reports.files.tables import TableWriter
from schemas.reports import REPORTS

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "-5.00",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    " \t@x",
    "\u00a0=1",
    "-",
    "=",
]
HARMLESS = ["", "a=1", "1-2", "O'Neil", "'=1", "x@y", "50% =", "\u2014", "ünï", 'say "hi"', "two\nlines", "a,b", "日本"]


def explanations(folder, frame, texts):
    breaks = frame("breaks", *({"fingerprint": f"{n:06}", "explanation": t} for n, t in enumerate(texts)))
    table = TableWriter(REPORTS["breaks"], folder, as_of=date(2026, 6, 30), formats=("csv", "parquet"))
    table.add(breaks)
    table.close()
    with (folder / "breaks.csv").open(encoding="utf-8", newline="") as file:
        return [row["explanation"] for row in csv.DictReader(file)]


@pytest.mark.fault(36, 68)
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(tmp_path, frame, text):
    assert explanations(tmp_path, frame, [text]) == ["'" + text]


@pytest.mark.parametrize("text", HARMLESS, ids=repr)
def test_any_other_text_comes_back_as_it_was(tmp_path, frame, text):
    assert explanations(tmp_path, frame, [text]) == [text]


def test_all_of_them_in_one_file(tmp_path, frame):
    assert explanations(tmp_path, frame, HOSTILE + HARMLESS) == ["'" + text for text in HOSTILE] + HARMLESS


def test_all_of_them_in_many_rows_one_after_the_other(tmp_path, frame):
    texts = [text for text in HOSTILE + HARMLESS for _ in range(1_000)]
    expected = [text for text in ["'" + text for text in HOSTILE] + HARMLESS for _ in range(1_000)]
    assert explanations(tmp_path, frame, texts) == expected


def test_a_text_and_an_unknown_one_in_turn_keep_their_places(tmp_path):
    owners = ["anna"] * 9_000 + [None] * 9_000 + ["", 'a"b'] * 4_500
    shown = cells(REPORTS["breaks"], empty(REPORTS["breaks"]).clear(len(owners)).with_columns(owner=pl.Series(owners)))
    assert shown["owner"].to_list() == ['"anna"'] * 9_000 + [None] * 9_000 + ['""', '"a""b"'] * 4_500


def test_parquet_keeps_the_exact_text(tmp_path, frame):
    explanations(tmp_path, frame, HOSTILE)
    assert pl.read_parquet(tmp_path / "breaks.parquet")["explanation"].to_list() == HOSTILE


@pytest.mark.fault(68)
def test_ids_are_guarded_too_and_negative_amounts_stay_numbers(tmp_path, frame):
    terms = frame(
        "terms", {"plan_id": "=cmd", "term_id": '+"x"', "tenant_id": "@t", "term_no": 1, "outstanding_minor": -500}
    )
    table = TableWriter(REPORTS["terms"], tmp_path, as_of=date(2026, 6, 30), formats=("csv",))
    table.add(terms)
    table.close()
    line = (tmp_path / "terms.csv").read_text("utf-8").splitlines()[1]
    assert line.startswith('2026-06-30,"payt","\'@t","\'=cmd","\'+""x""",1,')
    assert ",-5.00," in line


def test_every_text_cell_is_quoted_and_nothing_else_is(tmp_path, frame):
    plans = frame("plans", {"plan_id": "a", "flags": "", "days_past_due": 3})
    table = TableWriter(REPORTS["plans"], tmp_path, as_of=date(2026, 6, 30), formats=("csv",))
    table.add(plans)
    table.close()
    line = (tmp_path / "plans.csv").read_text("utf-8").splitlines()[1]
    kinds = [column.kind.name for column in REPORTS["plans"].columns]
    for cell, kind in zip(line.split(","), kinds, strict=True):
        assert cell.startswith('"') == (kind == "TEXT" and cell != ""), (cell, kind)
