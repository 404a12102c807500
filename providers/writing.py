"""The words of changes at a provider: what is wanted, what would be sent, what was there, what came of it.

    Wanted   what a person asked for, as they wrote it
    Order    the one call that would bring it about, complete and without a secret
    Before   what the provider showed just before: the state to compare a later look with
    Answer   what the call was answered, sorted into done, refused, not executed, unknown
    Found    what a look at the provider shows of the effect

A change is sent once. Whether a call without a usable answer was executed is not known, so the
answer to it is `UNKNOWN` and its effect has to be looked for; that decision belongs to the callers.
All of these can be written down and read again: amounts are exact decimals in major units.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from zoneinfo import ZoneInfo

from providers.base import Assumption, Clock, Connection
from providers.errors import ProviderError

if TYPE_CHECKING:
    from providers.checking import Field

OPERATIONS = ("create", "update", "approve", "reject", "deactivate")


@dataclass(frozen=True, slots=True)
class Term:
    """One agreed or shown instalment: its day, and its amount in major units."""

    due_date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Wanted:
    """One change as it was written.

    `plan_id` is null for a create. `tenant_id` is empty where the caller leaves it to the body or
    the configuration. `body` is the provider's documented body, its numbers exact; for a Totality
    create with `loanUuid` beside it. Empty for changes that take no body.
    """

    operation: str
    tenant_id: str = ""
    plan_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """One mutating call, complete but for its secrets.

    `owner` is whose plan it is: a loan, an account; empty where only the provider knows. `body` is
    what is sent; a customer's token in it, in the query or in the path is replaced by the account's
    key, and put back only while the request is built. `query` likewise. `media` is json or form, or
    empty where no body is sent. `terms` are those that the body itself lists.
    """

    provider: str
    operation: str
    tenant_id: str
    plan_id: str | None
    owner: str
    method: str
    path: str
    route: str
    query: tuple[tuple[str, str], ...] = ()
    media: str = "json"
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanNow:
    """One plan as the provider shows it.

    `status` is PROPOSED, ACTIVE, REJECTED, DEACTIVATED, FINISHED, DELETED or UNKNOWN. `fields` are what a
    create or an update may set, by the provider's names; no secret is among them. `lists_terms` is false
    where the terms follow from the fields, so that the provider lists none.
    """

    plan_id: str
    owner: str
    status: str
    created_at: str
    terms: tuple[Term, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lists_terms: bool = True


@dataclass(frozen=True, slots=True)
class Before:
    """What the provider showed before the change, as far as it matters to it.

    `clock` is the provider's own, ours where that is earlier. `plan` is the plan to be changed; null
    for a create. `plan_ids` are all plans of the owner. `removes` are the terms that the change takes away. `total` is what
    the terms are expected to add up to, where the provider says so. `symbol` stands for the currency where no
    code is given. `facts` is for the preview and
    for computing the schedule: the provider's names and plain values. `objections` are reasons why
    the provider would refuse, or the change would be wrong; `remarks` are worth reading.
    """

    clock: datetime
    plan: PlanNow | None = None
    owner: str = ""
    plan_ids: tuple[str, ...] = ()
    removes: tuple[Term, ...] = ()
    currency: str | None = None
    symbol: str = ""
    total: Decimal | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    objections: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What an answer proves."""

    DONE = "done"
    REFUSED = "refused"
    NOT_EXECUTED = "not executed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call was answered.

    `status` is null where no answer came. `reason` is one plain clause without values of the body.
    `retry_after` in seconds, where the provider named a time. `clashes`: refused because something
    like it is there already, which after an earlier try may be that try's own effect.
    """

    outcome: Outcome
    status: int | None
    reason: str
    plan_id: str | None = None
    retry_after: float | None = None
    clashes: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a look shows: plans that are the effect, each with its id; empty where there is none yet.

    For a change of an existing plan it is that plan, once it is as wanted. `others` are plans of the same
    owner that are new and not as wanted: perhaps the effect in another form, so it may not be sent again.
    `contradicts` tells that the wanted state can no longer be reached: the plan went another way meanwhile.
    """

    plans: tuple[PlanNow, ...] = ()
    others: tuple[PlanNow, ...] = ()
    contradicts: str = ""


