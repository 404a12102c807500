"""What each term had received at the end of chosen days, for the plans where running sums do not tell.

Two kinds need it: plans where some money comes for a named term and some for any, and plans
whose partly satisfied terms are passed over, where the order of payments decides. Three terms
of 100 with a tolerance of 10 receive 95, and later 110; the first is then passed over:

    term                  1    2    3
    payable             100  100  100
    after 95             95    0    0
    after 110 more       95  100   10
    by running sums     100  100    5
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from transforms.balances.allocation import clip, oldest_first
from transforms.balances.book import Book
from transforms.balances.settlement import level_on, net_on
from transforms.segments import Segments, place


@dataclass(slots=True)
class _Term:
    payable: int
    tolerance: int
    money: int | None
    offset: int
    got: int = 0

    @property
    def is_open(self) -> bool:
        return self.payable - self.got > self.tolerance


@dataclass(frozen=True, slots=True)
class _Payment:
    effective: date
    amount: int
    reversed_on: date | None
    back: int

    def on(self, day: date) -> int:
        came = self.amount if self.effective <= day else 0
        return came - (self.back if self.reversed_on is not None and self.reversed_on <= day else 0)


def on_days(book: Book, days: pl.DataFrame) -> pl.DataFrame:
    """Return what every term of some plans had received at the end of some days.

    Args:
        book: Plans, terms and money; only plans whose balances follow from payments.
        days: Distinct `plan` (position in the book) and `day`.

    Returns:
        `plan, day, row` (of the term), `due_date, payable, tolerance_minor, received`, in this order of keys.
    """
    points = days.sort("plan", "day")
    skipping = book.skips.gather(points["plan"])
    summed = _summed(book, points.filter(~skipping))
    if not skipping.any():
        return summed.sort("plan", "day", "row")
    return pl.concat([summed, _stepped(book, points.filter(skipping))]).sort("plan", "day", "row")


def grid_of(book: Book, points: pl.DataFrame) -> pl.DataFrame:
    """Return one row per term of the plan of each point (`plan`, `day`): the number of the point, the term's row, its figures."""
    # The rows of a plan's terms are all numbers from its first to its last.
    rows = pl.DataFrame({"plan": points["plan"].unique().sort()}).select(
        "plan",
        row=pl.int_ranges(
            pl.lit(book.segments.first).gather("plan"), pl.lit(book.segments.last).gather("plan") + 1, dtype=pl.Int64
        ),
    )
    grid = points.with_row_index("point").join(rows, on="plan", how="left", maintain_order="left").explode("row")
    grid = grid.filter(pl.col("row").is_not_null())
    terms = book.terms.select("due_date", "payable", "tolerance_minor")[grid["row"]]
    return pl.concat([grid, terms], how="horizontal")


def _summed(book: Book, points: pl.DataFrame) -> pl.DataFrame:
    grid = grid_of(book, points)
    named = _named_on(book, grid)
    # A point plays the part of a plan: the plan's money on that day, less what was named, goes oldest first.
    segments = Segments.of(grid["point"], points.height)
    pool = level_on(book.levels, points["plan"], points["day"]) - segments.total(named)
    received = named + oldest_first(grid["payable"] - named, pool, segments)
    return grid.with_columns(received.alias("received")).drop("point")


def _named_on(book: Book, grid: pl.DataFrame) -> pl.Series:
    if book.links.is_empty:
        return pl.Series([0], dtype=pl.Int64).new_from_index(0, grid.height)
    named = book.links.named
    size = book.terms.height
    # Which payment each term names, by term; then for each row of the grid its term's payment.
    at = place(named["row"], named["money"], size).gather(grid["row"])
    money = book.money.select(pl.all().gather(pl.lit(at)))
    offset = place(named["row"], named["offset"], size).gather(grid["row"])
    # What of that payment was there on the day of the row.
    there = money.select(
        net_on(
            pl.col("amount_minor"),
            pl.col("back_minor"),
            pl.col("effective_date"),
            pl.col("reversed_on"),
            pl.lit(grid["day"]),
        )
    ).to_series()
    return clip((there - offset).fill_null(0), grid["payable"])


def _stepped(book: Book, points: pl.DataFrame) -> pl.DataFrame:
    grid = grid_of(book, points)
    received: list[int] = []
    for (plan,), group in points.group_by("plan", maintain_order=True):
        terms, payments = _lists(book, int(str(plan)))
        for day in group["day"]:
            received.extend(_pay(terms, payments, day))
    return grid.with_columns(pl.Series("received", received, dtype=pl.Int64)).drop("point")


def _lists(book: Book, plan: int) -> tuple[list[_Term], list[_Payment]]:
    first = book.segments.first[plan]
    money = book.money.with_row_index("money").filter(pl.col("plan") == plan)
    # Payments of the plan are numbered from its first one, terms from its first row.
    start = money["money"][0] if money.height else 0
    payments = [
        _Payment(*row)
        for row in money.select("effective_date", "amount_minor", "reversed_on", "back_minor").iter_rows()
    ]
    rows = book.terms[first : book.segments.last[plan] + 1] if first is not None else book.terms.clear()
    links = book.links.named.filter(pl.col("row").is_between(first or 0, (first or 0) + rows.height - 1))
    named = {row - (first or 0): (money - start, offset) for row, money, offset in links.iter_rows()}
    terms = [
        _Term(payable, tolerance, *named.get(number, (None, 0)))
        for number, (payable, tolerance) in enumerate(rows.select("payable", "tolerance_minor").iter_rows())
    ]
    return terms, payments


def _pay(terms: list[_Term], payments: list[_Payment], day: date) -> list[int]:
    """Return what each term has at the end of `day`: named money first, then each payment over the terms still open."""
    rests = [payment.on(day) for payment in payments]
    for term in terms:
        term.got = min(max(_there(payments, term, day), 0), term.payable)
    for term in terms:
        if term.money is not None:
            rests[term.money] -= term.got
    for rest in rests:
        money = rest
        for term in [term for term in terms if term.is_open]:
            share = max(min(money, term.payable - term.got), 0)
            term.got += share
            money -= share
    return [term.got for term in terms]


def _there(payments: list[_Payment], term: _Term, day: date) -> int:
    return 0 if term.money is None else payments[term.money].on(day) - term.offset
