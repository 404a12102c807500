"""The file of pauses: plans that are to be left alone, and when; these days are never counted as past due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from flows.errors import SettingsError
from flows.given import Line, read_table
from providers import PROVIDERS
from schemas.core import PAUSES
from transforms.delinquency.pauses import Pauses

COLUMNS = ("provider", "tenant_id", "plan_id", "start", "end", "reason")
"""Of these `end` may be empty, the pause then lasts, `reason` too, and `tenant_id` where one tenant alone has the plan."""
REQUIRED = ("provider", "tenant_id", "plan_id", "start", "end")
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Pause:
    """One line of the file; days in [start, end) are not counted, without an end none from start on."""

    place: str
    provider: str
    tenant_id: str
    plan_id: str
    start: date
    end: date | None


def read_pauses(file: Path | None) -> list[Pause]:
    """Return the pauses of a file, in its order; none where no file is set.

    Raises:
        SettingsError: the file cannot be read, or a line is not a pause; the message names the line.
    """
    if file is None:
        return []
    return [_pause(line) for line in read_table(file, COLUMNS, required=REQUIRED, error=SettingsError)]


def _pause(line: Line) -> Pause:
    where, cells = f"pauses_file {line.place}", line.cells
    provider = cells.get("provider", "").lower()
    if provider not in PROVIDERS:
        raise SettingsError(
            f"{where}: provider {cells.get('provider', '')!r} is none of ours; use one of {', '.join(PROVIDERS)}"
        )
    if "plan_id" not in cells:
        raise SettingsError(f"{where} has no plan_id; fill it or remove the line")
    if "start" not in cells:
        raise SettingsError(f"{where} has no start; give the first day of the pause, as 2026-03-20")
    start = _day(where, "start", cells["start"])
    end = _day(where, "end", cells["end"]) if "end" in cells else None
    if end is not None and end <= start:
        raise SettingsError(f"{where}: end {end} is not after start {start}; end is the first day that counts again")
    return Pause(line.place, provider, cells.get("tenant_id", ""), cells["plan_id"], start, end)


def _day(where: str, name: str, cell: str) -> date:
    try:
        day = datetime.strptime(cell, "%Y-%m-%d").date()  # noqa: DTZ007 - a civil day has no zone
    except ValueError:
        raise SettingsError(f"{where}: {name} {cell!r} is no date; write it as 2026-03-20") from None
    if not EARLIEST <= day <= LATEST:
        raise SettingsError(f"{where}: {name} {cell!r} lies before {EARLIEST} or after {LATEST}; correct it")
    return day


def pauses_of(given: Sequence[Pause], own: pl.DataFrame, plans: pl.DataFrame, *, stops: bool) -> Pauses:
    """Return the pauses of plans: the file's always stop days, the providers' own only where `stops`.

    Args:
        given: The pauses of the file.
        own: `PAUSES` by the providers' own word.
        plans: `plan_no, provider, tenant_id, plan_id` of every plan known.
        stops: Whether a provider's own pause stops days, too.

    Raises:
        SettingsError: a line names a plan that is not known, or that several tenants have.
    """
    numbers: dict[tuple[str, str], list[tuple[str, int]]] = {}
    paused = plans.filter(pl.col("plan_id").is_in([pause.plan_id for pause in given]))
    for number, provider, tenant, plan in paused.select("plan_no", "provider", "tenant_id", "plan_id").iter_rows():
        numbers.setdefault((provider, plan), []).append((tenant, number))
    rows = [(_number(pause, numbers), pause.start, pause.end) for pause in given]
    ours = pl.DataFrame(rows, schema=dict(PAUSES.dtypes), orient="row")
    both = pl.concat([ours, own])
    return Pauses(stopping=both if stops else ours, listed=both)


def _number(pause: Pause, numbers: dict[tuple[str, str], list[tuple[str, int]]]) -> int:
    namesakes = numbers.get((pause.provider, pause.plan_id), [])
    plan_nos = [number for tenant, number in namesakes if pause.tenant_id in {"", tenant}]
    where = f"pauses_file {pause.place}"
    if not plan_nos:
        of_tenant = f" of tenant {pause.tenant_id!r}" if pause.tenant_id else ""
        raise SettingsError(
            f"{where}: {pause.provider} has no plan {pause.plan_id!r}{of_tenant}; correct the line or remove it"
        )
    if len(plan_nos) > 1:
        tenants = ", ".join(sorted(tenant for tenant, _ in namesakes))
        raise SettingsError(f"{where}: plan {pause.plan_id!r} is there in the tenants {tenants}; fill tenant_id")
    return plan_nos[0]
