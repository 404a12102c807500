"""Answer what a run can look back on: published runs of earlier dates, and the plans that became known anew since."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from sql.scripts import statements


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A published run of an earlier date; `folder` starts at the folder of reports, null where none was written."""

    run_no: int
    run_id: str
    run_key: str
    as_of: date
    known_load: int
    known_at: datetime
    folder: str | None


def earlier_runs(con: duckdb.DuckDBPyConnection, *, as_of: date, known: int) -> list[EarlierRun]:
    """Return the published runs of dates before `as_of`, by date and then in the order they ended.

    Only those that looked at no load after `known` and ended before the next one was made: a report of a past
    knowledge looks back on what there was then, so that it stays the same whatever was published since.
    """
    found = con.sql(statements("queries/earlier_runs.sql"), params={"as_of": as_of, "known": known}).fetchall()
    return [EarlierRun(*row) for row in found]


def touched_plans(con: duckdb.DuckDBPyConnection, *, after: int, until: int) -> pl.DataFrame:
    """Return `plan_no, provider, tenant_id, plan_id` of the plans whose figures may differ between two loads.

    All others have the same figures for any date, whichever of the two loads they are computed with.
    """
    params = {"after": after, "until": until}
    found: pl.DataFrame = con.sql(statements("queries/touched_plans.sql"), params=params).pl()
    return found
