"""`planrecon verify` and the doctor name each byte that is not as it was written; an untouched store is clean."""

import ast
import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import ANY

import duckdb
import pytest

from flows.commands import cli
from sandbox.worlds import scenarios
from sql.storage import balances, published, verification

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def kept(open_desk, tmp_path_factory):
    """A store after two days and one change of a plan; tests work on copies of it."""
    with open_desk(tmp_path_factory.mktemp("kept"), scenarios.demo()) as desk:
        desk.configure(reports={"formats": ["csv", "parquet", "html"]})
        desk.run(scenarios.DEMO_AS_OF - timedelta(days=1))
        desk.run(scenarios.DEMO_AS_OF)
        plan = next(
            row["plan_id"] for row in desk.rows("plans") if (row["provider"], row["status"]) == ("payiq", "ACTIVE")
        )
        assert cli.execute(
            ["plan", "deactivate", plan, "--provider", "payiq", "--yes", "--config", str(desk.file)]
        ) in {0, 4}
        yield desk.folder


@pytest.fixture
def store(kept, tmp_path):
    """A copy of the store with a configuration of its own."""
    folder = shutil.copytree(kept, tmp_path / "copy", symlinks=True)
    text = (folder / "planrecon.toml").read_text().replace(str(kept), str(folder))
    (folder / "planrecon.toml").write_text(text)
    return folder


def largest(paths):
    """The file that holds most: a pack whose pages all came before is empty."""
    return max(paths, key=lambda path: path.stat().st_size)


def flip(path, place=None):
    """Turn one bit over, in the middle of the file unless told where."""
    body = bytearray(path.read_bytes())
    body[len(body) // 2 if place is None else place] ^= 1
    path.write_bytes(body)
    return path


def verified(folder, capsys):
    code = cli.execute(["verify", "--config", str(folder / "planrecon.toml")])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_store_that_nobody_touched_is_as_written(store, capsys):
    code, out, _ = verified(store, capsys)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["ok"] * 6
    assert "2 run folders" in out
    assert "1 changes" in out


DAMAGE = {
    "a body in the landing": lambda store: flip(
        largest(store.glob("planrecon.state/landing/payt/*/*payment_plans.pack"))
    ),
    "a seal in the landing": lambda store: flip(next(store.glob("planrecon.state/landing/payiq/*/*.seal.json"))),
    "the end of a fetch": lambda store: flip(next(store.glob("planrecon.state/landing/totality/*/snapshot.json"))),
    "the commit log": lambda store: flip(store / "planrecon.state/commits.jsonl"),
    "an archived run": lambda store: flip(next(store.glob("planrecon.state/runs/*.zip"))),
    "the log of changes": lambda store: flip(store / "planrecon.state/intents/audit.jsonl"),
    "a published CSV": lambda store: flip(next(store.glob("reports/as_of=*/*/terms.csv"))),
    "a published Parquet": lambda store: flip(next(store.glob("reports/as_of=*/*/plans.parquet"))),
    "the database of readers": lambda store: flip(next(store.glob("reports/as_of=*/*/read.duckdb"))),
}


HIDES = "the commit log"
"""What is looked at with its help cannot be judged without it, so it is damaged alone."""


@pytest.mark.fault(44)
@pytest.mark.parametrize("kinds", [DAMAGE.keys() - {HIDES}, {HIDES}], ids=["everything but", "the commit log"])
def test_each_flipped_bit_is_named_with_its_file_by_verify_and_by_the_doctor(store, capsys, kinds):
    damaged = {what: DAMAGE[what](store).name for what in kinds}
    code, out, err = verified(store, capsys)
    assert code == 2
    assert {what: name for what, name in damaged.items() if name not in out} == {}
    assert "stored_data_damaged" in err
    assert cli.execute(["doctor", "--offline", "--config", str(store / "planrecon.toml")]) == 2
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("fix  stored data"))
    assert any(name in line for name in damaged.values())


HEADERS = 3 * 4096
"""A DuckDB file is three headers and then blocks of equal size, each with a checksum of its own."""


def blocks_of_rows(path):
    """Where the blocks begin in which rows lie; the rest of the file is free, or can be made from the rows."""
    with duckdb.connect(str(path), read_only=True) as con:
        [(size,)] = con.sql("SELECT block_size FROM pragma_database_size()").fetchall()
        tables = con.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        found = [
            con.sql(f"SELECT block_id FROM pragma_storage_info('{schema}.{table}') WHERE persistent").fetchall()
            for schema, table in tables
        ]
    numbers = {number for rows in found for (number,) in rows if number is not None and number >= 0}
    return [HEADERS + number * size for number in sorted(numbers)]


