"""How old is the money? Plans by the bucket of their days past due, and unpaid terms by their own age."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from reports.digest import Digest
from reports.facts import BucketFacts, RunFacts
from reports.page.figures import Row
from schemas.currencies import written

MOST_GROUPS = 12
"""Aging tables shown of each kind."""
SHADES = 9
"""Shades of a bucket, from calm to alarming."""


def context(facts: RunFacts, digest: Digest) -> dict[str, Any]:
    """Return both groupings, one table per provider and currency."""
    by_plan, by_term = _aging(digest.aging, facts), _aging(digest.aging_terms, facts)
    return {
        "aging": by_plan[:MOST_GROUPS],
        "aging_left_out": max(len(by_plan) - MOST_GROUPS, 0),
        "aging_terms": by_term[:MOST_GROUPS],
        "aging_terms_left_out": max(len(by_term) - MOST_GROUPS, 0),
    }


def _aging(sums: pl.DataFrame | None, facts: RunFacts) -> list[Row]:
    if sums is None or sums.is_empty():
        return []
    ordered = sums.sort("provider", "currency", "bucket_no", nulls_last=True)
    groups = ordered.partition_by("provider", "currency", maintain_order=True)
    return [_aging_group(group.to_dicts(), facts.buckets.get(group["provider"][0])) for group in groups]


def _aging_group(rows: Sequence[Row], buckets: BucketFacts | None) -> Row:
    """Return one provider's buckets in one currency; widths are thousandths of what is outstanding."""
    currency = rows[0]["currency"]
    total = sum(row["outstanding_minor"] for row in rows)
    shown, before = [], 0
    for row in rows:
        # Edges are cut from running sums: however each is rounded, the widths add up to the whole bar.
        left, before = before, before + row["outstanding_minor"]
        edge = [1000 * amount // total if total else 0 for amount in (left, before)]
        money = {name.removesuffix("_minor"): written(row[name], currency) for name in row if name.endswith("_minor")}
        place = {"shade": _shade(row["bucket_no"], buckets), "left": edge[0], "width": edge[1] - edge[0]}
        shown.append({**{name: row[name] for name in ("bucket", "plans", "terms")}, **money, **place})
    return {
        "provider": rows[0]["provider"],
        "currency": currency,
        "unit": buckets.unit if buckets else "days",
        "outstanding": written(total, currency),
        "rows": shown,
    }


def _shade(number: int | None, buckets: BucketFacts | None) -> int | None:
    """Return the shade of a range: shades spread evenly over the ranges of a set; no range, no shade."""
    if number is None:
        return None
    last = len(buckets.labels) - 1 if buckets else SHADES - 1
    return (SHADES - 1) * number // max(last, 1)
