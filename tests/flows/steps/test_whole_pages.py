"""Pages that are read whole say the same, cell for cell and count for count, as when every row is decoded on its own."""

import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest
from storm.pages import MAKERS, Maker

from flows.steps.loading import hashed
from flows.steps.reading import Reading, read_pages
from providers import PROVIDERS
from providers.whole import whole_page
from sandbox.world import dumps
from sql.connection import connect
from sql.intake import received as receiving
from sql.intake.received import received
from sql.storage.landing import StoredPage

PAGES = 150
PLAN = {
    "id": 7, "administration_id": "1", "debtor_id": None, "created_at": "2026-01-01T00:00:00Z", "active": True,
    "payment_terms": [
        {"id": "a", "total_amount": "1.00", "amount_due": "0.00", "due_date": "2026-01-31", "payment_date": ""},
        {"id": 18446744073709551616123, "total_amount": "1e3", "amount_due": None, "due_date": "0001-01-01"},
    ],
}  # fmt: skip
ACCOUNT = (
    '{"AccountID":1,"AmountDue":%s,"CurrencySymbol":"","DueDate":"0001-01-01T00:00:00","ExistingPaymentPlanID":%s}'
)


def listed(*rows, form=dumps):
    return ("payment_plans", '{"data":[' + ",".join(row if isinstance(row, str) else form(row) for row in rows) + "]}")


def setup(amount, linked="0"):
    account = ACCOUNT % (amount, linked)
    return "setup", '{"Success":true,"ErrorCode":"None","Result":{"Accounts":[' + account + '],"Tiers":[]}}'


def plan(**changes):
    return PLAN | changes


PAYIQ_PLAN = (
    '{"Success":true,"Result":{"PaymentPlanID":1,"CreateDate":"0001-01-01","InitialBalance":1.50,"PaymentAmount":0.10,'
    '"PaymentName":"documented","BillingAccounts":[{"AccountID":1,"Anything":{"a":1}}]}}'
)
ODD = {
    "payt": [
        listed(PLAN, plan(id='é😀"\\\n\t\x01\x7f/', reason="x" * 5000), plan(payment_terms=[])),
        listed(plan(id="😀é", updated_at='":'), form=json.dumps),
        listed(PLAN, form=lambda row: json.dumps(row, indent=2)),
        listed(dumps(PLAN).replace('"id":7', '"id" :7')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"id":8')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"news":{"a":1}')),
        listed(dumps(PLAN).replace('"id":7', '"id":-0')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"reason":{"a":1,"a":2}')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"reason":{"a" :1,"a" :2}')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"reason":"\\u0000"')),
        listed(dumps(PLAN).replace('"id":7', '"id":7,"reason":"\\ud83d"')),
        listed(dumps(PLAN).replace('"id":7', '"id":"\\ud83d"')),
        listed(dumps(PLAN).replace('"id":7', '"id":"a\\u0000b"')),
        listed(plan(id=""), PLAN), listed(plan(payment_terms=None), PLAN), listed(plan(administration_id="2"), PLAN),
        ("debtors", '{"data":[{"id":5,"administration_id":"1","debtor_number":"","paused_at":null}]}'),
        listed(), ("payment_plans", '{"data":[],"data":[]}'), ("payment_plans", "{}"), ("payment_plans", "nonsense"),
        ("psp_transactions", '{"data":[{"id":1,"administration_id":"1","status":"","amount":"1","updated_at":"","invoice_ids":[1,"2",""]}]}'),
        ("psp_transactions", '{"data":[{"id":1,"administration_id":"1","status":"","amount":"1","updated_at":"","invoice_ids":[1,"2",-0]}]}'),
        ("deleted_payments", '{"data":[{"id":9,"administration_id":"1","deleted_at":"2026-01-01"}],"pagination":{"cursor":null}}'),
    ],
    "totality": [
        ("loans", '[{"uuid":"a","balance":1000000000000000000,"isAutoScheduled":null},{"uuid":"b","balance":-0}]'),
        ("loans", '[{"uuid":"a","balance":1000000000000000001}]'), ("loans", '[{"uuid":"a","balance":1.0}]'), ("loans", " [ ]"),
        ("payment_plans", '[{"uuid":"p","loanUuid":"l","isActive":true,"schedule":[{"date":"","amount":5},{"date":"x","amount":-5}]}]'),
    ],
    "payiq": [
        *(setup(amount) for amount in ("12.10", "1e3", "-0", "-0.00", "null", '"5"', "1234567890123456789.123456789", "9" * 41, "true")),
        setup("1", '"0"'), setup("1", '""'), setup("1", "null"), setup("1", '"Total\\":5"'),
        ("setup", '{"Success":true,"Result":null}'), ("setup", '{"Success":false,"Result":{"Accounts":[]}}'),
        ("payments", '{"Success":true,"Result":[]}'), ("invoices", '{"Success":true,"Result":null}'),
        ("invoices", '{"Success":true,"Result":[{"BillID":"0","BillingAccountID":0,"AmountDue":7.000,"dtDue":"0001-01-01"}]}'),
        ("plan", PAYIQ_PLAN),
    ],
}  # fmt: skip
CONTEXTS = {"payt": {"administration_id": "1"}, "totality": {}, "payiq": {"reference_number": "R", "other_data": ""}}


