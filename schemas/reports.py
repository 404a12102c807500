"""The shape of every report, once: columns, order of rows, and what the warehouse keeps of it.

Files, tables of `out`, views and lists of reports are made from here. Type and meaning of a
column come from `schemas.columns`; here are only names as readers see them. How a cell is
written does not belong here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

import polars as pl

from schemas.columns import COLUMNS


class Kind(Enum):
    """How a column is written; the value is its type in Parquet."""

    TEXT = pl.String()
    DATE = pl.Date()
    INSTANT = pl.Datetime("us", "UTC")
    FLAG = pl.Boolean()
    COUNT = pl.Int64()
    MONEY = pl.Decimal(20, 4)
    RATIO = pl.Decimal(20, 6)
    TIERS = pl.List(
        pl.Struct(
            {
                "minimum": pl.Decimal(20, 4),
                "maximum": pl.Decimal(20, 4),
                "payment_count": pl.Int64(),
                "restricted_minimum": pl.Decimal(20, 4),
            }
        )
    )


_PLAIN = {pl.String(): Kind.TEXT, pl.Date(): Kind.DATE, pl.Boolean(): Kind.FLAG, pl.Int64(): Kind.COUNT}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report: its name, its kind, and the frame column it is read from."""

    name: str
    kind: Kind
    source: str


