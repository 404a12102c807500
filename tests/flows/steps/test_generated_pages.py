"""Pages valid by a provider's own contract, with whatever texts: no traceback, every row accepted or in quarantine.

A few by default; `PLANRECON_PAGES=2000` asks for so many (`make pages`).
"""

import logging
import os
from datetime import UTC, datetime

import polars as pl
import pytest
from storm.pages import MAKERS, Maker

from flows.steps.reading import PAGES, Reading
from providers import PROVIDERS
from sandbox.world import dumps
from schemas.intake import DECODE_REJECTS
from sql.connection import connect
from sql.core.loads import Load, Sweep
from sql.core.versions import commit_load
from sql.intake.received import received
from sql.intake.staging import StageOptions, stage
from sql.scripts import create_tables
from sql.storage.landing import StoredPage
from transforms.intake.admit import admit

WANTED = int(os.environ.get("PLANRECON_PAGES", "60"))
AT = datetime(2026, 6, 30, 6, tzinfo=UTC)
PER_LOAD = 20
TOLD = {"payt": {"currency": "EUR"}, "totality": {"currency": "USD"}, "payiq": {"currency_symbols": {"$": "USD"}}}
SWEEPS = {"payt": "payment_plans", "totality": "payment_plans", "payiq": "portfolio"}


@pytest.mark.fault(26)
@pytest.mark.parametrize("provider", MAKERS)
def test_every_row_of_valid_pages_with_odd_texts_is_accepted_or_in_quarantine(provider):
    make, share = Maker(f"pages of {provider}"), WANTED // len(MAKERS) + 1
    came = accepted = quarantined = again = 0
    with connect(None) as con:
        create_tables(con)
        for number in range(0, share, PER_LOAD):
            reading, tables = Reading(), []
            for page_no in range(min(PER_LOAD, share - number)):
                make.calm = page_no % 2 == 0
                entity, body, context = MAKERS[provider](make)
                text = dumps(body).encode()
                page = StoredPage(page_no, SWEEPS[provider], entity, f"{number + page_no:064x}", text, context, 200)
                decoded = PROVIDERS[provider].decode(entity, text, context)
                assert all(reject.position >= 0 for reject in decoded.rejects), "a valid page was refused whole"
                reading.note(page, decoded)
                tables.append((page_no, decoded.tables))
            with received(con, tables, PROVIDERS[provider].TABLES) as rows:
                staged = stage(con, rows, StageOptions(provider, "1", "Europe/Amsterdam", AT.date(), **TOLD[provider]))
            rejects = pl.DataFrame(reading.rejects, schema=dict(DECODE_REJECTS), orient="row")
            admitted = admit(staged, decode_rejects=rejects, decoded_rows={})
            sweep = Sweep(SWEEPS[provider], None, True, "", 1, 1, AT)
            load = Load(f"load {number}", provider, "1", f"s{number}", AT, AT.date(), AT, (sweep,), 1)
            pages = pl.DataFrame(reading.pages, schema=PAGES, orient="row")
            counts = commit_load(con, load, admitted, pages=pages, rows=staged["rows"], carried=reading.carried).counts
            came += counts["fetched"].sum()
            accepted += counts["accepted"].sum()
            quarantined += counts["quarantined"].sum()
            again += counts["deduplicated"].sum()
        [[told]] = con.sql('SELECT coalesce(sum("rows"), 0) FROM meta.quarantine').fetchall()
    figures = f"{provider}: {share} pages, {came} rows fetched = {accepted} accepted + {quarantined} quarantined + {again} deduplicated"
    logging.getLogger("planrecon").info(figures)
    assert came == accepted + quarantined + again, figures
    assert quarantined > 0
    assert accepted > came / 10, figures
    assert told >= quarantined