class Impossible(ProviderError):  # noqa: N818  said in messages as it stands
    """The change cannot be asked for: a field is missing, wrong or unknown, or the provider has no such call."""

    code = "usage"
    advice = "Correct the file or the command; nothing was sent."


class UnknownPlan(ProviderError):  # noqa: N818  said in messages as it stands
    """The provider has no such plan, or it is not one of the configured tenants'."""

    code = "usage"
    advice = "Check the plan's id and --tenant; nothing was sent."


class Writer(Protocol):
    """Changes plans at one provider; a context manager that closes its connections."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def fields(self, operation: str) -> "Mapping[str, Field]":
        """Return the fields that a body of the operation may have, by the provider's names; none if it takes no body."""
        ...

    def locate(self, wanted: Wanted) -> Wanted:
        """Return the same change, completed and without a secret: a customer's token becomes the account's key.

        Only reads, and only where something was left out.

        Raises:
            UnknownPlan: no configured tenant or account has such a plan.
            Impossible: more than one has.
        """
        ...

    def order(self, wanted: Wanted) -> Order:
        """Return the call that makes the change. Sends nothing, and the same change always gives the same call.

        Raises:
            Impossible: the provider has no such call, or the body is not what it documents.
        """
        ...

    def before(self, order: Order) -> Before:
        """Return what the provider shows now. Only reads.

        Raises:
            UnknownPlan: there is no such plan, loan or account.
            ProviderError: the provider could not be read.
        """
        ...

    def send(self, order: Order) -> Answer:
        """Send the call, once, and tell what its answer proves. Never raises because of the provider."""
        ...

    def look(self, order: Order, before: Before) -> Found:
        """Return what the provider shows of the effect. Only reads; a list that cannot be read to its end raises.

        Raises:
            ProviderError: the provider could not be read.
        """
        ...

    def read(self, tenant_id: str, plan_id: str, owner: str = "") -> PlanNow:
        """Return one plan as the provider shows it now, with its terms. Only reads; `owner` as in its create.

        Raises:
            UnknownPlan: the provider does not show it.
            ProviderError: the provider could not be read.
        """
        ...


class Compose(Protocol):
    """Opens a writer. `clock` tells the time in UTC; `wire` replaces the network in tests."""

    def __call__(self, connection: Connection, *, clock: Clock, wire: object = None) -> Writer:
        """Return a writer that has sent nothing yet."""
        ...


@dataclass(frozen=True, slots=True)
class Monthly:
    """A plan that takes `each` (major units) on day `day` of every month from `starts_on` until its balance is used up.

    None is what the body does not say: such a plan starts at once.
    """

    starts_on: date | None
    day: int | None
    each: Decimal | None


@dataclass(frozen=True, slots=True)
class BodyAsRule:
    """How the body of a create states the rule that its terms follow, to make a schedule of it.

    A body has one of `marks`. `ours` gives our word for each of its fields that say something of the
    schedule, `silent` the fields that say nothing of it; `unused` what a body that is of a kind, by the value
    of one of the fields `kinds`, may carry and has no use for. Amounts are `currency` in units of 10^-`places`.
    """

    marks: frozenset[str]
    kinds: tuple[str, ...]
    ours: Mapping[str, str]
    silent: frozenset[str]
    unused: Mapping[str, frozenset[str]]
    currency: str
    places: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What one provider lets be changed, and what we assume about it beyond its pages.

    `hidden` are fields whose value is never shown. `rule` gives the rule that the body of a create makes the
    provider follow, in the words of a plan's rules with amounts in major units; a day that it names stands in
    the given zone.
    """

    name: str
    ASSUMED: Mapping[str, Assumption]
    compose: Compose
    rule: "Callable[[Order, Before, Mapping[str, str], ZoneInfo], Mapping[str, Any] | Monthly] | None" = None
    body: BodyAsRule | None = None
    hidden: frozenset[str] = frozenset()
