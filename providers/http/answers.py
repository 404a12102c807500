"""What an answer is, before anybody looks into its body: status, clock, waiting time, kind of content."""

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from providers.errors import Evidence, NotPermitted, ProviderError, RateLimited, Refused, Unreachable, Unreadable

UNAUTHORISED, FORBIDDEN, REDIRECTS, ERRORS = 401, 403, 300, 400
_STATUS_TIMEOUT, _STATUS_LIMIT, _SERVER_ERRORS = 408, 429, 500
_WHOLE = 200
_NOT_WHOLE = {
    202: "the answer says only that it was accepted (202)",
    203: "the answer was changed on its way (203)",
    204: "the answer is empty (204) where data was asked for",
    205: "the answer is empty (205) where data was asked for",
    206: "the answer is only a part (206), and no part was asked for",
}
_ENCODINGS = frozenset({"identity", "gzip"})
_ENCODING = re.compile(r"[a-z0-9-]{1,20}")
_YEARS = range(1900, 3000)
"""Years a moment may lie in; a header that names another one was not set by a clock."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_SCOPE = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer. `clock` is the provider's own time of it, `received_at` ours."""

    status: int
    body: bytes = field(repr=False)
    content_type: str
    clock: datetime | None
    request_id: str | None
    retry_after: float | None
    received_at: datetime | None = None

    def evidence(self) -> Evidence:
        """Return what may be stored of an answer that could not be used."""
        return Evidence(self.body, self.status, self.clock, self.received_at)


def status_error(status: int) -> tuple[type[ProviderError], str]:
    """Return the error that a status of 300 and above means, in words."""
    if status == _STATUS_LIMIT:
        return RateLimited, "too many requests"
    if status == _STATUS_TIMEOUT or status >= _SERVER_ERRORS:
        return Unreachable, "the provider's server failed"
    if status == UNAUTHORISED:
        return NotPermitted, "the token was refused, the renewed one included"
    if status == FORBIDDEN:
        return NotPermitted, "not permitted"
    return Refused, "the request was refused"


def missing_scope(body: bytes) -> str | None:
    """Return the scope that a 403 names. The rest of an error body is not repeated: it may hold personal data."""
    text = body[:2000].decode("utf-8", "replace")
    _, found, rest = text.partition("Missing permission: ")
    scope = rest.split('"', 1)[0]
    shaped = scope.replace("_", "").replace(":", "").isalpha() and scope.isascii() and len(scope) <= _LONGEST_SCOPE
    return f"Grant the scope {scope} to these credentials." if found and shaped else None


@lru_cache(256)
def http_date(text: str | None) -> datetime | None:
    """Return the moment of a date header, in UTC; None if it names none, or one at the limits of the calendar."""
    try:
        moment = parsedate_to_datetime(text or "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.year in _YEARS else None


def retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds to wait, from seconds or a date; None if the header is absent or meaningless."""
    if text is None:
        return None
    moment = http_date(text)
    try:
        seconds = float(text) if moment is None else (moment - now).total_seconds()
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def expect_whole(reply: Reply, *, provider: str, place: str) -> None:
    """Raise unless the answer is 200: no other success says that it holds everything that was asked for."""
    if reply.status == _WHOLE:
        return
    what = _NOT_WHOLE.get(reply.status, f"an answer of success that is not documented ({reply.status})")
    raise Unreadable(
        what,
        provider=provider,
        endpoint=place,
        status=reply.status,
        next_step="Nothing of it was used; look for a proxy on the way, and at the provider's documentation.",
    )


def strange_encoding(header: str) -> str | None:
    """Return what is wrong with the encoding of an answer; None if it is one that was asked for."""
    strange = [word for word in header.lower().replace(" ", "").split(",") if word and word not in _ENCODINGS]
    if not strange:
        return None
    named = repr(strange[0]) if _ENCODING.fullmatch(strange[0]) else "something without a proper name"
    return f"the answer is encoded as {named}, which was not asked for"


UNKNOWN_CHARACTER = rb"\ufffd"
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape in JSON text: a pair that makes one character, half a pair, or any other."""


def unmarked(body: bytes) -> bytes:
    """Return the body without the byte order mark some servers put before JSON, with U+FFFD for each half character."""
    return mended(body.removeprefix(BYTE_ORDER_MARK), UNKNOWN_CHARACTER)


def mended(body: bytes, stand_in: bytes) -> bytes:
    """Return the JSON with `stand_in` for each half of a surrogate pair alone: a text cut inside a character.

    Both are six bytes, so every other byte stays where it is.
    """
    if b"\\u" not in body or not _HALF.search(body):
        return body
    return _ESCAPE.sub(lambda found: stand_in if found["half"] else found[0], body)


def expect_json(reply: Reply, *, provider: str, place: str) -> None:
    """Raise unless the answer says it is JSON; a maintenance page does not, and may be gone on the next try."""
    kind = reply.content_type.partition(";")[0].strip().lower()
    if kind and "json" not in kind:
        error = Unreadable("the answer is not JSON", provider=provider, endpoint=place, status=reply.status)
        error.may_retry, error.evidence = True, reply.evidence()
        raise error
