"""Payt's token calls: every documented grant, with refresh tokens that are rotated on each use."""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.credentials import CREDENTIALS
from sandbox.exchange import reply
from sandbox.payt.desk import Limits, RefusedError
from sandbox.site import Site
from sandbox.tokens import Tokens, basic

ACCESS_SECONDS = 7200
REFRESH_SECONDS = 90 * 86400
CODE_SECONDS = 600


def _first_refresh() -> dict[str, float | None]:
    return {CREDENTIALS["payt"]["refresh_token"]: None}


@dataclass(slots=True)
class Grants:
    """The codes and refresh tokens in circulation: each is good for one use, until its time."""

    site: Site
    tokens: Tokens
    limits: Limits
    codes: dict[str, tuple[str, float]] = field(default_factory=dict)
    refresh: dict[str, float | None] = field(default_factory=_first_refresh)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def routes(self) -> list[Route]:
        """Return the two calls of the authorization server."""
        return [
            Route("/oauth/authorize", self.authorize, methods=["GET"]),
            Route("/oauth/token", self.token, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        """Send the user, who is taken to agree, back with a code that lives ten minutes."""
        asked = request.query_params
        missing = [name for name in ("client_id", "redirect_uri", "response_type", "state") if not asked.get(name)]
        if missing or asked["response_type"] != "code" or asked["client_id"] != CREDENTIALS["payt"]["client_id"]:
            raise RefusedError(422, "invalid_request", "client_id, redirect_uri, response_type=code, state: all needed")
        code = f"sandbox-payt-code-{next(self.numbers)}"
        self.codes[code] = (asked["redirect_uri"], self.tokens.time() + CODE_SECONDS)
        return RedirectResponse(asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]}), 302)

    async def token(self, request: Request) -> Response:
        """Answer the token call; the client signs in with Basic, the body is JSON or a form."""
        known = CREDENTIALS["payt"]
        if basic(request.headers.get("authorization")) != (known["client_id"], known["client_secret"]):
            raise RefusedError(401, "invalid_client", "Client authentication failed")
        asked = fields_of(request, await request.body())
        grant = asked.get("grant_type")
        if grant == "client_credentials":
            return self._issued(life=None)
        if grant == "refresh_token" and self._used(asked):
            return self._issued(life=ACCESS_SECONDS)
        if grant == "authorization_code" and self._redeemed(asked):
            return self._issued(life=ACCESS_SECONDS)
        if grant in {"refresh_token", "authorization_code"}:
            raise RefusedError(401, "invalid_grant", "The grant is invalid, expired or was used before")
        raise RefusedError(422, "unsupported_grant_type", "grant_type is missing or unknown")

    def _used(self, asked: dict[str, Any]) -> bool:
        text = asked.get("refresh_token")
        if text not in self.refresh:
            return False
        until = self.refresh.pop(text)
        return until is None or until > self.tokens.time()

    def _redeemed(self, asked: dict[str, Any]) -> bool:
        uri, until = self.codes.pop(str(asked.get("code")), ("", 0.0))
        return bool(uri) and uri == asked.get("redirect_uri") and until > self.tokens.time()

    def _issued(self, *, life: float | None) -> Response:
        answer: dict[str, object] = {
            "access_token": self.tokens.issue(life=life).text,
            "created_at": int(time.time()),
            "scope": " ".join(sorted(self.limits.scopes)),
            "token_type": "Bearer",
        }
        if life is not None:
            renewed = f"sandbox-payt-refresh-{next(self.numbers)}"
            self.refresh[renewed] = self.tokens.time() + REFRESH_SECONDS
            answer |= {"expires_in": int(life), "refresh_token": renewed}
        return reply(answer)


def fields_of(request: Request, body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON or form body; what cannot be read as either is refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        parsed = json.loads(body) if kind == "application/json" else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise RefusedError(422, "unprocessable_entity", "The body is neither a JSON object nor a form")
    return parsed
