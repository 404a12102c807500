"""The provider counts each term from the one before, so that a short month moves all later ones."""

import polars as pl

from transforms.conformance.changes import Change

REASON = "ANCHOR_DRIFT"
CAUSE = "each term is counted from the one before"

CHANGES = (
    Change(
        says="each term is counted from the one before, so a short month moves all later ones",
        touches=frozenset({"chain"}),
        conventions={"drift": True, "cascade": False},
        applies=pl.col("frequency").is_in(["MONTHLY", "SEMIMONTHLY"]) & pl.col("pattern").ne_missing("WEEKDAY"),
    ),
)
