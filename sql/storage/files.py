"""Put bytes on disk so that a crash leaves the old state or the new one.

Everything here is 0600 or 0700 and never follows a link. What the bytes mean
belongs to the callers.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from sql.errors import CannotWrite

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
ADVICE = {
    errno.ENOSPC: "free some space and run again: nothing that was sealed is lost",
    errno.EDQUOT: "the disk quota is used up; raise it and run again",
    errno.EFBIG: "the file may not grow further; raise the limit of the process and run again",
    errno.EACCES: "the folder does not belong to this user; correct its permissions",
    errno.EPERM: "the folder does not belong to this user; correct its permissions",
    errno.EROFS: "the file system is read-only; configure another path",
    errno.ENOENT: "it is not there, or a folder above it is not; correct the path",
    errno.ENOTDIR: "a file stands where a folder should; move it away or configure another path",
    errno.EISDIR: "a folder stands where a file should; move it away or configure another path",
    errno.EEXIST: "something else stands there; move it away or configure another path",
    errno.ELOOP: "it is a link; configure the path it points to",
    errno.ENAMETOOLONG: "the name is too long; configure a shorter path",
    errno.EMFILE: "too many files are open; raise the limit of the process",
    errno.EIO: "the disk does not answer; look at its health",
}
"""What the operating system may refuse on our own paths, and what to do."""
TEMPORARY = ".planrecon-tmp"
"""Ending of every name that a crash may leave behind and start-up may remove."""


def private_folder(path: Path) -> Path:
    """Make `path` and its missing parents folders of ours, 0700; a link or a file in its place is refused.

    The new names survive a power cut: without them, what is synced inside would be lost.
    """
    try:
        for missing in [place for place in (*reversed(path.absolute().parents), path) if not place.exists()]:
            missing.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
            sync_folder(missing.absolute().parent)
        if path.is_symlink():
            raise CannotWrite(f"{path} is a link; give the folder it points to instead", where=path)
        if not path.is_dir():
            raise CannotWrite(f"{path} is not a folder; move it away or configure another path", where=path)
    except FileExistsError as error:
        raise CannotWrite(f"{path} is not a folder; move it away or configure another path", where=path) from error
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def refuse_unless_plain(path: Path) -> None:
    """Raise `CannotWrite` if something that is not a plain file stands at `path`."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise CannotWrite(f"{path} is not a plain file (link, folder or pipe); configure another path", where=path)


def write_atomic(path: Path, body: bytes) -> None:
    """Replace `path` by `body`: after a crash it holds the old bytes or the new ones, never part of either."""
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    try:
        with open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            file.write(body)
            sync(file)
        move(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def move(path: Path, target: Path) -> None:
    """Give a file or folder another name, in the place of a file that has it; when this returns the name lasts."""
    path.replace(target)
    sync_folder(target.parent)


def put_in_place(draft: Path, path: Path) -> None:
    """Replace `path` by a finished file beside it, as `write_atomic` would by its bytes."""
    try:
        sync_file(draft)
        move(draft, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def make_new(path: Path, body: bytes) -> None:
    """Put `body` at `path`, whole, where nothing is and the system lets us; what another process put there first stays."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with contextlib.suppress(OSError):
        try:
            with open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
                file.write(body)
                sync(file)
            path.hardlink_to(temporary)
        finally:
            temporary.unlink()
        sync_folder(path.parent)


def open_private(path: Path, flags: int) -> BinaryIO:
    """Open `path` for writing: 0600 if it is made by this, never through a link."""
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    return cast("BinaryIO", os.fdopen(handle, _mode(flags)))


def sync(file: BinaryIO) -> None:
    """Make what was written to `file` last through a power cut."""
    file.flush()
    os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Make the bytes of `path` last through a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Make the names in `path` last through a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_ours(path: Path) -> bool:
    """Tell whether `path` itself, not what it links to, is a file or folder of this user."""
    facts = path.lstat()
    return not stat.S_ISLNK(facts.st_mode) and facts.st_uid == os.getuid()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return the error that says what the operating system refused, where, and what to do."""
    advice = ADVICE.get(error.errno or 0, "look at the path and run again")
    return CannotWrite(f"cannot write {path}: {error.strerror}; {advice}", where=path)


def require_writable(folder: Path) -> Path:
    """Return `folder`, having made it if needed and written a file in it to try.

    Raises:
        CannotWrite: it does not.
    """
    private_folder(folder)
    unnamed(folder, b"x").close()
    return folder


def unnamed(folder: Path, body: bytes | memoryview) -> BinaryIO:
    """Return an open file in `folder` that holds these bytes, to be read from the first; it has no name: who is killed leaves nothing.

    Raises:
        CannotWrite: the system refuses.
    """
    try:
        file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115  whoever asked closes it
        try:
            file.write(body)
            file.seek(0)
        except BaseException:
            with contextlib.suppress(OSError):  # a full disk refuses the last bytes too
                file.close()
            raise
    except OSError as error:
        raise cannot_write(folder, error) from error
    return file


def _mode(flags: int) -> str:
    if flags & os.O_RDWR:
        return "r+b"
    return "ab" if flags & os.O_APPEND else "wb"
