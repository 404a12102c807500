"""What a provider documents as left out while it is empty breaks no contract; what a row cannot be without does."""

import json

import pytest

from providers.payt.reading import decode as payt
from providers.payt.rows import SHAPES as PAYT
from providers.totality.reading import decode as totality

OWN = {"id": "1", "administration_id": "7"}
PLAN = OWN | {"created_at": "2026-01-05T12:00:00Z"}
PAYMENT = OWN | {"invoice_id": "3", "payment_date": "2026-01-31"}
TERM = {"id": "1", "total_amount": "5.00", "due_date": "2026-01-31"}
LOAN = {"uuid": "u", "loanUuid": "l", "isActive": True}
PAID = {"uuid": "u", "loanUuid": "l", "amount": 1, "processedAt": "2026-01-31"}
CASES = [
    ("payment_plans", PLAN | {"payment_terms": [], "active": True}, "approved_at", 1),
    ("payment_plans", PLAN | {"payment_terms": [], "active": False}, "approved_at", 0),
    ("payment_plans", PLAN | {"payment_terms": [TERM | {"amount_due": "0.00"}]}, "payment_terms.payment_date", 1),
    ("payment_plans", PLAN | {"payment_terms": [TERM | {"amount_due": "0.10"}]}, "payment_terms.payment_date", 0),
    ("payment_plans", PLAN | {"payment_terms": [TERM | {"amount_due": None}]}, "payment_terms.payment_date", 0),
    ("payment_plans", PLAN | {"payment_terms": []}, "deactivated_at", 0),
    ("payments", PAYMENT | {"total_amount": "-5.00"}, "transaction_type", 1),
    ("payments", PAYMENT | {"total_amount": "5.00"}, "transaction_type", 0),
    ("payments", PAYMENT | {"total_amount": "5.00"}, "updated_at", 1),
    ("totality plans", LOAN | {"paymentFrequency": "days"}, "daysInPeriod", 1),
    ("totality plans", LOAN | {"paymentFrequency": "weekly"}, "daysInPeriod", 0),
    ("totality plans", LOAN | {"paymentArrangementType": "Custom Payment Schedule"}, "schedule", 1),
    ("totality plans", LOAN | {"paymentArrangementType": "Payment Amount Based"}, "schedule", 0),
    ("totality plans", LOAN | {"isPartialPaymentPlan": True}, "totalPlanAmount", 1),
    ("totality plans", LOAN, "totalPlanAmount", 0),
    ("totality payments", PAID | {"status": "Returned"}, "returnedAt", 1),
    ("totality payments", PAID | {"status": "Posted"}, "returnedAt", 0),
]


@pytest.mark.parametrize(("entity", "row", "name", "had_to"), CASES)
def test_a_field_has_to_be_there_only_where_the_row_says_that_it_cannot_be_empty(entity, row, name, had_to):
    if entity in PAYT:
        page = payt(entity, json.dumps({"data": [row]}).encode(), {"administration_id": "7"})
    else:
        named = {"totality plans": "payment_plans", "totality payments": "payments"}[entity]
        page = totality(named, json.dumps([row]).encode(), {})
    assert not page.rejects
    assert page.carried[name] == (had_to, 0)
