"""Reads Totality: a vendor media type, numbered pages, cents.

No list page of this provider could be read but one, so the paths, the shape of a list and most
field names are assumptions; `ASSUMED` holds them all. Changes of plans are in `writing`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from time import monotonic
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw

from providers.base import Assumption, Clock, Connection, Decoded, Page, Provider, SweepRequest, assumed
from providers.http.answers import unmarked
from providers.http.auth import oauth_tokens
from providers.http.transport import Call, Transport
from providers.outline import Outline, decode_page
from providers.pages import Limits, Rows, Settling, Watch, by_field, iso, parsed
from providers.reader import Reader, page_of, with_evidence
from providers.rows import NAME as RENAME
from providers.rows import UNREADABLE
from providers.totality.assumed import WRITES
from providers.totality.rows import SHAPES, TABLES

NAME = "totality"
MEDIA_TYPE = "application/vnd.totality.v1+json"
LISTS = ("loans", "payment_plans", "scheduled_payments", "payments")

ASSUMED: Mapping[str, Assumption] = {
    "token_path": Assumption(
        "/oauth/token", "token call at the origin of base_url, form and HTTP Basic; token_url overrides it"
    ),
    "path.loans": Assumption("/loans", "list of loans, below base_url"),
    "path.payment_plans": Assumption("/payment-plans", "list of payment plans, below base_url"),
    "path.scheduled_payments": Assumption("/scheduled-payments", "list of scheduled payments, below base_url"),
    "path.payments": Assumption("/payments", "list of payments, below base_url"),
    "page": Assumption("page", "query parameter of the page number, from 1; a list ends with an empty page", LISTS),
    "page_size": Assumption("", "query parameter of the page size; empty: none is sent"),
    "sort": Assumption("updatedAt", "value of sort: the oldest change first", LISTS),
    "updated_after": Assumption("filter[updatedAt][gte]", "query parameter of changed rows, ISO 8601 UTC", LISTS),
    "list": Assumption("data", "where the rows lie if a list is an object; a bare array is read as well", LISTS),
    "total": Assumption(
        "total", "how many rows an object around a list says the whole list has; empty: never looked at", LISTS
    ),
    **{
        f"{entity}.{item.encode_name}": Assumption(item.encode_name, "field of a list's rows", (entity,))
        for entity, shape in SHAPES.items()
        for item in msgspec.structs.fields(shape.struct)
    },
}


@dataclass(frozen=True, slots=True)
class TotalityClient(Reader):
    """Reads one lender."""

    connection: Connection
    words: Mapping[str, str]

    def tenants(self) -> Iterator[Page]:
        """Return no pages: a host is one lender."""
        return iter(())

    def sweeps(self, tenant_id: str, since: Mapping[str, datetime | None]) -> list[SweepRequest]:
        """Return the lists, owners before what belongs to them."""
        return [SweepRequest(name, tenant_id, since.get(name)) for name in LISTS]

    def pull(self, sweep: SweepRequest) -> Iterator[Page]:
        """Yield the pages of one list, until it no longer changes."""
        context = self.context(sweep.name)
        return with_evidence(self._settled(sweep, context, ()), sweep, context)

    def rows(self, name: str, extra: tuple[tuple[str, str], ...] = ()) -> Iterator[Raw]:
        """Yield every row of one list, to its end; a row that changes meanwhile may come twice, the newest last."""
        context = self.context(name)
        for page in self._settled(SweepRequest(name, ""), context, extra):
            yield from _cut(self.words["list"])(unmarked(page.body))

    def _settled(
        self, sweep: SweepRequest, context: Mapping[str, str], extra: tuple[tuple[str, str], ...]
    ) -> Iterator[Page]:
        limits = Limits.of(self.connection, sweep.last_pages)

        def walk(since: datetime | None) -> Iterator[tuple[Page, Rows]]:
            return self._walk(sweep, since, context, extra, limits)

        # A row that changes moves to the end, a row that goes leaves a gap: every page behind it shifts.
        key = by_field(context.get(f"{RENAME}uuid", "uuid"))
        # How many rows a page holds is not known: a list that had more than a page and its end is not believed to have one.
        full = 1 if sweep.since is None and sweep.last_pages > 2 else None  # noqa: PLR2004
        return Settling(walk, self.transport.until_now, key, _total(self.words["total"]), full=full).pages(sweep.since)

    def context(self, entity: str) -> dict[str, str]:
        """Return what decoding needs of the configuration: names that differ from the assumed ones."""
        mine = f"{entity}."
        fields = {name: word for name, word in self.words.items() if name.startswith(mine)}
        renamed = {RENAME + name[len(mine) :]: word for name, word in fields.items() if word != name[len(mine) :]}
        return renamed if self.words["list"] == "data" else {**renamed, "list": self.words["list"]}

    def _walk(
        self,
        sweep: SweepRequest,
        since: datetime | None,
        context: Mapping[str, str],
        extra: tuple[tuple[str, str], ...],
        limits: Limits,
    ) -> Iterator[tuple[Page, Rows]]:
        path = self.words[f"path.{sweep.name}"]
        place = f"GET {path}"
        watch = Watch(NAME, place, limits)
        fixed = [*extra, ("sort", self.words["sort"])] if self.words["sort"] else [*extra]
        if since is not None:
            fixed.append((self.words["updated_after"], iso(since)))
        if self.connection.page_size is not None and self.words["page_size"]:
            fixed.append((self.words["page_size"], str(self.connection.page_size)))
        for number in count(1):
            call = Call("GET", path, path, (*fixed, (self.words["page"], str(number))))
            reply, rows = self.transport.read(
                call, lambda reply: (reply, parsed(reply, _cut(self.words["list"]), provider=NAME, place=place))
            )
            yield page_of(reply, sweep.name, sweep.tenant_id, context), rows
            if not rows:
                return
            watch.new(reply.body)


def _cut(lies_under: str) -> Callable[[bytes], list[Raw]]:
    """Return the rows of a list: a bare array, or the array under one field of an object."""

    def cut(body: bytes) -> list[Raw]:
        if body.lstrip()[:1] != b"{":
            return msgspec.json.decode(body, type=list[Raw])
        around = msgspec.json.decode(body, type=dict[str, Raw])
        return msgspec.json.decode(around.get(lies_under, Raw(b"null")), type=list[Raw])

    return cut


def _total(field: str) -> Callable[[bytes], int | None]:
    """Return how many rows a list says it has; None if it does not say so, or `field` is empty."""

    def total(body: bytes) -> int | None:
        if not field or f'"{field}"'.encode() not in body:
            return None
        try:
            return msgspec.json.decode(msgspec.json.decode(unmarked(body), type=dict[str, Raw])[field], type=int)
        except (*UNREADABLE, KeyError):
            return None

    return total


def connect(connection: Connection, *, clock: Clock, wire: object = None) -> TotalityClient:
    """Return a client for these credentials that has sent nothing yet."""
    words = assumed(NAME, {**ASSUMED, **WRITES}, connection.overrides)
    base = urlsplit(connection.base_url)
    url = connection.token_url or f"{base.scheme}://{base.netloc}{words['token_path']}"
    tokens = oauth_tokens(NAME, connection, url=url, route=words["token_path"], as_form=True, monotonic=monotonic)
    headers = {"Accept": MEDIA_TYPE, "Content-Type": "application/json"}
    transport = Transport(NAME, connection, clock=clock, tokens=tokens, rate=None, headers=headers, wire=wire)
    return TotalityClient(transport, connection, words)


def decode(entity: str, body: bytes, context: Mapping[str, str]) -> Decoded:
    """Return one page as columns of the received tables; what cannot be read is in the rejects."""
    return decode_page(OUTLINES[entity], body, context)


OUTLINES: Mapping[str, Outline] = {
    entity: Outline(
        shape,
        (TABLES[entity], *([TABLES["plan_schedule"]] if entity == "payment_plans" else [])),
        lambda body, context: _cut(context.get("list", "data"))(body),
    )
    for entity, shape in SHAPES.items()
}


def tenant_ids(_pages: Iterable[Page]) -> list[str]:
    """None: the configuration names the lender."""
    return []


PROVIDER = Provider(
    name=NAME,
    ASSUMED=ASSUMED,
    TABLES={table.name: table.types() for table in TABLES.values()},
    connect=connect,
    decode=decode,
    tenant_ids=tenant_ids,
    OUTLINES=OUTLINES,
)
