"""Answer what a run can look back on: published runs of earlier dates, and the plans that became known anew since."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb
import polars as pl

from schemas.currencies import minor_units
from schemas.results import FORECASTS
from sql.scripts import statements


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A published run, by what it was about and knew; its summary, which is long, is left out.

    `folder` starts at the folder of reports, null where none was written. `moves_breaks` tells whether it replaced the
    register of breaks.
    """

    run_no: int
    run_id: str
    run_key: str
    as_of: date
    known_load: int
    known_at: datetime
    folder: str | None
    moves_breaks: bool


def published_runs(con: duckdb.DuckDBPyConnection) -> list[EarlierRun]:
    """Return every published run, in the order they ended."""
    return [EarlierRun(*row) for row in con.sql(statements("past/published_runs.sql")).fetchall()]


def earlier_runs(
    con: duckdb.DuckDBPyConnection, *, as_of: date, known: int, until: int | None = None
) -> list[EarlierRun]:
    """Return the published runs of dates before `as_of`, by date and then in the order they ended.

    Only those that looked at no load after `known` and ended before the next one was made: a report of a past
    knowledge looks back on what there was then, so that it stays the same whatever was published since. One that
    repeats run number `until` looks back on the runs before that.
    """
    found = con.sql(statements("past/earlier_runs.sql"), params={"as_of": as_of, "known": known}).fetchall()
    runs = [EarlierRun(*row) for row in found]
    return [run for run in runs if until is None or run.run_no < until]


def comparable_runs(con: duckdb.DuckDBPyConnection) -> set[int]:
    """Return the numbers of the published runs whose plans the history tells of."""
    return {number for (number,) in con.sql(statements("past/comparable_runs.sql")).fetchall()}


def missed_plans(con: duckdb.DuckDBPyConnection, run_no: int) -> pl.DataFrame:
    """Return `provider, tenant_id, plan_id, missed_terms` of the plans that a comparable run showed missed terms of."""
    found: pl.DataFrame = con.sql(statements("past/missed_plans.sql"), params={"run_no": run_no}).pl()
    return found


def run_summaries(con: duckdb.DuckDBPyConnection, run_nos: Sequence[int]) -> list[tuple[date, dict[str, Any]]]:
    """Return date and summary of these runs, oldest date first."""
    rows = con.sql(statements("past/run_summaries.sql"), params={"run_nos": list(run_nos)}).fetchall()
    return [(as_of, json.loads(summary)) for as_of, summary in rows]


def recorded_rates(con: duckdb.DuckDBPyConnection, run_nos: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return, of the reports of these runs, each row with the date of its run.

    Of `kept`: `as_of, currency, window_days, evaluated, kept`; of `roll`: `as_of, currency, from_as_of, from_bucket_no,
    to_bucket, to_bucket_no, plans`.
    """
    params = {"run_nos": list(run_nos)}
    kept, roll = (con.sql(statements(f"past/{name}_of_runs.sql"), params=params).pl() for name in ("kept", "roll"))
    return kept, roll


def touched_plans(con: duckdb.DuckDBPyConnection, *, after: int, until: int) -> pl.DataFrame:
    """Return `plan_no, provider, tenant_id, plan_id` of the plans whose figures may differ between two loads.

    All others have the same figures for any date, whichever of the two loads they are computed with.
    """
    params = {"after": after, "until": until}
    found: pl.DataFrame = con.sql(statements("past/touched_plans.sql"), params=params).pl()
    return found


def forecasts(
    con: duckdb.DuckDBPyConnection, runs: Sequence[EarlierRun], windows: Sequence[tuple[int, date]]
) -> pl.DataFrame:
    """Return `FORECASTS`: what was expected for each window, in days, from its date, null where there was no rate.

    Of several runs of a date it is the one published first: what it said when it could know no better is judged.
    """
    first = {run.as_of: run.run_id for run in reversed(runs)}
    made = pl.DataFrame(
        [(first[start], days) for days, start in windows], schema={"run_id": pl.String, "days": pl.Int64}, orient="row"
    )
    con.register("made", made)
    try:
        found: pl.DataFrame = con.sql(statements("past/forecasts.sql")).pl()
    finally:
        con.unregister("made")
    return FORECASTS.gate(
        found.with_columns(backtest_forecast_minor=minor_units("risk_adjusted")).drop("risk_adjusted")
    )
