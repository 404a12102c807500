"""Positions and schedules of a portfolio in Parquet files, worked out in other ways; a process each.

`python -m benchmarks.tuned WAY FOLDER` prints what it found as JSON. The peers compute less than the program: no states,
spells, pauses, rates or reasons. What they find must be what the program finds.

- `tuned`: polars without window expressions: running sums, gathers and clips over terms in plan order; the terms held
  against the expected ones of a file, position by position;
- `tables`: the same, the expected terms worked out from the plans' rules by look-up tables;
- `duckdb`: SQL with windows; `windows`: the polars query with `over` that first comes to mind; `scan`: files alone.
"""

import json
import sys
import tempfile
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

AS_OF = date(2026, 6, 30)
EPOCH = date(1970, 1, 1)
ZSTD: dict[str, Any] = {"compression": "zstd", "compression_level": 1}


def _read(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    plans = pl.read_parquet(folder / "plans.parquet", columns=["plan_no", "provider", "account_no", "currency"])
    wanted = ["account_no", "currency", "class", "effective_date", "amount_minor"]
    payments = pl.read_parquet(folder / "payments.parquet", columns=wanted).filter(pl.col("effective_date") <= AS_OF)
    return plans, pl.read_parquet(folder / "terms.parquet"), payments


def tuned(folder: Path, out: Path) -> dict[str, Any]:
    """Spread money over terms, age what is open, and hold the terms against the expected ones of a file."""
    plans, terms, payments = _read(folder)
    found = _positions(plans, terms, payments, out)
    return found | {"breaks": _differences(terms, pl.read_parquet(folder / "expected.parquet"))}


def tables(folder: Path, out: Path) -> dict[str, Any]:
    """Do the same with terms that are expected by the plans' rules, worked out by look-up tables and written."""
    plans, terms, payments = _read(folder)
    found = _positions(plans, terms, payments, out)
    expected = _expected(pl.read_parquet(folder / "plan_rules.parquet"))
    expected.write_parquet(out / "expected.parquet", **ZSTD)
    return found | {"breaks": _differences(terms, expected)}


def _positions(plans: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame, out: Path) -> dict[str, Any]:
    """Write positions of terms and plans: settled money first, then pending, oldest due date first; nothing is joined by term.

    The sums before each term run over all plans; what had run up when the term's own plan began is taken off.
    """
    packed = terms["plan_no"] * 2**20 + terms["due_date"].to_physical()
    if not packed.is_sorted():
        terms = terms[packed.arg_sort()]
    runs = terms["plan_no"].rle().struct.field("len")
    starts, run = runs.cum_sum() - runs, terms["plan_no"].rle_id()
    amount = terms["amount_minor"]
    before = amount.cum_sum() - amount
    before -= before.gather(starts.gather(run))
    kinds = ("received", "pending")
    sums = payments.group_by("account_no").agg(
        pl.col("amount_minor").filter(pl.col("class") == kind).sum().alias(kind) for kind in kinds
    )
    paid = plans.join(sums, on="account_no", how="left").with_columns(pl.col(kinds).fill_null(0))
    received, pending = (paid[kind].gather(run) for kind in kinds)
    placed = terms.with_columns(before=before, left=received - before, more=pending).select(
        "plan_no",
        "term_id",
        "due_date",
        "amount_minor",
        pl.col("left").clip(0, pl.col("amount_minor")).alias("received"),
        pl.col("left", "more", "before"),
    )
    open_now, late = pl.col("amount_minor") - pl.col("received"), pl.col("due_date") < AS_OF
    covered = (pl.col("left") + pl.col("more")).clip(0, pl.col("amount_minor")) - pl.col("received")
    aged = (
        placed.with_columns(outstanding=open_now, pending=covered)
        .with_columns(overdue=pl.when(late).then("outstanding").otherwise(0))
        .with_columns(
            days=pl.when(pl.col("overdue") > 0).then((pl.lit(AS_OF) - pl.col("due_date")).dt.total_days()).otherwise(0)
        )
        .with_columns(
            bucket=pl.min_horizontal((pl.col("days") + 29) // 30, 4).cast(
                pl.Int8
            ),  # 0, 1-30, 31-60, 61-90, 91 and more
            is_missed=pl.col("overdue") == pl.col("amount_minor"),
            is_covered=pl.col("pending") >= pl.col("outstanding"),
            is_double=(pl.col("due_date") == pl.col("due_date").shift(1))
            & (pl.col("plan_no") == pl.col("plan_no").shift(1)),
        )
        .drop("left", "more", "before")
    )
    aged.write_parquet(out / "terms.parquet", **ZSTD)
    ends = starts + runs - 1
    added = {
        name: aged[name].cum_sum().gather(ends) - aged[name].cum_sum().gather(starts) + aged[name].gather(starts)
        for name in ("amount_minor", "outstanding", "overdue")
    }
    oldest = aged.filter(pl.col("days") > 0).unique("plan_no", keep="first", maintain_order=True)
    of_plans = paid.with_columns(**added).join(oldest.select("plan_no", "days", "bucket"), on="plan_no", how="left")
    of_plans = of_plans.with_columns(is_over_paid=pl.col("received") > pl.col("amount_minor"))
    of_plans.write_parquet(out / "plans.parquet", **ZSTD)
    foreign = payments.join(plans.select("account_no", own="currency"), on="account_no", how="left")
    faults = foreign.filter(pl.col("own").is_null() | (pl.col("own") != pl.col("currency"))).height
    faults += int(aged["is_double"].sum()) + int(of_plans["is_over_paid"].sum())
    return {"other faults": faults, **_found(of_plans, aged.height)}


def _differences(terms: pl.DataFrame, expected: pl.DataFrame) -> dict[str, int]:
    """Return the breaks by code: plans of as many terms are compared position by position, the others joined."""
    counts = [frame["plan_no"].rle().struct.unnest().rename({"value": "plan_no"}) for frame in (terms, expected)]
    same = counts[0].join(counts[1], on=["plan_no", "len"], how="semi", maintain_order="left").select("plan_no")
    alike = [frame.join(same, on="plan_no", how="semi", maintain_order="left") for frame in (terms, expected)]
    due, amount = (alike[0][name] != alike[1][name] for name in ("due_date", "amount_minor"))
    others = [frame.join(same, on="plan_no", how="anti") for frame in (terms, expected)]
    missing = others[1].join(others[0], on=["plan_no", "due_date"], how="anti").height
    return {"AMOUNT_DIFF": int(amount.sum()), "DUE_DATE_DIFF": int(due.sum()), "TERM_MISSING": missing}


def _found(plans: pl.DataFrame, terms: int) -> dict[str, Any]:
    received, overdue = (int(plans[name].sum()) for name in ("received", "overdue"))
    return {"plans": plans.height, "terms": terms, "received": received, "overdue": overdue}


def _expected(rules: pl.DataFrame) -> pl.DataFrame:
    """Return the terms by two gathers: month and day to a date, date and shift to a date."""
    years = range(2020, 2032)
    months = [(year, month) for year in years for month in range(1, 13)]
    day_of = [
        (date(year, month, min(day, monthrange(year, month)[1])) - EPOCH).days
        for year, month in months
        for day in range(1, 32)
    ]
    first = (date(years[0], 1, 1) - EPOCH).days
    span = [date(years[0], 1, 1) + timedelta(days=n) for n in range(366 * len(years))]
    moved = [(day - EPOCH).days + shift * (day.isoweekday() >= 6) for shift in range(3) for day in span]
    counts = rules["term_count"]
    start = (counts.cum_sum() - counts).cast(pl.UInt32)
    row = rules.select(pl.int_range(pl.len(), dtype=pl.UInt32).repeat_by("term_count")).to_series().explode()
    place = pl.int_range(len(row), eager=True) - start.gather(row)
    due = rules["first_due_date"]
    month = ((due.dt.year() - years[0]) * 12 + due.dt.month() - 1).gather(row) + place
    by_month = pl.Series(day_of).gather(month * 31 + due.dt.day().gather(row) - 1)
    by_week = due.to_physical().gather(row) + 7 * place
    nominal = by_week.zip_with((rules["frequency"] == "WEEKLY").gather(row), by_month)
    shifted = pl.Series(moved).gather(rules["weekend_shift"].gather(row) * len(span) + nominal - first)
    each = (rules["total_minor"] // counts).gather(row)
    return pl.DataFrame(
        {
            "plan_no": rules["plan_no"].gather(row),
            "due_date": shifted.cast(pl.Int32).cast(pl.Date),
            "amount_minor": each,
        }
    )


def windows(folder: Path, out: Path) -> dict[str, Any]:
    """Do what `tuned` does with window expressions."""
    plans, terms, payments = _read(folder)
    paid = payments.lazy().group_by("account_no").agg(paid=pl.col("amount_minor").sum())
    before = pl.col("amount_minor").cum_sum().over("plan_no", order_by="due_date") - pl.col("amount_minor")
    received = pl.min_horizontal(pl.max_horizontal(pl.col("paid") - before, 0), "amount_minor")
    late = (pl.col("due_date") < AS_OF) & (pl.col("outstanding") > 0)
    made = (
        terms.lazy()
        .join(plans.lazy().select("plan_no", "account_no").join(paid, on="account_no", how="left"), on="plan_no")
        .with_columns(received=received)
        .with_columns(outstanding=pl.col("amount_minor") - pl.col("received"))
        .with_columns(overdue=pl.when(late).then("outstanding").otherwise(0))
        .with_columns(oldest=pl.col("due_date").filter(pl.col("overdue") > 0).min().over("plan_no"))
        .collect()
    )
    made.write_parquet(out / "terms.parquet", **ZSTD)
    return _found(made.group_by("plan_no").agg(pl.col("received", "overdue").sum()), made.height)


SQL = """
COPY (
    WITH paid AS (SELECT account_no, sum(amount_minor) AS paid FROM '{folder}/payments.parquet' GROUP BY account_no),
    placed AS (
        SELECT t.*, greatest(least(p.paid - coalesce(sum(t.amount_minor) OVER (
            PARTITION BY t.plan_no ORDER BY t.due_date, t.term_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0), t.amount_minor), 0)::BIGINT AS received
        FROM '{folder}/terms.parquet' AS t
        JOIN '{folder}/plans.parquet' AS l ON l.plan_no = t.plan_no
        LEFT JOIN paid AS p ON p.account_no = l.account_no
    ),
    open AS (
        SELECT *, amount_minor - received AS outstanding,
            CASE WHEN due_date < DATE '2026-06-30' THEN amount_minor - received ELSE 0 END AS overdue
        FROM placed
    )
    SELECT *, date_diff('day', min(CASE WHEN overdue > 0 THEN due_date END) OVER (PARTITION BY plan_no),
        DATE '2026-06-30') AS days
    FROM open
) TO '{out}/terms.parquet' (COMPRESSION zstd)
"""


def duckdb(folder: Path, out: Path) -> dict[str, Any]:
    """Do what `tuned` does in SQL with windows."""
    import duckdb as engine

    with engine.connect() as con:
        con.execute(SQL.format(folder=folder, out=out))
        found = con.sql(
            f"SELECT count(DISTINCT plan_no) AS plans, count(*) AS terms, sum(received)::BIGINT AS received, "
            f"sum(overdue)::BIGINT AS overdue FROM '{out}/terms.parquet'"
        )
        return dict(zip(found.columns, found.fetchall()[0], strict=True))


def scan(folder: Path, out: Path) -> dict[str, Any]:
    """Read every column that is needed once and write a table of as many columns as `tuned`; compute nothing."""
    plans, terms, _ = _read(folder)
    pl.read_parquet(folder / "expected.parquet")
    more = ("received", "outstanding", "pending", "overdue", "days", "bucket", "is_missed", "is_covered", "is_double")
    terms.with_columns(pl.col("amount_minor").alias(name) for name in more).write_parquet(out / "terms.parquet", **ZSTD)
    plans.write_parquet(out / "plans.parquet", **ZSTD)
    return {"plans": plans.height, "terms": terms.height}


WAYS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    each.__name__: each for each in (tuned, tables, windows, duckdb, scan)
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as made_here:
        print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]), Path(made_here))))
