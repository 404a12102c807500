"""Keep the breaks that runs showed: what several of them showed alike is stored once.

    out.breaks_shown    shown_no  explanation
                        1         Payment 7 has been pending since 2026-06-09, {} business days; the limit is 5.
    out.breaks_by_run   run_id  shown_no  state    business_days
                        A       1         NEW      16
                        B       1         ONGOING  17

What waits says each morning for how long: that number stands with the run, or the sentence would be another each day. Readers see
`out.breaks`, which the database makes of the two.
"""

import duckdb

from schemas.reports import REPORTS
from sql.report_tables import FILLED
from sql.scripts import create_tables

NAME = "breaks"
_BY_RUN = REPORTS[NAME].by_run.split()
_SAID = [name for name in REPORTS[NAME].names if name not in _BY_RUN]
_DAYS = r"TRY_CAST(regexp_extract(explanation, '(\d+) business days', 1) AS BIGINT)"
_SENTENCE = r"regexp_replace(explanation, '\d+ business days', '{} business days')"


def keep(con: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Add what runs showed; inside the caller's transaction.

    Args:
        con: The warehouse.
        rows: Name of a table or frame with the columns of `out.breaks`; a run in it has no rows there yet.
    """
    said, by_run = ", ".join(_SAID), ", ".join(_BY_RUN)
    same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM t.{name}" for name in _SAID)
    # A sentence that does not come back letter by letter, as of `007 business days`, is stored as it is.
    con.execute(f"""
        CREATE TEMP TABLE told AS
        WITH cut AS (SELECT *, {_DAYS} AS days, {_SENTENCE} AS sentence FROM {rows}),
        tried AS (SELECT *, {FILLED.format(sentence="sentence", days="days")} = explanation AS fits FROM cut)
        SELECT * EXCLUDE (days, sentence, fits)
            REPLACE (CASE WHEN fits THEN sentence ELSE explanation END AS explanation),
            CASE WHEN fits THEN days END AS business_days
        FROM tried
    """)
    con.execute(f"""
        INSERT INTO out.{NAME}_shown BY NAME
        WITH fresh AS (SELECT {said} FROM told EXCEPT SELECT {said} FROM out.{NAME}_shown),
        newest AS (SELECT coalesce(max(shown_no), 0) AS shown_no FROM out.{NAME}_shown)
        SELECT newest.shown_no + row_number() OVER (ORDER BY {said}) AS shown_no, fresh.*
        FROM fresh CROSS JOIN newest
    """)
    con.execute(f"""
        INSERT INTO out.{NAME}_by_run BY NAME
        SELECT t.run_id, s.shown_no, {by_run}, t.business_days
        FROM told AS t INNER JOIN out.{NAME}_shown AS s ON {same}
        ORDER BY t.run_id, s.shown_no
    """)
    con.execute("DROP TABLE told")


def forget(con: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """Remove what a run showed, and what no other run did; inside the caller's transaction."""
    gone = con.execute(f"DELETE FROM out.{NAME}_by_run WHERE run_id = $run_id", {"run_id": run_id}).fetchall()[0][0]
    if gone:
        con.execute(f"""
            DELETE FROM out.{NAME}_shown AS s
            WHERE NOT EXISTS (FROM out.{NAME}_by_run AS r WHERE r.shown_no = s.shown_no)
        """)


def part_stored(con: duckdb.DuckDBPyConnection) -> None:
    """Make the two tables of the one in which an earlier program kept every break of every run."""
    asked = f"SELECT 1 FROM duckdb_tables() WHERE schema_name = 'out' AND table_name = '{NAME}'"
    if not con.sql(asked).fetchall():
        return
    con.execute(f"ALTER TABLE out.{NAME} RENAME TO {NAME}_before")
    create_tables(con, ("out",))
    con.execute(f"""
        CREATE TEMP TABLE earlier AS
        SELECT * FROM out.{NAME} WHERE false UNION ALL BY NAME SELECT * FROM out.{NAME}_before
    """)
    keep(con, "earlier")
    con.execute(f"DROP TABLE earlier; DROP TABLE out.{NAME}_before")
