"""Reads Payt: bearer token, cursor pages, one administration at a time. Changes of plans are in `writing`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import msgspec
from msgspec import UNSET, Raw, UnsetType

from providers.base import Assumption, Clock, Connection, Decoded, Page, Provider, SweepRequest, assumed
from providers.http.addresses import segment
from providers.http.auth import oauth_tokens
from providers.http.transport import Call, Transport
from providers.outline import Outline, decode_page
from providers.pages import Limits, Rows, Settling, Watch, iso, parsed
from providers.payt.assumed import WRITES
from providers.payt.rows import DELETED, SHAPES, TABLES, fields_of
from providers.reader import Reader, page_of, with_evidence

NAME = "payt"
RATE = 9.0
"""Requests per second; the provider allows ten per token and counts by its own clock."""
PAGE_SIZE = 500
KEPT = timedelta(days=90)
"""How long the provider lists a deletion."""
LISTS = ("payment_plans", "payments", "psp_transactions", "invoices", "credit_cases", "debtors")
DELETABLE = ("payment_plans", "payments", "invoices", "credit_cases")
GONE = "deleted_"

ASSUMED: Mapping[str, Assumption] = {
    "last_page": Assumption(
        "no pagination, or its cursor null or empty, or an empty page that leads to itself",
        "how a list ends; any other empty page is read on behind, and a cursor seen before is an error",
        LISTS,
    ),
    "updated_after": Assumption(
        "updated_after", "query parameter of changed rows; inclusive or exclusive, so we overlap", LISTS
    ),
    "scope_suffix": Assumption(":read", "scopes other than the three documented are <resource>:read"),
    "term_currency": Assumption(
        "administration", "terms are in the administration's currency_code", ("payment_plans",)
    ),
    "token_path": Assumption("/oauth/token", "token call below the base address; token_url overrides it"),
}


class _Pagination(msgspec.Struct):
    cursor: str | int | UnsetType | None = UNSET


class _List(msgspec.Struct):
    data: list[Raw]
    pagination: _Pagination | UnsetType | None = UNSET

    def next(self, own: str) -> str | None:
        """Return the cursor of the page after the one at cursor `own`, None on the last one."""
        if not isinstance(self.pagination, _Pagination):
            return None
        cursor = self.pagination.cursor
        is_last = cursor is UNSET or cursor is None or cursor == "" or (not self.data and str(cursor) == own)
        return None if is_last else str(cursor)


@dataclass(frozen=True, slots=True)
class PaytClient(Reader):
    """Reads one Payt account, one administration at a time."""

    page_size: int
    connection: Connection
    changed_after: str

    def tenants(self) -> Iterator[Page]:
        """Yield the pages that list the administrations these credentials may see."""
        for page, _ in self._walk("administrations", "/v1/administrations", "", (), self._limits()):
            yield page

    def sweeps(self, tenant_id: str, since: Mapping[str, datetime | None]) -> list[SweepRequest]:
        """Return the lists of one administration, then those of what was deleted from them.

        Deletions come last: a record deleted while the lists were read is in its list and here.
        """
        names = (*LISTS, *(GONE + kind for kind in DELETABLE))
        return [SweepRequest(name, tenant_id, since.get(name)) for name in names]

    def pull(self, sweep: SweepRequest) -> Iterator[Page]:
        """Yield the pages of one list of one administration, until it no longer changes."""
        kind = sweep.name.removeprefix(GONE)
        pages = self._deleted(sweep, kind) if sweep.name.startswith(GONE) else self._listed(sweep)
        return with_evidence(pages, sweep, {"administration_id": sweep.tenant_id})

    def rows(self, name: str, tenant_id: str, extra: tuple[tuple[str, str], ...] = ()) -> Iterator[Raw]:
        """Yield every row of one list, to its end."""
        for _, rows in self._walk(name, f"/v1/{segment(name)}", tenant_id, extra, self._limits()):
            yield from rows

    def _limits(self, last_pages: int = 0) -> Limits:
        return Limits.of(self.connection, last_pages)

    def _fields(self, name: str) -> tuple[tuple[str, str], ...]:
        return (("fields", fields_of(SHAPES[name])),) if self.connection.fields else ()

    def _listed(self, sweep: SweepRequest) -> Iterator[Page]:
        limits = self._limits(sweep.last_pages)

        def walk(since: datetime | None) -> Iterator[tuple[Page, Rows]]:
            changed = () if since is None else ((self.changed_after, iso(since)),)
            return self._walk(
                sweep.name, f"/v1/{segment(sweep.name)}", sweep.tenant_id, (*self._fields(sweep.name), *changed), limits
            )

        # A cursor does not shift when rows change, so only what changed is read again.
        return Settling(walk, self.transport.until_now).pages(sweep.since)

    def _deleted(self, sweep: SweepRequest, kind: str) -> Iterator[Page]:
        # An hour inside what the provider keeps: a bound it no longer knows could be refused.
        oldest = self.transport.until_now() - KEPT + timedelta(hours=1)
        since = max(sweep.since, oldest) if sweep.since else oldest
        path = f"/v1/{segment(kind)}/deleted"
        limits = self._limits(sweep.last_pages)
        for page, _ in self._walk(sweep.name, path, sweep.tenant_id, (("deleted_after", iso(since)),), limits):
            yield page

    def _walk(
        self, entity: str, path: str, tenant_id: str, extra: tuple[tuple[str, str], ...], limits: Limits
    ) -> Iterator[tuple[Page, Rows]]:
        place = f"GET {path}"
        watch = Watch(NAME, place, limits)
        owner = (("administration_id", tenant_id),) if tenant_id else ()
        context = dict(owner)
        query: tuple[tuple[str, str], ...] = (*owner, *extra, ("per_page", str(self.page_size)))
        cursor: str | None = ""
        while cursor is not None:
            at = (("cursor", cursor),) if cursor else ()
            call = Call("GET", path, path, (*query, *at))
            reply, answer = self.transport.read(
                call, lambda reply: (reply, parsed(reply, _read, provider=NAME, place=place))
            )
            yield page_of(reply, entity, tenant_id, context), answer.data
            cursor = answer.next(cursor)
            if cursor is not None:
                watch.new(cursor)


def connect(connection: Connection, *, clock: Clock, wire: object = None) -> PaytClient:
    """Return a client for these credentials that has sent nothing yet."""
    words = assumed(NAME, {**ASSUMED, **WRITES}, connection.overrides)
    route = words["token_path"]
    url = connection.token_url or connection.base_url.rstrip("/") + route
    tokens = oauth_tokens(NAME, connection, url=url, route=route, as_form=False, monotonic=monotonic)
    transport = Transport(NAME, connection, clock=clock, tokens=tokens, rate=RATE, wire=wire)
    return PaytClient(transport, connection.page_size or PAGE_SIZE, connection, words["updated_after"])


def decode(entity: str, body: bytes, context: Mapping[str, str]) -> Decoded:
    """Return one page as columns of the received tables; what cannot be read is in the rejects."""
    return decode_page(OUTLINES[entity], body, context)


def _read(body: bytes) -> _List:
    return msgspec.json.decode(body, type=_List)


def _cut(body: bytes) -> list[Raw]:
    return _read(body).data


_TABLES: Mapping[str, tuple[str, ...]] = {
    "payment_plans": ("payment_plans", "payment_terms"),
    "psp_transactions": ("psp_transactions", "psp_invoices"),
}
OUTLINES: Mapping[str, Outline] = {
    entity: Outline(shape, tuple(TABLES[name] for name in _TABLES.get(entity, (entity,))), lambda body, _: _cut(body))
    for entity, shape in SHAPES.items()
} | {
    GONE + kind: Outline(DELETED, (TABLES["deleted"],), lambda body, _: _cut(body), fixed={"kind": kind})
    for kind in DELETABLE
}


def tenant_ids(pages: Iterable[Page]) -> list[str]:
    """Return the administrations on these pages, in their order, without those the provider calls deleted."""
    found: dict[str, None] = {}
    for page in pages:
        table = decode("administrations", page.body, page.context).tables["payt__administrations"]
        for tenant_id, status in zip(table["id"], table["status"], strict=True):
            if status != "deleted":
                found[str(tenant_id)] = None
    return list(found)


PROVIDER = Provider(
    name=NAME,
    ASSUMED=ASSUMED,
    TABLES={table.name: table.types() for table in TABLES.values()},
    connect=connect,
    decode=decode,
    tenant_ids=tenant_ids,
    lists_tenants=True,
    OUTLINES=OUTLINES,
)
