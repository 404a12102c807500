"""`planrecon verify` and the doctor name each byte that is not as it was written; an untouched store is clean."""

import ast
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY

import duckdb
import pytest

from flows.commands import cli
from sandbox.worlds import scenarios
from sql.storage import verification

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def kept(open_desk, tmp_path_factory):
    """A store after two days and one change of a plan; tests work on copies of it."""
    with open_desk(tmp_path_factory.mktemp("kept"), scenarios.demo()) as desk:
        desk.configure(reports={"formats": ["csv", "parquet"]})
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


HEADERS, BLOCK = 3 * 4096, 256 * 1024
"""A DuckDB file is three headers and then blocks of equal size, each with a checksum of its own."""


def blocks_of_rows(path):
    """Numbers of the blocks in which rows lie; the rest of the file is free, or can be made from the rows."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.sql("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        found = [
            con.sql(f"SELECT block_id FROM pragma_storage_info('{schema}.{table}') WHERE persistent").fetchall()
            for schema, table in tables
        ]
    return sorted({number for rows in found for (number,) in rows if number is not None and number >= 0})


def test_a_flipped_bit_in_any_block_that_holds_rows_of_the_warehouse_is_found(store):
    path = store / "planrecon.duckdb"
    untouched = path.read_bytes()
    numbers = blocks_of_rows(path)
    assert len(numbers) >= 5
    for number in numbers:
        flip(path, HEADERS + number * BLOCK + 1000)
        faults = []
        verification._warehouse(verification.Stored(path, store / "planrecon.state", store / "reports"), faults)
        assert any("planrecon.duckdb cannot be read" in fault for fault in faults), number
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
        con.execute(
            "UPDATE meta.integrity SET accepted = accepted - 1 WHERE load_no = 1 AND entity = 'terms' AND accepted > 0"
        )
        con.execute("DELETE FROM core.term_closures WHERE true")
        con.execute(
            "INSERT INTO core.plan_versions SELECT * REPLACE (1000000 AS row_no) FROM core.plan_versions WHERE row_no = 0"
        )
    code, out, _ = verified(store, capsys)
    assert code == 2
    assert "load 1: fetched terms are not accepted + quarantined + deduplicated" in out
    assert "1 plans have two versions that hold at once" in out


def test_figures_changed_together_with_their_checksum_no_longer_add_up(store, capsys):
    folder = (store / "reports/latest").resolve()
    table = folder / "plans.csv"
    head, first, *rest = table.read_text().splitlines(keepends=True)
    place = head.split(",").index("amount")
    cells = first.split(",")
    cells[place] = f"{float(cells[place]) + 1:.2f}"
    table.write_text("".join([head, ",".join(cells), *rest]))
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == "plans.csv":
            file |= {"bytes": table.stat().st_size, "sha256": verification._sha256(table)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    code, out, _ = verified(store, capsys)
    assert code == 2
    assert "plans.csv does not add up to the manifest's totals" in out


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
    tree = ast.parse(Path(verification.__file__).read_text())
    named = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert named - set(sys.stdlib_module_names) == {"duckdb"}
