"""Keep outside the database a list of what was committed to it.

A database whose own log was cut opens without an error and with fewer loads. The
commit log has one line of JSON per commit, each with the hash of the line before
it, so that what is missing in the database, or was changed here, shows.
What to do about a difference is in `recovery.py`.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sql.errors import Damaged
from sql.storage.files import cannot_write, open_private, private_folder, refuse_unless_plain, sync, sync_folder
from sql.storage.seals import canonical, digest_of

START = "0" * 64
"""Hash that the first line gives as that of the line before it."""
HOW_TO_MEND = "restore it from a backup, or move it away: the next start tells it again from the warehouse"
"""What to do about a commit log that was changed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was committed, and its place in the chain."""

    number: int
    kind: str
    facts: Mapping[str, Any]
    hash: str


class CommitLog:
    """The lines of `commits.jsonl`; one process writes at a time, which the run lock sees to."""

    def __init__(self, state_dir: Path) -> None:
        self.path = private_folder(state_dir) / "commits.jsonl"
        refuse_unless_plain(self.path)

    def append(self, kind: str, facts: Mapping[str, Any]) -> Line:
        """Add one line; when this returns it lasts through a power cut.

        A last line that a crash cut in the middle is dropped first: its writer never
        reported it as written.
        """
        try:
            with open_private(self.path, os.O_RDWR | os.O_CREAT) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                lines, torn = split_lines(file.read())
                last = self._checked(lines)
                line = make_line(len(last) + 1, kind, facts, last[-1].hash if last else START)
                file.seek(-torn, os.SEEK_END)
                file.truncate()
                file.write(canonical(line) + b"\n")
                sync(file)
            if not last:  # the file is new, and so its name
                sync_folder(self.path.parent)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return Line(line["number"], kind, facts, line["hash"])

    def read(self, kind: str | None = None) -> list[Line]:
        """Return all lines, or those of one kind, oldest first; a torn last line is not there.

        Raises:
            Damaged: a line was changed, removed or added by somebody else.
        """
        if not self.path.exists():
            return []
        lines, _ = split_lines(self.path.read_bytes())
        return [line for line in self._checked(lines) if kind in {None, line.kind}]

    def verify(self) -> int:
        """Return the number of lines; raise `Damaged` if the chain does not hold."""
        return len(self.read())

    def _checked(self, lines: list[bytes]) -> list[Line]:
        return list(chained(lines, self.path, advice=HOW_TO_MEND))


def chained(lines: list[bytes], path: Path, *, advice: str, before: str = START, number: int = 0) -> Iterator[Line]:
    """Yield the lines that follow line `number`, whose hash is `before`.

    Raises:
        Damaged: a line was changed, removed or added by somebody else; the message ends with `advice`.
    """
    for place, line in enumerate(lines, number + 1):
        try:
            fields = json.loads(line)
            told = fields.pop("hash")
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise _broken(path, place, advice) from error
        if told != digest_of(fields) or fields.get("before") != before or fields.get("number") != place:
            raise _broken(path, place, advice)
        before = told
        yield Line(place, fields["kind"], fields["facts"], told)


def split_lines(body: bytes) -> tuple[list[bytes], int]:
    """Return the whole lines of `body`, and how many bytes of a torn one follow them."""
    *lines, rest = body.split(b"\n")
    return lines, len(rest)


def make_line(number: int, kind: str, facts: Mapping[str, Any], before: str) -> dict[str, Any]:
    """Return a line of the chain with its own hash over everything in it and the hash of the line before."""
    fields = {"number": number, "kind": kind, "facts": dict(facts), "before": before}
    return {**fields, "hash": digest_of(fields)}


def _broken(path: Path, number: int, advice: str) -> Damaged:
    return Damaged(f"{path}: line {number} is not what was written; {advice}", where=path)
