"""The index of a pack and of a snapshot: what was asked for, what came, where each body lies.

Both are JSON with a SHA-256 over themselves, so that a flipped bit is noticed before
it is used. They hold no secret and no body.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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


class Seal(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
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

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in the seal, and so of the bodies, whose hashes are in it."""
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


def write_sealed(path: Path, fields: Mapping[str, Any]) -> None:
    """Write `fields` with their digest to `path`, whole or not at all."""
    write_atomic(path, canonical({**fields, "digest": digest_of(fields)}) + b"\n")


def read_sealed(path: Path) -> dict[str, Any]:
    """Return the fields that `write_sealed` wrote, without the digest.

    Raises:
        Damaged: the file is not the one that was written.
    """
    try:
        fields = json.loads(path.read_bytes())
        digest = fields.pop("digest")
    except (ValueError, AttributeError, KeyError, OSError) as error:
        raise _damaged(path) from error
    if digest != digest_of(fields):
        raise _damaged(path)
    return dict(fields)


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
