"""A plan has two terms of the same amount on the same day.

Means:  the customer is asked twice for the same term, and the plan's total is too high by one.
Causes: a schedule written twice; a term entered by hand that the schedule already had.
Action: have one of the two removed at the provider. Two terms that a weekend or holiday shift moved onto one
        day are not meant: their dates before the shift differ.
"""

import polars as pl

from checks.base import Check, Frames, frame
from checks.wording import day, money, sentence, with_code
from schemas.results import TERM_POSITIONS

SAME = ("plan_no", "due_date", "amount_minor", "nominal_due_date")
# Two terms of zero do not ask for money twice.
COUNTS = (pl.col("amount_minor") != 0) & ~pl.col("state").is_in(["VOID", "SUPERSEDED"])


def with_twin(frames: Frames) -> pl.DataFrame:
    """Return the terms with `twin_term_id`: the first term of the plan that a later one repeats, null for others.

    Terms come in plan order, so only rows beside one of the same plan and day can have a twin; frames in any
    other order are sorted first.
    """
    terms = frame(frames, "term_positions")
    if not _is_in_plan_order(terms):
        terms = terms.sort("plan_no", "due_date", "term_no")
    # Same plan and day as the row before; the row before belongs to the suspects as well.
    again = (pl.col("plan_no") == pl.col("plan_no").shift(1)) & (pl.col("due_date") == pl.col("due_date").shift(1))
    again = again.fill_null(value=False)
    suspects = terms.lazy().filter(again | again.shift(-1, fill_value=False)).filter(COUNTS).collect()
    if suspects.is_empty():  # most portfolios, and their terms are many
        return terms.with_columns(twin_term_id=pl.lit(None, dtype=pl.String))
    # A repeat is often the term that no rule gives, so it has no date before the shift of its own.
    known = pl.col("nominal_due_date").drop_nulls().first().over("plan_no", "due_date", "amount_minor")
    first = (
        suspects.with_columns(pl.col("nominal_due_date").fill_null(known))
        .sort("plan_no", "term_no")
        .group_by(SAME, maintain_order=True)
        .agg(twin_term_id=pl.col("term_id").first(), term_no=pl.col("term_no").slice(1))
        .explode("term_no", empty_as_null=True)
        .filter(pl.col("term_no").is_not_null())
        .select("plan_no", "term_no", "twin_term_id")
    )
    return terms.join(first, on=["plan_no", "term_no"], how="left", validate="m:1")


def _is_in_plan_order(terms: pl.DataFrame) -> bool:
    plan, due = pl.col("plan_no"), pl.col("due_date")
    # Each row against the one before: an earlier plan, or an earlier day of the same plan.
    out_of_order = (plan < plan.shift(1)) | ((plan == plan.shift(1)) & (due < due.shift(1)))
    return not bool(terms.select(out_of_order.any()).item())


CHECK = Check(
    code="DUPLICATE_TERM",
    severity="medium",
    over=TERM_POSITIONS,
    prepare=with_twin,
    applies=COUNTS,
    when=pl.col("twin_term_id").is_not_null(),
    expected=money(pl.lit(0, dtype=pl.Int64)),
    actual=money(pl.col("amount_minor")),
    difference_minor=pl.col("amount_minor"),
    explanation=sentence(
        "Plan {}: term {} of {} due on {} repeats term {}, same amount and day.",
        pl.col("plan_id"),
        pl.col("term_id"),
        with_code(pl.col("amount_minor")),
        day(pl.col("due_date")),
        pl.col("twin_term_id"),
    ),
    needs=("terms",),
)
