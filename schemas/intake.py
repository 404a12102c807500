"""What passes between staging, admission and the versions of the core.

The frames here exist only while a load is on its way in. What a row of the
finished core means is in `core.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

ENTITIES = ("plans", "terms", "payments", "accounts", "policies", "customers")
"""What is counted, at the providers that show it; links, deletions and tenants feed these and are not counted themselves."""

DECODE_REJECTS: Mapping[str, pl.DataType] = {
    "page_no": pl.Int64(),
    "page_entity": pl.String(),
    "position": pl.Int64(),
    "code": pl.String(),
    "column": pl.String(),
    "reason": pl.String(),
    "key": pl.String(),
    "rows": pl.Int64(),
}
"""Rows that decoding refused: `page_entity` is the entity of the page, `rows` the children that went with the row."""

REJECTS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "page_no": pl.Int64(),
    "position": pl.Int64(),
    "code": pl.String(),
    "column": pl.String(),
    "reason": pl.String(),
    "key": pl.String(),
    "rows": pl.Int64(),
    "amount_minor": pl.Int64(),
    "currency": pl.String(),
}
"""One row per reason. The first reason of a row carries its `rows` and money, further ones 0 and null."""

COUNTS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "currency": pl.String(),
    "fetched": pl.Int64(),
    "quarantined": pl.Int64(),
    "repeated": pl.Int64(),
    "unreadable": pl.Int64(),
    "amount_fetched_minor": pl.Int64(),
    "amount_quarantined_minor": pl.Int64(),
    "amount_repeated_minor": pl.Int64(),
}
"""One row per entity and currency: what staging brought, what stayed out, what this fetch showed twice."""

UNKNOWN_WORDS: Mapping[str, pl.DataType] = {
    "entity": pl.String(),
    "name": pl.String(),
    "value": pl.String(),
    "rows": pl.Int64(),
}
"""One row per word outside the provider's closed lists: the field it stands in, the word, rows that carry it."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What one tenant's fetch brought, sorted into good rows and reasons.

    `accepted` holds one frame per entity plus `plan_accounts` and `deletions`,
    natural keys and minor units; `seen` lists every key the fetch showed, good or
    not (entity, source, key; a null key stands for a row that could not tell it),
    so that absence is never concluded from a bad row. `unknown_words` counts words
    outside the provider's closed lists.
    """

    accepted: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame
    counts: pl.DataFrame
    seen: pl.DataFrame
    unknown_words: pl.DataFrame = field(default_factory=pl.DataFrame)
