"""Carries one request to its address and the whole answer back; the only module that imports the HTTP library.

The library's transport is used directly: redirects, cookies, proxies and what the environment says are its client's
part, and none of them is wanted. What is the same in every request of a route is made once.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from urllib.parse import urlencode, urlsplit

import httpx

from providers.base import Clock, Connection
from providers.errors import (
    Misdirected,
    NotConfigured,
    ProviderError,
    TooLarge,
    Truncated,
    Unreachable,
    Unreadable,
    Untrusted,
)
from providers.http.answers import ERRORS, REDIRECTS, Reply, http_date, retry_after, strange_encoding
from providers.http.network import Network

_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_NOT_MODIFIED = 304
_REQUEST_IDS = ("x-request-id", "x-correlation-id", "request-id")
_WITH_BODY = ("POST", "PUT", "PATCH")
_ROUTES = 256
"""Addresses remembered; the lists of a provider are a few, an id in an address makes it one of many."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One request as it goes out. `url` has no query, `place` names it in errors, `content` is the body's bytes."""

    method: str
    url: str
    place: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    authorization: str | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


class Carrier:
    """Sends the parcels of one client. Thread-safe; close it when done."""

    def __init__(
        self, provider: str, connection: Connection, *, clock: Clock, headers: Mapping[str, str], wire: object
    ) -> None:
        self._provider, self._clock, self._budget = provider, clock, connection.byte_budget
        self._host = urlsplit(connection.base_url).hostname
        self._seconds, self._network = connection.deadline, Network(f"{provider}-connect", connection.deadline)
        self._wire = _wire(connection, wire, self._network)
        # Encodings beyond gzip depend on what else is installed; one that is always there is asked for.
        self._fixed = httpx.Headers(
            {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "planrecon"}
        )
        self._fixed.update(headers)
        self._headers = lru_cache(8)(self._headed)
        timeout = httpx.Timeout(min(connection.read_timeout, connection.deadline), connect=connection.connect_timeout)
        self._timeout = timeout.as_dict()

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()
        self._network.close()

    def carry(self, parcel: Parcel) -> Reply:
        """Return the whole answer, whatever its status; one that redirects, or says that nothing changed, raises."""
        place = parcel.place
        self._network.begin()
        try:
            response = self._wire.handle_request(self._request(parcel))
            now = self._clock().astimezone(UTC)  # before the body, which may take its time
            try:
                said = _said(response.headers.raw)
                strange = strange_encoding(said.get("content-encoding", ""))
                if strange is not None:
                    raise Unreadable(strange, provider=self._provider, endpoint=place, status=response.status_code)
                body = self._body(response, said, place)
                return self._reply(response.status_code, said, body, place, now)
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._network_error(error, place) from None
        except httpx.InvalidURL:
            message = "the address cannot be used"
            raise unsent(Misdirected(message, provider=self._provider, endpoint=place)) from None

    def _request(self, parcel: Parcel) -> httpx.Request:
        address = _asking(parcel.url, parcel.query)
        request = httpx.Request(
            parcel.method,
            address,
            headers=self._headers(address.netloc, parcel.authorization, parcel.content_type),
            stream=httpx.ByteStream(parcel.content or b""),
            extensions={"timeout": self._timeout},
        )
        if parcel.content or parcel.method in _WITH_BODY:
            request.headers["Content-Length"] = str(len(parcel.content or b""))
        return request

    def _headed(self, host: bytes, authorization: str | None, content_type: str | None) -> httpx.Headers:
        own = {"Authorization": authorization, "Content-Type": content_type}
        headers = httpx.Headers([(b"Host", host)])
        headers.update(self._fixed)
        headers.update({name: value for name, value in own.items() if value is not None})
        return headers

    def _body(self, response: httpx.Response, said: Mapping[str, str], place: str) -> bytes:
        # The library's own reader is needed for what is packed, and alone costs an eighth of a small answer.
        # No chunk size: with one, a slow drip would be collected in silence instead of looked at.
        stream, packed, status = response.stream, "content-encoding" in said, response.status_code
        chunks = iter(stream) if isinstance(stream, httpx.SyncByteStream) and not packed else response.iter_bytes()
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._budget:
                message = f"the answer is larger than {self._budget} bytes"
                raise TooLarge(message, provider=self._provider, endpoint=place, status=status)
        stated = said.get("content-length", "")
        if stated.isdecimal() and not packed and len(body) < int(stated):
            message = f"the answer stopped after {len(body)} of {stated} bytes"
            raise Truncated(message, provider=self._provider, endpoint=place, status=status)
        return bytes(body)

    def _reply(self, status: int, said: Mapping[str, str], body: bytes, place: str, now: datetime) -> Reply:
        clock = http_date(said.get("date"))
        if status == _NOT_MODIFIED:
            message = "the answer says that nothing changed (304), and nothing was asked in that way"
            raise Unreadable(message, provider=self._provider, endpoint=place, status=status)
        if REDIRECTS <= status < ERRORS:
            target = _host_of(said.get("location", "")) or "an address of its own"
            message = f"{self._host} redirected to {target}, which was not followed"
            raise Misdirected(message, provider=self._provider, endpoint=place, status=status)
        return Reply(
            status,
            body,
            said.get("content-type", ""),
            clock,
            next((said[name] for name in _REQUEST_IDS if name in said), None),
            retry_after(said.get("retry-after"), clock or now),
            now,
        )

    def _network_error(self, error: httpx.HTTPError, place: str) -> ProviderError:
        if isinstance(error, httpx.TimeoutException) and self._network.left() <= 0:
            message = f"no whole answer within {self._seconds:g} s"
            return Unreachable(message, provider=self._provider, endpoint=place)
        # Only the kind of error is told: library messages can hold addresses.
        kind: type[ProviderError] = Unreachable
        what = f"{self._host} could not be read ({type(error).__name__})"
        if _has_cause(error, ssl.SSLCertVerificationError):
            kind, what = Untrusted, "the server's certificate was refused"
        elif isinstance(error, httpx.RemoteProtocolError):
            kind, what = Truncated, "the connection ended inside the answer"
        elif isinstance(error, httpx.DecodingError):
            kind, what = Truncated, "the compressed answer is damaged"
        elif isinstance(error, httpx.UnsupportedProtocol):
            kind, what = Misdirected, "the address cannot be used"
        raised = kind(what, provider=self._provider, endpoint=place)
        return unsent(raised) if isinstance(error, _BEFORE_SENDING) else raised


