"""A provider of our own making, to see how little one takes: loans among neighbours, plans with their terms in one list."""

from collections.abc import Iterator
from time import monotonic

import msgspec

from providers.base import Provider, SweepRequest
from providers.http.auth import oauth_tokens
from providers.http.transport import Call, Transport
from providers.outline import Outline, decode_page
from providers.pages import parsed
from providers.reader import Reader, page_of
from providers.rows import Shape
from providers.tables import Kind, Table, columns

NAME = "lent"


class Term(msgspec.Struct, kw_only=True):
    due: str
    amount: msgspec.Raw
    open: msgspec.Raw
    paid_on: str | None = None


class Plan(msgspec.Struct, kw_only=True):
    id: str
    neighbour: str
    agreed: str
    terms: list[Term]


SHAPE = Shape(Plan, children={"terms": Shape(Term)}, counted="terms")
PLANS = Table("lent__plans", columns("id:id neighbour agreed"))
TERMS = Table(
    "lent__terms",
    columns("due amount:number open:number paid_on"),
    given=("plan_id",),
    is_child=True,
    within=("terms",),
    parent={"plan_id": ("id", Kind.ID)},
)


def cut(body: bytes) -> list[msgspec.Raw]:
    return msgspec.json.decode(body, type=list[msgspec.Raw])


class Client(Reader):
    def tenants(self):
        return iter(())

    def sweeps(self, tenant_id, since):
        return [SweepRequest("plans", tenant_id, None)]

    def pull(self, sweep) -> Iterator:
        call = Call("GET", "/plans", "/plans")
        yield self.transport.read(
            call,
            lambda reply: (
                parsed(reply, cut, provider=NAME, place="GET /plans"),
                page_of(reply, "plans", sweep.tenant_id, {}),
            )[1],
        )


def connect(connection, *, clock, wire=None):
    tokens = oauth_tokens(NAME, connection, url="", route="", as_form=True, monotonic=monotonic)
    return Client(Transport(NAME, connection, clock=clock, tokens=tokens, rate=None, wire=wire))


OUTLINES = {"plans": Outline(SHAPE, (PLANS, TERMS), lambda body, _: cut(body))}


def decode(entity, body, context):
    return decode_page(OUTLINES[entity], body, context)


PROVIDER = Provider(
    name=NAME,
    ASSUMED={},
    TABLES={table.name: table.types() for table in (PLANS, TERMS)},
    connect=connect,
    decode=decode,
    OUTLINES=OUTLINES,
    tenant_ids=lambda pages: [],
)
