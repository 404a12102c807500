"""Where the bearer token of a request comes from, and how it is renewed.

A token is fetched when first needed, again shortly before it ends, and once more when the
provider answers 401. Threads share one token: whoever sees a stale one renews it, the
others take the fresh one. Every token is made known to the redactor before it is used.
"""

import base64
import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from typing import Protocol

import msgspec

from providers.base import Clock, Connection, Kept
from providers.errors import NotConfigured, NotPermitted, ProviderError, Unreadable
from providers.http.answers import unmarked
from providers.http.redaction import LIVE

EARLY = 60.0
"""Seconds before its end at which a token is renewed, so that no request carries one that ends on the way."""
SPEAKABLE = re.compile(r"[\x20-\x7e]+")
"""Letters of which a secret may consist: everything else cannot be sent in a header."""


@dataclass(frozen=True, slots=True)
class TokenCall:
    """A request for a token: never carries a bearer token itself."""

    url: str
    route: str
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None
    basic: str | None = field(default=None, repr=False)


Exchange = Callable[[TokenCall], bytes]


@dataclass(frozen=True, slots=True)
class Grant:
    """A fresh token and the seconds it lives, None where it does not end by itself."""

    token: str = field(repr=False)
    lives: float | None = None


class Obtain(Protocol):
    """Gets a fresh token through one exchange with the provider."""

    def __call__(self, exchange: Exchange, /) -> Grant:
        """Return a token that has not been used yet."""
        ...


class Tokens:
    """The one token all requests of a client carry."""

    def __init__(
        self, provider: str, *, first: str | None, obtain: Obtain | None, monotonic: Callable[[], float]
    ) -> None:
        if first is None and obtain is None:
            message = "no credentials"
            raise NotConfigured(message, provider=provider)
        LIVE.learn(first)
        self._provider, self._token, self._obtain, self._monotonic = provider, first, obtain, monotonic
        self._ends: float | None = None
        self._lock = threading.Lock()

    def current(self, exchange: Exchange) -> str:
        """Return the token to send now."""
        with self._lock:
            ended = self._ends is not None and self._monotonic() >= self._ends
            if self._token is None or (ended and self._obtain is not None):
                return self._take(exchange)
            return self._token

    def renew(self, stale: str, exchange: Exchange) -> str:
        """Return a token other than the `stale` one that the provider has just refused."""
        with self._lock:
            if self._token is not None and self._token != stale:
                return self._token
            return self._take(exchange)

    def _take(self, exchange: Exchange) -> str:
        if self._obtain is None:
            message = "the token was refused and cannot be renewed"
            raise NotPermitted(message, provider=self._provider, status=401)
        grant = self._obtain(exchange)
        LIVE.learn(grant.token)
        self._token = grant.token
        self._ends = None if grant.lives is None else self._monotonic() + max(grant.lives - EARLY, 1.0)
        return grant.token


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float | None = None
    refresh_token: str | None = None


class _Enveloped(msgspec.Struct):
    result: _Answer = msgspec.field(name="Result")


def _bare(body: bytes) -> _Answer:
    return msgspec.json.decode(body, type=_Answer, strict=False)  # some write the seconds as text


def _enveloped(body: bytes) -> _Answer:
    return msgspec.json.decode(body, type=_Enveloped, strict=False).result


def read_grant(body: bytes, *, provider: str, route: str) -> _Answer:
    """Return the token answer, given plain or inside the provider's envelope.

    Raises:
        Unreadable: it holds no token, or one that no header can carry.
    """
    for read in (_bare, _enveloped):
        try:
            found = read(unmarked(body))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if SPEAKABLE.fullmatch(found.access_token):
            return found
        if found.access_token:
            message = "the token answer holds an access_token that cannot be sent: it is not of printable ASCII"
            raise Unreadable(message, provider=provider, endpoint=route)
    message = "the token answer holds no access_token"
    raise Unreadable(message, provider=provider, endpoint=route)


def basic(client_id: str, client_secret: str) -> str:
    """Return the Basic credentials of an OAuth2 client."""
    value = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    LIVE.learn(client_secret, value)
    return value