def test_a_flipped_bit_in_any_block_that_holds_rows_of_the_warehouse_is_found(store):
    path = store / "planrecon.duckdb"
    untouched = path.read_bytes()
    starts = blocks_of_rows(path)
    assert len(starts) >= 5
    for start in starts:
        flip(path, start + 1000)
        faults = []
        verification._warehouse(verification.Stored(path, store / "planrecon.state", store / "reports"), faults)
        assert any("planrecon.duckdb cannot be read" in fault for fault in faults), start
        path.write_bytes(untouched)


MISSING = {
    "a pack": "planrecon.state/landing/payt/*/*payment_plans.pack",
    "a fetch": "planrecon.state/landing/totality/*",
    "an archived run": "planrecon.state/runs/*.zip",
    "a published table": "reports/as_of=*/*/breaks.csv",
    "the warehouse": "planrecon.duckdb",
}


@pytest.mark.parametrize("kinds", [MISSING.keys() - {"the warehouse"}, {"the warehouse"}], ids=["files", "warehouse"])
def test_what_is_missing_is_named(store, capsys, kinds):
    gone = {what: min(store.glob(MISSING[what])) for what in kinds}
    for path in gone.values():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, out, _ = verified(store, capsys)
    assert code == 2
    assert {what: path.name for what, path in gone.items() if path.name not in out} == {}


def test_a_stop_between_the_readers_database_and_its_line_in_the_manifest_is_mended_by_the_next_start(kept, capsys):
    path = (kept / "reports/latest").resolve() / "read.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE meta.written_later AS SELECT 1")
    assert verified(kept, capsys)[0] == 2
    asked = ["report", "--as-of", "2026-06-29", "--fail-on", "never", "--config", str(kept / "planrecon.toml")]
    assert cli.execute(asked) == 0
    capsys.readouterr()
    assert verified(kept, capsys)[:2] == (0, ANY)


def test_a_row_lost_between_two_tables_is_named(store, capsys):
    with duckdb.connect(str(store / "planrecon.duckdb")) as con:
        con.execute(WAREHOUSE["received = accepted + quarantined + deduplicated"][0])
        con.execute("DELETE FROM out.breaks_by_run WHERE as_of = DATE '2026-06-30'")
    code, out, _ = verified(store, capsys)
    assert code == 2
    assert "load 1: fetched terms are not accepted + quarantined + deduplicated" in out
    assert "breaks: the warehouse does not add up to the manifest's totals" in out


