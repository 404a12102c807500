"""Find what is wrong with rows, as one entry per row and reason.

Which faults the rows of an entity can have is said by `admit.py`, `plans.py` and `payments.py`. Values never appear
in an entry: a reason names the column and the rule, not what stood there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from schemas.intake import REJECTS
from transforms.intake import money

NO_FAULTS = pl.DataFrame(schema={"row": pl.UInt32(), "code": pl.String(), "column": pl.String(), "reason": pl.String()})
_NO_REJECTS = pl.DataFrame(schema=dict(REJECTS))

_WHY_REFUSED = {
    "UNKNOWN_CURRENCY": "the currency has no known number of places",
    "NOT_A_DECIMAL": "not a plain decimal number",
    "FRACTION_OF_MINOR_UNIT": "holds a fraction of the currency's smallest unit",
    "TOO_LARGE": "has more than fifteen digits in minor units",
}

_WHY_UNREAD = {
    "BAD_DATE": "is no date of the calendar",
    "OUT_OF_RANGE": "is before 1900 or after 2999",
    "UNKNOWN_ACCOUNT": "the provider does not tell which account was paid",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that a row breaks when `when` is true; a null does not break it."""

    code: str
    column: str
    reason: str
    when: pl.Expr


def missing(*columns: str) -> list[Fault]:
    """Return the faults of rows without a value in these columns; a value that could not be read is another fault."""
    return [
        Fault(
            "MISSING_FIELD",
            name,
            "is needed and not there",
            pl.col(name).is_null() & ~pl.col("unreadable").str.contains(rf" {name}(,|$)").fill_null(value=False),
        )
        for name in columns
    ]


UNKNOWN_CURRENCY = Fault(
    "UNKNOWN_CURRENCY",
    "currency",
    "is no ISO 4217 code, or a symbol that currency_symbols does not name",
    pl.col("places").is_null(),
)


def negative(*columns: str) -> list[Fault]:
    """Return the faults of rows with less than zero in these columns."""
    return [Fault("NEGATIVE", name, "is less than zero", pl.col(name) < 0) for name in columns]


def faulty(frame: pl.DataFrame, faults: Sequence[Fault]) -> pl.DataFrame:
    """Return one row per faulty row of `frame` and fault, by `row`; repeats are not examined."""
    is_examined = ~pl.col("is_repeat")
    broken = frame.select(
        (fault.when.fill_null(value=False) & is_examined).alias(str(number)) for number, fault in enumerate(faults)
    )
    parts = [
        frame.filter(broken[str(number)]).select(
            "row", code=pl.lit(fault.code), column=pl.lit(fault.column), reason=pl.lit(fault.reason)
        )
        for number, fault in enumerate(faults)
        if broken[str(number)].any()
    ]
    return pl.concat(parts) if parts else NO_FAULTS


def unreadable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row per faulty row and column that staging could not read.

    `unreadable` lists them by comma, each as a code, a blank and the column.
    """
    if not frame["unreadable"].max():  # nearly always nothing is
        return NO_FAULTS
    named = frame.filter(~pl.col("is_repeat") & (pl.col("unreadable").fill_null("") != ""))
    each = named.select("row", fault=pl.col("unreadable").str.split(",")).explode("fault").unique(maintain_order=True)
    parts = pl.col("fault").str.split_exact(" ", 1)
    return each.select("row", code=parts.struct.field("field_0"), column=parts.struct.field("field_1")).with_columns(
        reason=pl.col("code").replace_strict(_WHY_UNREAD, return_dtype=pl.String)
    )


def with_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows numbered, with the decimal places of each row's currency, null where it is unknown."""
    places = money.places_of(frame["currency"]).alias("places")
    return frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.all(), places)


def with_minor(frame: pl.DataFrame, *columns: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with `<column>_minor` beside each money column, and the faults of what could not be read.

    A column may come as decimal text, or as minor units in `<column>_units`. Rows
    of an unknown currency are left to `UNKNOWN_CURRENCY`.
    """
    frame = frame.with_columns(_minor(frame, name).alias(f"{name}_minor") for name in columns)
    is_examined = pl.col("places").is_not_null() & ~pl.col("is_repeat")
    bad = frame.select(
        (_is_given(frame, name) & pl.col(f"{name}_minor").is_null() & is_examined).alias(name) for name in columns
    )
    refused = [_refused(frame.filter(bad[name]), name) for name in columns if bad[name].any()]
    return frame, pl.concat([NO_FAULTS, *refused])


def _is_given(frame: pl.DataFrame, name: str) -> pl.Expr:
    units = [f"{name}_units"] if f"{name}_units" in frame.columns else []
    return pl.any_horizontal(pl.col(name, *units).is_not_null())


def _minor(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a money column in minor units, from its text or from its units; a provider writes one of the two."""
    written, units = frame[name], frame[f"{name}_units"] if f"{name}_units" in frame.columns else None
    if units is None or units.null_count() == units.len():
        return money.to_minor(written, frame["places"])
    if written.null_count() == written.len():
        return money.within_bounds(units)
    return pl.select(pl.coalesce(money.to_minor(written, frame["places"]), money.within_bounds(units))).to_series()


def _refused(bad: pl.DataFrame, name: str) -> pl.DataFrame:
    code = pl.when(bad[name].is_null()).then(pl.lit("TOO_LARGE")).otherwise(money.why_refused(bad[name], bad["places"]))
    return bad.select("row", code=code, column=pl.lit(name)).with_columns(
        reason=pl.col("code").replace_strict(_WHY_REFUSED, return_dtype=pl.String)
    )


def entries(frame: pl.DataFrame, reasons: pl.DataFrame, *, entity: str, key: str) -> pl.DataFrame:
    """Return quarantine entries for `reasons` of rows of `frame`; the first entry of a row carries its row and money.

    `frame` has `row`, `page_no`, `position`, `currency`, `money_minor` and the column `key`.
    """
    if reasons.is_empty():
        return _NO_REJECTS
    rows = frame.select("row", "page_no", "position", pl.col(key).alias("key"), "currency", "money_minor")
    listed = reasons.join(rows, on="row", how="left", maintain_order="left").with_columns(
        is_first=pl.col("row").is_first_distinct()
    )
    return listed.select(
        pl.lit(entity).alias("entity"),
        "page_no",
        "position",
        "code",
        "column",
        "reason",
        "key",
        pl.col("is_first").cast(pl.Int64).alias("rows"),
        pl.when("is_first").then("money_minor").alias("amount_minor"),
        "currency",
    )


@dataclass(frozen=True, slots=True)
class SortedRows:
    """One entity's rows: all of them with `money_minor`, which of them are good, and why the others are not."""

    rows: pl.DataFrame
    good: pl.DataFrame
    rejects: pl.DataFrame


def good_rows(rows: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are neither repeats nor in `bad`."""
    fresh = rows.filter(~pl.col("is_repeat")) if rows["is_repeat"].any() else rows
    return fresh.join(bad, on="row", how="anti", maintain_order="left") if bad.height else fresh


def sort_out(rows: pl.DataFrame, reasons: pl.DataFrame, *, entity: str, key: str) -> SortedRows:
    """Return `rows` sorted into good ones and, by `reasons`, entries of the others; `key` names a row in its entry."""
    return SortedRows(rows, good_rows(rows, reasons), entries(rows, reasons, entity=entity, key=key))
