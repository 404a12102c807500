"""Payt as its documentation describes it: tokens, scopes, cursor pages, rate limit.

This file only says which call is answered where. Reads are in `payt_desk.py`,
tokens in `payt_oauth.py`, changes of plans in `payt_plans.py`.
"""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.exchange import reply
from sandbox.payt.desk import Desk, Limits, RefusedError
from sandbox.payt.lists import LISTINGS
from sandbox.payt.oauth import Grants
from sandbox.payt.plans import Plans
from sandbox.site import Site
from sandbox.tokens import Tokens
from sandbox.world import PAYT_DELETED


def app(site: Site, tokens: Tokens, limits: Limits) -> Starlette:
    """Return Payt as an ASGI app."""
    desk = Desk(site, tokens, limits)
    routes = [*Grants(site, tokens, limits).routes(), *_deletions(desk), *Plans(site, desk).routes(), *_reads(desk)]
    return Starlette(routes=routes, exception_handlers={RefusedError: _refused, HTTPException: _http})


def _deletions(desk: Desk) -> list[Route]:
    return [Route(f"/v1/{kind}/deleted", desk.guarded(f"{kind}:read", desk.deleted(kind))) for kind in PAYT_DELETED]


def _reads(desk: Desk) -> list[Route]:
    routes = []
    for listing in LISTINGS.values():
        path = f"/v1/{listing.name}"
        routes.append(Route(path, desk.guarded(listing.scope, desk.listed(listing))))
        if listing.has_single:
            routes.append(Route(path + "/{id}", desk.guarded(listing.scope, desk.single(listing))))
    return routes


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101
    return error.response


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return reply({"code": error.detail.lower().replace(" ", "_"), "message": error.detail}, error.status_code)
