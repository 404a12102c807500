"""Nothing is lost between the bytes and the tables: the equations, and the error when one fails."""

import polars as pl


class ConservationError(Exception):
    """Rows or money were lost or invented on the way in; nothing of the load was kept."""

    code = "internal"


def check_rows(came: int, went: int, *, what: str, where: str) -> None:
    """Raise unless `went` rows of `what` left a step that `came` rows entered.

    Raises:
        ConservationError: the counts differ.
    """
    if came != went:
        raise ConservationError(
            f"{where}: {came} {what} came in and {went} went on; nothing was kept, report this with the snapshot"
        )


def check_counts(counts: pl.DataFrame, *, where: str) -> None:
    """Raise unless fetched = accepted + quarantined + deduplicated in every row of `counts`, rows and money.

    Raises:
        ConservationError: naming entity, currency and both sides.
    """
    rows = pl.col("accepted") + pl.col("quarantined") + pl.col("deduplicated")
    money = pl.sum_horizontal(f"amount_{word}_minor" for word in ("accepted", "quarantined", "deduplicated"))
    broken = counts.filter((pl.col("fetched") != rows) | (pl.col("amount_fetched_minor").fill_null(0) != money))
    if broken.height:
        first = broken.row(0, named=True)
        raise ConservationError(
            f"{where}: {first['entity']} in {first['currency'] or 'no currency'} do not add up: fetched {first['fetched']}"
            f" ({first['amount_fetched_minor']}), accepted {first['accepted']} ({first['amount_accepted_minor']}),"
            f" quarantined {first['quarantined']} ({first['amount_quarantined_minor']}), repeated"
            f" {first['deduplicated']} ({first['amount_deduplicated_minor']}); nothing was kept, report this with the snapshot"
        )
