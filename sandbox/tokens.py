"""Access tokens of the sandboxed providers: issued, checked, expired, counted against a rate limit."""

import base64
import binascii
import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Token:
    """One access token; `expires_at` None never expires."""

    text: str
    expires_at: float | None = None
    role: str = ""


@dataclass(slots=True)
class Tokens:
    """The tokens one provider accepts at this moment.

    Issued tokens are numbered per store, so that a recording reads the same in
    every run. `advance` lets hours pass without waiting.
    """

    prefix: str
    static: str | None = None
    ahead: float = 0.0
    live: dict[str, Token] = field(default_factory=dict)
    recent: dict[str, deque[float]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def issue(self, *, life: float | None, role: str = "") -> Token:
        """Return a new token that lives `life` seconds, or for ever."""
        expires = None if life is None else self.time() + life
        token = Token(f"{self.prefix}-{next(self.numbers)}", expires, role)
        self.live[token.text] = token
        return token

    def check(self, authorization: str | None) -> Token | None:
        """Return the token a `Bearer` header names, or None if it is unknown or expired."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            return None
        if text == self.static:
            return Token(text)
        token = self.live.get(text)
        if token is None or (token.expires_at is not None and token.expires_at <= self.time()):
            return None
        return token

    def allow(self, token: Token, *, per_second: int | None) -> bool:
        """Tell whether the token stays within its rate over any one second; a refused request does not count."""
        if per_second is None:
            return True
        now = time.monotonic()
        times = self.recent.setdefault(token.text, deque())
        while times and now - times[0] >= 1:
            times.popleft()
        if len(times) >= per_second:
            return False
        times.append(now)
        return True

    def advance(self, seconds: float) -> None:
        """Let that much of the tokens' lives pass at once."""
        self.ahead += seconds

    def time(self) -> float:
        """Return the clock tokens live by, in seconds."""
        return time.monotonic() + self.ahead


def basic(authorization: str | None) -> tuple[str, str] | None:
    """Return user and password of a `Basic` header, or None if there is no readable one."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None
