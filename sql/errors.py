"""The errors of stored data, as one small tree.

    StoreError              something about files we own
    ├── Busy                another process holds the file or the run lock
    ├── NoWarehouse         nothing was ever stored
    ├── Damaged             bytes are not what was written
    ├── CannotWrite         no space, no permission, not a plain file
    ├── WrongVersion        the file belongs to another version of planrecon
    └── BadQuery            the question is not one SELECT over the views

`code` is the stable word that stands in the summary and in scripts.
"""

from pathlib import Path
from typing import ClassVar


class StoreError(Exception):
    """Something about files we own; `where` is the path it is about."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, where: Path) -> None:
        super().__init__(message)
        self.where = where


class Busy(StoreError):  # noqa: N818 - names of this tree say what happened
    """Another process holds the file; `pid` and `since` are what it told about itself."""

    code: ClassVar[str] = "busy"

    def __init__(self, message: str, *, where: Path, pid: int | None = None, since: str | None = None) -> None:
        super().__init__(message, where=where)
        self.pid = pid
        self.since = since


class NoWarehouse(StoreError):  # noqa: N818
    """There is no warehouse where the configuration says; nothing was ever stored."""

    code: ClassVar[str] = "usage"


class Damaged(StoreError):  # noqa: N818
    """Bytes are not what was written."""

    code: ClassVar[str] = "stored_data_damaged"


class CannotWrite(StoreError):  # noqa: N818
    """No space, no permission, or the path is not a plain file or folder."""

    code: ClassVar[str] = "cannot_write"


class WrongVersion(StoreError):  # noqa: N818
    """The file was written by another version of planrecon or of DuckDB."""

    code: ClassVar[str] = "configuration"


class BadQuery(StoreError):  # noqa: N818
    """A question that is not one SELECT, or that the views cannot answer."""

    code: ClassVar[str] = "usage"
