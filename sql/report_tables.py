"""Make the statements of each report's table in `out` and view in `main`, from its one declaration.

Rows of recorded reports stay with the id of their run; tables of the others stay empty, their rows lie in the
Parquet of each run, and old runs are computed again. One that differs by run in a few columns is two tables and a view of both; `shown`
fills them.
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

FILLED = "replace({sentence}, '{{}} business days', {days} || ' business days')"
"""A sentence that tells of days, made of the one that is stored for every day and the number of a run."""


def table(report: Report) -> str:
    """Return the statements that make `out.<report>` where it is not there; what is there keeps its rows."""
    grain = report.grain[0].lower() + report.grain[1:]
    comment = (
        f"Per run: {grain}" if report.is_recorded else f"Shape only: {grain}; the rows lie in the Parquet of each run"
    )
    comments = dict.fromkeys(stored(report), comment)
    if report.by_run:
        shown, runs = comments
        comments = {
            shown: f"{report.grain}; each once, however many runs showed it so",
            runs: f"One row per run and row of out.{shown} that it showed",
        }
    made = []
    for name, columns in stored(report).items():
        typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        made.append(
            f"CREATE TABLE IF NOT EXISTS out.{name} ({typed});\nCOMMENT ON TABLE out.{name} IS {quoted(comments[name])};"
        )
    if report.by_run:
        made.append(f"{_together(report)};\nCOMMENT ON VIEW out.{report.name} IS {quoted(comment)};")
    return "\n".join(made)


def stored(report: Report) -> dict[str, dict[str, str]]:
    """Return the tables of a report, with their columns and types: itself, or what was shown and which runs showed it."""
    columns = {column.name: _TYPES[column.kind] for column in report.columns}
    run = {"run_id": "VARCHAR NOT NULL"} if report.is_recorded else {}
    if not report.by_run:
        return {report.name: run | columns}
    by_run = {name: columns.pop(name) for name in report.by_run.split()}
    number = {"shown_no": "BIGINT NOT NULL"}
    return {
        f"{report.name}_shown": number | columns,
        f"{report.name}_by_run": run | number | by_run | {"business_days": "BIGINT"},
    }


def add_columns(con: duckdb.DuckDBPyConnection) -> None:
    """Give tables of earlier versions the columns that their reports have got since; rows that are there have nulls in them."""
    asked = "SELECT table_name, column_name FROM duckdb_columns() JOIN duckdb_tables() USING (schema_name, table_name) "
    there = set(con.sql(f"{asked} WHERE schema_name = 'out'").fetchall())
    tables = {name for name, _ in there}
    for report in REPORTS.values():
        for name, columns in stored(report).items():
            for column, kind in columns.items():
                if name in tables and (name, column) not in there:
                    con.execute(f'ALTER TABLE out.{name} ADD COLUMN "{column}" {kind}')


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


def _together(report: Report) -> str:
    """Return the statement that makes `out.<report>` of its two tables."""
    columns = {name: f's."{name}"' for name in report.names} | {name: f'r."{name}"' for name in report.by_run.split()}
    sentence = FILLED.format(sentence="s.explanation", days="r.business_days")
    columns["explanation"] = f"coalesce({sentence}, s.explanation) AS explanation"
    return (
        f"CREATE OR REPLACE VIEW out.{report.name} AS SELECT r.run_id, {', '.join(columns.values())} "
        f"FROM out.{report.name}_by_run AS r INNER JOIN out.{report.name}_shown AS s ON s.shown_no = r.shown_no"
    )


def _joined(report: Report) -> list[str]:
    """Return the joins of the tables that the view reads beside its own; each has one row per key, so rows stay as many."""
    tables = sorted({table for tables in report.beside.values() for table in tables})
    who = "r.provider = {0}.provider AND r.tenant_id = {0}.tenant_id AND r.{1} = {0}.{1}"
    return [f" LEFT JOIN out.latest_{table}() AS {table} ON {who.format(table, REPORTS[table].by)}" for table in tables]
