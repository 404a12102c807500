"""Rows off a page: each row read on its own, so that a bad one costs itself and not the page.

A page is cut into the bytes of its rows without building them; every row is then read under a
declared shape. Strict: no key twice, no number that is not finite, no nesting without end, text
in UTF-8. Lenient where growth is normal: an undocumented field is counted and ignored.

How doubled keys are found cheaply: in JSON a quote and colon in a row end a key and nothing
else, since a quote inside text is escaped. Encoding what was decoded gives every key once, so
a row whose own bytes hold more key ends than that has a doubled or an unknown key and is
looked at more closely. Pages where that count could mislead are read the slow, exact way.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, compress
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET

from providers.base import Reject
from providers.http.answers import mended
from providers.tables import Places

S = TypeVar("S", bound=msgspec.Struct)
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NAME = "name."
"""Prefix of a page's context for a field that a live system calls otherwise than assumed."""
PAGE = -1
_KEY = b'":'
_TWIN = rb"\ufffc"
"""What stands for half a character when a row is read a second time, to see where it stood."""
_DEEPEST = 32
_LONGEST_KEY = 200
_BLANKS = (b"\t", b"\n", b"\r")
_ESCAPED = (b"\\u0022", b"\\u003a", b"\\u003A", b"\\u0000")
_INDEX = re.compile(r"\[[^\]]*\]")
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row or a page cannot be used, in words that hold none of its values."""

    code: str
    column: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Shape(Generic[S]):
    """How to read one entity's rows.

    `documented` are fields the provider names and we do not need, `unread` those of them the struct declares;
    `children` the shapes of nested rows by field; `key` the row's own id; `counted` the field whose entries a
    reject counts.
    `accept` looks at a row that has the right types and may still refuse it. `lacking` are fields that the
    provider may leave out where they are empty, each with what tells of a row that it cannot be without.
    """

    struct: type[S]
    documented: frozenset[str] = frozenset()
    children: Mapping[str, "Shape[Any]"] = field(default_factory=dict)
    key: str = "id"
    counted: str | None = None
    accept: Callable[[S, Mapping[str, str]], Fault | None] | None = None
    unread: frozenset[str] = frozenset()
    lacking: Mapping[str, Callable[[S], bool]] = field(default_factory=dict)

    def known(self) -> frozenset[str]:
        """Return every field name that the provider documents for this row."""
        return _known(self.struct, self.documented)


@lru_cache(maxsize=64)
def _known(struct: type[msgspec.Struct], documented: frozenset[str]) -> frozenset[str]:
    return documented | {item.encode_name for item in msgspec.structs.fields(struct)}


def words(text: str) -> frozenset[str]:
    """Return the names in a text, for a list of fields too long to quote one by one."""
    return frozenset(text.split())


def never(names: str) -> dict[str, Callable[[object], bool]]:
    """Return for each of these fields that any row may leave it out: no other field tells that it must be there."""
    return dict.fromkeys(names.split(), _never)


def _never(_row: object) -> bool:
    return False


@dataclass(slots=True)
class Reading(Generic[S]):
    """The rows of a page that can be used, where they stand, and those that cannot be."""

    rows: list[S]
    places: Places
    rejects: list[Reject]
    unknown: dict[str, int]
    total: int
    carried: dict[str, tuple[int, int]]
    """Per field that is read and whose absence may mean something, by dotted name: rows that had to carry it, rows that did."""


def fault_of(error: BaseException) -> Fault:
    """Return what a decoding error means. Only field names and types are repeated."""
    if isinstance(error, RecursionError):
        return Fault("TOO_DEEP", None, f"nested deeper than {_DEEPEST} levels")
    if isinstance(error, UnicodeDecodeError):
        return Fault("MALFORMED_JSON", None, "a text is not UTF-8")
    if not isinstance(error, msgspec.ValidationError):
        return Fault("MALFORMED_JSON", None, "not well-formed JSON")
    text = str(error)
    at = _AT.search(text)
    path = at["path"] if at else ""
    what = text[: at.start()] if at else text
    missing = _MISSING.match(what)
    if missing:
        path = f"{path}.{missing['name']}" if path else missing["name"]
    column = _INDEX.sub("", path) or None
    where = f"{path}: " if path else ""
    if missing or what.endswith("got `null`"):
        return Fault("MISSING_FIELD", column, f"{where}required and {'absent' if missing else 'null'}")
    code = "OUT_OF_RANGE" if re.search(r"`int` [<>]=", what) else "WRONG_TYPE"
    return Fault(code, column, where + what.replace("`", ""))


def misleads(body: bytes) -> bool:
    """Counting key ends in these bytes could mislead: a blank before a colon, an escaped quote or colon, a NUL."""
    # One byte is looked for far faster than two, and most pages hold none of these.
    blank = b" :" in body or any(mark in body and mark + b":" in body for mark in _BLANKS)
    return blank or (b"\\" in body and any(mark in body for mark in _ESCAPED))


def envelope_fault(body: bytes, *, exact: bool) -> Fault | None:
    """Return the key that stands twice in the object around the rows; its rows are checked one by one elsewhere."""
    if body.lstrip()[:1] != b"{":
        return None
    if exact:
        doubled = _outermost_doubled(body)
    else:
        around = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        doubled = msgspec.json.encode(around).count(_KEY) != body.count(_KEY)
    return Fault("DUPLICATE_KEY", None, "a key stands twice around the rows") if doubled else None


def read_rows(
    raws: Sequence[bytes],
    shape: Shape[S],
    context: Mapping[str, str],
    *,
    exact: bool,
    halves: Mapping[int, bytes] | None = None,
) -> Reading[S]:
    """Return each row under its shape, or a reject for it; `exact` where counting key ends could mislead.

    Rows keep their order; positions count from 0 over all rows, rejected ones included. `halves` are the bytes as
    received of rows with half a character in them: such a row is good as long as nothing that is read holds it.
    """
    names = _names(context)
    called = {name for _, name in names}
    decoder = msgspec.json.Decoder(renamed(shape.struct, names))
    rows, faults = _decoded(raws, decoder)
    unknown: Counter[str] = Counter()
    for at in _suspects(raws, rows, exact=exact):
        fault = _closer(raws[at], shape, unknown, exact=exact)
        if fault is not None:
            faults[at] = fault
    own = halves or {}
    for at, received in own.items():
        if rows[at] is not None and not _reads_alike(raws[at], mended(received, _TWIN), decoder, shape):
            faults.setdefault(at, Fault("MALFORMED_JSON", None, "a text that is read holds half a character"))
    for at, row in enumerate(rows):
        refused = shape.accept(row, context) if shape.accept is not None and row is not None else None
        if refused is not None:
            faults.setdefault(at, refused)
    kept = [at for at in range(len(raws)) if at not in faults]
    hashes = [hashlib.sha256(own.get(at, raws[at])).hexdigest() for at in kept]
    good = [row for at in kept if (row := rows[at]) is not None]
    return Reading(
        rows=good,
        places=Places(kept, hashes),
        rejects=[_reject(at, fault, raws[at], shape) for at, fault in sorted(faults.items())],
        unknown={name: count for name, count in unknown.items() if name not in called},
        total=len(raws),
        carried=dict(carried(good, shape)),
    )


def carried(rows: Sequence[S], shape: Shape[S], path: str = "") -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield of each field that may be left out, by dotted name, how many rows had to carry it and how many did."""
    for attribute, called in _optional(shape.struct):
        if called in shape.unread:
            continue
        needs, child = shape.lacking.get(called), shape.children.get(called)
        if needs is _never and child is None:
            yield path + called, (0, 0)
            continue
        values = list(map(attrgetter(attribute), rows))
        due = values if needs is None else list(compress(values, map(needs, rows)))
        yield path + called, (len(due), len(due) - due.count(UNSET))
        if child is not None:
            nested = [value if isinstance(value, list) else [value] for value in values if value not in (UNSET, None)]
            yield from carried(list(chain.from_iterable(nested)), child, f"{path}{called}.")


