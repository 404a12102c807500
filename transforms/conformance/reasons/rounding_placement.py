"""The provider puts the minor units that do not divide on other terms."""

import polars as pl

from transforms.conformance.changes import convention

REASON = "ROUNDING_PLACEMENT"
CAUSE = "the remainder is on other terms"

_BY_NUMBER = (pl.col("arrangement") == "NUMBER").fill_null(value=False)

CHANGES = (
    convention("remainder", "LAST", "what does not divide is on the last term", applies=_BY_NUMBER),
    convention("remainder", "FIRST", "what does not divide is on the first term", applies=_BY_NUMBER),
    convention("remainder", "SPREAD", "what does not divide is spread over the first terms", applies=_BY_NUMBER),
)
