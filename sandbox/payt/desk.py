"""The desk every Payt call goes through: token, rate, scope, administration; and the read calls.

The table of lists and filters is `payt_lists.py`; what no page shows is in
`assumed.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from sandbox.exchange import query, reply
from sandbox.payt.lists import (
    LISTINGS,
    ORDERS,
    BadParameterError,
    Keep,
    Listing,
    instant,
    instant_of,
    integer,
    only,
    own,
    shown,
    with_integer_ids,
)
from sandbox.site import Site, Walk
from sandbox.tokens import Tokens
from sandbox.world import Row

KEPT_DELETIONS = timedelta(days=90)
PER_PAGE = 100
MOST_PER_PAGE = 500
SCOPES = frozenset(listing.scope for listing in LISTINGS.values()) | {"payment_plans:write"}

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Handler: TypeAlias = Callable[[Request, bytes], Response]


@dataclass(slots=True)
class Limits:
    """Payt's documented limits: requests per second and token, scopes granted, administrations granted.

    Taking a scope away acts on live tokens at once; `administrations` None grants every one.
    """

    per_second: int | None = 10
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    administrations: set[str] | None = None


class RefusedError(Exception):
    """A request Payt answers with an error body."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = reply({"code": code, "message": message}, status)


class TooManyError(RefusedError):
    """A request beyond the rate limit; the page says that no data is returned."""

    def __init__(self, retry_after: str | None) -> None:
        super().__init__(429, "too_many_requests", "Rate limit exceeded")
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self.response = Response(b"", 429, headers)


