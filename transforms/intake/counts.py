"""Count what a fetch brought, and list what it showed and what could not be read.

Which rows are good is decided in `admit.py`; no row is changed here.
"""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from schemas.intake import COUNTS, ENTITIES, PAGE_COUNTS, REJECTS
from transforms.intake.faults import SortedRows


def placed(decode_rejects: pl.DataFrame, page_entities: pl.DataFrame) -> pl.DataFrame:
    """Return the undecodable rows with the entity, key and sweep each would have belonged to."""
    entities = page_entities.select("page_entity", "entity", "child_entity", "sweep", "key_prefix")
    joined = decode_rejects.join(entities, on="page_entity", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("entity", "child_entity", "key_prefix").fill_null(""),
        key=pl.concat_str(pl.col("key_prefix").fill_null(""), pl.col("key")),
        is_first=pl.struct("page_no", "position").is_first_distinct(),
    )


def undecoded(refused: pl.DataFrame, currency: str | None) -> pl.DataFrame:
    """Return the quarantine entries of rows that decoding refused, and of the children that went with them."""
    shape = ["page_no", "position", "code", "column", "reason", "key"]
    money = {"amount_minor": pl.lit(None, pl.Int64), "currency": pl.lit(currency, pl.String)}
    counted = pl.when(pl.col("is_first")).then(pl.lit(1)).otherwise(pl.lit(0)).cast(pl.Int64)
    is_counted = pl.col("entity") != ""
    top = refused.filter(is_counted | (pl.col("child_entity") == "")).select(
        pl.when(is_counted).then("entity").otherwise("page_entity").alias("entity"), *shape, rows=counted, **money
    )
    loose = pl.when(is_counted).then("rows").otherwise(pl.max_horizontal("rows", pl.lit(1)))
    children = refused.filter(pl.col("child_entity") != "", pl.col("is_first")).select(
        pl.col("child_entity").alias("entity"), *shape, rows=loose.cast(pl.Int64), **money
    )
    return pl.concat([top, children.filter(pl.col("rows") > 0)]).select(
        pl.col(name).cast(dtype) for name, dtype in REJECTS.items()
    )


def home_currency(counts: Iterable[pl.DataFrame]) -> str | None:
    """Return the only currency of the fetch, null if there are several; unreadable rows are counted under it."""
    distinct = pl.concat([part["currency"].drop_nulls() for part in counts]).unique()
    return str(distinct[0]) if distinct.len() == 1 else None


def counts(sorted_rows: Mapping[str, SortedRows]) -> pl.DataFrame:
    """Return `COUNTS`: what came per entity and currency, what stays out and what came twice.

    Rows of an unknown currency are counted under none.
    """
    return summed([_entity_counts(name, entity) for name, entity in sorted_rows.items() if entity.rows.height])


def unread_counts(undecoded: pl.DataFrame) -> pl.DataFrame:
    """Return the counts of rows that decoding refused, all of them unreadable."""
    return undecoded.filter(pl.col("entity").is_in(ENTITIES)).select(
        "entity", "currency", fetched="rows", quarantined="rows", repeated=pl.lit(0), unreadable="rows"
    )


def by_page(sorted_rows: Mapping[str, SortedRows]) -> pl.DataFrame:
    """Return `PAGE_COUNTS`: the rows that each page brought and their money, whether they were taken in or not."""
    parts = [
        entity.rows.group_by("page_no", pl.when(pl.col("places").is_not_null()).then("currency").alias("currency")).agg(
            pl.lit(name).alias("entity"),
            fetched=pl.len().cast(pl.Int64),
            amount_fetched_minor=pl.when(pl.col("money_minor").count() > 0).then(pl.col("money_minor").sum()),
        )
        for name, entity in sorted_rows.items()
        if entity.rows.height
    ]
    rows = pl.concat([pl.DataFrame(schema=dict(PAGE_COUNTS)), *(part.select(*PAGE_COUNTS) for part in parts)])
    return rows.sort("page_no", "entity", "currency")


