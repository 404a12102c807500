"""The log of changes at the providers: the authority on what was sent, outside every database.

One line of JSON per step in `intents/audit.jsonl`, each with the hash of the line before it; a line is on
disk before the step it tells of. What a later process needs to send or look again lies beside it, in one
private file per open intent, named in the log by its SHA-256 and removed when the intent ends: it may
name people, the log does not. Several processes may work here at a time.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from sql.errors import Damaged
from sql.storage.commit_log import START, Line, chained, make_line, split_lines
from sql.storage.files import (
    TEMPORARY,
    cannot_write,
    is_ours,
    open_private,
    private_folder,
    refuse_unless_plain,
    sync,
    write_atomic,
)
from sql.storage.seals import canonical, write_time
from writes.errors import Changed, NothingSuch, Underway
from writes.intents import APPROVED, REFUSED, STEPS, Draft, Intent, begin, read_back, step, step_facts

ADVICE = "restore it from a backup; until then planrecon changes nothing at any provider"
ID_LENGTH = 12
_PASSING = ("*.json", "*.lock", f".*{TEMPORARY}")
"""Files that belong to one intent and go with it."""


@dataclass(slots=True)
class Ledger:
    """The log below one state folder, read as far as this process has seen it."""

    state_dir: Path
    _intents: dict[str, Intent] = field(default_factory=dict, init=False)
    _read: int = field(default=0, init=False)
    _number: int = field(default=0, init=False)
    _hash: str = field(default=START, init=False)

    @property
    def folder(self) -> Path:
        """Return the folder of the log and the private files."""
        return self.state_dir / "intents"

    @property
    def path(self) -> Path:
        """Return the path of the log."""
        return self.folder / "audit.jsonl"

    def intents(self) -> list[Intent]:
        """Return every intent in its newest state, oldest first.

        Raises:
            Damaged: a line of the log is not what was written.
        """
        if self.path.exists():
            refuse_unless_plain(self.path)
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                self._take_in(file)
        return list(self._intents.values())

    def get(self, name: str) -> Intent:
        """Return the intent whose id begins with `name`.

        Raises:
            NothingSuch: no intent, or more than one, has such an id.
        """
        fitting = [one for one in self.intents() if name and one.intent_id.startswith(name)]
        if len(fitting) != 1:
            which = f"{len(fitting)} intents begin with it" if fitting else "there is none"
            raise NothingSuch(f"intent {name!r}: {which}; `planrecon plan list` shows them all")
        return fitting[0]

    def earlier(self, provider: str, operation: str, plan_id: str | None, tenant_id: str = "") -> Intent | None:
        """Return the newest intent for that change of that plan that is under way or done; null if there is none.

        Without a tenant, of any tenant.
        """
        found = [
            one
            for one in self.intents()
            if (one.draft.provider, one.draft.operation, one.draft.plan_id) == (provider, operation, plan_id)
            and tenant_id in {"", one.draft.tenant_id}
            and one.state != REFUSED
        ]
        return found[-1] if found else None

    def history(self, intent: Intent) -> list[Line]:
        """Return every line about one intent, oldest first."""
        body = self.path.read_bytes() if self.path.exists() else b""
        lines, _ = split_lines(body)
        return [
            line for line in chained(lines, self.path, advice=ADVICE) if line.facts.get("intent_id") == intent.intent_id
        ]

    def plan(
        self, draft: Draft, material: bytes, *, at: datetime, who: str, since: datetime, again: str = ""
    ) -> tuple[Intent, bool]:
        """Write down an intent and return it with true; return an equal one that is open with false instead.

        One that is done is returned too, unless `again` says why the same is to be done once more and it was
        done before `since`, when the caller last looked. `material` is what sending and looking need.
        """
        with self._appending() as file:
            known = [one for one in self._intents.values() if one.draft.key == draft.key]
            for one in reversed(known):
                if one.is_open or (one.state != REFUSED and (not again or one.changed_at >= since)):
                    return one, False
            intent_id = hashlib.sha256(f"{draft.key}|{self._number + 1}".encode()).hexdigest()[:ID_LENGTH]
            write_atomic(self._material(intent_id), material)
            facts = {
                "intent_id": intent_id,
                "at": write_time(at),
                "who": who,
                "draft": msgspec.to_builtins(draft),
                "file_sha256": hashlib.sha256(material).hexdigest(),
                **({"again": again} if again else {}),
            }
            self._append(file, "intent", facts)
            self._append(file, "step", {"intent_id": intent_id, **step_facts(APPROVED, at=at, who=who)})
        return self._intents[intent_id], True

    def move(self, intent: Intent, state: str, *, at: datetime, who: str, **facts: Any) -> Intent:
        """Write down that the intent is in `state` now; on disk when this returns.

        Raises:
            Underway: another process moved it meanwhile.
        """
        with self._appending() as file:
            now = self._intents[intent.intent_id]
            if now.state != intent.state or now.changed_at != intent.changed_at:
                raise Underway(
                    f"intent {intent.intent_id} is {now.state} now: another process works on it; wait for it, then see `planrecon plan list`"
                )
            if state not in STEPS[now.state]:
                raise ValueError(f"an intent that is {now.state} cannot become {state}")
            self._append(file, "step", {"intent_id": intent.intent_id, **step_facts(state, at=at, who=who, **facts)})
        if state == REFUSED:
            self._forget(intent.intent_id)
        return self._intents[intent.intent_id]

    def read_back(self, intent: Intent, differences: Sequence[str], *, at: datetime, who: str) -> Intent:
        """Write down what the provider shows of a change that is done, as far as it is not as agreed."""
        with self._appending() as file:
            facts = {"intent_id": intent.intent_id, "at": write_time(at), "who": who, "differences": list(differences)}
            self._append(file, "read_back", facts)
        self._forget(intent.intent_id)
        return self._intents[intent.intent_id]

    def tidy(self) -> None:
        """Remove the private files of intents that have ended, or that a crash kept from beginning."""
        if not self.folder.is_dir():
            return
        with self._appending():
            open_now = {one.intent_id for one in self._intents.values() if one.needs_its_request}
            for path in [path for name in _PASSING for path in self.folder.glob(name)]:
                if path.stem not in open_now and is_ours(path):
                    path.unlink(missing_ok=True)

    def material(self, intent: Intent) -> bytes:
        """Return what was kept for sending and looking.

        Raises:
            Changed: the file is gone or is not the one that was approved.
        """
        path = self._material(intent.intent_id)
        try:
            body = path.read_bytes()
        except OSError:
            body = b""
        if hashlib.sha256(body).hexdigest() != intent.file_sha256:
            raise Changed(
                f"{path} is not what was approved as intent {intent.intent_id}; nothing was sent. "
                f"Plan it anew, or end it with `planrecon plan resume {intent.intent_id} --as refused`"
            )
        return body

    @contextmanager
    def claim(self, intent: Intent) -> Iterator[Intent]:
        """Yield the intent in its newest state, while no other process works on it.

        Raises:
            Underway: another process does.
        """
        path = private_folder(self.folder) / f"{intent.intent_id}.lock"
        refuse_unless_plain(path)
        with open_private(path, os.O_RDWR | os.O_CREAT) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Underway(
                    f"intent {intent.intent_id} is being worked on by another process; wait for it"
                ) from None
            now = self.get(intent.intent_id)
            yield now
            if not self._intents[intent.intent_id].is_open:
                path.unlink(missing_ok=True)

    def verify(self) -> int:
        """Return the number of lines; raise `Damaged` where the chain does not hold."""
        fresh = Ledger(self.state_dir)
        fresh.intents()
        return fresh._number

    @contextmanager
    def _appending(self) -> Iterator[BinaryIO]:
        """Yield the log, read to its end and held alone; what was added lasts through a power cut when the block ends.

        So does the name of a new log: it is made before the request of its first change, whose folder is synced.
        """
        private_folder(self.state_dir)
        private_folder(self.folder)
        refuse_unless_plain(self.path)
        try:
            with open_private(self.path, os.O_RDWR | os.O_CREAT) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._take_in(file)
                known = self._number
                yield file
                if self._number > known:
                    sync(file)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _take_in(self, file: BinaryIO) -> None:
        """Read what was added since, and check that it follows."""
        if file.seek(0, os.SEEK_END) < self._read:
            raise Damaged(f"{self.path} is shorter than it was; {ADVICE}", where=self.path)
        file.seek(self._read)
        lines, _ = split_lines(file.read())
        for line in chained(lines, self.path, advice=ADVICE, before=self._hash, number=self._number):
            self._apply(line.kind, dict(line.facts))
            self._number, self._hash = line.number, line.hash
        self._read += sum(len(line) + 1 for line in lines)

    def _append(self, file: BinaryIO, kind: str, facts: dict[str, Any]) -> None:
        line = make_line(self._number + 1, kind, facts, self._hash)
        body = canonical(line) + b"\n"
        file.seek(self._read)
        file.truncate()  # a line that a crash cut in the middle: it was never reported as written
        file.write(body)
        file.flush()
        self._apply(kind, facts)
        self._number, self._hash, self._read = line["number"], line["hash"], self._read + len(body)

    def _apply(self, kind: str, facts: dict[str, Any]) -> None:
        intent_id = facts["intent_id"]
        known = self._intents.get(intent_id)
        if kind == "intent":
            self._intents[intent_id] = begin(intent_id, facts)
        elif known is not None and kind == "read_back":
            self._intents[intent_id] = read_back(known, facts)
        elif known is not None:
            self._intents[intent_id] = step(known, facts)

    def _material(self, intent_id: str) -> Path:
        return self.folder / f"{intent_id}.json"

    def _forget(self, intent_id: str) -> None:
        with suppress(OSError):
            self._material(intent_id).unlink(missing_ok=True)
