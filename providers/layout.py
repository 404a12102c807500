"""Where the columns of received tables stand in a row as its provider writes it: declared, for whoever parses rows.

{"id": 7, "payment_terms": [{"id": 1, "due_date": "2026-01-31"}]}

payt__payment_plans   id: own "id"
payt__payment_terms   within "payment_terms"; plan_id: parent "id"; id: own "id"; due_date: own "due_date"
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from providers.rows import Shape
from providers.tables import Kind, Table


class Value(NamedTuple):
    """One column: `of` the "own" row, its "parent" or the "page", the provider's name of the field, how it is read.

    A row that is itself a value has no field: the name is empty.
    """

    column: str
    of: str
    field: str
    kind: str


class Part(NamedTuple):
    """One received table. Each step within the row names fields, each with whether it holds a list."""

    table: str
    within: tuple[tuple[tuple[str, bool], ...], ...]
    values: tuple[Value, ...]


class Layout(NamedTuple):
    """What is read of a row, as JSON with the type of each value in its place; its tables, the row's own first."""

    structure: dict[str, Any]
    parts: tuple[Part, ...]
    given: tuple[str, ...]


def layout_of(shape: Shape[Any], tables: Sequence[Table]) -> Layout:
    """Return the layout of these tables in a row of this shape."""
    structure: dict[str, Any] = {}
    parts = tuple(_part(shape.struct, table, structure) for table in tables)
    given = dict.fromkeys(value.column for part in parts for value in part.values if value.of == "page")
    return Layout(structure, parts, tuple(given))


def numbers_of(shape: Shape[Any], tables: Sequence[Table]) -> list[str]:
    """Return the provider's names of all fields that are numbers with every digit kept."""
    parts = layout_of(shape, tables).parts
    return sorted({value.field for part in parts for value in part.values if value.kind == Kind.NUMBER.name})


def _part(struct: Any, table: Table, structure: dict[str, Any]) -> Part:
    around: list[dict[str, Any]] = []
    nodes, parent, steps = [structure], None, []
    for step in table.within:
        around, parent = nodes, struct
        fields = [(_called(parent, name), *_nested(parent, name)) for name in step.split()]
        nodes = [inner for node in around for inner in chain.from_iterable(_enter(node, *one) for one in fields)]
        struct = fields[0][1]
        steps.append(tuple((called, is_list) for called, _, is_list in fields))
    values = [_value(column, table, parent) for column in table.given]
    values += [Value(name, "own", _called(struct, name), kind.name) for name, kind in table.columns.items()]
    for value in values:
        for node in {"own": nodes, "parent": around}.get(value.of, []) if value.field else []:
            node[value.field] = Kind[value.kind].value[0]
    return Part(table.name, tuple(steps), tuple(values))


def _value(column: str, table: Table, parent: Any) -> Value:
    if column == table.itself:
        return Value(column, "own", "", Kind.ID.name)
    if column in table.parent:
        attribute, kind = table.parent[column]
        return Value(column, "parent", _called(parent, attribute), kind.name)
    return Value(column, "page", column, Kind.TEXT.name)


def _enter(node: dict[str, Any], called: str, inner: Any, is_list: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001  a field as `_nested` tells of it
    """Make the place of a nested row in the structure; a nested value is its own place and has none."""
    if not (isinstance(inner, type) and issubclass(inner, msgspec.Struct)):
        node[called] = [Kind.ID.value[0]]
        return
    child: dict[str, Any] = {}
    held = node.setdefault(called, [child] if is_list else child)
    yield held[0] if is_list else held


def _called(struct: Any, attribute: str) -> str:
    return next(item.encode_name for item in msgspec.structs.fields(struct) if item.name == attribute)


def _nested(struct: Any, attribute: str) -> tuple[Any, bool]:
    """Return the type of the rows in a field, and whether it holds a list of them."""
    declared = next(item.type for item in msgspec.structs.fields(struct) if item.name == attribute)
    for kind in (declared, *get_args(declared)):
        if get_origin(kind) is list:
            return get_args(kind)[0], True
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return kind, False
    message = f"{attribute} holds no rows"
    raise TypeError(message)
