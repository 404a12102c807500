"""What must hold before anything is published; the answer is a list of reasons to hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from flows.settings import GateSettings
from schemas.core import WHO


@dataclass(frozen=True, slots=True)
class Change:
    """A change in rows too large to be believed: of which provider, and the sentence."""

    provider: str
    reason: str


def reasons_to_hold(
    gates: GateSettings,
    *,
    now: datetime,
    expected: Sequence[str],
    integrity: pl.DataFrame,
    completeness: pl.DataFrame,
    changes: Sequence[Change],
    fetched_now: frozenset[tuple[str, str]],
) -> list[str]:
    """Return why this run must not be published; empty when it may.

    Args:
        gates: The limits.
        now: The moment of the run.
        expected: Configured providers.
        integrity: `INTEGRITY` of the newest load of each tenant.
        completeness: provider, tenant_id, entity, complete, fresh_at.
        changes: What `changed_too_much` found.
        fetched_now: Tenants (provider, tenant) loaded since the last published run.
    """
    return [
        *_conservation(integrity),
        *_freshness(gates, now, expected, completeness),
        *_quarantine(gates, integrity, fetched_now),
        *(change.reason for change in changes),
    ]


def _conservation(integrity: pl.DataFrame) -> list[str]:
    rows = pl.col("accepted") + pl.col("quarantined") + pl.col("deduplicated")
    money = pl.sum_horizontal("amount_accepted_minor", "amount_quarantined_minor", "amount_deduplicated_minor")
    broken = integrity.filter((pl.col("fetched") != rows) | (pl.col("amount_fetched_minor").fill_null(0) != money))
    return [
        f"{row['provider']}/{row['tenant_id']} {row['entity']}: {row['fetched']} rows fetched, "
        f"{row['accepted'] + row['quarantined'] + row['deduplicated']} accounted for; rebuild the warehouse from the landing"
        for row in broken.iter_rows(named=True)
    ]


def _freshness(gates: GateSettings, now: datetime, expected: Sequence[str], completeness: pl.DataFrame) -> list[str]:
    oldest = dict(
        completeness.group_by("provider")
        .agg(pl.col("fresh_at").min(), pl.col("fresh_at").is_null().any().alias("never"))
        .select("provider", pl.when("never").then(None).otherwise("fresh_at"))
        .iter_rows()
    )
    limit = timedelta(hours=gates.freshness_hours)
    found = []
    for provider in expected:
        fresh_at = oldest.get(provider)
        if fresh_at is None:
            found.append(f"{provider}: never fetched completely; see v_fetches for what stopped it")
        elif now - fresh_at > limit:
            found.append(
                f"{provider}: last complete fetch {fresh_at:%Y-%m-%d %H:%M} UTC is older than {gates.freshness_hours:g} hours; see v_fetches for what stopped it"
            )
    return found


def _quarantine(gates: GateSettings, integrity: pl.DataFrame, fetched_now: frozenset[tuple[str, str]]) -> list[str]:
    now = (
        integrity.filter(pl.struct(WHO).is_in([{"provider": p, "tenant_id": t} for p, t in sorted(fetched_now)]))
        if fetched_now
        else integrity.clear()
    )
    shares = now.group_by("provider", "entity", maintain_order=True).agg(pl.col("fetched", "quarantined").sum())
    over = shares.filter(pl.col("quarantined") > pl.col("fetched") * gates.quarantine_share)
    return [
        f"{provider} {entity}: {quarantined} of {fetched} rows are quarantined, more than {gates.quarantine_share:.0%}; see v_quarantine"
        for provider, entity, fetched, quarantined in over.iter_rows()
    ]


def changed_too_much(
    gates: GateSettings,
    before: Mapping[tuple[str, str], int],
    after: Mapping[tuple[str, str], int],
    completeness: pl.DataFrame,
    fetched_now: frozenset[tuple[str, str]],
) -> list[Change]:
    """Return the entities whose rows changed by more than `change_share` since the last published run.

    Args:
        gates: The limits.
        before: Current rows by (provider, entity) in the last published run.
        after: The same now.
        completeness: provider, tenant_id, entity, complete, fresh_at.
        fetched_now: Tenants (provider, tenant) loaded since the last published run.
    """
    complete = {
        (provider, entity)
        for provider, entity, whole in completeness.group_by("provider", "entity")
        .agg(pl.col("complete").all())
        .iter_rows()
        if whole
    }
    pulled = {provider for provider, _ in fetched_now}
    found = []
    for key, old in sorted(before.items()):
        new = after.get(key, 0)
        if key in complete and key[0] in pulled and old and abs(new - old) > gates.change_share * old:
            found.append(
                Change(
                    key[0],
                    f"{key[0]} {key[1]}: {new} current rows, {old} in the last published run, a change of more than "
                    f"{gates.change_share:.0%}; check the provider, then call `planrecon run --full`, which fetches "
                    "everything again (the next run does so too); if the change is real, raise gates.change_share for one run",
                )
            )
    return found
