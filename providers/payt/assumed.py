"""What changes need to know of the provider and no page of it shows.

Beside the assumptions of reading, and overridden in the same table of the configuration.
"""

from collections.abc import Mapping

from providers.base import Assumption

WRITES: Mapping[str, Assumption] = {
    "write.links": Assumption(
        "required", "a new plan names at least one invoice or credit case; optional: it need not"
    ),
    "write.error": Assumption(
        "message", "a refused change is answered 4xx with a JSON object holding it, at its top or below error"
    ),
    "write.unknown": Assumption("404", "status of a plan that does not exist"),
    "write.clash": Assumption("422", "status of a change that the plan's state does not allow"),
}
