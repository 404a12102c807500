"""Answer one question about the latest published run, and do nothing else."""

from pathlib import Path

import duckdb
import polars as pl

from sql.connection import Limits, connect, explained
from sql.errors import BadQuery, StoreError


def read_query(path: Path, query: str, *, limits: Limits | None = None) -> pl.DataFrame:
    """Return the rows of one SELECT over the views of the database at `path`.

    The file is opened read-only and SQL may read the folder it lies in and no
    other place. Anything but one SELECT is refused: COPY could write there.

    Raises:
        BadQuery: the statement is not one SELECT, or DuckDB cannot run it.
        StoreError: the file is not there, held, damaged or of another version.
    """
    path = path.resolve()
    if not path.is_file():
        raise StoreError(f"there is no database at {path}; call `planrecon run` first", where=path)
    with connect(path, read_only=True, folders=[path.parent], limits=limits) as con:
        try:
            _refuse_unless_select(con, query, path)
            rows: pl.DataFrame = con.sql(query).pl()
        except duckdb.Error as error:
            if explained(error, path) is not None:
                raise
            raise BadQuery(f"the query cannot be answered: {error}", where=path) from error
    return rows


def _refuse_unless_select(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    statements = con.extract_statements(query)
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise BadQuery(f"a query is one SELECT over the views, found {found}", where=path)
