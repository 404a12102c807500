"""What was changed at a provider through us, and how it compares with what the provider shows."""

from schemas.core import WHO
from schemas.table import Table

WRITES = Table(
    name="writes",
    grain="One row per intent to change something at a provider, in its newest state",
    columns=(
        "intent_id",
        *WHO,
        "operation",
        "plan_id",
        "write_state",
        "write_reason",
        "amount_minor",
        "currency",
        "request_sha256",
        "answer_status",
        "planned_at",
        "sent_at",
        "ended_at",
    ),
    key=("intent_id",),
    optional=frozenset({"plan_id", "amount_minor", "currency"}),
    sums=frozenset({"amount_minor"}),
)
AGREED_TERMS = Table(
    name="agreed_terms",
    grain="One row per term that an intent is meant to bring about",
    columns=("intent_id", "sequence", "due_date", "amount_minor"),
    key=("intent_id", "sequence"),
)
AGREEMENTS = Table(
    name="agreements",
    grain="One row per plan whose newest change through us the provider must show by now",
    columns=(
        *WHO,
        "plan_id",
        "account_id",
        "currency",
        "agreed_currency",
        "intent_id",
        "operation",
        "status",
        "agreed_count",
        "shown_count",
        "agreed_minor",
        "shown_minor",
        "sequence",
        "agreed_due_date",
        "due_date",
        "agreed_amount_minor",
        "amount_minor",
    ),
    key=(*WHO, "plan_id"),
    # Null where the provider shows no such plan; the term is the first that differs, and may be on one side only.
    optional=frozenset({"currency", "status", "sequence", "due_date", "amount_minor"}),
)
