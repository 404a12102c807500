"""Keep in the warehouse what was changed at the providers, and read it again.

The log of changes, outside the warehouse, is authoritative; these rows are a copy for readers and runs.
"""

from collections.abc import Mapping

import duckdb
import polars as pl

from schemas.writes import AGREED_TERMS, WRITES
from sql.connection import transaction
from sql.scripts import statements
from sql.views import insert

ENDED = ("done", "refused")
"""States after which no step is left to do."""


def store(con: duckdb.DuckDBPyConnection, writes: pl.DataFrame, agreed: pl.DataFrame) -> None:
    """Keep these intents with their agreed terms in one transaction; those known under the same id are replaced.

    Args:
        con: The warehouse.
        writes: `WRITES`.
        agreed: `AGREED_TERMS` of these intents.
    """
    rows = WRITES.gate(writes).rename({"write_state": "state", "write_reason": "reason"})
    with transaction(con):
        insert(con, "INSERT OR REPLACE INTO meta.writes BY NAME SELECT * FROM given", rows)
        insert(con, "DELETE FROM meta.agreed_terms WHERE intent_id IN (SELECT intent_id FROM given)", rows)
        insert(con, "INSERT INTO meta.agreed_terms BY NAME SELECT * FROM given", AGREED_TERMS.gate(agreed))


def intents(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return `WRITES`: every intent known, by id."""
    found = con.sql(
        "SELECT * RENAME (state AS write_state, reason AS write_reason) FROM meta.writes ORDER BY intent_id"
    )
    return WRITES.gate(found.pl())


def agreed_terms(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return `AGREED_TERMS` of every intent known, in order."""
    return AGREED_TERMS.gate(con.sql("SELECT * FROM meta.agreed_terms ORDER BY intent_id, sequence").pl())


def unfinished(con: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many intents are in each state that is not an end; states without any are left out."""
    found = con.sql("SELECT state, count(*) FROM meta.writes GROUP BY state ORDER BY state").fetchall()
    return {state: number for state, number in found if state not in ENDED}


def provider_clocks(con: duckdb.DuckDBPyConnection, known: int) -> pl.DataFrame:
    """Return `provider`, `tenant_id`, `clock`: the provider's own time when the newest fetch up to `known` began."""
    frame: pl.DataFrame = con.sql(statements("queries/provider_clocks.sql"), params={"known": known}).pl()
    return frame
