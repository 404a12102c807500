"""What can go wrong between us and a provider.

    ProviderError
    ├── Unreachable        no connection, no answer in time, a 5xx that stayed        may retry
    │   └── RateLimited    429 that stayed                                            may retry
    ├── Unreadable         an answer came and cannot be used
    │   ├── Truncated      the answer stopped before its end                          may retry
    │   ├── TooLarge       the answer passed the byte budget
    │   ├── Misdirected    a redirect, or an address on another host
    │   ├── Untrusted      the certificate was refused
    │   └── Endless        a list without end
    ├── Refused            the provider understood and said no
    │   └── NotPermitted   credentials or scope
    ├── Unstable           rows kept changing while they were read                    may retry
    ├── NotKept            the place of a token that changes at each use cannot be written
    └── NotConfigured      the connection lacks what this provider needs

A message says what happened, where, the value and what to do next. It carries no token, no
query, no body: those may hold secrets or name a person. `code` is the stable word a summary shows.
"""

# ruff: noqa: N818 - the names are said in messages and documents as they stand

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from providers.http.redaction import LIVE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,80}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The answer that could not be used, kept so that it can be landed; never printed."""

    body: bytes
    status: int
    clock: "datetime | None"
    received_at: "datetime | None" = None

    def __repr__(self) -> str:
        return f"Evidence({len(self.body)} bytes, status {self.status})"


class ProviderError(Exception):
    """A provider's part of the run did not succeed.

    Attributes:
        provider: Short name, as in the configuration.
        endpoint: Method and route template; ids and queries are never filled in.
        status: HTTP status, where an answer came.
        request_id: The provider's own id of this answer, where it gave one.
        may_retry: A later attempt may succeed without anybody changing anything.
        unsent: Nothing of the request was executed: no connection was made, or no token was had for it.
        evidence: The unusable answer, where keeping it helps; holds raw data, so it is not printed.
        unread: Of a provider asked account by account, the contexts of the accounts that did not come in whole.
    """

    code: ClassVar[str] = "provider_protocol"
    may_retry: bool = False
    unsent: bool = False
    unread: "tuple[Mapping[str, str], ...]" = ()
    advice: ClassVar[str] = "Look at the provider's side of this call."

    def __init__(
        self,
        what: str,
        *,
        provider: str = "",
        endpoint: str = "",
        status: int | None = None,
        request_id: str | None = None,
        next_step: str | None = None,
        retry_after: float | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        # A provider may repeat in a header or an error what it was sent; what is kept here goes everywhere.
        self.what = LIVE.redact(what)
        self.provider = provider
        self.endpoint = endpoint
        self.status = status
        is_safe = request_id and _SAFE_ID.fullmatch(request_id) and LIVE.redact(request_id) == request_id
        self.request_id = request_id if is_safe else None
        self.next_step = LIVE.redact(next_step or self.advice)
        self.retry_after = retry_after
        self.evidence = evidence
        super().__init__(self.message())

    def message(self) -> str:
        """Return one sentence on what happened and where, and one on what to do."""
        where = [self.endpoint] if self.endpoint else []
        where += [f"status {self.status}"] if self.status is not None else []
        where += [f"request id {self.request_id}"] if self.request_id else []
        place = f" ({', '.join(where)})" if where else ""
        who = f"{self.provider}: " if self.provider else ""
        return f"{who}{self.what}{place}. {self.next_step}"


class Unreachable(ProviderError):
    """No usable connection, no answer within the deadline, or a server error that stayed."""

    code = "provider_unreachable"
    may_retry = True
    advice = "Check the network and the provider's status page, then run again; what was fetched is kept."


class RateLimited(Unreachable):
    """The provider asked for fewer requests and kept asking."""

    advice = "Lower requests_per_second of this provider, or run again later."


class Unreadable(ProviderError):
    """An answer came and is not what this provider documents."""

    advice = "Compare the answer with the provider's documentation; nothing of it was used."


class Truncated(Unreadable):
    """The answer stopped before its end."""

    may_retry = True
    advice = "Run again; if it stays, lower page_size of this provider."


class TooLarge(Unreadable):
    """The answer passed the byte budget after decompression and was dropped."""

    advice = "Lower page_size of this provider, or raise its byte_budget_mb if such pages are normal."


class Misdirected(Unreadable):
    """The provider pointed at another address; nothing was sent there."""

    advice = "Check base_url; redirects and addresses on other hosts are never followed."


class Untrusted(Unreadable):
    """The server's certificate was refused."""

    advice = "Check base_url and the certificate authority in ca_file; verification cannot be switched off."


class Endless(Unreadable):
    """A list did not end where the provider's own signal should have ended it."""

    advice = (
        "Tell the provider; where the list really grew so much, call `planrecon run --full`, or raise sweep_minutes."
    )


class Refused(ProviderError):
    """The provider understood the request and said no."""

    advice = "Check the configuration of this provider against the message."


class NotPermitted(Refused):
    """The credentials were refused or lack a scope."""

    code = "not_permitted"
    advice = "Check the credentials and the scopes granted to them at the provider."


class Unstable(ProviderError):
    """Rows kept changing while they were read, so no pass over them is known to be whole."""

    may_retry = True
    advice = "Run again at a quieter hour; the watermark has not moved."


class NotKept(ProviderError):
    """What the next run cannot do without could not be written down; nothing was spent."""

    code = "cannot_write"
    advice = "Correct the place or its permissions, then run again."


class NotConfigured(ProviderError):
    """The connection lacks what this provider needs; nothing was sent."""

    code = "configuration"
    advice = "Complete the provider's section of the configuration."
