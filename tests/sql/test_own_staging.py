"""A folder of staging that somebody brings: its files fit each other, and no row of it is lost."""

from datetime import date

import polars as pl
import pytest

import sql.scripts
from schemas.table import GateError
from sql.connection import connect
from sql.conservation import ConservationError
from sql.intake.received import as_received, received_types
from sql.intake.staging import StageOptions, stage

TABLE = received_types({"id": "text", "zone": "text", "position": "bigint", "row_hash": "text"})
POLICIES = "SELECT 'rules' AS source, page_no, position, id AS account_id, false AS is_repeat FROM own__rules"
FEEDS = "page_entity,entity,child_entity,sweep,key_prefix,rows,child_rows\nrules,policies,,rules,,rules,\n"


@pytest.fixture
def staged(monkeypatch, tmp_path):
    """Stage two rows of rules with these files of the provider `own`."""
    monkeypatch.setattr(sql.scripts, "STAGING", [tmp_path])
    sql.scripts.seed.cache_clear()

    def staged(**texts):
        folder = tmp_path / "own"
        folder.mkdir()
        (folder / "page_entities.csv").write_text(FEEDS)
        for name, text in texts.items():
            (folder / f"{name}.sql").write_text(text)
        rules = pl.DataFrame(
            [(0, "A", "", 0, "f" * 64), (0, "B", "Asia/Tokyo", 1, "e" * 64)], schema=TABLE, orient="row"
        )
        with connect(None) as con:
            options = StageOptions("own", "1", "UTC", date(2026, 6, 30), currency="EUR")
            try:
                with as_received(con, {"own__rules": rules, "own__none": rules.clear()}) as received:
                    return stage(con, received, options)
            finally:
                made = "SELECT view_name FROM duckdb_views() UNION ALL SELECT table_name FROM duckdb_tables()"
                assert con.sql(f"FROM ({made}) WHERE view_name LIKE '%own%'").fetchall() == []

    yield staged
    sql.scripts.seed.cache_clear()


def test_rows_of_any_entity_are_counted_against_the_table_that_feeds_it(staged):
    with pytest.raises(ConservationError, match="2 policies came in and 1 went on"):
        staged(policies=f"{POLICIES} WHERE id = 'A'")


def test_a_file_that_no_row_feeds_is_run_only_where_one_that_a_row_feeds_builds_on_it(staged):
    frames = staged(
        policies=f"{POLICIES} WHERE id NOT IN (SELECT id FROM stg_own__left_out)",
        left_out="SELECT id FROM own__none",
        plans="SELECT error('there is no row to make a plan of') FROM own__none",
    )
    assert (frames["policies"].height, frames["plans"].height) == (2, 0)


def test_a_tenants_own_row_is_read_with_the_macros_of_the_other_files(staged):
    tenant = """
        SELECT 'rules' AS entity, 'zone' AS zone_field, given(zone) AS zone, 'currency' AS currency_field, '' AS currency
        FROM own__rules WHERE id = 'B'
    """
    zoned = POLICIES.replace("SELECT", "SELECT civil('2026-06-30T20:00:00Z') AS updated_on,")
    assert staged(policies=zoned, tenant=tenant)["policies"]["updated_on"].to_list() == [date(2026, 7, 1)] * 2


def test_a_file_that_nothing_uses_is_told_by_name(staged):
    with pytest.raises(GateError, match=r"does not use, or lacks, policy; correct the names in .*own$"):
        staged(policy=POLICIES)


def test_a_part_that_is_not_there_is_told_by_name(staged):
    with pytest.raises(GateError, match=r"does not use, or lacks, parts; correct the names in .*own$"):
        staged(policies="SELECT * FROM stg_own__parts")
