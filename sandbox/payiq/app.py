"""PayIQ as its help pages describe it: signed token call, the envelope, setup, bills; and the assumed reads.

Calls that change plans are in `payiq_plans.py`. Paths and parameter names are
matched without regard to case, as ASP.NET does.
"""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.credentials import CREDENTIALS
from sandbox.exchange import App, Message, Receive, Send, reply
from sandbox.payiq.book import Book, EnvelopeError, by_name, decimal_of, integer_of, moment_of
from sandbox.payiq.plans import Plans
from sandbox.site import Site
from sandbox.tokens import Tokens
from sandbox.world import Row

ROLE = re.compile(r"API.*")
CSR = "APIEBPPBillerCSR"
DEFAULT_ROLE = "APICustomer"

Handler: TypeAlias = Callable[[Row, str], object]
"""From the parameters (lower-case names) and the caller's role to the envelope's Result."""
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def app(site: Site, tokens: Tokens) -> App:
    """Return PayIQ as an ASGI app below `/PayIQ/`."""
    desk = Desk(site, tokens, Book(site))
    inner = Starlette(
        routes=desk.routes(Plans(site, desk.book)),
        exception_handlers={EnvelopeError: desk.business_error, HTTPException: desk.http_error},
    )

    async def any_case(scope: Message, receive: Receive, send: Send) -> None:
        await inner({**scope, "path": scope["path"].lower()}, receive, send)

    return any_case


