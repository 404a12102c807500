"""The words every provider shares: connection, sweep, page, what decoding gives.

No HTTP and no JSON in here; and nothing of our tables beyond the received columns a
provider fills. Secrets never show in a `repr`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from providers.errors import NotConfigured

if TYPE_CHECKING:
    from providers.outline import Outline
    from providers.writing import Desk

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One line of the accounts file; the customer token names a person and is a secret."""

    customer_token: str = field(repr=False)
    reference_number: str
    other_data: str = ""


class Kept(Protocol):
    """Keeps a refresh token, which is worth nothing once it was used, for whoever needs it next."""

    def held(self) -> AbstractContextManager[None]:
        """Nobody else reads, exchanges or keeps the token meanwhile; the place has been tried and can be written.

        Raises:
            NotKept: it cannot.
        """
        ...

    def newest(self) -> str | None:
        """Return the token to exchange now; None if none was ever kept or configured."""
        ...

    def keep(self, token: str) -> None:
        """From now on `token` is the newest."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything one provider's client needs; built by the settings, never read from the environment here.

    Times are seconds, sizes bytes. `overrides` replaces entries of the provider's table of
    assumptions. `kept` is where a refresh token that changes at each use lies between runs.
    `ca_file` holds the only authority that is trusted. `sweep_seconds` bounds reading one list.
    `fields` asks, where a provider lets it be asked, for nothing that is not read.
    """

    base_url: str
    token: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    token_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    role: str | None = None
    requests_per_second: float | None = None
    page_size: int | None = None
    administrations: tuple[str, ...] = ("*",)
    fields: bool = True
    accounts: tuple[AccountRef, ...] = field(default=(), repr=False)
    overrides: Mapping[str, str] = field(default_factory=dict)
    kept: "Kept | None" = field(default=None, repr=False, compare=False)
    ca_file: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 120.0
    attempts: int = 5
    retry_seconds: float = 300.0
    retry_after_cap: float = 60.0
    byte_budget: int = 64 * 1024 * 1024
    page_cap: int = 200_000
    sweep_seconds: float = 7200.0
    workers: int = 4

    def secrets(self) -> list[str]:
        """Return every value of this connection that must never be printed."""
        mine = (self.token, self.client_secret, self.refresh_token, self.api_key, self.signing_secret)
        return [value for value in (*mine, *(ref.customer_token for ref in self.accounts)) if value]


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something a client needs and no page of the provider shows; ours until a live system says otherwise.

    `rows` are the lists whose rows would say something else, or be missing, were it wrong; empty where it only decides
    whether the provider can be reached.
    """

    value: str
    about: str
    rows: tuple[str, ...] = ()


def assumed(provider: str, table: Mapping[str, Assumption], overrides: Mapping[str, str]) -> dict[str, str]:
    """Return each assumption's value, the configured one where there is one; an unknown name is refused."""
    unknown = sorted(set(overrides) - set(table))
    if unknown:
        message = f"{unknown[0]!r} is not an assumption that can be overridden"
        raise NotConfigured(message, provider=provider, next_step=f"Known are: {', '.join(sorted(table))}.")
    return {name: overrides.get(name, entry.value) for name, entry in table.items()}


