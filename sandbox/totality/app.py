"""Totality as its documentation describes it, and its list calls, which are assumed.

Only the headers, the paging words, the filters and the plan calls are on the
provider's pages; paths and shapes of the lists are in the table of `assumed.py`.
Changes of plans are in `totality_plans.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.credentials import CREDENTIALS
from sandbox.exchange import reply
from sandbox.site import Site
from sandbox.tokens import Tokens, basic
from sandbox.totality.lists import InvalidError, chosen
from sandbox.totality.plans import MissingError, PlanConflictError, Plans
from sandbox.world import Row

VENDOR_TYPE = "application/vnd.totality.v1+json"
Handler: TypeAlias = Callable[[Request, bytes], Response]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


class RefusedError(Exception):
    """A request Totality answers with an error; the body's shape is assumed."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def app(site: Site, tokens: Tokens) -> Starlette:
    """Return Totality as an ASGI app; the API is under `/api`, the token call at the origin."""
    desk = Desk(site, tokens)
    return Starlette(
        routes=[*desk.reads(), *desk.writes(Plans(site))], exception_handlers=dict.fromkeys(ERRORS, _error)
    )


ERRORS: tuple[type[Exception], ...] = (RefusedError, InvalidError, MissingError, PlanConflictError, HTTPException)


async def _error(_request: Request, error: Exception) -> Response:
    if isinstance(error, InvalidError):
        return reply({"message": "Validation failed", "errors": error.errors}, 422)
    if isinstance(error, MissingError):
        return reply({"message": str(error)}, 404)
    if isinstance(error, HTTPException):
        return reply({"message": error.detail}, error.status_code)
    status = error.status if isinstance(error, RefusedError | PlanConflictError) else 500
    return reply({"message": str(error)}, status)


@dataclass(slots=True)
class Desk:
    """What every Totality call goes through, and the reads themselves."""

    site: Site
    tokens: Tokens

    def reads(self) -> list[BaseRoute]:
        """Return the token call, the lists and the calls that read one row."""
        routes: list[BaseRoute] = [Route(self.site.assumed.totality_token_path, self.token, methods=["POST"])]
        for path, name in self.site.assumed.totality_paths:
            routes += [
                Route(f"/api/{path}", self.guarded(self.listed(name)), methods=["GET"]),
                Route(f"/api/{path}/{{uuid}}", self.guarded(self.single(name)), methods=["GET"]),
            ]
        return routes

    def writes(self, plans: Plans) -> list[BaseRoute]:
        """Return the calls that change plans and scheduled payments."""
        return [
            Route("/api/loans/{uuid}/payment-plans", self.guarded(plans.create), methods=["POST"]),
            Route("/api/payment-plans/{uuid}", self.guarded(plans.update), methods=["PATCH"]),
            Route("/api/payment-plans/{uuid}", self.guarded(plans.delete), methods=["DELETE"]),
            Route("/api/scheduled-payments", self.guarded(plans.schedule_one), methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """Answer the assumed token call: a form with `client_credentials`, the client in Basic."""
        known = CREDENTIALS["totality"]
        if basic(request.headers.get("authorization")) != (known["client_id"], known["client_secret"]):
            raise RefusedError(401, "Client authentication failed")
        form = parse_qs((await request.body()).decode("latin-1"))
        if form.get("grant_type") != ["client_credentials"]:
            raise InvalidError("grant_type", "must be client_credentials")
        life = self.site.assumed.totality_token_life
        issued = self.tokens.issue(life=life)
        return reply({"access_token": issued.text, "token_type": "Bearer", "expires_in": life})

    def guarded(self, handler: Handler) -> Endpoint:
        """Return an endpoint that answers only with a live token and the right media types."""

        async def endpoint(request: Request) -> Response:
            if self.tokens.check(request.headers.get("authorization")) is None:
                raise RefusedError(401, "Unauthenticated")
            body = await request.body()
            self._check_types(request, has_body=bool(body))
            with self.site.world.lock:
                return handler(request, body)

        return endpoint

    def _check_types(self, request: Request, *, has_body: bool) -> None:
        accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")]
        if VENDOR_TYPE not in accepted:
            raise RefusedError(self.site.assumed.totality_bad_accept_status, f"Accept must be {VENDOR_TYPE}")
        content = request.headers.get("content-type", "").partition(";")[0].strip()
        if content != "application/json" and (has_body or content):
            raise RefusedError(
                self.site.assumed.totality_bad_content_type_status, "Content-Type must be application/json"
            )

    def listed(self, name: str) -> Handler:
        """Return the list call of one kind of row: numbered pages from 1, empty after the last."""

        def handler(request: Request, _body: bytes) -> Response:
            pairs = request.query_params.multi_items()
            number = _page_number(request.query_params.get("page"))
            words = tuple(pair for pair in pairs if pair[0] != "page")
            rows = self._rows(name)
            walk = self.site.walk(("totality", name, words), first=number == 1, choose=lambda: chosen(rows, words))
            size = self.site.assumed.totality_page_size
            page = walk.rows[(number - 1) * size : number * size]
            return reply({"data": page} if self.site.assumed.totality_list_shape == "data" else page)

        return handler

    def single(self, name: str) -> Handler:
        """Return the call that reads one row."""

        def handler(request: Request, _body: bytes) -> Response:
            for row in self._rows(name):
                if row["uuid"] == request.path_params["uuid"]:
                    return reply(row)
            raise MissingError(f"No {name} with this uuid")

        return handler

    def _rows(self, name: str) -> list[Row]:
        rows: list[Row] = getattr(self.site.world.totality, name)
        return rows


def _page_number(text: str | None) -> int:
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise InvalidError("page", "must be a positive integer")
    return int(text)
