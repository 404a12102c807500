"""Pages that fit whole: known by their rows as written again, so that no row has to be looked at by itself.

A row that was read under its shape is written as JSON once more. What nobody documented, what stood twice and every
blank is not written, and nothing is ever written longer than it was received. So rows that are written as long as they
came hold all that they held:

    received   {"id":7,"name":"x"}   {"id":7,"name":"x","new":1}   {"id":7, "name":"x"}
    written    {"id":7,"name":"x"}   {"id":7,"name":"x"}           {"id":7,"name":"x"}
               fits                  too short: the exact way      too short: fits if no key is missing

Any other page is read the exact way (`pages.read_page`), which says what is wrong with which row.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw

from providers.http.answers import mended
from providers.outline import Outline
from providers.rows import NAME, UNREADABLE, envelope_fault, is_known, misleads

_NUL = b"\\u0000"
_ESCAPE = b"\\u"
_ENCODER = msgspec.json.Encoder()


def whole_page(body: bytes, outline: Outline, context: Mapping[str, str]) -> list[Any] | None:
    """Return the rows of the page if every one of them fits and nothing is said twice; None if the exact way has to look at it."""
    if any(key.startswith(NAME) for key in context):
        return None
    try:
        raws = [bytes(raw) for raw in outline.cut(body, context)]
        rows = [outline.decoder.decode(raw) for raw in raws]
        written = _ENCODER.encode(rows)
        accept = outline.shape.accept
        if (outline.must_be and not raws) or not _holds_all(written, raws, rows, body, outline):
            return None
        if accept is not None and any(accept(row, context) is not None for row in rows):
            return None
    except UNREADABLE:
        return None
    return rows


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
