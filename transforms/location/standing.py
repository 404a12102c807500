"""Where a plan stands on the as-of date: its status, its end, the plan that replaced it.

Derived from the stamps and flags of the plans alone. Whether all terms are paid is not
known here, so a plan that is over without an end is UNDECIDED until its terms are
judged. Facts after the as-of date do not count.
"""

from datetime import date

import polars as pl

from schemas.table import sorted_by
from transforms.segments import changes, number_of

UNDECIDED = "UNDECIDED"
"""Approved, no longer active, without an end: FINISHED if all terms are satisfied, else UNKNOWN."""


def stand(plans: pl.DataFrame, plan_accounts: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Return the plans that exist on the as-of date with their standing.

    Adds `standing` (a status, or UNDECIDED), `closes_on` (terms due later are no
    longer owed; null while the plan goes on), `closes_at` (its moment, where known),
    `over_on` and `over_at` (when the plan itself ended, null if it goes on), `replaced_on`
    and `replaced_at` (when a newer plan took its place), `is_approved`, `is_vanished` (a complete fetch no
    longer showed it), `replaced_by_plan_no` and `replaced_by_plan_id`. Stamps after the as-of date are null,
    and a plan that ended after it is active.

    Args:
        plans: `PLANS`.
        plan_accounts: `PLAN_ACCOUNTS`; a plan also covers its own `account_no`.
        as_of: Civil date whose end is described.
    """
    existing = sorted_by(plans.filter(pl.col("created_on") <= as_of), "plan_no")
    dated = existing.with_columns(
        _end(as_of).alias("_end"), _is_over(as_of).alias("_is_over"), _is_approved(as_of).alias("is_approved")
    )
    replaced = _replacements(dated, plan_accounts)
    # Few plans were replaced: what is said of them stands at the rows of their numbers, null at all others.
    found = replaced.drop("plan_no").select(pl.all().gather(number_of(replaced["plan_no"], dated["plan_no"])))
    return (
        pl.concat([dated, found], how="horizontal")
        .with_columns(_standing(as_of).alias("standing"), is_vanished=_happened("removed_on", as_of))
        .with_columns(over_at=pl.when(pl.col("ended_on") == pl.col("_end")).then("inactive_at"))
        .with_columns(closes_on=_closing("replaced_on", "_end"), closes_at=_closing("replaced_at", "over_at"))
        .with_columns(*_stamps(as_of))
        .rename({"_end": "over_on"})
        .drop("_is_over")
    )


def coverings(plans: pl.DataFrame, plan_accounts: pl.DataFrame) -> pl.DataFrame:
    """Return one row (account_no, plan_no) per account a given plan covers, its own account included."""
    own = plans.select("account_no", "plan_no").drop_nulls()
    if plan_accounts.is_empty() and (own["account_no"] > own["account_no"].shift(1)).all():
        return own
    links = plan_accounts.select("account_no", "plan_no").join(
        plans.select("plan_no"), on="plan_no", how="semi", maintain_order="left"
    )
    pairs = pl.concat([own, links]).sort("account_no", "plan_no")
    # Each pair once: rows that differ from the row before in account or plan.
    return pairs.filter(changes(pairs["account_no"]) | changes(pairs["plan_no"]))


def _happened(column: str, as_of: date) -> pl.Expr:
    return (pl.col(column) <= as_of).fill_null(value=False)


def _when_happened(column: str, as_of: date) -> pl.Expr:
    return pl.when(pl.col(column) <= as_of).then(pl.col(column))


def _end(as_of: date) -> pl.Expr:
    # A plan whose provider calls it active goes on, whatever stamps it carries: the contradiction is a break.
    is_inactive = ~pl.col("is_active").fill_null(value=False)
    ended = (pl.when(is_inactive).then(_when_happened(name, as_of)) for name in ("deactivated_on", "ended_on"))
    return pl.min_horizontal(_when_happened("deleted_on", as_of), *ended)


def _is_over(as_of: date) -> pl.Expr:
    is_dated = pl.any_horizontal(pl.col("deactivated_on", "deleted_on", "ended_on").is_not_null())
    return _end(as_of).is_not_null() | (~is_dated & ~pl.col("is_active").fill_null(value=True))


def _is_approved(as_of: date) -> pl.Expr:
    # Providers without approval give no stamp at all: their plans hold from creation.
    has_stages = pl.any_horizontal(pl.col("proposed_on", "approved_on", "rejected_on").is_not_null())
    unstamped = pl.col("approved_on").is_null() & (pl.col("is_active").fill_null(value=False) | ~has_stages)
    return _happened("approved_on", as_of) | unstamped


def _ends_later(as_of: date) -> pl.Expr:
    ends = pl.col("deactivated_on", "deleted_on", "ended_on")
    return pl.any_horizontal((ends > as_of).fill_null(value=False)) & pl.col("_end").is_null()


def _stamps(as_of: date) -> tuple[pl.Expr, ...]:
    names = ("proposed_on", "approved_on", "rejected_on", "deactivated_on", "deleted_on", "ended_on")
    active = pl.when(_ends_later(as_of)).then(pl.lit(value=True)).otherwise(pl.col("is_active"))
    return (active.alias("is_active"), *(_when_happened(name, as_of).alias(name) for name in names))


def by_id(column: str) -> tuple[pl.Expr, pl.Expr]:
    """Return sort keys that order ids as numbers where they are numbers, before those that are text."""
    is_number = pl.col(column).str.contains(r"^[0-9]+$")
    return pl.when(is_number).then(pl.col(column).str.len_bytes()), pl.col(column)


def _standing(as_of: date) -> pl.Expr:
    return (
        pl.when(_happened("deleted_on", as_of))
        .then(pl.lit("DELETED"))
        .when(_happened("rejected_on", as_of))
        .then(pl.lit("REJECTED"))
        .when(pl.col("replaced_by_plan_no").is_not_null())
        .then(pl.lit("SUPERSEDED"))
        .when(pl.col("_end").is_not_null())
        .then(pl.lit("DEACTIVATED"))
        .when(_happened("removed_on", as_of))
        .then(pl.lit("DELETED"))
        .when(~pl.col("is_approved"))
        .then(pl.lit("PROPOSED"))
        .when(pl.col("is_active").fill_null(value=False) | _ends_later(as_of))
        .then(pl.lit("ACTIVE"))
        .otherwise(pl.lit(UNDECIDED))
    )


def _closing(replaced: str, over: str) -> pl.Expr:
    return pl.when(pl.col("standing") == "SUPERSEDED").then(pl.col(replaced)).otherwise(pl.col(over))


def _replacements(dated: pl.DataFrame, plan_accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the plans that a newer plan on a shared account replaced, each with its successor and when that was made.

    A plan that is still active was not replaced (two plans are active then), nor was
    one that had ended before the newer plan was created.
    """
    schema = {
        "plan_no": pl.Int64(),
        "replaced_by_plan_no": pl.Int64(),
        "replaced_by_plan_id": pl.String(),
        "replaced_on": pl.Date(),
        "replaced_at": pl.Datetime("us", "UTC"),
    }
    judged = dated.filter(pl.col("basis") == "PAYMENTS")
    pairs = coverings(judged, plan_accounts)
    is_new = changes(pairs["account_no"])
    # Accounts of several plans: not the first row of the account, or followed by another row of it.
    shared = pairs.filter(~is_new | ~is_new.shift(-1, fill_value=True))
    if shared.is_empty():
        return pl.DataFrame(schema=schema)
    facts = judged.select("plan_no", "plan_id", "created_on", "created_at", "_end", "_is_over")
    # By account and age: the successor of a plan is on the next row, if that is of the same account.
    line = (
        shared.join(facts, on="plan_no", how="left", validate="m:1")
        .sort("account_no", "created_on", "created_at", *by_id("plan_id"), "plan_no", nulls_last=True)
        .with_columns(
            replaced_by_plan_no=pl.col("plan_no").shift(-1),
            replaced_by_plan_id=pl.col("plan_id").shift(-1),
            replaced_on=pl.col("created_on").shift(-1),
            replaced_at=pl.col("created_at").shift(-1),
            _same=pl.col("account_no") == pl.col("account_no").shift(-1),
        )
    )
    ended_before = (pl.col("_end") < pl.col("replaced_on")).fill_null(value=False)
    return (
        line.filter(pl.col("_same") & pl.col("_is_over") & ~ended_before)
        .sort("plan_no", "replaced_on", "replaced_at", "replaced_by_plan_no")
        .unique("plan_no", keep="first", maintain_order=True)
        .select(*schema)
    )
