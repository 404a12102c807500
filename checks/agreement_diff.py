"""A plan that was changed through us is not as it was agreed.

Means:  the customer was told one thing and the provider will act on another. Only the newest change of a plan
        counts, once a complete fetch began after it was done; a plan that a newer one replaced is left alone, and the
        terms of a plan that has ended are not compared.
Causes: MISSING: the provider lost the plan, or its row came and was rejected (`v_quarantine`); STATUS: the provider
        did not keep the change, or somebody took it back there; TERMS: the provider made other dates or amounts of
        what was asked for, or somebody edited them.
Action: look at the intent (`planrecon plan show`, `v_writes`) and at the plan; have the plan corrected at the provider,
        or make a new agreement with the customer.
"""

import polars as pl

from checks.base import Check
from checks.wording import day, money, sentence, with_code
from schemas.words import STATUSES
from schemas.writes import AGREEMENTS

OPERATION, STATUS = pl.col("operation"), pl.col("status")

RIGHT = {"create": {"ACTIVE", "FINISHED", "SUPERSEDED"}, "reject": {"REJECTED", "DELETED"}}
"""Statuses that these changes lead to; every other one is wrong."""
WRONG = {name: set(STATUSES) - right for name, right in RIGHT.items()} | {
    "approve": {"PROPOSED", "REJECTED"},
    "deactivate": {"PROPOSED", "ACTIVE"},
}
WANTED = {"create": "ACTIVE", "approve": "ACTIVE", "reject": "REJECTED", "deactivate": "DEACTIVATED"}
DONE = OPERATION.replace_strict(
    {"create": "created", "approve": "approved", "reject": "rejected", "deactivate": "ended"},
    default="changed",
    return_dtype=pl.String,
)

IS_MISSING = STATUS.is_null() & OPERATION.is_in(["create", "approve"])
IS_OF_STATUS = (
    pl.format("{} {}", OPERATION, STATUS)
    .is_in([f"{name} {word}" for name, words in sorted(WRONG.items()) for word in sorted(words)])
    .fill_null(value=False)
)
IS_OF_TERMS = pl.col("sequence").is_not_null()

AGREED, SHOWN = pl.col("agreed_minor"), pl.col("shown_minor")
AGREED_CURRENCY = pl.coalesce("agreed_currency", "currency")
SAME_CURRENCY = pl.col("currency") == AGREED_CURRENCY
SUM_DIFFERS = SAME_CURRENCY & (AGREED != SHOWN)
DAY_DIFFERS = pl.col("agreed_due_date") != pl.col("due_date")
IS_OF_SUM = ~IS_MISSING & ~IS_OF_STATUS & IS_OF_TERMS & SUM_DIFFERS


def _side(total: pl.Expr, due: pl.Expr, amount: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Write what one side has where the other has something else: sums before dates before the term's amount."""
    figure = (
        pl.when(~SAME_CURRENCY)
        .then(with_code(total, currency))
        .when(SUM_DIFFERS)
        .then(money(total, currency))
        .when(DAY_DIFFERS)
        .then(day(due))
        .otherwise(money(amount, currency))
    )
    return pl.coalesce(figure, pl.lit("no term"))


def _term(due: pl.Expr, amount: pl.Expr, currency: pl.Expr) -> pl.Expr:
    return pl.coalesce(pl.format("{} on {}", with_code(amount, currency), day(due)), pl.lit("no such term"))


OURS = (pl.col("agreed_due_date"), pl.col("agreed_amount_minor"), AGREED_CURRENCY)
THEIRS = (pl.col("due_date"), pl.col("amount_minor"), pl.col("currency"))

CHECK = Check(
    code="AGREEMENT_DIFF",
    narrowed=pl.when(IS_MISSING)
    .then(pl.lit("MISSING"))
    .when(IS_OF_STATUS)
    .then(pl.lit("STATUS"))
    .otherwise(pl.lit("TERMS")),
    severity="high",
    over=AGREEMENTS,
    whole=True,
    applies=pl.lit(value=True),
    when=IS_MISSING | IS_OF_STATUS | IS_OF_TERMS,
    expected=pl.when(IS_MISSING | IS_OF_STATUS)
    .then(OPERATION.replace_strict(WANTED, default=None, return_dtype=pl.String))
    .otherwise(_side(AGREED, *OURS)),
    actual=pl.when(IS_MISSING).then(pl.lit("no plan")).when(IS_OF_STATUS).then(STATUS).otherwise(_side(SHOWN, *THEIRS)),
    # Where only a day is off, the money is the same; the declared severity counts.
    difference_minor=pl.when(IS_OF_SUM).then(SHOWN - AGREED),
    difference_days=pl.when(~IS_MISSING & ~IS_OF_STATUS).then(
        (pl.col("due_date") - pl.col("agreed_due_date")).dt.total_days()
    ),
    currency=pl.when(IS_OF_SUM).then("currency"),
    explanation=pl.when(IS_MISSING)
    .then(
        sentence(
            "Plan {} was {} by intent {}, but it is not among the plans of the last complete fetch.",
            pl.col("plan_id"),
            DONE,
            pl.col("intent_id"),
        )
    )
    .when(IS_OF_STATUS)
    .then(
        sentence(
            "Plan {} was {} by intent {}, but the provider shows it as {}.",
            pl.col("plan_id"),
            DONE,
            pl.col("intent_id"),
            STATUS,
        )
    )
    .otherwise(
        sentence(
            "Plan {} is not as agreed in intent {}: {} in {} terms were agreed, the provider shows {} in {}; "
            "first difference, term {}: {} agreed, {} shown.",
            pl.col("plan_id"),
            pl.col("intent_id"),
            with_code(AGREED, AGREED_CURRENCY),
            pl.col("agreed_count"),
            with_code(SHOWN),
            pl.col("shown_count"),
            pl.col("sequence"),
            _term(*OURS),
            _term(*THEIRS),
        )
    ),
    needs=("plans", "terms"),
)
