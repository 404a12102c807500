"""Collect the facts of a run beside its frames: its sources, calendars, buckets and options."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import duckdb
import polars as pl

from checks.base import discover
from checks.docs import parts_of
from flows.settings import Settings
from flows.steps.compute import Inputs
from flows.steps.pull import Failures
from flows.steps.request import ThisRun
from flows.steps.run_key import fingerprint, run_key, version
from reports.facts import BucketFacts, CalendarFacts, RunFacts, Source
from schemas.core import WHO
from schemas.options import Options
from schemas.words import HELD, PUBLISHED
from sql.runs import Run, clock_skews
from sql.storage.seals import from_json
from transforms.delinquency.buckets import bucket_set


def facts_of(
    this: ThisRun,
    con: duckdb.DuckDBPyConnection,
    inputs: Inputs,
    *,
    known_at: datetime,
    held: Sequence[str],
    held_by_change: Sequence[str],
    break_movement: Mapping[str, int],
    causes: Sequence[str],
    write_backs: Sequence[str],
    failures: Failures,
    fetched: Collection[tuple[str, str]],
    repeated: Run | None,
) -> RunFacts:
    """Return the facts of this run; it is held where there is a reason in `held`.

    One that repeats another tells of the providers and of changes at them what that one told: it is about that moment.
    """
    told = (repeated.summary or {}) if repeated else {}
    skews = _skews(con, inputs.known, this.settings, fetched)
    run = this.settings.run
    return RunFacts(
        run_id=this.run_id,
        run_key=run_key(this.settings, as_of=this.as_of, known_at=known_at),
        as_of=this.as_of,
        known_at=known_at,
        known_load=inputs.known,
        code_version=version(),
        state=HELD if held else PUBLISHED,
        held_because=tuple(held),
        sources=tuple(from_json(each, Source) for each in told["sources"])
        if "sources" in told
        else tuple(_sources(inputs.completeness, failures, skews)),
        causes=tuple(causes),
        write_backs=tuple(told.get("write_backs", ()) if repeated else write_backs),
        notes=this.notes,
        options={
            "timezone": run.timezone,
            "grace_days": str(run.grace_days),
            "tolerance": run.tolerance,
            "bucket_set": run.bucket_set,
            "calendar": run.calendar,
        },
        buckets={name: _buckets(options) for name, options in inputs.options.items()},
        calendars=tuple(_calendars(this.settings)),
        actions={(check.code, check.reason): parts_of(check.doc)["Action"] for check in discover()},
        plan_links=this.settings.plan_links(),
        started_at=this.started_at,
        held_by_change=tuple(held_by_change),
        break_movement=break_movement,
        settings=json.loads(fingerprint(this.settings)),
        current_rows={f"{provider} {entity}": rows for (provider, entity), rows in sorted(inputs.rows.items())},
    )


def _buckets(options: Options) -> BucketFacts:
    buckets = bucket_set(options.bucket_set)
    return BucketFacts(buckets.labels, "days" if buckets.measure == "days_past_due" else "months")


def _calendars(settings: Settings) -> Iterator[CalendarFacts]:
    calendars = settings.calendars()
    for name in settings.providers.configured():
        yield CalendarFacts(name, calendars[name].label, calendars[name].weekend, len(calendars[name].own_days))


def _skews(
    con: duckdb.DuckDBPyConnection, known: int, settings: Settings, fetched: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return how far the clocks of the tenants fetched by this run are off, in seconds, where that is worth telling."""
    limit = settings.run.clock_skew_minutes * 60
    skews = clock_skews(con, known).items()
    return {key: skew for key, skew in skews if key in fetched and limit and abs(skew) >= limit}


def _sources(completeness: pl.DataFrame, failures: Failures, skews: Mapping[tuple[str, str], int]) -> Iterator[Source]:
    fresh_at = pl.when(pl.col("fresh_at").is_null().any()).then(None).otherwise(pl.col("fresh_at").min()).first()
    fresh = {(provider, tenant): at for provider, tenant, at in completeness.group_by(WHO).agg(fresh_at).iter_rows()}
    # A failure of a whole provider is one of each of its tenants.
    whole = {provider: failure for (provider, tenant), failure in failures.items() if not tenant}
    loaded = {provider for provider, _ in fresh}
    told = {*fresh, *(key for key in failures if key[1] or key[0] not in loaded)}
    for provider, tenant in sorted(told):
        failure = failures.get((provider, tenant)) or whole.get(provider)
        yield Source(
            provider,
            tenant or None,
            fresh.get((provider, tenant)),
            error_code=failure.code if failure else None,
            error=failure.text if failure else None,
            clock_skew_seconds=skews.get((provider, tenant)),
        )
