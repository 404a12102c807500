"""Positions of many small plans: ours beside a plain polars query, DuckDB windows, and the files alone.

Peers compute less than we do (no states, spells or buckets): allocation, outstanding,
overdue, days past due. Totals must agree before a figure counts.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import polars as pl

from benchmarks.meter import Meter
from schemas.core import PAYMENTS, PLAN_ACCOUNTS, PLANS, TERMS
from schemas.options import Options, OutcomeRules
from transforms import positions
from transforms.delinquency.pauses import NO_PAUSES
from transforms.judging import Judging
from transforms.location.locate import locate

AS_OF = date(2026, 6, 30)
ROUNDS = 3


def world(plans: int, terms_each: int = 12) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return plans, terms and payments: monthly terms of 100.00, every plan paid up to a different point."""
    number = pl.int_range(plans, dtype=pl.Int64)
    made = pl.select(
        plan_no=number,
        provider=pl.lit("p"),
        tenant_id=pl.lit("t"),
        plan_id=pl.concat_str(pl.lit("P"), number.cast(pl.String).str.zfill(9)),
        account_no=number,
        account_id=pl.concat_str(pl.lit("A"), number.cast(pl.String)),
        currency=pl.lit("EUR"),
        basis=pl.lit("PAYMENTS"),
        created_on=pl.lit(date(2025, 12, 1)),
        is_active=pl.lit(value=True),
        cadence=pl.lit("MONTHLY"),
        anchor_day=pl.lit(1, dtype=pl.Int64),
    )
    row = pl.int_range(plans * terms_each, dtype=pl.Int64)
    months = pl.Series([date(2026 + m // 12, m % 12 + 1, 1) for m in range(terms_each)])
    terms = pl.select(
        plan_no=row // terms_each,
        term_id=(row % terms_each).cast(pl.String),
        due_date=pl.lit(months).gather((row % terms_each).cast(pl.UInt32)),
        amount_minor=pl.lit(10_000, dtype=pl.Int64),
    )
    payments = pl.select(
        payment_no=number,
        provider=pl.lit("p"),
        tenant_id=pl.lit("t"),
        payment_id=number.cast(pl.String),
        account_no=number,
        account_id=pl.concat_str(pl.lit("A"), number.cast(pl.String)),
        currency=pl.lit("EUR"),
        amount_minor=(number % 9) * 7_500 + 1,
        effective_date=pl.lit(AS_OF - timedelta(days=40)),
        created_on=pl.lit(AS_OF - timedelta(days=40)),
        **{"class": pl.lit("received")},
        is_money=pl.lit(value=True),
        is_reversal_amount_known=pl.lit(value=True),
    )
    return _shaped(PLANS, made), _shaped(TERMS, terms), _shaped(PAYMENTS, payments)


def _shaped(table: Any, frame: pl.DataFrame) -> pl.DataFrame:
    nulls = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in table.dtypes.items() if name not in frame.columns]
    shaped: pl.DataFrame = table.gate(frame.with_columns(nulls))
    return shaped


def bench(plans: int) -> list[tuple[str, str]]:
    """Return lines of the table: medians of CPU seconds over three rounds, and ratios to ours."""
    made, terms, payments = world(plans)
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Callable[[], int]] = {
            "planrecon positions": lambda: _ours(made, terms, payments, Path(folder)),
            "polars with windows": lambda: _windows(terms, payments, Path(folder)),
            "DuckDB with windows": lambda: _duckdb(terms, payments, Path(folder)),
            "read and write the terms, nothing else": lambda: _files(terms, Path(folder)),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            overdue = set()
            for name, way in ways.items():
                began = time.process_time()
                total = way()
                spent[name].append(time.process_time() - began)
                if total >= 0:
                    overdue.add(total)
            if len(overdue) != 1:
                raise SystemExit(f"the totals differ: {overdue}; no figure counts")
    ours = median(spent["planrecon positions"])
    lines = [
        (
            f"{name}, {plans:,} plans, {terms.height:,} terms",
            f"{median(values):6.2f} CPU s   {median(values) / ours:5.2f} x ours",
        )
        for name, values in spent.items()
    ]
    return [*lines, *_outcomes(made, terms, payments)]


_LIFE = {
    "outcomes": ("outcomes_of", "is_near_break"),
    "kept terms and rates": ("evaluated", "without_provisional", "kept_sums"),
}
"""What is charged apart from the positions, and the functions that work it out."""


def _outcomes(made: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the lines of outcomes and kept terms: CPU beside that of the positions they are worked out with."""
    options = {"p": Options()}
    located = locate(made, payments, PLAN_ACCOUNTS.empty(), as_of=AS_OF, options=options)
    meter = Meter()
    with _charged(meter):
        rounds = []
        for _ in range(ROUNDS):
            meter.stages.clear()
            with meter.stage("positions"):
                positions.compute(located.plans, terms, located.payments, _judging(options))
            rounds.append({name: spent.cpu for name, spent in meter.stages.items()})
    spent = {name: median(each[name] for each in rounds) for name in ("positions", *_LIFE)}
    return [
        (
            f"{name}, {made.height:,} plans, {terms.height:,} terms",
            f"{spent[name]:6.2f} CPU s   {spent[name] / spent['positions']:5.2f} x the positions",
        )
        for name in _LIFE
    ]


def _judging(options: dict[str, Options]) -> Judging:
    return Judging(AS_OF, options, NO_PAUSES, OutcomeRules())


@contextmanager
def _charged(meter: Meter) -> Iterator[None]:
    """Charge the functions of `_LIFE` to stages of their own as long as the block lasts."""
    before = {name: getattr(positions, name) for names in _LIFE.values() for name in names}
    for stage, names in _LIFE.items():
        meter.wrap(positions, " ".join(names), stage)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(positions, name, function)


def _ours(made: pl.DataFrame, terms: pl.DataFrame, payments: pl.DataFrame, folder: Path) -> int:
    options = {"p": Options()}
    located = locate(made, payments, PLAN_ACCOUNTS.empty(), as_of=AS_OF, options=options)
    found = positions.compute(located.plans, terms, located.payments, _judging(options))
    found.terms.write_parquet(folder / "ours.parquet", compression="zstd", compression_level=1)
    return int(found.plans["overdue_minor"].sum())


def _windows(terms: pl.DataFrame, payments: pl.DataFrame, folder: Path) -> int:
    # The window form: what the plan's earlier terms ask for, subtracted from its money.
    before = pl.col("amount_minor").cum_sum().over("plan_no", order_by="due_date") - pl.col("amount_minor")
    received = pl.min_horizontal(pl.max_horizontal(pl.col("paid") - before, 0), "amount_minor")
    paid = payments.lazy().group_by("account_no").agg(paid=pl.col("amount_minor").sum())
    late = pl.when(pl.col("due_date") < AS_OF).then(pl.col("outstanding")).otherwise(0)
    found = (
        terms.lazy()
        .join(paid, left_on="plan_no", right_on="account_no", how="left")
        .with_columns(received=received)
        .with_columns(outstanding=pl.col("amount_minor") - pl.col("received"))
        .with_columns(overdue=late, oldest=pl.col("due_date").filter(pl.col("outstanding") > 0).min().over("plan_no"))
        .collect()
    )
    found.write_parquet(folder / "windows.parquet", compression="zstd", compression_level=1)
    return int(found["overdue"].sum())


def _duckdb(terms: pl.DataFrame, payments: pl.DataFrame, folder: Path) -> int:
    with duckdb.connect() as con:
        con.register("terms", terms)
        con.register("payments", payments)
        found = con.sql(
            """
            WITH paid AS (SELECT account_no, sum(amount_minor) AS paid FROM payments GROUP BY account_no),
            placed AS (
                SELECT t.plan_no, t.term_id, t.due_date, t.amount_minor, p.paid,
                    sum(t.amount_minor) OVER (PARTITION BY t.plan_no ORDER BY t.due_date) - t.amount_minor AS before
                FROM terms AS t JOIN paid AS p ON p.account_no = t.plan_no
            ),
            open AS (
                SELECT *, amount_minor - least(greatest(paid - before, 0), amount_minor) AS outstanding FROM placed
            )
            SELECT plan_no, term_id, due_date, amount_minor, outstanding::BIGINT AS outstanding,
                CASE WHEN due_date < DATE '2026-06-30' THEN outstanding ELSE 0 END::BIGINT AS overdue,
                min(CASE WHEN outstanding > 0 THEN due_date END) OVER (PARTITION BY plan_no) AS oldest
            FROM open
            """
        ).pl()
    found.write_parquet(folder / "duckdb.parquet", compression="zstd", compression_level=1)
    return int(found["overdue"].sum())


def _files(terms: pl.DataFrame, folder: Path) -> int:
    terms.write_parquet(folder / "terms.parquet", compression="zstd", compression_level=1)
    pl.read_parquet(folder / "terms.parquet").write_parquet(
        folder / "again.parquet", compression="zstd", compression_level=1
    )
    return -1
