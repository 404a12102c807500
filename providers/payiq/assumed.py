"""What changes need to know of the provider and no page of it shows.

Beside the assumptions of reading, and overridden in the same table of the configuration.
"""

from collections.abc import Mapping

from providers.base import Assumption

WRITES: Mapping[str, Assumption] = {
    "write.create": Assumption("PUT", "method that makes a plan; POST revises it and DELETE ends it"),
    "write.due_date": Assumption("DueDate", "DayType of a plan that fires on the due day of the current bill"),
    "write.day_of_month": Assumption("DayOfMonth", "DayType of a plan that fires on a given day of the month"),
    "write.payment_date": Assumption("Date", "day of an entry of Payments"),
    "write.payment_amount": Assumption("Amount", "amount of an entry of Payments"),
    "write.ended": Assumption("DataNotFound", "read of an ended plan; shown: it is still read, and the setup decides"),
    "write.maximum_term": Assumption("payments", "MaximumTerm and a tier's PaymentCount count payments"),
}