def pages_of(provider):
    """Odd pages, each also with a byte order mark, between many that are made; some of those spelled at length."""
    make, made = Maker(f"whole pages of {provider}"), []
    for number in range(PAGES):
        make.calm = number % 3 > 0
        entity, body, context = MAKERS[provider](make)
        made.append((entity, json.dumps(body) if number % 10 == 0 else dumps(body), context))
    odd = [(entity, mark + text, CONTEXTS[provider]) for entity, text in ODD[provider] for mark in ("", "\ufeff")]
    renamed = [(entity, text, context | {"name.id": "key", "name.uuid": "key"}) for entity, text, context in made[:5]]
    return [
        StoredPage(page_no, "sweep", entity, f"{page_no:064x}", text.encode("utf-8", "surrogatepass"), context, 200)
        for page_no, (entity, text, context) in enumerate([*made[:70], *odd, *renamed, *made[70:]])
    ]


def decoded(provider, pages, reading):
    for page in pages:
        one = provider.decode(page.entity, page.body, page.context)
        reading.note(page, one)
        yield page.page_no, one.tables


def kept(provider, pages):
    with connect(None) as con, received(con, pages, provider.TABLES) as rows:
        return {name: con.sql(f"FROM temp.{name}").pl() for name in rows}


@pytest.mark.parametrize("most", [1, 40, 50_000])
@pytest.mark.parametrize("name", MAKERS)
def test_pages_read_whole_are_cell_for_cell_what_decoding_gives(name, most, monkeypatch):
    monkeypatch.setattr(receiving, "TABLE_ROWS", most)
    provider, pages, fast, exact = PROVIDERS[name], pages_of(name), Reading(), Reading()
    if most == 1:
        pages = pages[60:90]  # nearly each of them is put into its table by itself
    tables, expected = (
        kept(provider, read_pages(provider, pages, fast)),
        kept(provider, decoded(provider, pages, exact)),
    )
    assert fast == exact
    for table, frame in expected.items():
        hashes = tables[table].get_column("row_hash", default=pl.Series([]))
        assert hashes.is_null().all() or hashes.drop_nulls().is_in(frame["row_hash"].implode()).all()
        assert tables[table].drop("row_hash", strict=False).equals(frame.drop("row_hash", strict=False)), table
    whole = {page.entity for page in pages if as_whole(provider, page)}
    assert most == 1 or whole >= {page.entity for page in pages}
    assert most == 1 or all(not frame.is_empty() for frame in expected.values())


def as_whole(provider, page):
    return whole_page(page.body, provider.OUTLINES[page.entity], page.context)


class Landed:
    """A landing that holds these pages, and remembers which of them it was asked for."""

    def __init__(self, pages):
        self.held, self.asked = pages, []

    def pages(self, snapshot_id, *, but):
        assert snapshot_id == "a snapshot"
        wanted = [page for page in self.held if page.page_no not in but]
        self.asked += [page.page_no for page in wanted]
        return wanted


@pytest.mark.parametrize("name", MAKERS)
def test_rows_that_stay_out_get_the_hash_of_their_bytes_from_their_page_alone(name):
    provider, pages, reading, exact = PROVIDERS[name], pages_of(name), Reading(), Reading()
    place = ["page_no", "position", "row_hash"]

    def tops(tables):
        return pl.concat(frame.select(place) for frame in tables.values() if "row_hash" in frame.columns).sort(
            place[:2]
        )

    received_rows = tops(kept(provider, read_pages(provider, pages, reading)))
    expected = tops(kept(provider, decoded(provider, pages, exact)))
    out = pl.col("page_no") % 4 == 1
    bare = received_rows.filter(out, pl.col("row_hash").is_null())
    assert not bare.is_empty()
    as_it_was = replace(pages[0], page_no=len(pages))  # a page that no load reads again
    landed, facts = Landed([*pages, as_it_was]), SimpleNamespace(id="a snapshot", provider=name)
    found = hashed(landed, facts, received_rows.filter(out), reading, {as_it_was.page_no})
    assert found.sort(place[:2]).equals(expected.filter(out))
    assert landed.asked == bare["page_no"].unique().sort().to_list()


def test_no_page_is_read_again_where_no_row_stays_out():
    rows = pl.DataFrame(schema={"page_no": pl.Int64(), "position": pl.Int64(), "row_hash": pl.String()})
    landed = Landed(pages_of("payt"))
    assert hashed(landed, SimpleNamespace(id="a snapshot", provider="payt"), rows, Reading(), ()).is_empty()
    assert landed.asked == []


def test_most_rows_of_ordinary_pages_need_no_decoding():
    make = Maker("ordinary")
    make.calm = True
    for name, provider in PROVIDERS.items():
        pages = [MAKERS[name](make) for _ in range(40)]
        fit = [whole_page(dumps(body).encode(), provider.OUTLINES[entity], context) for entity, body, context in pages]
        logging.getLogger("planrecon").info("%s: %d of %d pages fit", name, len(pages) - fit.count(None), len(pages))
        assert fit.count(None) < len(pages) / 2, name
