"""Set snapshots aside that could not be loaded, so that no run tries them again.

    state/aside/<snapshot>.json     whose it is, why it could not be loaded, and when that was found

The snapshot itself stays in the landing as it was received. Once a later one of
the same tenant is loaded, everything in the older that still holds is known, and its
mark is removed. Removing a mark by hand lets the next run try again.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from sql.storage.files import private_folder, write_atomic
from sql.storage.landing import SnapshotFacts
from sql.storage.seals import write_time


class SetAside(Struct, frozen=True, forbid_unknown_fields=True):
    """One snapshot that waits for a person, or for a later one; `trace` says where in the program it failed."""

    snapshot_id: str
    provider: str
    tenant_id: str
    code: str
    reason: str
    found_at: str
    trace: str


class Aside:
    """The marks below one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir.absolute() / "aside"

    def put(self, facts: SnapshotFacts, *, code: str, reason: str, moment: datetime, trace: str) -> None:
        """Mark the snapshot; the mark is on disk afterwards."""
        mark = SetAside(facts.id, facts.provider, facts.tenant_id, code, reason, str(write_time(moment)), trace)
        text = json.dumps(msgspec.to_builtins(mark), indent=2, ensure_ascii=True)
        write_atomic(private_folder(self.folder) / f"{facts.id}.json", f"{text}\n".encode())

    def marks(self) -> Iterator[SetAside]:
        """Yield every mark, oldest snapshot first; a mark that cannot be read still names its snapshot."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield msgspec.json.decode(path.read_bytes(), type=SetAside)
            except (OSError, ValueError):
                yield SetAside(path.stem, "", "", "internal", f"{path} cannot be read", "", "")

    def release(self, facts: SnapshotFacts) -> None:
        """Remove the marks of older snapshots of the same tenant: what they showed is known by a later one."""
        for mark in list(self.marks()):
            if (mark.provider, mark.tenant_id) == (facts.provider, facts.tenant_id) and mark.snapshot_id < facts.id:
                (self.folder / f"{mark.snapshot_id}.json").unlink(missing_ok=True)
