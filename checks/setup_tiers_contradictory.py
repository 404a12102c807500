"""The tiers of an account's plan policy contradict one another.

Means:  for some balances the policy allows nothing, or two things at once; plans on the account cannot be judged
        by it.
Causes: a tier whose minimum is above its maximum; a range given twice; ranges that overlap; a gap between them.
Action: have the tiers corrected at the provider. A tier that begins where the one before ends, or one minor unit
        above, is right; the lower one holds where both meet.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import money, sentence
from schemas.columns import MAX_MINOR
from schemas.core import POLICIES

LOW, HIGH = pl.col("minimum_minor"), pl.col("maximum_minor")
FAULTS = {
    "is_inverted": "a minimum above its maximum",
    "is_repeated": "the same range twice",
    "overlaps": "ranges that overlap",
    "has_gap": "a gap between ranges",
}


def with_faults(frames: Frames) -> pl.DataFrame:
    """Return the policies with `ranges` and `faults`, both as text; no tiers give null, no faults an empty text."""
    policies = frame(frames, "policies")
    tiers = (
        policies.select("account_no", "currency", "tiers")
        .explode("tiers", empty_as_null=True)
        .filter(pl.col("tiers").is_not_null())
        .unnest("tiers")
        .with_columns(ranges=pl.format("{}-{}", money(LOW).fill_null("any"), money(HIGH).fill_null("any")))
        .with_columns(LOW.fill_null(0), HIGH.fill_null(MAX_MINOR))
    )
    found = (
        tiers.group_by("account_no", maintain_order=True)
        .agg(
            pl.col("ranges").str.join(", "),
            is_inverted=(LOW > HIGH).any(),
            is_repeated=pl.struct(LOW, HIGH).is_duplicated().any(),
        )
        .join(_between(tiers), on="account_no", how="left", validate="1:1")
    )
    named = [pl.when(pl.col(flag)).then(pl.lit(text)) for flag, text in FAULTS.items()]
    said = found.select("account_no", "ranges", faults=pl.concat_str(named, separator=", ", ignore_nulls=True))
    return policies.join(said, on="account_no", how="left", validate="1:1")


def _between(tiers: pl.DataFrame) -> pl.DataFrame:
    """Return, per account, whether its ranges overlap or leave a gap; empty ranges and repeats left out."""
    ranges = tiers.filter(LOW <= HIGH).unique(["account_no", "minimum_minor", "maximum_minor"])
    # The highest end of all ranges before this one: a start below it overlaps, a start beyond the next unit leaves a gap.
    low, reach = pl.col("minimum_minor"), HIGH.cum_max().shift(1)
    return (
        ranges.sort("account_no", "minimum_minor", "maximum_minor")
        .group_by("account_no", maintain_order=True)
        .agg(overlaps=(low < reach).any(), has_gap=(low > reach + 1).any())
    )


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="SETUP_TIERS_CONTRADICTORY",
    severity="medium",
    over=POLICIES,
    prepare=with_faults,
    applies=pl.col("ranges").is_not_null(),
    when=pl.col("faults") != "",
    expected=pl.lit("ranges that follow on one another"),
    actual=pl.col("ranges"),
    explanation=sentence(
        "Account {}: the tiers of its plan policy ({}) have {}.",
        pl.col("account_id"),
        pl.col("ranges"),
        pl.col("faults"),
    ),
    needs=("policies",),
)
