"""Make the statements of each report's table in `out` and view in `main`, from its one declaration.

Rows of recorded reports stay with the id of their run; tables of the others stay empty, their rows lie in the
Parquet of each run, and old runs are computed again.
"""

import duckdb

from schemas.reports import REPORTS, Kind, Report
from sql.connection import quoted

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.INSTANT: "TIMESTAMPTZ",
    Kind.FLAG: "BOOLEAN",
    Kind.COUNT: "BIGINT",
    Kind.MONEY: "DECIMAL(20, 4)",
    Kind.RATIO: "DECIMAL(20, 6)",
    Kind.TIERS: "STRUCT(minimum DECIMAL(20, 4), maximum DECIMAL(20, 4), payment_count BIGINT, "
    "restricted_minimum DECIMAL(20, 4))[]",
}


def table(report: Report) -> str:
    """Return the statements that make `out.<report>` where it is not there; one that is there keeps its rows."""
    grain = report.grain[0].lower() + report.grain[1:]
    comment = (
        f"Per run: {grain}" if report.is_recorded else f"Shape only: {grain}; the rows lie in the Parquet of each run"
    )
    columns = [f'"{name}" {kind}' for name, kind in _columns(report)]
    if report.is_recorded:
        columns.insert(0, "run_id VARCHAR NOT NULL")
    create = f"CREATE TABLE IF NOT EXISTS out.{report.name} ({', '.join(columns)})"
    return f"{create};\nCOMMENT ON TABLE out.{report.name} IS {quoted(comment)};"


def view(report: Report) -> str:
    """Return the statements that make `v_<report>`, which shows the report of the latest published run."""
    own = [f'r."{name}"' for name in report.names]
    beside = [
        f"coalesce({', '.join(f'{table}.{name}' for table in tables)}) AS {name}"
        for name, tables in report.beside.items()
    ]
    create = (
        f"CREATE OR REPLACE VIEW main.v_{report.name} AS SELECT {', '.join([*own, *beside])} "
        f"FROM out.latest_{report.name}() AS r{''.join(_joined(report))}"
    )
    return f"{create};\nCOMMENT ON VIEW main.v_{report.name} IS {quoted(f'Latest published run. {report.grain}')};"


def _joined(report: Report) -> list[str]:
    """Return the joins of the tables that the view reads beside its own; each has one row per key, so rows stay as many."""
    tables = sorted({table for tables in report.beside.values() for table in tables})
    who = "r.provider = {0}.provider AND r.tenant_id = {0}.tenant_id AND r.{1} = {0}.{1}"
    return [f" LEFT JOIN out.latest_{table}() AS {table} ON {who.format(table, REPORTS[table].by)}" for table in tables]


def add_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Give tables of earlier versions the columns that their reports have got since; rows that are there have nulls in them."""
    there = con.sql("SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'out'").fetchall()
    for report in REPORTS.values():
        for name, kind in _columns(report):
            if (report.name, name) not in there:
                con.execute(f'ALTER TABLE out.{report.name} ADD COLUMN "{name}" {kind}')


def _columns(report: Report) -> list[tuple[str, str]]:
    return [(column.name, _TYPES[column.kind]) for column in report.columns]
