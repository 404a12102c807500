"""How did terms kept, plans rolled on and plans cured go over the last published dates? Lines, with a table of the values.

Of a run with 40 of 50 terms kept, 5 of 200 plans in a worse bucket and 6 of 30 late plans cured: 80.0 %, 2.5 %, 20.0 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from reports.before import MOST_POINTS
from reports.digest import Digest
from reports.page.charts import percent
from reports.page.figures import spark
from schemas.words import PAID_OFF

WINDOW = 30
"""Days looked back on for the rate of terms kept."""
MOST_CURRENCIES = 6
"""Currencies shown, in the order of their codes."""
RATES = (("Kept", "kept", "evaluated"), ("Roll", "worse", "plans"), ("Cure", "cured", "late"))
"""Name of each rate, the count it tells of and the count it is a share of."""


@dataclass(frozen=True, slots=True)
class Course:
    """One currency: a line per rate (name, points, what it is now), and a row per date (date, the rates), oldest first."""

    currency: str
    lines: tuple[tuple[str, str | None, str], ...]
    rows: tuple[tuple[date, tuple[str, ...]], ...]


def context(digest: Digest, as_of: date) -> dict[str, Any]:
    """Return the course of each currency; none where there is no published date before."""
    before = digest.before
    if before is None or not before.days:
        return {"courses": [], "courses_left_out": 0}
    days = [*(day for day, _ in before.days), as_of][-MOST_POINTS:]
    then = counts(before.kept, before.roll)
    now = counts(_dated(digest.kept, as_of), _dated(digest.roll, as_of))
    found = {(row["currency"], row["as_of"]): row for row in [*then.to_dicts(), *now.to_dicts()]}
    currencies = sorted({currency for currency, _ in found})
    return {
        "courses": [_course(code, [(day, found.get((code, day), {})) for day in days]) for code in currencies][
            :MOST_CURRENCIES
        ],
        "courses_left_out": max(len(currencies) - MOST_CURRENCIES, 0),
    }


def counts(kept: pl.DataFrame | None, roll: pl.DataFrame | None) -> pl.DataFrame:
    """Return `as_of, currency` and the counts of `RATES`, null where a report had no such rows.

    Moves are those from the earliest date that a run followed plans from, about a month before it, as its chart shows.

    Args:
        kept: `as_of, currency, window_days, evaluated, kept`.
        roll: `as_of, currency, from_as_of, from_bucket_no, to_bucket, to_bucket_no, plans`; without an earlier
            bucket, and so out of the rates, are plans that came into force since.
    """
    key = ("as_of", "currency")
    shape = {"as_of": pl.Date(), "currency": pl.String()}
    terms, moves = pl.DataFrame(schema=shape), pl.DataFrame(schema=shape)
    if kept is not None and not kept.is_empty():
        terms = kept.filter(pl.col("window_days") == WINDOW).group_by(key).agg(pl.col("evaluated", "kept").sum())
    if roll is not None and not roll.is_empty():
        first = pl.col("from_as_of") == pl.col("from_as_of").min().over(key)
        was, now = pl.col("from_bucket_no"), pl.col("to_bucket_no")
        is_well = ((now == 0) | (pl.col("to_bucket") == PAID_OFF)).fill_null(value=False)
        plans = pl.col("plans")
        moves = (
            roll.filter(first, was >= 0)
            .group_by(key)
            .agg(
                plans.sum(),
                worse=plans.filter(now > was).sum(),
                late=plans.filter(was > 0).sum(),
                cured=plans.filter(was > 0, is_well).sum(),
            )
        )
    return terms.join(moves, on=key, how="full", coalesce=True).sort(key)


def _dated(frame: pl.DataFrame | None, as_of: date) -> pl.DataFrame | None:
    return None if frame is None else frame.with_columns(as_of=pl.lit(as_of))


def _course(currency: str, days: Sequence[tuple[date, Mapping[str, Any]]]) -> Course:
    lines = []
    for name, part, whole in RATES:
        values = [1_000_000 * row[part] // row[whole] if row.get(whole) else None for _, row in days]
        lines.append((name, spark(values), _rate(days[-1][1], part, whole)))
    rows = [(day, tuple(_rate(row, part, whole) for _, part, whole in RATES)) for day, row in days]
    return Course(currency, tuple(lines), tuple(rows))


def _rate(row: Mapping[str, Any], part: str, whole: str) -> str:
    return percent(row.get(part) or 0, row.get(whole) or 0)
