"""What a row of a computed table means.

Everything here depends on the as-of date and is never stored in the warehouse
except as a published result. Inputs are in `core.py`.
"""

from schemas.core import WHO
from schemas.table import Table

TERM_POSITIONS = Table(
    name="term_positions",
    grain="One row per term of a plan that exists on the as-of date",
    columns=(
        "plan_no", *WHO, "plan_id", "term_id", "term_no", "currency", "status", "basis", "flags", "nominal_due_date",
        "due_date", "amount_minor", "waived_minor", "received_minor", "outstanding_minor", "pending_minor",
        "fresh_pending_minor", "provider_outstanding_minor", "provider_paid_on", "tolerance_minor", "state", "is_satisfied",
        "satisfied_on", "days_late", "updated_on", "expected_due_date", "expected_amount_minor",
    ),
    key=("plan_no", "term_no"),
    required=frozenset({"plan_id", "term_id"}),
)
PLAN_POSITIONS = Table(
    name="plan_positions",
    grain="One row per plan that exists on the as-of date",
    columns=(
        "plan_no", *WHO, "plan_id", "account_no", "account_id", "customer_id", "currency", "status", "is_in_force", "flags",
        "outcome", "basis", "created_on", "updated_on", "proposed_on", "approved_on", "rejected_on", "deactivated_on",
        "is_active", "replaced_by_plan_no", "stated_total_minor", "terms", "terms_satisfied", "missed_terms",
        "delinquent_terms", "open_terms_due", "amount_minor", "waived_minor", "received_minor", "outstanding_minor", "amount_due_minor",
        "overdue_minor", "overdue_past_grace_minor", "due_today_minor", "not_due_minor", "unapplied_minor",
        "pending_minor", "fresh_pending_minor", "coverage_ppm", "days_past_due", "days_past_due_business",
        "shadow_days_past_due", "mba_months", "ots_months", "bucket", "oldest_unpaid_due_date", "next_due_date",
        "next_due_amount_minor", "provider_amount_due_minor", "provider_outstanding_minor",
        "linked_received_minor", "linked_recent_minor", "conformance",
    ),
    key=("plan_no",),
    required=frozenset({"plan_id"}),
)
PAYMENT_POSITIONS = Table(
    name="payment_positions",
    grain="One row per payment and account that exists on the as-of date",
    columns=(
        "payment_no", *WHO, "payment_id", "plan_no", "plan_id", "account_no", "account_id", "currency", "amount_minor",
        "effective_date", "created_on", "counts_from", "class", "provider_status", "reversed_on", "reversed_amount_minor",
        "allocated_minor", "is_money", "is_reversal_amount_known", "is_stale", "pending_business_days",
    ),
    key=("payment_no",),
    required=frozenset({"payment_id"}),
    optional=frozenset({"plan_no"}),
)
BREAKS = Table(
    name="breaks",
    grain="One row per disagreement a check found",
    columns=(
        *WHO, "plan_id", "term_id", "payment_id", "account_id", "code", "reason", "side", "kind", "declared_severity",
        "expected", "actual", "difference_minor", "difference_days", "break_currency", "explanation",
    ),
    key=(),
)
LIVING_BREAKS = Table(
    name="living_breaks",
    grain="One row per break of this run, with its life over the runs",
    columns=(
        "as_of", *BREAKS.columns, "severity", "break_state", "first_seen", "age_days", "fingerprint", "payload_hash",
    ),
    key=("fingerprint",),
)
CHECK_RESULTS = Table(
    name="check_results",
    grain="One row per check and provider and tenant, also where nothing was found",
    columns=("check", "code", "reason", *WHO, "examined", "not_applicable", "breaks", "is_evaluated"),
    key=("check", "provider", "tenant_id"),
)

RESULTS = (TERM_POSITIONS, PLAN_POSITIONS, PAYMENT_POSITIONS, BREAKS, LIVING_BREAKS, CHECK_RESULTS)
"""Every computed table."""