@lru_cache(maxsize=64)
def _optional(struct: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Attribute and name of every field that a row may leave out."""
    fields = msgspec.structs.fields(struct)
    return tuple((item.name, item.encode_name) for item in fields if item.default is UNSET)


def _decoded(raws: Sequence[bytes], decoder: "msgspec.json.Decoder[S]") -> tuple[list[S | None], dict[int, Fault]]:
    try:
        return [decoder.decode(raw) for raw in raws], {}
    except UNREADABLE:
        pass
    rows: list[S | None] = []
    faults: dict[int, Fault] = {}
    for at, raw in enumerate(raws):
        try:
            rows.append(decoder.decode(raw))
        except UNREADABLE as error:
            rows.append(None)
            faults[at] = fault_of(error)
    return rows, faults


def _reads_alike(raw: bytes, twin: bytes, decoder: "msgspec.json.Decoder[S]", shape: Shape[S]) -> bool:
    """Tell whether two spellings of a row are equal in all fields that are read."""
    one, other = decoder.decode(raw), decoder.decode(twin)
    read = (attribute for attribute, called in _fields(shape.struct) if called not in shape.unread)
    return all(getattr(one, attribute) == getattr(other, attribute) for attribute in read)


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((item.name, item.encode_name) for item in msgspec.structs.fields(struct))


def _suspects(raws: Sequence[bytes], rows: Sequence[S | None], *, exact: bool) -> Iterable[int]:
    """Return the positions of rows that were read without error and may hold a doubled or an unknown key."""
    read = [at for at, row in enumerate(rows) if row is not None]
    if exact:
        return read
    ends = [raw.count(_KEY) for raw in raws]
    # One encoding of all rows settles the usual page, where nothing is doubled and nothing unknown.
    if len(read) == len(rows) and sum(ends) == msgspec.json.encode(rows).count(_KEY):
        return []
    return [at for at in read if ends[at] != msgspec.json.encode(rows[at]).count(_KEY)]


def is_known(raws: Sequence[bytes], rows: Sequence[S], shape: Shape[S]) -> bool:
    """Tell whether no row holds a key twice or a field nobody documented; counting key ends must not mislead."""
    unknown: Counter[str] = Counter()
    suspects = _suspects(raws, rows, exact=False)
    return all(_closer(raws[at], shape, unknown, exact=False) is None for at in suspects) and not unknown


def _closer(raw: bytes, shape: Shape[Any], unknown: Counter[str], *, exact: bool) -> Fault | None:
    try:
        tree = _tree(raw, exact=exact)
    except _DoubledKeyError:
        return Fault("DUPLICATE_KEY", None, "a key stands twice in one object")
    except (*UNREADABLE, ValueError) as error:
        return fault_of(error)
    if exact and _holds_nul(tree):
        return Fault("MALFORMED_JSON", None, "a text holds the character NUL")
    if raw.count(b"{") + raw.count(b"[") >= _DEEPEST and _depth(tree) > _DEEPEST:
        return Fault("TOO_DEEP", None, f"nested deeper than {_DEEPEST} levels")
    _count_unknown(tree, shape, "", unknown)
    return None


def _count_unknown(tree: object, shape: Shape[Any], path: str, unknown: Counter[str]) -> None:
    if isinstance(tree, list):
        for item in tree:
            _count_unknown(item, shape, path, unknown)
    elif isinstance(tree, dict):
        known = shape.known()
        if not tree.keys() <= known:
            unknown.update(path + name[:_LONGEST_KEY] for name in tree.keys() - known)
        for name, child in shape.children.items():
            _count_unknown(tree.get(name), child, f"{path}{name}.", unknown)


class _DoubledKeyError(ValueError):
    """An object names a key twice."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DoubledKeyError
    return made


def _tree(raw: bytes, *, exact: bool) -> object:
    if not exact:
        try:
            tree = msgspec.json.decode(raw)
        except msgspec.ValidationError:
            tree = None  # a number beyond a float, which is no fault yet
        if tree is not None and msgspec.json.encode(tree).count(_KEY) == raw.count(_KEY):
            return tree
    # Numbers stay text: how long they are is not the question here.
    return json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str)


