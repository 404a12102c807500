"""Which columns each report shows, in which order, and by which key its rows are sorted.

Type and meaning of a column come from `schemas.columns`; here are only names as
readers see them. How a cell is written does not belong here.
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
    """One report: `names` in the order readers rely on, `key` for the order of rows.

    `renamed` maps a shown name to the frame's, before any unit suffix. `blocks` names an
    integer of the frame that is equal exactly where all of `key` but its last column is,
    which makes sorting cheap. `has_csv` is false for tables that exist as Parquet only.
    """

    name: str
    grain: str
    names: tuple[str, ...]
    key: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    blocks: str | None = None
    has_csv: bool = True

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


def _words(line: str) -> list[str]:
    return line.split()


_ALL = ("as_of", "provider", "tenant_id")

PLANS = Report(
    name="plans",
    grain="One row per plan that exists on the as-of date",
    names=(
        *_ALL,
        *_words("plan_id account_id customer_id currency status flags outcome basis"),
        *_words("terms terms_satisfied missed_terms delinquent_terms"),
        *_words(
            "amount received outstanding amount_due overdue overdue_past_grace due_today not_due unapplied pending"
        ),
        *_words("coverage days_past_due days_past_due_business shadow_days_past_due mba_months ots_months bucket"),
        *_words("oldest_unpaid_due_date next_due_date next_due_amount provider_amount_due conformance"),
        *_words(
            "is_in_force waived fresh_pending stated_total provider_outstanding created_on updated_on missing_input "
            "replaced_by_plan_id bucket_no reference"
        ),
    ),
    key=("provider", "tenant_id", "plan_id"),
)
TERMS = Report(
    name="terms",
    grain="One row per term of a plan that exists on the as-of date",
    names=(
        *_ALL,
        *_words("plan_id term_id term_no flags nominal_due_date due_date currency"),
        *_words("amount waived received outstanding pending provider_outstanding state satisfied_on days_late"),
        *_words("expected_due_date expected_amount"),
    ),
    key=("provider", "tenant_id", "plan_id", "term_no"),
    blocks="plan_no",
)
PAYMENTS = Report(
    name="payments",
    grain="One row per payment and account it paid on",
    names=(
        *_ALL,
        *_words("payment_id plan_id account_id currency amount effective_date class provider_status"),
        *_words("reversed_on reversed_amount allocated"),
        *_words("created_on counts_from is_money is_stale pending_business_days"),
    ),
    key=("provider", "tenant_id", "payment_id", "plan_id", "account_id"),
)
BREAKS = Report(
    name="breaks",
    grain="One row per disagreement, with its life over the runs",
    names=(
        *_ALL,
        *_words("plan_id term_id payment_id account_id code reason side kind severity state expected actual"),
        *_words("difference difference_days currency first_seen age_days fingerprint explanation reference"),
    ),
    key=(*_ALL[1:], *_words("plan_id term_id payment_id account_id code reason side fingerprint")),
    renamed={"state": "break_state", "currency": "break_currency"},
)
AGING = Report(
    name="aging",
    grain="One row per provider, tenant, currency and delinquency bucket; plans in force only",
    names=(*_ALL, *_words("currency bucket plans terms amount_due overdue outstanding bucket_no")),
    key=("provider", "tenant_id", "currency", "bucket"),
)
AGING_TERMS = Report(
    name="aging_terms",
    grain="One row per provider, tenant, currency and bucket of the terms' own age; due, unsatisfied terms of plans in force",
    names=(*_ALL, *_words("currency bucket terms plans outstanding bucket_no")),
    key=("provider", "tenant_id", "currency", "bucket"),
)
KEPT = Report(
    name="kept",
    grain="One row per provider, tenant, currency and look-back window",
    names=(
        *_ALL,
        *_words("currency window_days evaluated kept partly_kept broken kept_rate_count kept_rate_amount"),
    ),
    key=("provider", "tenant_id", "currency", "window_days"),
)
ROLL = Report(
    name="roll",
    grain="One row per provider, tenant, currency, earlier date and pair of buckets",
    names=(*_ALL, *_words("currency from_as_of from_bucket to_bucket plans opening from_bucket_no to_bucket_no")),
    key=("provider", "tenant_id", "currency", "from_as_of", "from_bucket", "to_bucket"),
)
CASH = Report(
    name="cash",
    grain="One row per provider, tenant, currency and horizon; today is horizon 0",
    names=(*_ALL, *_words("currency horizon_days scheduled arrears pending_covered risk_adjusted")),
    key=("provider", "tenant_id", "currency", "horizon_days"),
)
EXPOSURE = Report(
    name="exposure",
    grain="One row per provider, tenant, currency and measure",
    names=(*_ALL, *_words("currency metric plans amount share")),
    key=("provider", "tenant_id", "currency", "metric"),
)
INTEGRITY = Report(
    name="integrity",
    grain="One row per provider, tenant, entity and currency of the last fetch",
    names=(
        *_ALL,
        *_words("entity currency fetched accepted quarantined deduplicated"),
        *_words("amount_fetched amount_accepted amount_quarantined complete fresh_at"),
        *_words("unreadable amount_deduplicated"),
    ),
    key=("provider", "tenant_id", "entity", "currency"),
    renamed={"currency": "break_currency"},
)
ACCOUNTS = Report(
    name="accounts",
    grain="One row per account, as its newest version known says",
    names=(
        *_ALL,
        *_words(
            "account_id customer_id currency kind status balance amount_due due_date is_stopped updated_on reference"
        ),
    ),
    key=("provider", "tenant_id", "account_id"),
    renamed={
        "kind": "kind_of_account",
        "status": "account_status",
        "amount_due": "account_amount_due",
        "due_date": "account_due_date",
    },
    has_csv=False,
)
POLICIES = Report(
    name="policies",
    grain="One row per account that the provider gives a plan policy for",
    names=(
        *_ALL,
        *_words("account_id currency allow_due_day enforce_due_date day_due plan_type default_monthly initial_balance"),
        *_words("maximum_term restricted_override_minimum tiers updated_on"),
    ),
    key=("provider", "tenant_id", "account_id"),
    has_csv=False,
)
PLAN_ACCOUNTS = Report(
    name="plan_accounts",
    grain="One row per plan and account it was ever seen to cover",
    names=(*_ALL, *_words("plan_id account_id linked_on reference")),
    key=("provider", "tenant_id", "plan_id", "account_id"),
    has_csv=False,
)

REPORTS: Mapping[str, Report] = {
    report.name: report
    for report in (
        *(PLANS, TERMS, PAYMENTS, BREAKS, AGING, AGING_TERMS, KEPT, ROLL, CASH, EXPOSURE, INTEGRITY),
        *(ACCOUNTS, POLICIES, PLAN_ACCOUNTS),
    )
}
"""Every table of a run folder, by name. Each is written in every run, if only its header."""
