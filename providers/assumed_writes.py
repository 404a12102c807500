"""What changes need to know of each provider and no page of it shows.

Beside the assumptions of reading, and overridden in the same table of the configuration.
"""

from collections.abc import Mapping

from providers.base import Assumption

PAYT: Mapping[str, Assumption] = {
    "write.links": Assumption(
        "required", "a new plan names at least one invoice or credit case; optional: it need not"
    ),
    "write.error": Assumption(
        "message", "a refused change is answered 4xx with a JSON object holding it, at its top or below error"
    ),
    "write.unknown": Assumption("404", "status of a plan that does not exist"),
    "write.clash": Assumption("422", "status of a change that the plan's state does not allow"),
}
TOTALITY: Mapping[str, Assumption] = {
    "write.filter": Assumption("filter[{}][eq]", "query parameter of one field's value; empty: none is sent"),
    "write.active_loan": Assumption("Funded", "statuses of a loan that may get a plan, with commas between"),
    "write.schedule_date": Assumption("date", "day of an entry of schedule"),
    "write.schedule_amount": Assumption("amount", "cents of an entry of schedule"),
    "write.created": Assumption("201", "a new plan is answered 201 or 200 with the plan"),
    "write.changed": Assumption("204", "a changed plan is answered 204 without a body, as a deleted one is"),
    "write.error": Assumption(
        "message", "a refused change is answered 4xx with a JSON object holding it, at its top or below error"
    ),
    "write.clash": Assumption("409", "status of a second active plan where the lender allows one"),
}
PAYIQ: Mapping[str, Assumption] = {
    "write.create": Assumption("PUT", "method that makes a plan; POST revises it and DELETE ends it"),
    "write.due_date": Assumption("DueDate", "DayType of a plan that fires on the due day of the current bill"),
    "write.day_of_month": Assumption("DayOfMonth", "DayType of a plan that fires on a given day of the month"),
    "write.payment_date": Assumption("Date", "day of an entry of Payments"),
    "write.payment_amount": Assumption("Amount", "amount of an entry of Payments"),
    "write.ended": Assumption("DataNotFound", "read of an ended plan; shown: it is still read, and the setup decides"),
    "write.maximum_term": Assumption("payments", "MaximumTerm and a tier's PaymentCount count payments"),
}
WRITES: Mapping[str, Mapping[str, Assumption]] = {"payt": PAYT, "totality": TOTALITY, "payiq": PAYIQ}
