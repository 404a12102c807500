"""Put a restatement in rows: totals, plans and causes, each with a figure as it was, as it is, and the difference."""

from collections.abc import Mapping

import polars as pl

from transforms.restatement.effects import FIGURES, NUMBERS

TOTALLED = tuple(name for name in NUMBERS if name != "days_past_due")
"""Figures that can be added over plans."""

_WHOSE = ("provider", "tenant_id", "currency")
_PLAN = ("provider", "tenant_id", "plan_id")
_NAMED = ("provider", "tenant_id", "currency", "plan_id")


def rows(before: pl.DataFrame, computed: pl.DataFrame, steps: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return one row per total, plan and cause, and figure that differs; of totals every figure.

    Columns: `level` (TOTAL, PLAN, CAUSE), provider, tenant_id, currency, plan_id (null for a total), `figure`, `old`, `new`,
    `component` and `step` of a cause, both null for changed settings. The effects of the causes of a plan add up to its
    difference, those of the plans to that of the total.

    Args:
        before: Names and figures that were published.
        computed: The same as settings of now give them on what was known then.
        steps: What `effects` returned.
        named: `plan_no`, provider, tenant_id, plan_id, currency of every plan in `steps`.
    """
    first = steps.group_by("plan_no", maintain_order=True).first().join(named, on="plan_no", how="left", validate="1:1")
    last = steps.group_by("plan_no", maintain_order=True).last().join(named, on="plan_no", how="left", validate="1:1")
    untouched = computed.join(first, on=_PLAN, how="anti")
    start, end = (
        pl.concat([part.select(*_NAMED, *FIGURES), untouched.select(*_NAMED, *FIGURES)]) for part in (first, last)
    )
    settings = _moves(before, start).with_columns(level=pl.lit("CAUSE"))
    causes = _steps(steps).join(named, on="plan_no", how="left", validate="m:1").with_columns(level=pl.lit("CAUSE"))
    moved = pl.concat([settings, causes], how="diagonal")
    plans = _every(before, end).join(moved, on=[*_PLAN, "figure"], how="semi").with_columns(level=pl.lit("PLAN"))
    return pl.concat([_totals(before, plans), plans, moved.drop("plan_no", strict=False)], how="diagonal").select(
        "level", *_NAMED, "figure", "old", "new", "text_old", "text_new", "component", "step"
    )


def _long(frame: pl.DataFrame, ids: tuple[str, ...]) -> pl.DataFrame:
    """Return one row per row of `frame` and figure: a number in `value`, or a word in `text`."""
    numbers = frame.select(*ids, *NUMBERS).unpivot(NUMBERS, index=list(ids), variable_name="figure", value_name="value")
    words = frame.select(*ids, figure=pl.lit("outcome"), text="outcome")
    return pl.concat([numbers, words], how="diagonal")


def _differs() -> pl.Expr:
    return pl.col("old").ne_missing(pl.col("new")) | pl.col("text_old").ne_missing(pl.col("text_new"))


def _every(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return every figure of every plan as it was and as it is; a plan that was not there had zeros."""
    was = _long(old, _NAMED).rename({"value": "old", "text": "text_old", "currency": "old_currency"})
    now = _long(new, _NAMED).rename({"value": "new", "text": "text_new"})
    both = was.join(now, on=[*_PLAN, "figure"], how="full", coalesce=True, validate="1:1")
    is_number = pl.col("figure") != "outcome"
    return both.with_columns(
        pl.when(is_number).then(pl.col("old", "new").fill_null(0)),
        currency=pl.coalesce("currency", "old_currency"),
    ).drop("old_currency")


def _moves(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    return _every(old, new).filter(_differs())


def _steps(steps: pl.DataFrame) -> pl.DataFrame:
    """Return every figure that a step changed, before and after it."""
    ids = ("component", "plan_no", "step")
    ordered = _long(steps, ids).sort("component", "plan_no", "figure", "step")
    of_one = ("component", "plan_no", "figure")
    before = ordered.with_columns(
        old=pl.col("value").shift(1).over(of_one), text_old=pl.col("text").shift(1).over(of_one)
    )
    return before.rename({"value": "new", "text": "text_new"}).filter((pl.col("step") > 0) & _differs())


def _totals(before: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the totals that were, and with the differences of their plans, the ones that are."""
    summed = [
        _long(before, _NAMED).filter(_is_totalled()).group_by(*_WHOSE, "figure").agg(old=pl.col("value").sum()),
        plans.filter(_is_totalled()).group_by(*_WHOSE, "figure").agg(moved=(pl.col("new") - pl.col("old")).sum()),
    ]
    both = summed[0].join(summed[1], on=[*_WHOSE, "figure"], how="full", coalesce=True, validate="1:1")
    return both.with_columns(pl.col("old", "moved").fill_null(0)).select(
        *_WHOSE, "figure", "old", new=pl.col("old") + pl.col("moved"), level=pl.lit("TOTAL")
    )


def _is_totalled() -> pl.Expr:
    return pl.col("figure").is_in(TOTALLED)


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as they are read: totals first, then each figure of a plan, followed by its causes as applied."""
    rank: Mapping[str, int] = {name: at for at, name in enumerate(FIGURES)}
    return rows.sort(
        pl.col("level") != "TOTAL",
        "provider",
        "tenant_id",
        "currency",
        "plan_id",
        pl.col("figure").replace_strict(dict(rank), return_dtype=pl.Int64),
        pl.col("level") == "CAUSE",
        pl.col("step").fill_null(0),
    )
