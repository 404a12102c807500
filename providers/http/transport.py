"""The one door to the network, and the only module that imports the HTTP library.

Each request has a byte budget after decompression and a wall-clock deadline over everything,
headers included. Reads are tried again on named errors, a bounded number of times and for a
bounded time, with jitter and the provider's own Retry-After. Redirects are never followed,
proxies and certificates of the environment never used, and nothing is ever sent to another
origin than the configured one. `read` may repeat a request; `deliver` and `send` never do, and
a call with an effect must use one of them: `send` raises where `deliver` gives the answer.
"""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import stamina

from providers.base import Clock, Connection, Traffic
from providers.errors import (
    Misdirected,
    NotConfigured,
    ProviderError,
    RateLimited,
    Refused,
    TooLarge,
    Truncated,
    Unreachable,
    Unreadable,
    Untrusted,
)
from providers.http.addresses import origin
from providers.http.answers import (
    ERRORS,
    FORBIDDEN,
    REDIRECTS,
    UNAUTHORISED,
    Reply,
    expect_whole,
    http_date,
    missing_scope,
    retry_after,
    status_error,
    strange_encoding,
)
from providers.http.auth import Exchange, TokenCall, Tokens, refused_credentials
from providers.http.bodies import encoded
from providers.http.deadline import Deadline
from providers.http.pace import pace
from providers.http.redaction import LIVE, quiet

T = TypeVar("T")
LOG = logging.getLogger("planrecon.providers")
CIRCUIT = 3
"""Requests in a row that failed after all their attempts; then the client stops asking."""
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_NOT_MODIFIED = 304
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id")


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
        self._client = _client(connection, {"Accept": "application/json", **(headers or {})}, wire)
        self._deadline = Deadline(f"{provider}-request")
        self._lock = threading.Lock()
        self._requests = self._retries = self._bytes = self._given_up = 0
        self._last_clock: datetime | None = None
        LIVE.learn(*connection.secrets())
        quiet()

    def close(self) -> None:
        """Close every connection."""
        self._deadline.close()
        self._client.close()

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
        url, place = self._url(call), _place(call)
        token = self._granted(self._tokens.current)
        reply = self._once(call.method, url, place, call, token)
        if reply.status == UNAUTHORISED:
            fresh = self._granted(lambda exchange: self._tokens.renew(token, exchange))
            reply = self._once(call.method, url, place, call, fresh)
        return reply

    def _granted(self, obtain: Callable[[Exchange], str]) -> str:
        try:
            return obtain(self._exchange)
        except ProviderError as error:
            error.unsent = True
            raise

    def _tried(self, call: Call, parse: Callable[[Reply], T]) -> T:
        limits = self._connection
        attempts = stamina.retry_context(
            on=self._wait,
            attempts=limits.attempts,
            timeout=limits.retry_seconds,
            wait_initial=0.5,
            wait_max=20.0,
            wait_jitter=1.0,
        )
        for attempt in attempts:
            with attempt:
                with self._lock:
                    self._retries += attempt.num > 1
                reply = self.send(call)
                expect_whole(reply, provider=self._provider, place=_place(call))
                return parse(reply)
        message = "no attempt was made"  # pragma: no cover - retry_context makes at least one
        raise Unreachable(message, provider=self._provider, endpoint=_place(call))

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
            raise _unsent(Misdirected(message, provider=self._provider, endpoint=_place(call)))
        return url

    def _exchange(self, call: TokenCall) -> bytes:
        origin(call.url, provider=self._provider, name="token_url")
        place = f"POST {call.route}"
        reply = self._once("POST", call.url, place, call, None)
        try:
            self._raise_for(reply, place)
        except Refused as error:
            raise refused_credentials(error) from None
        return reply.body

    def _once(self, method: str, url: str, place: str, call: Call | TokenCall, token: str | None) -> Reply:
        if self._limiter is not None:
            self._limiter.try_acquire(self._provider)
        with self._lock:
            self._requests += 1
        started = time.monotonic()
        reply = self._within_deadline(self._request(method, url, call, token), place)
        with self._lock:
            self._bytes += len(reply.body)
            self._last_clock = reply.clock or self._last_clock
        LOG.debug(
            "%s %s %s %d, %d bytes, %d ms",
            self._provider,
            self._origin[1],
            place,
            reply.status,
            len(reply.body),
            (time.monotonic() - started) * 1000,
        )
        return reply

    def _request(self, method: str, url: str, call: Call | TokenCall, token: str | None) -> httpx.Request:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if isinstance(call, Call):
            query = httpx.QueryParams(call.query) if call.query else None
            content, kind = encoded(call.json, call.form)
            headers |= {} if kind is None else {"Content-Type": kind}
            return self._client.build_request(method, url, params=query, content=content, headers=headers)
        if call.basic is not None:
            headers["Authorization"] = f"Basic {call.basic}"
        if call.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._client.build_request(method, url, data=call.form, json=call.json, headers=headers)

    def _within_deadline(self, request: httpx.Request, place: str) -> Reply:
        # A read timeout starts again with every byte, and nothing in the library bounds a slow header;
        # so the wait is bounded here, and the abandoned request stops at its next byte.
        seconds = self._connection.deadline
        try:
            return self._deadline.within(seconds, lambda abandoned: self._received(request, place, abandoned))
        except TimeoutError:
            message = f"no whole answer within {seconds:g} s"
            raise Unreachable(message, provider=self._provider, endpoint=place) from None

    def _received(self, request: httpx.Request, place: str, abandoned: threading.Event) -> Reply:
        # One that nobody waits for any more must not start to have an effect: a slow look-up of the host's
        # name is bounded by nothing, and the caller has been told that it is over.
        request.extensions["trace"] = _holding_back(abandoned)
        try:
            response = self._client.send(request, stream=True)
            now = self._clock().astimezone(UTC)  # before the body, which may take its time
            try:
                strange = strange_encoding(response.headers.get("content-encoding", ""))
                if strange is not None:
                    raise Unreadable(strange, provider=self._provider, endpoint=place, status=response.status_code)
                return self._reply(response, self._body(response, place, abandoned), place, now)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._network_error(error, place) from None
        except httpx.InvalidURL:
            message = "the address cannot be used"
            raise _unsent(Misdirected(message, provider=self._provider, endpoint=place)) from None

    def _body(self, response: httpx.Response, place: str, abandoned: threading.Event) -> bytes:
        budget = self._connection.byte_budget
        body = bytearray()
        # No chunk size: with one, a slow drip would be collected in silence instead of looked at.
        for chunk in response.iter_bytes():
            if abandoned.is_set():
                break
            body += chunk
            if len(body) > budget:
                message = f"the answer is larger than {budget} bytes"
                raise TooLarge(message, provider=self._provider, endpoint=place, status=response.status_code)
        stated = response.headers.get("content-length", "")
        if stated.isdecimal() and "content-encoding" not in response.headers and len(body) < int(stated):
            message = f"the answer stopped after {len(body)} of {stated} bytes"
            raise Truncated(message, provider=self._provider, endpoint=place, status=response.status_code)
        return bytes(body)

    def _reply(self, response: httpx.Response, body: bytes, place: str, now: datetime) -> Reply:
        headers, status = response.headers, response.status_code
        clock = http_date(headers.get("date"))
        if status == _NOT_MODIFIED:
            message = "the answer says that nothing changed (304), and nothing was asked in that way"
            raise Unreadable(message, provider=self._provider, endpoint=place, status=status)
        if REDIRECTS <= status < ERRORS:
            target = _host_of(headers.get("location", "")) or "an address of its own"
            message = f"{self._origin[1]} redirected to {target}, which was not followed"
            raise Misdirected(message, provider=self._provider, endpoint=place, status=status)
        return Reply(
            status,
            body,
            headers.get("content-type", ""),
            clock,
            next((headers[name] for name in _REQUEST_IDS if name in headers), None),
            retry_after(headers.get("retry-after"), clock or now),
            now,
        )

    def _network_error(self, error: httpx.HTTPError, place: str) -> ProviderError:
        # Only the kind of error is told: library messages can hold addresses.
        kind: type[ProviderError] = Unreachable
        what = f"{self._origin[1]} could not be read ({type(error).__name__})"
        if _has_cause(error, ssl.SSLCertVerificationError):
            kind, what = Untrusted, "the server's certificate was refused"
        elif isinstance(error, httpx.RemoteProtocolError) and "location header" in str(error):
            # The library looks at where a redirect leads even if nobody follows it.
            kind, what = Misdirected, f"{self._origin[1]} redirected to an address of its own, which was not followed"
        elif isinstance(error, httpx.RemoteProtocolError):
            kind, what = Truncated, "the connection ended inside the answer"
        elif isinstance(error, httpx.DecodingError):
            kind, what = Truncated, "the compressed answer is damaged"
        elif isinstance(error, httpx.UnsupportedProtocol):
            kind, what = Misdirected, "the address cannot be used"
        raised = kind(what, provider=self._provider, endpoint=place)
        return _unsent(raised) if isinstance(error, _BEFORE_SENDING) else raised

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


