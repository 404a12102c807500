"""Ids that are written as a whole number is are kept as one, and read as they were written."""

import duckdb
import polars as pl
import pytest

from sql.connection import connect
from sql.core.keys import append
from sql.core.short_ids import SHORT, shorten_stored, shortened
from sql.scripts import create_tables
from sql.warehouse import Warehouse

WRITTEN = ["17", "017", "A17", "", "-5", "+5", "-0", "0", " 7", "7 ", "7.0", "1e3", "1_000", "\uff11\uff17", "\u0663"]
LONG = ["9223372036854775807", "9223372036854775808", "-9223372036854775808", "9" * 40]
NUMBERS = {"17": 17, "-5": -5, "0": 0, "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63)}

EARLIER = {
    "plan_keys": "plan_no BIGINT NOT NULL, provider VARCHAR NOT NULL, tenant_id VARCHAR NOT NULL, plan_id VARCHAR NOT NULL,"
    " first_load_no BIGINT NOT NULL",
    "payment_keys": "payment_no BIGINT NOT NULL, provider VARCHAR NOT NULL, tenant_id VARCHAR NOT NULL, payment_id VARCHAR"
    " NOT NULL, share VARCHAR NOT NULL, first_load_no BIGINT NOT NULL",
    "term_versions": "row_no BIGINT NOT NULL, load_no BIGINT NOT NULL, plan_no BIGINT NOT NULL, term_id VARCHAR NOT NULL,"
    " term_sequence BIGINT, nominal_due_date DATE, due_date DATE NOT NULL, amount_minor BIGINT NOT NULL,"
    " provider_outstanding_minor BIGINT, provider_paid_on DATE, updated_on DATE, removed_on DATE, linked_payment_no BIGINT",
    "plan_versions": "row_no BIGINT NOT NULL, load_no BIGINT NOT NULL, plan_no BIGINT NOT NULL, customer_id VARCHAR, currency VARCHAR"
    " NOT NULL, basis VARCHAR NOT NULL, created_on DATE NOT NULL, cadence VARCHAR NOT NULL, source VARCHAR NOT NULL, page_no BIGINT"
    " NOT NULL, position BIGINT NOT NULL",
    "account_versions": "row_no BIGINT NOT NULL, load_no BIGINT NOT NULL, account_no BIGINT NOT NULL, customer_id VARCHAR, currency"
    " VARCHAR NOT NULL, kind_of_account VARCHAR NOT NULL, source VARCHAR NOT NULL, page_no BIGINT NOT NULL, position BIGINT NOT NULL",
}
"""Columns of the tables as earlier versions made them."""


def keys(written: list[str]) -> pl.DataFrame:
    rows = [(no, "payt", "7", payment_id, "", 1) for no, payment_id in enumerate(written)]
    return pl.DataFrame(
        rows, ["payment_no", "provider", "tenant_id", "payment_id", "share", "first_load_no"], orient="row"
    )


@pytest.mark.parametrize("written", [*WRITTEN, *LONG])
def test_an_id_is_kept_as_a_number_only_where_it_is_written_as_one(written):
    [row] = shortened("payment_keys", keys([written])).select("payment_number", "payment_text").iter_rows()
    assert row == ((NUMBERS[written], None) if written in NUMBERS else (None, written))


def test_ids_are_read_as_they_were_written_and_in_their_order():
    with connect(None) as con:
        create_tables(con)
        append(con, "payment_keys", keys([*WRITTEN, *LONG]))
        assert con.sql("SELECT payment_id FROM core.payment_keys").fetchall() == [(text,) for text in [*WRITTEN, *LONG]]


def test_a_table_that_keeps_its_id_as_text_gets_its_rows_as_they_are():
    rows = pl.DataFrame({"account_id": ["17"]})
    assert shortened("account_keys", rows).equals(rows)


def made_earlier(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables as an earlier version did, one row per id."""
    con.execute("CREATE SCHEMA core")
    con.register("ids", pl.DataFrame({"id": [*WRITTEN, *LONG]}).with_row_index("no"))
    given = {
        "provider": "'payt'",
        "tenant_id": "'7'",
        "share": "''",
        "due_date": "DATE '2026-03-31' + CAST(no AS INTEGER)",
        "created_on": "DATE '2026-03-31'",
    }
    for table, columns in EARLIER.items():
        con.execute(f"CREATE TABLE core.{table} ({columns})")
        its_id = f"{SHORT[table]}_id"
        named = [column.split()[0] for column in columns.split(", ") if column.endswith("NOT NULL")]
        needed = [*(name for name in named if name != its_id), its_id]
        values = [given.get(name, "id" if name == its_id else "no") for name in needed]
        con.execute(f"INSERT INTO core.{table} ({', '.join(needed)}) SELECT {', '.join(values)} FROM ids ORDER BY no")
    con.unregister("ids")


def test_tables_of_an_earlier_version_are_made_anew_with_every_row_in_its_order():
    with connect(None) as con:
        made_earlier(con)
        columns = {table: con.table(f"core.{table}").columns for table in EARLIER}
        read = {table: con.sql(f"SELECT {', '.join(names)} FROM core.{table}") for table, names in columns.items()}
        before = {table: rows.fetchall() for table, rows in read.items()}
        shorten_stored(con)
        after = {
            table: con.sql(f"SELECT {', '.join(names)} FROM core.{table}").fetchall()
            for table, names in columns.items()
        }
        assert after == before
        assert all(len(rows) == len(WRITTEN) + len(LONG) for rows in after.values())
        for table in EARLIER:
            kind = SHORT[table]
            numbers = con.sql(f"SELECT {kind}_id, {kind}_number FROM core.{table} WHERE {kind}_number IS NOT NULL")
            assert dict(numbers.fetchall()) == NUMBERS
        left = con.sql("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '%before'").fetchall()
        assert left == []


def test_a_row_without_a_customer_has_none_after_it_is_kept_anew_or_brought_over():
    [row] = shortened(
        "account_versions", pl.DataFrame({"customer_id": [None]}, schema={"customer_id": pl.String})
    ).rows()
    assert row == (None, None)
    with connect(None) as con:
        made_earlier(con)
        con.execute("UPDATE core.account_versions SET customer_id = NULL WHERE customer_id IN ('17', 'A17')")
        shorten_stored(con)
        found = con.sql("SELECT count(*), count(customer_id) FROM core.account_versions").fetchall()
        assert found == [(len(WRITTEN) + len(LONG), len(WRITTEN) + len(LONG) - 2)]


def test_tables_that_are_as_they_should_be_are_left_alone():
    with connect(None) as con:
        create_tables(con)
        append(con, "payment_keys", keys(["17"]))
        shorten_stored(con)
        assert con.sql("SELECT payment_id, payment_number FROM core.payment_keys").fetchall() == [("17", 17)]


def test_a_file_of_an_earlier_version_is_mended_when_it_is_opened(tmp_path):
    path, state = tmp_path / "planrecon.duckdb", tmp_path / "state"
    with Warehouse.open(path, state_dir=state) as warehouse:
        for table in EARLIER:
            warehouse.con.execute(f"DROP TABLE core.{table}")
        for table, columns in EARLIER.items():
            warehouse.con.execute(f"CREATE TABLE core.{table} ({columns})")
        warehouse.con.execute("INSERT INTO core.plan_keys VALUES (0, 'payt', '7', '17', 1), (1, 'payt', '7', '017', 1)")
        warehouse.con.execute("UPDATE meta.about SET value = 'another' WHERE name = 'made_from'")
    with Warehouse.open(path, state_dir=state) as warehouse:
        found = warehouse.con.sql("SELECT plan_no, plan_id, plan_number, plan_text FROM core.plan_keys").fetchall()
        assert found == [(0, "17", 17, None), (1, "017", None, "017")]
        assert warehouse.con.sql("SELECT block_size FROM pragma_database_size()").fetchall() == [(65536,)]
