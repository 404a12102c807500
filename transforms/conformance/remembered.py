"""Reasons found once are not looked for again.

Which changes give a plan's terms follows from its rule, both sides of its terms, how they were paired, its conventions and
its calendar: from no date and from no other plan. So what was found is kept under one hash of all of these: where any of
them is another, so is the hash. Two plans of one rule whose terms differ alike are one case.

    case    answers: term_no, sequence, paired_by, dates, …
    5f0c    1, 1, DATE_AND_AMOUNT    2, 2, AMOUNT, HOLIDAY_SHIFT    3, 3, DATE_AND_AMOUNT
    9ab2    1, 1, AMOUNT, CASCADED   2, 2, DATE_AND_AMOUNT
"""

import hashlib
from collections.abc import Iterable

import polars as pl

from transforms.conformance.counterfactuals import Means
from transforms.conformance.reasons_chosen import ANSWER, PAIR

_ANSWERS = {"term_no": pl.Int64(), "sequence": pl.Int64(), "paired_by": pl.String()} | dict.fromkeys(
    ANSWER, pl.String()
)
REASONS = {"case": pl.String(), "answers": pl.List(pl.Struct(_ANSWERS))}
"""Columns of what is remembered, one row per case: its hash, and what was found for each pair of a plan's terms."""


def nothing_remembered() -> pl.DataFrame:
    """Return `REASONS` without a row."""
    return pl.DataFrame(schema=REASONS)


def cases_of(rules: pl.DataFrame, frames: Iterable[pl.DataFrame], means: Means) -> pl.DataFrame:
    """Return `plan_no` and `case` of every plan in `rules`.

    Args:
        rules: `PLAN_RULES`.
        frames: All that is known of the plans, by `plan_no`; every other column counts, the order of rows does not.
        means: What the schedules compared were made with.
    """
    told = rules.select("plan_no", "convention_set", "calendar")
    for number, frame in enumerate((*frames, means.custom)):
        told = told.join(_text(frame, str(number)), on="plan_no", how="left", validate="1:1")
    hashes = []
    for _, convention_set, calendar, *texts in told.iter_rows():
        observed = means.calendars[calendar]
        given = (means.conventions[convention_set], observed, observed.label, *texts)
        hashes.append(hashlib.sha256(repr(given).encode()).hexdigest())
    return told.select("plan_no", case=pl.Series(hashes, dtype=pl.String))


def _text(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    row = pl.struct(pl.exclude("plan_no")).struct.json_encode().alias(name)
    return frame.select("plan_no", row).group_by("plan_no").agg(pl.col(name).sort().str.join("\n"))


def of_plans(reasons: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Return what is remembered for each plan of `cases`: the columns of `PAIR` and `ANSWER`."""
    each = cases.join(reasons, on="case", how="inner", validate="m:1").explode("answers").unnest("answers")
    return each.select(*PAIR, *ANSWER)


def of_cases(judged: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Return `REASONS` of what was found for one plan of each of `cases`."""
    answer = pl.struct(pl.col(name).cast(dtype) for name, dtype in _ANSWERS.items())
    return (
        judged.join(cases, on="plan_no", how="inner", validate="m:1")
        .group_by("case", maintain_order=True)
        .agg(answer.alias("answers"))
    )
