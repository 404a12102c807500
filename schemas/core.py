"""What a row of the core model means: the place where providers stop existing.

Money is Int64 minor units of the row's currency, dates are civil dates in the
provider's zone. Results of the computation are in `results.py`.
"""

from schemas.table import Table

WHO = ("provider", "tenant_id")

PLANS = Table(
    name="plans",
    grain="One row per plan, as its newest version known says",
    columns=(
        "plan_no",
        *WHO,
        "plan_id",
        "account_no",
        "account_id",
        "customer_id",
        "currency",
        "basis",
        "created_on",
        "created_at",
        "updated_on",
        "proposed_on",
        "approved_on",
        "rejected_on",
        "deactivated_on",
        "deleted_on",
        "ended_on",
        "inactive_at",
        "removed_on",
        "is_active",
        "stated_total_minor",
        "provider_amount_due_minor",
        "cadence",
        "anchor_day",
    ),
    key=("plan_no",),
    required=frozenset({"plan_id"}),
)
TERMS = Table(
    name="terms",
    grain="One row per term of a plan, as its newest version known says",
    columns=(
        "plan_no",
        "term_id",
        "term_sequence",
        "nominal_due_date",
        "due_date",
        "amount_minor",
        "provider_outstanding_minor",
        "provider_paid_on",
        "updated_on",
        "removed_on",
        "linked_payment_no",
        "told_on",
    ),
    key=("plan_no", "term_id"),
)
PAYMENTS = Table(
    name="payments",
    grain="One row per payment and account it paid on, as its newest version known says",
    columns=(
        "payment_no",
        *WHO,
        "payment_id",
        "account_no",
        "account_id",
        "plan_no",
        "currency",
        "amount_minor",
        "effective_date",
        "effective_at",
        "created_on",
        "planned_on",
        "class",
        "provider_status",
        "reversed_on",
        "reversed_at",
        "reversed_amount_minor",
        "fees_minor",
        "is_money",
        "is_reversal_amount_known",
        "removed_on",
        "told_on",
    ),
    key=("payment_no",),
    required=frozenset({"payment_id"}),
    optional=frozenset({"plan_no"}),
)
ACCOUNTS = Table(
    name="accounts",
    grain="One row per account, as its newest version known says",
    columns=(
        "account_no",
        *WHO,
        "account_id",
        "parent_account_no",
        "customer_id",
        "currency",
        "kind_of_account",
        "reference",
        "account_status",
        "balance_minor",
        "account_total_minor",
        "account_amount_due_minor",
        "account_due_date",
        "is_stopped",
        "active_plan_no",
        "updated_on",
        "removed_on",
    ),
    key=("account_no",),
    required=frozenset({"account_id"}),
)
PLAN_ACCOUNTS = Table(
    name="plan_accounts",
    grain="One row per plan and account it was ever seen to cover",
    columns=("plan_no", "account_no", "linked_on"),
    key=("plan_no", "account_no"),
    required=frozenset({"linked_on"}),
)
POLICIES = Table(
    name="policies",
    grain="One row per account that the provider gives a plan policy for",
    columns=(
        "account_no",
        *WHO,
        "account_id",
        "currency",
        "allow_due_day",
        "enforce_due_date",
        "day_due",
        "plan_type",
        "default_monthly_minor",
        "initial_balance_minor",
        "maximum_term",
        "restricted_override_minimum_minor",
        "tiers",
        "updated_on",
    ),
    key=("account_no",),
    required=frozenset({"account_id"}),
)
PLAN_FACTS = Table(
    name="plan_facts",
    grain="One row per plan, with what policies are held against beside the plan's own row",
    columns=(
        "plan_no",
        "currency",
        "plan_type",
        "fires_on_due_day",
        "is_partial",
        "balance_at_creation_minor",
        "was_gone_on",
    ),
    key=("plan_no",),
)
TERM_CHANGES = Table(
    name="term_changes",
    grain="One row per term whose day or amount changed, or that came or went, after its plan was agreed",
    columns=(
        "plan_no",
        "term_id",
        "was_due_date",
        "was_amount_minor",
        "now_due_date",
        "now_amount_minor",
        "changed_on",
    ),
    key=("plan_no", "term_id"),
    required=frozenset({"changed_on"}),
)
PAUSES = Table(
    name="pauses",
    grain="One row per plan and time in which it is paused; times of one plan may overlap",
    columns=("plan_no", "pause_start", "pause_end"),
    key=(),
)
ORPHANS = Table(
    name="orphans",
    grain="One row per payment or term that names something no complete fetch has shown",
    columns=(*WHO, "payment_id", "term_id", "plan_id", "account_id", "names", "currency", "amount_minor"),
    key=(),
    optional=frozenset({"currency"}),
)
INTEGRITY = Table(
    name="integrity",
    grain="One row per provider, tenant, entity and currency of the last fetch known",
    columns=(
        *WHO,
        "entity",
        "break_currency",
        "fetched",
        "accepted",
        "quarantined",
        "deduplicated",
        "unreadable",
        "amount_fetched_minor",
        "amount_accepted_minor",
        "amount_quarantined_minor",
        "amount_deduplicated_minor",
        "complete",
        "fresh_at",
    ),
    key=(),
)

CORE = (
    *(PLANS, TERMS, PAYMENTS, ACCOUNTS, PLAN_ACCOUNTS, POLICIES, PLAN_FACTS, TERM_CHANGES),
    *(PAUSES, ORPHANS, INTEGRITY),
)
"""Every core table."""
