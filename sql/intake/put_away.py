"""Keep frames out of memory until they are wanted: in temporary tables, which the database moves to disk as it needs room."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count

import duckdb
import polars as pl

from sql.connection import lent

Frames = Mapping[str, pl.DataFrame]


@contextmanager
def away(con: duckdb.DuckDBPyConnection) -> Iterator[Callable[[Frames], Callable[[], Frames]]]:
    """Yield what puts frames away and returns what brings them back, once, as they were; nothing is kept after the block."""
    made: list[str] = []
    numbers = count()

    def put(frames: Frames) -> Callable[[], Frames]:
        tables: dict[str, tuple[str, pl.DataFrame]] = {}
        for name, frame in frames.items():
            table = f"away_{next(numbers)}"
            tables[name] = table, frame.clear()
            if frame.height:
                made.append(table)
                with lent(con, {"leaving": frame}):
                    con.execute(f"CREATE TEMP TABLE {table} AS FROM leaving")
        return partial(bring_back, tables)

    def bring_back(tables: Mapping[str, tuple[str, pl.DataFrame]]) -> Frames:
        return {name: taken(*table) for name, table in tables.items()}

    def taken(table: str, empty: pl.DataFrame) -> pl.DataFrame:
        if table not in made:
            return empty
        frame: pl.DataFrame = con.sql(f"FROM temp.{table}").pl().cast(dict(empty.schema))
        con.execute(f"DROP TABLE temp.{table}")
        made.remove(table)
        return frame

    try:
        yield put
    finally:
        for table in made:
            con.execute(f"DROP TABLE IF EXISTS temp.{table}")
