"""What each cause changed: the figures of its component after it, less those before it.

The causes of a component are applied one after the other, so their effects add up to the whole difference. A component
is repeated once for each step, as plans, accounts and payments with numbers of their own, and many steps are computed
in one go; nothing is computed for plans that no cause can reach.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import polars as pl

from transforms.restatement.causes import Portfolio
from transforms.restatement.facts import KEYS, Facts
from transforms.segments import number_of

NUMBERS = (
    "amount_due_minor",
    "overdue_minor",
    "received_minor",
    "outstanding_minor",
    "pending_minor",
    "days_past_due",
    "missed_terms",
)
FIGURES = (*NUMBERS, "outcome")
"""Figures that are restated; a plan that does not exist has zeros and no outcome."""

BATCH = 250_000
"""Rows worked at a time, all their steps together."""

_NUMBERED = {
    "plan_no": "plan_no",
    "active_plan_no": "plan_no",
    "account_no": "account_no",
    "parent_account_no": "account_no",
    "payment_no": "payment_no",
    "linked_payment_no": "payment_no",
}
"""Columns that hold the number of a plan, an account or a payment, and which of them."""

Compute = Callable[[Facts], pl.DataFrame]
"""Returns `plan_no` and `FIGURES` of every plan of these facts that exists on the as-of date."""


def effects(portfolio: Portfolio, compute: Compute, *, batch: int = BATCH) -> pl.DataFrame:
    """Return `component, plan_no, step` and `FIGURES`, the figures of every plan of every component after each step.

    Step 0 is what was known before, step n that with the first n causes of the component. A plan that does not exist
    at a step has zeros and no outcome.
    """
    variants = {entity: _variants(entity, portfolio) for entity in KEYS}
    rows = pl.concat([frame.select("component") for frame in variants.values()]).group_by("component").len("rows")
    last = portfolio.causes.group_by("component").agg(pl.col("step").max())
    steps = (
        last.join(rows, on="component", how="left", validate="1:1")
        .sort("component")
        .with_columns(step=pl.int_ranges(0, pl.col("step") + 1))
        .explode("step")
        .with_columns(batch=pl.col("rows").cast(pl.Int64).cum_sum() // batch)
    )
    parts = [_figures(part.select("component", "step"), variants, compute) for part in steps.partition_by("batch")]
    return pl.concat([_nothing(), *parts]).sort("component", "plan_no", "step")


def _nothing() -> pl.DataFrame:
    numbers = dict.fromkeys(("component", "plan_no", "step", *NUMBERS), pl.Int64())
    return pl.DataFrame(schema={**numbers, "outcome": pl.String()})


def _variants(entity: str, portfolio: Portfolio) -> pl.DataFrame:
    """Return the rows of one entity with the steps [since, until) at which they hold."""
    changes, on = portfolio.changes[entity], ["component", *KEYS[entity]]
    steps = portfolio.causes.filter(pl.col("entity") == entity).select(*on, "step")
    gone = changes.gone.join(steps, on=on, how="inner", validate="m:1")
    come = changes.come.join(steps, on=on, how="inner", validate="m:1")
    start, end = pl.lit(0, pl.Int64), pl.lit(2**62, pl.Int64)
    held = [
        changes.kept.with_columns(since=start, until=end),
        gone.with_columns(since=start, until="step").drop("step"),
        come.with_columns(since="step", until=end).drop("step"),
    ]
    return pl.concat(held)


def _figures(steps: pl.DataFrame, variants: Mapping[str, pl.DataFrame], compute: Compute) -> pl.DataFrame:
    """Return the figures of these steps, every one a small portfolio of its own."""
    slots = steps.with_row_index("slot").with_columns(pl.col("slot").cast(pl.Int64))
    holds = (pl.col("since") <= pl.col("step")) & (pl.col("step") < pl.col("until"))
    frames = {
        entity: slots.join(rows, on="component", how="inner").filter(holds).drop("component", "step", "since", "until")
        for entity, rows in variants.items()
    }
    numbers = {name: _distinct(name, frames.values()) for name in set(_NUMBERED.values())}
    facts = Facts(**{entity: _renumbered(frame, numbers).drop("slot") for entity, frame in frames.items()})
    plans = numbers["plan_no"]
    computed = compute(replace(facts, plans=facts.plans.sort("plan_no"), payments=facts.payments.sort("payment_no")))
    of_plans = computed.select(
        plans["slot"].gather(computed["plan_no"]),
        plans["number"].gather(computed["plan_no"]).alias("plan_no"),
        *FIGURES,
    )
    listed = slots.join(variants["plans"].select("component", "plan_no").unique(), on="component", how="inner")
    return listed.join(of_plans, on=["slot", "plan_no"], how="left", validate="1:1").select(
        "component", "plan_no", "step", pl.col(NUMBERS).fill_null(0), "outcome"
    )


def _distinct(name: str, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return every pair of slot and number of a kind that these frames hold, in order, and both in one integer."""
    pairs = [
        frame.select("slot", number=column)
        for frame in frames
        for column, kind in _NUMBERED.items()
        if kind == name and column in frame.columns
    ]
    found = pl.concat(pairs).drop_nulls().unique().sort("slot", "number")
    return found.with_columns(packed=_packed("number"))


def _renumbered(frame: pl.DataFrame, numbers: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return `frame` with the numbers of its slots, so that no slot shares a plan, an account or a payment with another."""
    packed = {name: frame.select(_packed(name)).to_series() for name in _NUMBERED if name in frame.columns}
    return frame.with_columns(
        number_of(numbers[_NUMBERED[name]]["packed"], series).alias(name) for name, series in packed.items()
    )


def _packed(name: str) -> pl.Expr:
    return pl.col("slot") * 2**40 + pl.col(name)
