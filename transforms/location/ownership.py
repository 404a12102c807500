"""Which plan a payment belongs to, by account and time.

Money belongs to the plan in force when it came: the newest one created by then and
not yet over. Where the stamps of both carry a time of day, moments are compared; where
either is a plain date, days. Money outside every plan's time belongs to none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.location.standing import by_id, coverings
from transforms.segments import Segments, changes, number_of

_TIMES = ("created_on", "created_at", "over_on", "over_at", "replaced_on", "replaced_at")


@dataclass(frozen=True, slots=True)
class Claims:
    """Which plans cover an account.

    `rows` has one row per account and plan on it (`account_no, plan_no, basis, currency`, when
    the plan was made, was over and was replaced), by account, the best claim last. `first` and
    `last` give the rows of each account number, null for an account without a plan.
    """

    rows: pl.DataFrame
    first: pl.Series
    last: pl.Series

    def candidates(self, account_no: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
        """Yield, best claims first, row numbers of `account_no` and beside each the row number of a claim on its account.

        Each round has the next claim of every row that still has one.
        """
        has_entry = account_no.is_not_null() & (account_no < len(self.first)).fill_null(value=False)
        rows = has_entry.arg_true()
        numbers = account_no.gather(rows)
        # Start with the last claim of each account, the best, and go back to its first.
        first, claim = self.first.gather(numbers), self.last.gather(numbers)
        is_open = claim.is_not_null()
        while is_open.any():
            rows, first, claim = rows.filter(is_open), first.filter(is_open), claim.filter(is_open)
            yield rows, claim
            claim = claim - 1
            is_open = claim >= first


def claims(plans: pl.DataFrame, plan_accounts: pl.DataFrame, named: pl.DataFrame) -> Claims:
    """Return the claims of plans on accounts, of plans that were ever agreed.

    Of two plans in force the newer one has the better claim; between plans whose balances come
    from the provider, the one that the account names, else the one with the smaller number.

    Args:
        plans: What `standing.stand` returned.
        plan_accounts: `PLAN_ACCOUNTS`.
        named: What `naming.names_now` returned.
    """
    agreed = plans.filter(pl.col("is_approved") & (pl.col("standing") != "REJECTED"))
    covered = coverings(agreed, plan_accounts)
    facts = agreed.select("plan_id", *_TIMES, "basis", "currency")[number_of(agreed["plan_no"], covered["plan_no"])]
    rows = _best_last(pl.concat([covered, facts], how="horizontal"), named).drop("plan_id")
    size = 0 if rows.is_empty() else int(rows["account_no"][-1]) + 1
    segments = Segments.of(rows["account_no"], size)
    return Claims(rows, segments.first, segments.last)


def _best_last(rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return the claims with the best of each account last; only accounts with several are sorted."""
    account = rows["account_no"]
    is_new = changes(account)
    # Several claims: not the first row of its account, or followed by another row of it.
    is_shared = ~is_new | ~is_new.shift(-1, fill_value=True)
    if not is_shared.any():
        return rows
    is_ours = pl.col("basis") == "PAYMENTS"
    shared = rows.filter(is_shared).join(named, on="account_no", how="left", validate="m:1")
    ranked = shared.sort(
        "account_no",
        pl.when(is_ours).then(pl.col("created_on")),
        pl.when(is_ours).then(pl.col("created_at")),
        *(pl.when(is_ours).then(key) for key in by_id("plan_id")),
        (pl.col("plan_no") == pl.col("names_plan_no")).fill_null(value=False) & ~is_ours,
        -pl.col("plan_no"),
        nulls_last=True,
    ).drop("names_plan_no")
    return pl.concat([rows.filter(~is_shared), ranked]).sort("account_no", maintain_order=True)