class Before(Protocol):
    """A page as it came in an earlier fetch."""

    @property
    def entity(self) -> str:
        """Return the name of what it lists."""

    @property
    def sha256(self) -> str:
        """Return the hash of its body, in hex."""

    @property
    def context(self) -> Mapping[str, str]:
        """Return what decoding needs beside the body."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """One list to read to its end, of one tenant. `since` in UTC; None asks for everything.

    `last_pages` is how many pages it had when everything was last fetched; 0 where there is nothing to go by.
    A list `by_owner` is read by asking for one account after the other; `owners`, the contexts of earlier pages, then
    limits it to the accounts these pages were about. None asks for all. `before` has all pages of an account's last
    fetch, by the first of its `ties`, where they may count as they were; but for the payments of those in `moving`.
    """

    name: str
    tenant_id: str
    since: datetime | None = None
    last_pages: int = 0
    by_owner: bool = False
    owners: tuple[Mapping[str, str], ...] | None = None
    before: Mapping[str, Sequence[Before]] = field(default_factory=dict)
    moving: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """One answer as received. `context` is what decoding needs besides the bytes; never a secret.

    `provider_clock` is the provider's time of it, `received_at` our own at that moment. `speaks_for` are the
    entities of its account that were not asked for behind it, because they count as they were when last fetched.
    """

    entity: str
    tenant_id: str
    body: bytes = field(repr=False)
    context: Mapping[str, str]
    status: int
    provider_clock: datetime | None
    received_at: datetime | None = None
    speaks_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """One row, or with position -1 one whole page, that cannot be read.

    `reason` names fields and types and never a value. `key` is the row's own id where one
    could be read. `rows` counts the row's children where they could be counted, else 0.
    """

    position: int
    code: str
    column: str | None
    reason: str
    key: str | None = None
    rows: int = 0


@dataclass(slots=True)
class Decoded:
    """What one page says: columns per received table, and what could not be read.

    Lists of one table have the same length. `rows` counts top-level rows, accepted and
    rejected. `unknown_fields` counts fields nobody documented, by dotted name; `carried` says of each
    field that is read and may be left out how many rows could carry it and how many did.
    """

    tables: dict[str, dict[str, list[object]]]
    rejects: list[Reject]
    rows: int
    unknown_fields: dict[str, int]
    carried: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a client has cost so far."""

    requests: int
    retries: int
    bytes: int


class Client(Protocol):
    """Reads one provider. Thread-safe; a context manager that closes its connections."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
    def tenants(self) -> Iterator[Page]:
        """Yield pages that list the tenants, if the provider has such a list."""
        ...

    def sweeps(self, tenant_id: str, since: Mapping[str, datetime | None]) -> list[SweepRequest]:
        """Return what to pull for one tenant, in this order."""
        ...

    def pull(self, sweep: SweepRequest) -> Iterator[Page]:
        """Yield the sweep's pages. Ends without an error only at the provider's own end signal."""
        ...

    def traffic(self) -> Traffic:
        """Requests, retries and bytes so far."""
        ...


def all_together(_context: Mapping[str, str]) -> tuple[str, ...]:
    """Return the one name that all pages of a provider share that is asked list by list."""
    return ("",)


class Connect(Protocol):
    """Opens a client. `clock` tells the time in UTC; `wire` replaces the network in tests."""

    def __call__(self, connection: Connection, *, clock: Clock, wire: object = None) -> Client:
        """Return a client that has sent nothing yet."""
        ...


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: how to connect, how to read what it sent, what we assume about it.

    `TABLES` gives each received table's columns with their type: text, bool or bigint.
    `tenant_ids` reads the tenants off the pages of `Client.tenants`, where the provider lists them;
    the only tenant of another is called after the host it is read from, or by `tenant`. `account_columns`
    are those of the file that names accounts, where the provider lists none. `ties` names, from a page's context, what its
    rows are read with: first the account that was asked, then, say, `plan 7`; pages that share a name belong together. `desk` is None where
    nothing can be changed. `OUTLINES` tell of each entity how its pages are read; without one, no page of it is looked at whole first.
    """

    name: str
    ASSUMED: Mapping[str, Assumption]
    TABLES: Mapping[str, Mapping[str, str]]
    connect: Connect
    decode: Callable[[str, bytes, Mapping[str, str]], Decoded]
    tenant_ids: Callable[[Iterable[Page]], list[str]]
    lists_tenants: bool = False
    tenant: str = ""
    account_columns: tuple[str, ...] = ()
    ties: Callable[[Mapping[str, str]], tuple[str, ...]] = all_together
    OUTLINES: "Mapping[str, Outline]" = field(default_factory=dict)
    desk: "Desk | None" = None