@dataclass(slots=True)
class Desk:
    """What every Payt call goes through, and the reads themselves."""

    site: Site
    tokens: Tokens
    limits: Limits

    def guarded(self, scope: str, handler: Handler) -> Endpoint:
        """Return an endpoint that answers only with a live token, within its rate, with the scope."""

        async def endpoint(request: Request) -> Response:
            self._admit(request, scope)
            body = await request.body()
            with self.site.world.lock:
                try:
                    return handler(request, body)
                except BadParameterError as error:
                    raise RefusedError(422, "unprocessable_entity", str(error)) from None

        return endpoint

    def _admit(self, request: Request, scope: str) -> None:
        token = self.tokens.check(request.headers.get("authorization"))
        if token is None:
            raise RefusedError(401, "unauthorized", "The access token is invalid or has expired")
        if not self.tokens.allow(token, per_second=self.limits.per_second):
            raise TooManyError(self.site.assumed.payt_retry_after)
        if scope not in self.limits.scopes:
            raise RefusedError(403, "forbidden", f"Missing permission: {scope}")

    def administration(self, value: str | None) -> str:
        """Return the administration a call names; it must exist and be granted."""
        if not value:
            raise BadParameterError("administration_id is missing")
        granted = self.limits.administrations
        known = any(str(row["id"]) == value for row in self.site.world.payt.administrations)
        if not known or (granted is not None and value not in granted):
            raise RefusedError(403, "forbidden", "Administration not granted")
        return value

    def listed(self, listing: Listing) -> Handler:
        """Return the list call of one kind of row."""

        def handler(request: Request, _body: bytes) -> Response:
            wanted = only(query(request, "fields"))
            walk = self._walk(request, listing.name, lambda: self._chosen(request, listing))
            return self._page(request, walk, lambda row: shown(row, listing, wanted))

        return handler

    def single(self, listing: Listing) -> Handler:
        """Return the call that reads one row by its id."""

        def handler(request: Request, _body: bytes) -> Response:
            wanted = only(query(request, "fields"))
            if listing.name == "administrations":
                owner, owned = "id", self.administration(request.path_params["id"])
            else:
                owner, owned = "administration_id", self.administration(query(request, "administration_id"))
            column = self._identifier(request, listing)
            for row in getattr(self.site.world.payt, listing.name):
                if str(row.get(column)) == request.path_params["id"] and str(row[owner]) == owned:
                    return reply(self.spelt(shown(row, listing, wanted)))
            raise self.unknown(listing.name, request.path_params["id"])

        return handler

    @staticmethod
    def _identifier(request: Request, listing: Listing) -> str:
        kind = query(request, "identifier_type")
        if kind is None or listing.name not in {"debtors", "invoices"}:
            return "id"
        if kind.removeprefix(listing.name[:-1]) not in {"_number", "_identifier"}:
            raise BadParameterError("identifier_type is not one of the documented values")
        return kind

    def deleted(self, kind: str) -> Handler:
        """Return the list call of one kind of deletion; rows are kept 90 days."""

        def choose(request: Request) -> list[Row]:
            owner = self.administration(query(request, "administration_id"))
            after = query(request, "deleted_after")
            if after is None:
                raise BadParameterError("deleted_after is missing")
            since = max(instant_of("deleted_after", after), self.site.world.now() - KEPT_DELETIONS)
            before = query(request, "deleted_before")
            until = instant_of("deleted_before", before) if before else None
            return [
                row
                for row in self.site.world.payt.deleted[kind]
                if str(row["administration_id"]) == owner
                and instant(row["deleted_at"]) > since
                and (until is None or instant(row["deleted_at"]) < until)
            ]

        def handler(request: Request, _body: bytes) -> Response:
            walk = self._walk(request, f"{kind}/deleted", lambda: choose(request))
            return self._page(request, walk, lambda row: row)

        return handler

    def _chosen(self, request: Request, listing: Listing) -> list[Row]:
        payt = self.site.world.payt
        rows: list[Row] = getattr(payt, listing.name)
        if listing.name == "administrations":
            granted = self.limits.administrations
            return [row for row in rows if granted is None or str(row["id"]) in granted]
        owner = self.administration(query(request, "administration_id"))
        keeps: list[Keep] = [lambda row: str(row["administration_id"]) == owner]
        for name, prepare in {"ids": own("id"), **listing.filters}.items():
            if text := query(request, name):
                keeps.append(prepare(text, payt))
        if after := query(request, "updated_after"):
            keeps.append(self._updated(after))
        chosen = [row for row in rows if all(keep(row) for keep in keeps)]
        return self._ordered(request, listing, chosen)

    def _updated(self, text: str) -> Keep:
        after = instant_of("updated_after", text)
        if self.site.assumed.payt_updated_after_inclusive:
            return lambda row: instant(row["updated_at"]) >= after
        return lambda row: instant(row["updated_at"]) > after

    @staticmethod
    def _ordered(request: Request, listing: Listing, rows: list[Row]) -> list[Row]:
        order = query(request, "order")
        if order is None or listing.name != "invoices":
            return rows
        if order not in ORDERS:
            raise BadParameterError("order is not one of the documented values")
        column, descending = ORDERS[order]
        return sorted(rows, key=lambda row: str(row.get(column) or ""), reverse=descending)

    def _walk(self, request: Request, name: str, choose: Callable[[], list[Row]]) -> Walk:
        pairs = frozenset(pair for pair in request.query_params.multi_items() if pair[0] not in {"cursor", "per_page"})
        return self.site.walk(("payt", name, pairs), first=query(request, "cursor") is None, choose=choose)

    def _page(self, request: Request, walk: Walk, show: Callable[[Row], Row]) -> Response:
        size = _per_page(query(request, "per_page"))
        cursor = query(request, "cursor")
        start = 0 if cursor is None else _after(walk, cursor)
        page = walk.rows[start : start + size]
        answer: Row = {"data": [self.spelt(show(row)) for row in page]}
        how = self.site.assumed.payt_last_page
        if start + size < len(walk.rows) or (how == "empty_page" and page):
            last = str(page[-1]["id"])
            answer["pagination"] = {"cursor": integer(last) if self.site.assumed.payt_integer_ids else last}
        elif how in {"null", "empty"}:
            answer["pagination"] = {"cursor": None if how == "null" else ""}
        return reply(answer)

    def spelt(self, row: Row) -> Row:
        """Return the row with ids as text or, by assumption, as integers."""
        if not self.site.assumed.payt_integer_ids:
            return row
        spelt: Row = with_integer_ids(row)
        return spelt

    def unknown(self, name: str, identifier: str) -> RefusedError:
        """Return the refusal for an id that does not exist."""
        return RefusedError(self.site.assumed.payt_unknown_id_status, "not_found", f"No {name} with id {identifier}")


def _per_page(text: str | None) -> int:
    if text is None:
        return PER_PAGE
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= MOST_PER_PAGE:
        raise BadParameterError(f"per_page must be between 1 and {MOST_PER_PAGE}")
    return int(text)


def _after(walk: Walk, cursor: str) -> int:
    position = walk.find(lambda row: str(row["id"]) == cursor)
    if position is None:
        raise BadParameterError("cursor is unknown")
    return position + 1
