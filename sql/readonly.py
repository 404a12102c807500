"""Answer one SELECT about the latest published run; anything else is refused."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from sql.connection import Limits, connect, explained
from sql.errors import BadQuery, StoreError
from sql.views import has_moved, show_moved

_PLAIN = frozenset(
    {
        *(
            "BOOLEAN",
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
        ),
        *("FLOAT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS"),
    }
)
"""Types that a frame holds unchanged, beside decimals."""
_NO_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)')
"""A text within JSON, or a number that JSON cannot say; whichever begins first."""
_DAY = 86_400_000_000
_FIRST, _LAST = ((date(year, month, day) - date(1970, 1, 1)).days for year, month, day in ((1, 1, 1), (9999, 12, 31)))


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
            rows = _rows(con, _without_end(query), path)
        except duckdb.Error as error:
            if explained(error, path) is not None:
                raise
            raise BadQuery(f"the query cannot be answered; correct it: {error}", where=path) from error
    return rows


def asks_only_for(query: str, views: Collection[str]) -> bool:
    """Tell whether the query reads nothing but these views; false where it cannot be read."""
    if not any(view in query.lower() for view in views):
        return False
    with connect(None) as con:
        try:
            tables = {name.removeprefix("main.").lower() for name in con.get_table_names(query)}
        except duckdb.Error:
            return False
    return bool(tables) and tables <= set(views)


@contextmanager
def _opened(path: Path, limits: Limits | None) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(path, read_only=True, folders=[path.parent], limits=limits) as con:
        if not has_moved(con, path.parent):
            yield con
            return
    with connect(None, folders=[path.parent], limits=limits) as con:
        show_moved(con, path)
        yield con


def _without_end(query: str) -> str:
    """Return one statement without its semicolon and the comments behind it, which a relation does not accept."""
    text = query.encode()
    ends = (place for place, kind in duckdb.tokenize(query) if kind == duckdb.token_type.operator)
    return text[: next((place for place in ends if text[place : place + 1] == b";"), None)].decode()


def _rows(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> pl.DataFrame:
    """Return the rows; values that no frame or file can hold become text, lists and structs JSON text."""
    relation = con.sql(query)
    names = [name.casefold() for name in relation.columns]
    twice = [name for name in relation.columns if names.count(name.casefold()) > 1]
    if twice:
        raise BadQuery(f"two columns are called {twice[0]!r}; name them apart with AS", where=path)
    kinds = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    columns = [_column(_quoted(name), kind) for name, kind in kinds.items()]
    is_plain = columns == [_quoted(name) for name in kinds]
    rows: pl.DataFrame = relation.pl() if is_plain else relation.project(", ".join(columns)).pl()
    far = [name for name, kind in rows.schema.items() if kind.is_temporal() and _is_far(rows[name])]
    if far:
        columns = [
            _as_text(_quoted(name)) if name in far else column for name, column in zip(kinds, columns, strict=True)
        ]
        rows = relation.project(", ".join(columns)).pl()
    nested = [name for name, kind in kinds.items() if _is_nested(kind)]
    return rows.with_columns(pl.col(nested).map_elements(_with_nulls, return_dtype=pl.String)) if nested else rows


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def _with_nulls(text: str) -> str:
    """Return JSON text with null in place of each number that JSON cannot say."""
    return _NO_JSON.sub(lambda found: found[0] if found[0].startswith('"') else "null", text)


def _is_far(days: pl.Series) -> bool:
    """Tell whether any date or moment lies outside what Python has: infinite, or not of the years 1 to 9999."""
    if isinstance(days.dtype, pl.Datetime):
        days = days.cast(pl.Datetime("us")).to_physical() // _DAY
    elif days.dtype != pl.Date:
        return False
    numbers = days.to_physical()
    return bool(((numbers < _FIRST) | (numbers > _LAST)).any())


def _column(name: str, kind: str) -> str:
    if _is_nested(kind):
        return f"CAST(to_json({name}) AS VARCHAR) AS {name}"
    return name if kind.startswith("DECIMAL") or kind in _PLAIN else _as_text(name)


def _as_text(name: str) -> str:
    return f"CAST({name} AS VARCHAR) AS {name}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refuse_unless_select(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    statements = con.extract_statements(query)
    kinds = [statement.type for statement in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise BadQuery(f"give one SELECT over the views; this is {found}", where=path)
