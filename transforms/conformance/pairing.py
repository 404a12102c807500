"""Find which of the provider's terms is which of the expected ones.

Position first: most plans agree term by term and need no search. The rest goes
through four passes, each term used once; what is equally near is reported and
never guessed.
"""

from dataclasses import dataclass

import polars as pl

from schemas.schedules import PAIRS
from schemas.seeds import numbers
from schemas.table import sorted_by
from transforms.conformance.matching import nearest, numbered
from transforms.schedules.frequencies import reach_days
from transforms.segments import changes, number_of, place, put, repeat, row_numbers


@dataclass(frozen=True, slots=True)
class Paired:
    """Which of the provider's terms is which of the expected ones.

    `at`: for each of the provider's terms the row of the expected one; null where it has none. `apart`: `PAIRS` of the plans
    that do not agree in every term, by plan, then term number, then sequence. `alike`: plan_no of all others that have terms.
    """

    at: pl.Series
    apart: pl.DataFrame
    alike: pl.Series


def comparable(rules: pl.DataFrame, missing: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no, reach_days` of the plans that can be compared: those whose rules gave a schedule.

    Args:
        rules: `PLAN_RULES` of the plans in question; leave out plans that are not to be judged.
        missing: `NOT_REGENERABLE`.
    """
    judged = rules.filter(~pl.col("plan_no").is_in(missing["plan_no"].implode()))
    return sorted_by(judged.select("plan_no", reach_days=reach_days()), "plan_no")


def pair(terms: pl.DataFrame, expected: pl.DataFrame, plans: pl.DataFrame) -> Paired:
    """Return the pairs of these plans: same date and amount, else same date, else same amount near by, else same place.

    Within a pass the nearest are taken first: by amount on one day, by days for one amount.
    Terms that are equally near are AMBIGUOUS, each on a row of its own, and go no further.
    Swapping the two sides swaps MISSING and EXTRA and turns the signs, nothing else. MISSING has no provider's term,
    EXTRA no expected one. Differences are the provider's less the expected, null where there is no pair or nothing to judge.

    Args:
        terms: `plan_no, term_no, due_date, amount_minor` of the provider's terms that count, in plan order.
        expected: `plan_no, sequence, expected_due_date, expected_amount_minor`, in plan order; where the amount
            is null it is not judged and every amount of the plan counts as the same.
        plans: `plan_no, reach_days`, sorted; rows of other plans are ignored.
    """
    theirs = _Side.of(terms.select(plan="plan_no", place="term_no", date="due_date", amount="amount_minor"), plans)
    ours = _Side.of(
        expected.select(plan="plan_no", place="sequence", date="expected_due_date", amount="expected_amount_minor"),
        plans,
    )
    beside, is_apart = _by_position(theirs, ours)
    chosen = is_apart.arg_true()
    has_terms = (theirs.sizes > 0) & ~is_apart
    alike = plans["plan_no"].filter(has_terms)
    if chosen.is_empty():
        return Paired(beside, PAIRS.empty(), alike)
    lefts, rights = theirs.rows_of(chosen), ours.rows_of(chosen)
    left, right = theirs.terms[lefts], ours.terms[rights]
    matched, unjudged = _in_passes(left, right, plans)
    # The rows of these plans have no partner but those that the passes found.
    found = matched.drop_nulls(["left", "right"])
    at = put(beside, lefts, repeat(None, len(lefts)))
    at = put(at, lefts.gather(found["left"]), rights.gather(found["right"]))
    return Paired(at, _described(matched, left, right, unjudged), alike)


@dataclass(frozen=True, slots=True)
class _Side:
    """The terms of one side, whether each is the first of its run of one plan, and where the plans compared lie.

    `own` gives the place of each run's plan among the plans compared, null for another plan.
    """

    terms: pl.DataFrame
    is_first: pl.Series
    own: pl.Series
    first: pl.Series
    sizes: pl.Series

    @classmethod
    def of(cls, terms: pl.DataFrame, plans: pl.DataFrame) -> "_Side":
        is_first = changes(terms["plan"])
        starts = is_first.arg_true().cast(pl.Int64)
        # A plan is looked up once, at its first row, and ends where the next begins.
        own = number_of(plans["plan_no"], terms["plan"].gather(starts))
        sizes = starts.shift(-1, fill_value=terms.height) - starts
        known = own.is_not_null()
        at = own.filter(known)
        first, counts = (place(at, each.filter(known), plans.height) for each in (starts, sizes))
        return cls(terms, is_first, own, first, counts.fill_null(0))

    def rows_of(self, plans: pl.Series) -> pl.Series:
        """Return the rows of these plans, in order."""
        spans = pl.DataFrame({"first": self.first.gather(plans), "size": self.sizes.gather(plans)}).drop_nulls()
        return spans.select(pl.int_ranges("first", pl.col("first") + pl.col("size"))).to_series().explode().drop_nulls()


def _by_position(theirs: _Side, ours: _Side) -> tuple[pl.Series, pl.Series]:
    """Hold the k-th term of each plan against the k-th expected one.

    Return the row beside each of the provider's terms, null where both sides have not as many, and per plan whether it
    disagrees anywhere. Plans 7 and 8, two terms each, of which the rules give 8 three:

        row of theirs    0    1    2    3
        plan             7    7    8    8
        beside           0    1    -    -     8 is apart: it has not as many
    """
    # What to add to a row of theirs for the row of ours: the distance of the two first rows of the plan.
    is_even = theirs.sizes == ours.sizes
    run = theirs.is_first.cum_sum() - 1
    distance = (ours.first - theirs.first).set(~is_even, None).gather(theirs.own)
    beside = row_numbers(theirs.terms.height) + distance.gather(run)
    amount = ours.terms["amount"].gather(beside)
    agrees = (theirs.terms["date"] == ours.terms["date"].gather(beside)) & (
        (theirs.terms["amount"] == amount) | amount.is_null()
    )
    differing = theirs.own.gather(run.filter(~agrees.fill_null(value=False)).unique()).drop_nulls()
    return beside, put(~is_even, differing, repeat(True, len(differing), pl.Boolean))


def _in_passes(theirs: pl.DataFrame, ours: pl.DataFrame, plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return `left, right, paired_by`: the rows of both sides, null where there is none; and the plans whose amounts are not judged."""
    unjudged = ours.filter(pl.col("amount").is_null())["plan"].unique().implode()
    left, right = (_prepared(side, unjudged) for side in (theirs, ours))
    done: list[pl.DataFrame] = []
    unclear: list[pl.DataFrame] = []
    for name, match in (
        ("DATE_AND_AMOUNT", _same),
        ("DATE", _same_date),
        ("AMOUNT", _same_amount),
        ("ORDINAL", _same_place),
    ):
        pairs, left_unclear, right_unclear = match(left, right, plans)
        done.append(pairs.with_columns(paired_by=pl.lit(name)))
        unclear += [_alone(left, left_unclear, "left"), _alone(right, right_unclear, "right")]
        left = left.filter(~pl.col("row").is_in(pl.concat([pairs["left"], left_unclear]).implode()))
        right = right.filter(~pl.col("row").is_in(pl.concat([pairs["right"], right_unclear]).implode()))
    rest = [
        _alone(left, left["row"], "left").with_columns(paired_by=pl.lit("EXTRA")),
        _alone(right, right["row"], "right").with_columns(paired_by=pl.lit("MISSING")),
    ]
    everything = pl.concat([*done, *(rows.with_columns(paired_by=pl.lit("AMBIGUOUS")) for rows in unclear), *rest])
    return everything, unjudged


def _prepared(side: pl.DataFrame, unjudged: pl.Series) -> pl.DataFrame:
    """Return the rows numbered, with their place by date; where amounts are not judged they all count as equal."""
    ordered = side.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)).sort("plan", "date", "place")
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    # Rows by date, counted from the first of their plan.
    first = pl.when(pl.col("plan").ne_missing(pl.col("plan").shift(1)) | (number == 0)).then(number).forward_fill()
    alike = pl.col("plan").is_in(unjudged)
    return ordered.with_columns(
        ordinal=number - first, amount=pl.when(alike).then(0).otherwise("amount"), date=pl.col("date").cast(pl.Int64)
    )


_Pass = tuple[pl.DataFrame, pl.Series, pl.Series]


def _same(left: pl.DataFrame, right: pl.DataFrame, _plans: pl.DataFrame) -> _Pass:
    keys = ["plan", "date", "amount", "copy"]
    joined = numbered(left).join(numbered(right), on=keys, suffix="_ours", validate="1:1")
    none = pl.Series([], dtype=pl.Int64)
    return joined.select(left="row", right="row_ours"), none, none


def _same_date(left: pl.DataFrame, right: pl.DataFrame, _plans: pl.DataFrame) -> _Pass:
    ours, theirs = numbered(right), numbered(left)
    same_day = _classes(theirs).join(_classes(ours), on=["plan", "date"], suffix="_ours")
    distance = (pl.col("amount") - pl.col("amount_ours")).abs()
    return _nearest(theirs, ours, same_day.select(left="class", right="class_ours", distance=distance))


def _same_amount(left: pl.DataFrame, right: pl.DataFrame, plans: pl.DataFrame) -> _Pass:
    ours, theirs = numbered(right), numbered(left)
    # Longer than the farthest reach, so that two terms within it lie in the same or in neighbouring windows.
    window = pl.col("date") // (numbers("windows")["same_term_days"] + 1)
    # Joined by amount and window of days instead of every date with every date: each date is tried in its own window and both beside it.
    around = _classes(theirs).with_columns(window=pl.concat_list(window - 1, window, window + 1)).explode("window")
    close = around.join(_classes(ours).with_columns(window=window), on=["plan", "amount", "window"], suffix="_ours")
    near = close.join(plans, left_on="plan", right_on="plan_no", validate="m:1")
    distance = (pl.col("date") - pl.col("date_ours")).abs()
    edges = near.filter(distance <= pl.col("reach_days")).select(left="class", right="class_ours", distance=distance)
    return _nearest(theirs, ours, edges)


def _same_place(left: pl.DataFrame, right: pl.DataFrame, _plans: pl.DataFrame) -> _Pass:
    joined = left.join(right, on=["plan", "ordinal"], suffix="_ours", validate="1:1")
    none = pl.Series([], dtype=pl.Int64)
    return joined.select(left="row", right="row_ours"), none, none


def _classes(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("copy") == 0).select("class", "plan", "date", "amount")


def _nearest(theirs: pl.DataFrame, ours: pl.DataFrame, edges: pl.DataFrame) -> _Pass:
    matched = nearest(theirs, ours, edges)
    return matched.pairs, matched.left_unclear, matched.right_unclear


def _alone(side: pl.DataFrame, rows: pl.Series, name: str) -> pl.DataFrame:
    none = pl.lit(None, dtype=pl.Int64)
    own = side.filter(pl.col("row").is_in(rows.implode()))["row"]
    apart = pl.DataFrame({name: own}).with_columns(none.alias("right" if name == "left" else "left"))
    return apart.select("left", "right")


def _described(pairs: pl.DataFrame, theirs: pl.DataFrame, ours: pl.DataFrame, unjudged: pl.Series) -> pl.DataFrame:
    """Turn row numbers into terms, and say by how much they differ."""
    left, right = pairs["left"], pairs["right"]
    # Of a pair, the plan of the provider's term, else of the expected one; a row number that is null gives null.
    plan = theirs["plan"].gather(left).zip_with(left.is_not_null(), ours["plan"].gather(right))
    days = theirs["date"].gather(left).cast(pl.Int64) - ours["date"].gather(right).cast(pl.Int64)
    minor = theirs["amount"].gather(left) - ours["amount"].gather(right)
    by_date_only = (pl.col("paired_by") == "DATE_AND_AMOUNT") & pl.col("plan_no").is_in(unjudged)
    return (
        pl.DataFrame(
            {
                "plan_no": plan,
                "term_no": theirs["place"].gather(left),
                "sequence": ours["place"].gather(right),
                "paired_by": pairs["paired_by"],
                "difference_days": days,
                "difference_minor": minor,
            }
        )
        .select(
            "plan_no",
            "term_no",
            "sequence",
            pl.when(by_date_only).then(pl.lit("DATE")).otherwise("paired_by").alias("paired_by"),
            "difference_days",
            "difference_minor",
        )
        .sort("plan_no", "term_no", "sequence", nulls_last=True)
    )
