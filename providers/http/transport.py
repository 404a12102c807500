"""The one door to the network.

Each request has a byte budget after decompression and a wall-clock deadline over everything,
headers included. Reads are tried again on named errors, a bounded number of times and for a
bounded time, with jitter and the provider's own Retry-After. Redirects are never followed,
proxies and certificates of the environment never used, and nothing is ever sent to another
origin than the configured one. `read` may repeat a request; `deliver` and `send` never do, and
a call with an effect must use one of them: `send` raises where `deliver` gives the answer.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import stamina

from providers.base import Clock, Connection, Traffic
from providers.errors import (
    Misdirected,
    NotConfigured,
    ProviderError,
    RateLimited,
    Refused,
    Unreachable,
)
from providers.http.addresses import origin
from providers.http.answers import (
    FORBIDDEN,
    REDIRECTS,
    UNAUTHORISED,
    Reply,
    expect_whole,
    missing_scope,
    status_error,
)
from providers.http.auth import Exchange, TokenCall, Tokens, refused_credentials
from providers.http.bodies import encoded
from providers.http.carrier import Carrier, Parcel, unsent
from providers.http.pace import pace
from providers.http.redaction import LIVE, quiet

T = TypeVar("T")
LOG = logging.getLogger("planrecon.providers")
CIRCUIT = 3
"""Requests in a row that failed after all their attempts; then the client stops asking."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `path` is relative to the base address, `route` its template for logs and errors.

    A body is `json`, whose decimals go out digit for digit, or else `form`.
    """

    method: str
    path: str
    route: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    json: object = field(default=None, repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class Transport:
    """Sends one client's requests. Thread-safe; close it when done."""

    def __init__(
        self,
        provider: str,
        connection: Connection,
        *,
        clock: Clock,
        tokens: Tokens,
        rate: float | None,
        headers: Mapping[str, str] | None = None,
        wire: object = None,
    ) -> None:
        self._origin = origin(connection.base_url, provider=provider, name="base_url")
        self._base = connection.base_url.rstrip("/")
        self._provider, self._connection, self._clock, self._tokens = provider, connection, clock, tokens
        self._limiter = pace(rate if connection.requests_per_second is None else connection.requests_per_second)
        self._carrier = Carrier(provider, connection, clock=clock, headers=headers or {}, wire=wire)
        self._lock = threading.Lock()
        self._requests = self._retries = self._bytes = self._given_up = 0
        self._last_clock: datetime | None = None
        LIVE.learn(*connection.secrets())
        quiet()

    def close(self) -> None:
        """Close every connection."""
        self._carrier.close()

    def traffic(self) -> Traffic:
        """Requests, retries and bytes so far."""
        return Traffic(self._requests, self._retries, self._bytes)

    def until_now(self) -> datetime:
        """Return the earlier of the provider's clock at its latest answer and ours: later changes are still to come.

        A clock that is ahead cannot move what is asked for beyond ours.
        """
        ours = self._clock().astimezone(UTC)
        return min(self._last_clock or ours, ours)

    def read(self, call: Call, parse: Callable[[Reply], T]) -> T:
        """Return what `parse` makes of the answer, trying again while the failure is one that may pass.

        Only for requests without an effect at the provider.
        """
        if self._given_up >= CIRCUIT:
            message = f"no longer asked: {CIRCUIT} requests in a row failed"
            raise Unreachable(message, provider=self._provider, endpoint=_place(call))
        try:
            result = self._tried(call, parse)
        except Unreachable:
            self._given_up += 1
            raise
        self._given_up = 0
        return result

    def send(self, call: Call) -> Reply:
        """Return the answer to one request, sent once; a refused token is renewed once, everything else raises."""
        reply = self.deliver(call)
        self._raise_for(reply, _place(call))
        return reply

    def deliver(self, call: Call) -> Reply:
        """Return the answer to one request, whatever its status; sent once, and once more only after a 401.

        A 401 proves that nothing was executed. Without an answer it raises; `unsent` on the error tells
        that nothing was executed either.
        """
        url, (content, kind) = self._url(call), encoded(call.json, call.form)
        token = self._granted(self._tokens.current)
        parcel = Parcel(call.method, url, _place(call), call.query, f"Bearer {token}", content, kind)
        reply = self._once(parcel)
        if reply.status == UNAUTHORISED:
            fresh = self._granted(lambda exchange: self._tokens.renew(token, exchange))
            reply = self._once(replace(parcel, authorization=f"Bearer {fresh}"))
        return reply

    def _granted(self, obtain: Callable[[Exchange], str]) -> str:
        try:
            return obtain(self._exchange)
        except ProviderError as error:
            error.unsent = True
            raise

    def _tried(self, call: Call, parse: Callable[[Reply], T]) -> T:
        started, limits = time.monotonic(), self._connection
        try:
            return self._asked(call, parse)
        except ProviderError as error:
            left = limits.retry_seconds - (time.monotonic() - started)
            if not error.may_retry or left <= 0:
                raise
            first = error
        # Counting attempts costs as much as a sixth of a small request, so it begins with the first that failed.
        attempts = stamina.retry_context(
            on=self._wait,
            attempts=limits.attempts,
            timeout=left,
            wait_initial=0.5,
            wait_max=20.0,
            wait_jitter=1.0,
        )
        for attempt in attempts:
            with attempt:
                if attempt.num == 1:
                    raise first
                with self._lock:
                    self._retries += 1
                return self._asked(call, parse)
        raise first  # pragma: no cover - retry_context raises what the last attempt raised

    def _asked(self, call: Call, parse: Callable[[Reply], T]) -> T:
        reply = self.send(call)
        expect_whole(reply, provider=self._provider, place=_place(call))
        return parse(reply)

    def _wait(self, error: Exception) -> bool | float:
        if not isinstance(error, ProviderError) or not error.may_retry:
            return False
        if error.retry_after is None:
            return True
        # Jitter on top: every client was told the same moment.
        return min(error.retry_after, self._connection.retry_after_cap) + random.uniform(0.0, 0.5)  # noqa: S311

    def _url(self, call: Call) -> str:
        url = call.path if "://" in call.path else f"{self._base}/{call.path.lstrip('/')}"
        try:
            same = origin(url, provider=self._provider, name="an address") == self._origin
        except NotConfigured:
            same = False
        if not same or call.path.startswith("//"):
            message = "an address on another host than base_url was refused before anything was sent"
            raise unsent(Misdirected(message, provider=self._provider, endpoint=_place(call)))
        return url

    def _exchange(self, call: TokenCall) -> bytes:
        origin(call.url, provider=self._provider, name="token_url")
        place = f"POST {call.route}"
        basic = None if call.basic is None else f"Basic {call.basic}"
        content, kind = encoded(call.json, tuple((call.form or {}).items()))
        reply = self._once(Parcel("POST", call.url, place, (), basic, content, kind))
        try:
            self._raise_for(reply, place)
        except Refused as error:
            raise refused_credentials(error) from None
        return reply.body

    def _once(self, parcel: Parcel) -> Reply:
        if self._limiter is not None:
            self._limiter.try_acquire(self._provider)
        with self._lock:
            self._requests += 1
        started = time.monotonic()
        reply = self._carrier.carry(parcel)
        with self._lock:
            self._bytes += len(reply.body)
            self._last_clock = reply.clock or self._last_clock
        LOG.debug(
            "%s %s %s %d, %d bytes, %d ms",
            self._provider,
            self._origin[1],
            parcel.place,
            reply.status,
            len(reply.body),
            (time.monotonic() - started) * 1000,
        )
        return reply

    def _raise_for(self, reply: Reply, place: str) -> None:
        status = reply.status
        if status < REDIRECTS:
            return
        kind, what = status_error(status)
        raise kind(
            what,
            provider=self._provider,
            endpoint=place,
            status=status,
            request_id=reply.request_id,
            retry_after=reply.retry_after if kind in {RateLimited, Unreachable} else None,
            next_step=missing_scope(reply.body) if status == FORBIDDEN else None,
        )


def _place(call: Call) -> str:
    return f"{call.method} {call.route}"
