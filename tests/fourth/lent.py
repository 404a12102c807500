"""A provider of our own making, to see how little one takes: loans among neighbours, plans with their terms in one list."""

from collections.abc import Iterator
from itertools import chain
from time import monotonic

import msgspec

from providers.base import Decoded, Provider, SweepRequest
from providers.http.auth import oauth_tokens
from providers.http.transport import Call, Transport
from providers.pages import parsed, read_page, refused_page
from providers.reader import Reader, page_of
from providers.rows import Fault, Shape
from providers.tables import Table, columns, fill, spread

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
TERMS = Table("lent__terms", columns("due amount:number open:number paid_on"), given=("plan_id",), is_child=True)


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


def decode(entity, body, context):
    reading = read_page(body, cut, SHAPE, context)
    if isinstance(reading, Fault):
        return refused_page(reading, [PLANS, TERMS])
    counts = [len(plan.terms) for plan in reading.rows]
    terms = fill(
        TERMS,
        list(chain.from_iterable(plan.terms for plan in reading.rows)),
        reading.places.of_children(counts),
        {"plan_id": spread((plan.id for plan in reading.rows), counts)},
    )
    tables = {PLANS.name: fill(PLANS, reading.rows, reading.places), TERMS.name: terms}
    return Decoded(tables, reading.rejects, reading.total, reading.unknown, reading.carried)


PROVIDER = Provider(
    name=NAME,
    ASSUMED={},
    TABLES={table.name: table.types() for table in (PLANS, TERMS)},
    connect=connect,
    decode=decode,
    tenant_ids=lambda pages: [],
)
