"""One sentence for a clerk on each difference between a provider's schedule and the plan's own rules."""

import polars as pl

TIMEZONE = "TIMEZONE"
UNEXPLAINED = "UNEXPLAINED"
ROUNDING = "ROUNDING"
ROUNDING_PLACEMENT = "ROUNDING_PLACEMENT"

_LATER = pl.when(pl.col("difference_days") > 0).then(pl.lit("later")).otherwise(pl.lit("earlier"))


def explanation() -> pl.Expr:
    """Return the sentence, from the columns of `DIFFERENCES`, `trace` (may be empty) and `says` (null: nothing changed)."""
    date, amount = pl.col("code") == "DUE_DATE_DIFF", pl.col("code") == "AMOUNT_DIFF"
    reason = pl.col("reason")
    return (
        pl.when(date & (reason == TIMEZONE))
        .then(
            pl.concat_str(
                _dates(), pl.lit("; every date is one day "), _LATER, pl.lit(", as if read in another time zone.")
            )
        )
        .when(date & pl.col("says").is_null())
        .then(pl.concat_str(_dates(), pl.lit("; no one or two changed conventions give the provider's date.")))
        .when(date)
        .then(pl.concat_str(_dates(), pl.lit("; the provider's date comes out if "), "says", pl.lit(".")))
        .when(amount & (reason == ROUNDING))
        .then(_on("The amount differs", "; over the whole plan by no more than one minor unit a term."))
        .when(amount & (reason == UNEXPLAINED))
        .then(_on("The amount differs", "; no one or two changed conventions give the provider's amount."))
        .when(amount & pl.col("says").is_null())
        .then(_on("The amount differs", "; the plan has the same amounts, on other terms."))
        .when(amount)
        .then(pl.concat_str(_on("The amount differs", "; the provider's comes out if "), "says", pl.lit(".")))
        .when(pl.col("code") == "TERM_MISSING")
        .then(_given("The plan's own rule gives a term on ", "expected_due_date", " that the provider does not have"))
        .when(pl.col("code") == "TERM_EXTRA")
        .then(_given("The provider has a term on ", "due_date", " that the plan's own rule does not give"))
        .otherwise(_ambiguous())
    )


def _dates() -> pl.Expr:
    trace = pl.when(pl.col("trace").fill_null("") != "").then(pl.concat_str(pl.lit(" ("), "trace", pl.lit(")")))
    return pl.concat_str(
        pl.lit("The provider says "),
        _written("due_date"),
        pl.lit(", the plan's own rule "),
        _written("expected_due_date"),
        trace.otherwise(pl.lit("")),
    )


def _on(start: str, end: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{start} on the term of "), _written("due_date"), pl.lit(end))


def _given(start: str, column: str, end: str) -> pl.Expr:
    why = (
        pl.when(pl.col("says").is_not_null())
        .then(pl.concat_str(pl.lit("; it is so if "), "says"))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str(pl.lit(start), _written(column), pl.lit(end), why, pl.lit("."))


def _ambiguous() -> pl.Expr:
    of_ours = pl.when(pl.col("term_no").is_null()).then(pl.lit("expected ")).otherwise(pl.lit("provider's "))
    day = pl.coalesce(_written("due_date"), _written("expected_due_date"))
    return pl.concat_str(
        pl.lit("The "),
        of_ours,
        pl.lit("term of "),
        day,
        pl.lit(" has several equally near counterparts; none is guessed."),
    )


def _written(column: str) -> pl.Expr:
    return pl.col(column).dt.to_string("%Y-%m-%d")
