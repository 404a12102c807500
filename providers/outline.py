"""How the pages of one entity are read: declared, so that every provider's pages become columns in the same way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw

from providers.base import Decoded
from providers.pages import read_page, refused_page
from providers.rows import Fault, Shape
from providers.tables import Column, Places, Table, tabulate


@dataclass(frozen=True)
class Outline:
    """How the pages of one entity are cut, read, and laid out in tables.

    `fixed` are values that the context of a page does not give. A page without rows is refused where there `must_be` some
    in a field. A page that is refused as a whole is named by the first of `named_by` that its context has.
    """

    shape: Shape[Any]
    tables: tuple[Table, ...]
    cut: Callable[[bytes, Mapping[str, str]], Sequence[Raw]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    must_be: str = ""
    named_by: tuple[str, ...] = ()

    @cached_property
    def decoder(self) -> "msgspec.json.Decoder[Any]":
        """Reads one row."""
        return msgspec.json.Decoder(self.shape.struct)

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Attributes of a row that are copied and not read."""
        fields = msgspec.structs.fields(self.shape.struct)
        return tuple(item.name for item in fields if item.encode_name in self.shape.unread)

    def columns(self, rows: Sequence[Any], places: Places, context: Mapping[str, str]) -> dict[str, dict[str, Column]]:
        """Return the columns of each table that the rows of a page with this context fill."""
        return tabulate(self.tables, rows, places, {**context, **self.fixed})


def decode_page(outline: Outline, body: bytes, context: Mapping[str, str]) -> Decoded:
    """Return one page as columns of the received tables, its rows read one by one; what cannot be read is in the rejects."""
    key = next(filter(None, map(context.get, outline.named_by)), None)
    reading = read_page(body, lambda whole: outline.cut(whole, context), outline.shape, context)
    if isinstance(reading, Fault):
        return refused_page(reading, outline.tables, key)
    if outline.must_be and reading.total == 0:
        missing = Fault("MISSING_FIELD", outline.must_be, f"{outline.must_be}: required and null")
        return refused_page(missing, outline.tables, key)
    columns = outline.columns(reading.rows, reading.places, context)
    return Decoded(columns, reading.rejects, reading.total, reading.unknown, reading.carried)
