"""The index of a pack and of a snapshot: what was asked for, what came, where each body lies.

Both are JSON with a SHA-256 over themselves, so that a flipped bit is noticed before
it is used. They hold no secret and no body.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from sql.errors import Damaged
from sql.storage.files import write_atomic

T = TypeVar("T")


class PageFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """Where one body lies in its pack, and what is needed to read it again."""

    entity: str
    sha256: str
    offset: int
    length: int
    status: int
    context: dict[str, str]


class Span(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Pages that were received as an earlier sweep received them, byte for byte: their bytes lie there, once.

    They are `count` of the own pages of that sweep's seal from `first` on, and stand before the own page `at` of the
    seal that names them. `sha256` covers the hashes of their bodies. `as_was`: they are, in the same order, all that
    their accounts (of a list: the list) showed when last fetched.

    A first sweep has the own pages a, b, c; the next one shows a, x, c and names (at 0, first 0) and (at 1, first 2)
    beside its own page x.
    """

    at: int
    snapshot: str
    pack: str
    first: int
    count: int
    sha256: str
    as_was: bool = False


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, dict=True):
    """A sweep that ended: `complete` only if the provider's end signal was reached and no page failed.

    `since` is the moment changes were asked from, null for everything;
    `started_clock` is the provider's clock at the first answer that told it, `started_at` ours then.
    `pages` are its own, `spans` those of earlier sweeps between them; `unread` are the groups of pages (of a provider
    that is asked account by account: the accounts) that did not come in whole. `unasked` of the pages count as they were
    without having been asked for.
    """

    name: str
    tenant_id: str
    since: datetime | None
    complete: bool
    reason: str
    started_clock: datetime | None
    pack: str
    pages: tuple[PageFacts, ...]
    # A seal from before this was kept must give the digest it was written with: left out where null.
    started_at: datetime | None = None
    spans: tuple[Span, ...] = ()
    unread: tuple[str, ...] = ()
    unasked: int = 0

    @property
    def count(self) -> int:
        """Return the number of its pages, those of earlier sweeps included."""
        return len(self.pages) + sum(span.count for span in self.spans)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of everything in the seal, and so of the bodies, whose hashes are in it."""
        return digest_of(as_json(self))


def digest_of_pages(pages: Sequence[PageFacts]) -> str:
    """Return the SHA-256 of the hashes of their bodies, one after the other."""
    return hashlib.sha256("".join(page.sha256 for page in pages).encode()).hexdigest()


def as_json(record: object) -> dict[str, Any]:
    """Return a record as the plain JSON values that `from_json` reads; moments as `write_time` writes them."""
    values = msgspec.to_builtins(record, builtin_types=(datetime,), enc_hook=Path.as_posix)
    return {name: write_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


def from_json(values: Mapping[str, Any], kind: type[T]) -> T:
    """Return the record that `as_json` wrote.

    Raises:
        ValueError: a field is missing or of another type.
    """
    return msgspec.convert(values, kind, dec_hook=lambda path, text: path(text))


def digest_of(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 of `fields` as `canonical` writes them."""
    return hashlib.sha256(canonical(fields)).hexdigest()


def canonical(fields: Mapping[str, Any]) -> bytes:
    """Return `fields` as JSON in the one way that is hashed: sorted keys, no spaces."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def write_sealed(path: Path, fields: Mapping[str, Any]) -> str:
    """Write `fields` with their digest to `path`, whole or not at all; return the digest.

    Nothing sorted before `digest` may hold a field of that name.
    """
    draft = canonical({**fields, "digest": ""})
    digest = hashlib.sha256(_without(draft, b"")).hexdigest()
    write_atomic(path, draft.replace(_entry(b""), _entry(digest.encode()), 1) + b"\n")
    return digest


def write_seal(path: Path, seal: Seal) -> None:
    """Write a seal to `path`, whole or not at all."""
    vars(seal)["digest"] = write_sealed(path, as_json(seal))


def read_sealed(path: Path) -> tuple[dict[str, Any], str]:
    """Return the fields that `write_sealed` wrote, and their digest.

    Raises:
        Damaged: the file is not the one that was written.
    """
    body, digest = _whole(path)
    return json.loads(body), digest


def read_seal(path: Path) -> Seal:
    """Return the seal that `write_seal` wrote.

    Raises:
        Damaged: the file is not the one that was written.
        ValueError: a field is missing or of another type.
    """
    body, digest = _whole(path)
    seal = msgspec.json.decode(body, type=Seal)
    vars(seal)["digest"] = digest  # to write all of it again only to hash it takes ten times as long as to read it
    return seal


def _whole(path: Path) -> tuple[bytes, str]:
    """Return what was written to `path` without its digest, and the digest, which is that of these bytes."""
    try:
        body = path.read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise _damaged(path) from error
    digest = body.partition(_entry(b"")[:-1])[2][:64]
    body = _without(body, digest)
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise _damaged(path)
    return body, digest.decode()


def _entry(digest: bytes) -> bytes:
    return b'"digest":"%b"' % digest


def _without(sealed: bytes, digest: bytes) -> bytes:
    """Return the JSON without its digest: `{"a":1,"digest":"07","z":2}` becomes `{"a":1,"z":2}`."""
    entry = _entry(digest)
    found = next((one for one in (entry + b",", b"," + entry, entry) if one in sealed), entry)
    return sealed.replace(found, b"", 1)


def write_time(moment: datetime | None) -> str | None:
    """Return a moment as text in UTC with microseconds, so that equal moments are equal texts."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; pass an aware datetime")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def read_time(text: str | None) -> datetime | None:
    """Return the moment that `write_time` wrote."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _damaged(path: Path) -> Damaged:
    message = f"{path} is not what was written to it; restore it from a backup, or remove its folder to fetch again"
    return Damaged(message, where=path)
