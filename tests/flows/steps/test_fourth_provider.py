"""A provider that no product file knows is fetched, loaded, computed and reported beside the others."""

import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fourth import lent

import providers
import sql.scripts
from flows import settings
from flows.commands.cli import execute
from flows.commands.writes.outcomes import Choice
from flows.commands.writes.plans import create
from flows.errors import UsageError
from sandbox.worlds.scenarios import golden

AS_OF = date(2026, 6, 30)
PLANS = [
    {
        "id": "P1",
        "neighbour": "N7",
        "agreed": "2026-04-01",
        "terms": [
            {"due": "2026-05-15", "amount": 100.00, "open": 0.00},
            {"due": "2026-06-15", "amount": 100.00, "open": 62.50},
            {"due": "2026-07-15", "amount": 100.00, "open": 100.00},
        ],
    },
    {"id": "P2", "neighbour": "N8", "agreed": "2026-04-01", "terms": [{"due": "someday", "amount": 5, "open": 5}]},
]


class Lender(BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.path == "/plans" and self.headers["Authorization"] == "Bearer open sesame"
        body = json.dumps(PLANS).encode()
        self.send_response(200 if allowed else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said):
        pass


@pytest.fixture
def lender():
    with ThreadingHTTPServer(("127.0.0.1", 0), Lender) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class LentSettings(settings.ProviderSettings):
    """Loans among neighbours."""

    NAME = "lent"
    currency: str | None = "EUR"


@pytest.fixture
def _known(monkeypatch):
    """What somebody who adds a provider adds: a line each for its code, its section and its staging."""
    monkeypatch.setitem(providers.MODULES, "lent", "fourth.lent")
    monkeypatch.setitem(settings.SECTIONS, "lent", LentSettings)
    monkeypatch.setattr(sql.scripts, "STAGING", [*sql.scripts.STAGING, Path(lent.__file__).parent / "staging"])
    yield
    sql.scripts.seed.cache_clear()


@pytest.mark.usefixtures("_known")
def test_a_provider_of_ones_own_stands_in_the_reports_beside_the_others(desk, lender, capsys, tmp_path):
    here = desk(golden(), "lent beside the others")
    here.sections["providers.lent"] = {"base_url": lender, "token": "open sesame", "tenant": "street"}
    here.configure(gates={"quarantine_share": 0.9})
    finished = here.run(AS_OF)
    assert finished.state == "PUBLISHED"
    plans = {(row["provider"], row["plan_id"]): row for row in here.rows("plans")}
    assert {provider for provider, _ in plans} == {"payt", "totality", "payiq", "lent"}
    own = plans["lent", "P1"]
    # 100.00 was due on 15 May and is settled by the provider's balance; of that of 15 June 62.50 are open, 15 days late.
    told = {
        name: own[name] for name in ("tenant_id", "customer_id", "currency", "amount_due", "received", "days_past_due")
    }
    assert told == {
        "tenant_id": "street",
        "customer_id": "N7",
        "currency": "EUR",
        "amount_due": "62.50",
        "received": "137.50",
        "days_past_due": "15",
    }
    terms = [row for row in here.rows("terms") if row["provider"] == "lent"]
    assert [(row["due_date"], row["amount"], row["outstanding"]) for row in terms] == [
        ("2026-05-15", "100.00", "0.00"),
        ("2026-06-15", "100.00", "62.50"),
        ("2026-07-15", "100.00", "100.00"),
    ]
    found = {(row["code"], row["reason"]) for row in here.rows("breaks") if row["provider"] == "lent"}
    assert ("STATUS_CONTRADICTION", "PAID_WITHOUT_DATE") in found
    refused = here.query("SELECT entity, code FROM v_quarantine WHERE provider = 'lent' ORDER BY entity")
    assert ("terms", "BAD_DATE") in [tuple(row) for row in refused]
    assert execute(["doctor", "--assumptions", "--config", str(here.file)]) == 0
    printed = capsys.readouterr().out
    assert f"ok   lent: {lender} answers; 1 tenant, plans readable" in printed
    assert "assumed of lent" in printed
    new = tmp_path / "new.json"
    new.write_text('{"neighbour": "N9"}', encoding="utf-8")
    with pytest.raises(UsageError, match="nothing can be changed at lent: it is only read"):
        create(here.file, provider="lent", file=new, choice=Choice())


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("lacks", "code", "told"),
    [
        ("code", "configuration", "lent: no code reads this provider: it has no line in MODULES (providers/__init__.py). Add a line"),
        ("staging", "contract", "nothing stages the provider 'lent': "),
    ],
)  # fmt: skip
def test_a_provider_that_is_only_half_there_says_what_is_missing_and_the_others_are_reported(
    desk, lender, monkeypatch, *, lacks, code, told
):
    here = desk(golden(), f"lent without {lacks}").without("totality", "payiq")
    here.sections["providers.lent"] = {"base_url": lender, "token": "open sesame", "tenant": "street"}
    here.configure(gates={"quarantine_share": 0.9})
    if lacks == "code":
        monkeypatch.delitem(providers.MODULES, "lent")
    else:
        monkeypatch.setattr(sql.scripts, "STAGING", sql.scripts.STAGING[:-1])
    finished = here.run(AS_OF)
    assert {row["provider"] for row in here.rows("plans", finished.folder)} == {"payt"}
    sources = json.loads((finished.folder / "summary.json").read_text(encoding="utf-8"))["sources"]
    failed = {source["provider"]: source for source in sources if source["error_code"]}
    assert failed.keys() == {"lent"}
    assert failed["lent"]["error_code"] == code
    assert told in failed["lent"]["error"]
