"""Keep what providers sent, byte for byte, so that no page is fetched twice and everything can be rebuilt.

    landing/<provider>/<snapshot>/opened.json            who, and when it was opened
                                  <nn>-<sweep>.pack      bodies as received, one after the other
                                  <nn>-<sweep>.seal.json index of the pack, and of bodies that came before; ends the sweep
                                  snapshot.json          ends the snapshot

A sweep without a seal does not count: a crash before the seal leaves a `.part`
or a pack that no seal names, and the next start removes them. A sealed pack is
never written again nor removed: later ones may name its pages. What pages hold is not looked at.
"""

import re
import shutil
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sql.errors import Damaged
from sql.storage.files import PRIVATE_FOLDER, TEMPORARY, cannot_write, is_ours, move, private_folder
from sql.storage.references import Group, Listed, Seals, Shown, latest_seals
from sql.storage.seals import Seal, read_sealed, read_time, write_sealed, write_time
from sql.storage.sweeps import SweepWriter, discard_parts, read_body

RESUME_WITHIN = timedelta(hours=6)
"""An unfinished snapshot older than this is left alone: its sealed sweeps no longer fit to new ones, and its rows count
as told on the day it was opened, which must not be yesterday."""

LOOK_BACK = 20
"""How many earlier fetches are looked through for what they showed, at most."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ID = re.compile(r"\d{8}T\d{12}Z-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class StoredPage:
    """One body as the provider sent it; `page_no` counts through the snapshot from 0."""

    page_no: int
    sweep: str
    entity: str
    sha256: str
    body: bytes = field(repr=False)
    context: Mapping[str, str]
    status: int


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A snapshot on disk; `digest` covers every body in it and is empty until it is finished."""

    id: str
    provider: str
    tenant_id: str
    opened_at: datetime
    digest: str
    folder: Path

    @property
    def is_finished(self) -> bool:
        """Tell whether every sweep is sealed and the snapshot may be loaded."""
        return bool(self.digest)


class Snapshot:
    """The pages of one tenant in one fetch; sweeps already sealed are not asked again.

    A sweep that was sealed incomplete may be swept again until the snapshot is
    finished; the newer seal then counts, the older pack stays as evidence.
    """

    def __init__(self, facts: SnapshotFacts) -> None:
        self.facts = facts
        self.id = facts.id
        self.provider = facts.provider
        self.tenant_id = facts.tenant_id
        self.opened_at = facts.opened_at
        self.sealed: dict[str, Seal] = latest_seals(facts.folder)
        self.shown = Shown()
        self._next = 1 + max((int(path.name.partition("-")[0]) for path in facts.folder.glob("*-*.pack*")), default=0)

    def sweep(self, name: str, *, tenant_id: str, since: datetime | None) -> SweepWriter:
        """Open the pack of sweep `name`; nothing of it exists until it is sealed."""
        if self.facts.is_finished:
            raise ValueError(f"snapshot {self.id} is finished; open a new one to sweep {name}")
        if name in self.sealed and self.sealed[name].complete:
            raise ValueError(f"sweep {name} of snapshot {self.id} is sealed; read its pages instead")
        number, self._next = self._next, self._next + 1
        return SweepWriter(
            self.facts.folder,
            stem=f"{number:03d}-{_plain(name)}",
            name=name,
            tenant_id=tenant_id,
            since=since,
            sealed=self._remember,
            shown=self.shown,
        )

    def finish(self) -> SnapshotFacts:
        """End the snapshot: it may be loaded, and no sweep can be added. A second call changes nothing."""
        if not self.facts.is_finished:
            fields = _opening(self.facts) | {"seals": {name: seal.digest for name, seal in self.sealed.items()}}
            write_sealed(self.facts.folder / "snapshot.json", fields)
            self.facts = _facts(self.facts.folder)
        return self.facts

    def _remember(self, seal: Seal) -> None:
        self.sealed.pop(seal.name, None)
        self.sealed[seal.name] = seal