CHANGE = """
    INSERT INTO meta.writes BY NAME
    SELECT 'none' AS intent_id, 'payt' AS provider, '1001' AS tenant_id, 'create' AS operation, 'nowhere' AS plan_id,
        'done' AS state, '' AS reason, '' AS request_sha256, now() AS planned_at, TIMESTAMPTZ '2001-01-01' AS ended_at
"""
CLOSED = "INSERT INTO core.{0}_closures SELECT row_no, 9 FROM core.{0}_versions WHERE row_no = {1}"
AGAIN = (
    "INSERT INTO core.{0}_versions SELECT * {2} REPLACE (900000 AS row_no{1}) FROM core.{0}_versions WHERE row_no = 0"
)
MADE = "EXCLUDE (customer_id)"  # of the two columns that are kept
WAREHOUSE = {
    "received = accepted + quarantined + deduplicated": (
        "UPDATE meta.integrity SET accepted = accepted - 1 WHERE load_no = 1 AND entity = 'terms' AND accepted > 0",
        "load 1: fetched terms are not accepted + quarantined + deduplicated",
    ),
    "its money = that of accepted, quarantined and deduplicated": (
        "UPDATE meta.integrity SET amount_deduplicated_minor = 1 WHERE load_no = 1 AND entity = 'terms'",
        "load 1: fetched terms are not accepted + quarantined + deduplicated",
    ),
    "quarantined = the rows in quarantine": (
        "DELETE FROM meta.quarantine WHERE load_no = 1 AND entity = 'payments'",
        "load 1: the payments in quarantine are not those that were counted",
    ),
    "rows of a fetch = rows of its pages": (
        'UPDATE raw.pages SET "rows" = "rows" + 1 WHERE load_no = 2 AND sweep = \'payments\'',
        "load 2: the rows of payments are not those of its pages",
    ),
    "pages of a fetch = pages that were read": (
        "UPDATE meta.fetches SET pages = pages + 1 WHERE load_no = 2 AND sweep = 'payments'",
        "load 2: the rows of payments are not those of its pages",
    ),
    "cents of a load = cents of its pages": (
        "UPDATE raw.page_counts SET amount_fetched_minor = amount_fetched_minor + 1 WHERE load_no = 2 AND entity = 'payments'",
        "load 2: the money of its payments is not that of the pages",
    ),
    "one current row per key": (
        AGAIN.format("plan", "", MADE),
        "1 of core.plan_versions have two versions that hold at once",
    ),
    "the current row is the newest": (
        f"{AGAIN.format('account', ', 99 AS load_no', MADE)}; {CLOSED.format('account', 900000)}",
        "1 of core.account_versions are not shown as they were received last",
    ),
    "a row whose only version ended": (
        CLOSED.format("policy", 0),
        "1 of core.policy_versions are not shown as they were received last",
    ),
    "no current row is older than its tombstone": (
        f"{AGAIN.format('payment', ', 99 AS load_no, created_on AS removed_on', '')}; {CLOSED.format('payment', 900000)}",
        "1 of core.payment_versions are shown again although a later fetch took them away",
    ),
    "watermark <= start of the sweep": (
        "UPDATE meta.fetches SET watermark = started_clock + INTERVAL 1 SECOND WHERE load_no = 2 AND sweep = 'payments'",
        "load 2: the next fetch of payments would begin after this one did",
    ),
    "changes done = changes logged": (CHANGE, "change none is done there and never was by its log"),
    "changes done = plans found": (CHANGE, "change none made plan nowhere, which no later fetch shows"),
}


@pytest.fixture(scope="module")
def warehouse(kept, tmp_path_factory):
    """A copy of the warehouse; tests roll back what they do to it."""
    path = shutil.copy2(kept / "planrecon.duckdb", tmp_path_factory.mktemp("warehouse"))
    with duckdb.connect(str(path)) as con:
        yield con


@pytest.mark.parametrize("equation", WAREHOUSE)
def test_an_equation_that_does_not_hold_in_the_warehouse_is_named(warehouse, equation):
    plant, fault = WAREHOUSE[equation]
    warehouse.begin()
    try:
        warehouse.execute(plant)
        found = [*balances.unbalanced(warehouse), *balances.unproven(warehouse, {})]
    finally:
        warehouse.rollback()
    assert [each for each in found if each.startswith(fault)], found


ONE = "plan_id = (SELECT min(plan_id) FROM {} WHERE {})"
FOLDER = {
    "amount - waived - received = outstanding of a term": (
        "UPDATE terms SET waived = waived + 1 WHERE " + ONE.format("terms", "true"),
        "terms whose amount - waived - received is not outstanding",
    ),
    "amount - waived - received = outstanding of a plan": (
        "UPDATE plans SET received = received + 1, amount = amount + 2 WHERE " + ONE.format("plans", "true"),
        "1 plans whose figures do not add up",
    ),
    "overdue + due today = amount due": (
        "UPDATE plans SET overdue = overdue + 1 WHERE " + ONE.format("plans", "true"),
        "1 plans whose figures do not add up",
    ),
    "a plan = the sum of its terms": (
        "UPDATE plans SET amount = amount + 1, received = received + 1 WHERE " + ONE.format("plans", "terms > 0"),
        "1 plans that are not the sum of their terms",
    ),
    "missed terms of a plan = its terms that are MISSED": (
        "UPDATE plans SET missed_terms = missed_terms + 1 WHERE " + ONE.format("plans", "terms > 0"),
        "1 plans that are not the sum of their terms",
    ),
    "terms = stated total, or flagged": (
        "DELETE FROM breaks WHERE code = 'TOTAL_DIFF'",
        "plans whose terms are not their stated total, without a break that says so",
    ),
    "received = allocated": (
        "UPDATE payments SET allocated = allocated - 1 WHERE " + ONE.format("payments", "allocated > 0"),
        "1 plans with more received than the payments that are allocated to them",
    ),
    "each payment of an account once": (
        "INSERT INTO payments SELECT * FROM payments WHERE class = 'pending' LIMIT 1",
        "1 payments that are listed twice for one account",
    ),
    "missed terms were due": (
        "UPDATE terms SET due_date = as_of WHERE state = 'MISSED'",
        "missed terms that are not due before the as-of date, or not owed",
    ),
    "missed terms are owed": (
        "UPDATE terms SET outstanding = 0, waived = amount WHERE state = 'MISSED'",
        "missed terms that are not due before the as-of date, or not owed",
    ),
    "buckets = plans in force": (
        "UPDATE aging SET overdue = overdue + 1 WHERE currency = 'JPY'",
        "buckets that are not the plans in force",
    ),
}


