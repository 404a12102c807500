"""What changes need to know of the provider and no page of it shows.

Beside the assumptions of reading, and overridden in the same table of the configuration.
"""

from collections.abc import Mapping

from providers.base import Assumption

WRITES: Mapping[str, Assumption] = {
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
