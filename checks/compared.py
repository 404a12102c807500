"""What the checks on schedules share: differences with the names of their plan and term, and a zone that is off.

Where the difference comes from is not decided here; `differences` says it.
"""

import polars as pl

from checks.base import CheckError, Frames, frame
from checks.wording import sentence
from schemas.core import WHO

IN_FORCE = pl.col("is_in_force")
CODE = pl.col("code")
SAID = sentence("Plan {}: {}", pl.col("plan_id"), pl.col("explanation"))

_COMPARED = ("CONFORMS", "DIFFERS", "DATES_ONLY")
_LEAST_TERMS = 2


def named(frames: Frames) -> pl.DataFrame:
    """Return the differences of plans that exist, with who, `plan_id`, `account_id`, `term_id`, `currency`.

    A term that only the rules know has no id of the provider's: it is called `expected:` and its place in the rule,
    so that two missing terms of a plan are two breaks.

    Raises:
        CheckError: A difference names a term that `term_positions` does not have.
    """
    differences = frame(frames, "differences")
    plans = frame(frames, "plan_positions").lazy()
    plans = plans.select("plan_no", *WHO, "plan_id", "account_id", "currency", "is_in_force")
    concerned = differences["plan_no"].unique().implode()
    terms = frame(frames, "term_positions").lazy().filter(pl.col("plan_no").is_in(concerned))
    terms = terms.select("plan_no", "term_no", "term_id")
    rows = (
        differences.lazy()
        .join(plans, on="plan_no", how="inner", validate="m:1")
        .join(terms, on=["plan_no", "term_no"], how="left", validate="m:1")
        .collect()
    )
    lost = rows.filter(pl.col("term_no").is_not_null() & pl.col("term_id").is_null())
    if lost.height:
        plan_no, term_no = lost.select("plan_no", "term_no").row(0)
        raise CheckError(
            f"{lost.height} differences name terms that term_positions does not have, first term {term_no} of plan_no "
            f"{plan_no}; pass the terms of every plan in differences"
        )
    return rows.with_columns(term_id=pl.coalesce("term_id", pl.format("expected:{}", pl.col("sequence"))))


def zones(frames: Frames) -> pl.DataFrame:
    """Return one row per tenant whose schedules were compared: `plans`, `terms`, `zone_days`.

    `zone_days` is 1 or -1 where every term of the tenant that has a partner falls one day later (earlier) than its
    plan's rules say and no single convention explains them all; null otherwise. One term alone says nothing.
    """
    ways = {"is_later": _throughout("later"), "is_earlier": _throughout("earlier")}
    tenants = _by_plan(frames).with_columns(**ways).group_by(WHO)
    summed = tenants.agg(
        pl.col("is_later", "is_earlier").all(),
        plans=pl.len().cast(pl.Int64),
        terms=pl.col("dated").sum(),
        unexplained=pl.col("unexplained").sum(),
    )
    is_told = (pl.col("terms") >= _LEAST_TERMS) & (pl.col("unexplained") > 0)
    days = pl.when(is_told & pl.col("is_later")).then(1).when(is_told & pl.col("is_earlier")).then(-1)
    return summed.select(*WHO, "plans", "terms", zone_days=days.cast(pl.Int64)).sort(WHO).collect()


def with_zone(frames: Frames) -> pl.DataFrame:
    """Return `named` with `is_zone`: the difference is the one day by which the whole tenant is off."""
    tenants = zones(frames).select(*WHO, "zone_days")
    rows = named(frames).join(tenants, on=WHO, how="left", validate="m:1")
    is_zone = (pl.col("difference_days") == pl.col("zone_days")).fill_null(value=False)
    return rows.with_columns(is_zone=is_zone & (CODE == "DUE_DATE_DIFF"))


def _by_plan(frames: Frames) -> pl.LazyFrame:
    """Return the plans in force that were compared and share a term with their rules, with counts of terms."""
    days, dated = pl.col("difference_days"), CODE == "DUE_DATE_DIFF"
    # Another reason is a convention that reproduces the date; it may do so by chance, but not for every term.
    nameless = dated & pl.col("reason").is_in(["UNEXPLAINED", "TIMEZONE"])
    alone = pl.col("term_no").is_not_null() & CODE.is_in(["TERM_EXTRA", "AMBIGUOUS_PAIR"])
    found = {
        "dated": dated,
        "later": dated & (days == 1).fill_null(value=False),
        "earlier": dated & (days == -1).fill_null(value=False),
        "unexplained": nameless,
        "alone": alone,
    }
    counts = (
        frame(frames, "differences")
        .lazy()
        .group_by("plan_no")
        .agg(**{name: rows.sum().cast(pl.Int64) for name, rows in found.items()})
    )
    plans = frame(frames, "plan_positions").lazy().filter("is_in_force")
    joined = plans.select("plan_no", *WHO, "terms", "waived_minor", "conformance").join(
        counts, on="plan_no", how="left", validate="1:1"
    )
    is_compared = pl.col("conformance").is_in(_COMPARED).fill_null(value=False) | pl.col("dated").is_not_null()
    filled = joined.filter(is_compared).with_columns(pl.col(list(found)).fill_null(0))
    return filled.filter(pl.col("terms") > pl.col("alone"))


def _throughout(direction: str) -> pl.Expr:
    """Tell, per plan, whether every term with a partner is off by one day in this direction.

    Removed terms are not compared, but count among a plan's terms; a plan that has any is asked for no term at odds.
    """
    off = pl.col(direction)
    all_terms = (off == pl.col("terms") - pl.col("alone")) | (pl.col("waived_minor") > 0)
    return (off > 0) & (off == pl.col("dated")) & all_terms
