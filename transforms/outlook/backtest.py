"""What came of the cash that earlier runs expected, by what is known now.

A run as of 1 May expected 200.00 over 30 days. Of the terms due from 2 to 31 May, one of 100.00 was paid on the 9th, one
had 40.00 by the 31st and the rest in June: 140.00 came, 60.00 less than expected. Money that had come by 1 May was not
outstanding then, so it is in neither figure.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from transforms.balances.book import Book
from transforms.balances.replay import on_days
from transforms.balances.settlement import level_on
from transforms.segments import mark, put

Windows = Sequence[tuple[int, date]]
"""Of each horizon that an earlier run can be held to, its days and the as-of date of that run."""
_GROUP = ("provider", "tenant_id", "currency", "horizon_days")
_FIGURES = ("backtest_as_of", "backtest_forecast_minor", "backtest_received_minor", "backtest_error_minor")


def windows_of(published: Sequence[date], horizons: Sequence[int], as_of: date) -> Windows:
    """Return for each horizon the newest published date from which it has ended by `as_of`.

    Horizon 0 is left out: its day is over when it is told of.
    """
    ended = ((days, [day for day in published if day + timedelta(days) <= as_of]) for days in horizons if days)
    return [(days, max(dates)) for days, dates in ended if dates]


def came(book: Book, terms: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return what came inside each window for the terms of one part that fell due in it.

    Columns `provider, tenant_id, currency, horizon_days, backtest_received_minor`. What a term lost again inside the
    window is taken off what came for it, never from other terms; what it lost later is not.

    Args:
        book: Plans, terms and money.
        terms: What `judgement.judge` returned.
        windows: From which date, and for how many days.
    """
    if not windows:
        return pl.DataFrame(schema=dict.fromkeys(_GROUP[:3], pl.String) | {_GROUP[3]: pl.Int64, _FIGURES[2]: pl.Int64})
    # All windows are worked at once: one row for each of them and each term that fell due in it.
    spans = [(days, start, start + timedelta(days)) for days, start in windows]
    due = [
        ((terms["due_date"] > start) & (terms["due_date"] <= end)).arg_true().cast(pl.Int64) for _, start, end in spans
    ]
    asked = pl.DataFrame(spans, schema=[_GROUP[3], "start", "end"], orient="row").with_columns(pl.Series("row", due))
    asked = asked.explode("row").drop_nulls()
    # What they had at the end of their window, and below that, of the same terms, what they had at its start.
    rows, days = pl.concat([asked["row"]] * 2), pl.concat([asked["end"], asked["start"]])
    had = _had(book, terms, rows, _needed(book), days)
    received = (had.head(asked.height) - had.tail(asked.height)).clip(lower_bound=0)
    owner = book.plans.select(_GROUP[:3])[book.segments.owner.gather(asked["row"])]
    found = owner.with_columns(asked[_GROUP[3]], received.alias(_FIGURES[2]))
    return found.group_by(_GROUP).agg(pl.col(_FIGURES[2]).sum())


def _needed(book: Book) -> pl.Series:
    """Return what the earlier terms of its plan take before each term."""
    before, start = book.segments.before(book.terms["payable"])
    return before - book.segments.spread(start)


def _had(book: Book, terms: pl.DataFrame, rows: pl.Series, needed: pl.Series, days: pl.Series) -> pl.Series:
    """Return what each of these terms had received at the end of the day beside it."""
    plan, payable = book.segments.owner.gather(rows).cast(pl.Int64), book.terms["payable"].gather(rows)
    had = (level_on(book.levels, plan, days) - needed.gather(rows)).clip(0, payable)
    replayed = mark(book.segments.owner.gather(book.links.named["row"]), book.plans.height) | book.skips
    in_steps = (replayed & book.is_ours).gather(plan)
    if in_steps.any():
        asked = pl.DataFrame([plan.alias("plan"), rows.alias("row"), days.alias("day")]).filter(in_steps)
        history = on_days(book, asked.select("plan", "day").unique()).select("row", "day", "received")
        replay = asked.join(history, on=["row", "day"], how="left", validate="m:1", maintain_order="left")
        had = put(had, in_steps.arg_true(), replay["received"])
    return had.zip_with(book.is_ours.gather(plan), _stated(book, terms, rows, days))


def _stated(book: Book, terms: pl.DataFrame, rows: pl.Series, days: pl.Series) -> pl.Series:
    """Return the same by the provider's balances: of the day it names, else of the version that told them."""
    version = pl.coalesce("updated_on", pl.lit(book.segments.spread(book.plans["updated_on"])))
    told_on = terms.select(pl.when("is_satisfied").then("judged_on").otherwise(version)).to_series().gather(rows)
    received = terms["received_minor"].gather(rows).clip(lower_bound=0)
    return received.set(~(told_on <= days).fill_null(value=False), 0)


def with_backtest(cash: pl.DataFrame, forecasts: pl.DataFrame, arrived: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `cash` with what an earlier run expected for the horizon, what came, and how much more that is.

    Args:
        cash: What `cash.cash` returned, without these columns.
        forecasts: `FORECASTS`, null where there was no rate to expect by.
        arrived: What `came` returned, of all parts one below the other.
    """
    received = arrived.group_by(_GROUP).agg(pl.col(_FIGURES[2]).sum())
    judged = (
        forecasts.join(received, on=_GROUP, how="left", validate="1:1")
        .with_columns(pl.col(_FIGURES[2]).fill_null(0))
        .with_columns((pl.col(_FIGURES[2]) - pl.col(_FIGURES[1])).alias(_FIGURES[3]))
    )
    return cash.join(judged.select(*_GROUP, *_FIGURES), on=_GROUP, how="left", validate="1:1", maintain_order="left")
