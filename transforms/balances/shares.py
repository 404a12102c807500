"""Which payment paid which term: what the running sums decide, said pair by pair.

Two terms of 100 received 130 of payments of 60 and 70, oldest due first:

    payment     60   70
    term 1      60   40
    term 2       0   30
"""

import polars as pl

from transforms.balances.book import Book
from transforms.balances.satisfaction import Satisfaction


def shares_of(book: Book, paid: Satisfaction) -> pl.DataFrame:
    """Return one row per payment and term that took some of it: `row` of the term, `payment_no`, `amount_minor`, `is_named`.

    Terms of plans whose balances the provider keeps are not in it. Per term the amounts add up to what it received of
    the plan's payments, per payment to what terms took of it.

    Args:
        book: Plans, terms and money; meant for a few plans.
        paid: What `satisfaction.satisfy` returned for the book.
    """
    links = book.links.named
    taken = (
        book.links.taken(book.terms["payable"], book.money["net_minor"])
        if links.height
        else pl.Series([], dtype=pl.Int64)
    )
    named = links.select("row", "money", amount_minor=taken, is_named=pl.lit(value=True))
    mine = book.segments.spread(book.is_ours)
    room = _less(paid.received.set(~mine, 0), named, "row")
    left = _less(paid.used, named, "money")
    pooled = _overlaid(_stretches(room, book.segments.owner, "row"), _stretches(left, book.money["plan"], "money"))
    pairs = pl.concat([named, pooled]).filter(pl.col("amount_minor") > 0)
    number = book.money["payment_no"].gather(pairs["money"])
    return pairs.select("row", "amount_minor", "is_named", payment_no=number).sort("row", "payment_no", "is_named")


def _less(whole: pl.Series, named: pl.DataFrame, by: str) -> pl.Series:
    """Return `whole` less what was taken by name, row by row."""
    sums = named.group_by(by).agg(pl.col("amount_minor").sum())
    rows = pl.DataFrame({by: pl.int_range(len(whole), eager=True, dtype=pl.Int64), "whole": whole})
    joined = rows.join(sums, on=by, how="left", validate="1:1", maintain_order="left")
    return joined.select(pl.col("whole") - pl.col("amount_minor").fill_null(0)).to_series()


def _stretches(amounts: pl.Series, plan: pl.Series, name: str) -> pl.DataFrame:
    """Lay the amounts of each plan end to end: `plan`, the row, and where its amount begins and ends."""
    rows = pl.DataFrame({"plan": plan.cast(pl.Int64), name: pl.int_range(len(amounts), eager=True, dtype=pl.Int64)})
    end = pl.col("amount").cum_sum().over("plan")
    laid = rows.with_columns(amounts.alias("amount")).with_columns(begins=end - pl.col("amount"), ends=end)
    return laid.filter(pl.col("amount") > 0).drop("amount")


def _overlaid(terms: pl.DataFrame, money: pl.DataFrame) -> pl.DataFrame:
    """Return what each stretch of money and each of terms have in common: that much of the payment went to the term."""
    pairs = terms.join(money, on="plan", how="inner", suffix="_money")
    common = pl.min_horizontal("ends", "ends_money") - pl.max_horizontal("begins", "begins_money")
    return pairs.select("row", "money", amount_minor=common, is_named=pl.lit(value=False))
