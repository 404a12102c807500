"""A portfolio as the computation is given it, in Parquet files of any size, and what has to be found in it.

Three providers; 3 to 21 terms a plan, monthly or weekly, half of the plans shifted off weekends; one to
four terms paid, one plan in five with a missed one. One plan in ninety disagrees with its own rule: a term a day late,
a term 1.00 too dear, or the last term missing. `manifest` says how many, from the numbers of the plans alone.
"""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

AS_OF = date(2026, 6, 30)
PROVIDERS = {"payt": "EUR", "totality": "USD", "payiq": "USD"}
FAULTS = {"moved": "DUE_DATE_DIFF", "priced": "AMOUNT_DIFF", "missing": "TERM_MISSING"}
_MONTH = AS_OF.year * 12 + AS_OF.month - 1


def numbers(plans: int) -> pl.DataFrame:
    """Return what follows from each plan's number.

    Number 98 is monthly, has 5 terms of 46.26 each (98 * 7 % 19 = 2), 3 of them paid, and a fault, the second kind.
    """
    n = pl.col("plan_no")
    terms, fault = 3 + n * 7 % 19, pl.lit(list(FAULTS)).list.get(n // 90 % 3)
    by_now = pl.col("paid") + (n % 5 == 0).cast(pl.Int64)
    month = _MONTH + 1 - by_now
    monthly = pl.date(month // 12, month % 12 + 1, 1 + n % 28)
    weekly = pl.lit(AS_OF) - pl.duration(days=7 * (by_now - 1) + n % 7)
    return (
        pl.select(plan_no=pl.int_range(plans, dtype=pl.Int64))
        .with_columns(
            is_weekly=n % 10 >= 7,
            terms=terms,
            paid=pl.min_horizontal(1 + n % 4, terms - 2),
            amount_minor=1_000 + n * 37 % 90_000,
            weekend_shift=n % 2 * 2,
            fault=pl.when(n % 90 == 8).then(fault),
        )
        .with_columns(first_due_date=pl.when("is_weekly").then(weekly).otherwise(monthly))
    )


def write(folder: Path, plans: int) -> None:
    """Write `plans`, `terms`, `payments`, `plan_rules` and the `expected` terms as Parquet, in plan order."""
    made = numbers(plans)
    provider = pl.lit(list(PROVIDERS)).list.get(pl.col("plan_no") * 3 // plans)
    account = pl.concat_str(pl.lit("A"), pl.col("plan_no").cast(pl.String).str.zfill(9))
    who = {"provider": provider, "tenant_id": pl.lit("t"), "account_no": pl.col("plan_no"), "account_id": account}
    who["currency"] = provider.replace_strict(PROVIDERS)
    made.select(
        "plan_no",
        **who,
        plan_id=pl.concat_str(pl.lit("P"), pl.col("plan_no").cast(pl.String).str.zfill(9)),
        basis=pl.lit("PAYMENTS"),
        created_on=pl.col("first_due_date") - pl.duration(days=20),
        is_active=pl.lit(value=True),
    ).write_parquet(folder / "plans.parquet")
    _terms(made).write_parquet(folder / "terms.parquet", row_group_size=500_000)
    _terms(made.with_columns(fault=None)).write_parquet(folder / "expected.parquet", row_group_size=500_000)
    each = pl.int_range(pl.len(), dtype=pl.Int64)
    made.with_columns(place=pl.int_ranges(0, "paid")).explode("place").select(
        payment_no=each,
        payment_id=pl.concat_str(pl.lit("M"), each.cast(pl.String)),
        **who,
        amount_minor="amount_minor",
        # the days of one plan are apart, so that nothing looks like a double
        effective_date=pl.lit(AS_OF) - pl.duration(days=5 + 9 * pl.col("place")),
        created_on=pl.lit(date(2025, 1, 1)),
        is_money=pl.lit(value=True),
        is_reversal_amount_known=pl.lit(value=True),
        **{"class": pl.lit("received")},
    ).write_parquet(folder / "payments.parquet")
    made.select(
        "plan_no",
        "first_due_date",
        "weekend_shift",
        convention_set=provider,
        currency=who["currency"],
        arrangement=pl.lit("NUMBER"),
        frequency=pl.when("is_weekly").then(pl.lit("WEEKLY")).otherwise(pl.lit("MONTHLY")),
        pattern=pl.lit("DAY"),
        term_count="terms",
        total_minor=pl.col("terms") * pl.col("amount_minor"),
        holiday_shift=pl.lit(0, pl.Int64),
    ).write_parquet(folder / "plan_rules.parquet")


def _terms(made: pl.DataFrame) -> pl.DataFrame:
    """Return the terms as the provider shows them, faults put in."""
    rows = made.with_columns(place=pl.int_ranges(0, "terms")).explode("place")
    month = pl.col("first_due_date").dt.year() * 12 + pl.col("first_due_date").dt.month() - 1 + pl.col("place")
    monthly = pl.date(month // 12, month % 12 + 1, pl.col("first_due_date").dt.day())
    weekly = pl.col("first_due_date") + pl.duration(days=7 * pl.col("place"))
    nominal = pl.when("is_weekly").then(weekly).otherwise(monthly)
    weekend = (nominal.dt.weekday() >= 6).cast(pl.Int64)
    moved = ((pl.col("fault") == "moved") & (pl.col("place") == 1)).fill_null(value=False).cast(pl.Int64)
    priced = ((pl.col("fault") == "priced") & (pl.col("place") == 1)).fill_null(value=False).cast(pl.Int64)
    gone = ((pl.col("fault") == "missing") & (pl.col("place") == pl.col("terms") - 1)).fill_null(value=False)
    return rows.filter(~gone).select(
        "plan_no",
        term_id=pl.col("place").cast(pl.String),
        due_date=nominal + pl.duration(days=weekend * pl.col("weekend_shift") + moved),
        amount_minor=pl.col("amount_minor") + 100 * priced,
    )


def manifest(plans: int) -> dict[str, Any]:
    """Return plans, terms, received money in minor units, and the breaks by code."""
    made = numbers(plans)
    faults = made["fault"].drop_nulls().value_counts().rows()
    missing = dict(faults).get("missing", 0)
    received = made.select((pl.col("paid") * pl.col("amount_minor")).sum()).item()
    breaks = {FAULTS[fault]: count for fault, count in faults}
    terms = int(made["terms"].sum()) - missing
    return {"plans": plans, "terms": terms, "received": received, "breaks": breaks, "other faults": 0}


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(manifest(int(sys.argv[2]))))
