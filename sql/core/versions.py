"""Append one tenant's admitted rows to the versions of the core, in one transaction.

A version is written once and never changed. How versions are compared and
stored is in `history.py`, what a fetch no longer shows in `absence.py`, counts
and watermarks in `ledger.py`; what the core looked like at a load in `images.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import duckdb
import polars as pl

from schemas.intake import Admitted
from sql.connection import lent, transaction
from sql.conservation import check_counts, check_unique, counted, kept_counts
from sql.core import absence, ledger
from sql.core.first_facts import with_first_facts_of_payments, with_first_facts_of_plans
from sql.core.history import ACCOUNTS, PAYMENTS, PLANS, POLICIES, TERMS, Shape, append_versions, current, differing
from sql.core.keys import Tenant, append, number_all
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


class _Keeper:
    """Stores one load: part by part what it shows, then the links told and the end of what it shows no longer."""

    def __init__(self, con: duckdb.DuckDBPyConnection, tenant: Tenant, load: Load, admitted: Admitted) -> None:
        self.con = con
        self.tenant = tenant
        self.load = load
        self.admitted = admitted
        self.deletions = admitted.accepted["deletions"]
        self._shown: dict[Shape, list[pl.DataFrame]] = {shape: [] for shape in (ACCOUNTS, PAYMENTS, PLANS, TERMS)}
        self._told: list[pl.DataFrame] = []
        self._has_new_accounts = False
        self._accounts_named: list[pl.DataFrame] = []
        self._deleted: dict[str, pl.DataFrame] = {}

    def keep(self) -> pl.DataFrame:
        """Store everything; return `sql.conservation.KEPT` of the accepted rows."""
        kept = [self._keep_part(part, is_first=number == 0) for number, part in enumerate(self.admitted.parts())]
        self._end(ACCOUNTS, "accounts", "account_id", self._gone_accounts)
        self._end(PAYMENTS, "payments", "payment_id", self._gone_payments)
        self._links()
        self._end(PLANS, "plans", "plan_id", self._gone_plans)
        if self._sweep_of_terms:
            self._end_terms(self._sweep_of_terms)
        return pl.concat(kept)

    def _keep_part(self, accepted: Mapping[str, pl.DataFrame], *, is_first: bool) -> pl.DataFrame:
        terms = accepted["terms"].with_columns(pl.col("plan_id").fill_null(NO_PLAN))
        terms = terms.drop("source", "page_no", "position")  # what a term's versions do not say
        frames = {**accepted, "terms": terms}
        numbers = number_all(self.con, replace(self.tenant, is_first=self.tenant.is_first and is_first), frames)
        if is_first:
            kinds = {"accounts": "account", "payments": "payment", "plans": "plan"}
            self._deleted = {name: numbers.of_deletions(self.deletions, name, kind) for name, kind in kinds.items()}
        self._accounts_named.append(numbers.accounts)
        # Rows of a large part are hundreds of MB: those of one entity at a time, and of each only what is counted stays.
        accounts, plans, links = (numbers.beside(frames[name]) for name in ("accounts", "plans", "plan_accounts"))
        kept = {
            "accounts": _counted(*self._accounts(accounts)),
            "policies": _counted(*self._policies(numbers.beside(frames["policies"]))),
            "payments": _counted(*self._payments(numbers.beside(frames["payments"]))),
            "customers": _counted(*self._customers(frames["customers"])),
            "plans": _counted(*self._plans(plans)),
            "terms": _counted(*self._terms(numbers.beside(terms), plans)),
        }
        self._has_new_accounts |= not kept["accounts"][1].is_empty()
        self._told += [
            plans.select("plan_no", "account_no"),
            accounts.select(pl.col("active_plan_no").alias("plan_no"), "account_no"),
            links.select("plan_no", "account_no"),
        ]
        return kept_counts(kept)

    @property
    def _sweep_of_terms(self) -> str | None:
        """The sweep that brings terms, where they come in one of their own."""
        return min(sweeps_of(self.load.provider, "terms") - sweeps_of(self.load.provider, "plans"), default=None)

    def _accounts(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if rows.is_empty():
            return rows, rows
        rows = self._with_deletion(rows, "accounts", "account_id").with_columns(removed_on="deletion")
        return rows, self._append(ACCOUNTS, differing(ACCOUNTS, rows, self._stored(ACCOUNTS, rows)))

    def _policies(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if rows.is_empty():
            return rows, rows
        return rows, self._append(POLICIES, differing(POLICIES, rows, self._stored(POLICIES, rows)))

    def _payments(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if rows.is_empty():
            return rows, rows
        rows = self._with_deletion(rows, "payments", "payment_id").with_columns(removed_on="deletion")
        stored = self._stored(PAYMENTS, rows)
        rows = with_first_facts_of_payments(rows, stored, self.load)
        return rows, self._append(PAYMENTS, differing(PAYMENTS, rows, stored))

    def _plans(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if rows.is_empty():
            return rows, rows
        rows = self._with_deletion(rows, "plans", "plan_id")
        stored = self._stored(PLANS, rows)
        rows = with_first_facts_of_plans(rows, stored, self.load)
        return rows, self._append(PLANS, differing(PLANS, rows, stored))

    def _terms(self, rows: pl.DataFrame, plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Store terms, and with terms that come within their plan the end of those it shows no longer.

        Of terms that come in a sweep of their own the id alone identifies them, they may change plans.
        """
        if rows.is_empty() and plans.is_empty():
            return rows, rows
        rows = rows.with_columns(removed_on=pl.lit(None, pl.Date))
        if self._sweep_of_terms:
            self._shown[TERMS].append(rows.select("term_id"))
            stored = current(self.con, TERMS, self.tenant, only=rows.select("term_id"))
            return rows, self._append(TERMS, differing(TERMS, rows, stored, on=("term_id",)))
        stored = current(self.con, TERMS, self.tenant, only=plans.select("plan_no"))
        rest = absence.left_out(stored, rows, TERMS.key).filter(pl.col("removed_on").is_null())
        changed_on = plans.select("plan_no", "updated_on").rename({"updated_on": "plan_updated_on"})
        day = pl.min_horizontal("plan_updated_on", pl.lit(self.load.fetched_on))
        gone = rest.join(changed_on, on="plan_no", how="left", maintain_order="left").with_columns(removed_on=day)
        return rows, self._append(TERMS, differing(TERMS, rows, stored), gone)

    def _end(self, shape: Shape, entity: str, natural: str, gone: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Store the end of the rows that no part showed: deleted ones, and absent ones where everything was asked for."""
        is_full = bool(sweeps_of(self.load.provider, entity) & self.load.full_sweeps)
        deleted = self._deleted[entity]
        if self.tenant.is_first or not (is_full or deleted.height):
            return
        shown = pl.concat(self._shown[shape]) if self._shown[shape] else deleted.clear()
        rest = current(self.con, shape, self.tenant, only=None if is_full else deleted, but=shown)
        if rest.is_empty():
            return
        rest = absence.with_deletion(rest, self.deletions, entity=entity, natural=natural)
        rest = absence.absent(rest, self.admitted, self.load, entity=entity, natural=natural)
        self._append(shape, gone(rest))

    def _gone_accounts(self, rest: pl.DataFrame) -> pl.DataFrame:
        return absence.removed(rest.filter(pl.col("source") != absence.BY_ACCOUNT), self.load)

    def _gone_payments(self, rest: pl.DataFrame) -> pl.DataFrame:
        was_asked = (pl.col("source") != absence.BY_ACCOUNT) | pl.col("account_no").is_in(self._asked().implode())
        return absence.removed(rest.with_columns(is_absent=pl.col("is_absent") & was_asked), self.load)

    def _gone_plans(self, rest: pl.DataFrame) -> pl.DataFrame:
        over = rest.clear()
        if absence.BY_ACCOUNT in self.load.full_sweeps:
            named = current(self.con, ACCOUNTS, self.tenant)["active_plan_no"].drop_nulls()
            over = absence.ended(rest, self.load, named=named, asked=self._plans_of(self._asked()))
        return pl.concat([absence.vanished(rest, self.load), over])

    def _end_terms(self, sweep: str) -> None:
        """Store the end of terms that a sweep of their own for everything did not show."""
        if self.tenant.is_first or sweep not in self.load.full_sweeps:
            return
        shown = pl.concat(self._shown[TERMS]) if self._shown[TERMS] else pl.DataFrame(schema={"term_id": pl.String})
        rest = current(self.con, TERMS, self.tenant, but=shown).with_columns(source=pl.lit(sweep))
        rest = rest.with_columns(deletion=pl.lit(None, pl.Date))
        rest = absence.absent(rest, self.admitted, self.load, entity="terms", natural="term_id")
        self._append(TERMS, absence.removed(rest, self.load))

    def _with_deletion(self, rows: pl.DataFrame, entity: str, natural: str) -> pl.DataFrame:
        """Return the rows with the day of the provider's deletion, unless the row was changed after it."""
        marked = absence.with_deletion(rows, self.deletions, entity=entity, natural=natural)
        if "updated_on" not in marked.columns:
            return marked
        is_later = pl.col("updated_on") > pl.col("deletion")
        return marked.with_columns(deletion=pl.when(~is_later.fill_null(value=False)).then("deletion"))

    def _stored(self, shape: Shape, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the stored rows of the keys that came, which are noted as shown."""
        keys = rows.select(shape.key)
        if shape in self._shown:
            self._shown[shape].append(keys)
        return current(self.con, shape, self.tenant, only=keys)

    def _append(self, shape: Shape, changed: pl.DataFrame, gone: pl.DataFrame | None = None) -> pl.DataFrame:
        columns = ["row_no", *shape.stored]
        both = changed.select(columns)
        if gone is not None and gone.height:
            both = pl.concat([both, gone.select(columns)], how="vertical_relaxed")
        check_unique(both, shape.key, what=shape.kind, where=f"{self.load.provider}/{self.load.tenant_id}")
        order = _TERM_ORDER if shape is TERMS else shape.key
        append_versions(self.con, shape, self.tenant, both.sort(order, nulls_last=True))
        return changed

    def _asked(self) -> pl.Series:
        """Return the accounts this fetch asked for, good or not."""
        seen = self.admitted.seen.filter(pl.col("entity") == "accounts").select(pl.col("key").alias("account_id"))
        return seen.join(pl.concat(self._accounts_named).unique(), on="account_id")["account_no"]

    def _plans_of(self, accounts: pl.Series) -> pl.Series:
        links: pl.DataFrame = self.con.sql("SELECT plan_no, account_no FROM core.plan_links").pl()
        return links.filter(pl.col("account_no").is_in(accounts.implode()))["plan_no"].unique()

    def _links(self) -> None:
        """Store every link between plan and account that was not seen before, also one through a credit case.

        Links through a case rest on accounts alone: without a new version of one there is none that was not seen.
        """
        told = self._told
        if self._has_new_accounts:
            told.append(self.con.sql(statements("queries/links_by_case.sql"), params=self.tenant.who).pl())
        every = pl.concat(told).drop_nulls().unique()
        if every.is_empty():
            return
        fresh = every if self.tenant.is_first else every.join(self._known(every), on=every.columns, how="anti")
        seen_on = {"load_no": pl.lit(self.tenant.load_no, pl.Int64), "linked_on": pl.lit(self.load.fetched_on)}
        append(self.con, "plan_links", fresh.sort("plan_no", "account_no").with_columns(**seen_on))

    def _known(self, links: pl.DataFrame) -> pl.DataFrame:
        query = "SELECT plan_no, account_no FROM core.plan_links SEMI JOIN told USING (plan_no, account_no)"
        with lent(self.con, {"told": links}):
            known: pl.DataFrame = self.con.sql(query).pl()
        return known

    def _customers(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Store every change of a customer's pause; nothing else of a customer is stored."""
        if rows.is_empty():
            return rows, rows
        with lent(self.con, {"shown": rows}):
            known = self.con.sql(statements("queries/newest_pauses.sql"), params=self.tenant.who).pl()
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
