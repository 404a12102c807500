"""Decide about plans and their terms, which come in together or stay out together.

A plan that gives a rule instead of terms gets its terms here.
"""

from datetime import date

import polars as pl

from transforms.intake.faults import (
    NO_FAULTS,
    UNKNOWN_CURRENCY,
    Fault,
    SortedRows,
    entries,
    faulty,
    good_rows,
    missing,
    negative,
    sort_out,
    unreadable,
    with_minor,
    with_places,
)
from transforms.schedules import derive

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
"""Due dates outside are typing errors, not plans."""

_PLAN_KEPT_OUT = ("PLAN_QUARANTINED", "plan_id", "its plan was refused; a plan and its terms come in together")
_TERM_KEPT_OUT = (
    "TERM_QUARANTINED",
    "plan_id",
    "a term of the plan was refused; a plan and its terms come in together",
)


def plans_and_terms(plans: pl.DataFrame, terms: pl.DataFrame, refused: pl.DataFrame) -> tuple[SortedRows, SortedRows]:
    """Return plans and terms, accepted or refused together: a fault in one of them keeps the plan and all its terms out.

    `refused` lists what could not be decoded: terms that come without their plan stay out with it.
    """
    plan_rows, plan_faults = _plan_faults(plans)
    sound = plan_rows.filter(pl.col("is_derived") & ~pl.col("is_repeat")).join(plan_faults, on="row", how="anti")
    term_rows, term_faults = _term_faults(terms, _derived(sound) if sound.height else None)
    of_refused = refused.filter(pl.col("entity") == "plans")["key"]
    if plan_faults.is_empty() and term_faults.is_empty() and of_refused.is_empty():
        return (
            sort_out(plan_rows, NO_FAULTS, entity="plans", key="plan_id"),
            sort_out(term_rows, NO_FAULTS, entity="terms", key="term_id"),
        )
    bad = pl.concat(
        [
            plan_rows.join(plan_faults, on="row", how="semi")["plan_id"],
            term_rows.join(term_faults, on="row", how="semi")["plan_id"],
            of_refused,
        ]
    ).drop_nulls()
    by_term = plan_rows.filter(~pl.col("is_repeat"), pl.col("plan_id").is_in(bad.implode())).join(
        plan_faults, on="row", how="anti"
    )
    plan_rejects = pl.concat([plan_faults, _because(by_term, _TERM_KEPT_OUT)])
    by_plan = term_rows.filter(~pl.col("is_repeat"), pl.col("plan_id").is_in(bad.implode())).join(
        term_faults, on="row", how="anti"
    )
    own = entries(term_rows, term_faults, entity="terms", key="term_id")
    kept_out = pl.concat([term_faults.select("row"), by_plan.select("row")])
    return (
        sort_out(plan_rows, plan_rejects, entity="plans", key="plan_id"),
        SortedRows(term_rows, good_rows(term_rows, kept_out), pl.concat([own, _with_their_plan(by_plan)])),
    )