def _client(connection: Connection, headers: Mapping[str, str], wire: object) -> httpx.Client:
    verify = _trusting(connection.ca_file) if connection.ca_file else _trusting_the_public()
    if wire is not None and not isinstance(wire, httpx.BaseTransport):
        message = "wire must be a transport of the HTTP library"
        raise TypeError(message)
    return httpx.Client(
        # Encodings beyond gzip depend on what else is installed; one that is always there is asked for.
        headers={"User-Agent": "planrecon", "Accept-Encoding": "gzip", **headers},
        timeout=httpx.Timeout(min(connection.read_timeout, connection.deadline), connect=connection.connect_timeout),
        limits=httpx.Limits(max_connections=max(connection.workers, 1) * 2),
        transport=wire,
        verify=verify,
        trust_env=False,
        follow_redirects=False,
    )


@cache
def _trusting_the_public() -> ssl.SSLContext:
    """Trust the authorities that come with the HTTP library; reading them takes longer than many a request."""
    return httpx.create_ssl_context(trust_env=False)


def _trusting(ca_file: str) -> ssl.SSLContext:
    """Trust the authorities of this file, and no other."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
        step = "Give the path of a PEM file with the certificate of the authority in ca_file."
        raise NotConfigured(f"ca_file {ca_file!r} cannot be used: {reason or error}", next_step=step) from None


def _has_cause(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _host_of(address: str) -> str | None:
    """Return the host an address names; None if it names none, is no address, or its name cannot be shown as it is."""
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return None
    return host if host and host.isascii() and host.isprintable() else None


def _place(call: Call) -> str:
    return f"{call.method} {call.route}"


def _unsent(error: ProviderError) -> ProviderError:
    error.unsent = True
    return error


def _holding_back(abandoned: threading.Event) -> Callable[[str, object], None]:
    """Stop a request that is no longer awaited before its first byte; called at each of its steps."""

    def at(step: str, _about: object) -> None:
        if abandoned.is_set() and step.endswith("send_request_headers.started"):
            message = "given up before anything was sent"
            raise httpx.ConnectError(message)

    return at
