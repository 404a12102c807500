"""A plan asks for another sum than the invoices or cases that name it still owe.

Means:  asking more (high): the customer is asked for money that is not owed any more, so the plan leaves the list of
        plans to chase. Asking less (low): following the plan to its end leaves a part of the invoices open.
Causes: asking more: a credit note, a write-off or a payment has not reached the plan; the sentence says which, where
        what is booked tells. Asking less: a plan for a part of the debt; an invoice or costs that came later; money
        that went back.
Action: asking more: have the plan's terms lowered, and ask the customer for nothing until they are. Asking less: see
        whether the plan was meant for a part only. A difference that payments of the settlement window explain to the
        cent is timing and needs nothing yet.
"""

from collections.abc import Sequence

import polars as pl

from checks.base import JUDGED, Check, Frames, frame
from checks.links import RECEIVED, booked, choices, windows
from checks.wording import money, sentence, with_code
from schemas.results import PLAN_POSITIONS

OPEN, ASKED = pl.col("linked_open_minor"), pl.col("outstanding_minor")
ASKS_MORE = ASKED > OPEN
SAYS = {"credit": "a credit note", "written_off": "a write-off"}


def with_cause(frames: Frames) -> pl.DataFrame:
    """Return the plans with `cause`, what has not reached the plan, and `is_recent`: payments of the window explain it."""
    plans = frame(frames, "plan_positions")
    off = plans.filter(pl.col("status").is_in(JUDGED) & (ASKED != OPEN))
    recent = windows(frames, off.filter(pl.col("linked_recent_minor").fill_null(0) != 0))
    amounts: dict[int, dict[str, list[int]]] = {}
    for plan_no, word, kept in _since(frames, off).iter_rows():
        amounts.setdefault(plan_no, {}).setdefault(word, []).append(kept)
    rows = []
    for plan_no, difference in off.select("plan_no", ASKED - OPEN).iter_rows():
        is_recent = difference in choices([amount for _, amount in recent.get(plan_no, [])])
        cause = "a payment" if is_recent else _cause(amounts.get(plan_no, {}), difference)
        rows.append((plan_no, cause, is_recent))
    schema = {"plan_no": pl.Int64, "cause": pl.String, "is_recent": pl.Boolean}
    joined = plans.join(pl.DataFrame(rows, schema=schema, orient="row"), on="plan_no", how="left", validate="1:1")
    return joined.with_columns(pl.col("is_recent").fill_null(value=False), pl.col("cause").fill_null(""))


def _since(frames: Frames, plans: pl.DataFrame) -> pl.DataFrame:
    """Return plan, class and amount of what was booked on the plans' accounts since they were made."""
    rows = booked(frames, plans).filter(pl.col("effective_date") >= pl.col("created_on"))
    word = pl.when(pl.col("class").is_in(RECEIVED)).then(pl.lit("payment")).otherwise(pl.col("class"))
    kept = pl.when(word == "payment").then(pl.col("kept_minor")).otherwise(pl.col("kept_minor").abs())
    return rows.select("plan_no", word=word, kept=kept).sort(pl.all())


def _cause(amounts: dict[str, list[int]], difference: int) -> str:
    """Return what of the money booked makes exactly this difference; where none does, all it may be."""
    reductions = [(word, amounts[word]) for word in SAYS if word in amounts]
    for word, each in reductions:
        if difference in choices(each):
            return SAYS[word]
    if difference in choices(_all(reductions)):
        return "a credit note with a write-off"
    if difference in choices(amounts.get("payment", [])):
        return "a payment"
    return "a credit note, write-off or payment"


def _all(listed: Sequence[tuple[str, list[int]]]) -> list[int]:
    return [amount for _, each in listed for amount in each]


CHECK = Check(
    code="INVOICE_OPEN_DIFF",
    severity="low",
    at_least=pl.when(ASKS_MORE).then(pl.lit("high")),
    over=PLAN_POSITIONS,
    prepare=with_cause,
    whole=True,
    applies=pl.col("status").is_in(JUDGED) & OPEN.is_not_null(),
    when=ASKED != OPEN,
    timing=pl.col("is_recent"),
    expected=money(OPEN),
    actual=money(ASKED),
    difference_minor=ASKED - OPEN,
    explanation=pl.when(ASKS_MORE)
    .then(
        sentence(
            "Plan {} asks for {}, but the invoices and cases that name it ({}) owe {}: {} too much. {} has not "
            "reached the plan.",
            pl.col("plan_id"),
            with_code(ASKED),
            pl.col("linked_accounts"),
            with_code(OPEN),
            with_code(ASKED - OPEN),
            pl.col("cause").str.replace("^a ", "A "),
        )
    )
    .otherwise(
        sentence(
            "Plan {} asks for {}, but the invoices and cases that name it ({}) owe {}: {} more than the plan brings in.",
            pl.col("plan_id"),
            with_code(ASKED),
            pl.col("linked_accounts"),
            with_code(OPEN),
            with_code(OPEN - ASKED),
        )
    ),
    needs=("plans", "terms", "payments", "accounts"),
)
