"""Terms in the order in which money reaches them: due date, provider sequence, term id.

The position in a list never decides: the same terms in any row order give the
same sequence.
"""

import polars as pl

from transforms.segments import Segments, changes, number_of, row_numbers

_DAY_BITS = 2**22
_DAY_SHIFT = 2**21


def in_sequence(terms: pl.DataFrame, plan_nos: pl.Series) -> tuple[pl.DataFrame, Segments]:
    """Return the terms of these plans in sequence, with `term_no`, and where each plan's terms lie.

    Same-day terms follow the provider's sequence, then the term id: numerically if
    all ids of that plan and day are numbers, else as text. Terms of other plans are left out.

    Args:
        terms: `TERMS` in any row order; stored order costs no sort.
        plan_nos: Distinct surrogates in ascending order; plan *i* of the segments is the i-th.
    """
    ordered = _ordered(terms)
    is_start = changes(ordered["plan_no"])
    # The terms lie in runs of one plan each: look up the plan of a run once, then give it to the run's rows.
    of_run = number_of(plan_nos, ordered["plan_no"].filter(is_start)).cast(pl.UInt32)
    run = is_start.cast(pl.UInt32).cum_sum() - 1
    if of_run.has_nulls():
        owner = of_run.gather(run)
        ordered = ordered.filter(owner.is_not_null())
        segments = Segments.of(owner.drop_nulls(), len(plan_nos))
    else:
        # Where every plan has terms, the runs are numbered as the plans are.
        owner = run if len(of_run) == len(plan_nos) else of_run.gather(run)
        segments = Segments.of_runs(owner, is_start.arg_true(), of_run, len(plan_nos))
    # Row number less that of the plan's first row, from 1.
    term_no = row_numbers(ordered.height) - segments.spread(segments.first - 1)
    return ordered.with_columns(term_no.alias("term_no")), segments


def _packed(terms: pl.DataFrame) -> pl.Series:
    return terms["plan_no"] * _DAY_BITS + (terms["due_date"].cast(pl.Int64) + _DAY_SHIFT)


def _is_in_order(terms: pl.DataFrame) -> bool:
    """Tell whether the terms are in order of plan and due date already, with no two of a plan on one day."""
    plan, day = pl.col("plan_no"), pl.col("due_date").to_physical()
    # Each row against the one before: a later plan, or a later day of the same plan.
    rises = (plan > plan.shift(1)) | ((plan == plan.shift(1)) & (day > day.shift(1)))
    return bool(terms.select(rises.all()).item())


def _ordered(terms: pl.DataFrame) -> pl.DataFrame:
    if _is_in_order(terms):
        return terms
    key = _packed(terms)
    if key.is_sorted():
        return _settle_ties(terms, key)
    # Sorted by one integer; terms of one plan and day are then ordered among themselves.
    order = key.arg_sort()
    return _settle_ties(terms[order], key.gather(order))


def _settle_ties(terms: pl.DataFrame, key: pl.Series) -> pl.DataFrame:
    follows = ~changes(key)
    if not follows.any():
        return terms
    # Tied rows: those equal to the row before, and the row before itself.
    is_tied = follows | follows.shift(-1, fill_value=False)
    rows = is_tied.arg_true().cast(pl.Int64)
    tied = pl.DataFrame({"row": rows, "key": key.filter(is_tied)}).with_columns(
        terms["term_sequence"].filter(is_tied), terms["term_id"].filter(is_tied)
    )
    in_turn = _tied_order(tied)
    if in_turn.equals(rows):
        return terms
    # All other rows stay; the tied ones change places among themselves.
    order = row_numbers(terms.height).scatter(rows, in_turn)
    return terms[order]


def _tied_order(tied: pl.DataFrame) -> pl.Series:
    starts = changes(tied["key"])
    # Number each group of tied rows; a group with one id that is no number is ordered as text.
    group = starts.cast(pl.Int64).cum_sum() - 1
    is_text = ~tied["term_id"].str.contains(r"^[0-9]+$")
    has_text = Segments.of(group, int(group[-1]) + 1).count(is_text) > 0
    digits = pl.col("term_id").str.strip_chars_start("0")
    by_number = ~pl.lit(has_text.gather(group))
    return (
        tied.with_columns(
            length=pl.when(by_number).then(digits.str.len_bytes()),
            digits=pl.when(by_number).then(digits),
        )
        .sort("key", "term_sequence", "length", "digits", "term_id", nulls_last=True)
        .get_column("row")
    )
