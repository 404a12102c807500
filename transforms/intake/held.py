"""Refuse again, when a load is made anew, the rows that it refused and a replay brought in: known they are from there on.

The program may find them good by now. That they come in with the replay, as they did, keeps every earlier figure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import polars as pl

from schemas.intake import ENTITIES, REJECTS, Admitted
from transforms.intake.admit import PutAway, admit_parts
from transforms.intake.counts import summed, summed_words, unknown_words
from transforms.intake.money import places_of

PLACE = ["page_no", "position"]
_KEYS = {
    "plans": "plan_id",
    "terms": "term_id",
    "payments": "payment_id",
    "accounts": "account_id",
    "policies": "account_id",
    "customers": "customer_id",
}
_UNREAD = ("UNKNOWN_CURRENCY", "NOT_A_DECIMAL", "FRACTION_OF_MINOR_UNIT", "TOO_LARGE")
"""Faults of an amount that leave a row without one."""


def admit_without(
    parts: Iterable[Mapping[str, pl.DataFrame]],
    held: pl.DataFrame,
    *,
    decode_rejects: pl.DataFrame,
    decoded_rows: Mapping[str, int],
    sweeps: pl.DataFrame,
    put_away: PutAway | None = None,
) -> Admitted:
    """Return the staged rows of one tenant as `admit_parts` does, those that are held back refused for the reasons of then.

    A payment "1.2.3" was NOT_A_DECIMAL to the program of then and is 1.23 to that of today: it counts as fetched, as
    quarantined and as unreadable, no money is counted for it, and its key is seen.

    Args:
        parts: As for `admit_parts`.
        held: `HELD`, without rows where nothing is held back.
        decode_rejects: As for `admit_parts`.
        decoded_rows: As for `admit_parts`.
        sweeps: page_no and sweep of every page.
        put_away: As for `admit_parts`.
    """
    if held.is_empty():
        return admit_parts(parts, decode_rejects=decode_rejects, decoded_rows=decoded_rows, put_away=put_away)
    words: list[pl.DataFrame] = []

    def rest() -> Iterator[Mapping[str, pl.DataFrame]]:
        for staged in parts:
            words.append(staged["tenant_words"])
            words.append(unknown_words(staged["payments"], staged["plans"]))
            yield {**staged, **{name: _without(name, staged[name], held) for name in ENTITIES}}

    admitted = admit_parts(rest(), decode_rejects=decode_rejects, decoded_rows=decoded_rows, put_away=put_away)
    seen = held.join(sweeps, on="page_no", how="left").select("entity", pl.col("sweep").alias("source"), "key")
    return replace(
        admitted,
        rejects=pl.concat([admitted.rejects, held.select(*REJECTS)]),
        counts=summed([admitted.counts, _counts(held)]),
        seen=pl.concat([admitted.seen, seen]),
        unknown_words=summed_words(words),
    )


def _without(entity: str, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without those held back: by place and key, by place alone where the key could not be read.

    Repeats stay: they were repeats then. A term that came inside its plan is out with it.
    """
    of_entity = held.filter(pl.col("entity") == entity)
    if of_entity.is_empty():
        return rows
    whole = of_entity.filter(pl.col("key").is_null()).select(PLACE)
    by = [(PLACE, whole), ([*PLACE, _KEYS[entity]], of_entity.select(*PLACE, pl.col("key").alias(_KEYS[entity])))]
    if entity == "terms":
        plans = held.filter(pl.col("entity").is_in(["plans", "terms"]))
        by.append(([*PLACE, "plan_id"], plans.select(*PLACE, pl.col("key").alias("plan_id"))))
    numbered = rows.with_row_index("held_row")
    fresh = numbered.filter(~pl.col("is_repeat"))
    out = pl.concat([fresh.join(keys, on=on, how="semi").select("held_row") for on, keys in by])
    return numbered.join(out, on="held_row", how="anti", maintain_order="left").drop("held_row")


def _counts(held: pl.DataFrame) -> pl.DataFrame:
    """Return the counts of the rows held back, by entity and currency; an unknown currency is none."""
    amount, no = pl.col("amount_minor"), pl.lit(0, pl.Int64)
    of_row = ["entity", *PLACE, "key"]
    is_unread = (pl.col("code").is_in(_UNREAD).any().over(of_row) & amount.is_null()) | ~pl.col("is_decoded")
    counted = held.with_columns(is_unread=is_unread, places=places_of(held["currency"])).filter(
        pl.col("entity").is_in(ENTITIES)
    )
    return counted.select(
        "entity",
        pl.when(pl.col("places").is_not_null()).then("currency").alias("currency"),
        fetched="rows",
        quarantined="rows",
        repeated=no,
        unreadable=pl.when("is_unread").then("rows").otherwise(no),
        amount_fetched_minor=amount,
        amount_quarantined_minor=amount,
        amount_repeated_minor=pl.when(amount.is_not_null()).then(no),
    )
