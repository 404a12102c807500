"""Append one tenant's admitted rows to the versions of the core, in one transaction.

A version is written once and never changed. How versions are compared and
stored is in `history.py`, what a fetch no longer shows in `absence.py`, counts
and watermarks in `ledger.py`; what the core looked like at a load in `images.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from schemas.intake import Admitted
from sql.connection import transaction
from sql.conservation import check_counts, check_unique, counted
from sql.core import absence, ledger
from sql.core.first_facts import with_first_facts_of_payments, with_first_facts_of_plans
from sql.core.history import ACCOUNTS, PAYMENTS, PLANS, POLICIES, TERMS, Shape, append_versions, current, differing
from sql.core.keys import Numbers, Tenant, append, number_all
from sql.core.loads import Load, LoadReport, sweeps_of
from sql.kept import write_kept
from sql.scripts import statements

NO_PLAN = ""
"""Id of the plan to which terms without a plan belong; it has no versions, so no image shows it."""

_TERM_ORDER = ("plan_no", "due_date", "term_sequence", "term_id")


def commit_load(
    con: duckdb.DuckDBPyConnection,
    load: Load,
    admitted: Admitted,
    *,
    pages: pl.DataFrame,
    rows: pl.DataFrame,
    unknown_fields: Mapping[tuple[str, str], int] | None = None,
    carried: Mapping[tuple[str, str], tuple[int, int]] | None = None,
    replayed: pl.DataFrame | None = None,
    kept_runs: pl.DataFrame | None = None,
) -> LoadReport:
    """Make one load known: versions, closures, tombstones, counts and watermarks commit together or not at all.

    A load id that was committed before changes nothing.

    Args:
        con: The warehouse, opened for writing.
        load: Who, when, and how each sweep went.
        admitted: What `transforms.intake.admit.admit` returned.
        pages: page_no, sweep, entity, sha256, rows: where the bytes lie.
        rows: page_no, position, row_hash of the rows that stay out; others are not kept.
        unknown_fields: (page entity, field) to the number of rows that had it.
        replayed: page_no, position, refused_load_no of rows refused before, for a load that brings these in.
        carried: (page entity, field that may be left out) to how many rows could have it and how many did.
        kept_runs: `sql.kept.RUNS` of the pages that were not read; the counts of `admitted` have their rows.

    Raises:
        ConservationError: fetched is not accepted + quarantined + deduplicated.
    """
    earlier = ledger.report_of(con, load.load_id)
    if earlier is not None:
        return earlier
    with transaction(con):
        tenant = ledger.next_load(con, load)
        kept = _Keeper(con, tenant, load, admitted).keep()
        counts = counted(con, load, admitted, kept)
        check_counts(counts, where=f"{load.provider}/{load.tenant_id} load {tenant.load_no}")
        ledger.write(
            con, tenant, load, admitted, counts, pages=pages, unknown_fields=unknown_fields or {}, carried=carried or {}
        )
        ledger.write_raw(con, tenant, pages=pages, rows=rows, rejects=admitted.rejects)
        write_kept(con, tenant.load_no, admitted.page_counts, pl.DataFrame() if kept_runs is None else kept_runs)
        if replayed is not None:
            ledger.write_replayed(con, tenant, replayed)
    return LoadReport(tenant.load_no, is_new=True, counts=counts)


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Stores one load.

    Each step returns the accepted rows and, of those, the ones that were new or
    changed, both with `currency` and `money_minor`, which alone are counted.
    """

    con: duckdb.DuckDBPyConnection
    tenant: Tenant
    load: Load
    admitted: Admitted

    def keep(self) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
        terms = self.admitted.accepted["terms"].with_columns(pl.col("plan_id").fill_null(NO_PLAN))
        terms = terms.drop("source", "page_no", "position")  # what a term's versions do not say
        frames = {**self.admitted.accepted, "terms": terms}
        numbers = number_all(self.con, self.tenant, frames)
        # Rows of a large tenant are hundreds of MB: those of one entity at a time, and of each only what is counted stays.
        accounts, plans, links = (numbers.beside(frames[name]) for name in ("accounts", "plans", "plan_accounts"))
        kept = {
            "accounts": _counted(*self._accounts(accounts, numbers)),
            "policies": _counted(*self._policies(numbers.beside(frames["policies"]))),
            "payments": _counted(*self._payments(numbers.beside(frames["payments"]), numbers)),
        }
        self._links(plans, accounts, links, has_new_accounts=not kept["accounts"][1].is_empty())
        kept["customers"] = _counted(*self._customers(frames["customers"]))
        kept["plans"] = _counted(*self._plans(plans, numbers))
        kept["terms"] = _counted(*self._terms(numbers.beside(terms), plans))
        return kept

    def _is_idle(self, entity: str, rows: pl.DataFrame) -> bool:
        """Tell whether nothing came of an entity and nothing of it can be gone, so that nothing stored is looked at."""
        if not rows.is_empty() or sweeps_of(self.load.provider, entity) & self.load.full_sweeps:
            return False
        return not self.admitted.accepted["deletions"]["entity"].eq(entity).any()

    def _accounts(self, rows: pl.DataFrame, numbers: Numbers) -> tuple[pl.DataFrame, pl.DataFrame]:
        if self._is_idle("accounts", rows):
            return rows, rows
        rows = self._with_deletion(rows, "accounts", "account_id").with_columns(removed_on="deletion")
        stored = self._stored(ACCOUNTS, "accounts", rows, numbers)
        rest = self._rest(ACCOUNTS, stored, rows, entity="accounts", natural="account_id")
        gone = absence.removed(rest.filter(pl.col("source") != absence.BY_ACCOUNT), self.load)
        return rows, self._append(ACCOUNTS, differing(ACCOUNTS, rows, stored), gone)

    def _policies(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if rows.is_empty():
            return rows, rows
        stored = current(self.con, POLICIES, self.tenant, only=rows.select("account_no"))
        return rows, self._append(POLICIES, differing(POLICIES, rows, stored), stored.clear())

    def _payments(self, rows: pl.DataFrame, numbers: Numbers) -> tuple[pl.DataFrame, pl.DataFrame]:
        if self._is_idle("payments", rows):
            return rows, rows
        rows = self._with_deletion(rows, "payments", "payment_id").with_columns(removed_on="deletion")
        stored = self._stored(PAYMENTS, "payments", rows, numbers)
        rows = with_first_facts_of_payments(rows, stored, self.load)
        rest = self._rest(PAYMENTS, stored, rows, entity="payments", natural="payment_id")
        if rest.height:
            asked = pl.col("account_no").is_in(self._asked(numbers).implode())
            was_asked = (pl.col("source") != absence.BY_ACCOUNT) | asked
            rest = rest.with_columns(is_absent=pl.col("is_absent") & was_asked)
        gone = absence.removed(rest, self.load)
        return rows, self._append(PAYMENTS, differing(PAYMENTS, rows, stored), gone)

    def _plans(self, rows: pl.DataFrame, numbers: Numbers) -> tuple[pl.DataFrame, pl.DataFrame]:
        if self._is_idle("plans", rows):
            return rows, rows
        rows = self._with_deletion(rows, "plans", "plan_id")
        stored = self._stored(PLANS, "plans", rows, numbers)
        rows = with_first_facts_of_plans(rows, stored, self.load)
        rest = self._rest(PLANS, stored, rows, entity="plans", natural="plan_id")
        accounts = current(self.con, ACCOUNTS, self.tenant) if absence.BY_ACCOUNT in self.load.full_sweeps else None
        over = rest.clear()
        if accounts is not None:
            named = accounts["active_plan_no"].drop_nulls()
            over = absence.ended(rest, self.load, named=named, asked=self._plans_of(self._asked(numbers)))
        gone = pl.concat([absence.vanished(rest, self.load), over])
        return rows, self._append(PLANS, differing(PLANS, rows, stored), gone)

    def _terms(self, rows: pl.DataFrame, plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if self._is_idle("terms", rows) and plans.is_empty():
            return rows, rows
        rows = rows.with_columns(removed_on=pl.lit(None, pl.Date))
        own_sweeps = sweeps_of(self.load.provider, "terms") - sweeps_of(self.load.provider, "plans")
        if own_sweeps:
            return self._terms_alone(rows, min(own_sweeps))
        stored = current(self.con, TERMS, self.tenant, only=plans.select("plan_no"))
        rest = absence.left_out(stored, rows, TERMS.key).filter(pl.col("removed_on").is_null())
        changed_on = plans.select("plan_no", "updated_on").rename({"updated_on": "plan_updated_on"})
        day = pl.min_horizontal("plan_updated_on", pl.lit(self.load.fetched_on))
        gone = rest.join(changed_on, on="plan_no", how="left", maintain_order="left").with_columns(removed_on=day)
        return rows, self._append(TERMS, differing(TERMS, rows, stored), gone)

    def _terms_alone(self, rows: pl.DataFrame, sweep: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Store terms that come in a sweep of their own: the id alone identifies them, they may change plans."""
        only = None if sweep in self.load.full_sweeps else rows.select("term_id")
        stored = current(self.con, TERMS, self.tenant, only=only).with_columns(source=pl.lit(sweep))
        rest = absence.left_out(stored, rows, ("term_id",)).with_columns(deletion=pl.lit(None, pl.Date))
        rest = absence.absent(rest, self.admitted, self.load, entity="terms", natural="term_id")
        gone = absence.removed(rest, self.load)
        return rows, self._append(TERMS, differing(TERMS, rows, stored, on=("term_id",)), gone)

    def _with_deletion(self, rows: pl.DataFrame, entity: str, natural: str) -> pl.DataFrame:
        """Return the rows with the day of the provider's deletion, unless the row was changed after it."""
        marked = absence.with_deletion(rows, self.admitted, entity=entity, natural=natural)
        if "updated_on" not in marked.columns:
            return marked
        is_later = pl.col("updated_on") > pl.col("deletion")
        return marked.with_columns(deletion=pl.when(~is_later.fill_null(value=False)).then("deletion"))

    def _stored(self, shape: Shape, entity: str, rows: pl.DataFrame, numbers: Numbers) -> pl.DataFrame:
        """Return the tenant's stored rows: all where absence may matter, else those that came or were deleted."""
        if sweeps_of(self.load.provider, entity) & self.load.full_sweeps:
            return current(self.con, shape, self.tenant)
        deleted = numbers.of_deletions(self.admitted.accepted["deletions"], entity, shape.kind)
        return current(self.con, shape, self.tenant, only=pl.concat([rows.select(shape.key), deleted]).unique())

    def _rest(
        self, shape: Shape, stored: pl.DataFrame, rows: pl.DataFrame, *, entity: str, natural: str
    ) -> pl.DataFrame:
        rest = absence.left_out(stored, rows, shape.key) if stored.height else stored
        rest = absence.with_deletion(rest, self.admitted, entity=entity, natural=natural)
        return absence.absent(rest, self.admitted, self.load, entity=entity, natural=natural)

    def _append(self, shape: Shape, changed: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
        columns = ["row_no", *shape.stored]
        both = pl.concat([changed.select(columns), gone.select(columns)], how="vertical_relaxed")
        check_unique(both, shape.key, what=shape.kind, where=f"{self.load.provider}/{self.load.tenant_id}")
        order = _TERM_ORDER if shape is TERMS else shape.key
        append_versions(self.con, shape, self.tenant, both.sort(order, nulls_last=True))
        return changed

    def _asked(self, numbers: Numbers) -> pl.Series:
        """Return the accounts this fetch asked for, good or not."""
        seen = self.admitted.seen.filter(pl.col("entity") == "accounts").select(pl.col("key").alias("account_id"))
        return seen.join(numbers.accounts, on="account_id")["account_no"]

    def _plans_of(self, accounts: pl.Series) -> pl.Series:
        links: pl.DataFrame = self.con.sql("SELECT plan_no, account_no FROM core.plan_links").pl()
        return links.filter(pl.col("account_no").is_in(accounts.implode()))["plan_no"].unique()

    def _links(
        self, plans: pl.DataFrame, accounts: pl.DataFrame, links: pl.DataFrame, *, has_new_accounts: bool
    ) -> None:
        """Store every link between plan and account that was not seen before, also one through a credit case.

        Links through a case rest on accounts alone: without a new version of one there is none that was not seen.
        """
        told = [
            plans.select("plan_no", "account_no"),
            accounts.select(pl.col("active_plan_no").alias("plan_no"), "account_no"),
            links.select("plan_no", "account_no"),
        ]
        if has_new_accounts:
            told.append(self.con.sql(statements("queries/links_by_case.sql"), params=self.tenant.who).pl())
        every = pl.concat(told).drop_nulls().unique()
        if every.is_empty():
            return
        fresh = every if self.tenant.is_first else every.join(self._known(every), on=every.columns, how="anti")
        seen_on = {"load_no": pl.lit(self.tenant.load_no, pl.Int64), "linked_on": pl.lit(self.load.fetched_on)}
        append(self.con, "plan_links", fresh.sort("plan_no", "account_no").with_columns(**seen_on))

    def _known(self, links: pl.DataFrame) -> pl.DataFrame:
        self.con.register("told", links)
        known: pl.DataFrame = self.con.sql(
            "SELECT plan_no, account_no FROM core.plan_links SEMI JOIN told USING (plan_no, account_no)"
        ).pl()
        self.con.unregister("told")
        return known

    def _customers(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Store every change of a customer's pause; nothing else of a customer is stored."""
        if rows.is_empty():
            return rows, rows
        self.con.register("shown", rows)
        known = self.con.sql(statements("queries/newest_pauses.sql"), params=self.tenant.who).pl()
        self.con.unregister("shown")
        both = rows.join(known, on="customer_id", how="left", validate="1:1", maintain_order="left")
        changed = both.filter(pl.col("paused_on").ne_missing(pl.col("was_paused_on"))).sort("customer_id")
        append(
            self.con,
            "customer_pauses",
            changed.select(
                pl.lit(self.tenant.load_no, pl.Int64).alias("load_no"),
                pl.lit(self.tenant.provider).alias("provider"),
                pl.lit(self.tenant.tenant_id).alias("tenant_id"),
                "customer_id",
                "paused_on",
                changed_on=pl.coalesce("updated_on", pl.lit(self.load.fetched_on)),
            ),
        )
        return rows, changed


def _counted(rows: pl.DataFrame, changed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    counted = ("currency", "money_minor")
    return rows.select(counted), changed.select(counted)
