"""Pages that fit whole: known by their rows as written again, so that no value of them has to become a Python object.

A row that was read under its shape is written as JSON once more. What nobody documented, what stood twice and every
blank is not written, and nothing is ever written longer than it was received. So rows that are written as long as they
came hold all that they held, and that text can be parsed by whoever is fast at it:

    received   {"id":7,"name":"x"}   {"id":7,"name":"x","new":1}   {"id":7, "name":"x"}
    written    {"id":7,"name":"x"}   {"id":7,"name":"x"}           {"id":7,"name":"x"}
               fits                  too short: the exact way      too short: fits if no key is missing

Any other page is read the exact way (`pages.read_page`), which says what is wrong with which row.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from providers.http.answers import mended
from providers.layout import Layout, layout_of, numbers_of
from providers.rows import NAME, UNREADABLE, Shape, envelope_fault, is_known, misleads
from providers.tables import Table

_NUL = b"\\u0000"
_ESCAPE = b"\\u"
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Outline:
    """How the pages of one entity are cut, read, and laid out in tables.

    `fixed` are values that the context of a page does not give; a page that `must_have_rows` is refused without any.
    """

    shape: Shape[Any]
    tables: tuple[Table, ...]
    cut: Callable[[bytes, Mapping[str, str]], Sequence[Raw]]
    fixed: Mapping[str, str] = field(default_factory=dict)
    must_have_rows: bool = False

    @cached_property
    def layout(self) -> Layout:
        """Where the columns of the tables stand in a row."""
        return layout_of(self.shape, self.tables)

    @cached_property
    def decoder(self) -> "msgspec.json.Decoder[Any]":
        """Reads one row."""
        return msgspec.json.Decoder(self.shape.struct)

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """Attributes of a row that are copied and not read."""
        fields = msgspec.structs.fields(self.shape.struct)
        return tuple(item.name for item in fields if item.encode_name in self.shape.unread)

    @cached_property
    def numbers(self) -> "_Numbers | None":
        """What finds the numbers whose digits have to be kept; None where there are none."""
        names = numbers_of(self.shape, self.tables)
        return _Numbers.named(names) if names else None


class Whole(NamedTuple):
    """A page whose every row fits: the rows as read, and as one JSON array.

    `given` are the values that all its rows share. Numbers whose digits have to be kept are texts in the array.
    """

    rows: list[Any]
    text: str
    given: dict[str, str | None]


def whole_page(body: bytes, outline: Outline, context: Mapping[str, str]) -> Whole | None:
    """Return the page if every row of it fits and nothing is said twice; None if the exact way has to look at it."""
    if any(key.startswith(NAME) for key in context):
        return None
    try:
        raws = [bytes(raw) for raw in outline.cut(body, context)]
        rows = [outline.decoder.decode(raw) for raw in raws]
        written = _ENCODER.encode(rows)
        accept = outline.shape.accept
        if (outline.must_have_rows and not raws) or not _holds_all(written, raws, rows, body, outline):
            return None
        if accept is not None and any(accept(row, context) is not None for row in rows):
            return None
        if outline.numbers is not None:
            if outline.numbers.odd.search(written):
                return None
            written = outline.numbers.plain.sub(rb'\1"\2"', written)
        text = written.decode()
    except UNREADABLE:
        return None
    given = {name: outline.fixed.get(name, context.get(name)) for name in outline.layout.given}
    return Whole(rows, text, given)


def _holds_all(written: bytes, raws: Sequence[bytes], rows: Sequence[Any], body: bytes, outline: Outline) -> bool:
    """Tell whether the rows as written say all that is read of them, no key stands twice, and no text holds NUL."""
    is_as_long = len(written) == sum(map(len, raws)) + max(len(raws) - 1, 0) + 2
    # One byte is looked for far faster than more of them, and most pages hold no escape.
    has_escapes = b"\\" in written
    if not is_as_long or (has_escapes and _ESCAPE in written) or not _are_plain(rows, outline.unread):
        if misleads(body) or mended(body, b"") is not body:
            return False
        if not is_as_long and not is_known(raws, rows, outline.shape):
            return False
    return not (has_escapes and _NUL in written) and _no_key_twice(body)


def _are_plain(rows: Sequence[Any], unread: Sequence[str]) -> bool:
    """Tell whether no field that is copied unread holds keys of its own."""
    return not any(
        isinstance(value, Raw) and bytes(value)[:1] in {b"{", b"["}
        for attribute in unread
        for value in map(attrgetter(attribute), rows)
    )


def _no_key_twice(body: bytes) -> bool:
    """Tell whether the object around the rows, if there is one, has no key twice: as long as its fields are together."""
    if body[:1] != b"{":
        return envelope_fault(body, exact=misleads(body)) is None
    around = msgspec.json.decode(body, type=dict[str, Raw])
    length = 1 + sum(len(_ENCODER.encode(name)) + 2 + memoryview(value).nbytes for name, value in around.items())
    return length == len(body) or envelope_fault(body, exact=misleads(body)) is None


class _Numbers(NamedTuple):
    """`odd` finds a number that is not plain, or another value in its place; `plain` finds the plain ones.

    In what is written a quote inside a text has a backslash before it, so a quote without one and a colon end a key.
    """

    odd: re.Pattern[bytes]
    plain: re.Pattern[bytes]

    @classmethod
    def named(cls, names: Sequence[str]) -> "_Numbers":
        key = rb'([^\\]"(?:' + b"|".join(re.escape(name).encode() for name in names) + rb')":)'
        plain = rb"-?[0-9]{1,40}(?:\.[0-9]{1,40})?"
        return cls(re.compile(key + rb"(?!(?:" + plain + rb"|null)[,}])"), re.compile(key + rb"(" + plain + rb")"))
