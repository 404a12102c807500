"""Check that no row and no money is lost between the received bytes and the tables."""

from collections.abc import Mapping

import duckdb
import polars as pl

from schemas.intake import ENTITIES, Admitted
from sql.core.loads import Load, sweeps_of

_COUNTED = (
    *("fetched", "accepted", "quarantined", "deduplicated", "unreadable", "amount_fetched_minor"),
    *("amount_accepted_minor", "amount_quarantined_minor", "amount_deduplicated_minor"),
)

KEPT: Mapping[str, pl.DataType] = {
    name: pl.String() if name in ("entity", "currency") else pl.Int64()
    for name in ("entity", "currency", "accepted", "amount_changed_minor", "unchanged", "amount_unchanged_minor")
}
"""One row per entity and currency: of the accepted rows those that were new or changed, and those that were not."""


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


def check_unique(rows: pl.DataFrame, key: tuple[str, ...], *, what: str, where: str) -> None:
    """Raise if two of the versions about to be stored are of one key.

    Raises:
        ConservationError: names the entity; keys are not shown.
    """
    twice = rows.height - rows.select(key).n_unique()
    if twice:
        raise ConservationError(
            f"{where}: {twice} {what} rows stand twice in one load; nothing was kept, report this with the snapshot"
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


def counted(
    con: duckdb.DuckDBPyConnection,
    load: Load,
    admitted: Admitted,
    kept: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row per entity and currency: fetched, accepted, quarantined, deduplicated, unreadable, and money.

    Every entity that the provider shows has a row, also without rows fetched. Deduplicated are rows that this
    fetch showed twice and rows that say what was already stored. `kept` has rows of `KEPT`.
    """
    whole = kept.group_by("entity", "currency").agg(pl.all().sum())
    came = admitted.counts.join(whole, on=["entity", "currency"], how="full", coalesce=True, nulls_equal=True)
    numbers = came.with_columns(pl.col(pl.Int64).exclude(r"^amount_.*$").fill_null(0)).select(
        "entity",
        "currency",
        "fetched",
        "accepted",
        "quarantined",
        "unreadable",
        "amount_fetched_minor",
        deduplicated=pl.col("repeated") + pl.col("unchanged"),
        **_money(),
    )
    home = numbers["currency"].drop_nulls().unique()
    there = set(numbers["entity"])
    idle = pl.DataFrame(
        {"entity": [name for name in ENTITIES if name not in there and sweeps_of(load.provider, name)]},
        schema={"entity": pl.String},
    )
    empty = idle.with_columns(
        pl.lit(home[0] if home.len() == 1 else None, pl.String).alias("currency"),
        *(pl.lit(None if name.startswith("amount_") else 0, pl.Int64).alias(name) for name in _COUNTED),
    )
    shape = ("entity", "currency", *_COUNTED)
    counts = pl.concat([numbers.select(shape), empty.select(shape)]).sort("entity", "currency")
    return counts.join(_freshness(con, load), on="entity", how="left", maintain_order="left")


def _money() -> dict[str, pl.Expr]:
    has_money = pl.col("amount_fetched_minor").is_not_null()
    parts = {
        "amount_accepted_minor": pl.col("amount_changed_minor").fill_null(0),
        "amount_quarantined_minor": pl.col("amount_quarantined_minor").fill_null(0),
        "amount_deduplicated_minor": pl.col("amount_repeated_minor").fill_null(0)
        + pl.col("amount_unchanged_minor").fill_null(0),
    }
    return {name: pl.when(has_money).then(part) for name, part in parts.items()}


def kept_counts(kept: Mapping[str, tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Return `KEPT`: per entity and currency the accepted rows that were new or changed, and those that were not."""
    parts = [
        frame.group_by("currency")
        .agg(rows=pl.len().cast(pl.Int64), money=pl.col("money_minor").sum())
        .with_columns(entity=pl.lit(name), is_changed=pl.lit(is_changed))
        for name, (came, went_in) in kept.items()
        for frame, is_changed in ((came, False), (went_in, True))
        if frame.height
    ]
    if not parts:
        return pl.DataFrame(schema=dict(KEPT))
    rows, money, is_changed = pl.col("rows"), pl.col("money"), pl.col("is_changed")
    return (
        pl.concat(parts)
        .group_by("entity", "currency")
        .agg(
            accepted=rows.filter(is_changed).sum(),
            amount_changed_minor=money.filter(is_changed).sum(),
            unchanged=rows.filter(~is_changed).sum() - rows.filter(is_changed).sum(),
            amount_unchanged_minor=money.filter(~is_changed).sum() - money.filter(is_changed).sum(),
        )
    )


def _freshness(con: duckdb.DuckDBPyConnection, load: Load) -> pl.DataFrame:
    fresh_before = con.execute(
        """
        SELECT entity, max(fresh_at) FROM meta.integrity
        WHERE provider = $provider AND tenant_id = $tenant_id GROUP BY entity
        """,
        {"provider": load.provider, "tenant_id": load.tenant_id},
    ).fetchall()
    instant = pl.Datetime("us", "UTC")
    before = pl.DataFrame(fresh_before, schema={"entity": pl.String(), "fresh_before": instant}, orient="row")
    now = pl.DataFrame({"entity": list(ENTITIES), "complete": [load.is_complete(entity) for entity in ENTITIES]})
    joined = now.join(before, on="entity", how="left", maintain_order="left")
    fetched_at = pl.lit(load.fetched_at, instant)
    return joined.select("entity", "complete", fresh_at=pl.when("complete").then(fetched_at).otherwise("fresh_before"))
