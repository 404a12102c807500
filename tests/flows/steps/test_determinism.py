"""The same store gives the same bytes wherever it is read: time zone, locale, threads, hash seed, and the order rows lie in.

Four starts in the suite, drawn so that every value occurs; `make grid` goes through all thirty combinations.
"""

import hashlib
import itertools
import os
import shutil

import duckdb
import pytest

from sandbox.worlds.scenarios import DEMO_AS_OF, demo

ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
LOCALES, THREADS = ("C.UTF-8", "POSIX"), (1, 2, 4)
FEW = [
    ("Europe/Amsterdam", "POSIX", 4),
    ("America/New_York", "C.UTF-8", 1),
    ("Asia/Kolkata", "POSIX", 2),
    ("Pacific/Auckland", "C.UTF-8", 4),
]
PLACES = list(itertools.product(ZONES, LOCALES, THREADS)) if os.environ.get("PLANRECON_GRID") else FEW
OF_THE_RUN = {"manifest.json", "summary.json", "read.duckdb"}
"""Files that name their run and its moments."""


def shuffle(path, seed):
    """Lay the rows of every table in another order."""
    with duckdb.connect(str(path)) as con:
        stored = con.sql("""
            SELECT schema_name, table_name, string_agg('"' || column_name || '"', ', ' ORDER BY column_index)
            FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (schema_name, table_name)
            WHERE NOT is_generated GROUP BY ALL
        """)
        for schema, name, columns in stored.fetchall():
            table = f'"{schema}"."{name}"'
            drawn = f"SELECT {columns} FROM {table} AS r ORDER BY hash(CAST(r AS VARCHAR) || {seed})"
            con.execute(f"CREATE TEMP TABLE drawn AS {drawn}")
            con.execute(f"DELETE FROM {table}; INSERT INTO {table} ({columns}) FROM drawn; DROP TABLE drawn")


def report(kept, seed, place):
    """Report on a shuffled copy of the store in a process of its own; return the hash of every file."""
    folder = shutil.copytree(kept.folder, kept.folder.with_name(f"copy-{seed}"), symlinks=True)
    file = folder / "planrecon.toml"
    file.write_text(kept.file.read_text().replace(str(kept.folder), str(folder)))
    shuffle(folder / "planrecon.duckdb", seed)
    zone, locale, threads = place
    environment = {"TZ": zone, "LC_ALL": locale, "POLARS_MAX_THREADS": str(threads), "PYTHONHASHSEED": str(seed)}
    environment |= {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}  # or Python makes UTF-8 of every locale
    asked = ["report", "--as-of", str(DEMO_AS_OF), "--fail-on", "never", "--config", str(file)]
    child = kept.start(*asked, configured=False, env=environment, cwd=folder)
    out, err = child.communicate(timeout=240)
    assert child.returncode == 0, out + err
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "reports/latest").iterdir()}
    shutil.rmtree(folder)
    return {name: digest for name, digest in found.items() if name not in OF_THE_RUN}


@pytest.mark.slow
@pytest.mark.fault(64)
def test_a_report_has_the_same_bytes_in_every_zone_locale_and_number_of_threads_and_from_any_order_of_rows(desk):
    kept = desk(demo()).configure(reports={"formats": ["csv", "html", "xlsx"]})
    kept.run(DEMO_AS_OF)
    found = [report(kept, seed, place) for seed, place in enumerate(PLACES, 1)]
    assert len(found[0]) > 20
    for place, files in zip(PLACES, found, strict=True):
        assert files == found[0], (place, {name for name in files if files[name] != found[0].get(name)})
    at_first = {name: hashlib.sha256(body).hexdigest() for name, body in kept.tables().items()}
    assert at_first == {name: found[0][name] for name in at_first}