def owners(payments: pl.DataFrame, claimed: Claims, *, as_of: date) -> pl.Series:
    """Return the plan_no of each payment, null where it belongs to no plan.

    Settled and failed money follows its effective date and moment, pending money the plan in force
    at the as-of date. Where balances come from the provider only payment-service
    transactions are assigned to plans; the money of ledger payments is in the balances.

    Args:
        payments: `PAYMENTS` with the class they have on the as-of date.
        claimed: The claims of the plans that exist on the as-of date.
        as_of: Civil date whose end is described.
    """
    is_pending = pl.col("class") == "pending"
    day = pl.when(is_pending).then(pl.lit(as_of)).otherwise(pl.col("effective_date"))
    moment = pl.when(~is_pending).then(pl.col("effective_at"))
    came = payments.select("account_no", day=day, moment=moment, is_psp=is_service_transaction())
    owner = pl.Series([None], dtype=pl.Int64).new_from_index(0, payments.height)
    for rows, claim in claimed.candidates(came["account_no"]):
        pairs = pl.concat([came[rows].drop("account_no"), claimed.rows[claim]], how="horizontal")
        is_told = pl.col("is_psp") | (pl.col("basis") == "PAYMENTS")
        # The first claim that holds takes the payment; later rounds leave it alone.
        is_taken = pairs.select(_is_in_time() & is_told).to_series() & owner.gather(rows).is_null()
        if is_taken.any():
            owner = owner.scatter(rows.filter(is_taken), pairs["plan_no"].filter(is_taken))
    return owner


def _is_in_time() -> pl.Expr:
    """Tell whether the plan had been made, and was neither over nor replaced, when the payment came."""
    is_late = _comes_after("over_on", "over_at")
    return (
        ~_comes_before("created_on", "created_at")
        & ~is_late
        & _comes_before("replaced_on", "replaced_at", open_end=True)
    )


def _comes_before(on: str, at: str, *, open_end: bool = False) -> pl.Expr:
    by_day = pl.col("day") < pl.col(on)
    return pl.coalesce(pl.col("moment") < pl.col(at), by_day, pl.lit(open_end))


def _comes_after(on: str, at: str) -> pl.Expr:
    return pl.coalesce(pl.col("moment") > pl.col(at), pl.col("day") > pl.col(on), pl.lit(value=False))


def is_service_transaction() -> pl.Expr:
    """Tell a payment-service transaction from a ledger payment, by its id."""
    return pl.col("payment_id").str.starts_with("psp:")


def linked_received(payments: pl.DataFrame, claimed: Claims, plan_nos: pl.Series) -> pl.DataFrame:
    """Return per plan the settled ledger money on its accounts since it was created; null without an account.

    Only for plans whose balances come from the provider: the sum is what those balances are
    compared with. A payment on an account of two plans counts for both.

    Args:
        payments: `account_no, effective_date, currency, net_minor, is_recent` of settled ledger payments.
        claimed: The claims of the plans that exist on the as-of date.
        plan_nos: Distinct plan numbers in ascending order, the rows of the result.

    Returns:
        `linked_received_minor` and, of it, `linked_recent_minor` where `is_recent` holds and
        `linked_first_day_minor` of the day the plan was created: payments have no time of day, so that
        money may have come before the plan or after it.
    """
    theirs = claimed.rows["basis"] == "PROVIDER_BALANCE"
    zero = pl.lit(0, pl.Int64)
    parts = [claimed.rows.filter(theirs).select("plan_no", received=zero, recent=zero, first_day=zero)]
    for rows, claim in claimed.candidates(payments["account_no"]):
        pairs = pl.concat(
            [payments[rows].rename({"currency": "paid_in"}), claimed.rows[claim].drop("account_no")], how="horizontal"
        )
        counted = pairs.filter(
            (pl.col("basis") == "PROVIDER_BALANCE")
            & (pl.col("created_on") <= pl.col("effective_date"))
            & (pl.col("paid_in") == pl.col("currency"))
        )
        recent = pl.when(pl.col("is_recent")).then(pl.col("net_minor")).otherwise(0)
        first = pl.when(pl.col("effective_date") == pl.col("created_on")).then(pl.col("net_minor")).otherwise(0)
        parts.append(counted.select("plan_no", received=pl.col("net_minor"), recent=recent, first_day=first))
    sums = pl.concat(parts, how="vertical").group_by("plan_no").sum()
    joined = pl.DataFrame({"plan_no": plan_nos}).join(
        sums, on="plan_no", how="left", validate="1:1", maintain_order="left"
    )
    return joined.select(
        linked_received_minor=pl.col("received"),
        linked_recent_minor=pl.col("recent"),
        linked_first_day_minor=pl.col("first_day"),
    )
