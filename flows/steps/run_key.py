"""Hash what the bytes of a run depend on: settings, code, date, loads; not secrets, paths and where providers are."""

import hashlib
import importlib.metadata
import json
from dataclasses import replace
from datetime import date, datetime

from flows.settings import Settings
from flows.steps.own_lists.customers import customers_of, read_customers
from flows.steps.own_lists.pauses import read_pauses
from sql.warehouse import SCHEMA_VERSION

SHOWN = frozenset(
    [
        "tenant",
        "timezone",
        "currency",
        "currency_symbols",
        "grace_days",
        "tolerance",
        "allocates",
        "bucket_set",
        "calendar",
        "weekend",
        "closed_days",
        "conventions",
        "assumed",
        "plan_url",
    ]
)
"""Keys of a provider's section that can change what a report shows."""


def run_key(settings: Settings, *, as_of: date, known_at: datetime) -> str:
    """Return one hash of all of it: runs with the same key show the same."""
    parts = (fingerprint(settings), version(), str(SCHEMA_VERSION), as_of.isoformat(), known_at.isoformat())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def version() -> str:
    """Return the version of this program."""
    return importlib.metadata.version("planrecon")


def fingerprint(settings: Settings) -> str:
    """Return the settings that can change what is shown, as canonical JSON: no secret, no path, no provider's address."""
    providers = {
        name: {key: str(value) for key, value in section if key in SHOWN}
        for name, section in settings.providers.configured().items()
    }
    told = {
        "run": settings.run.model_dump(mode="json", exclude={"pauses_file", "customers_file"}),
        "pauses": [replace(pause, place="") for pause in read_pauses(settings.run.pauses_file)],
        "customers": [list(row) for row in customers_of(read_customers(settings.run.customers_file)).rows()],
        "outcome": settings.outcome.model_dump(mode="json"),
        "buckets": settings.buckets.ranges,
        "providers": providers,
        "calendars": {name: each.label for name, each in settings.calendars().items()},  # another edition, other days
    }
    return json.dumps(told, sort_keys=True, default=str)
