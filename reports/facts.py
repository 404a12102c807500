"""The facts of a run beside its frames: given to this room by its caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """How reading one tenant of one provider went.

    `fresh_at` is when its last complete fetch began, null if there never was one. `error` is a
    sentence without secrets or personal data; both error fields are null when reading went well
    or was not part of the run. `clock_skew_seconds` tells how far its clock was ahead of ours,
    below zero where behind; null where that is too little to tell.
    """

    provider: str
    tenant_id: str | None
    fresh_at: datetime | None
    error_code: str | None = None
    error: str | None = None
    clock_skew_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """Which days are closed for one provider's plans, in which edition of the calendar.

    `calendar` is its name and version, `weekend` holds ISO weekday numbers (Monday is 1),
    `own_closed_days` counts the days that the configuration adds.
    """

    provider: str
    calendar: str
    weekend: tuple[int, ...]
    own_closed_days: int


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """The bucket set of one provider's plans: its labels in order, and whether they count `days` or `months`."""

    labels: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run: when, what for, with what outcome.

    `as_of`, `run_key`, `known_at`, `known_load` and `code_version` are the same in every run over
    the same facts and settings; `run_id` and `started_at` may differ and appear in `summary.json` and
    `manifest.json` only, as do `held_by_change`, the providers whose rows changed too much to be believed,
    `current_rows`, the rows now known per provider and entity, and `settings`, all that can change what is shown, by section. `causes` are sentences, each for breaks that probably have one cause.
    `calendars` tell, per provider, where expected dates and business days come from, `buckets` in which
    set its plans and terms are aged; `options` are the settings a reader needs to judge a figure,
    `plan_links` the patterns of `links.py` by provider. `write_backs` are sentences on changes at the
    providers that need a person; they tell of the moment of the run, whatever its date. `notes` are sentences on what was
    found on this machine, for whoever looks after it. `break_movement` says how the open breaks of the run before became
    those of this one, empty where the run is for an earlier date. `actions` say what to do about a break, by code and
    reason; the reason is empty where one sentence is for all of a code.
    """

    run_id: str
    run_key: str
    as_of: date
    started_at: datetime
    known_at: datetime
    known_load: int
    code_version: str
    state: str
    held_because: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    causes: tuple[str, ...] = ()
    calendars: tuple[CalendarFacts, ...] = ()
    buckets: Mapping[str, BucketFacts] = field(default_factory=lambda: MappingProxyType({}))
    write_backs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    break_movement: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plan_links: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    held_by_change: tuple[str, ...] = ()
    actions: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    current_rows: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
