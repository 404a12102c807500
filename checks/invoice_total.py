"""The terms of a plan do not add up to the invoices or cases that it covers.

Means:  following the terms to the end pays more or less than the debt the plan was made for.
Causes: an invoice added to the plan, or taken off, after the terms were made; a credit that came later; terms edited
        by hand.
Action: compare the accounts that name the plan with its terms, and have the terms or the links corrected. A plan for
        what was left after money received before it was made is right too, and no break.
"""

import polars as pl

from checks.base import Check, Frames, Severity, frame
from checks.links import covered_accounts
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

PAYABLE = pl.col("amount_minor") - pl.col("waived_minor")
LINKED = pl.col("linked_total_minor")


def with_totals(frames: Frames) -> pl.DataFrame:
    """Return the plans with `linked_accounts`, `linked_total_minor` and `before_minor`.

    The accounts are those that name the plan today: its cases, or its invoices where it has no case, since a case
    holds its invoices. The total is null unless each of them states one in the plan's currency. `before_minor` is
    what came in on the plan's accounts before it was made; only looked up where the sums differ, else 0.
    """
    plans = frame(frames, "plan_positions").join(_totals(frames), on="plan_no", how="left", validate="1:1")
    joined = plans.with_columns(pl.when(pl.col("linked_currency") == pl.col("currency")).then(LINKED))
    before = _before(frames, joined.filter(pl.col("is_in_force") & (LINKED != PAYABLE)).select("plan_no"))
    whole = joined.join(before, on="plan_no", how="left", validate="1:1")
    return whole.with_columns(pl.col("before_minor").fill_null(0))


def _totals(frames: Frames) -> pl.DataFrame:
    """Return, per plan that accounts name, how many of them count and what they add up to; null where one is unknown."""
    totals = frame(frames, "account_totals").select("account_no", "account_total_minor", total_currency="currency")
    accounts = (
        frame(frames, "accounts")
        .filter(pl.col("active_plan_no").is_not_null() & pl.col("removed_on").is_null())
        .select("account_no", plan_no="active_plan_no", is_case=pl.col("kind_of_account") == "case")
        .join(totals, on="account_no", how="left", validate="1:1")
    )
    cases = accounts.filter("is_case")
    counted = pl.concat([cases, accounts.filter(~pl.col("is_case")).join(cases, on="plan_no", how="anti")])
    is_known = pl.col("account_total_minor").is_not_null().all() & (pl.col("total_currency").n_unique() == 1)
    return counted.group_by("plan_no").agg(
        linked_accounts=pl.len().cast(pl.Int64),
        linked_total_minor=pl.when(is_known).then(pl.col("account_total_minor").sum()),
        linked_currency=pl.col("total_currency").first(),
    )


def _before(frames: Frames, plans: pl.DataFrame) -> pl.DataFrame:
    """Return, per plan, what was received on the accounts it covers before the day it was made."""
    covered = covered_accounts(frames).join(plans, on="plan_no", how="semi")
    kept = pl.col("amount_minor") - pl.col("reversed_amount_minor").fill_null(0)
    paid = (
        frame(frames, "payment_positions")
        .filter(pl.col("is_money") & pl.col("class").is_in(["received", "partly_reversed"]))
        .select("account_no", "currency", "effective_date", kept=kept)
    )
    rows = covered.select("plan_no", "account_no", "currency", "created_on").join(
        paid, on=["account_no", "currency"], validate="m:m"
    )
    early = rows.filter(pl.col("effective_date") < pl.col("created_on"))
    return early.group_by("plan_no").agg(before_minor=pl.col("kept").sum())


CHECK = Check(
    code="POLICY_VIOLATION",
    reason="INVOICE_TOTAL",
    severity=Severity.MEDIUM,
    over=PLAN_POSITIONS,
    prepare=with_totals,
    whole=True,
    applies=pl.col("is_in_force") & LINKED.is_not_null(),
    when=(LINKED != PAYABLE) & (LINKED - pl.col("before_minor") != PAYABLE),
    expected=money(LINKED),
    actual=money(PAYABLE),
    difference_minor=PAYABLE - LINKED,
    explanation=sentence(
        "Plan {}: its terms add up to {}, the accounts it covers ({}) to {}: a difference of {}.",
        pl.col("plan_id"),
        with_code(PAYABLE),
        pl.col("linked_accounts"),
        with_code(LINKED),
        with_code(PAYABLE - LINKED),
    ),
    needs=("plans", "terms", "accounts"),
)
