"""What a request's body looks like on the wire."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

_JSON = msgspec.json.Encoder(decimal_format="number")


def encoded(json: object, form: Sequence[tuple[str, str]]) -> tuple[bytes | None, str | None]:
    """Return the body's bytes and media type, or neither without a body. Decimals become numbers, digit for digit."""
    if json is not None:
        return _JSON.encode(json), "application/json"
    if form:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return None, None
