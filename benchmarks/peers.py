"""Other ways of doing the same, each in a process of its own: `python -m benchmarks.peers WAY FOLDER ...`.

Peers compute less than the program does (no versions, no row hashes, no quarantine, no reasons), so a ratio to them says
what those promises cost. Their rows and sums must be those of the generator before a figure counts.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import pages
from benchmarks.table import require
from benchmarks.trees import ROOT, Spent, run

NDJSON = """
CREATE TABLE plans AS SELECT id, debtor_id, created_at, updated_at, active, deactivated_at FROM rows_of_plans;
CREATE TABLE terms AS
SELECT r.id AS plan_id, t.id, t.due_date::DATE AS due_date, (t.total_amount::DECIMAL(18, 2) * 100)::BIGINT AS amount_minor,
    (t.amount_due::DECIMAL(18, 2) * 100)::BIGINT AS due_minor, t.payment_date::DATE AS payment_date
FROM rows_of_plans AS r, unnest(r.payment_terms) AS u(t);
CREATE TABLE payments AS
SELECT id, invoice_id, (total_amount::DECIMAL(18, 2) * 100)::BIGINT AS amount_minor, payment_date::DATE AS payment_date
FROM rows_of_payments;
CHECKPOINT;
"""
TERM = "STRUCT(id VARCHAR, total_amount VARCHAR, amount_due VARCHAR, due_date VARCHAR, payment_date VARCHAR)[]"
PLAN = {
    **dict.fromkeys(("id", "debtor_id", "created_at", "updated_at", "deactivated_at"), "VARCHAR"),
    "active": "BOOLEAN",
    "payment_terms": TERM,
}
PAYMENT = dict.fromkeys(("id", "invoice_id", "total_amount", "payment_date"), "VARCHAR")


def read_ndjson(folder: Path) -> dict[str, int]:
    """Read rows of plans and payments from NDJSON files into three tables, typed; return rows and sums."""
    import duckdb

    database = folder / "peer.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        for name, columns in (("plans", PLAN), ("payments", PAYMENT)):
            files = str(folder / f"{name}*.ndjson")
            con.execute(f"CREATE TEMP VIEW rows_of_{name} AS SELECT * FROM read_ndjson('{files}', columns = {columns})")
        con.execute(NDJSON)
        found = con.sql(
            "SELECT (SELECT count(*) FROM plans) AS plans, (SELECT count(*) FROM terms) AS terms, "
            "(SELECT count(*) FROM payments) AS payments, (SELECT sum(amount_minor)::BIGINT FROM terms) AS promised, "
            "(SELECT sum(amount_minor)::BIGINT FROM payments) AS received"
        )
        return dict(zip(found.columns, found.fetchall()[0], strict=True))


def raw_cut(folder: Path, url: str) -> dict[str, int]:
    """Fetch the pages, cut them into rows without reading these, and let DuckDB read the rows."""
    import httpx
    import msgspec

    class Cursor(msgspec.Struct):
        cursor: str | None = None

    class Page(msgspec.Struct):
        data: list[msgspec.Raw]
        pagination: Cursor | None = None

    decoder = msgspec.json.Decoder(Page)
    with httpx.Client(base_url=url) as client:
        for entity, name in (("payment_plans", "plans"), ("payments", "payments")):
            with (folder / f"{name}.ndjson").open("wb") as rows:
                cursor: str | None = ""
                while cursor is not None:
                    asked = {"per_page": "500"} | ({"cursor": cursor} if cursor else {})
                    page = decoder.decode(client.get(f"/v1/{entity}", params=asked).content)
                    rows.writelines(bytes(row) + b"\n" for row in page.data)
                    cursor = page.pagination.cursor if page.pagination else None
    return read_ndjson(folder)


def ingest(url: str, plans: int) -> dict[str, Spent]:
    """Return what the peers of the ingest used, each on the same rows."""
    manifest = {name: count for name, count in pages.manifest(plans).items() if name != "breaks"}
    with tempfile.TemporaryDirectory() as folder:
        spent = {
            "raw rows cut over HTTP, then read_ndjson": run(ROOT, "-m", "benchmarks.peers", "raw_cut", folder, url)
        }
        spent["DuckDB read_ndjson of the files"] = run(ROOT, "-m", "benchmarks.peers", "read_ndjson", folder)
    for name, each in spent.items():
        require(name, each.answer, manifest)
    return spent


WAYS: dict[str, Callable[..., Any]] = {"read_ndjson": read_ndjson, "raw_cut": raw_cut}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))