def _outermost_doubled(body: bytes) -> bool:
    doubled = False

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal doubled
        made = dict(pairs)
        doubled = len(made) != len(pairs)  # the outermost object is finished last
        return made

    json.loads(body, object_pairs_hook=note, parse_int=str, parse_float=str)
    return doubled


def _holds_nul(tree: object) -> bool:
    if isinstance(tree, dict):
        return any("\x00" in name or _holds_nul(value) for name, value in tree.items())
    if isinstance(tree, list):
        return any(map(_holds_nul, tree))
    return isinstance(tree, str) and "\x00" in tree


def _depth(tree: object) -> int:
    below: Iterable[object] = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return 1 + max(map(_depth, below), default=0)


def _names(context: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key[len(NAME) :], value) for key, value in context.items() if key.startswith(NAME)))


@lru_cache(maxsize=64)
def renamed(struct: type[S], names: tuple[tuple[str, str], ...]) -> type[S]:
    """Return the same struct, reading the fields in `names` under another name."""
    if not names:
        return struct
    called = dict(names)
    fields = [
        (item.name, item.type, msgspec.field(name=called[item.encode_name], default=item.default))
        if item.default is not msgspec.NODEFAULT
        else (item.name, item.type, msgspec.field(name=called[item.encode_name]))
        for item in msgspec.structs.fields(struct)
        if item.encode_name in called
    ]
    return msgspec.defstruct(struct.__name__, fields, bases=(struct,), kw_only=True)  # type: ignore[return-value]


def _reject(at: int, fault: Fault, raw: bytes, shape: Shape[Any]) -> Reject:
    try:
        parts = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except UNREADABLE:
        return Reject(at, fault.code, fault.column, fault.reason)
    return Reject(
        at, fault.code, fault.column, fault.reason, _key(parts.get(shape.key)), _entries(parts, shape.counted)
    )


def _key(raw: msgspec.Raw | None) -> str | None:
    if raw is None:
        return None
    try:
        key = str(msgspec.json.decode(raw, type=str | int))
    except UNREADABLE:
        return None
    return key if 0 < len(key) <= _LONGEST_KEY else None


def _entries(parts: Mapping[str, msgspec.Raw], counted: str | None) -> int:
    if counted is None or counted not in parts:
        return 0
    try:
        return len(msgspec.json.decode(parts[counted], type=list[msgspec.Raw]))
    except UNREADABLE:
        return 0