@dataclass(slots=True)
class ClientCredentials:
    """OAuth2 client_credentials over HTTP Basic, as a form or as JSON."""

    provider: str
    url: str
    route: str
    credentials: str = field(repr=False)
    as_form: bool = True

    def __call__(self, exchange: Exchange, /) -> Grant:
        """Return a token that has not been used yet."""
        asked = {"grant_type": "client_credentials"}
        call = TokenCall(
            self.url,
            self.route,
            basic=self.credentials,
            form=asked if self.as_form else None,
            json=None if self.as_form else asked,
        )
        answer = read_grant(exchange(call), provider=self.provider, route=self.route)
        return Grant(answer.access_token, answer.expires_in)


@dataclass(slots=True)
class Refreshing:
    """OAuth2 refresh_token; each use replaces the refresh token, so its place is tried before it is spent."""

    provider: str
    url: str
    route: str
    credentials: str = field(repr=False)
    refresh_token: str = field(repr=False)
    kept: Kept | None = field(default=None, repr=False)

    def __call__(self, exchange: Exchange, /) -> Grant:
        """Return a token that has not been used yet."""
        with self.kept.held() if self.kept is not None else nullcontext():
            mine = self._newest()
            try:
                return self._exchanged(exchange, mine)
            except NotPermitted:
                # Somebody whom the lock does not reach may have used ours meanwhile and kept what came of it.
                if self._newest() == mine:
                    raise
                return self._exchanged(exchange, self.refresh_token)

    def _newest(self) -> str:
        self.refresh_token = (self.kept.newest() if self.kept is not None else None) or self.refresh_token
        LIVE.learn(self.refresh_token)
        return self.refresh_token

    def _exchanged(self, exchange: Exchange, refresh_token: str) -> Grant:
        asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = read_grant(
            exchange(TokenCall(self.url, self.route, json=asked, basic=self.credentials)),
            provider=self.provider,
            route=self.route,
        )
        if answer.refresh_token and answer.refresh_token != refresh_token:
            LIVE.learn(answer.refresh_token)
            self.refresh_token = answer.refresh_token
            if self.kept is not None:
                self.kept.keep(answer.refresh_token)
        return Grant(answer.access_token, answer.expires_in)


@dataclass(slots=True)
class Signed:
    """A token for an API key: the request is signed, HMAC-SHA256 over key and creation date, lower-case hex."""

    provider: str
    url: str
    route: str
    clock: Clock
    api_key: str = field(repr=False)
    signing_secret: str = field(repr=False)
    role: str | None = None
    lives: float | None = 3600.0

    def __call__(self, exchange: Exchange, /) -> Grant:
        """Return a token that has not been used yet."""
        created = self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        signed = signature(self.api_key, created, self.signing_secret)
        LIVE.learn(signed)
        asked = {
            "APIKey": self.api_key,
            "CreationDate": created,
            "grant_type": "client_credentials",
            "Signature": signed,
        }
        if self.role:
            asked["Role"] = self.role
        answer = read_grant(
            exchange(TokenCall(self.url, self.route, json=asked)), provider=self.provider, route=self.route
        )
        return Grant(answer.access_token, answer.expires_in or self.lives)


def signature(api_key: str, created: str, secret: str) -> str:
    """Return the signature of a token request."""
    return hmac.new(secret.encode(), (api_key + created).encode(), hashlib.sha256).hexdigest()


def oauth_tokens(
    provider: str, connection: Connection, *, url: str, route: str, as_form: bool, monotonic: Callable[[], float]
) -> Tokens:
    """Return tokens from what the connection holds: a token, a refresh token or client credentials, in this order."""
    obtain: Obtain | None = None
    if connection.client_id and connection.client_secret:
        credentials = basic(connection.client_id, connection.client_secret)
        if connection.refresh_token:
            obtain = Refreshing(provider, url, route, credentials, connection.refresh_token, connection.kept)
        else:
            obtain = ClientCredentials(provider, url, route, credentials, as_form)
    if connection.token is None and obtain is None:
        message = "neither a token nor client_id and client_secret are configured"
        raise NotConfigured(message, provider=provider)
    return Tokens(provider, first=connection.token, obtain=obtain, monotonic=monotonic)


def refused_credentials(error: ProviderError) -> NotPermitted:
    """Return the same failure with what it means when a token was asked for."""
    return NotPermitted(
        "the provider refused the credentials",
        provider=error.provider,
        endpoint=error.endpoint,
        status=error.status,
        request_id=error.request_id,
        next_step="Check client_id, client_secret, refresh_token or api_key; an expired grant needs a new authorization.",
    )
