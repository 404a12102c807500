"""The command `restate`: figures of a past day, old and new, and the rows that made the difference."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows import clock
from flows.commands.answers import write
from flows.configuration import load
from flows.errors import UsageError
from flows.settings import Settings
from flows.steps.past.restating import NAMED, Restated, restate, span_of
from flows.steps.run_key import fingerprint, version
from reports.texts import counted
from schemas.currencies import plain, written
from sql.runs import load_moments
from sql.warehouse import Warehouse
from transforms.restatement.answer import in_order, rows
from transforms.restatement.facts import KEYS, differing

SHOWN = (
    "level",
    "provider",
    "plan_id",
    "currency",
    "figure",
    "old",
    "new",
    "difference",
    "entity",
    "id",
    "change",
    "effective_date",
)
"""Columns of the table; CSV and JSON have all."""

_FILES = {"pauses": "lines of run.pauses_file", "customers": "lines of run.customers_file"}
"""Settings that are the lines of a file: too many to show."""


def print_restatement(
    config: Path | None, *, as_of: date | None, since: datetime | None, until: datetime | None, style: str
) -> int:
    """Print what the figures of a day were and are, and why, and return 0.

    Raises:
        UsageError: the date lies in the future, nothing was published for it, or the moments are in the wrong order.
    """
    settings = load(config)
    today = clock.today(settings.zone())
    day = as_of or today
    if day > today:
        raise UsageError(f"the as-of date {day} lies in the future; give {today} or an earlier one")
    kept, reports = settings.warehouse, settings.reports.dir.absolute()
    with Warehouse.open(kept.path, state_dir=kept.state_dir, read_only=True, folders=[reports]) as warehouse:
        con = warehouse.con
        span = span_of(con, day, since=_moment(since), until=_moment(until))
        found = restate(con, settings, span, as_of=day, reports_dir=reports)
        answer = answered(found, load_moments(con), settings)
    write(answer.select(SHOWN) if style == "table" else answer, style, sentence="change")
    return 0


def answered(found: Restated, loads: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return the rows to print: `rows` with money as decimals and, beside each cause, what it is and when it was first seen."""
    named = pl.concat([found.new.plans, found.old.plans]).select("plan_no", *NAMED).unique("plan_no", keep="first")
    told = in_order(rows(found.before, found.computed, found.steps, named))
    causes = _causes(found, told, settings).join(loads, on="load_no", how="left", validate="m:1")
    beside = told.join(
        causes, on=["component", "step"], how="left", validate="m:1", nulls_equal=True, maintain_order="left"
    )
    is_cause = pl.col("level") == "CAUSE"
    change = (
        pl.when(pl.col("is_replay").fill_null(value=False))
        .then(pl.format("replayed from quarantine: {}", "change"))
        .otherwise("change")
    )
    return beside.select(
        "level",
        "provider",
        "tenant_id",
        "currency",
        "plan_id",
        pl.col("figure").str.strip_suffix("_minor"),
        _told("old").alias("old"),
        _told("new").alias("new"),
        _amount(pl.col("new") - pl.col("old")).alias("difference"),
        *(pl.when(is_cause).then(name).alias(name) for name in ("entity", "id")),
        pl.when(is_cause).then(change).alias("change"),
        *(pl.when(is_cause).then(name).alias(name) for name in ("effective_date", "load_no", "known_at")),
    )


def _moment(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given


def _amount(value: pl.Expr) -> pl.Expr:
    is_money = pl.col("figure").str.ends_with("_minor")
    return pl.when(is_money).then(plain(value, pl.col("currency"))).otherwise(value.cast(pl.String))


def _told(name: str) -> pl.Expr:
    return pl.coalesce(f"text_{name}", _amount(pl.col(name)))


def _causes(found: Restated, told: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return `component, step`, what and which row each cause is, what it changed, and the load that told of it.

    Changed settings are the cause without a component.
    """
    moved = told.filter(pl.col("level") == "CAUSE").select("component", "step").unique()
    causes = found.portfolio.causes.join(moved, on=["component", "step"], how="semi")
    lines = [_cause(found, cause) for cause in causes.iter_rows(named=True)]
    run = found.span.run
    lines.append({"entity": "settings", "change": changed_settings(settings, run.summary if run else None)})
    schema = {
        "component": pl.Int64(),
        "step": pl.Int64(),
        "entity": pl.String(),
        "id": pl.String(),
        "change": pl.String(),
        "effective_date": pl.Date(),
        "load_no": pl.Int64(),
    }
    return pl.DataFrame(lines, schema=schema, orient="row")


def _cause(found: Restated, cause: Mapping[str, Any]) -> dict[str, Any]:
    entity = cause["entity"]
    key = {name: cause[name] for name in KEYS[entity]}
    old, new = (_rows(facts.of(entity), key) for facts in (found.old, found.new))
    told = {name: cause[name] for name in ("component", "step", "entity", "effective_date", "load_no")}
    if entity in {"pauses", "plan_accounts"}:
        change = f"{counted(len(old), 'row')} -> {counted(len(new), 'row')}"
        return told | {"id": _name(found, cause), "change": change}
    row, was = (new or old)[0], old[0] if old else None
    currency = row.get("currency") or _currency(found, cause)
    parts = [
        f"{name.removesuffix('_minor')} {_cell(name, before, currency)} -> {_cell(name, after, currency)}"
        for name, before, after in differing(was, row)
    ]
    return told | {"id": _name(found, cause, row), "change": ("" if was else "new: ") + ", ".join(parts)}


def _rows(frame: pl.DataFrame, key: Mapping[str, Any]) -> list[dict[str, Any]]:
    return frame.filter(*(pl.col(name) == value for name, value in key.items())).to_dicts()


def _name(found: Restated, cause: Mapping[str, Any], row: Mapping[str, Any] | None = None) -> str:
    """Return the provider's own id of the row that is the cause."""
    ids = {"accounts": "account_id", "plans": "plan_id", "terms": "term_id", "payments": "payment_id"}
    if row is not None:
        return str(row[ids[cause["entity"]]])
    return str(next(iter(found.new.plans.filter(pl.col("plan_no") == cause["plan_no"])["plan_id"]), ""))


def _currency(found: Restated, cause: Mapping[str, Any]) -> str | None:
    plans = found.new.plans.filter(pl.col("plan_no") == cause["plan_no"])
    return next(iter(plans["currency"]), None)


def _cell(name: str, value: object, currency: str | None) -> str:
    if value is None:
        return "-"
    return written(value, currency) if name.endswith("_minor") and isinstance(value, int) else str(value)


def changed_settings(settings: Settings, summary: Mapping[str, Any] | None) -> str:
    """Name what can change a figure and is another than in the run that published it."""
    told = summary or {}
    if "settings" not in told:
        return "settings or program; the run did not keep the ones it used"
    was, now = dict(_flat(told["settings"])), dict(_flat(json.loads(fingerprint(settings))))
    changed = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
    names = [_FILES.get(name) or f"{name} {was.get(name, '-')} -> {now.get(name, '-')}" for name in changed]
    if told.get("code_version") != version():
        names.append(f"program {told.get('code_version')} -> {version()}")
    return ", ".join(names) or "program"


def _flat(values: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{before}{name}"
        found += _flat(value, f"{path}.") if isinstance(value, dict) else [(path, value)]
    return found
