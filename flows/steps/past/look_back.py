"""Look back from one run to earlier published dates, with what is known now: how plans moved between buckets since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from flows.settings import Settings
from flows.steps.compute import Inputs, of_plans, parts_of, plans_of_part
from flows.steps.run_key import run_key
from reports.before import MOST_POINTS, Before
from reports.manifest import is_sealed
from schemas.currencies import minor_units
from schemas.results import PLAN_POSITIONS, ROLL
from sql.core import images
from sql.earlier import (
    EarlierRun,
    comparable_runs,
    earlier_runs,
    missed_plans,
    recorded_rates,
    run_summaries,
    touched_plans,
)
from transforms.location.locate import locate
from transforms.outlook.roll import PLAN, STANDING, earlier_dates, roll


@dataclass(frozen=True, slots=True)
class LookBack:
    """From where one looks back: the warehouse, what is known of the portfolio, and the runs of earlier dates."""

    con: duckdb.DuckDBPyConnection
    inputs: Inputs
    settings: Settings
    reports_dir: Path
    runs: Sequence[EarlierRun]

    @classmethod
    def of(
        cls,
        con: duckdb.DuckDBPyConnection,
        inputs: Inputs,
        *,
        settings: Settings,
        reports_dir: Path,
        until: int | None = None,
    ) -> "LookBack":
        """Return the look back of a run; of one that repeats run number `until`, on the runs before that."""
        runs = earlier_runs(con, as_of=inputs.as_of, known=inputs.known, until=until)
        return cls(con, inputs, settings, reports_dir, runs)

    def moves(self, plans: pl.DataFrame) -> pl.DataFrame:
        """Return `ROLL` to `plans`, the `PLAN_POSITIONS` of the run, from each earlier date that is followed."""
        days = earlier_dates([run.as_of for run in self.runs], self.inputs.as_of)
        return pl.concat([ROLL.empty(), *(roll(self.plans_on(day), plans, from_as_of=day) for day in days)])

    def before(self) -> Before | None:
        """Return what the run is compared with: the newest run of an earlier date; null where there is none."""
        known = comparable_runs(self.con)
        newest = {run.as_of: run for run in self.runs if run.run_no in known}
        if not newest:
            return None
        days = sorted(newest)[1 - MOST_POINTS :]
        missed = missed_plans(self.con, newest[days[-1]].run_no)
        run_nos = [newest[day].run_no for day in days]
        kept, roll_rows = recorded_rates(self.con, run_nos)
        return Before(days[-1], missed, tuple(run_summaries(self.con, run_nos)), kept, roll_rows)

    def plans_on(self, day: date) -> pl.DataFrame:
        """Return `roll.STANDING` of every plan that existed on `day`, as it is known now.

        What a run of that day wrote is still right for plans of which nothing became known since, under the same
        settings; only the others are computed again. Without such a run, or its folder, all are.
        """
        written = [run for run in self.runs if run.as_of == day and self._is_usable(run)]
        if not written:
            return self.computed_on(day, None)
        newest = max(written, key=lambda run: run.known_load)
        touched = touched_plans(self.con, after=newest.known_load, until=self.inputs.known)
        kept = self._written(newest).join(touched, on=PLAN, how="anti")
        return pl.concat([kept, self.computed_on(day, touched["plan_no"])])

    def computed_on(self, day: date, plan_nos: pl.Series | None) -> pl.DataFrame:
        """Return `roll.STANDING` of some plans, or of all, by computing them; whatever shares an account comes together."""
        if plan_nos is not None and plan_nos.is_empty():
            return PLAN_POSITIONS.empty().select(STANDING)
        past = self._inputs_on(day, plan_nos)
        parts = [
            plans_of_part(past, part, images.terms(self.con, past.known, part)).select(STANDING)
            for part in parts_of(past.plans)
        ]
        return pl.concat(parts)

    def _inputs_on(self, day: date, plan_nos: pl.Series | None) -> Inputs:
        con, known, now = self.con, self.inputs.known, self.inputs
        if plan_nos is None:
            plans, payments, links = images.plans(con, known), images.payments(con, known), images.links(con, known)
            plan_accounts = now.plan_accounts
        else:
            # The money of these plans is that of their accounts, and what their terms name.
            (plan_accounts,) = of_plans(plan_nos, now.plan_accounts)
            plans, links = (read(con, known, {"plan_no": plan_nos}) for read in (images.plans, images.links))
            accounts = pl.concat([plans["account_no"], plan_accounts["account_no"]]).drop_nulls()
            payments = images.payments(con, known, {"account_no": accounts, "payment_no": links["linked_payment_no"]})
        located = locate(
            plans,
            payments,
            plan_accounts,
            as_of=day,
            options=now.options,
            links=links,
            accounts=now.accounts,
        )
        return replace(now, as_of=day, plans=located.plans, payments=located.payments, windows=())

    def _is_usable(self, run: EarlierRun) -> bool:
        """Tell whether what the run wrote is there, and made by the same settings and version."""
        same = run.run_key == run_key(self.settings, as_of=run.as_of, known_at=run.known_at)
        return same and run.folder is not None and is_sealed(self.reports_dir / run.folder)

    def _written(self, run: EarlierRun) -> pl.DataFrame:
        folder = self.reports_dir / (run.folder or "")
        names = [*PLAN, "currency", "is_in_force", "bucket", "bucket_no", "outstanding"]
        rows = pl.read_parquet(folder / "plans.parquet", columns=names, glob=False)
        return rows.with_columns(outstanding_minor=minor_units("outstanding")).select(STANDING)
