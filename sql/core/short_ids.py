"""Natural ids that are written as a whole number is, kept as that number: a fifth of the bytes of their text.

    plan_id   plan_number   plan_text
    "17"      17
    "017"                   "017"
    "A17"                   "A17"

Readers see `plan_id`, which the database makes of the other two.
"""

import duckdb
import polars as pl

from sql.scripts import create_tables

SHORT = {
    "plan_keys": "plan",
    "payment_keys": "payment",
    "term_versions": "term",
    "plan_history": "plan",
    "plan_versions": "customer",
    "account_versions": "customer",
}
"""Tables that keep an id so, and whose id it is."""


def shortened(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows as the table keeps them; those of a table that keeps its id as text as they are."""
    if table not in SHORT:
        return rows
    kind = SHORT[table]
    written = pl.col(f"{kind}_id")
    number = written.cast(pl.Int64, strict=False)
    is_number = number.cast(pl.String).eq_missing(written)
    columns = {f"{kind}_number": pl.when(is_number).then(number), f"{kind}_text": pl.when(~is_number).then(written)}
    return rows.with_columns(**columns).drop(f"{kind}_id")


def short(kind: str) -> str:
    """Return the two columns, in SQL, of the one with an id as text."""
    number = f"TRY_CAST({kind}_id AS BIGINT)"
    is_number = f"coalesce(CAST({number} AS VARCHAR) = {kind}_id, false)"
    return (
        f"CASE WHEN {is_number} THEN {number} END AS {kind}_number, "
        f"CASE WHEN NOT {is_number} THEN {kind}_id END AS {kind}_text"
    )


def shorten_stored(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of `core` anew that an earlier program made with their id as text alone; each keeps its rows and their order."""
    asked = "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'core'"
    there = set(con.sql(asked).fetchall())
    for table, kind in SHORT.items():
        if (table, f"{kind}_id") not in there or (table, f"{kind}_number") in there:
            continue
        con.execute(f"ALTER TABLE core.{table} RENAME TO {table}_before")
        create_tables(con, ("core",))
        con.execute(
            f"INSERT INTO core.{table} BY NAME SELECT * EXCLUDE ({kind}_id), {short(kind)} FROM core.{table}_before"
        )
        con.execute(f"DROP TABLE core.{table}_before")
