"""Answer one question about the latest published run, and do nothing else."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from sql.connection import Limits, connect, explained
from sql.errors import BadQuery, StoreError
from sql.face import has_moved, show_moved


def read_query(path: Path, query: str, *, limits: Limits | None = None) -> pl.DataFrame:
    """Return the rows of one SELECT over the views of the database at `path`.

    The file is opened read-only and SQL may read the folder it lies in and no
    other place. Anything but one SELECT is refused: COPY could write there. Where the
    folder was moved, as from a backup, the views are made again, in memory.

    Raises:
        BadQuery: the statement is not one SELECT, or DuckDB cannot run it.
        StoreError: the file is not there, held, damaged or of another version.
    """
    path = path.resolve()
    if not path.is_file():
        raise StoreError(f"there is no database at {path}; call `planrecon run` first", where=path)
    with _opened(path, limits) as con:
        try:
            _refuse_unless_select(con, query, path)
            rows: pl.DataFrame = con.sql(query).pl()
        except duckdb.Error as error:
            if explained(error, path) is not None:
                raise
            raise BadQuery(f"the query cannot be answered: {error}", where=path) from error
    return rows


def asks_only_for(query: str, views: Collection[str]) -> bool:
    """Tell whether the query reads nothing but these views; false where it cannot be read."""
    with connect(None) as con:
        try:
            found = {name.removeprefix("main.").lower() for name in con.get_table_names(query)}
        except duckdb.Error:
            return False
    return bool(found) and found <= set(views)


@contextmanager
def _opened(path: Path, limits: Limits | None) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(path, read_only=True, folders=[path.parent], limits=limits) as con:
        if not has_moved(con, path.parent):
            yield con
            return
    with connect(None, folders=[path.parent], limits=limits) as con:
        show_moved(con, path)
        yield con


def _refuse_unless_select(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    statements = con.extract_statements(query)
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise BadQuery(f"a query is one SELECT over the views, found {found}", where=path)
