"""Find which of the provider's terms is which of the expected ones.

Position first: most plans agree term by term and need no search. The rest goes
through four passes, each term used once; what is equally near is reported and
never guessed.
"""

import polars as pl

from schemas.schedules import PAIRS
from schemas.seeds import numbers
from transforms.conformance.matching import nearest, numbered
from transforms.schedules.frequencies import reach_days


def comparable(rules: pl.DataFrame, missing: pl.DataFrame) -> pl.DataFrame:
    """Return `plan_no, reach_days` of the plans that can be compared: those whose rules gave a schedule.

    Args:
        rules: `PLAN_RULES` of the plans in question; leave out plans that are not to be judged.
        missing: `NOT_REGENERABLE`.
    """
    judged = rules.join(missing, on="plan_no", how="anti").sort("plan_no")
    return judged.select("plan_no", reach_days=reach_days())


def pair(terms: pl.DataFrame, expected: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of these plans: same date and amount, else same date, else same amount near by, else same place.

    Within a pass the nearest are taken first: by amount on one day, by days for one amount.
    Terms that are equally near are AMBIGUOUS, each on a row of its own, and go no further.
    Swapping the two sides swaps MISSING and EXTRA and turns the signs, nothing else.

    Args:
        terms: `plan_no, term_no, due_date, amount_minor` of the provider's terms that count.
        expected: `plan_no, sequence, expected_due_date, expected_amount_minor`; where the amount
            is null it is not judged and every amount of the plan counts as the same.
        plans: `plan_no, reach_days`, sorted; rows of other plans are ignored.

    Returns:
        `PAIRS` by plan, then by term number, then by sequence. MISSING has no provider's term, EXTRA no expected one.
        Differences are the provider's less the expected, null where there is no pair or nothing to judge.
    """
    theirs = _side(terms, plans, "term_no", "due_date", "amount_minor")
    ours = _side(expected, plans, "sequence", "expected_due_date", "expected_amount_minor")
    alike, theirs_apart, ours_apart = _by_position(theirs, ours)
    apart = _in_passes(theirs_apart, ours_apart, plans)
    if apart.is_empty():
        return alike
    return alike.merge_sorted(apart, key="plan_no") if alike.height else apart


def _side(frame: pl.DataFrame, plans: pl.DataFrame, place: str, date: str, amount: str) -> pl.DataFrame:
    named = frame.select(plan="plan_no", place=place, date=date, amount=amount)
    if not (named["plan"].is_sorted() and _are_all_in(named["plan"], plans)):
        named = named.join(plans.select(plan="plan_no"), on="plan", how="semi").sort("plan", "place")
    return named


def _are_all_in(sorted_plans: pl.Series, plans: pl.DataFrame) -> bool:
    # Each plan once: its first row.
    return sorted_plans.filter(sorted_plans.ne_missing(sorted_plans.shift(1))).is_in(plans["plan_no"].implode()).all()


def _by_position(theirs: pl.DataFrame, ours: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pair the plans that agree term by term; return their pairs and the rows of all other plans."""
    if theirs["plan"].equals(ours["plan"]):
        same_count = (theirs, ours)
        other_count = (theirs.clear(), ours.clear())
    else:
        runs = theirs.group_by("plan").agg(theirs=pl.len()).join(ours.group_by("plan").agg(ours=pl.len()), on="plan")
        equal = runs.filter(pl.col("theirs") == pl.col("ours"))["plan"].implode()
        masks = [side["plan"].is_in(equal) for side in (theirs, ours)]
        same_count = (theirs.filter(masks[0]), ours.filter(masks[1]))
        other_count = (theirs.filter(~masks[0]), ours.filter(~masks[1]))
    left, right = same_count
    is_judged = right["amount"].is_not_null()
    agrees = (left["date"] == right["date"]) & ((left["amount"] == right["amount"]) | ~is_judged).fill_null(value=True)
    differing = left["plan"].filter(~agrees).unique().implode()
    if len(differing[0]):
        mask = left["plan"].is_in(differing)
        apart = [pl.concat([left.filter(mask), other_count[0]]), pl.concat([right.filter(mask), other_count[1]])]
        left, right = left.filter(~mask), right.filter(~mask)
        is_judged = is_judged.filter(~mask)
    else:
        apart = [other_count[0], other_count[1]]
    return _exact(left, right, is_judged), apart[0], apart[1]


def _exact(left: pl.DataFrame, right: pl.DataFrame, is_judged: pl.Series) -> pl.DataFrame:
    judged = pl.lit(is_judged)
    return left.select(
        plan_no="plan",
        term_no="place",
        sequence=right["place"],
        paired_by=pl.when(judged).then(pl.lit("DATE_AND_AMOUNT")).otherwise(pl.lit("DATE")),
        difference_days=pl.lit(0, dtype=pl.Int64),
        difference_minor=pl.when(judged).then(pl.lit(0, dtype=pl.Int64)),
    )


def _in_passes(theirs: pl.DataFrame, ours: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    if theirs.is_empty() and ours.is_empty():
        return PAIRS.empty()
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
    return _described(everything, theirs, ours, unjudged)


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
