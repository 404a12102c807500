"""Parts that the explanations of a plan and of a break share: rows, where they come from, what is assumed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from reports.texts import instant
from schemas.currencies import written
from schemas.explanation import Assumed, Facts, Given, Origin, Setting, Value

MINOR = "_minor"
"""End of the names of amounts in minor units."""


def given_json(given: Given, currency: str) -> dict[str, Any]:
    """Return a row with its name, its facts and its source; amounts in the row's own currency, else in `currency`."""
    origin = None
    if given.origin is not None:
        origin = {each.name: plain(getattr(given.origin, each.name)) for each in fields(Origin)}
    return {"name": given.name, **in_words(given.facts, str(given.facts.get("currency") or currency)), "source": origin}


def in_words(facts: Facts, currency: str) -> Mapping[str, Any]:
    """Return facts as JSON has them: amounts as decimals with the currency's places, under names without `_minor`."""
    return {
        name.removesuffix(MINOR): written(int(str(value)), currency)
        if name.endswith(MINOR) and value is not None
        else plain(value)
        for name, value in facts.items()
    }


def plain(value: Value) -> Any:
    """Return a value as JSON has it: dates and moments as ISO 8601, moments in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def aloud(value: Value) -> str:
    """Write a date as it is read aloud: `1 April 2025`; what is none is an unknown day."""
    return f"{value.day} {value:%B} {value.year}" if isinstance(value, date) else "an unknown day"


def origins(rows: Iterable[Given]) -> Iterable[str]:
    """Return one line per row that was fetched: list, page and place, fetch, since when it is known."""
    for row in rows:
        origin = row.origin
        if origin is None:
            continue
        place = f" page {origin.page}, row {origin.position}" if origin.page is not None else ""
        file = f", file {origin.page_sha256[:12]}" if origin.page_sha256 else ""
        yield (
            f"  {row.name}: {origin.provider} list {origin.entity}{place}{file}, fetch {origin.snapshot_id} (load {origin.load_no}, "
            f"known since {instant(origin.known_since)}); first seen {instant(origin.first_seen)}."
        )


def assumed(assumptions: Sequence[Assumed]) -> Iterable[str]:
    """Return one line per assumption; fields that have the name we assume are told together, list by list."""
    together: dict[tuple[str, ...], list[str]] = {}
    for each in assumptions:
        if each.name == f"{each.rows[0]}.{each.value}":
            together.setdefault(each.rows, []).append(each.value)
        else:
            yield f"  {each.name} = {each.value or '(none)'}: {each.about}."
    for rows, names in together.items():
        yield f"  fields of {', '.join(rows)} are called {', '.join(names)}."
    if not assumptions:
        yield "  nothing"


def settings_json(settings: Iterable[Setting]) -> list[dict[str, str]]:
    """Return settings with their values and meanings."""
    return [{"name": each.name, "value": each.value, "meaning": each.meaning} for each in settings]


def assumed_json(assumptions: Iterable[Assumed]) -> list[dict[str, Any]]:
    """Return what is assumed of the provider, and of which of its lists."""
    return [
        {"name": each.name, "value": each.value, "about": each.about, "rows": list(each.rows)} for each in assumptions
    ]


def settings_lines(settings: Iterable[Setting]) -> Iterable[str]:
    """Return one line per setting."""
    return (f"  {each.name} = {each.value}: {each.meaning}." for each in settings)