@pytest.mark.parametrize("equation", FOLDER)
def test_an_equation_that_does_not_hold_in_a_run_folder_is_named(kept, tmp_path, equation):
    """The table that is changed lies in a folder of its own, with links to the others."""
    plant, fault = FOLDER[equation]
    table = re.match(r"(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)", plant)[1]
    for path in (kept / "reports/latest").resolve().glob("*.parquet"):
        (tmp_path / path.name).symlink_to(path)
    with duckdb.connect() as con:
        assert list(balances.inconsistent(con, tmp_path)) == []
        changed = tmp_path / f"{table}.parquet"
        con.execute(
            f"DROP VIEW {table}; CREATE TABLE {table} AS FROM read_parquet('{changed}', hive_partitioning = false)"
        )
        con.execute(plant)
        changed.unlink()
        con.execute(f"COPY {table} TO '{changed}' (FORMAT parquet); DROP TABLE {table}")
        found = list(balances.inconsistent(con, tmp_path))
    assert [each for each in found if fault in each], found


def in_the_page(folder):
    path = folder / "report.html"
    text = path.read_text()
    head, table = text.split("<caption>By provider and currency</caption>")
    path.write_text(
        head + "<caption>By provider and currency</caption>" + re.sub(r"(\d)(</td></tr>)", r"\g<1>1\2", table, count=1)
    )
    return path


def in_a_view(folder):
    """Beside the view that lies: one that knows the folder, because the views of a folder that was moved are not asked."""
    path = folder / "read.duckdb"
    with duckdb.connect(str(path)) as con:
        plans = f"read_parquet('{folder}/plans.parquet', hive_partitioning = false)"
        con.execute(f"CREATE OR REPLACE MACRO out.latest_plans() AS TABLE FROM {plans}")
        con.execute("CREATE OR REPLACE VIEW main.v_terms AS FROM out.latest_terms() OFFSET 1")
    return path


def in_a_csv(folder):
    path = folder / "plans.csv"
    head, first, *rest = path.read_text().splitlines(keepends=True)
    place, cells = head.split(",").index("amount"), first.split(",")
    cells[place] = f"{Decimal(cells[place]) + 1}"
    path.write_text("".join([head, ",".join(cells), *rest]))
    return path


PLACES = {
    "plans: plans.csv does not add up to the manifest's totals": in_a_csv,
    "v_terms of read.duckdb shows other rows or sums": in_a_view,
    "report.html does not show the sums of the plans in force": in_the_page,
}


@pytest.mark.parametrize("fault", PLACES)
def test_figures_changed_together_with_their_checksum_no_longer_add_up(store, fault):
    """Total of CSV = Parquet = page = view: a place with another one is named."""
    folder = (store / "reports/latest").resolve()
    changed = PLACES[fault](folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == changed.name:
            file |= {"bytes": changed.stat().st_size, "sha256": published.sha256(changed)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    faults = []
    published.reports(store / "reports", store / "planrecon.duckdb", faults)
    assert [each for each in faults if fault in each], faults


def test_a_store_at_work_is_busy_and_not_judged(store, capsys):
    holding = "import sys, datetime; from pathlib import Path; from sql.storage.lock import run_lock\n"
    holding += "with run_lock(Path(sys.argv[1]), run_id='r', started_at=datetime.datetime.now(datetime.UTC)):\n"
    holding += "    print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(store / "planrecon.state")],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "held\n"
        code, out, err = verified(store, capsys)
        other.stdin.close()
    assert (code, out) == (5, "")
    assert f"process {other.pid}" in err


def test_what_checks_the_store_shares_nothing_with_what_wrote_it():
    own = {"sql.storage.verification", "sql.storage.balances", "sql.storage.published"}
    for module in (verification, balances, published):
        tree = ast.parse(Path(module.__file__).read_text())
        named = {
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert {name for name in named - own if name.split(".")[0] not in sys.stdlib_module_names} <= {"duckdb"}
