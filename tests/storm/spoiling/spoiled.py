"""Pages of one provider between whose rows as usual others are spoiled, drawn from one seed."""

import random
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cache

from storm.pages import MAKERS, Maker
from storm.spoiling.mutations import members, spliced, spoiled_page, spoiled_row

from sandbox.world import dumps
from sql.storage.landing import StoredPage

SWEEPS = {"payt": "payment_plans", "totality": "payment_plans", "payiq": "portfolio"}
IDS = {"id", "uuid", "ID", "PaymentPlanID", "BillID", "AccountID", "TransactionID"}


@dataclass
class Tally:
    """What became of the payloads of one seed or more."""

    payloads: int = 0
    pages: int = 0
    refused_pages: int = 0
    fetched: int = 0
    accepted: int = 0
    quarantined: int = 0
    repeats: int = 0
    whole: int = 0
    amounts: int = 0
    codes: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)

    def add(self, other):
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@cache
def corpus(provider):
    """Rows as usual and odd ones, as text, by entity: each with what stands before and behind the rows of its page."""
    make, found = Maker(f"corpus of {provider}"), {}
    for number in range(400):
        make.calm = number % 4 > 0
        entity, body, _ = MAKERS[provider](make)
        around, rows = cut(provider, body)
        found.setdefault(entity, (around, []))[1].extend(map(dumps, rows))
    return found


def cut(provider, body):
    """What stands around the rows of a page, and the rows."""
    if provider == "totality":
        return ("[", "]"), body
    name = "data" if provider == "payt" else "Result"
    rows = body[name]
    start, end = dumps(body | {name: "@"}).split('"@"')
    return ((start + "[", "]" + end), rows) if isinstance(rows, list) else ((start, end), [rows])


def fresh(text, rng, ids):
    """The row under ids that no other row has, most times."""
    for one in reversed(members(text)):
        if one.key in IDS and rng.random() < 0.9:
            number = next(ids)
            text = spliced(text, one.value, one.end, str(number) if text[one.value] != '"' else f'"{number}"')
    return text


@dataclass(frozen=True)
class Page:
    """A page as it goes in; `rows` are its rows as text, None where its bytes were spoiled."""

    stored: StoredPage
    rows: list | None


def make_pages(provider, seed, count, tally):
    """Pages with so many spoiled rows and bytes between them."""
    rng, ids = random.Random(f"{provider} {seed}"), iter(range(1000, 10**9))
    entities = sorted(corpus(provider))
    while tally.payloads < count:
        entity = rng.choice(entities)
        if entity == "administrations" and rng.random() < 0.97:
            continue
        (start, end), stock = corpus(provider)[entity]
        is_single = not start.endswith("[")
        rows = []
        for _ in range(1 if is_single else rng.randint(1, 4)):
            text = fresh(rng.choice(stock), rng, ids)
            if is_single or rng.random() < 0.6:
                text, kind = spoiled_row(rng, text)
                tally.payloads += 1
                tally.kinds[kind] += 1
            rows.append(text)
        body, is_spoiled = (start + ",".join(rows) + end).encode("utf-8", "surrogatepass"), rng.random() < 0.06
        if is_spoiled:
            body, kind = spoiled_page(rng, body)
            tally.payloads += 1
            tally.kinds["page: " + kind] += 1
        context = {
            "payt": {"administration_id": "1"},
            "totality": {},
            "payiq": {"reference_number": f"R{rng.randrange(5 if entity == 'setup' else 6)}", "other_data": ""},
        }
        stored = StoredPage(tally.pages, SWEEPS[provider], entity, f"{tally.pages:064x}", body, context[provider], 200)
        tally.pages += 1
        yield Page(stored, None if is_spoiled else rows)
