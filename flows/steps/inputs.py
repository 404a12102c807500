"""Read what the warehouse knew at one load: whole tables, but the terms one part at a time."""

from datetime import date

import duckdb
import polars as pl

from flows.settings import Settings
from flows.steps.compute import Inputs
from flows.steps.own_lists.customers import customers_of, read_customers
from flows.steps.own_lists.pauses import pauses_of, read_pauses
from schemas.core import WHO
from sql import writes
from sql.core import images
from sql.earlier import earlier_runs, forecasts
from sql.runs import loaded_at
from transforms.breaks.write_backs import shown_by_now
from transforms.location.locate import locate
from transforms.outlook.backtest import windows_of
from transforms.outlook.cash import HORIZONS


def read_inputs(
    con: duckdb.DuckDBPyConnection, known: int, *, as_of: date, settings: Settings, until: int | None = None
) -> Inputs:
    """Read all but the terms as known at load `known`, and decide which plans exist and which money belongs to them.

    What was expected before is that of runs before run number `until`, where one is repeated.

    Raises:
        SettingsError: the file of pauses names a plan that is not known, or that several tenants have.
    """
    plans, accounts = images.plans(con, known), images.accounts(con, known)
    plan_accounts = images.plan_accounts(con, known)
    completeness, balances = images.completeness(con, known), images.creation_balances(con, known)
    options = settings.options()
    located = locate(
        plans,
        images.payments(con, known),
        plan_accounts,
        as_of=as_of,
        options=options,
        links=images.links(con, known),
        accounts=accounts,
    )
    changes = shown_by_now(
        writes.intents(con),
        plans,
        completeness,
        writes.provider_clocks(con, known),
        as_of=as_of,
        known_at=loaded_at(con, known),
        zone=settings.run.timezone,
    )
    runs = earlier_runs(con, as_of=as_of, known=known, until=until)
    windows = windows_of([run.as_of for run in runs], HORIZONS, as_of)
    given = read_pauses(settings.run.pauses_file)
    return Inputs(
        known=known,
        as_of=as_of,
        options=options,
        conventions=settings.conventions(),
        calendars=settings.calendars(),
        rules=settings.outcome_rules(),
        pauses=pauses_of(given, images.pauses(con, known), plans, stops=settings.run.pauses == "STOP"),
        plans=located.plans,
        payments=located.payments,
        accounts=accounts,
        plan_accounts=plan_accounts,
        policies=images.policies(con, known),
        orphans=_existing(images.orphans(con, known), located.payments),
        integrity=images.integrity(con, known),
        completeness=completeness,
        rows=images.current_rows(con, known),
        plan_facts=images.plan_facts(con, known, balances),
        term_changes=images.term_changes(con, known),
        plan_rules=_going_on(images.plan_rules(con, known, balances), plans),
        custom_terms=images.custom_terms(con, known),
        changes=changes,
        agreed_terms=writes.agreed_terms(con),
        named_links=_named(plan_accounts, plans, accounts),
        own_customers=customers_of(read_customers(settings.run.customers_file)),
        windows=windows,
        forecasts=forecasts(con, runs, windows),
    )


def _named(links: pl.DataFrame, plans: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the links of plans and accounts by the providers' own ids."""
    return (
        links.join(plans.select("plan_no", *WHO, "plan_id"), on="plan_no", how="inner", validate="m:1")
        .join(accounts.select("account_no", "account_id", "reference"), on="account_no", how="inner", validate="m:1")
        .select(*WHO, "plan_id", "account_id", "linked_on", "reference")
    )


def _going_on(rules: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Return the rules of plans that still go on, with their calendar.

    A provider takes terms away when a plan ends, so what an ended plan once showed may never have been seen. No
    provider names its closed days either: its plans avoid those of its section.
    """
    going_on = plans.filter(pl.all_horizontal(pl.col("ended_on", "deactivated_on", "deleted_on").is_null()))
    own = rules.join(going_on.select("plan_no"), on="plan_no", how="semi")
    return own.with_columns(calendar=pl.coalesce("calendar", "convention_set"))


def _existing(orphans: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Return the orphans of the as-of date: a payment that does not exist yet cannot be one."""
    named = orphans.filter(pl.col("payment_id").is_not_null())
    there = payments.filter(pl.col("payment_id").is_in(named["payment_id"].implode()))
    known = named.join(there, on=[*WHO, "payment_id"], how="semi")
    return pl.concat([orphans.filter(pl.col("payment_id").is_null()), known])