def _plan_faults(plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows, refused = with_minor(with_places(plans), "stated_total", "each_payment")
    rows = rows.with_columns(money_minor=pl.col("stated_total_minor"))
    derived = pl.col("is_derived")
    count = derive.count_terms(pl.col("stated_total_minor"), pl.col("each_payment_minor"))
    gaps = [
        Fault(
            "NO_SCHEDULE", "stated_total", "is needed to work out the terms", derived & pl.col("stated_total").is_null()
        ),
        Fault("NO_SCHEDULE", "each_payment", "a plan that pays nothing has no terms", derived & _pays_nothing()),
        Fault("NO_SCHEDULE", "anchor_day", "is needed to work out the terms", derived & pl.col("anchor_day").is_null()),
        Fault(
            "NO_SCHEDULE",
            "stated_total",
            "would need more than a hundred years of months",
            derived & (count > derive.MAX_TERMS),
        ),
        Fault("OUT_OF_RANGE", "anchor_day", "is no day of a month", ~pl.col("anchor_day").is_between(1, 31)),
    ]
    rules = [UNKNOWN_CURRENCY, *missing("plan_id", "created_on"), *negative("stated_total_minor"), *gaps]
    return rows, pl.concat([unreadable(rows), refused, faulty(rows, rules)])


def _pays_nothing() -> pl.Expr:
    return pl.col("each_payment").is_null() | (pl.col("each_payment_minor") <= 0)


def _derived(plans: pl.DataFrame) -> pl.DataFrame:
    """Return the terms of plans that give a rule instead, as staged terms whose money is known."""
    terms = derive.monthly_terms(
        plans.select(
            "plan_id",
            "starts_on",
            "anchor_day",
            total_minor=pl.col("stated_total_minor"),
            each_minor=pl.col("each_payment_minor"),
        )
    )
    of_plan = plans.select("plan_id", "source", "page_no", "position", "currency")
    return (
        terms.join(of_plan, on="plan_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("due_date").alias("nominal_due_date"),
            pl.col("term_sequence").alias("ordinal"),
            pl.col("amount_minor").alias("amount_units"),
            is_nested=pl.lit(True),
            is_balance_stated=pl.lit(False),
            is_repeat=pl.lit(False),
        )
        .drop("amount_minor")
    )


def _term_faults(terms: pl.DataFrame, derived: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    together = terms
    if derived is not None:
        shared = derived.select(pl.col(name) for name in terms.columns if name in derived.columns)
        together = pl.concat([terms, shared], how="diagonal")
    rows, refused = with_minor(with_places(together), "amount", "provider_outstanding")
    rows = _repeated_ids(rows).with_columns(money_minor=pl.col("amount_minor"))
    stated = pl.col("is_balance_stated") & pl.col("provider_outstanding").is_null()
    rules = [
        UNKNOWN_CURRENCY,
        *missing("term_id", "due_date"),
        Fault(
            "MISSING_FIELD",
            "amount",
            "is needed and not there",
            pl.col("amount").is_null() & pl.col("amount_units").is_null(),
        ),
        Fault("MISSING_FIELD", "provider_outstanding", "is needed and not there", stated),
        Fault("NEGATIVE", "amount", "is less than zero", pl.col("amount_minor") < 0),
        Fault(
            "OUT_OF_RANGE", "due_date", "is before 1900 or after 2999", ~pl.col("due_date").is_between(EARLIEST, LATEST)
        ),
        Fault("DUPLICATE_ID", "term_id", "stands twice in its plan with different contents", pl.col("is_conflict")),
    ]
    return rows, pl.concat([unreadable(rows), refused, faulty(rows, rules)])


def _repeated_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with terms marked that stand twice in their plan: a repeat if alike, a conflict if different."""
    is_fresh = rows.select(~pl.col("is_repeat") & pl.col("is_nested")).to_series()
    twice = rows.select("plan_id", "term_id").filter(is_fresh).is_duplicated()
    plain = rows.with_columns(is_conflict=pl.lit(False))
    if not twice.any():
        return plain
    same = ["plan_id", "term_id", "due_date", "amount_minor", "provider_outstanding_minor", "provider_paid_on"]
    again = rows.filter(is_fresh).filter(twice)
    repeats = again.filter(~pl.struct(same).is_first_distinct())["row"]
    kept = again.filter(pl.struct(same).is_first_distinct())
    conflicts = kept.filter(kept.select("plan_id", "term_id").is_duplicated())["row"]
    return plain.with_columns(
        is_repeat=pl.col("is_repeat") | pl.col("row").is_in(repeats.implode()),
        is_conflict=pl.col("row").is_in(conflicts.implode()),
    )


def _because(rows: pl.DataFrame, reason: tuple[str, str, str]) -> pl.DataFrame:
    code, column, text = reason
    return rows.select("row", code=pl.lit(code), column=pl.lit(column), reason=pl.lit(text))


def _with_their_plan(terms: pl.DataFrame) -> pl.DataFrame:
    """Return one entry per plan for terms that came inside it, one per term for those that came alone."""
    key = pl.when("is_nested").then("plan_id").otherwise("term_id")
    code, column, reason = _PLAN_KEPT_OUT
    grouped = terms.group_by("page_no", "position", key.alias("key"), "currency", maintain_order=True).agg(
        rows=pl.len().cast(pl.Int64), amount_minor=pl.col("money_minor").sum()
    )
    return grouped.select(
        entity=pl.lit("terms"),
        page_no="page_no",
        position="position",
        code=pl.lit(code),
        column=pl.lit(column),
        reason=pl.lit(reason),
        key="key",
        rows="rows",
        amount_minor="amount_minor",
        currency="currency",
    )
