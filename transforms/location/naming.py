"""What the accounts that name a plan add up to: their number, their totals, what they still owe.

Accounts name a plan only while it is active. Links that are gone by now say which accounts
a plan covers, not which debts it is for today.
"""

from datetime import date

import polars as pl

from transforms.segments import repeat

COLUMNS = ("linked_accounts", "linked_total_minor", "linked_open_minor")


def named_by(
    plans: pl.DataFrame, accounts: pl.DataFrame | None, plan_accounts: pl.DataFrame, *, as_of: date
) -> pl.DataFrame:
    """Return `COLUMNS` for each of `plans`, in their order.

    A plan's accounts are the cases that name it, and the invoices that name it and lie in none of these cases (a
    case includes its invoices). All is null where the provider changed the plan, or an account it ever covered, after the
    as-of date: what was named then is not known. The sums are null unless each account states one in the plan's
    currency, so also where no account names the plan.

    Args:
        plans: What `standing.stand` returned.
        accounts: `ACCOUNTS`; None: all is null.
        plan_accounts: `PLAN_ACCOUNTS`.
        as_of: Civil date whose end is described.
    """
    theirs = plans.filter(pl.col("basis") == "PROVIDER_BALANCE").select("plan_no", "updated_on", of_plan="currency")
    if accounts is None or theirs.is_empty():
        return pl.DataFrame({name: repeat(None, plans.height) for name in COLUMNS})
    summed = theirs.join(_sums(theirs, accounts, as_of), on="plan_no", how="left", validate="1:1").join(
        _changed_later(plan_accounts, accounts, as_of), on="plan_no", how="left", validate="1:1"
    )
    is_known = ~(pl.col("updated_on") > as_of).fill_null(value=False) & pl.col("is_later").is_null()
    figures = summed.with_columns(pl.col("linked_accounts").fill_null(0)).select(
        "plan_no", *(pl.when(is_known).then(name).alias(name) for name in COLUMNS)
    )
    return (
        plans.select("plan_no")
        .join(figures, on="plan_no", how="left", validate="1:1", maintain_order="left")
        .drop("plan_no")
    )


def names_now(accounts: pl.DataFrame | None) -> pl.DataFrame:
    """Return `account_no` and `names_plan_no`, the plan each account names; for an invoice in a case, the plan of the case."""
    if accounts is None:
        return pl.DataFrame(schema={"account_no": pl.Int64, "names_plan_no": pl.Int64})
    cases = accounts.select(parent_account_no="account_no", of_case="active_plan_no")
    return (
        accounts.join(cases, on="parent_account_no", how="left", validate="m:1")
        .select("account_no", names_plan_no=pl.coalesce("of_case", "active_plan_no"))
        .drop_nulls()
    )


def _sums(theirs: pl.DataFrame, accounts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    is_there = (pl.col("removed_on") > as_of).fill_null(value=True)
    naming = (
        accounts.filter(pl.col("active_plan_no").is_not_null() & is_there)
        .select(
            "account_no",
            "parent_account_no",
            "currency",
            "balance_minor",
            "account_total_minor",
            plan_no="active_plan_no",
        )
        .join(theirs, on="plan_no", how="inner", validate="m:1")
    )
    held = naming.select("plan_no", parent_account_no="account_no")
    counted = naming.join(held, on=["plan_no", "parent_account_no"], how="anti")
    is_ours = (pl.col("currency") == pl.col("of_plan")).all()

    def whole(name: str) -> pl.Expr:
        return pl.when(is_ours & pl.col(name).is_not_null().all()).then(pl.col(name).sum())

    return counted.group_by("plan_no").agg(
        linked_accounts=pl.len().cast(pl.Int64),
        linked_total_minor=whole("account_total_minor"),
        linked_open_minor=whole("balance_minor"),
    )


def _changed_later(plan_accounts: pl.DataFrame, accounts: pl.DataFrame, as_of: date) -> pl.DataFrame:
    later = accounts.filter(pl.col("updated_on") > as_of).select("account_no")
    links = plan_accounts.join(later, on="account_no", how="semi")
    return links.select("plan_no", is_later=pl.lit(value=True)).unique()
