"""Where a plan is seen at its provider: a pattern of the configuration, filled in with the ids of the plan.

How a link is written into a page, a sheet or a terminal does not belong here.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

PLACES = ("plan_id", "tenant_id")
"""What a pattern may name between braces; the first has to be there."""
LONGEST_LINK = 2_000
"""Characters of a link; spreadsheets and browsers take no longer ones."""

_UNUSABLE = re.compile(r"[\s\x00-\x1f\x7f\"'<>\\^`|]")
_PLACE = re.compile(r"\{([^{}]*)\}")
_STEPS = frozenset({"", ".", ".."})
"""Ids that would lead to another place than one of their own."""


def sound_pattern(pattern: str) -> str:
    """Return a pattern of links as it is.

    Raises:
        ValueError: what is wrong with it, and how it is written.
    """
    usual = "write it as https://lender.example/plans/{plan_id}"
    if unusable := _UNUSABLE.search(pattern):
        raise ValueError(f"has {unusable[0]!r} in it, which no link has; {usual}")
    places = _PLACE.findall(pattern)
    for place in places:
        if place not in PLACES:
            known = " and ".join(f"{{{name}}}" for name in PLACES)
            raise ValueError(f"names {{{place}}}, which is not known; {known} are")
    if re.search("[{}]", _PLACE.sub("", pattern)):
        raise ValueError(f"has a brace without its other one; {usual}")
    if "plan_id" not in places:
        raise ValueError(f"does not say where the id of the plan goes; {usual}")
    try:
        parts = urlsplit(pattern)
        host = parts.hostname
    except ValueError as error:
        raise ValueError(f"is no address ({error}); {usual}") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError(f"is no web address; {usual}")
    if "@" in parts.netloc:
        raise ValueError(f"names a user before the host, and every report shows it; {usual}")
    if "{" in parts.netloc:
        raise ValueError(f"has ids in the host, where they cannot stand; {usual}")
    return pattern


def plan_link(pattern: str | None, *, plan_id: str | None, tenant_id: str | None) -> str | None:
    """Return the address of a plan, its ids percent-encoded; None without a pattern, an id it asks for, or room."""
    ids = {"plan_id": plan_id or "", "tenant_id": tenant_id or ""}
    if pattern is None or any(ids[name] in _STEPS for name in _PLACE.findall(pattern)):
        return None
    link = _PLACE.sub(lambda place: quote(ids[place[1]], safe=""), pattern)
    return link if len(link) <= LONGEST_LINK else None


def link_of(patterns: Mapping[str, str], row: Mapping[str, str | None]) -> str | None:
    """Return the address of the plan that a row is about, by `provider`, `tenant_id` and `plan_id`; None without one."""
    return plan_link(patterns.get(row["provider"] or ""), plan_id=row["plan_id"], tenant_id=row["tenant_id"])
