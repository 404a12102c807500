"""Assign settled and pending money to terms, and take it back to the payments it came from.

A payment that a term names pays that term first; what is left, and every other
payment, goes to the terms oldest due first.
"""

from dataclasses import dataclass

import polars as pl

from transforms.segments import Segments, number_of, put, repeat


@dataclass(frozen=True, slots=True)
class Links:
    """The payments that terms name.

    `named` has one row per term that names a settled payment of its own plan: `row` of the
    term, `money` row of the payment, `offset`: how much of the payment the earlier terms that name it may take.
    """

    named: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Tell whether no term names a payment."""
        return self.named.is_empty()

    def taken(self, payable: pl.Series, net: pl.Series) -> pl.Series:
        """Return what each row of `named` takes of its payment, when of every payment `net` has come."""
        # What has come of the payment, less what the terms before this one may take of it.
        there = net.gather(self.named["money"]) - self.named["offset"]
        return clip(there, payable.gather(self.named["row"]))


def links_of(terms: pl.DataFrame, segments: Segments, money: pl.DataFrame) -> Links:
    """Return the links from terms to settled payments of the same plan.

    Args:
        terms: In sequence, with `linked_payment_no` and `payable` (0 where a term takes no money).
        segments: Where each plan's terms lie.
        money: What `settlement.settled` returned.
    """
    rows = (terms["linked_payment_no"].is_not_null() & (terms["payable"] > 0)).arg_true()
    if rows.is_empty():
        return Links(pl.DataFrame(schema={"row": pl.Int64(), "money": pl.Int64(), "offset": pl.Int64()}))
    naming = pl.DataFrame(
        {
            "row": rows.cast(pl.Int64),
            "plan": segments.owner.gather(rows),
            "payment_no": terms["linked_payment_no"].gather(rows),
            "payable": terms["payable"].gather(rows),
        }
    )
    # Payment numbers in order, and from the position in that order back to the row of `money`.
    order = money["payment_no"].arg_sort()
    payment = order.gather(number_of(money["payment_no"].gather(order), naming["payment_no"]))
    owner = money["plan"].gather(payment)
    named = naming.with_columns(money=payment.cast(pl.Int64)).filter((owner == naming["plan"]).fill_null(value=False))
    # Several terms may name one payment: each may take what those before it, oldest first, leave.
    by_payment = named.sort("money", "row")
    shares = Segments.of(by_payment["money"], money.height)
    before, base = shares.before(by_payment["payable"])
    offset = before - shares.spread(base)
    return Links(by_payment.select("row", "money", offset=offset).sort("row"))


def clip(values: pl.Series, upper: pl.Series) -> pl.Series:
    """Return `values`, at least 0 and at most `upper` row by row; an upper bound below 0 counts as 0."""
    return pl.select(pl.min_horizontal(pl.lit(values), pl.lit(upper)).clip(lower_bound=0)).to_series()


def oldest_first(room: pl.Series, pool: pl.Series, segments: Segments) -> pl.Series:
    """Spread each plan's money over its terms, oldest due date first.

    A term receives what is left once every earlier term of its plan is full, and never
    more than its room. Money beyond the last term stays unassigned. Running sums and
    gathers, no windows.

    Args:
        room: What each term can take, minor units, at least 0, terms in sequence.
        pool: Money per plan.
        segments: Where each plan's terms lie.

    Invariants: 0 <= received <= room; per plan, sum(received) = min(max(pool, 0), sum(room)).
    """
    # Money of the plan less the room of its earlier terms; `base` takes the rooms of earlier plans out of `before`.
    before, base = segments.before(room)
    return clip(segments.spread(pool + base) - before, room)


def received(
    payable: pl.Series, segments: Segments, money: pl.DataFrame, pool: pl.Series, links: Links
) -> tuple[pl.Series, pl.Series]:
    """Return what each term received of the settled money, and the part of it that came by name.

    Args:
        payable: What each term may take, in sequence; minor units, at least 0.
        segments: Where each plan's terms lie.
        money: Settled payments of all plans, with `net_minor`.
        pool: Settled money per plan.
        links: Which payment each term names.
    """
    if links.is_empty:
        return oldest_first(payable, pool, segments), repeat(0, len(payable))
    # First what comes by name; the rest of the plan's money fills the room that is left.
    taken = links.taken(payable, money["net_minor"])
    named = put(repeat(0, len(payable)), links.named["row"], taken)
    rest = pool - segments.total(named)
    return named + oldest_first(payable - named, rest, segments), named


def used_of(money: pl.DataFrame, by_name: pl.Series, pooled: pl.Series, links: Links, plans: int) -> pl.Series:
    """Return which part of each settled payment terms took: first by name, the rest earliest payment first.

    Args:
        money: Settled payments in paying order.
        by_name: What each term received from the payment it names.
        pooled: What the terms of each plan received otherwise.
        links: Which payment each term names.
        plans: Number of plans.
    """
    net = money["net_minor"]
    segments = Segments.of(money["plan"], plans)
    if links.is_empty:
        return oldest_first(net, pooled, segments)
    # Here a payment plays the part of the plan: what was taken of it by name is summed over the terms naming it.
    shares = pl.DataFrame({"plan": links.named["money"], "taken": by_name.gather(links.named["row"])}).sort("plan")
    named = Segments.of(shares["plan"], money.height).total(shares["taken"])
    return named + oldest_first(net - named, pooled, segments)
