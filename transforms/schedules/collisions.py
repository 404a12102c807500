"""Treat terms of one plan that fall on the same day, and note dates that run backwards.

Shifts can move two terms onto one day, or one past the other. Every convention for
that leaves a note.
"""

from collections.abc import Sequence

import polars as pl

from transforms.schedules.shifts import written

COLLISION = "COLLISION"
INVERSION = "INVERSION"
_ROOM = 1 << 33


def settle(terms: pl.DataFrame) -> pl.DataFrame:
    """Return the terms as each plan's convention on collisions leaves them, in the order of `plan` and `sequence`, with notes.

    KEEP leaves the dates; MERGE makes one term of those of a day, with the first one's
    sequence and the sum of the amounts; NEXT_DAY moves a term, in the order of the sequence, to
    the next day that no earlier one has.

    Args:
        terms: `plan, sequence, nominal, expected` (day numbers), `amount, trace, notes, collision`;
            all terms of each plan.
    """
    ordered = terms.sort("plan", "expected", "sequence")
    parts = [_rule(group, str(name)) for (name,), group in ordered.group_by("collision", maintain_order=True)]
    if not parts:
        return terms
    settled = pl.concat(parts).sort("plan", "sequence")
    # A term that falls due before the one before it in its plan.
    behind = (pl.col("plan") == pl.col("plan").shift(1)) & (pl.col("expected") < pl.col("expected").shift(1))
    return settled.with_columns(notes=_noted(behind.fill_null(value=False), INVERSION))


def _rule(ordered: pl.DataFrame, collision: str) -> pl.DataFrame:
    same = _same_as(-1)
    if collision == "MERGE":
        return _merged(ordered)
    if collision == "NEXT_DAY":
        return _moved_on(ordered)
    return ordered.with_columns(notes=_noted(same | _same_as(1), COLLISION))


def _merged(ordered: pl.DataFrame) -> pl.DataFrame:
    grouped = ordered.group_by("plan", "expected", maintain_order=True).agg(
        pl.col("sequence", "nominal", "trace", "notes", "collision").sort_by("sequence").first(),
        # A sum of nulls is 0, but an amount that is not judged stays null.
        pl.when(pl.col("amount").null_count() == 0).then(pl.col("amount").sum()).alias("amount"),
        others=pl.col("sequence").sort().slice(1).cast(pl.String).str.join(", "),
        size=pl.len(),
    )
    is_several = pl.col("size") > 1
    trace = pl.concat_str("trace", pl.lit("; one with term "), "others")
    return grouped.with_columns(
        trace=pl.when(is_several & (pl.col("trace") != "")).then(trace).otherwise("trace"),
        notes=_noted(is_several, COLLISION),
    ).select(ordered.columns)


def _moved_on(ordered: pl.DataFrame) -> pl.DataFrame:
    terms = ordered.sort("plan", "sequence")
    # Plan and day in one number, so that a day is taken within its plan only.
    free = terms.select(pl.col("plan").cast(pl.Int64) * _ROOM + pl.col("expected")).to_series()
    # In each round all but the first term of a day move one day on; the end is the same as term by term.
    while not (is_first := free.is_first_distinct()).all():
        free += (~is_first).cast(pl.Int64)
    days = free - terms["plan"].cast(pl.Int64) * _ROOM
    moved = terms.with_columns(was=pl.col("expected"), expected=days.cast(pl.Int32))
    has_moved = pl.col("expected") != pl.col("was")
    trace = pl.concat_str("trace", pl.lit("; that day is taken, so it moves on to "), written(pl.col("expected")))
    return moved.with_columns(
        trace=pl.when(has_moved & (pl.col("trace") != "")).then(trace).otherwise("trace"),
        notes=_noted(has_moved, COLLISION),
    ).drop("was")


def _same_as(step: int) -> pl.Expr:
    # Whether the row `step` further on is of the same plan and day.
    same = (pl.col("plan") == pl.col("plan").shift(-step)) & (pl.col("expected") == pl.col("expected").shift(-step))
    return same.fill_null(value=False)


def _noted(mask: pl.Expr, note: str) -> pl.Expr:
    return pl.when(mask).then(joined([pl.col("notes"), pl.lit(note)])).otherwise("notes")


def joined(notes: Sequence[pl.Expr]) -> pl.Expr:
    """Join notes by `;`, leaving out empty ones."""
    present = [pl.when(note != "").then(note) for note in notes]
    return pl.concat_str(present, separator=";", ignore_nulls=True)
