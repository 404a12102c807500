"""A disk that forgets: what a power cut leaves of a folder, seen from the fsync calls of this process."""

import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """Remembers what was made to last below a folder, and lays it out elsewhere as it would be after a power cut.

    A file is worth what it held at its last fsync, nothing before the first. A name is worth what stood there
    when its folder was last synced: a new file, a new folder, a rename or a removal before that never happened.
    `passed` are the functions, each with its file, that a sync was asked for in.
    `skip` leaves out the sync of that number, as a program would that forgot it. What stood in a folder and was
    not synced yet may have come through in part all the same: `torn` holds, for each sync, what the disk would be
    if the power went before it and one such name had lasted alone.
    """

    def __init__(self, root, *, skip=None):
        self.root, self.skip, self.count = root, skip, 0
        self.files, self.folders, self._held = {}, {}, {}
        self.torn, self.passed = [], set()
        self._sync = os.fsync
        self._remember_folder(root)

    @contextmanager
    def watched(self):
        """Stand in for `os.fsync` as long as the block lasts."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", self.sync)
            yield self
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()

    def after_power_cut(self, target, state=None):
        """Lay out what lasted, or one of the torn states."""
        files, folders = state or (self.files, self.folders)
        _lay_out(files, folders, self.root.stat().st_ino, target)
        return target

    def _tear(self):
        for place in [self.root, *(path for path in self.root.rglob("*") if path.is_dir() and not path.is_symlink())]:
            number = place.stat().st_ino
            lasting = self.folders.get(number, {})
            for name, entry in self.entries(place).items():
                torn = (dict(self.files), self.folders | {number: lasting | {name: entry}})
                if lasting.get(name) != entry and torn not in self.torn:
                    self.torn.append(torn)

    def sync(self, handle):
        """Make a file or folder last, as `os.fsync` does."""
        self.passed |= {(code.co_filename, code.co_name) for code in _callers()}
        handle = handle if isinstance(handle, int) else handle.fileno()
        self._tear()
        number, self.count = self.count, self.count + 1
        if number == self.skip:
            return
        path = Path(f"/proc/self/fd/{handle}")
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            self._remember_folder(path)
        else:
            self.files[os.fstat(handle).st_ino] = path.read_bytes()
        self._sync(handle)

    def _remember_folder(self, path):
        self.folders[path.stat().st_ino] = self.entries(path)

    def entries(self, path):
        """Return the names in a folder, each with what stands there."""
        entries = {}
        for at in path.iterdir():
            facts = at.lstat()
            entries[at.name] = (facts.st_ino, facts.st_mode, at.readlink() if stat.S_ISLNK(facts.st_mode) else None)
            if facts.st_ino not in self._held:
                # held open, so that the number of a removed file is not given to another one meanwhile
                self._held[facts.st_ino] = os.open(at, os.O_PATH | os.O_NOFOLLOW)
        return entries


def _callers():
    frame = sys._getframe(2)
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _lay_out(files, folders, number, target):
    target.mkdir(parents=True)
    for name, (entry, mode, link) in folders.get(number, {}).items():
        if link is not None:
            (target / name).symlink_to(link)
        elif stat.S_ISDIR(mode):
            _lay_out(files, folders, entry, target / name)
        else:
            (target / name).write_bytes(files.get(entry, b""))


@pytest.fixture
def disk(tmp_path):
    """Make a disk over a fresh folder: `disk(skip=3)` forgets the fourth sync."""
    made = []

    def make(**options):
        made.append(None)
        root = tmp_path / f"disk{len(made)}"
        root.mkdir()
        return Disk(root, **options)

    return make
