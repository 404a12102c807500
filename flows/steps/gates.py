"""The conditions for publishing a run; those that fail are reasons to hold it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

import polars as pl

from flows.settings import GateSettings
from flows.steps.compute import Inputs
from flows.steps.request import ThisRun
from schemas.core import WHO
from sql.runs import Run
from transforms.breaks.movement import Movement


def reasons_to_hold(
    this: ThisRun,
    inputs: Inputs,
    before: Run | None,
    fetched: frozenset[tuple[str, str]],
    moved: Movement | None,
) -> tuple[list[str], list[str]]:
    """Return why this run must not be published, empty if it may, and the providers that changed too much.

    Args:
        this: The run; facts must be fresh by its beginning, or by the moment it limits itself to.
        inputs: What was known.
        before: The last published run.
        fetched: Tenants (provider, tenant) loaded since then.
        moved: How its open breaks became those of this run; null where it is for an earlier date and moves none.
    """
    gates = this.settings.gates
    now = min(this.started_at, this.request.known_at or this.started_at)
    expected = tuple(this.settings.providers.configured())
    changes = list(_changes(gates, before, inputs, {provider for provider, _ in fetched}))
    reasons = [
        *_conservation(inputs.integrity),
        *_freshness(gates, now, expected, inputs.completeness),
        *_quarantine(gates, inputs.integrity, fetched),
        *(reason for _, reason in changes),
        *_movement(moved),
    ]
    return reasons, sorted({provider for provider, _ in changes})


def _conservation(integrity: pl.DataFrame) -> list[str]:
    rows = pl.col("accepted") + pl.col("quarantined") + pl.col("deduplicated")
    money = pl.sum_horizontal("amount_accepted_minor", "amount_quarantined_minor", "amount_deduplicated_minor")
    broken = integrity.filter((pl.col("fetched") != rows) | (pl.col("amount_fetched_minor").fill_null(0) != money))
    return [
        f"{row['provider']}/{row['tenant_id']} {row['entity']}: {row['fetched']} rows fetched, "
        f"{row['accepted'] + row['quarantined'] + row['deduplicated']} accounted for; rebuild the warehouse from the landing"
        for row in broken.iter_rows(named=True)
    ]


def _movement(moved: Movement | None) -> list[str]:
    if moved is None or moved.holds:
        return []
    told = (
        f"the open breaks do not add up: {moved}; the register of breaks stays as it was. Call `planrecon verify`; where it "
        "finds nothing, this is a fault of the program: report it with the run's folder"
    )
    return [told]


def _freshness(gates: GateSettings, now: datetime, expected: Sequence[str], completeness: pl.DataFrame) -> list[str]:
    # A provider is as fresh as its oldest entity; one that never came whole is null, which the least date would pass over.
    oldest = dict(
        completeness.group_by("provider")
        .agg(pl.col("fresh_at").min(), pl.col("fresh_at").is_null().any().alias("never"))
        .select("provider", pl.when("never").then(None).otherwise("fresh_at"))
        .iter_rows()
    )
    limit = timedelta(hours=gates.freshness_hours)
    reasons = []
    for provider in expected:
        fresh_at = oldest.get(provider)
        if fresh_at is None:
            reasons.append(f"{provider}: never fetched completely; see v_fetches for what stopped it")
        elif now - fresh_at > limit:
            reasons.append(
                f"{provider}: last complete fetch {fresh_at:%Y-%m-%d %H:%M} UTC is older than {gates.freshness_hours:g} hours; see v_fetches for what stopped it"
            )
    return reasons


def _quarantine(gates: GateSettings, integrity: pl.DataFrame, fetched_now: frozenset[tuple[str, str]]) -> list[str]:
    # What was loaded before was judged by the run that published it; it must not hold every later one.
    tenants = pl.DataFrame(sorted(fetched_now), schema=dict.fromkeys(WHO, pl.String), orient="row")
    now = integrity.join(tenants, on=WHO, how="semi", maintain_order="left")
    shares = now.group_by("provider", "entity", maintain_order=True).agg(pl.col("fetched", "quarantined").sum())
    over = shares.filter(pl.col("quarantined") > pl.col("fetched") * gates.quarantine_share)
    return [
        f"{provider} {entity}: {quarantined} of {fetched} rows are quarantined, more than {gates.quarantine_share:.0%}; see v_quarantine"
        for provider, entity, fetched, quarantined in over.iter_rows()
    ]


def _changes(
    gates: GateSettings, before: Run | None, inputs: Inputs, pulled: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the provider and a sentence for each entity whose rows changed by more than can be believed."""
    # Only a complete list shows that rows are gone: after an incomplete one a fall says nothing about the provider.
    entities = inputs.completeness.group_by("provider", "entity").agg(pl.col("complete").all())
    complete = {(provider, entity) for provider, entity, whole in entities.iter_rows() if whole}
    counted = (before.summary or {}).get("current_rows", {}) if before else {}
    for key, old in sorted(counted.items()):
        provider, entity = key.split(" ")
        new = inputs.rows.get((provider, entity), 0)
        if (provider, entity) in complete and provider in pulled and old and abs(new - old) > gates.change_share * old:
            reason = (
                f"{key}: {new} current rows, {old} in the last published run, a change of more than "
                f"{gates.change_share:.0%}; check the provider, then call `planrecon run --full`, which fetches "
                "everything again (the next run does so too); if the change is real, raise gates.change_share for one run"
            )
            yield provider, reason