class Landing:
    """Every page ever fetched, below one folder. The seals of a finished snapshot are read once: nothing changes them."""

    def __init__(self, root: Path) -> None:
        self.root = private_folder(root.absolute())
        self._by_provider: dict[Path, Seals] = {}
        self._finished: dict[str, dict[str, Seal]] = {}

    def snapshot(
        self, provider: str, tenant_id: str, *, opened_at: datetime, resume_within: timedelta = RESUME_WITHIN
    ) -> Snapshot:
        """Return the tenant's newest snapshot if it is unfinished, without its half-written parts, else a new one."""
        for folder in reversed(self._folders(_plain(provider))):
            if _stamp(folder) < opened_at - resume_within:
                break
            facts = _told(folder)
            if facts is None or facts.tenant_id != tenant_id:
                continue
            if facts.is_finished:
                break
            if facts.opened_at <= opened_at:
                discard_parts(folder)
                return Snapshot(facts)
        return Snapshot(self._open(provider, tenant_id, opened_at))

    def snapshots(self, provider: str | None = None) -> list[SnapshotFacts]:
        """Return the snapshots of one provider, or all, oldest first, without those whose `opened.json` is damaged."""
        folders = self._folders(_plain(provider) if provider else "*")
        return [facts for facts in map(_told, folders) if facts is not None]

    def holds(self, snapshot_id: str) -> bool:
        """Tell whether a finished snapshot of that id is here; whether it is whole is checked by the verification."""
        return any(self.root.glob(f"*/{snapshot_id}/snapshot.json"))

    def find(self, snapshot_id: str) -> SnapshotFacts:
        """Return the snapshot of that id.

        Raises:
            Damaged: it is not here.
        """
        folders = [path for path in self.root.glob(f"*/{snapshot_id}") if _ID.fullmatch(path.name)]
        if not folders:
            message = f"{self.root} holds no snapshot {snapshot_id}; restore the landing folder from a backup"
            raise Damaged(message, where=self.root)
        return _facts(folders[0])

    def of_tenant(self, provider: str, tenant_id: str) -> list[str]:
        """Return the ids of the tenant's finished snapshots, oldest first."""
        found = self.root.glob(f"{provider}/*-{_mark(provider, tenant_id)}/snapshot.json")
        return sorted(end.parent.name for end in found)

    def shown(self, provider: str, tenant_id: str, *, before: str, group: Group) -> Shown:
        """Return what the tenant's finished snapshots before that id showed; a damaged one shows nothing."""
        shown, read = Shown(group), self._of_provider(self.root / provider)
        earlier = [name for name in self.of_tenant(provider, tenant_id) if name < before]
        for name in reversed(earlier[-LOOK_BACK:]):
            try:
                seals = self._trusted(_facts(self.root / provider / name)).values()
                if shown.add_snapshot([(seal, read.listed(name, seal)) for seal in seals]):
                    break
            except Damaged:
                continue  # the verification reports it; what it held is received anew
        return shown

    def listed(self, snapshot_id: str) -> Iterator[tuple[Seal, Listed]]:
        """Yield every page of all sealed sweeps in the order they were received, the bytes not read.

        Raises:
            Damaged: an earlier snapshot does not hold what this one names.
        """
        facts = self.find(snapshot_id)
        read = self._of_provider(facts.folder.parent)
        for seal in self._trusted(facts).values():
            yield from ((seal, one) for one in read.listed(facts.id, seal))

    def seals(self, snapshot_id: str) -> dict[str, Seal]:
        """Return the seal of each sweep of the snapshot, in the order the sweeps were made."""
        return self._trusted(self.find(snapshot_id))

    def pages(self, snapshot_id: str, *, but: Container[int] = ()) -> Iterator[StoredPage]:
        """Yield the bodies of all sealed sweeps in the order they were received, without the pages numbered in `but`.

        Raises:
            Damaged: a body is not what its seal says; the message names pack and page.
        """
        folder = self.find(snapshot_id).folder
        try:
            for page_no, (seal, one) in enumerate(self.listed(snapshot_id)):
                page = one.page
                if page_no not in but:
                    body = read_body(folder.parent / one.place.snapshot / one.place.pack, page)
                    yield StoredPage(page_no, seal.name, page.entity, page.sha256, body, page.context, page.status)
        except Damaged as error:  # where its bytes lie in another snapshot, it is this one that cannot be read
            raise Damaged(str(error), where=error.where if folder in error.where.parents else folder) from error

    def page(self, sha256_hex: str, snapshot_id: str) -> StoredPage:
        """Return the first page with that hash in the snapshot; a rejected row is found again by it."""
        for page in self.pages(snapshot_id):
            if page.sha256 == sha256_hex:
                return page
        raise Damaged(
            f"snapshot {snapshot_id} holds no page {sha256_hex}; restore the folder from a backup",
            where=self.find(snapshot_id).folder,
        )

    def _of_provider(self, folder: Path) -> Seals:
        return self._by_provider.setdefault(folder, Seals(folder))

    def _trusted(self, facts: SnapshotFacts) -> dict[str, Seal]:
        if facts.id in self._finished:
            return self._finished[facts.id]
        seals = latest_seals(facts.folder)
        if facts.is_finished:
            promised = read_sealed(facts.folder / "snapshot.json")[0]["seals"]
            if promised != {name: seal.digest for name, seal in seals.items()}:
                message = (
                    f"{facts.folder}: the seals are not those of the finished snapshot; restore them from a backup"
                )
                raise Damaged(message, where=facts.folder)
            self._finished[facts.id] = seals
            self._of_provider(facts.folder.parent).note(facts.id, seals.values())
        return seals

    def _folders(self, provider: str) -> list[Path]:
        folders = [path for path in self.root.glob(f"{provider}/*") if _ID.fullmatch(path.name) and is_ours(path)]
        return sorted(folders, key=lambda path: (path.name, path.parent.name))

    def _open(self, provider: str, tenant_id: str, opened_at: datetime) -> SnapshotFacts:
        stamp = opened_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        folder = private_folder(self.root / _plain(provider)) / f"{stamp}-{_mark(provider, tenant_id)}"
        facts = SnapshotFacts(folder.name, provider, tenant_id, opened_at.astimezone(UTC), "", folder)
        if folder.exists():
            raise ValueError(f"snapshot {folder.name} exists; two snapshots of one tenant cannot open at one moment")
        draft = folder.with_name(f".{folder.name}{TEMPORARY}")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(mode=PRIVATE_FOLDER)  # only its final name must survive a power cut
        except OSError as error:
            raise cannot_write(draft, error) from error
        write_sealed(draft / "opened.json", _opening(facts))
        try:
            move(draft, folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return facts


def _told(folder: Path) -> SnapshotFacts | None:
    try:
        return _facts(folder)
    except Damaged:
        return None  # the verification reports it; the others can be used


def _facts(folder: Path) -> SnapshotFacts:
    opening, _ = read_sealed(folder / "opened.json")
    end = folder / "snapshot.json"
    digest = read_sealed(end)[1] if end.exists() else ""
    opened_at = read_time(opening["opened_at"])
    if opened_at is None:
        raise Damaged(f"{folder / 'opened.json'} tells no time; restore it from a backup", where=folder)
    return SnapshotFacts(folder.name, opening["provider"], opening["tenant_id"], opened_at, digest, folder)


def _opening(facts: SnapshotFacts) -> dict[str, object]:
    return {"provider": facts.provider, "tenant_id": facts.tenant_id, "opened_at": write_time(facts.opened_at)}


def _mark(provider: str, tenant_id: str) -> str:
    return sha256(f"{provider}\0{tenant_id}".encode()).hexdigest()[:12]


def _stamp(folder: Path) -> datetime:
    return datetime.strptime(folder.name.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a provider or sweep; use small letters, digits and _")
    return name
