"""Addresses a request may go to, and how an id becomes part of one."""

from functools import lru_cache
from urllib.parse import quote, urlsplit

from providers.errors import NotConfigured, Refused

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def segment(value: str) -> str:
    """Return `value` as exactly one path segment, whatever it contains; a dot segment is refused."""
    if value in {"", ".", ".."}:
        message = "an id cannot be put into an address"
        raise Refused(message, next_step="The id is empty or a dot segment; check where it comes from.")
    return quote(value, safe="")


@lru_cache(256)
def origin(url: str, *, provider: str, name: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address that may be sent to: https, or http on this machine only."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    host = parts.hostname or ""
    plain = parts.scheme == "http" and host in _LOOPBACK
    clean = not (parts.username or parts.password or parts.query or parts.fragment or "\\" in url)
    if not host or not clean or not (parts.scheme == "https" or plain):
        message = f"{name} is not an address that may be used"
        step = "Give https://host/path without user, query or fragment; http is for loopback addresses only."
        raise NotConfigured(message, provider=provider, next_step=step)
    return parts.scheme, host, port