def _said(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by name in lower case; what was said twice is joined by commas."""
    said: dict[str, str] = {}
    for raw, value in headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        said[name] = f"{said[name]}, {text}" if name in said else text
    return said


@lru_cache(_ROUTES)
def _route(url: str) -> httpx.URL:
    return httpx.URL(url)


def _asking(url: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Return the address with the query: to parse it again costs a sixth of a small request."""
    address = httpx.URL(_route(url))
    if query:
        # What urlencode writes needs no quoting any more.
        address._uri_reference = address._uri_reference._replace(query=urlencode(query))  # noqa: SLF001
    return address


def _wire(connection: Connection, given: object, network: Network) -> httpx.BaseTransport:
    verify = _trusting(connection.ca_file) if connection.ca_file else _trusting_the_public()
    if given is None:
        limits = httpx.Limits(max_connections=max(connection.workers, 1) * 2)
        transport = httpx.HTTPTransport(verify=verify, trust_env=False, limits=limits)
        transport._pool._network_backend = network  # noqa: SLF001 - the library has no parameter for it
        return transport
    if not isinstance(given, httpx.BaseTransport):
        message = "wire must be a transport of the HTTP library"
        raise TypeError(message)
    return given


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


def unsent(error: ProviderError) -> ProviderError:
    """Return the error with the mark that nothing of the request was executed."""
    error.unsent = True
    return error
