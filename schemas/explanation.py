"""What an explanation says: how each figure of a plan, or a break, comes about.

Filled by `transforms.explanation`, written out by `reports.explanation`. Facts whose name ends in `_minor` are money in
minor units of the explanation's currency; null is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

Value = str | int | bool | date | datetime | None
Facts = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from: the fetch that told it as it is, and when the row was first seen at all.

    `page` and `position` count from 0 through the snapshot; null where only the list is kept, not the place in it.
    `page_sha256` names the file of the page in the landing.
    """

    provider: str
    tenant_id: str
    entity: str | None
    row_id: str
    load_no: int
    snapshot_id: str
    sweep: str | None
    page: int | None
    position: int | None
    page_sha256: str | None
    known_since: datetime
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """One row that figures rest on: how figures call it (`term 2`), what it says, and where that came from."""

    name: str
    facts: Facts
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one payment gave to one term; `how` is NAMED (the term names the payment) or OLDEST_FIRST."""

    payment: str
    term: str
    amount_minor: int
    how: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of the configuration that figures depend on, and what it means here."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of a provider because no page of it says so; `rows` are the lists whose rows depend on it."""

    name: str
    value: str
    about: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value, the rule in words and as an expression, and the same with the numbers of this plan.

    `kind` is MONEY, COUNT, SHARE (parts per million), DATE, FLAG or WORD. `inputs` are names of `Given` rows, `settings` of
    settings and `assumptions` of assumptions.
    """

    name: str
    kind: str
    value: Value
    formula: str
    expression: str
    working: str
    inputs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One plan as of one date, as known at load `known_load`."""

    provider: str
    tenant_id: str
    plan_id: str
    currency: str
    as_of: date
    known_load: int
    known_at: datetime | None
    plan: Given
    terms: tuple[Given, ...]
    payments: tuple[Given, ...]
    shares: tuple[Share, ...]
    pauses: tuple[Given, ...]
    closed_days: Mapping[date, str]
    differences: tuple[str, ...]
    settings: tuple[Setting, ...]
    figures: tuple[Figure, ...]
    assumptions: tuple[Assumed, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a check holds against what: its first line, what a break means, its likely causes, what to do."""

    summary: str
    means: str
    causes: str
    action: str


@dataclass(frozen=True, slots=True)
class Seen:
    """How one published run showed a break. Amounts of `difference` are decimals of the currency."""

    as_of: date
    run_id: str
    state: str
    severity: str
    expected: str | None
    actual: str | None
    difference: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """Somebody accepted the break, or took that back; null: without an end, at any amount."""

    owner: str
    because: str
    accepted_at: datetime
    accepted_by: str
    expires_on: date | None
    maximum: str | None
    is_withdrawn: bool


@dataclass(frozen=True, slots=True)
class ExplainedBreak:
    """One break as a run showed it: what was expected and why, what the provider says and where, its life, its severity.

    `facts` are the row of the breaks report. `expected_because` is how the expected value comes about, `rows` what
    both sides rest on.
    """

    fingerprint: str
    provider: str
    tenant_id: str
    currency: str | None
    as_of: date
    run_id: str
    facts: Facts
    explanation: str
    expected_because: str
    rules: tuple[Rule, ...]
    severity_because: str
    rows: tuple[Given, ...]
    settings: tuple[Setting, ...]
    life: tuple[Seen, ...]
    decisions: tuple[Decision, ...]
    assumptions: tuple[Assumed, ...]
