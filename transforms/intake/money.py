"""Exact money: from what a provider wrote to whole minor units, or a reason why not.

Nothing is rounded and nothing passes through a float. How many places a
currency has is in `schemas.currencies`, how minor units are written for people
too.
"""

import polars as pl

from schemas.columns import MAX_MINOR
from schemas.currencies import EXPONENTS

DECIMAL = r"^-?[0-9]{1,18}(\.[0-9]{1,40})?$"
"""A plain decimal in ASCII: no sign but minus, no grouping, no exponent, a digit before and after the point."""

_KNOWN = pl.DataFrame(
    {"code": list(EXPONENTS), "places": list(EXPONENTS.values())}, schema_overrides={"places": pl.Int64}
)


def places_of(currency: pl.Series) -> pl.Series:
    """Return the number of places of each ISO 4217 code; null where the code is null or none of the list."""
    if currency.n_unique() == 1 and currency.len():
        return pl.repeat(EXPONENTS.get(str(currency[0])), currency.len(), dtype=pl.Int64, eager=True)
    joined = currency.to_frame("code").join(_KNOWN, on="code", how="left", maintain_order="left")
    return joined["places"]


def to_minor(written: pl.Series, places: pl.Series) -> pl.Series:
    """Return decimal text as whole minor units, exactly; null where it is null or cannot be told exactly.

    Zeros behind the last place are accepted (`500.00` in a currency without places is
    500), any other fraction of a minor unit is not, nor is a number of more than
    fifteen digits in minor units. `why_refused` tells which it was.
    """
    none = pl.Series(values=[None], dtype=pl.Int64).new_from_index(0, written.len())
    if written.null_count() == written.len() or places.null_count() == places.len():
        return none
    frame = pl.DataFrame({"written": written, "places": places})
    if places.min() == places.max() and not places.null_count():
        return _with_places(frame, places[0])
    chosen = none
    for count in places.drop_nulls().unique().sort():
        chosen = pl.select(pl.when(places == count).then(_with_places(frame, count)).otherwise(chosen)).to_series()
    return chosen


def within_bounds(units: pl.Series) -> pl.Series:
    """Return minor units as they are; null where they have more than fifteen digits."""
    return pl.select(pl.when(units.abs() < MAX_MINOR).then(units)).to_series()


def why_refused(written: pl.Series, places: pl.Series) -> pl.Series:
    """Return the code of what keeps each text from being minor units; for texts that `to_minor` refused.

    UNKNOWN_CURRENCY, NOT_A_DECIMAL, FRACTION_OF_MINOR_UNIT or TOO_LARGE, in that order.
    """
    fraction = written.str.extract(r"\.([0-9]*)$").fill_null("").str.strip_chars_end("0").str.len_bytes()
    return pl.select(
        pl.when(places.is_null())
        .then(pl.lit("UNKNOWN_CURRENCY"))
        .when(~written.str.contains(DECIMAL))
        .then(pl.lit("NOT_A_DECIMAL"))
        .when(fraction.cast(pl.Int64) > places)
        .then(pl.lit("FRACTION_OF_MINOR_UNIT"))
        .otherwise(pl.lit("TOO_LARGE"))
    ).to_series()


def _with_places(frame: pl.DataFrame, count: int) -> pl.Series:
    """Return every text as minor units of `count` places: its whole digits and its padded fraction read as one integer."""
    written = frame["written"]
    if count and written.str.contains(rf"^-?[0-9]{{1,{15 - count}}}\.[0-9]{{{count}}}$").all():
        # What providers nearly always write; this way takes half the time.
        return written.str.replace(".", "", literal=True).cast(pl.Int64)
    text = pl.when(pl.col("written").str.contains(DECIMAL)).then(pl.col("written"))
    pieces = text.str.splitn(".", 2)
    fraction = pieces.struct.field("field_1").fill_null("").str.strip_chars_end("0")
    digits = pl.concat_str(pieces.struct.field("field_0"), fraction.str.pad_end(count, "0"))
    minor = pl.when(fraction.str.len_bytes() <= count).then(digits).cast(pl.Int64, strict=False)
    return frame.select(pl.when(minor.abs() < MAX_MINOR).then(minor)).to_series()
