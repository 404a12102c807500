"""Choose, of a snapshot judged anew, the rows that were refused when it came and are good now."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.intake import COUNTS, Admitted

PLACE = ("page_no", "position")
_KEYS = {
    "plans": "plan_id",
    "terms": "term_id",
    "payments": "payment_id",
    "accounts": "account_id",
    "policies": "account_id",
    "customers": "customer_id",
}


@dataclass(frozen=True, slots=True)
class SecondChance:
    """What comes in: `admitted` with these rows alone, and the places (page_no, position) of those refused before."""

    admitted: Admitted
    places: pl.DataFrame


def second_chance(admitted: Admitted, refused: pl.DataFrame, newer: Mapping[str, pl.DataFrame]) -> SecondChance:
    """Return what was refused and is good now.

    A plan and its terms come in together. A row of which a later load has said something stays out, and so do the
    terms of such a plan.

    Args:
        admitted: The whole snapshot, judged anew.
        refused: page_no and position of the rows that stayed out when it came.
        newer: Per entity, the natural keys that later loads spoke of.
    """
    old = {
        entity: frame.join(newer[entity], on=key, how="anti", maintain_order="left")
        for entity, key in _KEYS.items()
        for frame in [admitted.accepted[entity]]
    }
    kept = {entity: frame.join(refused, on=PLACE, how="semi", maintain_order="left") for entity, frame in old.items()}
    plans = kept["plans"].select("plan_id")
    terms = old["terms"]
    of_plan = terms.join(plans, on="plan_id", how="semi").select("term_id", "plan_id")
    late = terms.join(newer["plans"], on="plan_id", how="semi").select("term_id", "plan_id")
    alone = kept["terms"].select("term_id", "plan_id").join(late, on=["term_id", "plan_id"], how="anti")
    wanted = pl.concat([of_plan, alone]).unique()
    kept["terms"] = terms.join(wanted, on=["term_id", "plan_id"], how="semi", nulls_equal=True, maintain_order="left")
    links = admitted.accepted["plan_accounts"]
    accepted = kept | {
        "plan_accounts": links.join(plans, on="plan_id", how="semi", maintain_order="left"),
        "deletions": admitted.accepted["deletions"].clear(),
    }
    places = pl.concat([frame.select(PLACE) for frame in kept.values()]).unique()
    return SecondChance(
        Admitted(
            accepted=accepted,
            rejects=admitted.rejects.clear(),
            counts=pl.concat([_counts(entity, frame) for entity, frame in kept.items()]),
            seen=admitted.seen.clear(),
            unknown_words=admitted.unknown_words.clear(),
        ),
        refused.join(places, on=PLACE, how="semi").unique().sort(PLACE),
    )


def _counts(entity: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `COUNTS` of rows that all came and none of which stays out."""
    sums = rows.group_by("currency").agg(
        fetched=pl.len().cast(pl.Int64), amount_fetched_minor=pl.col("money_minor").sum()
    )
    nothing = dict.fromkeys(("quarantined", "repeated", "unreadable"), pl.lit(0, pl.Int64))
    no_money = dict.fromkeys(("amount_quarantined_minor", "amount_repeated_minor"), pl.lit(0, pl.Int64))
    whole = sums.with_columns(pl.lit(entity).alias("entity"), **nothing, **no_money)
    return whole.select(pl.col(name).cast(dtype) for name, dtype in COUNTS.items())