@dataclass(frozen=True, eq=False)
class Report:
    """One report: `shown` has its columns in the order readers rely on, `key` orders its rows.

    Both are names between blanks, after as-of date, provider and tenant, which every report begins with.
    `renamed` maps a shown name to the frame's, before any unit suffix; `told_as` one to the column whose meaning
    readers are told instead of its own. `blocks` names an integer of the frame that is equal exactly where all of
    the key but its last column is, which makes sorting cheap. `has_csv` is false for tables that exist as Parquet
    only. `beside` names columns that its view has at its end and its files have not: each is read from the first of the
    named tables that knows it, `plans` or `accounts`. The warehouse keeps the rows of every run where `is_recorded`, else no more than the shape;
    where `by_run` names columns, those of every run, and the rest of a row once for all the runs that showed it alike.
    """

    name: str
    grain: str
    shown: str
    by: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    told_as: Mapping[str, str] = field(default_factory=dict)
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocks: str | None = None
    has_csv: bool = True
    is_recorded: bool = False
    by_run: str = ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns, in order."""
        return ("as_of", "provider", "tenant_id", *self.shown.split())

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Return the columns that rows are sorted by."""
        return ("provider", "tenant_id", *self.by.split())

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns, in order."""
        return tuple(_column(name, self.renamed.get(name, name)) for name in self.names)

    def of_kind(self, kind: Kind) -> list[str]:
        """Return the shown names of one kind, in order."""
        return [column.name for column in self.columns if column.kind is kind]


def _column(name: str, source: str) -> Column:
    if f"{source}_minor" in COLUMNS:
        return Column(name, Kind.MONEY, f"{source}_minor")
    if f"{source}_ppm" in COLUMNS:
        return Column(name, Kind.RATIO, f"{source}_ppm")
    dtype = COLUMNS[source].dtype
    if isinstance(dtype, pl.Datetime):
        return Column(name, Kind.INSTANT, source)
    return Column(name, Kind.TIERS if isinstance(dtype, pl.List) else _PLAIN[dtype], source)


_REPORTS = (
    Report(
        "plans",
        "One row per plan that exists on the as-of date",
        "plan_id account_id customer_id currency status flags outcome basis "
        "terms terms_satisfied missed_terms delinquent_terms "
        "amount received outstanding amount_due overdue overdue_past_grace due_today not_due unapplied pending "
        "coverage days_past_due days_past_due_business shadow_days_past_due mba_months ots_months bucket "
        "oldest_unpaid_due_date next_due_date next_due_amount provider_amount_due conformance "
        "is_in_force waived fresh_pending stated_total provider_outstanding created_on updated_on missing_input "
        "replaced_by_plan_id bucket_no reference broken_at cured_at redefaulted_at kept_so_far unapplied_since "
        "last_receipt_date work_lists last_due_date own_customer",
        by="plan_id",
    ),
    Report(
        "terms",
        "One row per term of a plan that exists on the as-of date",
        "plan_id term_id term_no flags nominal_due_date due_date currency "
        "amount waived received outstanding pending provider_outstanding state satisfied_on days_late "
        "expected_due_date expected_amount",
        by="plan_id term_no",
        beside={"customer_id": ("plans",), "reference": ("plans",), "is_in_force": ("plans",)},
        blocks="plan_no",
    ),
    Report(
        "payments",
        "One row per payment and account it paid on",
        "payment_id plan_id account_id currency amount effective_date class provider_status "
        "reversed_on reversed_amount allocated created_on counts_from is_money is_stale pending_business_days "
        "is_provisional",
        by="payment_id plan_id account_id",
        told_as={"plan_id": "payment_plan_id", "is_in_force": "plan_in_force"},
        beside={
            "customer_id": ("accounts", "plans"),
            "reference": ("accounts", "plans"),
            "is_in_force": ("plans",),
        },
    ),
    Report(
        "breaks",
        "One row per disagreement, with its life over the runs",
        "plan_id term_id payment_id account_id code reason side kind severity state expected actual "
        "difference difference_days currency first_seen age_days fingerprint explanation reference "
        "owner accepted_because expires_on maximum",
        by="plan_id term_id payment_id account_id code reason side fingerprint",
        renamed={"state": "break_state", "currency": "break_currency"},
        told_as={"is_in_force": "plan_in_force"},
        beside={"customer_id": ("plans", "accounts"), "is_in_force": ("plans",)},
        is_recorded=True,
        by_run="as_of severity state difference_days age_days",
    ),
    Report(
        "aging",
        "One row per provider, tenant, currency and delinquency bucket; plans in force only",
        "currency bucket plans terms amount_due overdue outstanding bucket_no",
        by="currency bucket",
        told_as={"terms": "aged_terms"},
        is_recorded=True,
    ),
    Report(
        "aging_terms",
        "One row per provider, tenant, currency and bucket of the terms' own age; due, unsatisfied terms of plans in force",
        "currency bucket terms plans outstanding bucket_no",
        by="currency bucket",
        told_as={"terms": "aged_terms"},
        is_recorded=True,
    ),
    Report(
        "kept",
        "One row per provider, tenant, currency and look-back window",
        "currency window_days evaluated kept partly_kept broken kept_rate_count kept_rate_amount "
        "firm_kept firm_kept_rate_count firm_kept_rate_amount",
        by="currency window_days",
        is_recorded=True,
    ),
    Report(
        "roll",
        "One row per provider, tenant, currency, earlier date and pair of buckets",
        "currency from_as_of from_bucket to_bucket plans opening from_bucket_no to_bucket_no "
        "roll_rate_count roll_rate_amount cure_rate_count cure_rate_amount",
        by="currency from_as_of from_bucket to_bucket",
        is_recorded=True,
    ),
    Report(
        "cash",
        "One row per provider, tenant, currency and horizon; today is horizon 0",
        "currency horizon_days scheduled arrears pending_covered risk_adjusted rate rate_from rate_terms "
        "backtest_as_of backtest_forecast backtest_received backtest_error",
        by="currency horizon_days",
        is_recorded=True,
    ),
    Report(
        "exposure",
        "One row per provider, tenant, currency and measure",
        "currency metric plans amount share",
        by="currency metric",
        told_as={"plans": "exposed"},
        is_recorded=True,
    ),
    Report(
        "integrity",
        "One row per provider, tenant, entity and currency of the last fetch",
        "entity currency fetched accepted quarantined deduplicated amount_fetched amount_accepted amount_quarantined "
        "complete fresh_at unreadable amount_deduplicated",
        by="entity currency",
        renamed={"currency": "break_currency"},
        is_recorded=True,
    ),
    Report(
        "accounts",
        "One row per account, as its newest version known says",
        "account_id customer_id currency kind status balance amount_due due_date is_stopped updated_on reference",
        by="account_id",
        renamed={
            "kind": "kind_of_account",
            "status": "account_status",
            "amount_due": "account_amount_due",
            "due_date": "account_due_date",
        },
        has_csv=False,
    ),
    Report(
        "policies",
        "One row per account that the provider gives a plan policy for",
        "account_id currency allow_due_day enforce_due_date day_due plan_type default_monthly initial_balance "
        "maximum_term restricted_override_minimum tiers updated_on",
        by="account_id",
        has_csv=False,
    ),
    Report(
        "plan_accounts",
        "One row per plan and account it was ever seen to cover",
        "plan_id account_id linked_on reference",
        by="plan_id account_id",
        told_as={"is_in_force": "plan_in_force"},
        beside={"customer_id": ("plans", "accounts"), "is_in_force": ("plans",)},
        has_csv=False,
    ),
)

REPORTS: Mapping[str, Report] = {report.name: report for report in _REPORTS}
"""Every table of a run folder, by name. Each is written in every run, if only its header."""

RECORDED = tuple(report.name for report in _REPORTS if report.is_recorded)
"""Reports that the warehouse keeps for every run."""
