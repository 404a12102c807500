"""How fast a provider is asked."""

import math

from pyrate_limiter import Limiter, Rate

from providers.errors import NotConfigured

_SPLIT = 3
"""Into how many parts a second is cut."""


def pace(per_second: float | None) -> Limiter | None:
    """At most `per_second` requests in any second, and a third of them in any third of it.

    A full second's worth sent at once could arrive together with the next one's when the
    network holds some of it back. None asks without a limit.
    """
    if per_second is None:
        return None
    if not math.isfinite(per_second) or per_second <= 0:
        raise NotConfigured(f"requests_per_second is {per_second}, and must be above zero")
    if per_second < _SPLIT:
        return Limiter(Rate(1, math.ceil(1000 / per_second)))
    whole = int(per_second)
    return Limiter([Rate(math.ceil(whole / _SPLIT), 1000 // _SPLIT), Rate(whole, 1000)])
