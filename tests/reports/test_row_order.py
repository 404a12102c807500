"""The same rows give the same bytes, however they were handed over."""

import hashlib
import random
from datetime import date

import polars as pl
import pytest

from reports.errors import OrderError, ReportError
from reports.files.parquet import ParquetSink
from reports.files.spool import Spool
from reports.files.tables import TableWriter
from schemas.reports import REPORTS

AS_OF = date(2026, 6, 30)


def digests(folder, name, frames, *, in_order=False):
    folder.mkdir()
    table = TableWriter(REPORTS[name], folder, as_of=AS_OF, formats=("csv", "parquet"), in_order=in_order)
    try:
        for part in frames:
            table.add(part)
        table.close()
    finally:
        table.abandon()
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.csv", f"{name}.parquet"]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())]


@pytest.fixture
def terms(frame):
    """200 plans of three terms; plan numbers run against the order of plan ids, as late arrivals do."""
    rows = [
        {"plan_no": 1000 - p, "plan_id": f"P{p:04}", "term_id": f"{p}-{t}", "term_no": t, "amount_minor": p * 10 + t}
        for p in range(200)
        for t in (1, 2, 3)
    ]
    return frame("terms", *rows)


def shuffled(rows, seed):
    order = list(range(rows.height))
    random.Random(seed).shuffle(order)
    return rows[order]


def test_order_of_rows_and_number_of_frames_change_no_byte(tmp_path, terms):
    expected = digests(tmp_path / "whole", "terms", [terms], in_order=True)
    assert digests(tmp_path / "parts", "terms", terms.iter_slices(90), in_order=True) == expected
    assert digests(tmp_path / "shuffled", "terms", [shuffled(terms, 1)], in_order=True) == expected
    assert digests(tmp_path / "spooled", "terms", shuffled(terms, 2).iter_slices(37)) == expected
    assert digests(tmp_path / "backwards", "terms", list(terms.iter_slices(100))[::-1]) == expected


def test_rows_stand_in_key_order(tmp_path, terms):
    digests(tmp_path / "out", "terms", shuffled(terms, 3).iter_slices(50))
    stored = pl.read_parquet(tmp_path / "out" / "terms.parquet").select("plan_id", "term_no").rows()
    assert stored == [(f"P{p:04}", t) for p in range(200) for t in (1, 2, 3)]


def test_an_empty_id_stands_before_any_other(tmp_path, frame):
    rows = [
        {"payment_id": "x", "plan_id": plan, "account_id": "a", "payment_no": n}
        for n, plan in enumerate(["b", None, "a"])
    ]
    digests(tmp_path / "out", "payments", [frame("payments", *rows)])
    assert pl.read_parquet(tmp_path / "out" / "payments.parquet")["plan_id"].to_list() == [None, "a", "b"]


def test_a_broken_promise_of_order_is_noticed(tmp_path, terms):
    with pytest.raises(OrderError, match="'terms'"):
        digests(tmp_path / "out", "terms", [terms.tail(30), terms.head(30)], in_order=True)


@pytest.mark.parametrize("seed", range(5))
def test_merged_runs_equal_one_sort(tmp_path, seed):
    """Many small runs with repeated and empty keys, read back in ranges of a few rows."""
    rng = random.Random(seed)
    rows = [(rng.choice("ab"), rng.choice([None, "", "x", "y"]), rng.randrange(5), n) for n in range(500)]
    whole = pl.DataFrame(rows, schema=["provider", "plan_id", "term_no", "n"], orient="row")
    key = ("provider", "plan_id", "term_no")
    spool = Spool(key, tmp_path / "spool", step=7, range_rows=30)
    for part in whole.iter_slices(61):
        spool.add(part.sort(key, nulls_last=False))
    pieces = list(spool.frames())
    spool.remove()
    assert max(piece.height for piece in pieces) < 200
    merged = pl.concat(pieces)
    by_hand = sorted(rows, key=lambda r: (r[0], r[1] is not None, r[1] or "", r[2]))
    assert merged.select(key).rows() == [row[:3] for row in by_hand]
    assert sorted(merged["n"]) == list(range(500))
    assert not (tmp_path / "spool").exists()


def test_a_file_that_cannot_be_written_is_an_error_not_a_hang(tmp_path):
    sink = ParquetSink(tmp_path / "missing" / "x.parquet", pl.Schema({"a": pl.Int64}))
    with pytest.raises(ReportError, match=r"x\.parquet"):  # noqa: PT012  # the error may come with any of the writes
        for _ in range(5):
            sink.write(pl.DataFrame({"a": [1]}))
        sink.close()
