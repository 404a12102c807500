"""Choose which reason is reported when several changes fit.

A change that gives the whole plan comes before one that gives a term, one change before
two; of equal ones all are named.

What fits is found in `counterfactuals.py`; here nothing is regenerated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from transforms.conformance.combinations import Combination
from transforms.conformance.counterfactuals import Tried
from transforms.conformance.sentences import ROUNDING, ROUNDING_PLACEMENT

PAIR = ("plan_no", "term_no", "sequence", "paired_by")
"""What identifies a row of pairs and says how it came about."""

ANSWER = ("dates", "dates_says", "amounts", "amounts_says")
"""Reason and words for the date and for the amount of a row; null where nothing gives it."""

_KINDS = ("dates", "amounts")
_MOST_SAID = 3
"""Ties told in the sentence; the reason names them all."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The reasons that fit, by plan and by term.

    `plans` and `terms` hold, for `dates` and for `amounts`, a frame with `reason, says`; `orders` the terms by
    date of the plans whose dates all come out.
    """

    plans: dict[str, pl.DataFrame]
    terms: dict[str, pl.DataFrame]
    orders: pl.DataFrame

    @classmethod
    def of(cls, tried: Tried, combinations: Sequence[Combination], base: pl.DataFrame) -> "Answers":
        """Read off what was tried; `base` (of `compare`) says which plans need no reason at all."""
        named = _names(combinations)
        whole = {
            kind: _fullest(tried.whole.filter(kind).join(base.filter(kind), on="plan_no", how="anti"))
            for kind in _KINDS
        }
        by_reason = whole["dates"].join(named, on="combination", validate="m:1").sort("reason", "combination")
        chosen = by_reason.unique("plan_no", keep="first", maintain_order=True).select("plan_no", "combination")
        orders = tried.orders.join(chosen, on=["plan_no", "combination"], how="semi").drop("combination")
        plans = {kind: _tied(whole[kind], named, ["plan_no"]) for kind in _KINDS}
        terms = {kind: _tied(tried.terms.filter(kind), named, ["plan_no", "sequence"]) for kind in _KINDS}
        return cls(plans, terms, orders)


def _fullest(whole: pl.DataFrame) -> pl.DataFrame:
    """Return `whole` without the combinations that give only dates or amounts of a plan for which another gives both."""
    both = pl.col("dates") & pl.col("amounts")
    has_both = whole.filter(both).select("plan_no").unique()
    return pl.concat([whole.filter(both), whole.join(has_both, on="plan_no", how="anti")])


def _names(combinations: Sequence[Combination]) -> pl.DataFrame:
    rows = [
        (
            number,
            "+".join(sorted({change.reason for change in changes})),
            " and ".join(change.says for change in changes),
        )
        for number, changes in enumerate(combinations)
    ]
    return pl.DataFrame(rows, schema={"combination": pl.Int64, "reason": pl.String, "says": pl.String}, orient="row")


def _tied(fitting: pl.DataFrame, named: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    joined = fitting.join(named, on="combination", validate="m:1")
    return joined.group_by(by).agg(
        reason=pl.col("reason").unique().sort().str.join("|"),
        says=pl.col("says").unique().sort().slice(0, _MOST_SAID).str.join(", or if "),
    )


def rounded(theirs: pl.DataFrame, ours: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no, rounding` where the amounts are the same on other terms, or differ by a unit a term at most.

    Args:
        theirs: The provider's terms, as `by_date` gives them.
        ours: The expected ones.
        base: As `compare` gives it; plans whose amounts agree are left out.
    """
    off = base.filter(~pl.col("amounts")).select("plan_no")
    sides = [frame.join(off, on="plan_no", how="semi") for frame in (theirs, ours)]
    both = sides[0].join(sides[1], on=["plan_no", "ordinal"], how="full", coalesce=True, suffix="_ours", validate="1:1")
    by_size = [side.group_by("plan_no").agg(pl.col("amount").sort()) for side in sides]
    placed = by_size[0].join(by_size[1], on=["plan_no", "amount"], how="semi").select("plan_no")
    apart = (pl.col("amount") - pl.col("amount_ours")).abs()
    small = both.group_by("plan_no").agg(apart=apart.sum(), whole=apart.is_not_null().all(), size=pl.len())
    near = small.filter(pl.col("whole") & (pl.col("apart") <= pl.col("size"))).join(placed, on="plan_no", how="anti")
    return pl.concat(
        [
            placed.with_columns(rounding=pl.lit(ROUNDING_PLACEMENT)),
            near.select("plan_no", rounding=pl.lit(ROUNDING)),
        ]
    )


def reasoned(rows: pl.DataFrame, rounding: pl.DataFrame, first: Answers, second: Answers) -> pl.DataFrame:
    """Give each row the reason of its date and of its amount: of the whole plan, else of the term; one change before two.

    Args:
        rows: The columns of `PAIR`.
        rounding: As `rounded` gives it.
        first: What single changes give.
        second: What two changes give.
    """
    dated = _answered(rows, "dates", first, second).drop("of_plan", "of_plan_says")
    priced = _answered(dated, "amounts", first, second)
    return _with_rounding(priced.join(rounding, on="plan_no", how="left", validate="m:1")).select(*PAIR, *ANSWER)


def _answered(rows: pl.DataFrame, kind: str, first: Answers, second: Answers) -> pl.DataFrame:
    """Add the answer for dates or amounts, and `of_plan` where a single change gives the whole plan."""
    answered = rows
    order = []
    for number, answers in enumerate((first, second)):
        for each, keys in ((answers.plans, ["plan_no"]), (answers.terms, ["plan_no", "sequence"])):
            name = f"{number}{len(keys)}"
            renamed = each[kind].rename({"reason": f"reason{name}", "says": f"says{name}"})
            answered = answered.join(renamed, on=keys, how="left", validate="m:1")
            order.append(name)
    return answered.with_columns(
        pl.coalesce(f"reason{name}" for name in order).alias(kind),
        pl.coalesce(f"says{name}" for name in order).alias(f"{kind}_says"),
        of_plan=f"reason{order[0]}",
        of_plan_says=f"says{order[0]}",
    ).drop([f"{column}{name}" for column in ("reason", "says") for name in order])


def _with_rounding(priced: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with rounding as the reason, before that of a term and beside that of the whole plan."""
    is_rounded = pl.col("rounding").is_not_null()
    stands_alone = (pl.col("rounding") == ROUNDING_PLACEMENT) | pl.col("of_plan").is_null()
    reason = (
        pl.when(is_rounded & stands_alone)
        .then("rounding")
        .when(is_rounded)
        .then(pl.concat_str("of_plan", pl.lit(f"|{ROUNDING}")))
        .otherwise("amounts")
    )
    says = pl.when(is_rounded).then("of_plan_says").otherwise("amounts_says")
    return priced.with_columns(amounts=reason, amounts_says=says)