def summed_pages(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return `PAGE_COUNTS` of all parts of a fetch, money null where none of them has any."""
    if len(parts) == 1:
        return parts[0]
    money = pl.col("amount_fetched_minor")
    totals = (
        pl.concat(parts)
        .group_by("page_no", "entity", "currency")
        .agg(pl.col("fetched").sum(), pl.when(money.count() > 0).then(money.sum()))
    )
    return totals.select(*PAGE_COUNTS).sort("page_no", "entity", "currency")


def summed(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return `COUNTS` of frames of counts: one row per entity and currency, money null where none of them has any."""
    together = pl.concat([pl.DataFrame(schema=dict(COUNTS)), *parts], how="diagonal_relaxed")
    totals = together.group_by("entity", "currency").agg(
        *(pl.col(name).sum() for name in ("fetched", "quarantined", "repeated", "unreadable")),
        *(
            pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)
            for name in COUNTS
            if name.startswith("amount_")
        ),
    )
    return totals.select(pl.col(name).cast(dtype) for name, dtype in COUNTS.items()).sort("entity", "currency")


def _entity_counts(name: str, entity: SortedRows) -> pl.DataFrame:
    fresh = entity.rows.filter(~pl.col("is_repeat")).select("row")
    bad = fresh.clear() if fresh.height == entity.good.height else fresh.join(entity.good, on="row", how="anti")
    rows = entity.rows.with_columns(is_bad=pl.col("row").is_in(bad["row"].implode()))
    amount, is_bad, is_repeat = pl.col("money_minor"), pl.col("is_bad"), pl.col("is_repeat")
    is_silent = amount.is_null() & (is_bad | is_repeat) & _had_money(rows)
    currency = pl.when(pl.col("places").is_not_null()).then("currency")
    return rows.group_by(currency.alias("currency")).agg(
        pl.lit(name).alias("entity"),
        fetched=pl.len().cast(pl.Int64),
        quarantined=is_bad.sum().cast(pl.Int64),
        repeated=is_repeat.sum().cast(pl.Int64),
        unreadable=is_silent.sum().cast(pl.Int64),
        amount_fetched_minor=pl.when(amount.count() > 0).then(amount.sum()),
        amount_quarantined_minor=pl.when(amount.count() > 0).then(amount.filter(is_bad).sum()),
        amount_repeated_minor=pl.when(amount.count() > 0).then(amount.filter(is_repeat).sum()),
    )


def _had_money(rows: pl.DataFrame) -> pl.Expr:
    written = [
        name
        for name in (
            "amount",
            "amount_units",
            "stated_total",
            "stated_total_units",
            "balance",
            "balance_units",
            "amount_due",
            "initial_balance",
        )
        if name in rows.columns
    ]
    return pl.any_horizontal(pl.lit(value=False), *(pl.col(name).is_not_null() for name in written))


def seen(sorted_rows: Mapping[str, SortedRows]) -> pl.DataFrame:
    """Return entity, source and key of every decoded row, good or not; null where the key could not be read."""
    keys = {"plans": "plan_id", "terms": "term_id", "payments": "payment_id", "accounts": "account_id"}
    rows = {name: entity.rows for name, entity in sorted_rows.items()}
    rows["terms"] = rows["terms"].filter(~pl.col("is_nested"))  # those inside a plan are seen with it
    parts = [
        rows[entity].select(pl.lit(entity).alias("entity"), "source", pl.col(key).alias("key"))
        for entity, key in keys.items()
    ]
    return pl.concat(parts)


def unread_seen(refused: pl.DataFrame) -> pl.DataFrame:
    """Return entity, source and key of the rows that decoding refused."""
    entity = pl.when(pl.col("entity") == "").then("child_entity").otherwise("entity")
    return refused.select(entity.alias("entity"), pl.col("sweep").alias("source"), "key")


def unknown_words(payments: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return one row per word outside the provider's closed lists: entity, name, value, rows.

    `plans` names the words of its rows in the list `unknown_words`, with the field they stand in.
    """
    of_plans = plans.select(pl.col("unknown_words").alias("word")).explode("word").drop_nulls().unnest("word")
    counted = of_plans.group_by("name", "value").agg(rows=pl.len().cast(pl.Int64))
    listed = counted.select(pl.lit("plans").alias("entity"), "name", "value", "rows")
    return pl.concat([_unknown_statuses(payments), listed]).sort("entity", "name", "value")


def summed_words(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return one row per word of all parts of a fetch."""
    together = pl.concat(parts).group_by("entity", "name", "value").agg(pl.col("rows").sum())
    return together.sort("entity", "name", "value")


def _unknown_statuses(payments: pl.DataFrame) -> pl.DataFrame:
    unknown = payments.filter(pl.col("class").is_null() & pl.col("provider_status").is_not_null())
    return (
        unknown.group_by(pl.col("provider_status").alias("value"))
        .agg(rows=pl.len().cast(pl.Int64))
        .select(entity=pl.lit("payments"), name=pl.lit("status"), value="value", rows="rows")
    )