@dataclass(slots=True)
class Desk:
    """What every PayIQ call goes through, and the reads themselves."""

    site: Site
    tokens: Tokens
    book: Book

    def routes(self, plans: Plans) -> list[Route]:
        """Return every call, its path in lower case."""
        plan = self.site.assumed.payiq_plan_path
        calls: list[tuple[str, str, Handler]] = [
            ("POST", "Api/PaymentPlan/Setup", self.setup),
            ("GET", plan, self.plan),
            ("GET", self.site.assumed.payiq_payments_path, self.payments),
            ("GET", "Api/Invoice", self.invoices),
            ("GET", "Api/BillingAccount", self.billing_account),
            ("GET", "Api/Customer", self.customer),
            ("PUT", plan, plans.create),
            ("POST", plan, plans.revise),
            ("DELETE", plan, plans.delete),
        ]
        return [
            Route("/payiq/api/auth", self.token, methods=["POST"]),
            Route("/payiq/api/auth/accesstoken", self.token, methods=["POST"]),
            *(Route(f"/payiq/{path.lower()}", self.guarded(call), methods=[method]) for method, path, call in calls),
        ]

    async def token(self, request: Request) -> Response:
        """Answer the token call; the way to sign is assumed."""
        asked = by_name(json_of(await request.body()))
        role = asked.get("role") or DEFAULT_ROLE
        for name in ("apikey", "creationdate", "grant_type", "signature"):
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise EnvelopeError("Validation", f"{name} is required")
        if asked["grant_type"] != "client_credentials" or not ROLE.match(str(role)) or not _is_guid(asked["apikey"]):
            raise EnvelopeError("Validation", "APIKey, grant_type or Role is malformed")
        if asked["apikey"] != CREDENTIALS["payiq"]["api_key"] or not hmac.compare_digest(
            asked["signature"].encode(), signature(asked["apikey"], asked["creationdate"]).encode()
        ):
            raise EnvelopeError("Validation", "the signature is not valid", self.site.assumed.payiq_bad_auth_status)
        issued = self.tokens.issue(life=self.site.assumed.payiq_token_life, role=str(role))
        return reply({"access_token": issued.text, "token_type": "Bearer"})

    def guarded(self, call: Handler) -> Endpoint:
        """Return an endpoint that answers, to a live token only, the call's result in the envelope."""

        async def endpoint(request: Request) -> Response:
            token = self.tokens.check(request.headers.get("authorization"))
            if token is None:
                raise EnvelopeError("Validation", "the token is not valid", self.site.assumed.payiq_bad_auth_status)
            body = await request.body()
            content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if body and content not in {"application/json", "text/json"}:
                raise HTTPException(415, "Unsupported Media Type")
            asked = by_name(dict(request.query_params)) | (by_name(json_of(body)) if body else {})
            with self.site.world.lock:
                return reply(enveloped(call(asked, token.role)))

        return endpoint

    async def business_error(self, _request: Request, error: Exception) -> Response:
        """Answer an error the way the envelope does."""
        assert isinstance(error, EnvelopeError)  # noqa: S101
        status = error.status or self.site.assumed.payiq_business_error_status
        return reply(enveloped(None, error), status)

    async def http_error(self, _request: Request, error: Exception) -> Response:
        """Answer an unknown path, method or media type."""
        assert isinstance(error, HTTPException)  # noqa: S101
        return reply({"Message": error.detail}, error.status_code)

    def setup(self, asked: Row, _role: str) -> object:
        """Return the policy, balances and pending payments of one account."""
        return self.book.setup(asked)

    def plan(self, asked: Row, _role: str) -> object:
        """Return one plan of a customer; this call is assumed."""
        return self.book.plan(asked)

    def payments(self, asked: Row, _role: str) -> object:
        """Return a page of an account's payments; this call is assumed."""
        since = moment_of(asked, "lookbackdate")
        rows = [row for key in self.book.keys(asked) for row in self.site.world.payiq.payments.get(key, [])]
        if since is not None:
            rows = [row for row in rows if (when := moment_of(row, "PaymentDate", "CreateDate")) and when >= since]
        return self._page(asked, rows)

    def invoices(self, asked: Row, _role: str) -> object:
        """Return a page of an account's bills, by the documented filters that touch the fields served."""
        rows = [row for key in self.book.keys(asked) for row in self.site.world.payiq.invoices.get(key, [])]
        bounds = {"duedate": "dtDue", "statementdate": "dtStatement"}
        for name, column in bounds.items():
            after, before = moment_of(asked, f"{name}from"), moment_of(asked, f"{name}to")
            rows = [
                row
                for row in rows
                if (after is None and before is None)
                or (
                    (when := moment_of(row, column)) and (not after or when >= after) and (not before or when <= before)
                )
            ]
        if lookback := moment_of(asked, "lookbackdate"):
            rows = [row for row in rows if (when := moment_of(row, "dtStatement", "dtDue")) and when >= lookback]
        least, most = decimal_of(asked, "amountduefrom"), decimal_of(asked, "amountdueto")
        rows = [row for row in rows if least is None or (row.get("AmountDue") or 0) >= least]
        rows = [row for row in rows if most is None or (row.get("AmountDue") or 0) <= most]
        for name, column in (("billerinvoiceno", "BillerInvoiceNo"), ("billingaccountid", "BillingAccountID")):
            if asked.get(name):
                rows = [row for row in rows if str(row.get(column)) == asked[name]]
        return self._page(asked, rows)

    def billing_account(self, asked: Row, role: str) -> object:
        """Return the name pair of one account; a CSR may leave out the customer."""
        if not asked.get("referencenumber"):
            raise EnvelopeError("Validation", "ReferenceNumber is required")
        key = self.book.keys(asked, any_customer=role == CSR)[0]
        return {"ReferenceNumber": key[1], "OtherData": key[2]}

    def customer(self, asked: Row, _role: str) -> object:
        """Return the little the sandbox knows of a customer."""
        key = self.book.keys({"customertoken": asked.get("customertoken")})[0]
        return {"CustomerToken": key[0]}

    def _page(self, asked: Row, rows: list[Row]) -> list[Row]:
        number = integer_of(asked, "page") or 1
        size = min(
            integer_of(asked, "pagesize") or self.site.assumed.payiq_page_size, self.site.assumed.payiq_max_page_size
        )
        if number < 1 or size < 1:
            raise EnvelopeError("Validation", "Page and PageSize must be positive")
        return rows[(number - 1) * size : number * size]


def signature(api_key: str, creation_date: str) -> str:
    """Return the assumed signature: lower-case hex HMAC-SHA256 of key and date with the signing secret."""
    secret = CREDENTIALS["payiq"]["signing_secret"].encode()
    return hmac.new(secret, f"{api_key}{creation_date}".encode(), hashlib.sha256).hexdigest()


def enveloped(result: object, error: EnvelopeError | None = None) -> Row:
    """Return the answer envelope: the result, or the error by name and number."""
    return {
        "ErrorCode": error.code if error else "None",
        "ErrorCodeDetail": None,
        "ErrorID": f"sandbox-{error.number}" if error else None,
        "ErrorNum": error.number if error else 0,
        "Errors": [str(error)] if error else [],
        "Result": result,
        "Success": error is None,
    }


def json_of(body: bytes) -> Row:
    """Return the JSON object of a request body, its fractions exact."""
    try:
        parsed = json.loads(body, parse_float=Decimal)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise EnvelopeError("Validation", "the body is not a JSON object")
    return parsed


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
