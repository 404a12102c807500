"""How a request reaches a provider and comes back: signed, paced, bounded in time, retried, without secrets in the log."""

import sys

# The library imports its command line where it can, and with it rich and pygments: a third of its own time, for nothing.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: cannot be imported, which it takes
