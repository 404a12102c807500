"""Rows that fit their declared layout, parsed by the database straight into the received tables.

One parse gives each row as a nested value; each table is one SELECT over it, made from the layout:

    [{"id": "7", "terms": [{"id": "1"}, {"id": "2"}]}]

    lent__plans   id 7
    lent__terms   plan_id 7, ordinal 0, id 1
                  plan_id 7, ordinal 1, id 2
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import polars as pl

from sql.connection import lent, quoted

TYPES: Mapping[str, str] = {"text": "VARCHAR", "bool": "BOOLEAN", "bigint": "BIGINT"}
"""Types of received columns in tables, by the words their declaration uses."""

_READ: Mapping[str, str] = {
    "LINK": "CASE WHEN {0} NOT IN ('', '0') THEN {0} END",
    "MARK": "nullif({0}, '')",
    "MOMENT": "CASE WHEN NOT starts_with({0}, '0001-01-01') THEN {0} END",
}
"""How a value becomes a column, by its kind, where it is not taken as it is."""


Value = tuple[str, str, str, str]
"""A column, whether it is of the "own" row, its "parent" or the "page", the field, empty where the row is a value, the kind."""
Step = tuple[tuple[str, bool], ...]
"""Fields of a row that hold rows, each with whether it holds a list."""
Part = tuple[str, tuple[Step, ...], tuple[Value, ...]]
"""A received table, the steps within the row that lead to its rows, its columns."""
Layout = tuple[dict[str, Any], tuple[Part, ...], tuple[str, ...]]
"""What is read of a row, with the word of a type in place of each value; its tables, the row's own first; the values of a page."""


class Rows(NamedTuple):
    """The rows of one page as a JSON array, and the values they share."""

    page_no: int
    text: str
    given: Mapping[str, str | None]


def parse(con: duckdb.DuckDBPyConnection, pages: Sequence[Rows], layout: Layout) -> dict[str, int]:
    """Put the rows of pages of one entity into their received tables, in the order of pages and rows; return how many.

    What the layout does not name stays empty: such rows have no `row_hash`.

    Raises:
        duckdb.Error: a text is no JSON, or holds a value of another type than the layout says.
    """
    structure, parts, given = layout
    source = f"({_rows(structure, given)})"
    try:
        with lent(con, {"whole_pages": _frame(pages, given)}):
            if len(parts) > 1:
                con.execute(f"CREATE OR REPLACE TEMP TABLE whole_rows AS FROM {source}")
                source = "temp.whole_rows"
            inserted = {
                part[0]: con.execute(f"INSERT INTO temp.{part[0]} BY NAME {_select(part, source)}").fetchall()[0][0]
                for part in parts
            }
    finally:
        con.execute("DROP TABLE IF EXISTS temp.whole_rows")
    return inserted


def _frame(pages: Sequence[Rows], given: Iterable[str]) -> pl.DataFrame:
    own = {
        "page_no": pl.Series([page.page_no for page in pages], dtype=pl.Int64),
        "text": pl.Series([page.text for page in pages], dtype=pl.String),
    }
    return pl.DataFrame(
        own | {f"given_{name}": pl.Series([page.given[name] for page in pages], dtype=pl.String) for name in given}
    )


def _rows(structure: Mapping[str, Any], given: Iterable[str]) -> str:
    shared = "".join(f", {_name('given_' + name)}" for name in given)
    return (
        f"SELECT page_no{shared}, unnest(parsed) AS own, generate_subscripts(parsed, 1) - 1 AS position"
        f" FROM (SELECT *, json_transform(text, {quoted(json.dumps([_typed(structure)]))}) AS parsed FROM whole_pages)"
    )


def _typed(structure: Any) -> Any:
    if isinstance(structure, Mapping):
        return {name: _typed(value) for name, value in structure.items()}
    return [_typed(value) for value in structure] if isinstance(structure, list) else TYPES[structure]


def _select(part: Part, source: str) -> str:
    _, within, values = part
    columns = ["page_no", "position", "ordinal" if within else "0 AS ordinal"]
    columns += [f"{_read(value)} AS {_name(value[0])}" for value in values]
    return f"SELECT {', '.join(columns)} FROM {_nested(within, values, source) if within else source}"


def _nested(within: tuple[Step, ...], values: Iterable[Value], source: str) -> str:
    """Return the rows within each row, with what is wanted of the row around them and their place among all of the row."""
    around = [(_name(column), _name(field)) for column, of, field, _ in values if of == "parent"]
    *outer, last = within
    listed, own = _listed("own", last), "unnest(nested)"
    taken = [(column, f"own.{field}") for column, field in around]
    if outer:
        fields = "".join(f", {column}: row.{field}" for column, field in around)
        inner = f"list_transform({_listed('row', last)}, lambda held: {{own: held{fields}}})"
        listed, own = f"flatten(list_transform({_listed('own', outer[0])}, lambda row: {inner}))", "unnest(nested).own"
        taken = [(column, f"unnest(nested).{column}") for column, _ in around]
    parents = "".join(f", {source} AS {column}" for column, source in taken)
    return (
        f"(SELECT * EXCLUDE (own, nested), {own} AS own, generate_subscripts(nested, 1) - 1 AS ordinal{parents}"
        f" FROM (SELECT *, {listed} AS nested FROM {source}))"
    )


def _listed(row: str, step: Sequence[tuple[str, bool]]) -> str:
    lists = [
        f"coalesce({row}.{_name(field)}, [])"
        if is_list
        else f"CASE WHEN {row}.{_name(field)} IS NULL THEN [] ELSE [{row}.{_name(field)}] END"
        for field, is_list in step
    ]
    return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"


def _read(value: Value) -> str:
    column, of, field, kind = value
    own = f"own.{_name(field)}" if field else "own"
    place = {"own": own, "parent": _name(column), "page": _name(f"given_{column}")}[of]
    return _READ.get(kind, "{0}").format(place)


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
